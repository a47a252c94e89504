//! Completions and manual pages, made from the command line's own words.

use clap::CommandFactory;

use super::{
    Cli, EXIT_WRONG, Output,
    args::{Completions, Man},
};

/// `handbell completions SHELL`.
pub(super) fn completions(args: &Completions, output: &Output) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "handbell", &mut script);
    output.raw(&script);
    0
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
