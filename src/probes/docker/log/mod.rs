//! `docker.log`: the last lines of a container's log, bounded in bytes and in time.

mod lines;

use std::time::Duration;

use http_body_util::BodyExt;
use indexmap::IndexMap;
use jiff::Timestamp;
use regex::{Regex, RegexBuilder};
use tokio::time::{Instant, timeout_at};

pub(in crate::probes) use self::lines::{Line, Lines};
use super::{Place, client::Engine, encoded, failure::Failure};
use crate::{
    app::{Clock, SystemClock},
    domain::{
        diagnosis::{ArgSpec, ArgType, Blind, PerKey, ProbeSpec, Sighting, Unseen},
        handbook::Args,
    },
    probes::{
        args::Given,
        docker::WITH_CONTAINER,
        seen::{Seen, plain},
        spec::{arg, bytes, count, flag, seconds, text},
    },
};

/// The most that is read for one question, in bytes. The engine splits what a process writes into
/// parts of 16 KiB (`copier.go`), each of which counts as one of the lines that are asked for, so
/// the default of 200 lines fits whatever they hold.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// The most that is kept of all lines, in bytes; older ones go.
const KEPT_BYTES: usize = 256 * 1024;

/// By how much fewer lines are asked for when so many were too much: the newest are wanted and
/// the engine tells the oldest first.
const FEWER: i64 = 8;

/// The part of the time left that one attempt may take, while fewer lines can still be asked for.
const TIME_PART: f64 = 0.4;

/// Longest line that a pattern is matched against, in characters.
const MATCH_CHARS: usize = 4_096;

/// How many of the newest lines are evidence, and how long each may be, in characters.
const SHOWN: (usize, usize) = (12, 200);

/// How large a compiled pattern may be, in bytes. The regex crate takes time linear in the text
/// whatever the pattern is (<https://docs.rs/regex/latest/regex/#untrusted-input>).
const PATTERN_BYTES: usize = 1024 * 1024;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "docker.log",
    summary: "the last lines of the log of a target's container, and how often each pattern matches",
    targets: WITH_CONTAINER,
    args: &[
        arg(
            "lines",
            ArgType::Int,
            "200",
            (1, 5_000),
            "how many lines are read, at most",
        ),
        arg(
            "within",
            ArgType::Duration,
            "0s",
            (0, 2_592_000_000),
            "only lines younger than this; 0s means of any age",
        ),
        ArgSpec {
            name: "patterns",
            kind: ArgType::Patterns,
            default: None,
            range: None,
            meaning: "names and regular expressions, each matched against each line",
        },
    ],
    facts: &[
        count("lines_read", "lines that were looked at"),
        bytes("bytes_read", "bytes of log that were read"),
        flag(
            "truncated",
            "there was more than is looked at: lines were cut or left out",
        ),
        flag("binary", "the log holds what is no text"),
        text("last_line", "the newest line").optional(),
        seconds("last_line_seconds_ago", "when it was written").optional(),
    ],
    per_key: Some(PerKey {
        arg: "patterns",
        facts: &[
            count("_count", "lines that match"),
            text("_last", "the newest line that matches").optional(),
            seconds("_seconds_ago", "when that was written").optional(),
        ],
        groups: &[],
    }),
};

/// Looks at the log.
///
/// # Errors
/// There is no such container, the engine could not be asked, or it keeps no log that can be read.
pub(super) async fn look(place: &Place<'_>, args: &Args) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let patterns = compile(given.patterns("patterns"))?;
    let now = SystemClock.now();
    let end = Instant::now() + place.patience;
    let lines = given.int("lines");
    let wanted = Wanted {
        lines,
        read_bytes: READ_BYTES,
        kept_bytes: KEPT_BYTES,
        within: given.duration("within"),
        now,
        end,
    };
    let read = newest(place.engine, place.name, &wanted).await;
    match read {
        Ok(read) => Ok(sighting(&read, &patterns, now)),
        Err(failure) => Err(Blind::Unknown(failure.unseen(
            place.engine.address(),
            place.name,
            place.patience,
        ))),
    }
}

/// What is wanted of a log.
pub(super) struct Wanted {
    /// At most so many lines.
    pub(super) lines: i64,
    /// At most so many bytes from the engine.
    pub(super) read_bytes: usize,
    /// At most so many bytes of lines are kept.
    pub(super) kept_bytes: usize,
    /// Only lines younger than this; zero means of any age.
    pub(super) within: Duration,
    /// Now.
    pub(super) now: Timestamp,
    /// Until when to wait.
    pub(super) end: Instant,
}

