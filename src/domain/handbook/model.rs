//! The types of a page, after parsing: none of them can be wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Condition, Sentence};
use crate::domain::{
    diagnosis::{Column, Verdict},
    document::{Problem, told},
    ids::{CauseId, CheckId, CheckRef, RemedyId, RunbookId, TargetId},
    text::Text,
};

/// How bad it is (handbook, section 1.1).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Severity {
    /// Fatal: the system is unavailable; respond within 5 minutes.
    P0,
    /// Serious: a core function is lost; within 15 minutes.
    P1,
    /// Normal: a secondary function is affected; within 1 hour.
    P2,
    /// Minor: slow, or a small problem; within 1 day.
    P3,
}

/// What a remedy may break.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// The role is enough.
    Low,
    /// One other person approves.
    Medium,
    /// Two other people approve.
    High,
}

/// Labels that an alert must carry to belong to a page.
pub type AlertMatch = IndexMap<String, String>;

/// An argument of a probe, as the page gives it.
#[derive(Clone, Debug, PartialEq)]
pub enum ArgValue {
    /// A whole number.
    Int(i64),
    /// A text, after its parameters were filled in.
    Text(String),
    /// A length of time.
    Duration(Duration),
    /// Names to regular expressions.
    Patterns(IndexMap<String, String>),
    /// A query's placeholders to their values.
    Values(IndexMap<String, ArgValue>),
    /// A query's columns to what they are.
    Columns(IndexMap<String, Column>),
    /// A parameter of the page, filled in when the run begins: `"{{ slow_ms }}"`.
    Param(String),
}

/// A probe's arguments by name; those with a default are filled in by the parser.
pub type Args = IndexMap<String, ArgValue>;

/// The type of a page's parameter, which becomes an option of its slash command.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamType {
    /// A text that matches `pattern` wholly.
    Text {
        /// Regular expression, anchored on both sides.
        pattern: Option<String>,
        /// Longest text, in characters.
        max_chars: u16,
    },
    /// A whole number.
    Int {
        /// Least, included.
        min: i64,
        /// Greatest, included.
        max: i64,
    },
    /// One of these words.
    Choice(Vec<(String, Text)>),
    /// Yes or no.
    Bool,
}

/// A parameter of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// The name, in `snake_case` (Discord's option grammar, 32 characters).
    pub name: String,
    /// The type.
    pub kind: ParamType,
    /// What it is when it isn't given; a parameter without a default must be given.
    pub default: Option<ParamValue>,
    /// What it means.
    pub say: Text,
}

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text or a choice.
    Text(String),
}

/// The parameters of one run, complete and valid, in the page's order.
pub type Params = IndexMap<String, ParamValue>;

/// One way to judge a check's facts.
#[derive(Clone, Debug)]
pub struct Rule {
    /// When it applies.
    pub when: Condition,
    /// What it says then.
    pub verdict: Verdict,
    /// The cause; there for every verdict except *ok*.
    pub cause: Option<CauseId>,
    /// Causes that follow from this one.
    pub explains: Vec<CauseId>,
    /// The sentence for the reader.
    pub say: Sentence,
    /// Remedies that fit, ids of the same page.
    pub remedies: Vec<RemedyId>,
}

/// A step of a page: a probe, its arguments, and the rules that judge its facts.
#[derive(Clone, Debug)]
pub struct Check {
    /// The page that it stands on.
    pub page: RunbookId,
    /// The id, unique on its page.
    pub id: CheckId,
    /// Steps of the handbook that this carries (`2.3.d4`).
    pub covers: Vec<String>,
    /// What it is called.
    pub title: Text,
    /// The probe.
    pub probe: String,
    /// The target's name in the configuration.
    pub target: TargetId,
    /// The probe's arguments.
    pub args: Args,
    /// Its own deadline; the configuration's when it is `None`.
    pub timeout: Option<Duration>,
    /// The rules in the page's order; the first that applies is the finding.
    pub rules: Vec<Rule>,
    /// What is said when no rule applies.
    pub healthy: Option<Sentence>,
    /// Parameters of its page that its arguments, conditions or sentences name.
    pub uses: BTreeSet<String>,
}

