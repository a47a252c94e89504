//! `log.templates`: what a log says most often, lines that differ in numbers and ids alone counted
//! as one, and the share of errors among them.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

use super::{
    search::{LINES, LOGGED, READ, UNTIL, WITHIN, ago, tell_haul, want},
    shape,
    source::{Haul, Source, haul},
};
use crate::{
    app::{Clock, SystemClock},
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::{Seen, plain},
        shown::percent,
        spec::{arg, bytes, count, flag, float, seconds, text, texts},
    },
};

/// Templates that are told apart; what comes later is counted as one.
const MOST: usize = 10_000;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "log.templates",
    summary: "what a log says most often: the same line with other numbers is one template; the share of errors",
    targets: LOGGED,
    args: &[
        WITHIN,
        UNTIL,
        LINES,
        READ,
        arg(
            "top",
            ArgType::Int,
            "8",
            (1, 50),
            "how many templates are told",
        ),
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
        count("templates", "different templates"),
        texts("top", "the most frequent ones, each with its count"),
        text("top_template", "the most frequent one").optional(),
        count("top_count", "how often it came"),
        float("top_percent", Unit::Percent, "its share of all lines").optional(),
        count("error_lines", "lines that tell of an error"),
        float("error_percent", Unit::Percent, "their share of all lines").optional(),
        text("top_error", "the most frequent template among them").optional(),
        count("top_error_count", "how often it came"),
        text("top_error_last", "the newest line of it").optional(),
        seconds("top_error_seconds_ago", "when that was written").optional(),
        seconds(
            "last_error_seconds_ago",
            "when the newest line that tells of an error was written",
        )
        .optional(),
    ],
    per_key: None,
};

#[derive(Default)]
struct Template<'a> {
    count: usize,
    error: bool,
    last: &'a str,
    at: Option<Timestamp>,
}

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
    let now = SystemClock.now();
    let haul = haul(source, want(&given, now, patience)).await?;
    Ok(sighting(&haul, given.count("top"), now))
}

fn sighting(haul: &Haul, most: usize, now: Timestamp) -> Sighting {
    let mut all: HashMap<String, Template<'_>> = HashMap::new();
    let mut errors = 0_usize;
    let mut last_error = None;
    for record in &haul.records {
        let text = record.text.trim();
        if text.is_empty() {
            continue;
        }
        let mut key = shape::of(text);
        if all.len() >= MOST && !all.contains_key(&key) {
            "(others)".clone_into(&mut key);
        }
        let error = shape::is_error(text);
        if error {
            errors += 1;
            last_error = record.at;
        }
        let template = all.entry(key).or_default();
        template.count += 1;
        template.error |= error;
        template.last = text;
        template.at = record.at;
    }
    let mut ranked: Vec<(&String, &Template<'_>)> = all.iter().collect();
    ranked.sort_by(|(a, one), (b, two)| two.count.cmp(&one.count).then_with(|| a.cmp(b)));
    let mut seen = Seen::new(&SPEC);
    tell_haul(&mut seen, haul, now);
    let share = |count: usize| {
        let (count, lines) = (i64::try_from(count).ok()?, haul.records.len());
        percent(count, i64::try_from(lines).ok()?)
    };
    let top = ranked.first();
    let top_error = ranked.iter().find(|(_, template)| template.error);
    let told: Vec<String> = ranked
        .iter()
        .take(most)
        .map(|(key, template)| format!("{} × {}", template.count, plain(key, 200)))
        .collect();
    for line in &told {
        seen.line(line);
    }
    seen.fact("templates", all.len())
        .fact("top", told)
        .fact("top_template", top.map(|(key, _)| key.as_str()))
        .fact("top_count", top.map_or(0, |(_, template)| template.count))
        .fact("top_percent", top.and_then(|(_, one)| share(one.count)))
        .fact("error_lines", errors)
        .fact("error_percent", share(errors))
        .fact("top_error", top_error.map(|(key, _)| key.as_str()))
        .fact("top_error_count", top_error.map_or(0, |(_, one)| one.count))
        .fact("top_error_last", top_error.map(|(_, one)| one.last))
        .fact(
            "top_error_seconds_ago",
            top_error.and_then(|(_, one)| ago(one.at, now)),
        )
        .fact("last_error_seconds_ago", ago(last_error, now));
    seen.done()
}
