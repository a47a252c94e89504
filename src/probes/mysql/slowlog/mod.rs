//! `mysql.slowlog`: which statements are slow of late, by the server's own books.
//!
//! The books begin with the server's start, and a count since then is no fault of this hour: only
//! what was seen within `within` is judged. The surest source that knows of a slow statement is
//! told:
//!
//! - `file`: the log's file; its table is read here
//! - `digests`: the performance schema's history and digests
//! - `kind`: what they have in common
//! - `spec`: the facts

mod digests;
mod file;
mod kind;
mod spec;

use std::time::Duration;

pub use spec::SPEC;

use self::kind::{Kind, merged, runs_column};
use super::{
    failure::Failure,
    pool::{Held, Link},
    rows::{Named, Row},
};
use crate::{
    domain::{
        diagnosis::{Blind, Sighting},
        handbook::Args,
    },
    probes::{args::Given, docker::Engines, seen::Seen},
};

/// How many kinds are read from the log's table, and how many are told.
const KINDS: usize = 50;
const TOP: usize = 5;

/// From how many rows on a statement without an index is told: a small table needs none.
const MANY_ROWS: f64 = 1_000.0;

const SETTINGS: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('slow_query_log', \
     'long_query_time', 'log_output', 'slow_query_log_file', 'log_queries_not_using_indexes', \
     'datadir')";

const COUNTER: &str = "SHOW GLOBAL STATUS LIKE 'Slow_queries'";

/// The part of the time that reading the log's file may take.
const FILE_PART: f64 = 0.5;

/// Looks at the server behind `link`; `engines` knows the container in which it may keep its log.
///
/// # Errors
/// No answer.
pub(super) async fn look(
    link: &Link<'_>,
    args: &Args,
    engines: &Engines,
) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let blind = |failure| link.blind(&failure);
    let within = given.duration("within").as_secs();
    let sample = given.duration("sample");
    let mut held = link.alive().await?;
    let settings = Named::of(&held.ask(SETTINGS).await.map_err(blind)?);
    let counter = |rows: Vec<Row>| rows.first().and_then(|row| row.int("value")).unwrap_or(0);
    let before = counter(held.ask(COUNTER).await.map_err(blind)?);
    let early = digests::read(&mut held, within).await.map_err(blind)?;
    let mut late = None;
    let mut rate = None;
    let mut after = before;
    if !sample.is_zero() {
        tokio::time::sleep(sample).await;
        after = counter(held.ask(COUNTER).await.map_err(blind)?);
        rate = Some(per_second(after - before, sample));
        if early.is_some() {
            late = digests::read(&mut held, within).await.map_err(blind)?;
        }
    }
    let early = early.unwrap_or_default();
    let digests = late.as_ref().unwrap_or(&early);
    let mut found: Vec<(&'static str, Vec<Kind>)> = Vec::new();
    if logs_such(&settings, given.int("slower_than")) {
        let log = table(&mut held, within, &settings).await.map_err(blind)?;
        found.extend(log.map(|kinds| ("table", kinds)));
    }
    let history = digests::history(&mut held, within).await.map_err(blind)?;
    drop(held);
    if found.is_empty()
        && logs_such(&settings, given.int("slower_than"))
        && goes_to(&settings, "FILE")
    {
        let left = link
            .end
            .saturating_duration_since(tokio::time::Instant::now());
        let end = tokio::time::Instant::now() + left.mul_f64(FILE_PART);
        let log = file::read(link.server, engines, &settings, within, end).await;
        found.extend(log.map(|kinds| ("file", kinds)));
    }
    found.extend(history.map(|kinds| ("history", kinds)));
    if !digests.is_empty() {
        found.push(("digests", digests::of_late(&early, digests)));
    }
    Ok(sighting(
        &settings,
        found,
        &digests::of_all_time(digests),
        (after, rate),
        given.int("slower_than"),
    ))
}

/// Whether the log has every statement that takes `slower_than` milliseconds.
#[expect(clippy::cast_precision_loss, reason = "milliseconds")]
fn logs_such(settings: &Named, slower_than: i64) -> bool {
    let from = settings.float("long_query_time").unwrap_or(10.0) * 1_000.0;
    settings.yes("slow_query_log") == Some(true) && from <= slower_than as f64
}

fn goes_to(settings: &Named, place: &str) -> bool {
    let output = settings.text("log_output").unwrap_or_default();
    output.to_ascii_uppercase().contains(place)
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn per_second(grown: i64, time: Duration) -> f64 {
    grown.max(0) as f64 / time.as_secs_f64()
}

/// The statements of late in the log's table; none when the log does not go there, or the account
/// may not read it.
async fn table(
    held: &mut Held<'_>,
    within: u64,
    settings: &Named,
) -> Result<Option<Vec<Kind>>, Failure> {
    if !goes_to(settings, "TABLE") {
        return Ok(None);
    }
    let lasted = "(TIME_TO_SEC(query_time) + MICROSECOND(query_time) / 1e6)";
    let begin = "UNIX_TIMESTAMP(start_time)";
    let runs = runs_column(
        &format!("{begin} * 1000"),
        &format!("({begin} + {lasted}) * 1000"),
    );
    let table = format!(
        "SELECT LEFT(sql_text, 1024) AS statement, COUNT(*) AS count, \
         SUM({lasted}) * 1e12 AS total, \
         MAX({lasted}) * 1e12 AS worst, \
         SUM(rows_examined) AS examined, SUM(rows_sent) AS sent, 0 AS no_index, \
         TIMESTAMPDIFF(SECOND, MAX(start_time), NOW()) AS ago, {runs} FROM mysql.slow_log \
         WHERE start_time >= NOW() - INTERVAL {within} SECOND \
         GROUP BY LEFT(sql_text, 1024) ORDER BY total DESC LIMIT {KINDS}"
    );
    let rows = held.try_ask(&table).await?;
    Ok(rows.ok().map(|rows| merged(rows.iter().map(Kind::of))))
}

fn sighting(
    settings: &Named,
    found: Vec<(&'static str, Vec<Kind>)>,
    all_time: &[Kind],
    (slow, rate): (i64, Option<f64>),
    slower_than: i64,
) -> Sighting {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
    let least = slower_than as f64;
    let mut without: Vec<Kind> = all_time
        .iter()
        .filter(|kind| kind.without_index && kind.average(kind.rows_examined) >= MANY_ROWS)
        .cloned()
        .collect();
    without.sort_by(|a, b| b.rows_examined.total_cmp(&a.rows_examined));
    let is_slow = |kind: &Kind| kind.average(kind.total_ms) >= least;
    // The surest source that knows of one, or else the surest that there is.
    let surest = found.first().map_or("none", |(source, _)| *source);
    let told = found
        .into_iter()
        .find(|(_, kinds)| kinds.iter().any(is_slow))
        .unwrap_or((surest, Vec::new()));
    let (source, kinds) = told;
    let mut slow_kinds: Vec<Kind> = kinds.into_iter().filter(is_slow).collect();
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
        .fact("top_turns", top.and_then(Kind::turns))
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
