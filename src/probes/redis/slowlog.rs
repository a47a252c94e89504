//! `redis.slowlog`: the commands that blocked everybody else.

use std::{collections::HashMap, time::Duration};

use redis::{Pipeline, Value};

use super::{
    failure::Failure,
    pool::Link,
    session::question,
    words::{int_of, list_of, seconds_of_time, text_of},
};
use crate::{
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::{Seen, plain},
        spec::{arg, count, float, int, seconds, text},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.slowlog",
    summary: "slow commands, their name and key only, aged by the server's own clock",
    targets: &[TargetKind::Redis],
    args: &[
        arg("count", ArgType::Int, "128", (1, 1_000), "how many entries are read, the newest first"),
        arg("within", ArgType::Duration, "10m", (1_000, 604_800_000), "what counts as recent"),
        arg("slower_than", ArgType::Int, "100", (0, 3_600_000), "what counts as slow, in milliseconds"),
    ],
    facts: &[
        int("threshold_us", Unit::Microseconds, "the server keeps commands slower than this; negative means none; none when it may not be asked").optional(),
        count("entries", "entries read"),
        float("worst_ms", Unit::Milliseconds, "the slowest of them; 0 without entries"),
        text("worst_command", "its name and key").optional(),
        seconds("worst_seconds_ago", "when it ran").optional(),
        seconds("last_seconds_ago", "when the newest entry ran").optional(),
        count("recent_count", "entries within the time of `within`"),
        float("recent_worst_ms", Unit::Milliseconds, "the slowest recent one; 0 without one"),
        text("recent_worst_command", "its name and key").optional(),
        text("recent_worst_client", "the address of the client that sent it").optional(),
        float("recent_total_ms", Unit::Milliseconds, "the time that recent entries took together"),
        count("slow_count", "recent entries slower than `slower_than`"),
        text("busiest_command", "the name that took most time of the recent entries").optional(),
        float("busiest_ms", Unit::Milliseconds, "that time; 0 without entries"),
        count("busiest_count", "how often it stands among the recent entries"),
    ],
    per_key: None,
};

/// Longest key that is shown, in characters.
const KEY_CHARS: usize = 60;

/// How many of the slowest recent commands are evidence.
const SHOWN: usize = 5;

/// One entry. <https://redis.io/docs/latest/commands/slowlog-get/>
struct Entry {
    age_seconds: i64,
    took_us: i64,
    /// The command's name, in capitals.
    name: String,
    /// Name and key; never a value.
    command: String,
    client: Option<String>,
}

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or `SLOWLOG` is forbidden to the configured user.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let mut questions = Pipeline::new();
    question(&mut questions, &["TIME"]);
    question(
        &mut questions,
        &["SLOWLOG", "GET", &given.int("count").to_string()],
    );
    question(
        &mut questions,
        &["CONFIG", "GET", "slowlog-log-slower-than"],
    );
    let answers = link.ask(&questions).await;
    let mut answers = answers.map_err(|failure| link.blind(&failure))?.into_iter();
    let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
    let refused = |said| link.blind(&Failure::Refused(said));
    let (time, entries) = (next(), next().map_err(refused)?);
    // The threshold is worth telling; that it may not be asked is no reason to see nothing.
    let threshold = next()
        .ok()
        .and_then(|answer| list_of(answer).get(1).and_then(int_of));
    let entries = list_of(entries);
    let now = time.ok().and_then(seconds_of_time);
    // A user who may not ask for the time: the newest entry's age is then taken as none.
    let now = now.or_else(|| list_of(entries.first()?.clone()).get(1).and_then(int_of));
    let entries: Vec<Entry> = entries
        .into_iter()
        .filter_map(|entry| Entry::of(entry, now.unwrap_or(0)))
        .collect();
    Ok(sighting(
        &entries,
        threshold,
        given.duration("within"),
        given.int("slower_than"),
    ))
}

impl Entry {
    fn of(entry: Value, now: i64) -> Option<Self> {
        let mut parts = list_of(entry).into_iter();
        let _id = parts.next()?;
        let at = int_of(&parts.next()?)?;
        let took_us = int_of(&parts.next()?)?;
        let words: Vec<String> = list_of(parts.next()?)
            .into_iter()
            .filter_map(text_of)
            .collect();
        let client = parts
            .next()
            .and_then(text_of)
            .filter(|text| !text.is_empty());
        let name = plain(words.first()?, KEY_CHARS).to_uppercase();
        Some(Self {
            age_seconds: (now - at).max(0),
            took_us,
            command: shown(&name, &words),
            name,
            client,
        })
    }
}