/// The newest lines; fewer than were wanted when they are more than can be read.
///
/// # Errors
/// The engine could not be asked, or keeps no log that can be read.
pub(super) async fn newest(engine: &Engine, name: &str, wanted: &Wanted) -> Result<Lines, Failure> {
    let most = wanted.lines;
    let since = match i64::try_from(wanted.within.as_secs()) {
        Ok(seconds) if seconds > 0 => wanted.now.as_second() - seconds,
        _ => 0,
    };
    let mut tail = most;
    loop {
        let path = format!(
            "/containers/{}/logs?stdout=true&stderr=true&timestamps=true&tail={tail}&since={since}",
            encoded(name)
        );
        let left = wanted.end.saturating_duration_since(Instant::now());
        let until = if tail == 1 {
            wanted.end
        } else {
            wanted.end - left.mul_f64(1.0 - TIME_PART)
        };
        match read(engine, &path, wanted, until).await {
            Ok(mut lines) if !lines.overflowed || tail == 1 => {
                lines.truncated |= tail < most;
                return Ok(lines);
            }
            Ok(_) => {}
            // An engine that looks far back for so many lines has time for fewer.
            Err(Failure::TimedOut) if tail > 1 => {}
            Err(failure) => return Err(failure),
        }
        tail = (tail / FEWER).max(1);
    }
}

async fn read(
    engine: &Engine,
    path: &str,
    wanted: &Wanted,
    end: Instant,
) -> Result<Lines, Failure> {
    let opened = timeout_at(end, engine.open(path)).await;
    let mut body = opened.map_err(|_| Failure::TimedOut)??;
    let most = usize::try_from(wanted.lines).unwrap_or(1);
    let mut lines = Lines::new(most, wanted.kept_bytes);
    let mut timed_out = false;
    loop {
        match timeout_at(end, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    lines.take(data);
                }
            }
            Ok(Some(Err(error))) => return Err(Failure::in_chain(&error)),
            Ok(None) => break,
            // What has come until now is worth telling.
            Err(_) if lines.bytes > 0 => {
                (lines.overflowed, timed_out) = (true, true);
                break;
            }
            Err(_) => return Err(Failure::TimedOut),
        }
        if lines.bytes > wanted.read_bytes {
            lines.overflowed = true;
            break;
        }
    }
    lines.close();
    // Each line was asked for with its time, which the engine puts there itself.
    let dated = lines.iter().any(|line| line.at.is_some());
    match (dated || lines.bytes == 0, timed_out) {
        (false, true) => Err(Failure::TimedOut),
        (false, false) if !lines.overflowed => {
            Err(Failure::Stranger("its log has no times".to_owned()))
        }
        _ => Ok(lines),
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

fn sighting(read: &Lines, patterns: &[(&str, Regex)], now: Timestamp) -> Sighting {
    let lines: Vec<(String, &Line)> = read
        .iter()
        .map(|line| (plain(&line.text(), MATCH_CHARS), line))
        .collect();
    let ago = |line: &Line| {
        line.at
            .map(|at| now.as_second().saturating_sub(at.as_second()).max(0))
    };
    let mut seen = Seen::new(&SPEC);
    let truncated = read.truncated || read.overflowed;
    for (name, pattern) in patterns {
        let mut count = 0;
        let mut last = None;
        for (text, line) in &lines {
            if pattern.is_match(text) {
                count += 1;
                last = Some((text.as_str(), *line));
            }
        }
        seen.fact(&format!("{name}_count"), count)
            .fact(&format!("{name}_last"), last.map(|(text, _)| text))
            .fact(
                &format!("{name}_seconds_ago"),
                last.and_then(|(_, line)| ago(line)),
            );
    }
    let last = lines.iter().rev().find(|(text, _)| !text.is_empty());
    seen.fact("lines_read", lines.len())
        .fact("bytes_read", read.bytes)
        .fact("truncated", truncated)
        .fact("binary", read.binary)
        .fact("last_line", last.map(|(text, _)| text.as_str()))
        .fact(
            "last_line_seconds_ago",
            last.and_then(|(_, line)| ago(line)),
        );
    seen.line(format!(
        "{} lines read{}",
        lines.len(),
        if truncated {
            ", some left out or cut"
        } else {
            ""
        }
    ));
    let from = lines.len().saturating_sub(SHOWN.0);
    for (text, _) in lines.iter().skip(from) {
        seen.line(plain(text, SHOWN.1));
    }
    seen.done()
}
