//! `nginx.errorlog`: the newest part of the error log, by what nginx complains of.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    app::{Clock, SystemClock},
    domain::{
        diagnosis::{ArgType, Blind, FactSpec, ProbeSpec, Sighting, TargetKind},
        handbook::Args,
    },
    probes::{
        args::Given,
        log::{Source, Want, haul},
        seen::{Seen, plain},
        spec::{arg, bytes, count, flag, seconds, text, texts},
    },
};

/// The most that is read from the end, in bytes.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// The most lines.
const LINES: usize = 20_000;

/// How many of the newest lines are evidence, and how long each may be, in characters.
const SHOWN: (usize, usize) = (8, 260);

/// Kinds of complaint, each with the words of nginx's own source; all words must be in the line,
/// and the first kind that fits is it.
const KINDS: [(&str, &[&[&str]]); 17] = [
    ("no_live", &[&["no live upstreams"]]),
    (
        "refused",
        &[
            &["connect() failed (111"],
            &["(111: Connection refused)", "upstream"],
        ],
    ),
    (
        "connect_timeout",
        &[&["upstream timed out", "while connecting to upstream"]],
    ),
    ("read_timeout", &[&["upstream timed out"]]),
    (
        "closed",
        &[
            &["upstream prematurely closed"],
            &["(104: Connection reset by peer)", "upstream"],
        ],
    ),
    (
        "unreachable",
        &[&["(113: ", "upstream"], &["(101: ", "upstream"]],
    ),
    (
        "unresolved",
        &[
            &["could not be resolved"],
            &["host not found in upstream"],
            &["no resolver defined"],
        ],
    ),
    (
        "upstream_ssl",
        &[
            &["SSL handshaking to upstream"],
            &["SSL", "upstream", "failed"],
        ],
    ),
    (
        "client_ssl",
        &[&["SSL_do_handshake() failed"], &["SSL handshak", "client"]],
    ),
    ("too_many_files", &[&["(24: Too many open files)"]]),
    ("connections", &[&["worker_connections are not enough"]]),
    ("disk_full", &[&["(28: No space left on device)"]]),
    ("permission", &[&["(13: Permission denied)"]]),
    (
        "too_big",
        &[
            &["too big header"],
            &["too large body"],
            &["too large header"],
            &["too long header line"],
            &["too large request"],
            &["too long URI"],
        ],
    ),
    (
        "limited",
        &[&["limiting requests"], &["limiting connections"]],
    ),
    ("crashed", &[&["exited on signal"]]),
    ("missing_file", &[&["(2: No such file or directory)"]]),
];

const FACTS: &[FactSpec] = &[
    text("place", "where the log is"),
    count("lines_read", "lines of the window"),
    bytes("bytes_read", "bytes that were read, from the end"),
    flag(
        "stopped_early",
        "reading has stopped at its bound: older lines of the window were not looked at",
    ),
    count("errors", "lines of level error and worse"),
    count("upstream_errors", "those that complain of an upstream"),
    count("refused_count", "the upstream refused the connection (111)"),
    count(
        "connect_timeout_count",
        "no connection to the upstream in time",
    ),
    count(
        "read_timeout_count",
        "the upstream took the request and did not answer in time",
    ),
    count(
        "closed_count",
        "the upstream closed the connection before it had answered",
    ),
    count(
        "no_live_count",
        "all servers of an upstream are taken for dead",
    ),
    count("unreachable_count", "there is no way to the upstream"),
    count("unresolved_count", "the upstream's name does not resolve"),
    count("upstream_ssl_count", "no TLS with the upstream"),
    count("client_ssl_count", "no TLS with a client"),
    count("too_many_files_count", "nginx may open no more files (24)"),
    count("connections_count", "worker_connections are used up"),
    count("disk_full_count", "no room on the disk (28)"),
    count("permission_count", "permission denied (13)"),
    count("too_big_count", "a header or body was too large"),
    count(
        "limited_count",
        "requests that a limit of nginx's own turned away (limit_req, limit_conn)",
    ),
    count("crashed_count", "worker processes that a signal has ended"),
    count(
        "missing_file_count",
        "files that are not there: requests for what there is not",
    ),
    count("other_count", "other lines of level error and worse"),
    text("top_kind", "the most frequent kind").one_of(&[
        "none",
        "no_live",
        "refused",
        "connect_timeout",
        "read_timeout",
        "closed",
        "unreachable",
        "unresolved",
        "upstream_ssl",
        "client_ssl",
        "too_many_files",
        "connections",
        "disk_full",
        "permission",
        "too_big",
        "limited",
        "crashed",
        "missing_file",
        "other",
    ]),
    text("top_upstream", "the upstream that is complained of most").optional(),
    count("top_upstream_count", "how often"),
    text("last_error", "the newest line of level error and worse").optional(),
    seconds("last_error_seconds_ago", "when it was written").optional(),
    seconds(
        "last_upstream_error_seconds_ago",
        "when the newest complaint of an upstream was written",
    )
    .optional(),
    texts("kinds", "each kind with its number"),
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "nginx.errorlog",
    summary: "the newest part of nginx's error log, grouped by what it complains of",
    targets: &[TargetKind::Nginx],
    args: &[arg(
        "within",
        ArgType::Duration,
        "10m",
        (1_000, 2_592_000_000),
        "only lines younger than this",
    )],
    facts: FACTS,
    per_key: None,
};