/// A command's name with its key or its subcommand, whichever it has; values are nobody's business.
fn shown(name: &str, words: &[String]) -> String {
    let at = |n: usize| words.get(n).map(|word| plain(word, KEY_CHARS));
    let extra = match name {
        // The script is a text of any length; its keys begin after their number.
        "EVAL" | "EVALSHA" | "EVAL_RO" | "EVALSHA_RO" | "FCALL" | "FCALL_RO" => {
            let keys: usize = words.get(2).and_then(|n| n.parse().ok()).unwrap_or(0);
            at(3).filter(|_| keys > 0)
        }
        "AUTH" | "HELLO" | "MIGRATE" | "PUBLISH" | "SPUBLISH" => None,
        "OBJECT" | "MEMORY" | "XINFO" | "XGROUP" => at(1)
            .zip(at(2))
            .map(|(sub, key)| format!("{} {key}", sub.to_uppercase())),
        "CONFIG" | "CLIENT" | "ACL" | "DEBUG" | "CLUSTER" | "COMMAND" | "SCRIPT" | "FUNCTION"
        | "LATENCY" | "SLOWLOG" | "MODULE" | "INFO" => at(1).map(|sub| sub.to_uppercase()),
        _ => at(1),
    };
    match extra {
        Some(extra) => format!("{name} {extra}"),
        None => name.to_owned(),
    }
}

fn sighting(
    entries: &[Entry],
    threshold: Option<i64>,
    within: Duration,
    slower_than: i64,
) -> Sighting {
    let within = i64::try_from(within.as_secs()).unwrap_or(i64::MAX);
    let mut recent: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.age_seconds <= within)
        .collect();
    recent.sort_by_key(|entry| -entry.took_us);
    let worst = entries.iter().max_by_key(|entry| entry.took_us);
    let slow = recent
        .iter()
        .filter(|entry| entry.took_us >= slower_than.saturating_mul(1_000))
        .count();
    let mut by_name: HashMap<&str, (i64, usize)> = HashMap::new();
    for entry in &recent {
        let sum = by_name.entry(&entry.name).or_default();
        sum.0 += entry.took_us;
        sum.1 += 1;
    }
    let busiest = by_name
        .iter()
        .max_by(|a, b| a.1.0.cmp(&b.1.0).then(b.0.cmp(a.0)));
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "slow log: {} entries read, {} within {within} s, {slow} of them at least {slower_than} ms",
        entries.len(),
        recent.len()
    ));
    for entry in recent.iter().take(SHOWN) {
        seen.line(format!(
            "{:.1} ms, {} s ago: {}",
            ms(entry.took_us),
            entry.age_seconds,
            entry.command
        ));
    }
    seen.fact("threshold_us", threshold)
        .fact("entries", entries.len())
        .fact("worst_ms", worst.map_or(0.0, |entry| ms(entry.took_us)))
        .fact("worst_command", worst.map(|entry| entry.command.as_str()))
        .fact("worst_seconds_ago", worst.map(|entry| entry.age_seconds))
        .fact(
            "last_seconds_ago",
            entries.iter().map(|entry| entry.age_seconds).min(),
        )
        .fact("recent_count", recent.len())
        .fact(
            "recent_worst_ms",
            recent.first().map_or(0.0, |entry| ms(entry.took_us)),
        )
        .fact(
            "recent_worst_command",
            recent.first().map(|entry| entry.command.as_str()),
        )
        .fact(
            "recent_worst_client",
            recent.first().and_then(|entry| entry.client.clone()),
        )
        .fact(
            "recent_total_ms",
            ms(recent.iter().map(|entry| entry.took_us).sum()),
        )
        .fact("slow_count", slow)
        .fact("busiest_command", busiest.map(|(name, _)| *name))
        .fact("busiest_ms", busiest.map_or(0.0, |(_, sum)| ms(sum.0)))
        .fact("busiest_count", busiest.map_or(0, |(_, sum)| sum.1));
    seen.done()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds are shown with one decimal"
)]
fn ms(micros: i64) -> f64 {
    micros as f64 / 1_000.0
}

#[cfg(test)]
#[path = "slowlog_tests.rs"]
mod tests;
