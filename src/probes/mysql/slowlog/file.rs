//! The slow query log's file: in the target's container, or on this machine where the server is.
//!
//! MySQL and MariaDB write alike
//! (<https://dev.mysql.com/doc/refman/8.4/en/slow-query-log.html>): comments that begin with `#`,
//! among them `# Query_time: 1.2  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 9`, then
//! `SET timestamp=<seconds since 1970>;` and the statement.

use std::path::Path;

use jiff::Timestamp;
use tokio::time::Instant;

use super::kind::{Kind, Run, merged};
use crate::{
    app::{Clock, SystemClock},
    config::MysqlServer,
    probes::{
        docker::Engines,
        log::{Source, Want, haul},
        mysql::{people::shown, rows::Named, session::is_local},
    },
};

/// How much of its end is read, in bytes, and in lines.
const READ: (usize, usize) = (1024 * 1024, 20_000);

/// The longest statement that is put together from its lines, in bytes.
const STATEMENT_BYTES: usize = 16 * 1024;

/// Statements of the log that are about it and no one's question.
const OWN: [&str; 2] = ["SET timestamp=", "use "];

/// The statements that the log's file has of the last `within` seconds; none when it can't be
/// read: it lies on another machine, or Handbell's user may not.
pub(super) async fn read(
    server: &MysqlServer,
    engines: &Engines,
    settings: &Named,
    within: u64,
    end: Instant,
) -> Option<Vec<Kind>> {
    let name = settings.text("slow_query_log_file")?;
    let path = if name.starts_with('/') {
        name.to_owned()
    } else {
        format!("{}/{name}", settings.text("datadir")?.trim_end_matches('/'))
    };
    let source = match &server.container {
        Some(container) => Source::Inside(engines.inside(container).ok()?, &path),
        None if is_local(&server.address) => Source::File(Path::new(&path)),
        None => return None,
    };
    let now = SystemClock.now();
    let want = Want {
        since: None,
        until: None,
        bytes: READ.0,
        lines: READ.1,
        now,
        patience: end.saturating_duration_since(Instant::now()),
        end,
    };
    let file = haul(source, want).await.ok()?;
    let lines = file.records.iter().map(|record| record.text.as_str());
    Some(kinds(lines, now, within))
}

/// The kinds of the statements in `lines` that ended within the `within` seconds before `now`.
fn kinds<'a>(lines: impl Iterator<Item = &'a str>, now: Timestamp, within: u64) -> Vec<Kind> {
    let mut all = Vec::new();
    let mut open: Option<Entry> = None;
    for line in lines {
        if let Some(comment) = line.strip_prefix('#') {
            let numbers = Entry::of(comment);
            // Everything after a statement belongs to the next one.
            if let Some(entry) = open.take_if(|entry| !entry.text.is_empty()) {
                all.push(entry);
            }
            if let Some(entry) = numbers {
                open = Some(entry);
            }
        } else if let Some(entry) = &mut open {
            entry.take(line);
        }
    }
    all.extend(open.filter(|entry| !entry.text.is_empty()));
    let least = now.as_second() - i64::try_from(within).unwrap_or(i64::MAX);
    let recent = all.into_iter().filter(|entry| entry.at >= least);
    merged(recent.map(|entry| entry.kind(now)))
}

/// A statement in the log.
#[derive(Default)]
struct Entry {
    /// Seconds since 1970.
    at: i64,
    took_ms: f64,
    sent: f64,
    examined: f64,
    text: String,
}

impl Entry {
    /// The comment with a statement's numbers.
    fn of(comment: &str) -> Option<Self> {
        let words: Vec<&str> = comment.split_whitespace().collect();
        let number = |name: &str| -> Option<f64> {
            let at = words.iter().position(|word| *word == name)?;
            words.get(at + 1)?.parse().ok()
        };
        Some(Self {
            took_ms: number("Query_time:")? * 1_000.0,
            sent: number("Rows_sent:").unwrap_or(0.0),
            examined: number("Rows_examined:").unwrap_or(0.0),
            ..Self::default()
        })
    }

    fn take(&mut self, line: &str) {
        if let Some(at) = line.strip_prefix("SET timestamp=") {
            self.at = at.trim_end_matches(';').parse().unwrap_or(0);
        } else if !OWN.iter().any(|own| line.starts_with(own))
            && self.text.len() + line.len() < STATEMENT_BYTES
        {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(line);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "seconds of a statement"
    )]
    fn kind(self, now: Timestamp) -> Kind {
        // The time in the log is that of the statement's start.
        let ended = self.at + (self.took_ms / 1_000.0) as i64;
        Kind {
            statement: shown(self.text.trim_end_matches(';')),
            count: 1,
            total_ms: self.took_ms,
            worst_ms: self.took_ms,
            rows_examined: self.examined,
            rows_sent: self.sent,
            without_index: false,
            seconds_ago: Some((now.as_second() - ended).max(0)),
            runs: vec![Run {
                begin: self.at as f64 * 1_000.0,
                // A whole second, as the begin is: else what begins when this ends would seem to begin before.
                end: ended as f64 * 1_000.0,
            }],
        }
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
