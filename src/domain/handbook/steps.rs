//! The table of steps that a handbook asks for, and what carries each.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Handbook;
use crate::domain::document::{Problem, Source};

/// What kind of step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// Something that is looked at when it is on fire.
    Diagnose,
    /// Something that is changed.
    Remedy,
    /// Something that is looked at beforehand.
    Prevent,
    /// Something that people do in the course of an incident, or around it.
    Flow,
}

impl StepKind {
    /// The word in the table.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Diagnose => "diagnose",
            Self::Remedy => "remedy",
            Self::Prevent => "prevent",
            Self::Flow => "flow",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Diagnose, Self::Remedy, Self::Prevent, Self::Flow]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// A step of the handbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The id: section, kind's letter and number, `2.3.d4`.
    pub id: String,
    /// The section, `2.3`.
    pub section: String,
    /// The kind.
    pub kind: StepKind,
    /// What it asks for.
    pub asks: String,
}

/// All steps, in the handbook's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    all: Vec<Step>,
}

/// The table of steps that Handbell carries: numbers and kinds as in the handbook, words our own.
const BUILT_IN: &str = include_str!("../../../commands/steps.tsv");

/// The first line of a table of steps.
const HEADER: &str = "id\tsection\tkind\tasks";

impl Steps {
    /// The table that is built in.
    #[must_use]
    pub fn built_in() -> Self {
        // A test reads it with errors; here a line that is no step would only be left out.
        let lines = BUILT_IN.lines().skip(1);
        Self {
            all: lines.filter_map(|line| step(line).ok()).collect(),
        }
    }

    /// Reads a table of steps: a header, then one step a line, fields separated by tabs.
    ///
    /// # Errors
    /// Every line that is no step, and every id that stands there twice.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let source = Source::new(file, text);
        let mut all: Vec<Step> = Vec::new();
        let mut problems = Vec::new();
        let mut start = 0;
        for (n, whole) in text.split_inclusive('\n').enumerate() {
            let line = whole.trim_end_matches(['\n', '\r']);
            let span = start..start + line.len();
            start += whole.len();
            if n == 0 {
                if line != HEADER {
                    let message = "the first line is the header: id, section, kind, asks";
                    problems.push(Problem::new(&source, span, message));
                }
                continue;
            }
            match step(line) {
                Ok(step) if all.iter().any(|known| known.id == step.id) => {
                    let message = format!("the step {} is there twice", step.id);
                    problems.push(Problem::new(&source, span, message));
                }
                Ok(step) => all.push(step),
                Err(message) => problems.push(Problem::new(&source, span, message)),
            }
        }
        if problems.is_empty() {
            Ok(Self { all })
        } else {
            Err(problems)
        }
    }

    /// Every step, in the handbook's order.
    pub fn iter(&self) -> impl Iterator<Item = &Step> {
        self.all.iter()
    }

    /// The step `id`.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Step> {
        self.all.iter().find(|step| step.id == id)
    }

    /// Whether the handbook has this section.
    #[must_use]
    pub fn has_section(&self, section: &str) -> bool {
        self.all.iter().any(|step| step.section == section)
    }
}

fn step(line: &str) -> Result<Step, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [id, section, kind, asks] = fields.as_slice() else {
        return Err("a step has four fields, separated by tabs".to_owned());
    };
    let kind = StepKind::of(kind)
        .ok_or_else(|| format!("{kind:?} is no kind of step: diagnose, remedy, prevent, flow"))?;
    let number = id
        .strip_prefix(section)
        .and_then(|rest| rest.strip_prefix('.'))
        .and_then(|rest| rest.strip_prefix(['d', 'r', 'p', 's']));
    if number.is_none_or(|number| number.parse::<u16>().is_err()) {
        return Err(format!(
            "{id:?} is no step of the section {section}: as in {section}.d1"
        ));
    }
    if asks.trim().is_empty() {
        return Err(format!("the step {id} asks for nothing"));
    }
    Ok(Step {
        id: (*id).to_owned(),
        section: (*section).to_owned(),
        kind,
        asks: (*asks).to_owned(),
    })
}

/// A step and what carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered<'a> {
    /// The step.
    pub step: &'a Step,
    /// Checks, remedies and preventions that say that they carry it: `page/id`, in the handbook's
    /// order.
    pub carried_by: Vec<String>,
}

/// Every step and what carries it, in the table's order.
#[must_use]
pub fn coverage<'a>(handbook: &Handbook, steps: &'a Steps) -> Vec<Covered<'a>> {
    let mut carriers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for page in handbook.pages.values() {
        let checks = page.checks.iter().chain(&page.prevent);
        let all = checks
            .map(|check| (check.id.as_str(), &check.covers))
            .chain(page.remedies.iter().map(|r| (r.id.as_str(), &r.covers)))
            .chain(
                page.looks
                    .iter()
                    .chain(&page.manual)
                    .map(|m| (m.id.as_str(), &m.covers)),
            );
        for (id, covers) in all {
            for step in covers {
                let carrier = format!("{}/{id}", page.id);
                carriers.entry(step).or_default().push(carrier);
            }
        }
    }
    steps
        .iter()
        .map(|step| Covered {
            step,
            carried_by: carriers.remove(step.id.as_str()).unwrap_or_default(),
        })
        .collect()
}
