//! `redis.keys`: what kinds of key there are, from a bounded sample; never `KEYS`.

use std::collections::{BTreeMap, HashSet};

use redis::{Pipeline, Value};
use tokio::time::Instant;

use super::{
    failure::Failure,
    pool::Link,
    words::{int_of, list_of, text_of},
};
use crate::{
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::{Seen, plain},
        shown::{bytes_shown, percent},
        spec::{arg, bytes, count, flag, float, text, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.keys",
    summary: "the kinds of key in the configured database, from a bounded sample by SCAN",
    targets: &[TargetKind::Redis],
    args: &[arg("sample", ArgType::Int, "200", (1, 5_000), "how many keys are looked at, at most")],
    facts: &[
        count("keys", "keys in the database"),
        count("sampled", "keys looked at"),
        flag("complete", "these were all"),
        count("without_expiry", "sampled keys that never expire"),
        float("without_expiry_percent", Unit::Percent, "the same in percent; none without keys").optional(),
        flag("sizes_known", "the server told the keys' memory (MEMORY USAGE)"),
        bytes("sampled_bytes", "memory of the sampled keys").optional(),
        bytes("average_bytes", "memory of one on average").optional(),
        bytes("estimated_bytes", "memory of all keys, from that average").optional(),
        text("biggest_key", "the sampled key that takes most memory").optional(),
        bytes("biggest_bytes", "that memory").optional(),
        text("biggest_type", "its type").optional(),
        text("top_prefix", "the kind of key that takes most memory (or is most frequent where memory is not told), changing parts as *").optional(),
        float("top_prefix_percent", Unit::Percent, "its part of the sample").optional(),
        texts("prefixes", "the greatest kinds of key, one line each"),
        texts("types", "types in the sample with their counts"),
    ],
    per_key: None,
};

/// How many keys are asked about at once: the server does each such batch between the commands
/// of others, and hundred of them take well under a millisecond.
const BATCH: usize = 100;

/// How many rounds of SCAN are made at most; in a sparse table a round can find nothing
/// (<https://redis.io/docs/latest/commands/scan/>).
const ROUNDS: usize = 200;

/// The part of the patience after which no further batch is begun.
const TIME_PART: u32 = 2;

/// How many kinds of key are told.
const TOP_PREFIXES: usize = 5;

/// Longest part of a key's name that can stand for a kind, in characters; longer ones are ids.
const PART_CHARS: usize = 24;

/// Longest name of a key that is shown, in characters.
const NAME_CHARS: usize = 80;

/// A key of the sample.
struct Key {
    name: String,
    kind: String,
    expires: bool,
    bytes: Option<i64>,
}

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or `SCAN` or `DBSIZE` is forbidden to the configured user.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let most = Given::new(&SPEC, args).count("sample");
    let blind = |failure: Failure| link.blind(&failure);
    let total = link.ask_one(&["DBSIZE"]).await.map_err(blind)?;
    let total = int_of(&total).unwrap_or(0);
    let now = Instant::now();
    let until = now + link.end.saturating_duration_since(now) / TIME_PART;
    let (names, complete) = scan(link, most, until).await.map_err(blind)?;
    let mut keys = Vec::new();
    let mut seen_all = complete;
    for batch in names.chunks(BATCH) {
        if Instant::now() >= until {
            seen_all = false;
            break;
        }
        keys.extend(examine(link, batch).await.map_err(blind)?);
    }
    Ok(sighting(total, &keys, seen_all))
}

/// Names of up to `most` keys, and whether these are all there are.
async fn scan(
    link: &Link<'_>,
    most: usize,
    until: Instant,
) -> Result<(Vec<Vec<u8>>, bool), Failure> {
    let count = most.min(BATCH).to_string();
    let mut cursor = "0".to_owned();
    // SCAN may tell a key twice while the table grows.
    let mut known: HashSet<Vec<u8>> = HashSet::new();
    let mut names = Vec::new();
    for _ in 0..ROUNDS {
        let mut parts =
            list_of(link.ask_one(&["SCAN", &cursor, "COUNT", &count]).await?).into_iter();
        cursor = parts
            .next()
            .and_then(text_of)
            .unwrap_or_else(|| "0".to_owned());
        for name in parts.next().map(list_of).unwrap_or_default() {
            if let Value::BulkString(name) = name
                && known.insert(name.clone())
            {
                names.push(name);
            }
        }
        let ended = cursor == "0";
        if ended || names.len() >= most || Instant::now() >= until {
            let complete = ended && names.len() <= most;
            names.truncate(most);
            return Ok((names, complete));
        }
    }
    Ok((names, false))
}

