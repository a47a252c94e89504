//! What `mysql.transactions` says of itself.

use crate::{
    domain::diagnosis::{ArgType, ProbeSpec, TargetKind},
    probes::spec::{arg, count, flag, seconds, text, texts},
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.transactions",
    summary: "open transactions, idle ones, and who blocks whom: row locks as a tree with the blocker at its root, and locks on tables' definitions",
    targets: &[TargetKind::Mysql],
    args: &[arg(
        "longer_than",
        ArgType::Duration,
        "30s",
        (1_000, 86_400_000),
        "a transaction open for so long counts as long",
    )],
    facts: &[
        count("transactions", "open InnoDB transactions"),
        count(
            "long_count",
            "of them those open for at least `longer_than`",
        ),
        seconds(
            "longest_seconds",
            "how long the oldest has been open; 0 without one",
        ),
        count("longest_id", "its connection's number; 0 without one"),
        text("longest_account", "whose it is").optional(),
        text(
            "longest_statement",
            "its statement, or its last one where the server remembers it, without values",
        )
        .optional(),
        flag("longest_is_idle", "it does nothing at this moment"),
        count(
            "rows_modified",
            "rows that it has changed and not committed",
        ),
        count("idle_count", "transactions that are open and do nothing"),
        seconds(
            "longest_idle_seconds",
            "the longest that one of them has done nothing; 0 without one",
        ),
        count(
            "lock_waits",
            "transactions that wait for another's row locks",
        ),
        seconds(
            "longest_wait_seconds",
            "the longest of these waits; 0 without one",
        ),
        text(
            "waiting_statement",
            "the statement that waits longest, without values",
        )
        .optional(),
        text("waiting_account", "whose it is").optional(),
        count(
            "blockers",
            "transactions that block others and wait for nobody",
        ),
        count(
            "root_id",
            "of them the one with the most victims: its connection's number; 0 without one",
        ),
        text("root_account", "whose it is").optional(),
        seconds("root_seconds", "how long it has been open; 0 without one"),
        flag(
            "root_is_idle",
            "it does nothing at this moment: somebody has forgotten to commit",
        ),
        text(
            "root_statement",
            "its statement, or its last one where the server remembers it, without values",
        )
        .optional(),
        count(
            "root_victims",
            "transactions that wait for it, directly or through others",
        ),
        text("lock_table", "the table of a lock that is waited for").optional(),
        text("lock_index", "its index").optional(),
        text("lock_mode", "the mode that is waited for").optional(),
        texts(
            "tree",
            "who blocks whom, one line for each, indented under the one that it waits for",
        ),
        flag(
            "tree_seen",
            "the account may see locks; without it (SELECT on performance_schema) waits are counted and no blocker is known",
        ),
        count(
            "metadata_waits",
            "statements that wait for a lock on a table's definition",
        ),
        seconds(
            "metadata_wait_seconds",
            "the longest of these waits; 0 without one",
        ),
        text("metadata_table", "the table, where it is known").optional(),
        count(
            "metadata_blocker_id",
            "the connection that holds it: as the server tells, or else the oldest open transaction; 0 when there is none",
        ),
        text("metadata_blocker_account", "whose it is").optional(),
        text(
            "metadata_blocker_statement",
            "its statement, or its last one, without values",
        )
        .optional(),
        flag("metadata_blocker_is_idle", "it does nothing at this moment"),
    ],
    per_key: None,
};
