//! `redis.latency`: the server's own latency monitor.

use crate::{
    domain::diagnosis::{ArgType, ProbeSpec, TargetKind, Unit},
    probes::spec::{arg, count, flag, int, seconds, text, texts},
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.latency",
    summary: "latency spikes that the server itself has recorded, if its monitor is on",
    targets: &[TargetKind::Redis],
    args: &[arg("within", ArgType::Duration, "10m", (1_000, 604_800_000), "what counts as recent")],
    facts: &[
        flag("monitor_on", "the monitor records (latency-monitor-threshold is above 0); none when it may not be asked").optional(),
        int("threshold_ms", Unit::Milliseconds, "what it records is slower than this").optional(),
        count("events", "kinds of event that were recorded"),
        texts("event_names", "these kinds"),
        int("worst_ms", Unit::Milliseconds, "the slowest ever recorded; 0 without one"),
        text("worst_event", "its kind").optional(),
        seconds("last_seconds_ago", "when the newest spike was").optional(),
        count("recent_count", "spikes within the time of `within`"),
        int("recent_worst_ms", Unit::Milliseconds, "the slowest of them; 0 without one"),
        text("recent_worst_event", "its kind").optional(),
    ],
    per_key: None,
};
