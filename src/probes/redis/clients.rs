//! `redis.clients`: who is connected, from a bounded `CLIENT LIST`.

use crate::{
    domain::diagnosis::{ArgType, ProbeSpec, TargetKind, Unit},
    probes::spec::{arg, bytes, count, flag, float, seconds, text, texts},
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.clients",
    summary: "who holds the connections: by address and name, idle ones, blocked ones, buffers",
    targets: &[TargetKind::Redis],
    args: &[arg(
        "idle",
        ArgType::Duration,
        "5m",
        (1_000, 604_800_000),
        "a client silent for longer counts as idle",
    )],
    facts: &[
        count("clients", "connections, without Handbell's own"),
        flag(
            "truncated",
            "there were more than could be read; the counts are of a part",
        ),
        count(
            "idle_count",
            "normal clients that have been silent for longer than `idle`",
        ),
        float(
            "idle_percent",
            Unit::Percent,
            "the same in percent; none without clients",
        )
        .optional(),
        seconds(
            "longest_idle_seconds",
            "the longest silence of a normal client; 0 without one",
        ),
        count("blocked_count", "clients that wait in a blocking command"),
        count("subscriber_count", "clients that subscribe"),
        count("replica_count", "replicas"),
        count(
            "monitor_count",
            "clients that run MONITOR, which slows the server",
        ),
        text("top_address", "the address with the most connections").optional(),
        count("top_address_count", "how many"),
        text(
            "top_name",
            "the client name with the most connections; none when no client has one",
        )
        .optional(),
        count("top_name_count", "how many"),
        text("top_command", "the last command that most clients gave").optional(),
        bytes("output_buffer_bytes", "all output buffers together"),
        bytes("query_buffer_bytes", "all input buffers together"),
        bytes("biggest_output_bytes", "the longest output buffer"),
        text("biggest_output_client", "whose it is").optional(),
        texts(
            "by_address",
            "the addresses with the most connections, one line each",
        ),
    ],
    per_key: None,
};
