//! `redis.ping`: can a new client come in, log in, be answered, and write?

use crate::{
    domain::diagnosis::{ProbeSpec, TargetKind, Unit},
    probes::spec::{flag, float, seconds, text},
};

/// How a new client fares, the first thing in its way.
pub(super) const STATES: &[&str] = &[
    "ok",
    "refused",
    "unresolved",
    "unreachable",
    "connect-timeout",
    "reply-timeout",
    "reset",
    "password-required",
    "wrong-password",
    "forbidden",
    "loading",
    "misconf",
    "busy",
    "max-clients",
    "readonly",
    "oom",
    "masterdown",
    "protected-mode",
    "tls",
    "wrong-protocol",
    "socket-permission",
    "socket-missing",
    "error",
];

/// What became of the configured password.
pub(super) const AUTHS: &[&str] = &[
    "not-configured",
    "accepted",
    "not-wanted",
    "required",
    "refused",
    "not-tried",
];

/// What the server says to a write that is queued and discarded.
pub(super) const WRITES: &[&str] = &[
    "ok",
    "oom",
    "misconf",
    "readonly",
    "no-replicas",
    "forbidden",
    "refused",
    "not-tried",
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.ping",
    summary: "whether a new client can connect, log in, is answered, and could write",
    targets: &[TargetKind::Redis],
    args: &[],
    facts: &[
        text(
            "state",
            "the first thing in a new client's way; ok when there is none. It is oom, misconf or readonly also when PING is answered and only writes are refused",
        )
        .one_of(STATES),
        flag("connected", "a connection came about (the port or socket accepts)"),
        flag("answered", "the server answered something in its own protocol, be it an error"),
        text("auth", "what became of the configured password; not-wanted means that the server lets everybody in")
            .one_of(AUTHS),
        text(
            "writes",
            "what the server says to a write that is queued in MULTI and discarded, never carried out",
        )
        .one_of(WRITES),
        float("connect_ms", Unit::Milliseconds, "the time to connect, with the TLS handshake").optional(),
        float("latency_ms", Unit::Milliseconds, "the time from PING to its answer").optional(),
        float("loading_percent", Unit::Percent, "how much of the dataset is loaded, while it loads").optional(),
        seconds("loading_eta_seconds", "the server's own estimate until it is loaded").optional(),
        text("address", "where it looked: host and port, or the socket's path"),
        text("detail", "what the server or the operating system said; empty when all is well"),
    ],
    per_key: None,
};
