//! `redis.slowlog`: the commands that blocked everybody else.

use crate::{
    domain::diagnosis::{ArgType, ProbeSpec, TargetKind, Unit},
    probes::spec::{arg, count, float, int, seconds, text},
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.slowlog",
    summary: "slow commands, their name and key only, aged by the server's own clock",
    targets: &[TargetKind::Redis],
    args: &[
        arg("count", ArgType::Int, "128", (1, 1_000), "how many entries are read, the newest first"),
        arg("within", ArgType::Duration, "10m", (1_000, 604_800_000), "what counts as recent"),
        arg("slower_than", ArgType::Int, "100", (0, 3_600_000), "what counts as slow, in milliseconds"),
    ],
    facts: &[
        int("threshold_us", Unit::Microseconds, "the server keeps commands slower than this; negative means none; none when it may not be asked").optional(),
        count("entries", "entries read"),
        float("worst_ms", Unit::Milliseconds, "the slowest of them; 0 without entries"),
        text("worst_command", "its name and key").optional(),
        seconds("worst_seconds_ago", "when it ran").optional(),
        seconds("last_seconds_ago", "when the newest entry ran").optional(),
        count("recent_count", "entries within the time of `within`"),
        float("recent_worst_ms", Unit::Milliseconds, "the slowest recent one; 0 without one"),
        text("recent_worst_command", "its name and key").optional(),
        text("recent_worst_client", "the address of the client that sent it").optional(),
        float("recent_total_ms", Unit::Milliseconds, "the time that recent entries took together"),
        count("slow_count", "recent entries slower than `slower_than`"),
        text("busiest_command", "the name that took most time of the recent entries").optional(),
        float("busiest_ms", Unit::Milliseconds, "that time; 0 without entries"),
        count("busiest_count", "how often it stands among the recent entries"),
    ],
    per_key: None,
};
