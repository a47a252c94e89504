//! `handbell probes`: what there is to look with. The same table makes `docs/probes.md`.

use std::fmt::Write;

use clap::Args;
use unicode_width::UnicodeWidthStr;

use super::Output;
use crate::{
    domain::diagnosis::{ArgSpec, ArgType, Catalog, FactSpec, ProbeSpec, TargetKind, Unit},
    domain::{document::did_you_mean, duration},
    runtime,
};

/// `handbell probes`.
#[derive(Debug, Args)]
pub struct Probes {
    /// Only this probe
    #[arg(value_name = "PROBE")]
    pub name: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Print the page of the documentation
    #[arg(long, conflicts_with = "name")]
    pub markdown: bool,
}

pub(super) fn run(args: &Probes, output: &Output) -> u8 {
    let catalog = runtime::catalog();
    if args.markdown {
        output.raw(markdown(catalog).as_bytes());
        return 0;
    }
    let probes: Vec<&ProbeSpec> = match &args.name {
        None => catalog.iter().collect(),
        Some(name) => {
            let Some(probe) = catalog.get(name) else {
                let names = catalog.iter().map(|probe| probe.name);
                let hint = did_you_mean(name, names).unwrap_or_default();
                output.error(&format!("there is no probe {name}; {hint}"));
                return super::EXIT_WRONG;
            };
            vec![probe]
        }
    };
    if args.json {
        output.json(&serde_json::json!(probes));
        return 0;
    }
    for probe in probes {
        output.say(&text(probe, output.colour));
    }
    0
}

fn targets(kinds: &[TargetKind]) -> String {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    words.join(", ")
}

fn arg_kind(arg: &ArgSpec) -> &'static str {
    match arg.kind {
        ArgType::Int => "integer",
        ArgType::Text => "text",
        ArgType::Duration => "length of time",
        ArgType::Patterns => "names and regular expressions",
        ArgType::Query => "one SELECT",
        ArgType::Values => "placeholders and values",
        ArgType::Columns => "columns and what they are",
    }
}

fn range(arg: &ArgSpec) -> String {
    let write = |number: i64| match (arg.kind, u64::try_from(number)) {
        (ArgType::Duration, Ok(ms)) => duration::write(std::time::Duration::from_millis(ms)),
        _ => number.to_string(),
    };
    arg.range.map_or(String::new(), |(least, most)| {
        format!("{} to {}", write(least), write(most))
    })
}

fn default(arg: &ArgSpec) -> &'static str {
    match (arg.default, arg.kind) {
        (Some(default), _) => default,
        (None, ArgType::Patterns | ArgType::Values) => "none",
        (None, _) => "must be given",
    }
}

fn fact_kind(fact: &FactSpec) -> String {
    let optional = if fact.optional { ", may be none" } else { "" };
    format!("{}{optional}", fact.kind.word())
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        unit => unit.sign(),
    }
}

fn meaning(fact: &FactSpec) -> String {
    if fact.values.is_empty() {
        return fact.meaning.to_owned();
    }
    format!("{}: {}", fact.meaning, fact.values.join(", "))
}

/// All facts, those that arguments make under the name of what stands for them.
fn facts(probe: &ProbeSpec) -> Vec<(String, &FactSpec)> {
    let own = probe.facts.iter().map(|fact| (fact.name.to_owned(), fact));
    let made = probe.per_key.iter().flat_map(|per_key| per_key.facts);
    let groups = probe.per_key.iter().flat_map(|per_key| per_key.groups);
    own.chain(made.map(|fact| (format!("<name>{}", fact.name), fact)))
        .chain(groups.map(|fact| (format!("<name>_<group>{}", fact.name), fact)))
        .collect()
}

fn text(probe: &ProbeSpec, colour: bool) -> String {
    let bold = |text: &str| {
        if colour {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    };
    let mut text = format!("{}: {}\n", bold(probe.name), probe.summary);
    let _ = writeln!(text, "  looks at: {}", targets(probe.targets));
    if !probe.args.is_empty() {
        text.push_str("  arguments:\n");
    }
    for arg in probe.args {
        let range = range(arg);
        let range = if range.is_empty() {
            range
        } else {
            format!(", {range}")
        };
        let _ = writeln!(
            text,
            "    {}: {} ({}{range}; default: {})",
            arg.name,
            arg.meaning,
            arg_kind(arg),
            default(arg)
        );
    }
    text.push_str("  facts:\n");
    let facts = facts(probe);
    let width = facts
        .iter()
        .map(|(name, _)| name.width())
        .max()
        .unwrap_or_default();
    for (name, fact) in facts {
        let _ = writeln!(
            text,
            "    {name:<width$}  {:<24} {:<6} {}",
            fact_kind(fact),
            unit(fact.unit),
            meaning(fact)
        );
    }
    text
}

const INTRODUCTION: &str = "\
# Probes and their facts

<!-- This page is written by `handbell probes --markdown`; a test fails when it is out of date. -->

A probe is read-only code that looks at a target and tells facts. A check of the handbook names a
probe, gives it arguments, and judges its facts in rules (see [the format](handbook-format.md)).
Every look tells every fact; one that *may be none* must be asked for first: `x is not none and …`.
`handbell probes` prints the same on a terminal, `handbell probes --json` for scripts.
";

/// The page of the documentation.
fn markdown(catalog: &Catalog) -> String {
    let mut page = INTRODUCTION.to_owned();
    for probe in catalog.iter() {
        let _ = writeln!(
            page,
            "\n## `{}`\n\n{}.\n",
            probe.name,
            sentence(probe.summary)
        );
        let _ = writeln!(
            page,
            "Looks at targets of the kinds: {}.",
            targets(probe.targets)
        );
        if !probe.args.is_empty() {
            page.push_str("\n| argument | type | default | range | meaning |\n");
            page.push_str("| --- | --- | --- | --- | --- |\n");
        }
        for arg in probe.args {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | {} |",
                arg.name,
                arg_kind(arg),
                default(arg),
                range(arg),
                cell(arg.meaning)
            );
        }
        page.push_str("\n| fact | type | unit | meaning |\n| --- | --- | --- | --- |\n");
        for (name, fact) in facts(probe) {
            let _ = writeln!(
                page,
                "| `{name}` | {} | {} | {} |",
                fact_kind(fact),
                unit(fact.unit),
                cell(&meaning(fact))
            );
        }
        if let Some(per_key) = probe.per_key {
            let _ = writeln!(
                page,
                "\n`<name>` stands for each name in the argument `{}`{}.",
                per_key.arg,
                if per_key.groups.is_empty() {
                    ""
                } else {
                    ", and `<group>` for each named group of its regular expression"
                }
            );
        }
    }
    page
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
