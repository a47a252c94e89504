//! `handbell handbook coverage`.

use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::{Coverage, pad};
use crate::{
    cli::Output,
    domain::handbook::{Covered, Handbook, StepKind, Steps, coverage},
};

pub(super) fn run(args: &Coverage, handbook: &Handbook, output: &Output) -> u8 {
    let steps = Steps::built_in();
    let rows: Vec<Covered> = coverage(handbook, &steps)
        .into_iter()
        .filter(|row| args.kind.is_none_or(|kind| row.step.kind == kind.into()))
        .filter(|row| {
            let within = |wanted: &String| within(&row.step.section, wanted);
            args.section.as_ref().is_none_or(within)
        })
        .collect();
    if rows.is_empty() {
        let sections: Vec<&str> = sections(&steps);
        output.error(&format!(
            "the handbook has no such steps; its sections are {}",
            sections.join(", ")
        ));
        return crate::cli::EXIT_WRONG;
    }
    if args.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| json!({ "step": row.step.id, "carried_by": row.carried_by }))
            .collect();
        output.json(&rows.into());
    } else {
        table(&rows, output);
        output.say(&summary(&rows));
    }
    let uncovered = rows.iter().any(|row| row.carried_by.is_empty());
    u8::from(args.deny_uncovered && uncovered)
}

/// Whether `section` is `wanted` or lies in it: 2.3 lies in 2, and 2.10 not in 2.1.
fn within(section: &str, wanted: &str) -> bool {
    section
        .strip_prefix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn sections(steps: &Steps) -> Vec<&str> {
    let mut sections: Vec<&str> = steps.iter().map(|step| step.section.as_str()).collect();
    sections.dedup();
    sections
}

fn table(rows: &[Covered], output: &Output) {
    let width = rows.iter().map(|row| row.step.asks.width()).max();
    let mut section = "";
    for row in rows {
        if row.step.section != section {
            section = &row.step.section;
            output.say(&format!("Section {section}"));
        }
        let (mark, carried) = if row.carried_by.is_empty() {
            ("✗", "nothing".to_owned())
        } else {
            ("✓", row.carried_by.join(", "))
        };
        let mark = match (output.colour, row.carried_by.is_empty()) {
            (false, _) => mark.to_owned(),
            (true, true) => format!("\u{1b}[31m{mark}\u{1b}[0m"),
            (true, false) => format!("\u{1b}[32m{mark}\u{1b}[0m"),
        };
        output.say(&format!(
            "  {mark} {:<8} {}  {carried}",
            row.step.id,
            pad(&row.step.asks, width.unwrap_or_default()),
        ));
    }
}

fn summary(rows: &[Covered]) -> String {
    let count = |kind: Option<StepKind>| {
        let of_kind = rows
            .iter()
            .filter(|row| kind.is_none_or(|kind| row.step.kind == kind));
        let all = of_kind.clone().count();
        let carried = of_kind.filter(|row| !row.carried_by.is_empty()).count();
        (carried, all)
    };
    let kinds = [
        StepKind::Diagnose,
        StepKind::Prevent,
        StepKind::Remedy,
        StepKind::Flow,
    ];
    let parts: Vec<String> = kinds
        .into_iter()
        .filter_map(|kind| {
            let (carried, all) = count(Some(kind));
            (all > 0).then(|| format!("{} {carried}/{all}", kind.word()))
        })
        .collect();
    let (carried, all) = count(None);
    format!("{carried} of {all} steps are carried: {}", parts.join(", "))
}
