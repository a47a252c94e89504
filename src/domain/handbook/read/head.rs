//! `[runbook]`, its alerts, and `[[cause]]`.

use indexmap::IndexMap;

use super::{Path, Reader};
use crate::domain::{
    handbook::{
        AlertMatch, Borrowed, Lent, Runbook,
        limits::{DESCRIPTION_CHARS, described_chars},
        raw::RawDate,
    },
    ids::{CauseId, CheckRef},
    text::{Lang, Text},
};

/// Longest symptom, in characters: it is shown in the card's description beside other texts.
const SYMPTOM_CHARS: usize = 300;

impl Reader<'_> {
    pub(super) fn head(&mut self) -> Option<Runbook> {
        let raw = self.raw.runbook.as_ref()?;
        let path = Path::root().key("runbook");
        let id = self.parsed(raw.id.as_ref(), &path.key("id"), "the id");
        let title = self.text(raw.title.as_ref(), &path.key("title"), DESCRIPTION_CHARS);
        let symptom = self.text(raw.symptom.as_ref(), &path.key("symptom"), SYMPTOM_CHARS);
        if let (Some(title), Some(symptom)) = (&title, &symptom) {
            self.described(title, symptom, &path.key("symptom"));
        }
        let reviewed = raw.reviewed.and_then(RawDate::date);
        let alerts = self.alerts(&raw.alerts, &path.key("alerts"));
        if raw
            .owner
            .as_ref()
            .is_some_and(|owner| owner.trim().is_empty())
        {
            self.problem(&path.key("owner"), "the page has no owner");
        }
        let borrowed = self.borrowed(&raw.borrows, &path.key("borrows"));
        self.named_like_its_file(&path.key("id"));
        Some(Runbook {
            id: id?,
            section: raw.section.clone()?,
            title: title?,
            symptom: symptom?,
            severity: raw.severity?,
            owner: raw.owner.clone()?,
            reviewed: reviewed?,
            alerts,
            params: Vec::new(),
            checks: Vec::new(),
            looks: Vec::new(),
            borrowed,
            remedies: Vec::new(),
            prevent: Vec::new(),
            manual: Vec::new(),
            causes: IndexMap::new(),
            text_hash: String::new(),
            hash: String::new(),
        })
    }

    /// Discord shows title and symptom as one description.
    fn described(&mut self, title: &Text, symptom: &Text, path: &Path) {
        for lang in [Lang::En, Lang::Zh] {
            let chars = described_chars(title.get(lang), symptom.get(lang));
            // A title that is too long by itself has been told.
            let title_fits = title.get(lang).chars().count() <= DESCRIPTION_CHARS;
            if title_fits && chars > DESCRIPTION_CHARS {
                self.warning(
                    &path.key(lang.code()),
                    format!(
                        "title and symptom have {chars} characters together; Discord shows \
                         {DESCRIPTION_CHARS} beside the command"
                    ),
                    Some("the rest is cut there, and shown everywhere else"),
                );
            }
        }
    }

    /// `redis.toml` has the page `redis`: whoever looks for a page finds its file.
    fn named_like_its_file(&mut self, path: &Path) {
        let file = self.document.source().name();
        let stem = std::path::Path::new(file).file_stem();
        let stem = stem.and_then(std::ffi::OsStr::to_str).unwrap_or_default();
        if !self.id.is_empty() && stem != self.id {
            let message = format!("the page `{}` is in a file called `{stem}`", self.id);
            let hint = format!("call the file {}.toml", self.id);
            self.warning(path, message, Some(&hint));
        }
    }

    fn alerts(&mut self, alerts: &[IndexMap<String, String>], path: &Path) -> Vec<AlertMatch> {
        for (n, alert) in alerts.iter().enumerate() {
            let path = path.at(n);
            if alert.is_empty() {
                self.problem(&path, "an alert without labels would match every alert");
            }
            for (label, value) in alert {
                if !is_label(label) {
                    let message =
                        format!("`{label}` is no label of an alert: letters, digits and _");
                    self.push(self.document.key_problem(&path.key(label), message));
                }
                if value.is_empty() {
                    self.problem(&path.key(label), "an empty label is the same as none");
                }
            }
            if alerts.iter().take(n).any(|earlier| earlier == alert) {
                self.problem(&path, "the same alert stands here twice");
            }
        }
        alerts.to_vec()
    }

    /// Checks of other pages, not looked up yet: that is for when all pages are there.
    fn borrowed(&mut self, borrows: &[String], path: &Path) -> Vec<Borrowed> {
        let mut borrowed: Vec<Borrowed> = Vec::new();
        for (n, text) in borrows.iter().enumerate() {
            let path = path.at(n);
            let Some(check) = self.parsed::<CheckRef>(Some(text), &path, "a borrowed check") else {
                continue;
            };
            if check.page.as_str() == self.id {
                self.problem(&path, format!("`{check}` is a check of this very page"));
            }
            if borrowed.iter().any(|known| known.check == check) {
                self.problem(&path, format!("`{check}` stands here twice"));
            }
            borrowed.push(Borrowed {
                check,
                lent: Lent::Unusable,
            });
        }
        borrowed
    }

    /// `[[cause]]`: what this page explains although no page finds it yet.
    pub(super) fn declared_causes(&mut self) -> IndexMap<CauseId, Text> {
        let mut causes = IndexMap::new();
        for (n, raw) in self.raw.cause.iter().enumerate() {
            let path = Path::root().key("cause").at(n);
            let id: Option<CauseId> = self.parsed(raw.id.as_ref(), &path.key("id"), "the cause");
            let title = self.text(raw.title.as_ref(), &path.key("title"), DESCRIPTION_CHARS);
            let Some(id) = id else { continue };
            if let Some(first) = self.causes.get(&id) {
                let line = self.document.problem(first, "").line;
                let message = format!("the cause `{id}` is declared in line {line} already");
                self.problem(&path.key("id"), message);
            }
            self.causes.insert(id.clone(), path.key("id"));
            causes.insert(id, title.unwrap_or_default());
        }
        causes
    }

    /// Causes that rules of this page find: known before any rule is read, since rules explain
    /// causes of rules further down.
    pub(super) fn collect_causes(&mut self) {
        let lists = [("check", &self.raw.check), ("prevent", &self.raw.prevent)];
        let all = lists.into_iter().flat_map(|(list, checks)| {
            let checks = checks.iter().enumerate();
            checks.map(move |(n, check)| (list, n, check))
        });
        for (list, n, check) in all {
            for (m, rule) in check.rule.iter().enumerate() {
                let cause = rule
                    .cause
                    .as_ref()
                    .and_then(|cause| cause.parse::<CauseId>().ok());
                let Some(cause) = cause else { continue };
                let path = Path::root().key(list).at(n).key("rule").at(m).key("cause");
                let own = cause.as_str().split('.').next() == Some(self.id);
                if own {
                    self.causes.entry(cause).or_insert(path);
                }
            }
        }
    }
}

/// A label of Prometheus' data model: `[a-zA-Z_][a-zA-Z0-9_]*`.
fn is_label(label: &str) -> bool {
    let mut chars = label.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
