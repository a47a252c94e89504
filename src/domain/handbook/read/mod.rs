//! From a page's text to a validated page: every mistake of form, of meaning and of types.
//!
//! - `head`: `[runbook]`, its alerts, `[[cause]]`
//! - `param`: `[[param]]` and a remedy's parameters
//! - `check`: `[[check]]` and `[[prevent]]`
//! - `args`: a probe's arguments
//! - `query`: a database query of the page's own
//! - `rule`: rules, their conditions and sentences
//! - `remedy`: `[[remedy]]`

mod args;
mod check;
mod head;
mod param;
mod query;
mod remedy;
mod rule;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    str::FromStr,
    sync::{Arc, LazyLock},
    time::Duration,
};

use sha2::{Digest, Sha256};

use super::{
    Runbook,
    raw::{RawPage, RawText},
    typing::{self, Complaint, Names, Present},
};
use crate::domain::{
    diagnosis::Catalog,
    document::{self, Document, Level, Path, Problem, did_you_mean},
    duration,
    ids::CauseId,
    text::{Lang, Text},
};

/// What reading a page gives, and all that is to be said about it.
#[derive(Debug)]
pub(super) struct Reading {
    /// The page as it is written, unless its form is so wrong that nothing can be read.
    pub document: Option<Document<RawPage>>,
    /// The page, if it can be used.
    pub runbook: Option<Arc<Runbook>>,
    /// Causes that the page finds or declares, even when it can't be used: others explain them.
    pub causes: Vec<CauseId>,
    pub problems: Vec<Problem>,
}

/// The form of a page, made once for all of them.
static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(document::schema::<RawPage>);

/// Reads the page `text` of the file `file`.
pub(super) fn read(file: &str, text: &str, catalog: &Catalog) -> Reading {
    let (document, problems) = document::parse_against::<RawPage>(file, text, &SCHEMA);
    let Some(document) = document else {
        return Reading {
            document: None,
            runbook: None,
            causes: Vec::new(),
            problems,
        };
    };
    let mut reader = Reader::new(&document, catalog, problems);
    let runbook = reader.page();
    let causes = reader.causes.keys().cloned().collect();
    let problems = reader.problems;
    let sound = problems.iter().all(|p| p.level == Level::Warning);
    let runbook = runbook.filter(|_| sound).map(|mut runbook| {
        runbook.text_hash = hash_of(text);
        runbook.hash.clone_from(&runbook.text_hash);
        Arc::new(runbook)
    });
    Reading {
        document: Some(document),
        runbook,
        causes,
        problems,
    }
}

/// Reads the page `text` of the file `file`, which has been checked before: it is only asked for what
/// it says. `None` when it is not sound after all.
pub(super) fn read_known(file: &str, text: &str, catalog: &Catalog) -> Option<Arc<Runbook>> {
    let document = document::parse_known::<RawPage>(file, text)?;
    let mut reader = Reader::new(&document, catalog, Vec::new());
    reader.known = true;
    let mut runbook = reader.page()?;
    let sound = reader.problems.iter().all(|p| p.level == Level::Warning);
    runbook.text_hash = hash_of(text);
    runbook.hash.clone_from(&runbook.text_hash);
    sound.then(|| Arc::new(runbook))
}

