//! `dns.lookup`: what each DNS server says about a URL's name, and whether they agree.

mod ask;

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    net::lookup_host,
    time::{Instant, timeout_at},
};

use self::ask::{Records, Reply};
use super::{site::Site, way::millis};
use crate::{
    config::UrlTarget,
    domain::{
        diagnosis::{ArgSpec, ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit, Unseen},
        handbook::Args,
        text::Text,
    },
    probes::{
        args::Given,
        seen::Seen,
        spec::{count, flag, float, seconds, text, texts},
    },
};

/// What became of the name.
const STATES: &[&str] = &[
    "ok",
    "nxdomain",
    "no-address",
    "servfail",
    "refused",
    "error",
    "malformed",
    "unreachable",
    "timeout",
];

/// How many servers are asked at most: resolv.conf(5) knows three, a configuration may name more.
const SERVERS: usize = 8;

/// Where the system's own servers stand (resolv.conf(5)).
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// DNS's port (RFC 1035, 4.2).
const PORT: u16 = 53;

/// What stands for this machine's own way to resolve names, its hosts file included.
const SYSTEM: &str = "this machine";

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "dns.lookup",
    summary: "what each DNS server says about the name in a URL, and whether they agree",
    targets: &[TargetKind::Url],
    args: &[ArgSpec {
        name: "expect",
        kind: ArgType::Text,
        default: Some(""),
        range: None,
        meaning: "the addresses that the name should have, with commas between; empty for those of the target's own `addresses`",
    }],
    facts: &[
        text(
            "state",
            "ok when some server has an address for the name; else the most definite answer: nxdomain (there is no such name), no-address, servfail (the server could not find out), refused, error, malformed, unreachable, timeout",
        )
        .one_of(STATES),
        count("servers", "servers that were asked, this machine's own resolution among them where the system's are"),
        count("resolved_count", "how many had an address"),
        count("nxdomain_count", "how many said that there is no such name, or no address for it"),
        count("failed_count", "how many did not answer what was asked: servfail, refused, error, malformed, unreachable, timeout"),
        flag("agree", "the servers that answered say the same: they share an address or lead to the same canonical name. Where one has an address and another none they do not"),
        text("disagreement", "the first two answers that differ").optional(),
        text("failing", "the first server that did not answer what was asked, and how").optional(),
        texts("addresses", "every address that a server named").setting(),
        texts("answers", "each server with its answer"),
        text("canonical", "the name that it stands for (CNAME)").optional(),
        seconds("ttl_seconds", "the least time for which an answer may be kept").optional(),
        flag("as_expected", "every server that had an address had only expected ones; none when nothing was expected or found").optional(),
        texts("expected", "the addresses that were expected"),
        texts("unexpected", "addresses that were found and not expected"),
        float("slowest_ms", Unit::Milliseconds, "the slowest answer").optional(),
        text("host", "the name"),
        text("detail", "the answer that made the state, when it is not ok; else empty"),
    ],
    per_key: None,
};

/// One server and what it said.
struct Said {
    who: String,
    reply: Reply,
    took: Duration,
    /// It speaks for this machine and no DNS server.
    system: bool,
}

/// Looks at the name in the URL of `site`.
///
/// # Errors
/// There is no name to look up, or nobody to ask.
pub(super) async fn look(
    target: &UrlTarget,
    site: &Site,
    args: &Args,
    patience: Duration,
) -> Result<Sighting, Blind> {
    if site.ip().is_some() {
        return Err(Blind::NotApplicable(Text::new(
            "the URL has an address and no name",
            "该 URL 使用的是地址而不是域名",
        )));
    }
    if target.resolvers.is_empty() && target.connect.is_some() {
        return Err(Blind::NotApplicable(Text::new(
            "targets.toml says where to connect and names no DNS servers, so the name is not resolved",
            "targets.toml 指定了连接地址且没有列出 DNS 服务器，因此不解析域名",
        )));
    }
    let expected = expected(target, args)?;
    let end = Instant::now() + patience;
    let said = if target.resolvers.is_empty() {
        let servers = system_servers().await;
        let (mut said, own) =
            tokio::join!(ask_all(&servers, &site.host, end), own_way(&site.host, end));
        said.push(own);
        said
    } else {
        ask_all(&target.resolvers, &site.host, end).await
    };
    Ok(sighting(&site.host, &said, &expected))
}

