//! The words of the command line. Help, completions and man pages all come from here.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

use super::{handbook::HandbookArgs, probes::Probes};
use crate::domain::text::Lang;

const EXAMPLES: &str = "\
Examples:
  handbell init ~/.config/handbell     write a commented configuration to fill in
  handbell doctor                      see what is wrong with it, and how to mend it
  handbell diagnose redis              run every check of the handbook's Redis page
  handbell diagnose redis --json       the same, for a script
  handbell diagnose all                every page at once, one ranked answer
  handbell patrol run                  what to look at beforehand
  handbell history redis --limit 5     what was diagnosed lately
  handbell serve                       run the bot

Exit codes of `diagnose`:
  0  healthy
  1  something was found
  2  wrong use or wrong configuration; nothing was done
  3  nothing was found, but something could not be looked at, or nothing was";

/// An incident handbook as a Discord bot, and as a command line with the same rules.
#[derive(Debug, Parser)]
#[command(name = "handbell", version, about, after_help = EXAMPLES)]
#[command(propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Directory of the configuration. Without it: `$HANDBELL_CONFIG`, else ~/.config/handbell, else
    /// /etc/handbell, else the defaults that are built in
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub config: Option<PathBuf>,
    /// Say more on the standard error stream; twice for debugging, three times for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// How the log is written
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Colours and a live progress: on a terminal only, always or never; `$NO_COLOR` is honoured
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Colour::Auto)]
    pub color: Colour,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// When output has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The language of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// 简体中文
    Zh,
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::Zh => Self::Zh,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run every check of a page of the handbook and name the root cause
    #[command(after_help = DIAGNOSE_EXAMPLES)]
    Diagnose(Diagnose),
    /// Run the prevention checks
    Patrol(PatrolArgs),
    /// Run the Discord bot until it is told to stop
    #[command(after_help = SERVE_HELP)]
    Serve,
    /// Show what was diagnosed: who, where, when, with which result
    #[command(after_help = HISTORY_EXAMPLES)]
    History(History),
    /// Look at the handbook itself: its pages, their mistakes, what they carry
    Handbook(HandbookArgs),
    /// List the probes with their arguments and facts
    Probes(Probes),
    /// Write a commented configuration to fill in, and print the bot's invitation link
    Init(Init),
    /// Walk the configuration, Discord, every target and the store; say what is wrong and how to mend it
    Doctor(Doctor),
    /// Print the shell's completion script
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print the manual page, or write one for each command
    Man(Man),
}

const DIAGNOSE_EXAMPLES: &str = "\
Examples:
  handbell diagnose redis
  handbell diagnose redis --lang zh
  handbell diagnose all
  handbell diagnose redis --json | jq -r '.root_causes[].cause'

Exit codes: 0 healthy, 1 something found, 3 nothing found but something could not be
looked at, or nothing was, 2 wrong use or configuration.";

/// `handbell diagnose`.
#[derive(Debug, Args)]
pub struct Diagnose {
    /// The page's id, as `handbell handbook list` shows it; all for every page at once
    #[arg(value_name = "RUNBOOK")]
    pub runbook: String,
    /// A parameter of the page; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub params: Vec<(String, String)>,
    /// The language of the report; otherwise that of the locale, else that of the configuration
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
    /// Print the report as JSON, whose keys are stable
    #[arg(long)]
    pub json: bool,
}

/// `handbell patrol`.
#[derive(Debug, Args)]
pub struct PatrolArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PatrolCommand,
}

/// What the patrol can do.
#[derive(Debug, Subcommand)]
pub enum PatrolCommand {
    /// Run the prevention checks of all pages now
    #[command(after_help = PATROL_EXAMPLES)]
    Run(PatrolRun),
}

const PATROL_EXAMPLES: &str = "\
Examples:
  handbell patrol run
  handbell patrol run --page redis --json

Exit codes as of `diagnose`: 0 healthy, 1 something found, 3 nothing found but something
could not be looked at, 2 wrong use or configuration.";

/// `handbell patrol run`.
#[derive(Debug, Args)]
pub struct PatrolRun {
    /// Only of this page
    #[arg(long, value_name = "RUNBOOK")]
    pub page: Option<String>,
    /// The language of the report; otherwise that of the locale, else that of the configuration
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
    /// Print the report as JSON, with the same keys as `diagnose`
    #[arg(long)]
    pub json: bool,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a parameter is NAME=VALUE, as in slow_ms=200".to_owned()),
    }
}

const SERVE_HELP: &str = "\
Stops in order on SIGTERM and SIGINT: takes no new commands, lets running diagnoses end
within their deadline, then leaves Discord.";

const HISTORY_EXAMPLES: &str = "\
Examples:
  handbell history                     the newest twenty
  handbell history redis --limit 5     the newest five of the Redis page
  handbell history 42                  number 42 with all its findings
  handbell history 42 --json           the whole report as it was recorded";

/// `handbell history`.
#[derive(Debug, Args)]
pub struct History {
    /// Of this page only, or the one diagnosis with this number
    #[arg(value_name = "RUNBOOK|NUMBER")]
    pub which: Option<String>,
    /// How many, the newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Print JSON: a list, or one object for a NUMBER
    #[arg(long)]
    pub json: bool,
}

/// `handbell init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Where to write; ~/.config/handbell unless told
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// The id of your Discord application, to print its invitation link
    #[arg(long, value_name = "ID")]
    pub application: Option<u64>,
}

/// `handbell doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
    /// Leave Discord out: for a machine that only uses the command line
    #[arg(long)]
    pub no_discord: bool,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  handbell completions bash > ~/.local/share/bash-completion/completions/handbell
  handbell completions zsh > ~/.zfunc/_handbell
  handbell completions fish > ~/.config/fish/completions/handbell.fish";

/// `handbell completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `handbell man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write one page for each command into this directory, instead of printing the main page
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}
