//! `redis.config`: the settings that matter in an incident, from `CONFIG GET`.

use crate::{
    domain::diagnosis::{ProbeSpec, TargetKind, Unit},
    probes::spec::{bytes, count, flag, int, seconds, text, texts},
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.config",
    summary: "the settings that matter in an incident; never a password's value",
    targets: &[TargetKind::Redis],
    args: &[],
    facts: &[
        bytes("maxmemory_bytes", "the limit of memory; 0 means none"),
        text("maxmemory_policy", "what goes when the limit is reached"),
        count("maxclients", "the most connections"),
        seconds(
            "timeout_seconds",
            "when an idle client is cut off; 0 means never",
        ),
        seconds(
            "tcp_keepalive_seconds",
            "how often an idle peer is asked whether it lives; 0 means never",
        )
        .optional(),
        texts(
            "save",
            "when a background save starts: seconds and changes; empty means never",
        ),
        flag("rdb_enabled", "background saves are on"),
        flag("appendonly", "every write is logged"),
        text("appendfsync", "how often that log is flushed to disk").optional(),
        flag(
            "persistent",
            "something is kept over a restart: saves or the log are on",
        ),
        flag(
            "stop_writes_on_bgsave_error",
            "writes are refused (MISCONF) after a save failed",
        ),
        int(
            "slowlog_slower_than_us",
            Unit::Microseconds,
            "commands slower than this are kept; negative means none, 0 all",
        ),
        count("slowlog_max_len", "how many are kept"),
        int(
            "latency_threshold_ms",
            Unit::Milliseconds,
            "events slower than this are kept by the latency monitor; 0 means it is off",
        )
        .optional(),
        flag("password_set", "the default user has a password"),
        flag(
            "protected_mode",
            "strangers are refused while there is no password",
        ),
        texts("bind", "addresses that it listens on; empty means all"),
        flag(
            "open_to_all",
            "it listens on more than the machine itself with neither password nor protected mode",
        ),
        text(
            "notify_keyspace_events",
            "events that it publishes; empty means none",
        )
        .optional(),
        flag(
            "lazyfree_eviction",
            "evicted keys are freed in the background",
        )
        .optional(),
        flag(
            "lazyfree_expire",
            "expired keys are freed in the background",
        )
        .optional(),
        flag("active_defrag", "memory is defragmented while it runs").optional(),
        count(
            "min_replicas_to_write",
            "writes are refused with fewer replicas than this",
        )
        .optional(),
        flag(
            "replica_serve_stale_data",
            "a replica without its master still answers",
        )
        .optional(),
        bytes(
            "repl_backlog_bytes",
            "how much a replica may miss and still catch up",
        )
        .optional(),
        int(
            "busy_reply_threshold_ms",
            Unit::Milliseconds,
            "a script slower than this makes the server answer BUSY",
        )
        .optional(),
        text("directory", "where it saves").optional(),
    ],
    per_key: None,
};
