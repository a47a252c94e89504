//! `log.search`: how often patterns match in the newest part of a log, when, and what their named
//! groups hold.

use std::{collections::HashMap, time::Duration};

use indexmap::IndexMap;
use jiff::Timestamp;
use regex::{Regex, RegexBuilder};
use tokio::time::Instant;

use super::source::{Haul, Record, Source, Want, haul};
use crate::{
    app::{Clock, SystemClock},
    domain::{
        diagnosis::{
            ArgSpec, ArgType, Blind, PerKey, ProbeSpec, Sighting, TargetKind, Unit, Unseen,
        },
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::{Seen, plain},
        spec::{arg, bytes, count, flag, float, seconds, text},
    },
};

/// Longest line that a pattern is matched against, in characters.
const MATCH_CHARS: usize = 4_096;

/// How many of the newest lines are evidence, and how long each may be, in characters.
const SHOWN: (usize, usize) = (12, 220);

/// How large a compiled pattern may be, in bytes. The regex crate takes time linear in the text
/// whatever the pattern is (<https://docs.rs/regex/latest/regex/#untrusted-input>).
const PATTERN_BYTES: usize = 1024 * 1024;

/// Different values of one group that are counted; what comes later is not told apart.
const DISTINCT: usize = 10_000;

/// The kinds of target that have a log.
pub(in crate::probes) const LOGGED: &[TargetKind] = &[
    TargetKind::Log,
    TargetKind::Service,
    TargetKind::Nginx,
    TargetKind::Redis,
    TargetKind::Mysql,
];

/// The arguments that say which part of a log is wanted.
pub(super) const WITHIN: ArgSpec = arg(
    "within",
    ArgType::Duration,
    "15m",
    (0, 2_592_000_000),
    "only lines younger than this; 0s means of any age",
);
pub(super) const UNTIL: ArgSpec = arg(
    "until",
    ArgType::Duration,
    "0s",
    (0, 2_592_000_000),
    "only lines older than this",
);
pub(super) const READ: ArgSpec = arg(
    "read_bytes",
    ArgType::Int,
    "4194304",
    (1_024, 67_108_864),
    "how many bytes are read from the end of a file, at most",
);
pub(super) const LINES: ArgSpec = arg(
    "lines",
    ArgType::Int,
    "5000",
    (1, 100_000),
    "how many of the newest lines are looked at, at most",
);

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "log.search",
    summary: "how often patterns match in the newest part of a log (a file here or in a container, what a container prints, a unit's journal), when they did, and what their named groups hold",
    targets: LOGGED,
    args: &[
        WITHIN,
        UNTIL,
        LINES,
        READ,
        ArgSpec {
            name: "patterns",
            kind: ArgType::Patterns,
            default: None,
            range: None,
            meaning: "names and regular expressions, each matched against each line; a named group (?P<g>…) makes facts, too",
        },
    ],
    facts: &[
        text("place", "where the log is"),
        count("lines_read", "lines of the window that were looked at"),
        bytes("bytes_read", "bytes that were read, from the end"),
        bytes("size_bytes", "size of the file; none for what is no file").optional(),
        flag(
            "stopped_early",
            "reading has stopped at its bound: older lines of the window were not looked at",
        ),
        flag("binary", "the log holds what is no text"),
        flag(
            "rotated",
            "a part of the window was read from the file that the rotation has renamed",
        ),
        flag(
            "dated",
            "lines carry times; where none does they count when the file was written within the window",
        ),
        seconds(
            "oldest_seconds_ago",
            "how old the oldest line is that was looked at",
        )
        .optional(),
        text("last_line", "the newest line").optional(),
        seconds("last_line_seconds_ago", "when it was written").optional(),
    ],
    per_key: Some(PerKey {
        arg: "patterns",
        facts: &[
            count("_count", "lines that match"),
            text("_last", "the newest line that matches").optional(),
            seconds("_seconds_ago", "when that was written").optional(),
            seconds(
                "_first_seconds_ago",
                "when the oldest line that matches was written",
            )
            .optional(),
        ],
        groups: &[
            text("", "what the group held in the newest line that matches").optional(),
            text("_top", "what it held most often").optional(),
            count("_top_count", "how often that was"),
            count("_distinct", "how many different values it held"),
            float("_max", Unit::None, "the greatest number that it held").optional(),
            float("_avg", Unit::None, "the mean of the numbers that it held").optional(),
        ],
    }),
};

/// Looks at the log.
///
/// # Errors
/// It can't be read, with the reason.
pub(in crate::probes) async fn look(
    source: Source<'_>,
    args: &Args,
    patience: Duration,
) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let patterns = compile(given.patterns("patterns"))?;
    let now = SystemClock.now();
    let haul = haul(source, want(&given, now, patience)).await?;
    Ok(sighting(&haul, &patterns, now))
}

/// The part of the log that the arguments ask for.
pub(super) fn want(given: &Given<'_>, now: Timestamp, patience: Duration) -> Want {
    let ago = |name: &str| {
        let length = given.duration(name);
        let at = now.checked_sub(length).ok();
        at.filter(|_| !length.is_zero())
    };
    Want {
        since: ago("within"),
        until: ago("until"),
        bytes: given.count("read_bytes"),
        lines: given.count("lines"),
        now,
        patience,
        end: Instant::now() + patience,
    }
}

