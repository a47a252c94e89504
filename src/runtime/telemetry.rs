//! The log: to the standard error stream, every line cleaned of secrets.

use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::domain::redact::Redactor;

/// Starts the log. `verbose` counts the `-v`s: warnings, then what happens, then details of ours,
/// then everything. A second call changes nothing.
///
/// The layer counts gateway events that could not be understood.
pub fn start(verbose: u8, json: bool, redactor: Redactor) {
    let (ours, others) = match verbose {
        0 => (LevelFilter::WARN, LevelFilter::ERROR),
        1 => (LevelFilter::INFO, LevelFilter::WARN),
        2 => (LevelFilter::DEBUG, LevelFilter::INFO),
        _ => (LevelFilter::TRACE, LevelFilter::TRACE),
    };
    let filter = tracing_subscriber::filter::Targets::new()
        .with_default(others)
        .with_target("handbell", ours)
        // The library's spans and messages quote requests and events, and with them the tokens of
        // interactions; what matters of them is said in our own words.
        .with_target("serenity", others.min(LevelFilter::WARN))
        .with_target("serenity::gateway::ws", others.min(LevelFilter::ERROR));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Cleaned { redactor })
        .with_ansi(false);
    let started = if json {
        tracing_subscriber::registry()
            .with(crate::discord::lost_events())
            .with(lines.json().flatten_event(true).with_filter(filter))
            .with(crate::discord::lost_events())
            .try_init()
    } else {
        tracing_subscriber::registry()
            .with(crate::discord::lost_events())
            .with(lines.with_target(false).with_filter(filter))
            .with(crate::discord::lost_events())
            .try_init()
    };
    // The log was started before: its first setting stays.
    if started.is_ok() {
        log_panics();
    }
}

/// A panic goes to the log, where it is cleaned, and not to the stream as it is: its message may
/// carry whatever was at hand.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("without a word");
        tracing::error!(place, message, "a part of Handbell panicked");
    }));
}

/// Makes a writer for each event.
#[derive(Clone, Debug)]
struct Cleaned {
    redactor: Redactor,
}

impl<'a> MakeWriter<'a> for Cleaned {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            redactor: &self.redactor,
            bytes: Vec::new(),
        }
    }
}

/// One event: collected, so that a secret that arrives in pieces is seen whole, and cleaned at its end.
struct Line<'a> {
    redactor: &'a Redactor,
    bytes: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.bytes);
        // Nobody is left to tell when the log itself can't be written.
        let _ = io::stderr()
            .lock()
            .write_all(self.redactor.clean(&text).as_bytes());
    }
}
