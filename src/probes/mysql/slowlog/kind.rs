//! Kinds of statements: those that differ in their values only.

use crate::probes::mysql::{people::shown, rows::Row};

/// Picoseconds of a millisecond, in which the performance schema counts.
const PICOS: f64 = 1e9;

/// What a source that adds statements up tells of each of them: a list of begins and ends in milliseconds since
/// whenever, in the text that [`Run::all_of`] reads. The server cuts it at its `group_concat_max_len`.
pub(super) fn runs_column(begin: &str, end: &str) -> String {
    format!("GROUP_CONCAT(CONCAT({begin}, '-', {end})) AS runs")
}

/// The part of a run that may lie within the one before it and still come after it. Sources tell whole seconds, or take
/// the moment at which a statement is logged for the one at which it began (MariaDB's table).
const OVERLAP: f64 = 0.25;

/// When a statement ran, in milliseconds since whenever its source counts from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) begin: f64,
    pub(super) end: f64,
}

impl Run {
    fn all_of(text: &str) -> Vec<Self> {
        let runs = text.split(',').filter_map(|run| {
            let (begin, end) = run.split_once('-')?;
            Some(Self {
                begin: begin.parse().ok()?,
                end: end.parse().ok()?,
            })
        });
        runs.collect()
    }
}

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
    /// When those counted ran, as far as the source tells; empty where it doesn't.
    pub(super) runs: Vec<Run>,
}

impl Kind {
    #[expect(clippy::cast_precision_loss, reason = "an average")]
    pub(super) fn average(&self, total: f64) -> f64 {
        total / self.count.max(1) as f64
    }

    /// Of a row with the columns `statement`, `count`, `total` and `worst` (picoseconds), `examined`,
    /// `sent`, `no_index`, `ago` and, where the source tells them, `runs`.
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
            runs: Run::all_of(row.str("runs")),
        }
    }

    /// How many of the runs came one after the other: the most of which no two ran at the same time, but for the
    /// [`OVERLAP`]. A machine that stands still makes many statements slow at once, and this is one time and not many.
    /// None where the source does not tell when they ran.
    pub(super) fn turns(&self) -> Option<usize> {
        let mut runs = self.runs.clone();
        // Whichever ends first leaves most room for others.
        runs.sort_by(|a, b| a.end.total_cmp(&b.end));
        let mut free_from = f64::NEG_INFINITY;
        let mut turns = 0;
        for run in &runs {
            if run.begin + (run.end - run.begin) * OVERLAP >= free_from {
                turns += 1;
                free_from = run.end;
            }
        }
        (turns > 0).then_some(turns)
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
                known.runs.extend(kind.runs);
                known.seconds_ago = known.seconds_ago.min(kind.seconds_ago);
            }
            None => all.push(kind),
        }
    }
    all
}

#[cfg(test)]
#[path = "kind_tests.rs"]
mod tests;
