//! What `http.get` says of itself.

use crate::{
    domain::diagnosis::{ArgSpec, ArgType, PerKey, ProbeSpec, TargetKind, Unit},
    probes::{
        spec::{arg, bytes, count, flag, float, int, seconds, text},
        web::{trouble::STATES, trust::PROBLEMS},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "http.get",
    summary: "one GET or HEAD request to a URL: status, where the time went, what the body says",
    targets: &[TargetKind::Url],
    args: &[
        ArgSpec {
            name: "method",
            kind: ArgType::Text,
            default: Some("GET"),
            range: None,
            meaning: "GET or HEAD",
        },
        ArgSpec {
            name: "path",
            kind: ArgType::Text,
            default: Some(""),
            range: None,
            meaning: "another path at the same host, with its query; empty for the URL's own",
        },
        arg("follow", ArgType::Int, "0", (0, 5), "how many redirects are followed"),
        arg(
            "most_bytes",
            ArgType::Int,
            "262144",
            (1, 4_194_304),
            "how much of the body is read, in bytes",
        ),
        arg(
            "again_from_ms",
            ArgType::Int,
            "0",
            (0, 60_000),
            "from how many milliseconds on a successful answer is slow and is asked for a second time: where that one isn't slow, it is the one that is told; 0 for never",
        ),
        ArgSpec {
            name: "patterns",
            kind: ArgType::Patterns,
            default: None,
            range: None,
            meaning: "names and what is looked for in the body: a regular expression, whose first group is what is told; or, beginning with /, a JSON pointer (RFC 6901)",
        },
    ],
    facts: &[
        text(
            "state",
            "ok when an answer came, whatever its status; else the first thing in a client's way. It is certificate when an answer came over a certificate that does not stand up: the request is carried on to see what is behind",
        )
        .one_of(STATES),
        flag("answered", "an answer in HTTP came"),
        int("status", Unit::None, "the status of the answer").optional(),
        text("certificate_problem", "the most telling thing that is wrong with the certificate; none (the word) when nothing is, or there was none")
            .one_of(PROBLEMS),
        text("http_version", "the version of the answer").optional(),
        float("dns_ms", Unit::Milliseconds, "the time until the name was resolved; none when there was nothing to resolve").optional(),
        float("connect_ms", Unit::Milliseconds, "the time to connect").optional(),
        float("tls_ms", Unit::Milliseconds, "the time of the TLS handshake").optional(),
        float("first_byte_ms", Unit::Milliseconds, "the time from the request to the first byte of the answer").optional(),
        float("body_ms", Unit::Milliseconds, "the time from there to the end of the body").optional(),
        float("total_ms", Unit::Milliseconds, "the time of it all, redirects included"),
        float("slow_once_ms", Unit::Milliseconds, "the time of the answer before, which was slow while the second, which all else tells of, isn't; none when it was asked once, or was slow twice").optional(),
        bytes("body_bytes", "how much of the body was read"),
        flag("body_truncated", "there was more"),
        text("content_type", "the header of this name").optional(),
        text("server", "the header of this name").optional(),
        text("location", "where the last redirect led").optional(),
        count("redirects", "how many were followed"),
        seconds("retry_after_seconds", "how long the server asks to wait").optional(),
        seconds("clock_ahead_seconds", "by how much this machine's clock is ahead of the server's, by its Date header").optional(),
        text("url", "the URL, without its query"),
        text("host", "the host of the URL"),
        text("address", "where it looked: host and port"),
        text("detail", "what was said about the state; empty when all is well"),
    ],
    per_key: Some(PerKey {
        arg: "patterns",
        groups: &[],
        facts: &[
            flag("_found", "it is in the body"),
            text("_text", "what was found").optional(),
            float("_number", Unit::None, "the same as a number, where it is one").optional(),
        ],
    }),
};
