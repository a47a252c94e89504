//! `mysql.slowlog`: which statements are slow now, by the server's own books.
//!
//! The books begin with the server's start, and a count since then is no fault of this hour: only
//! what was seen within `within` is judged. The log's file is read by `log.search` on its target.

use std::time::Duration;

use super::{
    failure::Failure,
    people::shown,
    pool::{Held, Link},
    rows::{Named, Row},
};
use crate::{
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::Seen,
        spec::{arg, count, flag, float, seconds, text, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.slowlog",
    summary: "slow statements of late: the counter, the log's settings, the log's table, and the statements that take most time (digests)",
    targets: &[TargetKind::Mysql],
    args: &[
        arg(
            "within",
            ArgType::Duration,
            "10m",
            (1_000, 86_400_000),
            "what counts as recent",
        ),
        arg(
            "slower_than",
            ArgType::Int,
            "1000",
            (1, 3_600_000),
            "what counts as slow, in milliseconds",
        ),
        arg(
            "sample",
            ArgType::Duration,
            "300ms",
            (0, 5_000),
            "for how long the counter is watched; 0 for not at all",
        ),
    ],
    facts: &[
        flag("log_on", "the slow query log is on"),
        float(
            "long_query_seconds",
            Unit::None,
            "from how many seconds a statement is logged and counted (long_query_time)",
        ),
        text("log_output", "where the log goes: FILE, TABLE, NONE"),
        text("log_file", "its file").optional(),
        flag(
            "logs_without_index",
            "statements that use no index are logged, too",
        ),
        count(
            "slow_since_start",
            "slow statements since the start (Slow_queries)",
        ),
        float(
            "slow_per_second",
            Unit::PerSecond,
            "of them during the sample",
        )
        .optional(),
        text(
            "source",
            "where recent statements come from: digests, the log's table, or nowhere",
        )
        .one_of(&["digests", "table", "none"]),
        count(
            "recent_kinds",
            "kinds of statements seen recently that are slow on average",
        ),
        text(
            "top_statement",
            "of the slow kinds the one that took most time in all, without values",
        )
        .optional(),
        float(
            "top_average_ms",
            Unit::Milliseconds,
            "how long it takes on average; 0 without one",
        ),
        float(
            "top_worst_ms",
            Unit::Milliseconds,
            "how long it took at worst; 0 without one",
        ),
        count("top_count", "how often it ran, since the books were opened"),
        seconds("top_seconds_ago", "when it was last seen").optional(),
        float(
            "top_rows_examined",
            Unit::None,
            "rows that it reads on average; 0 without one",
        ),
        float(
            "top_rows_sent",
            Unit::None,
            "rows that it returns on average; 0 without one",
        ),
        flag(
            "top_without_index",
            "it reads a whole table, or uses no index",
        ),
        count(
            "without_index_kinds",
            "kinds of statements seen recently that read at least a thousand rows without an index",
        ),
        text(
            "without_index_statement",
            "of them the one that reads most rows in all",
        )
        .optional(),
        float(
            "without_index_rows",
            Unit::None,
            "rows that it reads on average; 0 without one",
        ),
        texts("statements", "the slow kinds, one line each"),
    ],
    per_key: None,
};

/// How many kinds are read and told.
const KINDS: usize = 50;
const TOP: usize = 5;

/// From how many rows on a statement without an index is told: a small table needs none.
const MANY_ROWS: f64 = 1_000.0;

/// One kind of statement.
#[derive(Clone, Debug, Default)]
struct Kind {
    statement: String,
    count: i64,
    total_ms: f64,
    worst_ms: f64,
    rows_examined: f64,
    rows_sent: f64,
    without_index: bool,
    seconds_ago: Option<i64>,
}

impl Kind {
    #[expect(clippy::cast_precision_loss, reason = "an average")]
    fn average(&self, total: f64) -> f64 {
        total / self.count.max(1) as f64
    }

    /// Of `events_statements_summary_by_digest`; its times are picoseconds.
    fn of_digest(row: &Row) -> Self {
        const PICOS: f64 = 1e9;
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

    fn shown(&self) -> String {
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

const SETTINGS: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('slow_query_log', \
     'long_query_time', 'log_output', 'slow_query_log_file', 'log_queries_not_using_indexes')";

const COUNTER: &str = "SHOW GLOBAL STATUS LIKE 'Slow_queries'";

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let blind = |failure| link.blind(&failure);
    let mut held = link.alive().await?;
    let settings = Named::of(&held.ask(SETTINGS).await.map_err(blind)?);
    let counter = |rows: Vec<Row>| rows.first().and_then(|row| row.int("value")).unwrap_or(0);
    let before = counter(held.ask(COUNTER).await.map_err(blind)?);
    let within = given.duration("within").as_secs();
    let (source, kinds) = kinds(&mut held, within, &settings).await.map_err(blind)?;
    drop(held);
    let sample = given.duration("sample");
    let mut rate = None;
    let mut after = before;
    if !sample.is_zero() {
        tokio::time::sleep(sample).await;
        after = counter(link.ask(COUNTER).await.map_err(blind)?);
        rate = Some(per_second(after - before, sample));
    }
    Ok(sighting(
        &settings,
        source,
        kinds,
        (after, rate),
        given.int("slower_than"),
    ))
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn per_second(grown: i64, time: Duration) -> f64 {
    grown.max(0) as f64 / time.as_secs_f64()
}

/// Kinds of statements of late: from the digests where the performance schema is on, else from
/// the log's table where the log goes there.
async fn kinds(
    held: &mut Held<'_>,
    within: u64,
    settings: &Named,
) -> Result<(&'static str, Vec<Kind>), Failure> {
    let digests = format!(
        "SELECT DIGEST_TEXT AS statement, COUNT_STAR AS count, SUM_TIMER_WAIT AS total, \
         MAX_TIMER_WAIT AS worst, SUM_ROWS_EXAMINED AS examined, SUM_ROWS_SENT AS sent, \
         SUM_NO_INDEX_USED + SUM_NO_GOOD_INDEX_USED AS no_index, \
         TIMESTAMPDIFF(SECOND, LAST_SEEN, NOW()) AS ago \
         FROM performance_schema.events_statements_summary_by_digest \
         WHERE DIGEST_TEXT IS NOT NULL AND LAST_SEEN >= NOW() - INTERVAL {within} SECOND \
         AND (SCHEMA_NAME IS NULL OR SCHEMA_NAME NOT IN ('mysql', 'performance_schema', \
         'information_schema', 'sys')) AND DIGEST_TEXT REGEXP '^(SELECT|UPDATE|DELETE|INSERT|REPLACE|WITH|\\\\()' \
         AND DIGEST_TEXT NOT LIKE '%information_schema%' \
         AND DIGEST_TEXT NOT LIKE '%performance_schema%' \
         AND DIGEST_TEXT NOT LIKE '%SLEEP%' \
         ORDER BY SUM_TIMER_WAIT DESC LIMIT {KINDS}"
    );
    if let Ok(rows) = held.try_ask(&digests).await?
        && (!rows.is_empty() || digests_on(held).await?)
    {
        return Ok(("digests", rows.iter().map(Kind::of_digest).collect()));
    }
    if !settings
        .text("log_output")
        .unwrap_or_default()
        .contains("TABLE")
    {
        return Ok(("none", Vec::new()));
    }
    let table = format!(
        "SELECT LEFT(sql_text, 1024) AS statement, COUNT(*) AS count, \
         SUM(TIME_TO_SEC(query_time) + MICROSECOND(query_time) / 1e6) * 1e12 AS total, \
         MAX(TIME_TO_SEC(query_time) + MICROSECOND(query_time) / 1e6) * 1e12 AS worst, \
         SUM(rows_examined) AS examined, SUM(rows_sent) AS sent, 0 AS no_index, \
         TIMESTAMPDIFF(SECOND, MAX(start_time), NOW()) AS ago FROM mysql.slow_log \
         WHERE start_time >= NOW() - INTERVAL {within} SECOND \
         GROUP BY LEFT(sql_text, 1024) ORDER BY total DESC LIMIT {KINDS}"
    );
    let rows = held.try_ask(&table).await?;
    Ok(match rows {
        Ok(rows) => ("table", merged(rows.iter().map(Kind::of_digest))),
        Err(_) => ("none", Vec::new()),
    })
}

async fn digests_on(held: &mut Held<'_>) -> Result<bool, Failure> {
    let row = held.row("SELECT @@performance_schema AS state").await?;
    Ok(row.yes("state") == Some(true))
}

/// Statements of the log that differ in their values only, as one kind.
fn merged(kinds: impl Iterator<Item = Kind>) -> Vec<Kind> {
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
                known.seconds_ago = known.seconds_ago.min(kind.seconds_ago);
            }
            None => all.push(kind),
        }
    }
    all
}

fn sighting(
    settings: &Named,
    source: &str,
    kinds: Vec<Kind>,
    (slow, rate): (i64, Option<f64>),
    slower_than: i64,
) -> Sighting {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
    let least = slower_than as f64;
    let mut without: Vec<Kind> = kinds
        .iter()
        .filter(|kind| kind.without_index && kind.average(kind.rows_examined) >= MANY_ROWS)
        .cloned()
        .collect();
    without.sort_by(|a, b| b.rows_examined.total_cmp(&a.rows_examined));
    let mut slow_kinds: Vec<Kind> = kinds
        .into_iter()
        .filter(|kind| kind.average(kind.total_ms) >= least)
        .collect();
    slow_kinds.sort_by(|a, b| b.total_ms.total_cmp(&a.total_ms));
    let lines: Vec<String> = slow_kinds.iter().take(TOP).map(Kind::shown).collect();
    let top = slow_kinds.first();
    let worst_index = without.first();
    let on = settings.yes("slow_query_log").unwrap_or(false);
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "slow query log {}, from {} s on, into {}; {slow} slow statements since the start; {} kinds slow of late (from {source})",
        if on { "on" } else { "off" },
        settings.text("long_query_time").unwrap_or("?"),
        settings.text("log_output").unwrap_or("?"),
        slow_kinds.len()
    ));
    for line in &lines {
        seen.line(line);
    }
    for kind in without.iter().take(TOP) {
        seen.line(kind.shown());
    }
    seen.fact("log_on", on)
        .fact(
            "long_query_seconds",
            settings.float("long_query_time").unwrap_or(10.0),
        )
        .fact(
            "log_output",
            settings.text("log_output").unwrap_or_default(),
        )
        .fact("log_file", settings.text("slow_query_log_file"))
        .fact(
            "logs_without_index",
            settings
                .yes("log_queries_not_using_indexes")
                .unwrap_or(false),
        )
        .fact("slow_since_start", slow)
        .fact("slow_per_second", rate)
        .fact("source", source)
        .fact("recent_kinds", slow_kinds.len())
        .fact("top_statement", top.map(|kind| kind.statement.clone()))
        .fact(
            "top_average_ms",
            top.map_or(0.0, |kind| kind.average(kind.total_ms)),
        )
        .fact("top_worst_ms", top.map_or(0.0, |kind| kind.worst_ms))
        .fact("top_count", top.map_or(0, |kind| kind.count))
        .fact("top_seconds_ago", top.and_then(|kind| kind.seconds_ago))
        .fact(
            "top_rows_examined",
            top.map_or(0.0, |kind| kind.average(kind.rows_examined)),
        )
        .fact(
            "top_rows_sent",
            top.map_or(0.0, |kind| kind.average(kind.rows_sent)),
        )
        .fact(
            "top_without_index",
            top.is_some_and(|kind| kind.without_index),
        )
        .fact("without_index_kinds", without.len())
        .fact(
            "without_index_statement",
            worst_index.map(|kind| kind.statement.clone()),
        )
        .fact(
            "without_index_rows",
            worst_index.map_or(0.0, |kind| kind.average(kind.rows_examined)),
        )
        .fact("statements", lines);
    seen.done()
}