/// An approved change. In this version it is shown and not carried out; the fields from `action` on
/// are kept for the version that does.
#[derive(Clone, Debug)]
pub struct Remedy {
    /// The id, unique on its page.
    pub id: RemedyId,
    /// Steps of the handbook that this carries.
    pub covers: Vec<String>,
    /// What it is called.
    pub title: Text,
    /// What it does, for the reader.
    pub say: Text,
    /// What it may break.
    pub risk: Risk,
    /// The action that carries it out, `system.what`.
    pub action: Option<String>,
    /// What it acts on.
    pub target: Option<TargetId>,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Checks of the page that must hold at the moment of acting.
    pub require: Vec<CheckId>,
    /// Checks of the page that are run again afterwards: the outcome is theirs.
    pub verify: Vec<CheckId>,
    /// How long it may not be repeated.
    pub cooldown: Option<Duration>,
}

/// A step that only a person can do.
#[derive(Clone, Debug, PartialEq)]
pub struct Manual {
    /// The page that it stands on.
    pub page: RunbookId,
    /// The id, unique on its page.
    pub id: CheckId,
    /// Steps of the handbook that this carries.
    pub covers: Vec<String>,
    /// What it is called.
    pub title: Text,
    /// What the person is asked to do, or to look for.
    pub say: Text,
}

/// A check of another page that runs on this one, too.
#[derive(Clone, Debug)]
pub struct Borrowed {
    /// Which one.
    pub check: CheckRef,
    /// The check itself.
    pub lent: Lent,
}

/// What stands behind a borrowed check.
#[derive(Clone, Debug)]
pub enum Lent {
    /// A check with the defaults of its own page's parameters.
    Check(Arc<Check>, Arc<Params>),
    /// Something that only a person can look at.
    Manual(Arc<Manual>),
    /// Its page can't be used as it is now.
    Unusable,
}

/// One page of the handbook.
#[derive(Clone, Debug)]
pub struct Runbook {
    /// `/diagnose <id>`.
    pub id: RunbookId,
    /// The section of the handbook, `2.3`.
    pub section: String,
    /// What it is called.
    pub title: Text,
    /// What people notice.
    pub symptom: Text,
    /// The severity proposed when an incident opens from here.
    pub severity: Severity,
    /// Who keeps this page.
    pub owner: String,
    /// When it was last reviewed.
    pub reviewed: jiff::civil::Date,
    /// Alerts that belong to this page.
    pub alerts: Vec<AlertMatch>,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its own checks.
    pub checks: Vec<Arc<Check>>,
    /// What a person looks at in a diagnosis, since no probe can.
    pub looks: Vec<Arc<Manual>>,
    /// Checks of other pages that run here, too.
    pub borrowed: Vec<Borrowed>,
    /// Its remedies.
    pub remedies: Vec<Remedy>,
    /// Checks for the patrol, not for a diagnosis.
    pub prevent: Vec<Arc<Check>>,
    /// Prevention that only a person can do.
    pub manual: Vec<Arc<Manual>>,
    /// Causes that the page explains and that no page finds yet, with what they are called.
    pub causes: IndexMap<CauseId, Text>,
    /// SHA-256 of the page's text, hexadecimal.
    pub text_hash: String,
    /// SHA-256 of the page's text and of the pages from which it borrows, hexadecimal; which version
    /// of the page a report ran.
    pub hash: String,
}

impl Runbook {
    /// What the parameters are when none is given; those that must be given are not there.
    #[must_use]
    pub fn defaults(&self) -> Params {
        let given = self.params.iter();
        given
            .filter_map(|param| Some((param.name.clone(), param.default.clone()?)))
            .collect()
    }
}

