//! `handbell handbook …`: the handbook as data, for its authors and its readers.
//!
//! - `lint`: every mistake of every page
//! - `list`, `show`, `search`: what there is, as text
//! - `coverage`: each step of the handbook and what carries it

mod coverage;
mod lint;
mod list;
mod search;
mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::{EXIT_WRONG, Global, Output, args::Language};
use crate::{
    config::Config,
    domain::handbook::{self, Handbook, StepKind},
    runtime,
};

/// `handbell handbook`.
#[derive(Debug, Args)]
pub struct HandbookArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: HandbookCommand,
}

/// What can be done with the handbook.
#[derive(Debug, Subcommand)]
pub enum HandbookCommand {
    /// Find every mistake in pages: form, names, types, texts, Discord's limits
    #[command(after_help = LINT_HELP)]
    Lint(Lint),
    /// List the pages
    List(List),
    /// Show a page as a person reads it
    Show(Show),
    /// Find pages, checks and remedies by words, English or Chinese
    Search(Search),
    /// Show each step of the handbook and what carries it
    #[command(after_help = COVERAGE_HELP)]
    Coverage(Coverage),
    /// Print the JSON Schema of a page, for editors
    Schema,
}

const LINT_HELP: &str = "\
Examples:
  handbell handbook lint                         the pages in use
  handbell handbook lint commands/               every page of a directory
  handbell handbook lint redis.toml --deny-warnings

Exit codes: 0 clean, 2 with an error (or, with --deny-warnings, a warning).";

const COVERAGE_HELP: &str = "\
Examples:
  handbell handbook coverage --section 2.3
  handbell handbook coverage --json | jq -r '.[] | select(.carried_by == []).step'";

/// `handbell handbook lint`.
#[derive(Debug, Args)]
pub struct Lint {
    /// Pages, or directories of them; without any, the pages in use
    #[arg(value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Fail on warnings, too
    #[arg(long)]
    pub deny_warnings: bool,
}

/// `handbell handbook list`.
#[derive(Debug, Args)]
pub struct List {
    /// The language
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `handbell handbook show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The page's id
    #[arg(value_name = "RUNBOOK")]
    pub runbook: String,
    /// The language
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
}

/// `handbell handbook search`.
#[derive(Debug, Args)]
pub struct Search {
    /// What to look for
    #[arg(value_name = "WORD", required = true)]
    pub words: Vec<String>,
    /// The language
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `handbell handbook coverage`.
#[derive(Debug, Args)]
pub struct Coverage {
    /// Print JSON, a list of steps with their carriers
    #[arg(long)]
    pub json: bool,
    /// Only steps of this kind
    #[arg(long, value_enum)]
    pub kind: Option<Kind>,
    /// Only steps of this section, and of those in it
    #[arg(long, value_name = "NUMBER")]
    pub section: Option<String>,
    /// Fail (exit code 1) when something is not carried
    #[arg(long)]
    pub deny_uncovered: bool,
}

/// A kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Looked at when it is on fire
    Diagnose,
    /// Looked at beforehand
    Prevent,
    /// Changed
    Remedy,
    /// Done by people, in an incident or around it
    Flow,
}

impl From<Kind> for StepKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Diagnose => Self::Diagnose,
            Kind::Prevent => Self::Prevent,
            Kind::Remedy => Self::Remedy,
            Kind::Flow => Self::Flow,
        }
    }
}

/// Does what `command` says.
pub(crate) fn run(command: &HandbookCommand, global: &Global, output: &mut Output) -> u8 {
    if matches!(command, HandbookCommand::Schema) {
        output.say(&format!("{:#}", handbook::schema()));
        return 0;
    }
    let config = match super::load(global, output) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match command {
        HandbookCommand::Lint(args) => lint::run(args, &config, output),
        HandbookCommand::List(args) => with(&config, output, |book| {
            list::run(args, book, &config, output)
        }),
        HandbookCommand::Show(args) => with(&config, output, |book| {
            show::run(args, book, &config, output)
        }),
        HandbookCommand::Search(args) => with(&config, output, |book| {
            search::run(args, book, &config, output)
        }),
        HandbookCommand::Coverage(args) => match runtime::whole_handbook(&config) {
            Ok(handbook) => coverage::run(args, &handbook, output),
            Err(problems) => {
                output.problems(&problems);
                EXIT_WRONG
            }
        },
        HandbookCommand::Schema => 0,
    }
}

/// Shows the pages that can be used; mistakes of the others are told beside them.
fn with(config: &Config, output: &Output, show: impl FnOnce(&Handbook) -> u8) -> u8 {
    let handbook = runtime::handbook(config);
    for page in &handbook.broken {
        output.problems(&page.problems);
    }
    show(&handbook)
}

/// Columns that line up although Chinese characters are two wide.
fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(unicode_width::UnicodeWidthStr::width(text));
    format!("{text}{}", " ".repeat(missing))
}
