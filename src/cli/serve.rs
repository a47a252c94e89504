//! `handbell serve`.

use super::{EXIT_WRONG, Output};
use crate::{config::Config, runtime};

/// Runs the bot until it is told to stop.
pub(super) fn run(config: &Config, output: &Output) -> u8 {
    let handbook = runtime::handbook(config);
    for page in &handbook.broken {
        output.problems(&page.problems);
    }
    let threads = match runtime::long_running() {
        Ok(threads) => threads,
        Err(error) => {
            output.error(&format!("the system gives no threads: {error}"));
            return EXIT_WRONG;
        }
    };
    let ended = threads.block_on(runtime::serve(config, handbook, output.redactor()));
    threads.shutdown_background();
    match ended {
        Ok(()) => 0,
        Err(error) => {
            output.error(&error.to_string());
            EXIT_WRONG
        }
    }
}
