//! The `handbell` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    handbell::cli::main()
}
