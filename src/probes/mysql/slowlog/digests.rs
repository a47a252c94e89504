//! Statements in the performance schema's books: digests and histories.
//!
//! A digest adds up since the books were opened, so one that has become slow stays fast on
//! average. What is told of it is what it did of late: between two readings, or MySQL's own sample
//! of it; only where neither is to be had, and for one that is new altogether, all that it did.

use std::collections::HashMap;

use super::kind::{Kind, runs_column};
use crate::probes::mysql::{failure::Failure, pool::Held, rows::Row};

/// How many digests are read.
const DIGESTS: usize = 200;

/// From how many statements on between two readings their average says more than MySQL's sample.
const ENOUGH: i64 = 3;

/// What the shop's programs ask, and not what servers and tools ask about the server.
const ASKED: &str = "DIGEST_TEXT REGEXP '^(SELECT|UPDATE|DELETE|INSERT|REPLACE|WITH|\\\\()' \
     AND DIGEST_TEXT NOT LIKE '%information_schema%' \
     AND DIGEST_TEXT NOT LIKE '%performance_schema%' \
     AND DIGEST_TEXT NOT LIKE '%SLEEP%'";

/// One reading of a digest.
#[derive(Clone, Debug)]
pub(super) struct Digest {
    key: String,
    /// All that it did since the books were opened.
    all: Kind,
    /// It was first seen within the window.
    is_new: bool,
    /// MySQL's sample of it within the window: how long it took, in milliseconds.
    sample_ms: Option<f64>,
}

/// The digests that were seen within `within` seconds; none when there are no such books.
///
/// # Errors
/// No answer.
pub(super) async fn read(held: &mut Held<'_>, within: u64) -> Result<Option<Vec<Digest>>, Failure> {
    // MySQL since 8.0 keeps the slowest statement of the last minute or so of each.
    let sample = if held.version.is_mysql(8, 0) {
        format!(
            "IF(QUERY_SAMPLE_SEEN >= NOW() - INTERVAL {within} SECOND, \
             QUERY_SAMPLE_TIMER_WAIT, NULL)"
        )
    } else {
        "NULL".to_owned()
    };
    let sql = format!(
        "SELECT CONCAT_WS('.', SCHEMA_NAME, DIGEST) AS name, DIGEST_TEXT AS statement, \
         COUNT_STAR AS count, SUM_TIMER_WAIT AS total, MAX_TIMER_WAIT AS worst, \
         SUM_ROWS_EXAMINED AS examined, SUM_ROWS_SENT AS sent, \
         SUM_NO_INDEX_USED + SUM_NO_GOOD_INDEX_USED AS no_index, \
         TIMESTAMPDIFF(SECOND, LAST_SEEN, NOW()) AS ago, \
         FIRST_SEEN >= NOW() - INTERVAL {within} SECOND AS is_new, {sample} AS sample \
         FROM performance_schema.events_statements_summary_by_digest \
         WHERE LAST_SEEN >= NOW() - INTERVAL {within} SECOND \
         AND (SCHEMA_NAME IS NULL OR SCHEMA_NAME NOT IN ('mysql', 'performance_schema', \
         'information_schema', 'sys')) AND {ASKED} \
         ORDER BY SUM_TIMER_WAIT DESC LIMIT {DIGESTS}"
    );
    let Ok(rows) = held.try_ask(&sql).await? else {
        return Ok(None);
    };
    if rows.is_empty() && !books_are_kept(held).await? {
        return Ok(None);
    }
    Ok(Some(rows.iter().map(Digest::of).collect()))
}

async fn books_are_kept(held: &mut Held<'_>) -> Result<bool, Failure> {
    let row = held.row("SELECT @@performance_schema AS state").await?;
    Ok(row.yes("state") == Some(true))
}

impl Digest {
    fn of(row: &Row) -> Self {
        const PICOS: f64 = 1e9;
        Self {
            key: row.str("name").to_owned(),
            all: Kind::of(row),
            is_new: row.yes("is_new") == Some(true),
            sample_ms: row.float("sample").map(|picos| picos / PICOS),
        }
    }
}

