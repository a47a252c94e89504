//! A dead container's last words: the line of its log that tells why it ended.

use std::{sync::LazyLock, time::Duration};

use bollard::models::ContainerInspectResponse;
use jiff::{SignedDuration, Timestamp};
use regex::{Regex, RegexBuilder};
use tokio::time::Instant;

use super::{Place, life, life::SIGNAL_BASE};
use crate::probes::{
    docker::log::{Wanted, newest},
    seen::plain,
};

/// How many lines at the log's end are looked at. A program that ends for a reason says it among the last of them.
const LINES: i64 = 60;

/// The most that is read for them, in bytes.
const READ_BYTES: usize = 1024 * 1024;

/// The most that is kept of them, in bytes.
const KEPT_BYTES: usize = 64 * 1024;

/// The most that is told, in characters.
const MOST_CHARS: usize = 300;

/// How much earlier than the begin of a run its first lines may be. The engine notes the begin when it is told that the
/// process was started, which by then may have written, and ended (seen with version 20.10: up to 6 ms on a machine with
/// nothing to spare, where half of those that ended at once wrote before they "began").
const EARLY: SignedDuration = SignedDuration::from_secs(2);

/// How many lines that belong to the telling one are told with it.
const FOLLOWING: usize = 3;

/// What a program says that can't go on.
const TELLING: &str = concat!(
    r"fatal|panic|emerg|\balert\b|\bcrit|error|exception|traceback|cannot|can't|could not|unable|fail|denied|refused",
    r"|invalid|illegal|unknown|unrecognized|no such|not found|no space|out of memory|corrupt|crash|assert|already in use"
);

/// What many programs say last and what tells nothing: that they end.
const HOLLOW: &str = r"\baborting\b|shutdown complete|shutting down|bye bye|\bexiting\b|exited with|\b0 errors?\b|without error|exit_on_error";

static TELLS: LazyLock<Option<Regex>> = LazyLock::new(|| any_case(TELLING));
static IS_HOLLOW: LazyLock<Option<Regex>> = LazyLock::new(|| any_case(HOLLOW));

fn any_case(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .build()
        .ok()
}

/// How a container ended, as far as its last words go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// By itself: whatever it said last is worth telling.
    ByItself,
    /// By a signal: it may have said why, but its last line may be anything.
    BySignal,
}

/// How the last run ended; none when there is nothing to ask: it runs, or it ended well.
fn end_of(container: &ContainerInspectResponse, now: Timestamp) -> Option<End> {
    let life = life::life_of(container, now);
    let over = matches!(life.state, "exited" | "dead" | "restarting");
    match life.exit_code {
        _ if !over && !life.restart_looping => None,
        Some(0) if !life.restart_looping => None,
        Some(code) if code > SIGNAL_BASE => Some(End::BySignal),
        _ => Some(End::ByItself),
    }
}

/// The last words of the container, when it does not run or dies again and again; none when it ended well, said nothing
/// or can't be asked within `patience`.
pub(super) async fn words(
    place: &Place<'_>,
    container: &ContainerInspectResponse,
    now: Timestamp,
    patience: Duration,
) -> Option<String> {
    let end = end_of(container, now)?;
    let wanted = Wanted {
        lines: LINES,
        read_bytes: READ_BYTES,
        kept_bytes: KEPT_BYTES,
        within: Duration::ZERO,
        now,
        end: Instant::now() + patience,
    };
    let read = newest(place.engine, place.name, &wanted).await.ok()?;
    // The engine keeps one log for all runs; only a run that is over has its begin told.
    let state = container.state.as_ref();
    let began: Option<Timestamp> = state
        .filter(|state| state.running != Some(true))
        .and_then(|state| state.started_at.as_ref()?.parse().ok());
    let lines: Vec<String> = read
        .iter()
        .filter(|line| is_of_run(line.at, began))
        .map(|line| plain(&line.text(), MOST_CHARS).trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    choose(&lines, end)
}

/// Whether a line may be of the run that began then; where either time isn't told it may.
fn is_of_run(at: Option<Timestamp>, began: Option<Timestamp>) -> bool {
    at.zip(began)
        .is_none_or(|(at, began)| began.duration_since(at) <= EARLY)
}

/// The last line that tells, with those that belong to it; or else the last one.
fn choose(lines: &[String], end: End) -> Option<String> {
    let (tells, hollow) = (TELLS.as_ref()?, IS_HOLLOW.as_ref()?);
    let telling = lines
        .iter()
        .rposition(|line| tells.is_match(line) && !hollow.is_match(line));
    let Some(at) = telling else {
        let last = lines.iter().rfind(|line| !hollow.is_match(line));
        return last.filter(|_| end == End::ByItself).cloned();
    };
    let (first, rest) = lines.get(at..)?.split_first()?;
    let mut words = first.clone();
    for line in rest.iter().take(FOLLOWING).take_while(|line| goes_on(line)) {
        words.push(' ');
        words.push_str(line);
    }
    Some(plain(&words, MOST_CHARS))
}

/// Whether a line belongs to the one before: an entry of its own begins with a time, a level or a brace.
fn goes_on(line: &str) -> bool {
    !line.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '{' | '[' | '<' | '#'))
}

#[cfg(test)]
#[path = "last_tests.rs"]
mod tests;