/// What the page expects; else what the configuration does.
fn expected(target: &UrlTarget, args: &Args) -> Result<BTreeSet<IpAddr>, Blind> {
    let given = Given::new(&SPEC, args);
    let parts = given.text("expect").split([',', ' ']);
    let named: BTreeSet<IpAddr> = parts
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse().map_err(|_| {
                Blind::Unknown(Unseen::Broken {
                    reference: format!("dns.lookup, expect: {part} is no address"),
                })
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(if named.is_empty() {
        target.addresses.iter().copied().collect()
    } else {
        named
    })
}

async fn ask_all(servers: &[SocketAddr], host: &str, end: Instant) -> Vec<Said> {
    let asked = servers.iter().take(SERVERS).map(|server| async move {
        let (reply, took) = ask::ask(*server, host, end).await;
        Said {
            who: server.to_string(),
            reply,
            took,
            system: false,
        }
    });
    join_all(asked).await
}

/// The servers of resolv.conf(5).
async fn system_servers() -> Vec<SocketAddr> {
    let text = tokio::fs::read_to_string(RESOLV_CONF)
        .await
        .unwrap_or_default();
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next()? == "nameserver").then_some(())?;
        Some(SocketAddr::new(words.next()?.parse().ok()?, PORT))
    });
    servers.collect()
}

/// What this machine's programs get, from whatever the system is told to ask.
async fn own_way(host: &str, end: Instant) -> Said {
    let began = Instant::now();
    let reply = match timeout_at(end, lookup_host((host, 0))).await {
        Ok(Ok(found)) => Reply::Addresses(Records {
            addresses: found.map(|address| address.ip()).collect(),
            ..Records::default()
        }),
        Ok(Err(error)) => Reply::Error(error.to_string()),
        Err(_) => Reply::Silent,
    };
    Said {
        who: SYSTEM.to_owned(),
        reply,
        took: began.elapsed(),
        system: true,
    }
}

fn sighting(host: &str, said: &[Said], expected: &BTreeSet<IpAddr>) -> Sighting {
    let count = |states: &[&str]| {
        let fit = said.iter().filter(|it| states.contains(&it.reply.state()));
        fit.count()
    };
    let rank = |it: &&Said| STATES.iter().position(|state| *state == it.reply.state());
    // What this machine makes of it is no more than a word; a server's answer says why.
    let best = said.iter().min_by_key(|it| (rank(it), it.system));
    let state = best.map_or("error", |it| it.reply.state());
    let shown = |it: &Said| format!("{}: {}", it.who, it.reply.shown());
    let differing = disagreement(said);
    let failing = said.iter().find(|it| !it.system && !it.reply.is_definite());
    let records = || said.iter().filter_map(Said::records);
    let addresses: BTreeSet<IpAddr> = records().flat_map(|it| it.addresses.clone()).collect();
    let unexpected: Vec<String> = addresses
        .difference(expected)
        .map(ToString::to_string)
        .collect();
    let slowest = said.iter().map(|it| it.took).max();

    let mut seen = Seen::new(&SPEC);
    for it in said {
        seen.line(format!("{} ({:.1} ms)", shown(it), millis(it.took)));
    }
    seen.fact("state", state)
        .fact("servers", said.len())
        .fact("resolved_count", count(&["ok"]))
        .fact("nxdomain_count", count(&["nxdomain", "no-address"]))
        .fact(
            "failed_count",
            said.iter()
                .filter(|it| !it.system && !it.reply.is_definite())
                .count(),
        )
        .fact("agree", differing.is_none())
        .fact(
            "disagreement",
            differing.map(|(one, other)| format!("{}; {}", shown(one), shown(other))),
        )
        .fact("failing", failing.map(shown))
        .fact("answers", said.iter().map(shown).collect::<Vec<_>>())
        .fact("canonical", records().find_map(|it| it.canonical.clone()))
        .fact("ttl_seconds", records().filter_map(|it| it.ttl).min())
        .fact(
            "as_expected",
            (!expected.is_empty() && !addresses.is_empty()).then_some(unexpected.is_empty()),
        )
        .fact(
            "expected",
            expected.iter().map(ToString::to_string).collect::<Vec<_>>(),
        )
        .fact(
            "unexpected",
            if expected.is_empty() {
                Vec::new()
            } else {
                unexpected
            },
        )
        .fact(
            "addresses",
            addresses
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
        )
        .fact("slowest_ms", slowest.map(millis))
        .fact("host", host)
        .fact(
            "detail",
            best.filter(|_| state != "ok")
                .map_or_else(String::new, shown),
        );
    seen.done()
}

impl Said {
    fn records(&self) -> Option<&Records> {
        match &self.reply {
            Reply::Addresses(records) => Some(records),
            _ => None,
        }
    }
}

/// The first two servers that answered, and not the same. A name behind a delivery network has
/// other addresses at each server and one canonical name; one with many addresses may be told in
/// parts that overlap: these agree. This machine's own hosts file may say what it likes.
fn disagreement(said: &[Said]) -> Option<(&Said, &Said)> {
    let mut definite = said
        .iter()
        .filter(|it| !it.system && it.reply.is_definite());
    let first = definite.next()?;
    let other = definite.find(|other| match (first.records(), other.records()) {
        (Some(one), Some(other)) => {
            let same_name = one.canonical.is_some() && one.canonical == other.canonical;
            !same_name && one.addresses.is_disjoint(&other.addresses)
        }
        (None, None) => false,
        _ => true,
    })?;
    Some((first, other))
}
