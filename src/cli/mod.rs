//! The command line.
//!
//! - `args`: its words; help, completions and manual pages come from there
//! - `output`: its two streams
//! - one module for each command

mod args;
mod diagnose;
mod doctor;
mod generate;
mod handbook;
mod history;
mod init;
mod output;
mod probes;
mod progress;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use args::PatrolCommand;
pub use args::{Cli, Command, Global, LogFormat};
pub use output::Output;

use crate::{
    config::{self, Config},
    runtime::{self, telemetry},
};

/// Exit code for wrong use, wrong configuration, and whatever else kept a command from its work.
pub const EXIT_WRONG: u8 = 2;

/// Reads the arguments and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut output = Output::new(cli.global.color);
    ExitCode::from(dispatch(cli, &mut output))
}

fn dispatch(cli: Cli, output: &mut Output) -> u8 {
    let Cli { global, command } = cli;
    match command {
        Command::Completions(args) => generate::completions(&args, &global, output),
        Command::Man(args) => generate::man(&args, output),
        Command::Diagnose(args) => match load(&global, output) {
            Ok(config) => diagnose::run(&args, &config, output),
            Err(code) => code,
        },
        Command::Patrol(args) => match load(&global, output) {
            Ok(config) => {
                let PatrolCommand::Run(args) = args.command;
                diagnose::patrol(&args, &config, output)
            }
            Err(code) => code,
        },
        Command::History(args) => match load(&global, output) {
            Ok(config) => history::run(&args, &config, output),
            Err(code) => code,
        },
        Command::Handbook(args) => handbook::run(&args.command, &global, output),
        Command::Probes(args) => probes::run(&args, output),
        Command::Init(args) => init::run(&args, global.config.as_deref(), output),
        Command::Serve => {
            // Without -v the bot's log says what happens; a one-shot command is silent then.
            let global = Global {
                verbose: global.verbose + 1,
                ..global
            };
            match load(&global, output) {
                Ok(config) => serve::run(&config, output),
                Err(code) => code,
            }
        }
        Command::Doctor(args) => match config::load(global.config.as_deref()) {
            Ok(config) => {
                begin(&global, &config, output);
                doctor::run(&args, &config, output)
            }
            Err(errors) => doctor::unreadable(&args, &errors, output),
        },
    }
}

/// The configuration, with the log started; every error of it has been said when there is none.
pub(crate) fn load(global: &Global, output: &mut Output) -> Result<Config, u8> {
    match config::load(global.config.as_deref()) {
        Ok(config) => {
            begin(global, &config, output);
            Ok(config)
        }
        Err(errors) => {
            output.note(&errors.render(output.error_colour));
            Err(EXIT_WRONG)
        }
    }
}

/// Starts the log, and makes the streams know the secrets that must not appear in them.
fn begin(global: &Global, config: &Config, output: &mut Output) {
    let redactor = runtime::redactor(config);
    output.redact_with(redactor.clone());
    telemetry::start(
        global.verbose,
        global.log_format == LogFormat::Json,
        redactor,
    );
}
