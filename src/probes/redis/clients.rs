//! `redis.clients`: who is connected, from a bounded `CLIENT LIST`.

use std::{collections::HashMap, time::Duration};

use super::{pool::Link, session::CLIENT_NAME, words::text_of};
use crate::{
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        net::host_of,
        seen::Seen,
        shown::{bytes_shown, percent},
        spec::{arg, bytes, count, flag, float, seconds, text, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.clients",
    summary: "who holds the connections: by address and name, idle ones, blocked ones, buffers",
    targets: &[TargetKind::Redis],
    args: &[arg(
        "idle",
        ArgType::Duration,
        "5m",
        (1_000, 604_800_000),
        "a client silent for so long counts as idle",
    )],
    facts: &[
        count("clients", "connections, without Handbell's own"),
        flag(
            "truncated",
            "there were more than could be read; the counts are of a part",
        ),
        count(
            "idle_count",
            "normal clients that have been silent for at least `idle`",
        ),
        float(
            "idle_percent",
            Unit::Percent,
            "the same in percent; none without clients",
        )
        .optional(),
        seconds(
            "longest_idle_seconds",
            "the longest silence of a normal client; 0 without one",
        ),
        count("blocked_count", "clients that wait in a blocking command"),
        count("subscriber_count", "clients that subscribe"),
        count("replica_count", "replicas"),
        count(
            "monitor_count",
            "clients that run MONITOR, which slows the server",
        ),
        text("top_address", "the address with the most connections").optional(),
        count("top_address_count", "how many"),
        text(
            "top_name",
            "the client name with the most connections; none when no client has one",
        )
        .optional(),
        count("top_name_count", "how many"),
        text("top_command", "the last command that most clients gave").optional(),
        bytes("output_buffer_bytes", "all output buffers together"),
        bytes("query_buffer_bytes", "all input buffers together"),
        bytes("biggest_output_bytes", "the longest output buffer"),
        text("biggest_output_client", "whose it is").optional(),
        texts(
            "by_address",
            "the addresses with the most connections, one line each",
        ),
    ],
    per_key: None,
};

/// How many clients are counted, at most: Redis's default for maxclients.
const MOST_CLIENTS: usize = 10_000;

/// How many addresses are told.
const TOP_ADDRESSES: usize = 5;

/// One line of `CLIENT LIST`. <https://redis.io/docs/latest/commands/client-list/>
struct Client<'a> {
    fields: HashMap<&'a str, &'a str>,
}

impl<'a> Client<'a> {
    fn of(line: &'a str) -> Self {
        Self {
            fields: line
                .split(' ')
                .filter_map(|part| part.split_once('='))
                .collect(),
        }
    }

    fn text(&self, name: &str) -> &'a str {
        self.fields.get(name).copied().unwrap_or_default()
    }

    fn int(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }

    fn has(&self, flag: char) -> bool {
        self.text("flags").contains(flag)
    }

    /// Neither a replica, nor a master, nor a subscriber, nor a monitor: all of these are silent
    /// by their nature.
    fn is_normal(&self) -> bool {
        !['S', 'M', 'P', 'O'].iter().any(|flag| self.has(*flag))
    }

    /// Where it comes from, without the port.
    fn address(&self) -> String {
        let address = self.text("addr");
        if address.starts_with('/') {
            "the unix socket".to_owned()
        } else {
            host_of(address)
        }
    }
}

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or `CLIENT LIST` is forbidden to the configured user.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let answer = link.ask_one(&["CLIENT", "LIST"]).await;
    let answer = answer.map_err(|failure| link.blind(&failure))?;
    let list = text_of(answer).unwrap_or_default();
    let mut clients: Vec<Client<'_>> = list
        .lines()
        .filter(|line| !line.is_empty())
        .map(Client::of)
        .filter(|client| client.text("name") != CLIENT_NAME)
        .take(MOST_CLIENTS + 1)
        .collect();
    let truncated = clients.len() > MOST_CLIENTS;
    clients.truncate(MOST_CLIENTS);
    Ok(sighting(
        &clients,
        truncated,
        Given::new(&SPEC, args).duration("idle"),
    ))
}

