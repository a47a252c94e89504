//! What `mysql.slowlog` tells.

use crate::{
    domain::diagnosis::{ArgType, ProbeSpec, TargetKind, Unit},
    probes::spec::{arg, count, flag, float, seconds, text, texts},
};

/// Where slow statements come from, the surest first.
pub(super) const SOURCES: &[&str] = &["table", "file", "history", "digests", "none"];

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
            "for how long the counter and the digests are watched; 0 for not at all",
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
            "where the slow statements of late come from: the log's table or file (where long_query_time is no more than `slower_than`), the history of the performance schema, its digests (what has grown during the sample; MySQL's sample of each; else the average since the books were opened), or nowhere",
        )
        .one_of(SOURCES),
        count(
            "recent_kinds",
            "kinds of statements that are slow on average within `within`",
        ),
        text(
            "top_statement",
            "of the slow kinds the one that took most time in all within `within`, without values",
        )
        .optional(),
        float(
            "top_average_ms",
            Unit::Milliseconds,
            "how long it takes on average of late; 0 without one",
        ),
        float(
            "top_worst_ms",
            Unit::Milliseconds,
            "how long it took at worst, of late where the source tells when; 0 without one",
        ),
        count(
            "top_count",
            "how often it ran: within `within`, or as far as the source goes",
        ),
        count(
            "top_turns",
            "how many of these ran one after the other: those that ran at the same time count once, as a machine that stands still for a moment makes them; nothing where the source does not tell when they ran (digests)",
        )
        .optional(),
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
