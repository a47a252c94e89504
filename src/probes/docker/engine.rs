//! `docker.engine`: does the engine answer, and what does it run?

use crate::{
    domain::diagnosis::{ProbeSpec, TargetKind, Unit},
    probes::spec::{bytes, count, flag, float, text, texts},
};

/// How the engine fares.
pub(super) const STATES: &[&str] = &[
    "ok",
    "socket-missing",
    "permission-denied",
    "refused",
    "unresolved",
    "unreachable",
    "timed-out",
    "reset",
    "tls",
    "ssh",
    "wrong-protocol",
    "error",
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "docker.engine",
    summary: "whether the Docker engine answers, its version and how much it runs (for a Redis target: the engine of its container)",
    targets: &[TargetKind::Docker, TargetKind::Redis],
    args: &[],
    facts: &[
        text("state", "the first thing in the way; ok when there is none").one_of(STATES),
        text("address", "where it looked"),
        text(
            "detail",
            "what the engine or the operating system said; empty when all is well",
        ),
        float(
            "latency_ms",
            Unit::Milliseconds,
            "the time until the engine had answered",
        )
        .optional(),
        text("version", "the engine's version").optional(),
        text("api_version", "the newest version of its interface").optional(),
        count("containers", "containers that there are").optional(),
        count("running", "those that run").optional(),
        count("paused", "those that are paused").optional(),
        count("stopped", "those that are stopped").optional(),
        count("images", "images that there are").optional(),
        count("cpus", "processors that it can use").optional(),
        bytes("memory_bytes", "memory of its machine").optional(),
        text("operating_system", "what its machine runs").optional(),
        text("storage_driver", "how it stores layers").optional(),
        flag("live_restore", "containers go on when the engine stops").optional(),
        texts("warnings", "what the engine itself warns of"),
    ],
    per_key: None,
};
