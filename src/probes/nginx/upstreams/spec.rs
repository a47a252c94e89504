//! What `nginx.upstreams` tells.

use crate::{
    domain::diagnosis::{ProbeSpec, TargetKind, Unit},
    probes::spec::{count, flag, int, text, texts},
};

const REASONS: &[&str] = &[
    "none",
    "refused",
    "timed-out",
    "unresolved",
    "unreachable",
    "container-down",
    "no-shared-network",
    "socket-missing",
    "denied",
    "marked-down",
    "wrong-protocol",
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "nginx.upstreams",
    summary: "where nginx's configuration sends requests (includes followed), and whether something listens there; in a container as the container's network sees it",
    targets: &[TargetKind::Nginx],
    args: &[],
    facts: &[
        count(
            "upstreams",
            "different places; those marked down or backup left out, and of a group whose servers are all marked down the first",
        ),
        count("reachable", "those where something listens"),
        count(
            "bad",
            "those that can't be reached, are the only ones and marked down, or do not speak HTTP where they are asked over http://",
        ),
        count(
            "not_tried",
            "those that were not tried: too many, or the time was up",
        ),
        count(
            "variable",
            "places that a variable decides, which nobody can know beforehand",
        ),
        count(
            "dead_groups",
            "upstreams none of whose servers can be reached or speaks what it should",
        ),
        text("first_bad", "the first place that can't be reached").optional(),
        text(
            "reason",
            "why; marked-down: all servers of its group are marked down; wrong-protocol: it listens, and speaks TLS or something else than HTTP where it is asked over http://",
        )
        .one_of(REASONS),
        text("detail", "what the operating system or the engine said").optional(),
        text("group", "the name of its upstream block").optional(),
        text("file", "where it is written").optional(),
        int("line", Unit::None, "in which line").optional(),
        text("container", "the container that its name leads to").optional(),
        text("container_state", "that one's state").optional(),
        flag(
            "listens_elsewhere",
            "what it should lead to runs and listens, on another port",
        ),
        text("listening", "where that one listens").optional(),
        texts("places", "each place with the name of its upstream block").setting(),
        texts("bad_lines", "each place that can't be reached, one line"),
        texts(
            "include_missing",
            "includes that name a file that there is not",
        ),
        count("files", "files of the configuration"),
    ],
    per_key: None,
};