fn compile(patterns: Option<&IndexMap<String, String>>) -> Result<Vec<(&str, Regex)>, Blind> {
    let compiled = patterns.into_iter().flatten().map(|(name, pattern)| {
        let built = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build();
        // The linter lets no page have a pattern that can't be compiled.
        let regex = built.map_err(|_| {
            Blind::Unknown(Unseen::Broken {
                reference: format!("pattern {name}"),
            })
        })?;
        Ok((name.as_str(), regex))
    });
    compiled.collect()
}

/// How long ago `at` was, in seconds; a writer's clock that is ahead is now.
pub(super) fn ago(at: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    Some(now.as_second().saturating_sub(at?.as_second()).max(0))
}

/// Tells what was read, without the lines.
pub(super) fn tell_haul(seen: &mut Seen, haul: &Haul, now: Timestamp) {
    let last = haul
        .records
        .iter()
        .rev()
        .find(|r| !r.text.trim().is_empty());
    seen.fact("place", haul.place.as_str())
        .fact("lines_read", haul.records.len())
        .fact("bytes_read", haul.bytes)
        .fact("size_bytes", haul.size)
        .fact("stopped_early", haul.stopped)
        .fact("binary", haul.binary)
        .fact("rotated", haul.rotated)
        .fact("dated", haul.dated)
        .fact(
            "oldest_seconds_ago",
            haul.records.first().and_then(|record| ago(record.at, now)),
        )
        .fact("last_line", last.map(|record| record.text.as_str()))
        .fact("last_line_seconds_ago", last.and_then(|r| ago(r.at, now)));
    seen.line(format!(
        "{}: {} lines of the window{}{}",
        haul.place,
        haul.records.len(),
        if haul.stopped {
            "; older ones were not looked at"
        } else {
            ""
        },
        if haul.rotated {
            "; a part from the rotated file"
        } else {
            ""
        },
    ));
}

fn sighting(haul: &Haul, patterns: &[(&str, Regex)], now: Timestamp) -> Sighting {
    let mut seen = Seen::new(&SPEC);
    tell_haul(&mut seen, haul, now);
    let lines: Vec<(String, &Record)> = haul
        .records
        .iter()
        .map(|record| (plain(&record.text, MATCH_CHARS), record))
        .collect();
    let mut telling: Vec<&str> = Vec::new();
    for (name, pattern) in patterns {
        let hits: Vec<&(String, &Record)> = lines
            .iter()
            .filter(|(text, _)| pattern.is_match(text))
            .collect();
        let (first, last) = (hits.first(), hits.last());
        seen.fact(&format!("{name}_count"), hits.len())
            .fact(&format!("{name}_last"), last.map(|(text, _)| text.as_str()))
            .fact(
                &format!("{name}_seconds_ago"),
                last.and_then(|(_, record)| ago(record.at, now)),
            )
            .fact(
                &format!("{name}_first_seconds_ago"),
                first.and_then(|(_, record)| ago(record.at, now)),
            );
        if let Some((text, _)) = last {
            seen.line(format!(
                "{name}: {} {}",
                hits.len(),
                if hits.len() == 1 { "line" } else { "lines" }
            ));
            telling.push(text);
        }
        groups(&mut seen, name, pattern, &hits);
    }
    if telling.is_empty() {
        let from = lines.len().saturating_sub(SHOWN.0);
        telling = lines
            .iter()
            .skip(from)
            .map(|(text, _)| text.as_str())
            .collect();
    }
    for text in telling {
        seen.line(plain(text, SHOWN.1));
    }
    seen.done()
}

/// Tells what the named groups of `pattern` held.
fn groups(seen: &mut Seen, name: &str, pattern: &Regex, hits: &[&(String, &Record)]) {
    for group in pattern.capture_names().flatten() {
        let mut values: HashMap<&str, usize> = HashMap::new();
        let mut last = None;
        let mut numbers: Vec<f64> = Vec::new();
        for (text, _) in hits {
            let Some(held) = pattern.captures(text).and_then(|found| found.name(group)) else {
                continue;
            };
            last = Some(held.as_str());
            if values.len() < DISTINCT || values.contains_key(held.as_str()) {
                *values.entry(held.as_str()).or_default() += 1;
            }
            numbers.extend(held.as_str().trim().parse::<f64>().ok());
        }
        let distinct = values.len();
        let top = values
            .into_iter()
            .max_by(|(a, n), (b, m)| n.cmp(m).then_with(|| b.cmp(a)));
        let sum: f64 = numbers.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "a mean of at most 100,000")]
        let mean = (!numbers.is_empty()).then(|| sum / numbers.len() as f64);
        let most = numbers.into_iter().reduce(f64::max);
        seen.fact(&format!("{name}_{group}"), last)
            .fact(&format!("{name}_{group}_top"), top.map(|(value, _)| value))
            .fact(
                &format!("{name}_{group}_top_count"),
                top.map_or(0, |(_, count)| count),
            )
            .fact(&format!("{name}_{group}_distinct"), distinct)
            .fact(&format!("{name}_{group}_max"), most)
            .fact(&format!("{name}_{group}_avg"), mean);
    }
}