/// Reads the log.
///
/// # Errors
/// It can't be read, with the reason.
pub(super) async fn look(
    source: Source<'_>,
    args: &Args,
    patience: Duration,
) -> Result<Sighting, Blind> {
    let now = SystemClock.now();
    let want = Want {
        since: now
            .checked_sub(Given::new(&SPEC, args).duration("within"))
            .ok(),
        until: None,
        bytes: READ_BYTES,
        lines: LINES,
        now,
        patience,
        end: Instant::now() + patience,
    };
    let haul = haul(source, want).await?;
    let mut seen = Seen::new(&SPEC);
    seen.fact("place", haul.place.as_str())
        .fact("lines_read", haul.records.len())
        .fact("bytes_read", haul.bytes)
        .fact("stopped_early", haul.stopped);
    let lines: Vec<(Option<Timestamp>, &str)> = haul
        .records
        .iter()
        .filter(|record| is_error(&record.text))
        .map(|record| (record.at, record.text.as_str()))
        .collect();
    seen.line(format!("{}: {} errors", haul.place, lines.len()));
    tell(&mut seen, &lines, now);
    Ok(seen.done())
}

fn is_error(line: &str) -> bool {
    ["[error]", "[crit]", "[alert]", "[emerg]"]
        .iter()
        .any(|level| line.contains(level))
}

fn kind_of(line: &str) -> &'static str {
    let fits = |all: &&[&[&str]]| {
        all.iter()
            .any(|words| words.iter().all(|word| line.contains(word)))
    };
    KINDS
        .iter()
        .find(|(_, words)| fits(words))
        .map_or("other", |(kind, _)| kind)
}

/// The address in `upstream: "http://172.18.0.3:8000/path"`.
fn upstream_of(line: &str) -> Option<&str> {
    let rest = line.split_once("upstream: \"")?.1.split('"').next()?;
    let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest);
    rest.split('/').next().filter(|host| !host.is_empty())
}

fn tell(seen: &mut Seen, lines: &[(Option<Timestamp>, &str)], now: Timestamp) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut upstreams: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of_upstreams = 0;
    let mut last_of_upstreams = None;
    for (at, line) in lines {
        let kind = kind_of(line);
        *counts.entry(kind).or_default() += 1;
        let about = matches!(
            kind,
            "no_live"
                | "refused"
                | "connect_timeout"
                | "read_timeout"
                | "closed"
                | "unreachable"
                | "unresolved"
                | "upstream_ssl"
        );
        if about {
            of_upstreams += 1;
            last_of_upstreams = *at;
            if let Some(upstream) = upstream_of(line) {
                *upstreams.entry(upstream).or_default() += 1;
            }
        }
    }
    for (kind, _) in KINDS {
        let count = counts.get(kind).copied().unwrap_or(0);
        seen.fact(&format!("{kind}_count"), count);
    }
    let other = counts.get("other").copied().unwrap_or(0);
    let top = counts.iter().max_by_key(|(_, count)| **count);
    let upstream = upstreams.iter().max_by_key(|(_, count)| **count);
    let ago = |at: Option<Timestamp>| Some((now.as_second() - at?.as_second()).max(0));
    let kinds: Vec<String> = counts
        .iter()
        .map(|(kind, count)| format!("{kind}: {count}"))
        .collect();
    for kind in &kinds {
        seen.line(kind);
    }
    for (_, line) in lines.iter().skip(lines.len().saturating_sub(SHOWN.0)) {
        seen.line(plain(line, SHOWN.1));
    }
    let last = lines.last();
    seen.fact("errors", lines.len())
        .fact("upstream_errors", of_upstreams)
        .fact("other_count", other)
        .fact("top_kind", top.map_or("none", |(kind, _)| *kind))
        .fact("top_upstream", upstream.map(|(name, _)| *name))
        .fact(
            "top_upstream_count",
            upstream.map_or(0, |(_, count)| *count),
        )
        .fact("last_error", last.map(|(_, line)| *line))
        .fact("last_error_seconds_ago", last.and_then(|(at, _)| ago(*at)))
        .fact("last_upstream_error_seconds_ago", ago(last_of_upstreams))
        .fact("kinds", kinds);
}

#[cfg(test)]
#[path = "errorlog_tests.rs"]
mod tests;
