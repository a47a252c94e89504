//! Completions and manual pages, made from the command line's own words.

use clap::{CommandFactory, builder::PossibleValuesParser};

use super::{
    Cli, EXIT_WRONG, Global, Output,
    args::{Completions, Man},
};
use crate::{config, domain::handbook::ALL_PAGES, runtime};

/// `handbell completions SHELL`.
pub(super) fn completions(args: &Completions, global: &Global, output: &Output) -> u8 {
    let mut script = Vec::new();
    let mut command = with_pages(Cli::command(), global);
    clap_complete::generate(args.shell, &mut command, "handbell", &mut script);
    output.raw(&script);
    0
}

/// The command line with the ids of the handbook's pages as values; without them when the
/// configuration can't be read, which is no reason to have no completion at all.
fn with_pages(command: clap::Command, global: &Global) -> clap::Command {
    let pages = config::load(global.config.as_deref())
        .ok()
        .map(|config| runtime::handbook(&config));
    let Some(pages) = pages else { return command };
    // Words of a command live as long as the process, which ends after printing.
    let ids: Vec<&'static str> = pages
        .pages
        .keys()
        .map(|id| &*id.to_string().leak())
        .chain([ALL_PAGES])
        .collect();
    command.mut_subcommand("diagnose", |diagnose| {
        diagnose.mut_arg("runbook", |runbook| {
            runbook.value_parser(PossibleValuesParser::new(ids))
        })
    })
}

/// `handbell man`.
pub(super) fn man(args: &Man, output: &Output) -> u8 {
    let Some(directory) = &args.out else {
        let mut page = Vec::new();
        return match clap_mangen::Man::new(Cli::command()).render(&mut page) {
            Ok(()) => {
                output.raw(&page);
                0
            }
            Err(error) => {
                output.error(&format!("the manual page could not be made: {error}"));
                EXIT_WRONG
            }
        };
    };
    let written = std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), directory));
    match written {
        Ok(()) => 0,
        Err(error) => {
            output.error(&format!(
                "the manual pages could not be written to {}: {error}",
                directory.display()
            ));
            EXIT_WRONG
        }
    }
}
