//! What differs from the last healthy run. Pure.

use std::collections::BTreeSet;

use jiff::Zoned;

use super::{CheckResult, Compared, Facts, Plan, Report, Value, probe::Catalog};
use crate::domain::ids::{CheckRef, TargetId};

/// Most differences that a report tells. Our own choice: whoever must read more has a new system
/// before them, and says so by looking.
pub const MOST_CHANGES: usize = 20;

/// From which quotient on a level differs: twice, or half.
const LEVEL_FACTOR: f64 = 2.0;

/// A fact that differs from the last healthy run.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The check that saw it.
    pub check: CheckRef,
    /// Where.
    pub target: TargetId,
    /// The fact's name.
    pub fact: String,
    /// What it was.
    pub before: Value,
    /// What it is.
    pub now: Value,
}

/// What differs from the last healthy run.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// When that run began, in the team's zone.
    pub since: Zoned,
    /// When it was compared, in the same zone.
    pub at: Zoned,
    /// The number under which it is recorded.
    pub record: i64,
    /// The differences, the most telling first, at most [`MOST_CHANGES`].
    pub facts: Vec<Change>,
    /// How many there are in all.
    pub total: usize,
}

/// The facts of one check of an earlier run.
#[derive(Clone, Debug, PartialEq)]
pub struct Earlier {
    /// Which check.
    pub check: CheckRef,
    /// What it saw.
    pub facts: Facts,
}

/// The facts of `report`, a run of `plan`, that differ from those of `earlier`, and how many there are.
///
/// Facts that a root cause's rule weighs come first, then those of other findings; settings come
/// before levels, and the order of the report decides among equals.
#[must_use]
pub fn compare(
    report: &Report,
    plan: &Plan,
    catalog: &Catalog,
    earlier: &[Earlier],
) -> (Vec<Change>, usize) {
    let mut found: Vec<((u8, bool), Change)> = Vec::new();
    // Several checks and probes see the same fact.
    let mut seen: BTreeSet<(&TargetId, &str, String)> = BTreeSet::new();
    for check in &report.checks {
        let id = check.reference();
        let step = plan.steps.iter().find(|step| step.id() == id);
        let before = earlier.iter().find(|earlier| earlier.check == id);
        let (Some(step), Some(before)) = (step, before) else {
            continue;
        };
        let Some(spec) = catalog.get(&step.check.probe) else {
            continue;
        };
        for fact in spec.facts {
            let values = (before.facts.get(fact.name), check.facts.get(fact.name));
            let (Some(was), Some(is)) = values else {
                continue;
            };
            // What can't be seen now has not changed for that.
            if matches!(is, Value::None) {
                continue;
            }
            let told = format!("{was} {is}");
            if !fact.compared.differs(was, is) || !seen.insert((&check.target, fact.name, told)) {
                continue;
            }
            let weight = weight(report, step, check, fact.name);
            let level = matches!(fact.compared, Compared::Level(_));
            found.push((
                (weight, level),
                Change {
                    check: id.clone(),
                    target: check.target.clone(),
                    fact: fact.name.to_owned(),
                    before: was.clone(),
                    now: is.clone(),
                },
            ));
        }
    }
    // A stable sort: among equals the report's order stays.
    found.sort_by_key(|(weight, _)| *weight);
    let total = found.len();
    let changes = found.into_iter().map(|(_, change)| change);
    (changes.take(MOST_CHANGES).collect(), total)
}

/// How telling a difference is: 0 for a fact that a root cause's rule weighs, more for others.
fn weight(report: &Report, step: &super::Step, check: &CheckResult, fact: &str) -> u8 {
    let is_root = report
        .root_causes
        .iter()
        .any(|root| Some(&root.cause) == check.cause.as_ref());
    let weighed = step
        .check
        .rules
        .iter()
        .filter(|rule| rule.cause.is_some() && rule.cause == check.cause)
        .any(|rule| rule.when.source().contains(fact));
    match (is_root, check.verdict.is_finding(), weighed) {
        (true, _, true) => 0,
        (_, true, true) => 1,
        (_, true, false) => 2,
        _ => 3,
    }
}

impl Compared {
    /// Whether `now` is worth telling beside `before`.
    fn differs(self, before: &Value, now: &Value) -> bool {
        match self {
            Self::Never => false,
            Self::Setting => match (number(before), number(now)) {
                // 2 and 2.0 are the same in JSON.
                (Some(before), Some(now)) => (before - now).abs() > f64::EPSILON,
                _ => before != now,
            },
            Self::Level(noise) => match (number(before), number(now)) {
                (Some(before), Some(now)) => {
                    let (small, large) = (before.abs().min(now.abs()), before.abs().max(now.abs()));
                    (before - now).abs() > noise && large >= small * LEVEL_FACTOR
                }
                _ => false,
            },
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a difference of one in nine quadrillion is noise"
)]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_differs_at_once_and_a_level_beyond_its_noise() {
        let int = Value::Int;
        assert!(Compared::Setting.differs(&int(2), &int(1)));
        assert!(!Compared::Setting.differs(&int(2), &Value::Float(2.0)));
        assert!(Compared::Setting.differs(&Value::None, &Value::from("x")));
        assert!(!Compared::Never.differs(&int(2), &int(200)));
        let level = Compared::Level(20.0);
        assert!(level.differs(&int(10), &int(200)));
        assert!(level.differs(&int(200), &int(10)));
        assert!(!level.differs(&int(1), &int(20)), "within the noise");
        assert!(!level.differs(&int(1000), &int(1500)), "not twice as much");
        assert!(!level.differs(&Value::None, &int(1500)));
    }
}