/// Pages are equal when they are the same version of the same page.
impl PartialEq for Runbook {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.hash == other.hash
    }
}

/// All pages, by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handbook {
    /// The pages in the order of their sections.
    pub pages: IndexMap<RunbookId, Arc<Runbook>>,
    /// Which cause follows from which, by every rule of every page.
    pub relation: Arc<Relation>,
    /// Pages that can't be used as they are written now.
    pub broken: Vec<BrokenPage>,
}

/// A page that can't be used as it is written now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenPage {
    /// Its id; that of its file's name when none can be read.
    pub id: String,
    /// Its file.
    pub file: String,
    /// Every mistake in it.
    pub problems: Vec<Problem>,
    /// The version that stays in force meanwhile, where an earlier one was read without mistakes.
    pub kept: Option<String>,
}

impl BrokenPage {
    /// The mistakes as sentences with line and column, at most `most` of them.
    #[must_use]
    pub fn mistakes(&self, most: usize) -> Vec<String> {
        told(&self.problems, most)
    }
}

/// Which cause follows from which. It may be made when it is first asked.
pub struct Relation(LazyLock<Follows, Box<dyn FnOnce() -> Follows + Send>>);

/// For each cause those that follow from it at once.
type Follows = BTreeMap<CauseId, BTreeSet<CauseId>>;

impl Default for Relation {
    fn default() -> Self {
        Self::of([])
    }
}

impl fmt::Debug for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Relation").field(&*self.0).finish()
    }
}

impl PartialEq for Relation {
    fn eq(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl Relation {
    /// The relation that `make` gives when it is first asked.
    pub(super) fn later(make: impl FnOnce() -> Self + Send + 'static) -> Self {
        Self(LazyLock::new(Box::new(move || (*make().0).clone())))
    }

    /// What the rules of `checks` say of it.
    #[must_use]
    pub fn of<'a>(checks: impl IntoIterator<Item = &'a Check>) -> Self {
        let mut follows = Follows::new();
        for rule in checks.into_iter().flat_map(|check| &check.rules) {
            if let Some(cause) = &rule.cause {
                let known = follows.entry(cause.clone()).or_default();
                known.extend(rule.explains.iter().cloned());
            }
        }
        Self(LazyLock::new(Box::new(move || follows)))
    }

    /// What the rules of `pages` say of it.
    pub(super) fn of_pages<'a>(pages: impl IntoIterator<Item = &'a Runbook>) -> Self {
        let checks = pages
            .into_iter()
            .flat_map(|page| page.checks.iter().chain(&page.prevent));
        Self::of(checks.map(AsRef::as_ref))
    }

    /// The causes that may follow from `cause` at once.
    pub fn at_once(&self, cause: &CauseId) -> impl Iterator<Item = &CauseId> {
        self.0.get(cause).into_iter().flatten()
    }
}

impl Handbook {
    /// The page called `id`, if it is broken and no version of it is in force.
    #[must_use]
    pub fn broken_page(&self, id: &str) -> Option<&BrokenPage> {
        self.broken
            .iter()
            .find(|page| page.id == id && page.kept.is_none())
    }

    /// The version of all pages together (SHA-256).
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for page in self.pages.values() {
            hash.update(&page.hash);
        }
        hex::encode(hash.finalize())
    }

    /// The page called `id`.
    #[must_use]
    pub fn page(&self, id: &str) -> Option<&Arc<Runbook>> {
        self.pages.get(id)
    }

    /// A handbook of `pages`, in their order; what they borrow is resolved already.
    #[must_use]
    pub fn of(pages: impl IntoIterator<Item = Arc<Runbook>>) -> Self {
        let pages: IndexMap<RunbookId, Arc<Runbook>> = pages
            .into_iter()
            .map(|page| (page.id.clone(), page))
            .collect();
        let relation = Arc::new(Relation::of_pages(pages.values().map(AsRef::as_ref)));
        Self {
            pages,
            relation,
            broken: Vec::new(),
        }
    }
}
