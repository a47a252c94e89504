//! `docker.log`: the last lines of a container's log, bounded in bytes and in time.

use crate::{
    domain::diagnosis::{ArgSpec, ArgType, PerKey, ProbeSpec, TargetKind},
    probes::spec::{arg, bytes, count, flag, seconds, text},
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "docker.log",
    summary: "the last lines of the log of a Redis target's container, and how often each pattern matches",
    targets: &[TargetKind::Redis],
    args: &[
        arg(
            "lines",
            ArgType::Int,
            "200",
            (1, 5_000),
            "how many lines are read, at most",
        ),
        arg(
            "within",
            ArgType::Duration,
            "0s",
            (0, 2_592_000_000),
            "only lines younger than this; 0s means of any age",
        ),
        ArgSpec {
            name: "patterns",
            kind: ArgType::Patterns,
            default: None,
            range: None,
            meaning: "names and regular expressions, each matched against each line",
        },
    ],
    facts: &[
        count("lines_read", "lines that were looked at"),
        bytes("bytes_read", "bytes of log that were read"),
        flag(
            "truncated",
            "there was more than is looked at: lines were cut or left out",
        ),
        flag("binary", "the log holds what is no text"),
        text("last_line", "the newest line").optional(),
        seconds("last_line_seconds_ago", "when it was written").optional(),
    ],
    per_key: Some(PerKey {
        arg: "patterns",
        facts: &[
            count("_count", "lines that match"),
            text("_last", "the newest line that matches").optional(),
            seconds("_seconds_ago", "when that was written").optional(),
        ],
    }),
};