fn sighting(clients: &[Client<'_>], truncated: bool, idle: Duration) -> Sighting {
    let idle = i64::try_from(idle.as_secs()).unwrap_or(i64::MAX);
    let silent = |client: &&Client<'_>| client.is_normal() && !client.has('b');
    let idle_count = clients
        .iter()
        .filter(silent)
        .filter(|client| client.int("idle") >= idle)
        .count();
    let longest = clients
        .iter()
        .filter(silent)
        .map(|client| client.int("idle"))
        .max();
    let flagged = |flag| clients.iter().filter(|client| client.has(flag)).count();
    let addresses = tally(clients.iter().map(Client::address));
    let names = tally(named(clients, "name"));
    let commands = tally(named(clients, "cmd").filter(|name| name != "NULL"));
    let by_address: Vec<String> = addresses
        .iter()
        .take(TOP_ADDRESSES)
        .map(|(address, count)| format!("{address}: {count}"))
        .collect();
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} clients, {idle_count} of them silent for {idle} s or more",
        clients.len()
    ));
    for line in &by_address {
        seen.line(line);
    }
    seen.fact("clients", clients.len())
        .fact("truncated", truncated)
        .fact("idle_count", idle_count)
        .fact(
            "idle_percent",
            percent(whole(idle_count), whole(clients.len())),
        )
        .fact("longest_idle_seconds", longest.unwrap_or(0))
        .fact("blocked_count", flagged('b'))
        .fact("subscriber_count", flagged('P'))
        .fact("replica_count", flagged('S') - both(clients, 'S', 'O'))
        .fact("monitor_count", flagged('O'))
        .fact(
            "top_address",
            addresses.first().map(|(name, _)| name.as_str()),
        )
        .fact(
            "top_address_count",
            addresses.first().map_or(0, |(_, count)| *count),
        )
        .fact("top_name", names.first().map(|(name, _)| name.as_str()))
        .fact(
            "top_name_count",
            names.first().map_or(0, |(_, count)| *count),
        )
        .fact(
            "top_command",
            commands.first().map(|(name, _)| name.as_str()),
        )
        .fact("by_address", by_address);
    buffers(&mut seen, clients);
    seen.done()
}

/// A client in MONITOR mode is marked as a replica, too.
fn both(clients: &[Client<'_>], one: char, other: char) -> usize {
    clients
        .iter()
        .filter(|client| client.has(one) && client.has(other))
        .count()
}

fn buffers(seen: &mut Seen, clients: &[Client<'_>]) {
    // `obl` is the part in the fixed buffer, `omem` the part in the list.
    let output = |client: &Client<'_>| client.int("obl") + client.int("omem");
    let total: i64 = clients.iter().map(output).sum();
    let query: i64 = clients.iter().map(|client| client.int("qbuf")).sum();
    let biggest = clients.iter().max_by_key(|client| output(client));
    let biggest_bytes = biggest.map_or(0, output);
    let whose = biggest
        .filter(|_| biggest_bytes > 0)
        .map(|client| format!("{} {}", client.text("addr"), client.text("name")));
    seen.line(format!(
        "buffers: {} to send, {} received",
        bytes_shown(total),
        bytes_shown(query)
    ));
    seen.fact("output_buffer_bytes", total)
        .fact("query_buffer_bytes", query)
        .fact("biggest_output_bytes", biggest_bytes)
        .fact("biggest_output_client", whose);
}

fn named<'a>(clients: &'a [Client<'_>], field: &'a str) -> impl Iterator<Item = String> + 'a {
    clients
        .iter()
        .map(move |client| client.text(field).to_owned())
        .filter(|text| !text.is_empty())
}

/// What there is with its count, the most frequent first.
fn tally(all: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
