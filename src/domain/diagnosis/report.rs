//! All findings of a run → one ranked answer. Pure.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Blind, Changed, Facts, LeftOut, Plan, probe::NO_SUCH_TARGET};
use crate::domain::{
    handbook::{Check, Manual, Relation},
    ids::{CauseId, CheckId, CheckRef, RemedyId, RemedyRef, RunbookId, TargetId},
    text::Text,
};

/// What a check says, worst last; `Unknown` and `NotApplicable` are outside that order.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// There is nothing to look at here, and that is no fault.
    NotApplicable,
    /// Healthy.
    Ok,
    /// The probe could not look; never a silent pass.
    Unknown,
    /// Not yet broken.
    Warning,
    /// Broken.
    Critical,
}

impl Verdict {
    /// The verdict's word, as in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// Whether something was found.
    #[must_use]
    pub fn is_finding(self) -> bool {
        matches!(self, Self::Warning | Self::Critical)
    }
}

/// What one check came to.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckResult {
    /// The page that it stands on.
    pub page: RunbookId,
    /// The check.
    pub id: CheckId,
    /// Where it looked.
    pub target: TargetId,
    /// What it is called.
    pub title: Text,
    /// What it says.
    pub verdict: Verdict,
    /// The cause, for a finding.
    pub cause: Option<CauseId>,
    /// Causes that follow from this one.
    pub explains: Vec<CauseId>,
    /// The sentence for the reader.
    pub say: Text,
    /// For an unknown, the reason's stable code ([`super::Unseen::code`]).
    pub reason: Option<String>,
    /// What the probe saw.
    pub facts: Facts,
    /// What a person would want to read for themselves.
    pub evidence: String,
    /// Remedies that fit, of the same page.
    pub remedies: Vec<RemedyId>,
    /// How long the look took, in milliseconds.
    pub duration_ms: u64,
}

impl CheckResult {
    /// A result of `check` without facts.
    #[must_use]
    pub fn blank(check: &Check, verdict: Verdict, say: Text) -> Self {
        Self {
            page: check.page.clone(),
            id: check.id.clone(),
            target: check.target.clone(),
            title: check.title.clone(),
            verdict,
            cause: None,
            explains: Vec::new(),
            say,
            reason: None,
            facts: Facts::new(),
            evidence: String::new(),
            remedies: Vec::new(),
            duration_ms: 0,
        }
    }

    /// Which check it is.
    #[must_use]
    pub fn reference(&self) -> CheckRef {
        CheckRef {
            page: self.page.clone(),
            id: self.id.clone(),
        }
    }

    /// The result of a check whose probe saw nothing.
    #[must_use]
    pub fn blind(check: &Check, blind: Blind, duration_ms: u64) -> Self {
        let mut result = match blind {
            Blind::NotApplicable(why) => Self::blank(check, Verdict::NotApplicable, why),
            Blind::Unknown(unseen) => {
                let mut result = Self::blank(check, Verdict::Unknown, unseen.say());
                result.reason = Some(unseen.code().to_owned());
                result
            }
        };
        result.duration_ms = duration_ms;
        result
    }
}

/// A finding at its place in the report.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The cause.
    pub cause: CauseId,
    /// How bad it is.
    pub verdict: Verdict,
    /// The check that found it first.
    pub check: CheckRef,
    /// Where.
    pub target: TargetId,
    /// The sentence for the reader.
    pub say: Text,
    /// The root causes that explain this; empty for a root cause.
    pub explained_by: Vec<CauseId>,
}

/// One ranked answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The page, or the name of several pages together.
    pub runbook: String,
    /// What it is called.
    pub title: Text,
    /// The section of the handbook; empty for several pages.
    pub section: String,
    /// The version of all that was run (SHA-256).
    pub page_hash: String,
    /// The worst of all checks; *unknown* only when nothing was found.
    pub verdict: Verdict,
    /// What is broken, the most telling first.
    pub root_causes: Vec<Ranked>,
    /// What follows from it.
    pub consequences: Vec<Ranked>,
    /// Every check, in the page's order.
    pub checks: Vec<CheckResult>,
    /// Remedies that fit the root causes, then the consequences, each once.
    pub remedies: Vec<RemedyRef>,
    /// What only a person can see, with what to look for.
    pub manual: Vec<Arc<Manual>>,
    /// Checks that were not run.
    pub left_out: Vec<LeftOut>,
    /// What differs from the last healthy run; `None` when there is none to compare with.
    pub changed: Option<Changed>,
    /// How long the run took, in milliseconds.
    pub duration_ms: u64,
}

