//! `redis.locks`: the keys of one pattern that serve as locks; which of them are held for long, and which never expire.
//!
//! The names are found with `SCAN`, never with `KEYS`. A lock is looked at twice: one that is there
//! again with the same owner's value has been held all the while.

use std::{collections::HashSet, time::Duration};

use redis::{Pipeline, Value};
use tokio::time::{Instant, sleep};

use super::{
    failure::Failure,
    pool::Link,
    words::{int_of, list_of, text_of},
};
use crate::{
    domain::{
        diagnosis::{ArgSpec, ArgType, Blind, ProbeSpec, Sighting, TargetKind},
        handbook::{ArgValue, Args},
    },
    probes::{
        args::Given,
        seen::{Seen, plain},
        spec::{arg, count, flag, seconds, text, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.locks",
    summary: "keys that serve as locks, found by SCAN and looked at twice: who holds one for long, which never expire",
    targets: &[TargetKind::Redis],
    args: &[
        ArgSpec {
            name: "match",
            kind: ArgType::Text,
            default: Some("*lock*"),
            range: None,
            meaning: "the pattern of the locks' names, as SCAN takes it",
        },
        arg(
            "most",
            ArgType::Int,
            "500",
            (1, 5_000),
            "how many locks are looked at, at most",
        ),
        arg(
            "again_after",
            ArgType::Duration,
            "500ms",
            (0, 5_000),
            "the pause between the two looks; a lock that is held longer counts as held",
        ),
        arg(
            "long_expiry",
            ArgType::Duration,
            "1m",
            (1_000, 86_400_000),
            "from which time to live on a lock expires too late",
        ),
    ],
    facts: &[
        count("locks", "locks at the first look"),
        flag("complete", "every key of the database was looked for"),
        count(
            "held",
            "locks that the same owner still held at the second look",
        ),
        texts("held_keys", "these, with their time to live"),
        count(
            "without_expiry",
            "locks that never expire, whether or not they were still held",
        ),
        count(
            "held_without_expiry",
            "held locks that never expire: nobody gets them if their owner has died",
        ),
        text("stuck_key", "a held lock that never expires").optional(),
        count(
            "held_long_expiry",
            "held locks that expire, and not before `long_expiry`",
        ),
        text("long_key", "the held lock that expires last").optional(),
        seconds("long_key_expires_in_seconds", "when that is").optional(),
        seconds(
            "longest_expiry_seconds",
            "longest time to live of all locks",
        )
        .optional(),
    ],
    per_key: None,
};

/// How many names a round of SCAN goes through.
const ROUND: &str = "1000";

/// How many rounds of SCAN are made at most: a million keys.
const ROUNDS: usize = 1_000;

/// The part of the patience after which no further round is begun.
const TIME_PART: u32 = 2;

/// How many locks are asked about at once.
const BATCH: usize = 100;

/// How much of a lock's value tells its owner, in bytes; an owner's token is far shorter.
const OWNER_BYTES: usize = 128;

/// How many held locks are told.
const SHOWN: usize = 10;

/// Longest name of a key that is shown, in characters.
const NAME_CHARS: usize = 80;

/// A lock as one look sees it.
struct Lock {
    name: Vec<u8>,
    /// What stands in it; never shown.
    owner: Vec<u8>,
    /// Time to live in milliseconds; none when it never expires.
    left_ms: Option<i64>,
}

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or `SCAN` is forbidden to the configured user.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let pattern = match args.get("match") {
        Some(ArgValue::Text(pattern)) => pattern.as_str(),
        _ => "*lock*",
    };
    let blind = |failure: Failure| link.blind(&failure);
    let now = Instant::now();
    let until = now + link.end.saturating_duration_since(now) / TIME_PART;
    let (names, complete) = scan(link, pattern, given.count("most"), until)
        .await
        .map_err(blind)?;
    let first = examine(link, &names).await.map_err(blind)?;
    let second = if first.is_empty() {
        Vec::new()
    } else {
        sleep(
            given
                .duration("again_after")
                .min(until.saturating_duration_since(now)),
        )
        .await;
        let names: Vec<Vec<u8>> = first.iter().map(|lock| lock.name.clone()).collect();
        examine(link, &names).await.map_err(blind)?
    };
    let held: Vec<Lock> = second
        .into_iter()
        .filter(|lock| {
            let before = first.iter().find(|one| one.name == lock.name);
            before.is_some_and(|before| before.owner == lock.owner)
        })
        .collect();
    Ok(sighting(
        &first,
        held,
        complete,
        given.duration("long_expiry"),
    ))
}

/// Names that match, and whether the whole database was gone through.
async fn scan(
    link: &Link<'_>,
    pattern: &str,
    most: usize,
    until: Instant,
) -> Result<(Vec<Vec<u8>>, bool), Failure> {
    let mut cursor = "0".to_owned();
    let mut known: HashSet<Vec<u8>> = HashSet::new();
    for _ in 0..ROUNDS {
        let answer = link
            .ask_one(&["SCAN", &cursor, "MATCH", pattern, "COUNT", ROUND])
            .await?;
        let mut parts = list_of(answer).into_iter();
        cursor = parts
            .next()
            .and_then(text_of)
            .unwrap_or_else(|| "0".to_owned());
        for name in parts.next().map(list_of).unwrap_or_default() {
            if let Value::BulkString(name) = name {
                known.insert(name);
            }
        }
        let ended = cursor == "0";
        if ended || known.len() >= most || Instant::now() >= until {
            let complete = ended && known.len() <= most;
            return Ok((known.into_iter().take(most).collect(), complete));
        }
    }
    Ok((known.into_iter().take(most).collect(), false))
}

/// Asks what is to be known of `names`. Locks that have gone meanwhile are left out.
async fn examine(link: &Link<'_>, names: &[Vec<u8>]) -> Result<Vec<Lock>, Failure> {
    let mut locks = Vec::new();
    for batch in names.chunks(BATCH) {
        let mut questions = Pipeline::new();
        for name in batch {
            questions.cmd("PTTL").arg(name);
            questions.cmd("GETRANGE").arg(name).arg(0).arg(OWNER_BYTES);
        }
        let mut answers = link.ask(&questions).await?.into_iter();
        for name in batch {
            let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
            let (expiry, owner) = (next(), next());
            let left = int_of(&expiry.map_err(Failure::Refused)?).unwrap_or(-2);
            if left == -2 {
                continue; // PTTL's word for a key that is not there
            }
            let owner = match owner {
                Ok(Value::BulkString(owner)) => owner,
                // A hash, as some libraries keep reentrant locks in: known by its name alone.
                _ => Vec::new(),
            };
            locks.push(Lock {
                name: name.clone(),
                owner,
                left_ms: (left >= 0).then_some(left),
            });
        }
    }
    Ok(locks)
}

fn sighting(all: &[Lock], mut held: Vec<Lock>, complete: bool, long: Duration) -> Sighting {
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let long = i64::try_from(long.as_millis()).unwrap_or(i64::MAX);
    // What never expires comes first, then what expires last.
    held.sort_by_key(|lock| std::cmp::Reverse(lock.left_ms.unwrap_or(i64::MAX)));
    let stuck = held.iter().filter(|lock| lock.left_ms.is_none());
    let late = held
        .iter()
        .filter(|lock| lock.left_ms.is_some_and(|left| left >= long));
    let last = held.iter().find(|lock| lock.left_ms.is_some());
    let lasting = all.iter().filter(|lock| lock.left_ms.is_none()).count();
    let lines: Vec<String> = held.iter().take(SHOWN).map(Lock::shown).collect();
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} locks, {} of them held by the same owner all the while, {lasting} without expiry",
        all.len(),
        held.len()
    ));
    for line in &lines {
        seen.line(line);
    }
    seen.fact("locks", number(all.len()))
        .fact("complete", complete)
        .fact("held", number(held.len()))
        .fact("without_expiry", number(lasting))
        .fact("held_without_expiry", number(stuck.clone().count()))
        .fact("stuck_key", stuck.clone().next().map(Lock::plain_name))
        .fact("held_long_expiry", number(late.count()))
        .fact("long_key", last.map(Lock::plain_name))
        .fact(
            "long_key_expires_in_seconds",
            last.and_then(Lock::seconds_left),
        )
        .fact(
            "longest_expiry_seconds",
            all.iter().filter_map(Lock::seconds_left).max(),
        )
        .fact("held_keys", lines);
    seen.done()
}

impl Lock {
    fn plain_name(&self) -> String {
        plain(&String::from_utf8_lossy(&self.name), NAME_CHARS)
    }

    fn seconds_left(&self) -> Option<i64> {
        self.left_ms.map(|left| left / 1_000)
    }

    fn shown(&self) -> String {
        match self.seconds_left() {
            Some(left) => format!("{}: expires in {left} s", self.plain_name()),
            None => format!("{}: never expires", self.plain_name()),
        }
    }
}
