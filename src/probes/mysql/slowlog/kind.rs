//! Kinds of statements: those that differ in their values only.

use crate::probes::mysql::{people::shown, rows::Row};

/// Picoseconds of a millisecond, in which the performance schema counts.
const PICOS: f64 = 1e9;

/// One kind of statement.
#[derive(Clone, Debug, Default)]
pub(super) struct Kind {
    pub(super) statement: String,
    pub(super) count: i64,
    pub(super) total_ms: f64,
    pub(super) worst_ms: f64,
    pub(super) rows_examined: f64,
    pub(super) rows_sent: f64,
    pub(super) without_index: bool,
    pub(super) seconds_ago: Option<i64>,
}

impl Kind {
    #[expect(clippy::cast_precision_loss, reason = "an average")]
    pub(super) fn average(&self, total: f64) -> f64 {
        total / self.count.max(1) as f64
    }

    /// Of a row with the columns `statement`, `count`, `total` and `worst` (picoseconds), `examined`,
    /// `sent`, `no_index` and `ago`.
    pub(super) fn of(row: &Row) -> Self {
        Self {
            statement: shown(row.str("statement")),
            count: row.int("count").unwrap_or(1),
            total_ms: row.float("total").unwrap_or(0.0) / PICOS,
            worst_ms: row.float("worst").unwrap_or(0.0) / PICOS,
            rows_examined: row.float("examined").unwrap_or(0.0),
            rows_sent: row.float("sent").unwrap_or(0.0),
            without_index: row.int("no_index").unwrap_or(0) > 0,
            seconds_ago: row.int("ago"),
        }
    }

    pub(super) fn shown(&self) -> String {
        format!(
            "{:.0} ms on average, {:.0} at worst, {} times, reads {:.0} rows for {:.0}{}: {}",
            self.average(self.total_ms),
            self.worst_ms,
            self.count,
            self.average(self.rows_examined),
            self.average(self.rows_sent),
            if self.without_index { ", no index" } else { "" },
            self.statement
        )
    }
}

/// Kinds of the same statement as one.
pub(super) fn merged(kinds: impl Iterator<Item = Kind>) -> Vec<Kind> {
    let mut all: Vec<Kind> = Vec::new();
    for kind in kinds {
        match all
            .iter_mut()
            .find(|known| known.statement == kind.statement)
        {
            Some(known) => {
                known.count += kind.count;
                known.total_ms += kind.total_ms;
                known.worst_ms = known.worst_ms.max(kind.worst_ms);
                known.rows_examined += kind.rows_examined;
                known.rows_sent += kind.rows_sent;
                known.without_index |= kind.without_index;
                known.seconds_ago = known.seconds_ago.min(kind.seconds_ago);
            }
            None => all.push(kind),
        }
    }
    all
}
