//! All pages together: what no page can tell alone.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    ALL_PAGES, BrokenPage, Handbook, PATROL, Runbook,
    borrow::{self, resolve},
    limits::{COMMAND_CHARS, MOST_PAGES, command_chars},
    raw::{RawPage, RawRule, RawRunbook},
    read::read,
};
use crate::domain::{
    diagnosis::Catalog,
    document::{Document, Level, Path, Problem, closest},
    ids::CauseId,
};

/// Reads one page by itself. Causes of other pages that it explains are taken on trust.
///
/// # Errors
/// Every mistake in it.
pub fn parse(file: &str, text: &str, catalog: &Catalog) -> Result<Runbook, Vec<Problem>> {
    let reading = read(file, text, catalog);
    match reading.runbook {
        Some(runbook) => Ok((*runbook).clone()),
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
        let read = read_all(pages, catalog);
        let mut problems = errors(read.problems);
        problems.extend(read.too_large);
        match read.handbook {
            Some(handbook) if problems.is_empty() => Ok(handbook),
            _ => Err(problems),
        }
    }

    /// Reads all pages. Those that have mistakes are told in [`Handbook::broken`] and keep the version
    /// that `before` has of them, if any: one broken page must not keep the others from being asked.
    #[must_use]
    pub fn load_sound<N: AsRef<str>, T: AsRef<str>>(
        pages: impl IntoIterator<Item = (N, T)>,
        unreadable: impl IntoIterator<Item = Problem>,
        catalog: &Catalog,
        before: Option<&Self>,
    ) -> Self {
        let read = read_all(pages, catalog);
        let mut broken: Vec<BrokenPage> = Vec::new();
        for problem in errors(read.problems).into_iter().chain(unreadable) {
            match broken.iter_mut().find(|page| page.file == problem.file) {
                Some(page) => page.problems.push(problem),
                None => broken.push(BrokenPage {
                    id: id_of(&read.pages, &problem.file),
                    file: problem.file.clone(),
                    problems: vec![problem],
                    kept: None,
                }),
            }
        }
        let mut sound: Vec<Arc<Runbook>> = Vec::new();
        for page in read.pages {
            let file = page.document.source().name();
            if broken.iter().all(|broken| broken.file != file) {
                sound.extend(page.runbook);
            }
        }
        for page in &mut broken {
            let old = before.and_then(|before| before.page(&page.id));
            let taken = sound.iter().any(|sound| sound.id.as_str() == page.id);
            if let Some(old) = old.filter(|_| !taken) {
                page.kept = Some(old.text_hash.clone());
                sound.push(Arc::clone(old));
            }
        }
        sound.sort_by_key(|page| section_key(&page.section));
        let mut handbook = resolve(&sound);
        handbook.broken = broken;
        handbook
    }
}

/// The id of the page in `file`: what it says, else what its file is called.
fn id_of(pages: &[Page], file: &str) -> String {
    let page = pages
        .iter()
        .find(|page| page.document.source().name() == file);
    let said = page.map(Page::id).filter(|id| !id.is_empty());
    let stem = std::path::Path::new(file)
        .file_stem()
        .and_then(std::ffi::OsStr::to_str);
    said.or(stem).unwrap_or(file).to_owned()
}

/// A page as it is written.
pub(super) struct Page {
    pub document: Document<RawPage>,
    pub runbook: Option<Arc<Runbook>>,
}

impl Page {
    pub(super) fn head(&self) -> Option<&RawRunbook> {
        self.document.value.runbook.as_ref()
    }

    /// The page's id, as written; empty when it has none.
    pub(super) fn id(&self) -> &str {
        let id = self.head().and_then(|head| head.id.as_deref());
        id.unwrap_or_default()
    }

    pub(super) fn section(&self) -> &str {
        let section = self.head().and_then(|head| head.section.as_deref());
        section.unwrap_or_default()
    }

    /// Every rule of a check, with its place.
    fn rules(&self) -> impl Iterator<Item = (Path, &RawRule)> {
        let checks = self.document.value.check.iter().enumerate();
        checks.flat_map(|(n, check)| {
            check.rule.iter().enumerate().map(move |(m, rule)| {
                let path = Path::root().key("check").at(n).key("rule").at(m);
                (path, rule)
            })
        })
    }
}

/// All pages, with everything that is to be said about them.
pub(super) struct ReadAll {
    /// The handbook, when every page can be used.
    pub handbook: Option<Handbook>,
    /// The pages whose form can be read, in the order of their sections.
    pub pages: Vec<Page>,
    pub problems: Vec<Problem>,
    /// What is wrong with all pages together, and with none alone.
    pub too_large: Vec<Problem>,
}

