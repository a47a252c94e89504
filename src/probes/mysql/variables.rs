//! `mysql.variables`: the settings that a diagnosis asks for.

use super::{pool::Link, rows::Named};
use crate::{
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        seen::Seen,
        shown::bytes_shown,
        spec::{bytes, count, flag, float, int, seconds, text},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.variables",
    summary: "settings: connections and timeouts, durability, read-only, logs, isolation, the query cache",
    targets: &[TargetKind::Mysql],
    args: &[],
    facts: &[
        text("version", "the server's version").setting(),
        text("flavour", "who made it")
            .one_of(&["mysql", "mariadb"])
            .setting(),
        count("max_connections", "the most connections").setting(),
        count(
            "max_user_connections",
            "the most of one account; 0 for no limit",
        )
        .setting(),
        count(
            "max_connect_errors",
            "broken connections from a host until it is blocked",
        )
        .setting(),
        seconds(
            "wait_timeout_seconds",
            "after how long a silent connection is closed",
        )
        .setting(),
        seconds(
            "interactive_timeout_seconds",
            "the same for a person's client",
        )
        .setting(),
        seconds("connect_timeout_seconds", "how long a handshake may take").setting(),
        flag("read_only", "ordinary users may not write").setting(),
        flag("super_read_only", "nobody may write (MySQL only)")
            .optional()
            .setting(),
        bytes("buffer_pool_bytes", "InnoDB's buffer pool").setting(),
        int(
            "flush_log_at_trx_commit",
            Unit::None,
            "innodb_flush_log_at_trx_commit; 1 loses nothing",
        )
        .setting(),
        int("sync_binlog", Unit::None, "sync_binlog; 1 loses nothing").setting(),
        seconds(
            "lock_wait_timeout_seconds",
            "how long a statement waits for row locks (innodb_lock_wait_timeout)",
        )
        .setting(),
        seconds(
            "metadata_timeout_seconds",
            "how long a statement waits for a table's definition (lock_wait_timeout)",
        )
        .setting(),
        flag(
            "deadlock_detect",
            "deadlocks are found at once, and not by the timeout",
        )
        .setting(),
        flag(
            "print_all_deadlocks",
            "every deadlock is written to the error log, not only the latest kept",
        )
        .setting(),
        text("isolation", "the isolation level of new transactions").setting(),
        flag(
            "autocommit",
            "each statement is a transaction of its own unless told otherwise",
        )
        .setting(),
        flag("slow_log_on", "the slow query log is on").setting(),
        float(
            "long_query_seconds",
            Unit::None,
            "from how many seconds a statement is slow",
        )
        .setting(),
        bytes(
            "max_packet_bytes",
            "the longest statement or row (max_allowed_packet)",
        )
        .setting(),
        count("table_open_cache", "tables kept open").setting(),
        text("charset", "the character set of new tables").setting(),
        text(
            "query_cache",
            "the query cache; removed: this version has none (MySQL 8.0 and later)",
        )
        .one_of(&["removed", "off", "on"])
        .setting(),
        bytes("query_cache_bytes", "its size; 0 where there is none").setting(),
        flag(
            "binlog_on",
            "the binary log is on: point-in-time recovery and replicas are possible",
        )
        .setting(),
        flag(
            "performance_schema_on",
            "the server keeps books of statements and locks",
        )
        .setting(),
    ],
    per_key: None,
};

const SETTINGS: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'max_connections', \
     'max_user_connections', 'max_connect_errors', 'wait_timeout', 'interactive_timeout', \
     'connect_timeout', 'read_only', 'super_read_only', 'innodb_buffer_pool_size', \
     'innodb_flush_log_at_trx_commit', 'sync_binlog', 'innodb_lock_wait_timeout', \
     'lock_wait_timeout', 'innodb_deadlock_detect', 'innodb_print_all_deadlocks', \
     'transaction_isolation', 'tx_isolation', 'autocommit', 'slow_query_log', 'long_query_time', \
     'max_allowed_packet', 'table_open_cache', 'character_set_server', 'query_cache_type', \
     'query_cache_size', 'have_query_cache', 'log_bin', 'performance_schema')";

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer.
pub(super) async fn look(link: &Link<'_>) -> Result<Sighting, Blind> {
    let mut held = link.alive().await?;
    let rows = held
        .ask(SETTINGS)
        .await
        .map_err(|failure| link.blind(&failure))?;
    Ok(sighting(&Named::of(&rows), held.version.word()))
}

fn sighting(named: &Named, flavour: &str) -> Sighting {
    let int = |name: &str| named.int(name).unwrap_or(0);
    let yes = |name: &str| named.yes(name).unwrap_or(false);
    let word = |name: &str| named.text(name).unwrap_or_default().to_owned();
    let cache_bytes = int("query_cache_size");
    let cache = match named.text("query_cache_type") {
        None => "removed",
        Some(kind) if kind.eq_ignore_ascii_case("OFF") || kind == "0" || cache_bytes == 0 => "off",
        Some(_) => "on",
    };
    let isolation = named
        .text("transaction_isolation")
        .or(named.text("tx_isolation"));
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "max_connections {}, wait_timeout {} s, buffer pool {}, read_only {}",
        int("max_connections"),
        int("wait_timeout"),
        bytes_shown(int("innodb_buffer_pool_size")),
        word("read_only"),
    ));
    seen.line(format!(
        "isolation {}, lock wait timeout {} s, deadlock detection {}, flush at commit {}, query cache {cache}",
        isolation.unwrap_or("?"),
        int("innodb_lock_wait_timeout"),
        word("innodb_deadlock_detect"),
        word("innodb_flush_log_at_trx_commit"),
    ));
    seen.fact("version", word("version"))
        .fact("flavour", flavour)
        .fact("max_connections", int("max_connections"))
        .fact("max_user_connections", int("max_user_connections"))
        .fact("max_connect_errors", int("max_connect_errors"))
        .fact("wait_timeout_seconds", int("wait_timeout"))
        .fact("interactive_timeout_seconds", int("interactive_timeout"))
        .fact("connect_timeout_seconds", int("connect_timeout"))
        .fact("read_only", yes("read_only"))
        .fact("super_read_only", named.yes("super_read_only"))
        .fact("buffer_pool_bytes", int("innodb_buffer_pool_size"))
        .fact(
            "flush_log_at_trx_commit",
            int("innodb_flush_log_at_trx_commit"),
        )
        .fact("sync_binlog", int("sync_binlog"))
        .fact("lock_wait_timeout_seconds", int("innodb_lock_wait_timeout"))
        .fact("metadata_timeout_seconds", int("lock_wait_timeout"))
        .fact(
            "deadlock_detect",
            named.yes("innodb_deadlock_detect").unwrap_or(true),
        )
        .fact("print_all_deadlocks", yes("innodb_print_all_deadlocks"))
        .fact("isolation", isolation.unwrap_or_default())
        .fact("autocommit", named.yes("autocommit").unwrap_or(true))
        .fact("slow_log_on", yes("slow_query_log"))
        .fact(
            "long_query_seconds",
            named.float("long_query_time").unwrap_or(10.0),
        )
        .fact("max_packet_bytes", int("max_allowed_packet"))
        .fact("table_open_cache", int("table_open_cache"))
        .fact("charset", word("character_set_server"))
        .fact("query_cache", cache)
        .fact("query_cache_bytes", cache_bytes)
        .fact("binlog_on", yes("log_bin"))
        .fact("performance_schema_on", yes("performance_schema"));
    seen.done()
}
