//! `mysql.connections`: how many there are, whose, and how much room is left.

use std::time::Duration;

use super::{
    people::{People, Person},
    pool::{Held, Link},
    rows::Named,
};
use crate::{
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::Seen,
        shown::percent,
        spec::{arg, count, flag, float, seconds, text, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.connections",
    summary: "connections against max_connections, by account and host, idle ones, and connections that failed",
    targets: &[TargetKind::Mysql],
    args: &[
        arg(
            "idle",
            ArgType::Duration,
            "5m",
            (1_000, 604_800_000),
            "a connection silent for so long counts as idle",
        ),
        arg(
            "sample",
            ArgType::Duration,
            "300ms",
            (0, 5_000),
            "for how long counters are watched; 0 for not at all",
        ),
    ],
    facts: &[
        count("connections", "connections now (Threads_connected)"),
        count(
            "running",
            "connections that carry out a statement now, without this look's own (Threads_running)",
        ),
        count("max_connections", "the most that there can be"),
        float(
            "used_percent",
            Unit::Percent,
            "connections of the most that there can be",
        ),
        count(
            "max_used_connections",
            "the most that there were since the start",
        ),
        count(
            "max_user_connections",
            "the most of one account; 0 for no limit",
        ),
        count(
            "refused_since_start",
            "clients turned away for too many connections (Connection_errors_max_connections)",
        )
        .optional(),
        float(
            "refused_per_second",
            Unit::PerSecond,
            "of them during the sample",
        )
        .optional(),
        count(
            "aborted_connects",
            "attempts to connect that failed since the start: wrong passwords, broken handshakes",
        ),
        float(
            "aborted_connects_per_second",
            Unit::PerSecond,
            "of them during the sample",
        )
        .optional(),
        count(
            "aborted_clients",
            "clients that went without saying goodbye since the start",
        ),
        float(
            "aborted_clients_per_second",
            Unit::PerSecond,
            "of them during the sample",
        )
        .optional(),
        float(
            "connects_per_second",
            Unit::PerSecond,
            "new connections during the sample",
        )
        .optional(),
        float(
            "queries_per_second",
            Unit::PerSecond,
            "statements during the sample, without our own",
        )
        .optional(),
        count(
            "idle_count",
            "connections of ordinary clients that have been silent for at least `idle`",
        ),
        float("idle_percent", Unit::Percent, "of max_connections"),
        seconds(
            "longest_idle_seconds",
            "the longest silence of an ordinary client; 0 without one",
        ),
        text("longest_idle", "whose it is: account and host").optional(),
        text("top_user", "the account with the most connections").optional(),
        count("top_user_count", "how many"),
        count("top_user_idle", "how many of them are idle"),
        text("top_host", "the host with the most connections").optional(),
        count("top_host_count", "how many"),
        texts(
            "by_account",
            "the accounts with the most connections, one line each",
        ),
        flag(
            "sees_all",
            "the account may see the connections of others (PROCESS); else lists and idle counts are of its own only",
        ),
        seconds(
            "wait_timeout_seconds",
            "after how long the server closes a silent connection",
        ),
        seconds("uptime_seconds", "since the server started"),
    ],
    per_key: None,
};

/// How many accounts are told.
const TOP: usize = 5;

/// Counters, at two moments.
struct Counters {
    before: Named,
    after: Named,
    between: Duration,
}

impl Counters {
    /// A counter's growth a second; none without a sample, and when the server was restarted.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more than 53 bits"
    )]
    fn rate(&self, name: &str, own: i64) -> Option<f64> {
        let grown = self.after.int(name)? - self.before.int(name)? - own;
        (!self.between.is_zero()).then(|| grown.max(0) as f64 / self.between.as_secs_f64())
    }
}

const STATUS: &str = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', \
     'Threads_running', 'Max_used_connections', 'Connection_errors_max_connections', \
     'Aborted_connects', 'Aborted_clients', 'Connections', 'Queries', 'Uptime')";

const VARIABLES: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('max_connections', \
     'max_user_connections', 'wait_timeout')";

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let blind = |failure| link.blind(&failure);
    let mut held = link.alive().await?;
    let before = Named::of(&held.ask(STATUS).await.map_err(blind)?);
    let began = tokio::time::Instant::now();
    let variables = Named::of(&held.ask(VARIABLES).await.map_err(blind)?);
    let sees_all = sees_all(&mut held).await.map_err(blind)?;
    let people = People::of(&mut held, &link.own()).await.map_err(blind)?;
    let sample = given.duration("sample");
    let after = if sample.is_zero() {
        before.clone()
    } else {
        // Others may use the connection meanwhile.
        drop(held);
        tokio::time::sleep(sample.saturating_sub(began.elapsed())).await;
        Named::of(&link.ask(STATUS).await.map_err(blind)?)
    };
    let counters = Counters {
        before,
        after,
        between: if sample.is_zero() {
            Duration::ZERO
        } else {
            began.elapsed()
        },
    };
    Ok(sighting(
        &counters,
        &variables,
        &people,
        given.duration("idle"),
        sees_all,
    ))
}