/// Reads all pages.
pub(super) fn read_all<N: AsRef<str>, T: AsRef<str>>(
    files: impl IntoIterator<Item = (N, T)>,
    catalog: &Catalog,
) -> ReadAll {
    let mut problems = Vec::new();
    let mut causes: Vec<CauseId> = Vec::new();
    let mut pages = Vec::new();
    let mut all_readable = true;
    for (file, text) in files {
        let reading = read(file.as_ref(), text.as_ref(), catalog);
        problems.extend(reading.problems);
        causes.extend(reading.causes);
        all_readable &= reading.document.is_some();
        pages.extend(reading.document.map(|document| Page {
            document,
            runbook: reading.runbook,
        }));
    }
    pages.sort_by_key(|page| section_key(page.section()));
    problems.extend(twice(&pages));
    problems.extend(reserved(&pages));
    problems.extend(borrow::problems(&pages, all_readable));
    problems.extend(shared_alerts(&pages));
    problems.extend(unknown_causes(&pages, &causes, all_readable));
    let handbook = all_readable.then(|| assemble(&pages)).flatten();
    let too_large = handbook
        .as_ref()
        .map(|handbook| too_large(handbook, &pages));
    ReadAll {
        handbook,
        pages,
        problems,
        too_large: too_large.unwrap_or_default(),
    }
}

fn assemble(pages: &[Page]) -> Option<Handbook> {
    let pages: Option<Vec<Arc<Runbook>>> = pages.iter().map(|page| page.runbook.clone()).collect();
    Some(resolve(&pages?))
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
    let mut first: BTreeMap<&str, &Page> = BTreeMap::new();
    let mut problems = Vec::new();
    for page in pages.iter().filter(|page| !page.id().is_empty()) {
        if let Some(other) = first.insert(page.id(), page) {
            let message = format!(
                "{} is a page `{}`, too",
                other.document.source().name(),
                page.id()
            );
            problems.push(page.document.problem(&id_path(), message));
        }
    }
    problems
}

/// Names that `/diagnose` has itself.
fn reserved(pages: &[Page]) -> Vec<Problem> {
    let taken = |id: &str| [ALL_PAGES, PATROL].contains(&id);
    let pages = pages.iter().filter(|page| taken(page.id()));
    pages
        .map(|page| {
            let message = format!("`{}` means something of Handbell's own", page.id());
            page.document.problem(&id_path(), message)
        })
        .collect()
}

fn shared_alerts(pages: &[Page]) -> Vec<Problem> {
    let alerts = |page: &Page| {
        page.head()
            .map(|head| head.alerts.clone())
            .unwrap_or_default()
    };
    let mut problems = Vec::new();
    for (n, page) in pages.iter().enumerate() {
        for (m, alert) in alerts(page).iter().enumerate() {
            let earlier = pages.iter().take(n);
            let other = earlier
                .filter(|other| other.id() != page.id())
                .find(|other| alerts(other).contains(alert));
            if let Some(other) = other {
                let path = Path::root().key("runbook").key("alerts").at(m);
                let message = format!("this alert belongs to the page `{}`, too", other.id());
                problems.push(page.document.problem(&path, message));
            }
        }
    }
    problems
}

/// Causes that no page finds or declares. A typing mistake here would make a consequence a root
/// cause without a word, so it is an error; `[[cause]]` is for what a later page will find.
fn unknown_causes(pages: &[Page], known: &[CauseId], all_readable: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    for page in pages {
        for (path, rule) in page.rules() {
            let explained = rule.explains.iter().enumerate();
            let named = explained
                .map(|(n, cause)| (path.key("explains").at(n), cause))
                .chain(rule.cause.iter().map(|cause| (path.key("cause"), cause)));
            for (path, cause) in named {
                let found = known.iter().any(|known| known.as_str() == cause);
                let own = cause.split('.').next() == Some(page.id());
                // What is no cause at all has been told.
                let told = own || cause.parse::<CauseId>().is_err();
                if found || told {
                    continue;
                }
                let near = closest(cause, known.iter().map(CauseId::as_str));
                // A page that could not be read may be the one that finds it.
                if !all_readable && near.is_none() {
                    continue;
                }
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!(
                        "if a later page will find it, declare it: [[cause]] id = \"{cause}\""
                    ),
                };
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
    if pages.len() > MOST_PAGES {
        let message = format!(
            "{} pages; Discord takes at most {MOST_PAGES} of them as subcommands of /diagnose",
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