/// Asks what is to be known of `names`. Keys that have gone meanwhile are left out.
async fn examine(link: &Link<'_>, names: &[Vec<u8>]) -> Result<Vec<Key>, Failure> {
    let mut questions = Pipeline::new();
    for name in names {
        questions.cmd("TYPE").arg(name);
        questions.cmd("PTTL").arg(name);
        // Nested values are estimated from five samples, the command's own default.
        questions.cmd("MEMORY").arg("USAGE").arg(name);
    }
    let mut answers = link.ask(&questions).await?.into_iter();
    let mut keys = Vec::new();
    for name in names {
        let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
        let (kind, expiry, memory) = (next(), next(), next());
        let kind = text_of(kind.map_err(Failure::Refused)?).unwrap_or_default();
        let expiry = int_of(&expiry.map_err(Failure::Refused)?);
        if kind == "none" {
            continue;
        }
        keys.push(Key {
            name: String::from_utf8_lossy(name).into_owned(),
            kind,
            expires: expiry.is_some_and(|left| left >= 0),
            bytes: memory.ok().as_ref().and_then(int_of),
        });
    }
    Ok(keys)
}

#[derive(Default)]
struct Group {
    keys: i64,
    bytes: i64,
}

fn sighting(total: i64, keys: &[Key], complete: bool) -> Sighting {
    let sampled = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let lasting = i64::try_from(keys.iter().filter(|key| !key.expires).count()).unwrap_or(0);
    let sizes_known = keys.iter().any(|key| key.bytes.is_some());
    let all_bytes: i64 = keys.iter().filter_map(|key| key.bytes).sum();
    let average = (sizes_known && sampled > 0).then(|| all_bytes / sampled);
    let biggest = keys
        .iter()
        .filter(|key| key.bytes.is_some())
        .max_by_key(|key| key.bytes);
    let biggest_name = biggest.map(|key| plain(&key.name, NAME_CHARS));
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for key in keys {
        *types.entry(key.kind.as_str()).or_default() += 1;
    }
    let types: Vec<String> = types
        .iter()
        .map(|(kind, n)| format!("{kind} {n}"))
        .collect();
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{total} keys, {sampled} looked at, {lasting} of these without expiry"
    ));
    groups(&mut seen, keys, sizes_known.then_some(all_bytes), sampled);
    if let (Some(key), Some(name)) = (biggest, &biggest_name) {
        let bytes = bytes_shown(key.bytes.unwrap_or(0));
        seen.line(format!(
            "biggest of the sample: {name} ({}, {bytes})",
            key.kind
        ));
    }
    seen.fact("keys", total)
        .fact("sampled", sampled)
        .fact("complete", complete)
        .fact("without_expiry", lasting)
        .fact("without_expiry_percent", percent(lasting, sampled))
        .fact("sizes_known", sizes_known)
        .fact("sampled_bytes", sizes_known.then_some(all_bytes))
        .fact("average_bytes", average)
        .fact(
            "estimated_bytes",
            average.map(|one| one.saturating_mul(total)),
        )
        .fact("biggest_key", biggest_name)
        .fact("biggest_bytes", biggest.and_then(|key| key.bytes))
        .fact("biggest_type", biggest.map(|key| key.kind.as_str()))
        .fact("types", types);
    seen.done()
}

/// Keys by kind: those that take most memory first, or the most frequent where memory is unknown.
fn groups(seen: &mut Seen, keys: &[Key], all_bytes: Option<i64>, sampled: i64) {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for key in keys {
        let group = groups.entry(template(&key.name)).or_default();
        group.keys += 1;
        group.bytes += key.bytes.unwrap_or(0);
    }
    let part = |group: &Group| match all_bytes {
        Some(all) => percent(group.bytes, all),
        None => percent(group.keys, sampled),
    };
    let mut ranked: Vec<_> = groups.into_iter().collect();
    ranked.sort_by_key(|(_, group)| {
        std::cmp::Reverse(if all_bytes.is_some() {
            group.bytes
        } else {
            group.keys
        })
    });
    let lines: Vec<String> = ranked
        .iter()
        .take(TOP_PREFIXES)
        .map(|(name, group)| {
            let size =
                all_bytes.map_or(String::new(), |_| format!(", {}", bytes_shown(group.bytes)));
            format!(
                "{name}: {} keys{size}, {:.0} %",
                group.keys,
                part(group).unwrap_or(0.0)
            )
        })
        .collect();
    for line in &lines {
        seen.line(line);
    }
    let top = ranked.first();
    seen.fact("top_prefix", top.map(|(name, _)| name.as_str()))
        .fact("top_prefix_percent", top.and_then(|(_, group)| part(group)))
        .fact("prefixes", lines);
}

/// The kind of a key: its name with the parts that change as `*`. `user:4711:cart` is
/// `user:*:cart`, `session-9f3a…` is `session-*`.
fn template(name: &str) -> String {
    let mut out = String::new();
    let mut part = String::new();
    for c in plain(name, NAME_CHARS).chars() {
        if matches!(c, ':' | '/' | '.' | '|' | '-' | '{' | '}') {
            close(&mut out, &mut part);
            out.push(c);
        } else {
            part.push(c);
        }
    }
    close(&mut out, &mut part);
    // Several changing parts in a row, as in a UUID, are one.
    while out.contains("*-*") {
        out = out.replace("*-*", "*");
    }
    out
}

fn close(out: &mut String, part: &mut String) {
    let changing = part.chars().count() > PART_CHARS
        || part
            .chars()
            .any(|c| c.is_ascii_digit() || c == '@' || c == '…' || !c.is_ascii());
    if changing {
        out.push('*');
    } else {
        out.push_str(part);
    }
    part.clear();
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