fn hash_of(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Reads one page. A part that is wrong is left out and told; reading goes on.
struct Reader<'a> {
    document: &'a Document<RawPage>,
    raw: &'a RawPage,
    catalog: &'a Catalog,
    problems: Vec<Problem>,
    /// The page has been checked before: nothing that is only there to find mistakes is done.
    known: bool,
    /// The page's id, as written.
    id: &'a str,
    /// Ids of checks, remedies and preventions, with where each was first used.
    ids: BTreeMap<&'a str, Path>,
    /// Causes that this page finds or declares.
    causes: BTreeMap<CauseId, Path>,
    /// What the page's parameters are called.
    param_names: Vec<String>,
    /// Parameters of the page that something uses.
    used_params: BTreeSet<String>,
    /// Remedies that some rule names.
    used_remedies: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(document: &'a Document<RawPage>, catalog: &'a Catalog, problems: Vec<Problem>) -> Self {
        let raw = &document.value;
        let head = raw.runbook.as_ref();
        Self {
            document,
            raw,
            catalog,
            problems,
            known: false,
            id: head.and_then(|head| head.id.as_deref()).unwrap_or_default(),
            ids: BTreeMap::new(),
            causes: BTreeMap::new(),
            param_names: Vec::new(),
            used_params: BTreeSet::new(),
            used_remedies: BTreeSet::new(),
        }
    }

    fn page(&mut self) -> Option<Runbook> {
        let causes = self.declared_causes();
        self.collect_causes();
        let params = self.params();
        self.param_names = params.iter().map(|param| param.name.clone()).collect();
        let (checks, looks) = self.checks(&params);
        let (prevent, manual) = self.preventions(&params);
        let remedies = self.remedies();
        self.unused(&params);
        let head = self.head();
        let borrows = self
            .raw
            .runbook
            .as_ref()
            .is_some_and(|head| !head.borrows.is_empty());
        if self.raw.check.is_empty() && !borrows {
            let path = Path::root().key("runbook");
            self.problem(
                &path,
                "the page has no [[check]] and borrows none: a diagnosis would look at nothing",
            );
        }
        let mut runbook = head?;
        runbook.params = params;
        runbook.checks = checks;
        runbook.looks = looks;
        runbook.prevent = prevent;
        runbook.manual = manual;
        runbook.remedies = remedies;
        runbook.causes = causes;
        Some(runbook)
    }

    /// What nothing refers to.
    fn unused(&mut self, params: &[super::Param]) {
        for (n, param) in params.iter().enumerate() {
            if !self.used_params.contains(&param.name) {
                let path = Path::root().key("param").at(n);
                self.warning(
                    &path,
                    format!("the parameter `{}` is not used", param.name),
                    Some("use it in an argument, a condition or a sentence"),
                );
            }
        }
        for (n, remedy) in self.raw.remedy.iter().enumerate() {
            let Some(id) = &remedy.id else { continue };
            if !self.used_remedies.contains(id) {
                let path = Path::root().key("remedy").at(n).key("id");
                self.warning(
                    &path,
                    format!("no rule names the remedy `{id}`"),
                    Some("name it in the `remedies` of a rule, or it is never offered"),
                );
            }
        }
    }

    fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn problem(&mut self, path: &Path, message: impl Into<String>) {
        self.push(self.document.problem(path, message));
    }

    fn problem_hint(&mut self, path: &Path, message: impl Into<String>, hint: Option<String>) {
        self.push(self.document.problem(path, message).maybe_hint(hint));
    }

    fn warning(&mut self, path: &Path, message: impl Into<String>, hint: Option<&str>) {
        let problem = self.document.problem(path, message).warning();
        self.push(problem.maybe_hint(hint.map(str::to_owned)));
    }

    /// Something that parses itself; the error says what `what` must be.
    fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        text: Option<&String>,
        path: &Path,
        what: &str,
    ) -> Option<T> {
        match text?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(path, format!("{what} {error}"));
                None
            }
        }
    }

    fn duration(&mut self, text: Option<&String>, path: &Path) -> Option<Duration> {
        match duration::parse(text?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(path, error.to_string());
                None
            }
        }
    }

    /// An id of the page, which nothing else on it may have.
    fn own_id<T: FromStr<Err: Display>>(
        &mut self,
        id: Option<&'a String>,
        path: &Path,
        what: &str,
    ) -> Option<T> {
        let parsed = self.parsed(id, path, what);
        let id = id?.as_str();
        if let Some(first) = self.ids.get(id) {
            let line = self.document.problem(first, "").line;
            let hint = format!(
                "it is taken in line {line}; checks, remedies and preventions share one set of ids"
            );
            self.problem_hint(
                path,
                format!("the id `{id}` is used twice on this page"),
                Some(hint),
            );
        } else {
            self.ids.insert(id, path.clone());
        }
        parsed
    }

    /// A text without facts in it.
    fn text(&mut self, raw: Option<&RawText>, path: &Path, most: usize) -> Option<Text> {
        let text = raw?.text()?;
        if self.known {
            return Some(text);
        }
        for lang in [Lang::En, Lang::Zh] {
            let path = path.key(lang.code());
            let words = text.get(lang);
            let length = words.chars().count();
            if length > most {
                self.problem(
                    &path,
                    format!("{length} characters; Discord takes at most {most} here"),
                );
            } else if words.contains('\n') {
                self.problem(&path, "this text stands in one line");
            }
        }
        self.languages(&text, path);
        Some(text)
    }

    /// Whether each language is there and is that language.
    fn languages(&mut self, text: &Text, path: &Path) {
        for lang in [Lang::En, Lang::Zh] {
            if text.get(lang).trim().is_empty() {
                self.problem(&path.key(lang.code()), "the text is empty");
            }
        }
        if !text.zh.trim().is_empty() && !has_chinese(&text.zh) && has_words(&text.zh) {
            self.warning(
                &path.key("zh"),
                "no Chinese character in the Chinese text",
                Some("has it been translated?"),
            );
        }
        if has_chinese(&text.en) {
            self.warning(
                &path.key("en"),
                "Chinese characters in the English text",
                None,
            );
        }
    }

    fn complaints(&mut self, path: &Path, complaints: Vec<Complaint>) {
        for complaint in complaints {
            let span = self.document.span_within(path, complaint.span);
            let mut problem = Problem::new(self.document.source(), span, complaint.message)
                .maybe_hint(complaint.hint);
            if complaint.level == Level::Warning {
                problem = problem.warning();
            }
            self.push(problem);
        }
    }

    /// A sentence with facts in it.
    fn sentence(
        &mut self,
        raw: Option<&RawText>,
        path: &Path,
        names: &Names,
        present: &Present,
    ) -> Option<super::Sentence> {
        let text = raw?.text()?;
        if self.known {
            for words in [&text.en, &text.zh] {
                // Every `{{ … }}` and `{% … %}`.
                for part in words.split('{').skip(1) {
                    self.use_names_in(part.split('}').next().unwrap_or_default());
                }
            }
            return Some(super::Sentence::known(text));
        }
        self.languages(&text, path);
        for lang in [Lang::En, Lang::Zh] {
            let path = path.key(lang.code());
            let checked = typing::sentence(names, present, text.get(lang));
            if checked.chars > super::limits::FIELD_VALUE_CHARS {
                self.warning(
                    &path,
                    format!(
                        "about {} characters; a field of a card takes at most {}",
                        checked.chars,
                        super::limits::FIELD_VALUE_CHARS
                    ),
                    Some("it will be cut; put the detail into a remedy's text"),
                );
            }
            self.used_params.extend(checked.used);
            self.complaints(&path, checked.complaints);
        }
        super::Sentence::parse(&text).ok()
    }

    /// Notes which parameters are named in an expression of a page that is known.
    fn use_names_in(&mut self, expression: &str) {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for word in expression.split(|c| !inside(c)) {
            if self.param_names.iter().any(|name| name == word) {
                self.used_params.insert(word.to_owned());
            }
        }
    }

    /// Steps of the handbook, each with the form of one; whether they exist is for all pages.
    fn covers(&mut self, covers: &[String], path: &Path) -> Vec<String> {
        let mut seen = BTreeSet::new();
        for (n, step) in covers.iter().enumerate() {
            if !seen.insert(step) {
                self.problem(&path.at(n), format!("{step} stands here twice"));
            }
        }
        covers.to_vec()
    }

    /// Ids of checks of this page.
    fn check_ids(&mut self, ids: &[String], path: &Path) -> Vec<crate::domain::ids::CheckId> {
        let mut found = Vec::new();
        for (n, id) in ids.iter().enumerate() {
            let known = self
                .raw
                .check
                .iter()
                .filter_map(|check| check.id.as_deref());
            if known.clone().any(|known| known == id) {
                found.extend(id.parse().ok());
            } else {
                let hint = did_you_mean(id, known);
                self.problem_hint(&path.at(n), format!("the page has no check `{id}`"), hint);
            }
        }
        found
    }
}

/// Whether there is a CJK ideograph in it.
fn has_chinese(text: &str) -> bool {
    text.chars()
        .any(|c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}'))
}

/// Whether there is a word outside `{{ … }}` that wants a translation: "Redis" alone does not.
fn has_words(text: &str) -> bool {
    let mut words = 0;
    let mut inside = false;
    for word in text.split_whitespace() {
        inside |= word.contains("{{") || word.contains("{%");
        if !inside && word.chars().any(char::is_alphabetic) {
            words += 1;
        }
        inside &= !(word.contains("}}") || word.contains("%}"));
    }
    words > 1
}