/// All that the digests tell, for what does not change from hour to hour: whether a statement uses
/// an index, and how many rows it reads.
pub(super) fn of_all_time(digests: &[Digest]) -> Vec<Kind> {
    digests.iter().map(|digest| digest.all.clone()).collect()
}

/// What the digests of the second reading did of late.
pub(super) fn of_late(before: &[Digest], after: &[Digest]) -> Vec<Kind> {
    let old: HashMap<&str, &Kind> = before
        .iter()
        .map(|digest| (digest.key.as_str(), &digest.all))
        .collect();
    after
        .iter()
        .map(|digest| {
            let grown = old
                .get(digest.key.as_str())
                .map(|old| grown(old, &digest.all));
            match (grown, digest.sample_ms) {
                (Some(grown), _) if grown.count >= ENOUGH => grown,
                (_, Some(sample_ms)) => one(&digest.all, sample_ms),
                (Some(grown), None) if grown.count > 0 && !digest.is_new => grown,
                _ => digest.all.clone(),
            }
        })
        .collect()
}

fn grown(before: &Kind, after: &Kind) -> Kind {
    let total_ms = after.total_ms - before.total_ms;
    Kind {
        count: after.count - before.count,
        total_ms,
        // One of them took no longer than all together.
        worst_ms: after.worst_ms.min(total_ms),
        rows_examined: after.rows_examined - before.rows_examined,
        rows_sent: after.rows_sent - before.rows_sent,
        ..after.clone()
    }
}

/// One statement of a kind, with the kind's average of rows.
fn one(kind: &Kind, took_ms: f64) -> Kind {
    Kind {
        count: 1,
        total_ms: took_ms,
        worst_ms: took_ms,
        rows_examined: kind.average(kind.rows_examined),
        rows_sent: kind.average(kind.rows_sent),
        ..kind.clone()
    }
}

/// The statements in the histories that ended within `within` seconds; none when no history is
/// kept (MySQL keeps ten of each connection unless told otherwise, MariaDB none).
///
/// # Errors
/// No answer.
pub(super) async fn history(
    held: &mut Held<'_>,
    within: u64,
) -> Result<Option<Vec<Kind>>, Failure> {
    // Times are picoseconds on a clock of their own: our own statement, the newest of all, tells it.
    const NOW: &str =
        "SELECT MAX(TIMER_START) AS moment FROM performance_schema.events_statements_current";
    for table in [
        "events_statements_history_long",
        "events_statements_history",
    ] {
        let kept = format!("SELECT COUNT(*) AS count FROM performance_schema.{table}");
        let kept = held.try_ask(&kept).await?;
        let is_kept = kept.is_ok_and(|rows| {
            let count = rows.first().and_then(|row| row.int("count"));
            count.is_some_and(|count| count > 0)
        });
        if !is_kept {
            continue;
        }
        let runs = runs_column("TIMER_START DIV 1000000000", "TIMER_END DIV 1000000000");
        let sql = format!(
            "SELECT DIGEST_TEXT AS statement, COUNT(*) AS count, SUM(TIMER_WAIT) AS total, \
             MAX(TIMER_WAIT) AS worst, SUM(ROWS_EXAMINED) AS examined, SUM(ROWS_SENT) AS sent, \
             SUM(NO_INDEX_USED + NO_GOOD_INDEX_USED) AS no_index, \
             (CAST(MAX(it.moment) AS SIGNED) - CAST(MAX(TIMER_END) AS SIGNED)) DIV 1000000000000 AS ago, {runs} \
             FROM performance_schema.{table}, ({NOW}) AS it \
             WHERE TIMER_END + {within} * 1000000000000 >= it.moment AND {ASKED} \
             GROUP BY DIGEST_TEXT ORDER BY total DESC LIMIT {DIGESTS}"
        );
        if let Ok(rows) = held.try_ask(&sql).await? {
            return Ok(Some(rows.iter().map(Kind::of).collect()));
        }
    }
    Ok(None)
}

#[cfg(test)]
#[path = "digests_tests.rs"]
mod tests;