/// Whether the account may see what others do.
async fn sees_all(held: &mut Held<'_>) -> Result<bool, super::failure::Failure> {
    let grants = held.try_ask("SHOW GRANTS").await?.unwrap_or_default();
    Ok(grants.iter().filter_map(|row| row.at(0)).any(|grant| {
        let (privileges, rest) = grant.split_once(" ON ").unwrap_or((grant, ""));
        rest.starts_with("*.*")
            && (privileges.contains("PROCESS") || privileges.contains("ALL PRIVILEGES"))
    }))
}

fn sighting(
    counters: &Counters,
    variables: &Named,
    people: &People,
    idle: Duration,
    sees_all: bool,
) -> Sighting {
    let now = |name: &str| counters.after.int(name).unwrap_or(0);
    let most = variables.int("max_connections").unwrap_or(0);
    let connections = now("threads_connected");
    let idle_seconds = i64::try_from(idle.as_secs()).unwrap_or(i64::MAX);
    let is_idle = |person: &&Person| person.is_idle() && person.seconds >= idle_seconds;
    let idle_count = people.all.iter().filter(is_idle).count();
    let longest = people
        .all
        .iter()
        .filter(|person| person.is_idle())
        .max_by_key(|it| it.seconds);
    let users = people.tally(|person| person.user.clone());
    let hosts = people.tally(|person| person.host.clone());
    let accounts = people.tally(Person::account);
    let top_idle = users.first().map_or(0, |(user, _)| {
        people
            .all
            .iter()
            .filter(is_idle)
            .filter(|person| person.user == *user)
            .count()
    });
    let lines: Vec<String> = accounts
        .iter()
        .take(TOP)
        .map(|(account, count)| format!("{account}: {count}"))
        .collect();
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{connections} connections of {most}, {} running; the most since the start: {}",
        (now("threads_running") - 1).max(0),
        now("max_used_connections")
    ));
    seen.line(format!("{idle_count} silent for {idle_seconds} s or more"));
    for line in &lines {
        seen.line(line);
    }
    seen.fact("connections", connections)
        // The look itself runs a statement while it asks.
        .fact("running", (now("threads_running") - 1).max(0))
        .fact("max_connections", most)
        .fact("used_percent", percent(connections, most).unwrap_or(0.0))
        .fact("max_used_connections", now("max_used_connections"))
        .fact(
            "max_user_connections",
            variables.int("max_user_connections").unwrap_or(0),
        )
        .fact(
            "refused_since_start",
            counters.after.int("connection_errors_max_connections"),
        )
        .fact(
            "refused_per_second",
            counters.rate("connection_errors_max_connections", 0),
        )
        .fact("aborted_connects", now("aborted_connects"))
        .fact(
            "aborted_connects_per_second",
            counters.rate("aborted_connects", 0),
        )
        .fact("aborted_clients", now("aborted_clients"))
        .fact(
            "aborted_clients_per_second",
            counters.rate("aborted_clients", 0),
        )
        .fact("connects_per_second", counters.rate("connections", 0))
        .fact("queries_per_second", counters.rate("queries", 4))
        .fact("idle_count", idle_count)
        .fact(
            "idle_percent",
            percent(i64::try_from(idle_count).unwrap_or(i64::MAX), most).unwrap_or(0.0),
        )
        .fact(
            "longest_idle_seconds",
            longest.map_or(0, |person| person.seconds),
        )
        .fact("longest_idle", longest.map(Person::account))
        .fact("top_user", users.first().map(|(user, _)| user.clone()))
        .fact(
            "top_user_count",
            users.first().map_or(0, |(_, count)| *count),
        )
        .fact("top_user_idle", top_idle)
        .fact("top_host", hosts.first().map(|(host, _)| host.clone()))
        .fact(
            "top_host_count",
            hosts.first().map_or(0, |(_, count)| *count),
        )
        .fact("by_account", lines)
        .fact("sees_all", sees_all)
        .fact(
            "wait_timeout_seconds",
            variables.int("wait_timeout").unwrap_or(0),
        )
        .fact("uptime_seconds", now("uptime"));
    seen.done()
}