impl Report {
    /// Whether it is of several pages, of which none was asked by its name.
    #[must_use]
    pub fn is_of_several(&self) -> bool {
        self.section.is_empty()
    }

    /// The checks that could not look.
    pub fn unknown(&self) -> impl Iterator<Item = &CheckResult> {
        self.with(Verdict::Unknown)
    }

    /// The checks that say `verdict`.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &CheckResult> {
        self.checks
            .iter()
            .filter(move |check| check.verdict == verdict)
    }

    /// The exit code of the command line: 0 healthy, 1 something found, 3 nothing found but something
    /// could not be looked at, or nothing was: where no check was judged, nobody knows how it is.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Ok => 0,
            Verdict::Warning | Verdict::Critical => 1,
            Verdict::Unknown | Verdict::NotApplicable => 3,
        }
    }
}

/// Ranks `checks`, which are all results of one run of `plan` in its order.
///
/// A finding is a root cause unless the cause of another finding explains it, at once or through
/// causes between them. What was found leads to what the rules that applied say follows; a cause in
/// between that nobody looked for, or whose check could not look, leads to all that may follow from
/// it; one that a check looked for and did not find leads nowhere. Causes that explain each other in
/// a circle are decided by severity, then by the page's order.
#[must_use]
pub fn rank(plan: &Plan, checks: Vec<CheckResult>, duration_ms: u64) -> Report {
    let (checks, left_out) = without_targets(plan, checks);
    let found = Findings::collect(plan, &checks);
    let mut roots = Vec::new();
    let mut consequences = Vec::new();
    for (n, (cause, first)) in found.causes.iter().enumerate() {
        let explained_by = found.explained_by(n);
        let ranked = Ranked {
            cause: cause.clone(),
            verdict: first.verdict,
            check: first.reference(),
            target: first.target.clone(),
            say: first.say.clone(),
            explained_by,
        };
        if ranked.explained_by.is_empty() {
            roots.push((found.reach[n].len(), ranked));
        } else {
            consequences.push(ranked);
        }
    }
    // A stable sort: among equals the page's order decides.
    roots
        .sort_by(|(a_reach, a), (b_reach, b)| b.verdict.cmp(&a.verdict).then(b_reach.cmp(a_reach)));
    let root_causes: Vec<Ranked> = roots.into_iter().map(|(_, ranked)| ranked).collect();
    consequences.sort_by_key(|ranked| std::cmp::Reverse(ranked.verdict));
    Report {
        runbook: plan.name.clone(),
        title: plan.title.clone(),
        section: plan.section.clone(),
        page_hash: plan.hash.clone(),
        verdict: overall(&checks, &left_out),
        remedies: remedies(&root_causes, &consequences, &checks),
        root_causes,
        consequences,
        checks,
        manual: plan.manual.clone(),
        left_out,
        changed: None,
        duration_ms,
    }
}

/// When all pages are asked at once, a check whose target is not configured is not part of this
/// system: it is listed as not run. Whoever asks its page by name is told that it could not look.
fn without_targets(plan: &Plan, checks: Vec<CheckResult>) -> (Vec<CheckResult>, Vec<LeftOut>) {
    let mut left_out = plan.left_out.clone();
    if !plan.is_of_several() {
        return (checks, left_out);
    }
    let (missing, there): (Vec<_>, Vec<_>) = checks
        .into_iter()
        .partition(|check| check.reason.as_deref() == Some(NO_SUCH_TARGET));
    left_out.extend(missing.into_iter().map(|check| LeftOut {
        page: check.page.to_string(),
        check: Some(check.id),
        reason: NO_SUCH_TARGET,
        say: check.say,
        missed: false,
    }));
    (there, left_out)
}

fn overall(checks: &[CheckResult], left_out: &[LeftOut]) -> Verdict {
    let missed = left_out.iter().filter(|one| one.missed);
    checks
        .iter()
        .map(|check| check.verdict)
        .chain(missed.map(|_| Verdict::Unknown))
        .max()
        .unwrap_or(Verdict::NotApplicable)
}

fn remedies(roots: &[Ranked], consequences: &[Ranked], checks: &[CheckResult]) -> Vec<RemedyRef> {
    let mut seen = BTreeSet::new();
    roots
        .iter()
        .chain(consequences)
        .flat_map(|ranked| {
            checks
                .iter()
                .filter(|check| check.cause.as_ref() == Some(&ranked.cause))
        })
        .flat_map(|check| {
            check.remedies.iter().map(|id| RemedyRef {
                page: check.page.clone(),
                id: id.clone(),
            })
        })
        .filter(|remedy| seen.insert(remedy.clone()))
        .collect()
}

