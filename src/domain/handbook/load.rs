//! All pages together: what no page can tell alone.

use std::{collections::BTreeMap, sync::Arc};

use indexmap::IndexMap;

use super::{
    Handbook, Runbook,
    limits::{COMMAND_CHARS, MOST_OPTIONS, command_chars},
    read::{Page, read},
};
use crate::domain::{
    diagnosis::Catalog,
    document::{Level, Path, Problem, did_you_mean},
    ids::{CauseId, RunbookId},
};

/// Reads one page by itself. Causes of other pages that it explains are taken on trust.
///
/// # Errors
/// Every mistake in it.
pub fn parse(file: &str, text: &str, catalog: &Catalog) -> Result<Runbook, Vec<Problem>> {
    let reading = read(file, text, catalog);
    match reading.page {
        Some(page) => Ok((*page.runbook).clone()),
        None => Err(errors(reading.problems)),
    }
}

fn errors(problems: Vec<Problem>) -> Vec<Problem> {
    problems
        .into_iter()
        .filter(|problem| problem.level == Level::Error)
        .collect()
}

impl Handbook {
    /// Reads all pages, each with the name of its file.
    ///
    /// # Errors
    /// Every mistake in any of them.
    pub fn load<N: AsRef<str>, T: AsRef<str>>(
        pages: impl IntoIterator<Item = (N, T)>,
        catalog: &Catalog,
    ) -> Result<Self, Vec<Problem>> {
        let (handbook, problems) = read_all(pages, catalog);
        let problems = errors(problems);
        match handbook {
            Some(handbook) if problems.is_empty() => Ok(handbook.handbook),
            _ => Err(problems),
        }
    }
}

/// All pages and their documents, in which more can be looked for.
pub(super) struct Loaded {
    pub handbook: Handbook,
    pub pages: Vec<Page>,
}

/// Reads all pages; the handbook is there when none has an error.
pub(super) fn read_all<N: AsRef<str>, T: AsRef<str>>(
    pages: impl IntoIterator<Item = (N, T)>,
    catalog: &Catalog,
) -> (Option<Loaded>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut causes: Vec<CauseId> = Vec::new();
    let mut sound = Vec::new();
    let mut complete = true;
    for (file, text) in pages {
        let reading = read(file.as_ref(), text.as_ref(), catalog);
        problems.extend(reading.problems);
        causes.extend(reading.causes);
        complete &= reading.page.is_some();
        sound.extend(reading.page);
    }
    sound.sort_by_key(|page| section_key(&page.runbook.section));
    problems.extend(twice(&sound));
    problems.extend(shared_alerts(&sound));
    problems.extend(unknown_causes(&sound, &causes, complete));
    if !complete {
        return (None, problems);
    }
    let pages: IndexMap<RunbookId, Arc<Runbook>> = sound
        .iter()
        .map(|page| (page.runbook.id.clone(), Arc::clone(&page.runbook)))
        .collect();
    let handbook = Handbook { pages };
    problems.extend(too_large(&handbook, &sound));
    let loaded = Loaded {
        handbook,
        pages: sound,
    };
    (Some(loaded), problems)
}

/// Sections by their numbers: 2.10 comes after 2.9.
pub(super) fn section_key(section: &str) -> Vec<u32> {
    section
        .split('.')
        .map(|part| part.parse().unwrap_or(u32::MAX))
        .collect()
}

fn id_path() -> Path {
    Path::root().key("runbook").key("id")
}

fn twice(pages: &[Page]) -> Vec<Problem> {
    let mut first: BTreeMap<&RunbookId, &Page> = BTreeMap::new();
    let mut problems = Vec::new();
    for page in pages {
        if let Some(other) = first.insert(&page.runbook.id, page) {
            let message = format!(
                "{} is a page `{}`, too",
                other.document.source().name(),
                page.runbook.id
            );
            problems.push(page.document.problem(&id_path(), message));
        }
    }
    problems
}

fn shared_alerts(pages: &[Page]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (n, page) in pages.iter().enumerate() {
        for (m, alert) in page.runbook.alerts.iter().enumerate() {
            let earlier = pages.iter().take(n);
            let other = earlier
                .filter(|other| other.runbook.id != page.runbook.id)
                .find(|other| other.runbook.alerts.contains(alert));
            if let Some(other) = other {
                let path = Path::root().key("runbook").key("alerts").at(m);
                let message = format!("this alert belongs to the page `{}`, too", other.runbook.id);
                problems.push(page.document.problem(&path, message));
            }
        }
    }
    problems
}

/// Causes that no page finds or declares. A typing mistake here would make a consequence a root
/// cause without a word, so it is an error; `[[cause]]` is for what a later page will find.
fn unknown_causes(pages: &[Page], known: &[CauseId], complete: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    for page in pages {
        let checks = page.document.value.check.iter().enumerate();
        let rules = checks.flat_map(|(n, check)| {
            check.rule.iter().enumerate().map(move |(m, rule)| {
                let path = Path::root().key("check").at(n).key("rule").at(m);
                (path, rule)
            })
        });
        for (path, rule) in rules {
            let explained = rule.explains.iter().enumerate();
            let named = explained
                .map(|(k, cause)| (path.key("explains").at(k), cause))
                .chain(rule.cause.iter().map(|cause| (path.key("cause"), cause)));
            for (path, cause) in named {
                let found = known.iter().any(|known| known.as_str() == cause);
                let foreign = cause.split('.').next() != Some(page.runbook.id.as_str());
                let near = did_you_mean(cause, known.iter().map(CauseId::as_str))
                    .filter(|hint| hint.starts_with("did you mean"));
                // A page that could not be read may be the one that finds it.
                if found || !foreign || (!complete && near.is_none()) {
                    continue;
                }
                let hint = near.unwrap_or_else(|| {
                    format!("if a later page will find it, declare it: [[cause]] id = \"{cause}\"")
                });
                let message = format!("no page finds the cause `{cause}`");
                problems.push(page.document.problem(&path, message).hint(hint));
            }
        }
    }
    problems
}

fn too_large(handbook: &Handbook, pages: &[Page]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(last) = pages.last() else {
        return problems;
    };
    if pages.len() > MOST_OPTIONS {
        let message = format!(
            "{} pages; Discord takes at most {MOST_OPTIONS} subcommands of /diagnose",
            pages.len()
        );
        problems.push(last.document.problem(&id_path(), message));
    }
    let chars = command_chars(handbook);
    if chars > COMMAND_CHARS {
        let message = format!(
            "/diagnose has {chars} characters with all pages; Discord takes at most {COMMAND_CHARS}"
        );
        let hint = "shorten titles and the texts of parameters and choices; each counts in its \
                    longest language";
        problems.push(last.document.problem(&id_path(), message).hint(hint));
    }
    problems
}
