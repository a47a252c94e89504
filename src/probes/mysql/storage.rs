//! `mysql.storage`: buffer pool, table sizes, statements that stand still for want of disk.

use super::{
    people::People,
    pool::Link,
    rows::{Named, Row},
};
use crate::{
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        seen::Seen,
        shown::{bytes_shown, percent},
        spec::{bytes, count, flag, float, seconds, text, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.storage",
    summary: "the buffer pool and its hit rate, the largest tables, and what fails or stands still since a disk or a table is full",
    targets: &[TargetKind::Mysql],
    args: &[],
    facts: &[
        bytes("buffer_pool_bytes", "the buffer pool's size"),
        float("buffer_pool_used_percent", Unit::Percent, "how much of it holds data"),
        float("hit_percent", Unit::Percent, "reads that needed no disk, since the start; none without reads").optional(),
        count("pool_wait_free", "waits for a free page since the start"),
        count("pending_writes", "writes that InnoDB waits for at this moment"),
        count("log_waits", "waits for the log buffer since the start"),
        bytes("data_bytes", "data and indexes of all tables"),
        text("largest_table", "the largest table").optional(),
        bytes("largest_bytes", "its data and indexes; 0 without one"),
        texts("tables", "the largest tables, one line each"),
        count("disk_waits", "connections that stand still since the disk is full"),
        count("full_errors", "errors since the start that say that a disk or a table is full (1021, 1114, 3); none where the server does not count").optional(),
        seconds("full_seconds_ago", "when the last of them was").optional(),
        flag("read_only", "InnoDB itself was started read-only (innodb_read_only, innodb_force_recovery)"),
    ],
    per_key: None,
};

const STATUS: &str = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_buffer_pool_reads', \
     'Innodb_buffer_pool_read_requests', 'Innodb_buffer_pool_pages_total', \
     'Innodb_buffer_pool_pages_free', 'Innodb_buffer_pool_wait_free', 'Innodb_log_waits', \
     'Innodb_data_pending_writes')";

const SETTINGS: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_buffer_pool_size', \
     'innodb_read_only', 'innodb_force_recovery')";

const TABLES: &str = "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name, \
     COALESCE(DATA_LENGTH, 0) + COALESCE(INDEX_LENGTH, 0) AS bytes, TABLE_ROWS AS estimate \
     FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN \
     ('mysql', 'performance_schema', 'information_schema', 'sys') ORDER BY bytes DESC LIMIT 500";

/// MySQL 8 counts its errors, each with the time of the last.
const FULL: &str = "SELECT SUM(SUM_ERROR_RAISED) AS count, \
     TIMESTAMPDIFF(SECOND, MAX(LAST_SEEN), NOW()) AS ago \
     FROM performance_schema.events_errors_summary_global_by_error \
     WHERE ERROR_NUMBER IN (3, 1021, 1114) AND SUM_ERROR_RAISED > 0";

/// How many tables are told.
const TOP: usize = 5;

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer.
pub(super) async fn look(link: &Link<'_>) -> Result<Sighting, Blind> {
    let blind = |failure| link.blind(&failure);
    let mut held = link.alive().await?;
    let status = Named::of(&held.ask(STATUS).await.map_err(blind)?);
    let settings = Named::of(&held.ask(SETTINGS).await.map_err(blind)?);
    let people = People::of(&mut held, &link.own()).await.map_err(blind)?;
    let full = held.try_ask(FULL).await.map_err(blind)?.unwrap_or_default();
    let tables = held.ask(TABLES).await.map_err(blind)?;
    Ok(sighting(&status, &settings, &people, full.first(), &tables))
}

fn sighting(
    status: &Named,
    settings: &Named,
    people: &People,
    full: Option<&Row>,
    tables: &[Row],
) -> Sighting {
    let int = |name: &str| status.int(name).unwrap_or(0);
    let (reads, requests) = (
        int("innodb_buffer_pool_reads"),
        int("innodb_buffer_pool_read_requests"),
    );
    let (total, free) = (
        int("innodb_buffer_pool_pages_total"),
        int("innodb_buffer_pool_pages_free"),
    );
    let size = settings.int("innodb_buffer_pool_size").unwrap_or(0);
    let length = |row: &Row| row.int("bytes").unwrap_or(0);
    let lines: Vec<String> = tables
        .iter()
        .take(TOP)
        .map(|row| format!("{}: {}", row.str("name"), bytes_shown(length(row))))
        .collect();
    let waits = people.all.iter().filter(|it| it.waits_for_disk()).count();
    let hit = percent(requests - reads, requests);
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "buffer pool {}, {:.0} % in use, hit rate {:.2} %",
        bytes_shown(size),
        percent(total - free, total).unwrap_or(0.0),
        hit.unwrap_or(100.0)
    ));
    for line in &lines {
        seen.line(line);
    }
    let count = full.and_then(|row| row.int("count"));
    seen.fact("buffer_pool_bytes", size)
        .fact(
            "buffer_pool_used_percent",
            percent(total - free, total).unwrap_or(0.0),
        )
        .fact("hit_percent", hit)
        .fact("pool_wait_free", int("innodb_buffer_pool_wait_free"))
        .fact("pending_writes", int("innodb_data_pending_writes"))
        .fact("log_waits", int("innodb_log_waits"))
        .fact("data_bytes", tables.iter().map(length).sum::<i64>())
        .fact(
            "largest_table",
            tables.first().and_then(|row| row.word("name")),
        )
        .fact("largest_bytes", tables.first().map_or(0, length))
        .fact("tables", lines)
        .fact("disk_waits", waits)
        .fact("full_errors", full.map(|_| count.unwrap_or(0)))
        .fact("full_seconds_ago", full.and_then(|row| row.int("ago")))
        .fact(
            "read_only",
            settings.yes("innodb_read_only").unwrap_or(false)
                || settings.int("innodb_force_recovery").unwrap_or(0) > 0,
        );
    seen.done()
}