/// The causes that were found, and which of them reach which.
struct Findings<'a> {
    /// Each cause once, with the finding that says most of it, in the page's order.
    causes: Vec<(CauseId, &'a CheckResult)>,
    /// For each, the positions of the found causes that follow from it.
    reach: Vec<BTreeSet<usize>>,
}

impl<'a> Findings<'a> {
    fn collect(plan: &Plan, checks: &'a [CheckResult]) -> Self {
        let mut causes: Vec<(CauseId, &CheckResult)> = Vec::new();
        for check in checks.iter().filter(|check| check.verdict.is_finding()) {
            let Some(cause) = &check.cause else { continue };
            match causes.iter_mut().find(|(known, _)| known == cause) {
                Some((_, worst)) if says_more(check, worst) => *worst = check,
                Some(_) => {}
                None => causes.push((cause.clone(), check)),
            }
        }
        // One cause alone explains nothing here, and what follows from what need not be known.
        if causes.len() < 2 {
            let reach = vec![BTreeSet::new(); causes.len()];
            return Self { causes, reach };
        }
        let follows = Follows::of(plan, checks);
        let reach = causes
            .iter()
            .map(|(cause, _)| {
                let all = follows.from(cause);
                (0..causes.len())
                    .filter(|n| all.contains(&causes[*n].0))
                    .collect()
            })
            .collect();
        Self { causes, reach }
    }

    /// The root causes that explain the `n`th cause.
    fn explained_by(&self, n: usize) -> Vec<CauseId> {
        (0..self.causes.len())
            .filter(|m| self.stands_over(*m, n) && self.is_root(*m))
            .map(|m| self.causes[m].0.clone())
            .collect()
    }

    fn is_root(&self, n: usize) -> bool {
        (0..self.causes.len()).all(|m| !self.stands_over(m, n))
    }

    /// Whether the `m`th cause explains the `n`th and not the other way round;
    /// in a circle the worse, then the earlier, stands over the other.
    fn stands_over(&self, m: usize, n: usize) -> bool {
        if m == n || !self.reach[m].contains(&n) {
            return false;
        }
        if !self.reach[n].contains(&m) {
            return true;
        }
        let (a, b) = (self.causes[m].1.verdict, self.causes[n].1.verdict);
        a > b || (a == b && m < n)
    }
}

/// Whether a finding says more of its cause than an earlier one: it is worse, or as bad and knows what to do. Who can
/// name a remedy has seen whom it concerns; a count of symptoms has not.
fn says_more(check: &CheckResult, earlier: &CheckResult) -> bool {
    match check.verdict.cmp(&earlier.verdict) {
        Ordering::Greater => true,
        Ordering::Equal => earlier.remedies.is_empty() && !check.remedies.is_empty(),
        Ordering::Less => false,
    }
}

/// What follows from what in one run.
struct Follows<'a> {
    relation: &'a Relation,
    /// The causes that were found, with what the rules that applied say follows from them.
    found: BTreeMap<&'a CauseId, BTreeSet<&'a CauseId>>,
    /// The causes that checks looked for and did not find.
    absent: BTreeSet<&'a CauseId>,
}

impl<'a> Follows<'a> {
    fn of(plan: &'a Plan, checks: &'a [CheckResult]) -> Self {
        let mut found: BTreeMap<&CauseId, BTreeSet<&CauseId>> = BTreeMap::new();
        for check in checks.iter().filter(|check| check.verdict.is_finding()) {
            if let Some(cause) = &check.cause {
                found.entry(cause).or_default().extend(&check.explains);
            }
        }
        let healthy: BTreeSet<CheckRef> = checks
            .iter()
            .filter(|check| check.verdict == Verdict::Ok)
            .map(CheckResult::reference)
            .collect();
        let absent = plan
            .steps
            .iter()
            .filter(|step| healthy.contains(&step.id()))
            .flat_map(|step| &step.check.rules)
            .filter_map(|rule| rule.cause.as_ref())
            .filter(|cause| !found.contains_key(cause))
            .collect();
        Self {
            relation: &plan.relation,
            found,
            absent,
        }
    }

    /// Every cause that follows from `cause`, at once or through causes in between.
    fn from(&self, cause: &'a CauseId) -> BTreeSet<&CauseId> {
        let mut seen = BTreeSet::new();
        let mut todo = vec![cause];
        while let Some(cause) = todo.pop() {
            if self.absent.contains(cause) {
                continue;
            }
            let mut next: Vec<&CauseId> = match self.found.get(cause) {
                Some(said) => said.iter().copied().collect(),
                None => self.relation.at_once(cause).collect(),
            };
            next.retain(|cause| seen.insert(*cause));
            todo.extend(next);
        }
        seen
    }
}
