//! `mysql.replication`: whether a replica runs, how far it lags, and what it stumbled over.

use super::{
    pool::Link,
    rows::{Row, is_yes},
};
use crate::{
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind},
    probes::{
        seen::Seen,
        spec::{count, flag, int, seconds, text},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.replication",
    summary: "whether this server is a replica, whether it follows its source, how far it lags, and how many replicas follow it",
    targets: &[TargetKind::Mysql],
    args: &[],
    facts: &[
        flag("is_replica", "it follows another server"),
        flag(
            "running",
            "both of its threads run; no for a server that is no replica",
        ),
        text("io_state", "the thread that fetches: Yes, No, Connecting").optional(),
        text("sql_state", "the thread that applies: Yes, No").optional(),
        seconds(
            "lag_seconds",
            "how far it is behind by its own account; none while it does not follow",
        )
        .optional(),
        text("source", "whom it follows").optional(),
        int(
            "error_number",
            crate::domain::diagnosis::Unit::None,
            "its last error; 0 without one",
        ),
        text("error", "what it says").optional(),
        count("replicas", "replicas that follow this server now"),
    ],
    per_key: None,
};

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or the account may not ask (REPLICATION CLIENT; on MariaDB REPLICA MONITOR).
pub(super) async fn look(link: &Link<'_>) -> Result<Sighting, Blind> {
    let blind = |failure| link.blind(&failure);
    let mut held = link.alive().await?;
    // MySQL 8.4 has removed the old words, MariaDB has had the new ones since 10.5.
    let sql = if held.version.is_mysql(8, 1) || held.version.is_mariadb() {
        "SHOW REPLICA STATUS"
    } else {
        "SHOW SLAVE STATUS"
    };
    let rows = held.ask(sql).await.map_err(blind)?;
    let dumps = held
        .row(
            "SELECT COUNT(*) AS replicas FROM information_schema.PROCESSLIST \
             WHERE COMMAND LIKE 'Binlog Dump%'",
        )
        .await
        .map_err(blind)?;
    Ok(sighting(rows.first(), dumps.int("replicas").unwrap_or(0)))
}

/// A column under its new or its old name.
fn either<'r>(row: &'r Row, new: &str, old: &str) -> Option<&'r str> {
    row.text(new).or_else(|| row.text(old))
}

fn sighting(row: Option<&Row>, replicas: i64) -> Sighting {
    let io = row.and_then(|row| either(row, "replica_io_running", "slave_io_running"));
    let sql = row.and_then(|row| either(row, "replica_sql_running", "slave_sql_running"));
    let lag = row.and_then(|row| either(row, "seconds_behind_source", "seconds_behind_master"));
    let host = row.and_then(|row| either(row, "source_host", "master_host"));
    let errors = row.map(|row| {
        let number = |kind: &str| row.int(kind).unwrap_or(0);
        if number("last_sql_errno") != 0 {
            (number("last_sql_errno"), row.word("last_sql_error"))
        } else {
            (number("last_io_errno"), row.word("last_io_error"))
        }
    });
    let (number, error) = errors.unwrap_or((0, None));
    let running = io.is_some_and(is_yes) && sql.is_some_and(is_yes);
    let mut seen = Seen::new(&SPEC);
    seen.line(match row {
        None => format!("no replica; {replicas} replicas follow it"),
        Some(_) => format!(
            "replica of {}: fetching {}, applying {}, {} s behind",
            host.unwrap_or("?"),
            io.unwrap_or("?"),
            sql.unwrap_or("?"),
            lag.unwrap_or("?")
        ),
    });
    if let Some(error) = &error {
        seen.line(format!("{number}: {error}"));
    }
    seen.fact("is_replica", row.is_some())
        .fact("running", running)
        .fact("io_state", io)
        .fact("sql_state", sql)
        .fact("lag_seconds", lag.and_then(|lag| lag.parse::<i64>().ok()))
        .fact("source", host)
        .fact("error_number", number)
        .fact("error", error)
        .fact("replicas", replicas);
    seen.done()
}
