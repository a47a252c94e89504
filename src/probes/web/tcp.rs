//! `tcp.connect`: does anything accept a connection, how fast, and does it speak first?

use std::time::Duration;

use tokio::{
    io::AsyncReadExt,
    time::{Instant, timeout_at},
};

use super::{
    site::Site,
    way::{Times, arrive, millis},
};
use crate::{
    domain::{
        diagnosis::{ArgType, ProbeSpec, Sighting, TargetKind, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::{Seen, plain},
        spec::{arg, flag, float, text},
    },
};

/// How far a connection gets.
const STATES: &[&str] = &[
    "ok",
    "unresolved",
    "resolve-timeout",
    "refused",
    "unreachable",
    "connect-timeout",
    "reset",
];

/// How much of a greeting is read, in bytes: a line of SMTP has at most 512 (RFC 5321, 4.5.3.1.5).
const BANNER_BYTES: usize = 512;

/// Longest greeting that is told, in characters.
const BANNER_CHARS: usize = 120;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "tcp.connect",
    summary: "whether a URL's host and port accept a connection, and how fast",
    targets: &[TargetKind::Url],
    args: &[arg(
        "listen",
        ArgType::Duration,
        "0s",
        (0, 10_000),
        "how long to wait for a greeting; 0s does not wait",
    )],
    facts: &[
        text(
            "state",
            "ok when the connection came about; else the first thing in its way",
        )
        .one_of(STATES),
        float(
            "dns_ms",
            Unit::Milliseconds,
            "the time until the name was resolved; none when there was nothing to resolve",
        )
        .optional(),
        float("connect_ms", Unit::Milliseconds, "the time to connect").optional(),
        text("peer", "the address that accepted").optional(),
        text(
            "banner",
            "what the peer said first; none when it said nothing in time",
        )
        .optional(),
        flag(
            "closed_at_once",
            "the peer closed the connection while it was listened to",
        ),
        text("address", "where it looked"),
        text("detail", "what the system said; empty when all is well"),
    ],
    per_key: None,
};

/// Looks at `site`.
pub(super) async fn look(site: &Site, args: &Args, patience: Duration) -> Sighting {
    let began = Instant::now();
    let end = began + patience;
    let mut times = Times::default();
    let mut seen = Seen::new(&SPEC);
    let address = site.address();
    match arrive(site, &mut times, end).await {
        Err(trouble) => {
            let detail = trouble.detail();
            seen.line(format!("{address}: {}: {detail}", trouble.state()));
            seen.fact("state", trouble.state())
                .fact("closed_at_once", false)
                .fact("detail", detail);
        }
        Ok(mut arrival) => {
            let wait = Given::new(&SPEC, args).duration("listen");
            let until = end.min(Instant::now() + wait);
            let (said, closed) = if wait.is_zero() {
                (Vec::new(), false)
            } else {
                listen(&mut arrival.stream, until).await
            };
            let banner = plain(&String::from_utf8_lossy(&said), BANNER_CHARS);
            let banner = (!banner.is_empty()).then_some(banner);
            seen.line(format!(
                "{address}: accepted in {:.1} ms",
                times.connect.map_or(0.0, millis)
            ));
            if let Some(banner) = &banner {
                seen.line(format!("it said: {banner}"));
            }
            seen.fact("state", "ok")
                .fact("peer", arrival.peer.map(|peer| peer.to_string()))
                .fact("banner", banner)
                .fact("closed_at_once", closed)
                .fact("detail", "");
        }
    }
    seen.fact("dns_ms", times.dns.map(millis))
        .fact("connect_ms", times.connect.map(millis))
        .fact("address", address);
    seen.done()
}

/// What the peer says by itself until `end`, and whether it closed.
async fn listen(stream: &mut tokio::net::TcpStream, end: Instant) -> (Vec<u8>, bool) {
    let mut said = Vec::new();
    let mut space = [0; BANNER_BYTES];
    while said.len() < BANNER_BYTES && !said.contains(&b'\n') {
        match timeout_at(end, stream.read(&mut space)).await {
            Ok(Ok(0) | Err(_)) => return (said, true),
            Ok(Ok(read)) => said.extend(space.iter().take(read)),
            Err(_) => break,
        }
    }
    (said, false)
}
