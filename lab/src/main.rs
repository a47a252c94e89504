//! `handbell-lab`: see the library's documentation.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    handbell_lab::run::main(handbell_lab::cli::Cli::parse())
}
