//! Where a log is, and its newest part as lines with their times.
//!
//! Reading goes from the end backwards and stops at its bound, so a large log costs what its tail
//! costs: a file of this machine is read in blocks, one in a container by `tail` there, and what
//! a container prints is asked of its engine.

use std::{
    path::Path,
    time::{Duration, Instant as StdInstant},
};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    stamp::{self, When, Zone},
    tail::{self, Obstacle, Tail},
};
use crate::{
    domain::diagnosis::{Blind, Unseen},
    probes::{
        docker::{Failure, Inside},
        run,
        seen::plain,
    },
};

/// The most that is kept of one line, in bytes.
const LINE_BYTES: usize = 8 * 1024;

/// The most lines that are kept.
const LINES: usize = 100_000;

/// The first attempt at a file in a container, in bytes: enough for a few minutes of most logs.
const FIRST_BYTES: usize = 512 * 1024;

/// Where a log is.
#[derive(Clone, Copy)]
pub(in crate::probes) enum Source<'a> {
    /// A file of this machine.
    File(&'a Path),
    /// A file of a container.
    Inside(Inside<'a>, &'a str),
    /// What a container prints.
    Printed(Inside<'a>),
    /// The journal of a systemd unit of this machine.
    Journal(&'a str),
}

/// What is wanted of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::probes) struct Want {
    /// No line older than this.
    pub(in crate::probes) since: Option<Timestamp>,
    /// No line younger than this.
    pub(in crate::probes) until: Option<Timestamp>,
    /// At most so many bytes, from the end.
    pub(in crate::probes) bytes: usize,
    /// At most so many of the newest lines.
    pub(in crate::probes) lines: usize,
    /// Now.
    pub(in crate::probes) now: Timestamp,
    /// How long to wait.
    pub(in crate::probes) patience: Duration,
    /// Until when that is.
    pub(in crate::probes) end: Instant,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probes) struct Record {
    /// When it was written; that of the line before for one without a time of its own.
    pub(in crate::probes) at: Option<Timestamp>,
    /// Its text, bytes that are no text replaced.
    pub(in crate::probes) text: String,
}

/// What was read.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, told as it is"
)]
#[derive(Debug, Default)]
pub(in crate::probes) struct Haul {
    /// The lines of the window, the oldest first.
    pub(in crate::probes) records: Vec<Record>,
    /// Where that was, as the reader knows it.
    pub(in crate::probes) place: String,
    /// Bytes that were read.
    pub(in crate::probes) bytes: usize,
    /// The size of the file.
    pub(in crate::probes) size: Option<u64>,
    /// Reading has stopped at its bound, and older lines of the window were not looked at.
    pub(in crate::probes) stopped: bool,
    /// Something is no text.
    pub(in crate::probes) binary: bool,
    /// A part is from the file that the rotation has renamed.
    pub(in crate::probes) rotated: bool,
    /// Lines carry times. Where none does, the lines count when the file was written within the
    /// window.
    pub(in crate::probes) dated: bool,
}

/// Reads the newest part of `source`.
///
/// # Errors
/// It can't be read, with the reason.
pub(in crate::probes) async fn haul(source: Source<'_>, want: Want) -> Result<Haul, Blind> {
    let mut haul = match source {
        Source::File(path) => file(path, want).await?,
        Source::Inside(inside, path) => in_container(inside, path, want).await?,
        Source::Printed(inside) => printed(inside, want).await?,
        Source::Journal(unit) => journal(unit, want).await?,
    };
    if haul.records.len() > want.lines {
        haul.records.drain(..haul.records.len() - want.lines);
        haul.stopped = true;
    }
    Ok(haul)
}

async fn file(path: &Path, want: Want) -> Result<Haul, Blind> {
    let shown = path.display().to_string();
    let path = path.to_owned();
    let end: StdInstant = want.end.into_std();
    let work = tokio::task::spawn_blocking(move || {
        let now = want.now;
        let enough = move |block: &[u8], modified: Option<Timestamp>| {
            want.since
                .is_some_and(|since| is_older(block, modified, since, now))
        };
        let most = u64::try_from(want.bytes).unwrap_or(u64::MAX);
        let tail = tail::read(&path, most, end, enough)?;
        // A window that begins before the file does goes on in the one that it was renamed from.
        let left = most.saturating_sub(tail.data.len() as u64);
        let early = want
            .since
            .is_none_or(|since| !is_older(&tail.data, tail.modified, since, now));
        let before = (tail.whole && early && left > 0)
            .then(|| tail::rotated(&path))
            .flatten()
            .and_then(|older| tail::read(&older, left, end, enough).ok());
        Ok((tail, before))
    });
    let done = tokio::time::timeout_at(want.end, work).await;
    let (tail, before) = match done {
        Ok(Ok(Ok(read))) => read,
        Ok(Ok(Err(obstacle))) => return Err(unseen(&obstacle, &shown).into()),
        Ok(Err(error)) => return Err(not_readable(&shown, &error.to_string()).into()),
        Err(_) => return Err(not_readable(&shown, "the file system does not answer").into()),
    };
    Ok(made(shown, &tail, before.as_ref(), want))
}

/// Whether the first whole line of `block` that has a time is older than `since`.
fn is_older(block: &[u8], modified: Option<Timestamp>, since: Timestamp, now: Timestamp) -> bool {
    let text = String::from_utf8_lossy(block);
    let last = text.lines().rev().find_map(|line| stamp::find(line, now));
    let zone = last.map_or_else(Zone::default, |last| Zone::guess(last, modified));
    let first = text
        .lines()
        .skip(1)
        .find_map(|line| zone.resolve(stamp::find(line, now)?));
    first.is_some_and(|first| first < since)
}

/// The lines of a file's tail and of the file before it.
fn made(place: String, tail: &Tail, before: Option<&Tail>, want: Want) -> Haul {
    let mut haul = Haul {
        place,
        bytes: tail.data.len() + before.map_or(0, |before| before.data.len()),
        size: Some(tail.size),
        stopped: !tail.whole || tail.shrank || before.is_some_and(|before| !before.whole),
        rotated: before.is_some_and(|before| !before.data.is_empty()),
        ..Haul::default()
    };
    let mut raw: Vec<(Option<When>, String)> = Vec::new();
    for tail in before.into_iter().chain([tail]) {
        lines(&tail.data, tail.whole, want.now, &mut raw, &mut haul);
    }
    let last = raw.iter().rev().find_map(|(when, _)| *when);
    haul.dated = last.is_some();
    let zone = last.map_or_else(Zone::default, |last| Zone::guess(last, tail.modified));
    // Lines before the first time are as old as it, at least.
    let mut at = raw
        .iter()
        .find_map(|(when, _)| *when)
        .and_then(|when| zone.resolve(when));
    let mut oldest_is_early = false;
    for (n, (when, text)) in raw.into_iter().enumerate() {
        at = when.and_then(|when| zone.resolve(when)).or(at);
        let known = if haul.dated { at } else { tail.modified };
        let early = known.zip(want.since).is_some_and(|(at, since)| at < since);
        let late = known.zip(want.until).is_some_and(|(at, until)| at > until);
        oldest_is_early |= n == 0 && early;
        if !early && !late {
            haul.records.push(Record { at, text });
        }
    }
    // What was not read is older still than what was read and not wanted.
    haul.stopped &= !oldest_is_early;
    haul
}

fn lines(
    data: &[u8],
    whole: bool,
    now: Timestamp,
    into: &mut Vec<(Option<When>, String)>,
    haul: &mut Haul,
) {
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    if data.is_empty() {
        return;
    }
    let mut parts: Vec<&[u8]> = data.rsplit(|byte| *byte == b'\n').take(LINES).collect();
    parts.reverse();
    // The first part of a tail is what is left of a line, unless it is all that there is.
    let skip = usize::from(!whole && parts.len() > 1);
    for part in parts.into_iter().skip(skip) {
        let cut = part.get(..LINE_BYTES).unwrap_or(part);
        haul.binary |= cut.contains(&0) || is_no_text(cut);
        let text = String::from_utf8_lossy(cut).into_owned();
        into.push((stamp::find(&text, now), text));
    }
}

/// Whether these bytes are no text; a character that was cut at the end does not count.
fn is_no_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_some())
}

async fn in_container(inside: Inside<'_>, path: &str, want: Want) -> Result<Haul, Blind> {
    let place = format!("{}:{path}", inside.name);
    let failed = |failure: Failure| inside.blind(&failure, want.patience);
    let stat = inside.stat(path, want.end).await.map_err(failed)?;
    let Some(stat) = stat else {
        return Err(Blind::Unknown(Unseen::NoSuchPath { path: place }));
    };
    if stat.link.as_deref().is_some_and(is_printed) {
        // What the official images do with their logs: the file is the container's own output.
        return printed(inside, want).await;
    }
    if stat.directory {
        return Err(not_readable(&place, "it is a directory").into());
    }
    let mut most = FIRST_BYTES.min(want.bytes);
    loop {
        let tail = tail_inside(inside, path, &place, most, want).await?;
        let old = want
            .since
            .is_some_and(|since| is_older(&tail.data, stat.modified, since, want.now));
        if tail.whole || old || most >= want.bytes {
            let tail = Tail {
                size: if stat.link.is_some() {
                    tail.size
                } else {
                    stat.size
                },
                modified: stat.modified.filter(|_| stat.link.is_none()),
                ..tail
            };
            return Ok(made(place, &tail, None, want));
        }
        most = want.bytes;
    }
}

/// Where a link leads that stands for the output of the container's first process.
fn is_printed(link: &str) -> bool {
    matches!(
        link,
        "/dev/stdout"
            | "/dev/stderr"
            | "/dev/fd/1"
            | "/dev/fd/2"
            | "/proc/1/fd/1"
            | "/proc/1/fd/2"
            | "/proc/self/fd/1"
            | "/proc/self/fd/2"
    )
}

async fn tail_inside(
    inside: Inside<'_>,
    path: &str,
    place: &str,
    most: usize,
    want: Want,
) -> Result<Tail, Blind> {
    let failed = |failure: Failure| inside.blind(&failure, want.patience);
    let count = most.to_string();
    let words = ["tail", "-c", &count, "--", path];
    let said = match inside.exec(&words, most, want.end).await {
        Ok(said) => said,
        // It does not run: the engine itself hands the file out, from its beginning.
        Err(Failure::Said(..)) => return from_archive(inside, path, place, want).await,
        Err(failure) => return Err(failed(failure)),
    };
    if said.is_not_there() {
        return from_archive(inside, path, place, want).await;
    }
    if said.code == Some(0) {
        let whole = said.out.len() < most;
        return Ok(Tail {
            size: said.out.len() as u64,
            data: said.out,
            whole,
            ..Tail::default()
        });
    }
    let errors = said.errors();
    if errors.contains("Permission denied") {
        return Err(Blind::Unknown(Unseen::PermissionDenied {
            path: place.to_owned(),
        }));
    }
    Err(not_readable(place, &said.why()).into())
}

async fn from_archive(
    inside: Inside<'_>,
    path: &str,
    place: &str,
    want: Want,
) -> Result<Tail, Blind> {
    let found = inside.files(path, want.bytes, want.end).await;
    let found = found.map_err(|failure| inside.blind(&failure, want.patience))?;
    let Some((mut files, cut)) = found else {
        return Err(Blind::Unknown(Unseen::NoSuchPath {
            path: place.to_owned(),
        }));
    };
    let content = files.pop_first().map(|(_, entry)| entry);
    match content {
        Some(crate::probes::docker::Entry::File(data)) if !cut => Ok(Tail {
            size: data.len() as u64,
            data,
            whole: true,
            ..Tail::default()
        }),
        _ => Err(not_readable(
            place,
            "the container does not run, or has no `tail`, and the file is too large to be read from its beginning",
        )
        .into()),
    }
}

async fn printed(inside: Inside<'_>, want: Want) -> Result<Haul, Blind> {
    let since = want.since.map(|since| want.now.duration_since(since));
    let within = since.and_then(|since| since.try_into().ok());
    let read = inside
        .printed(
            want.lines,
            want.bytes,
            within.unwrap_or_default(),
            want.now,
            want.end,
        )
        .await;
    let read = read.map_err(|failure| inside.blind(&failure, want.patience))?;
    let mut haul = Haul {
        place: format!("log of {}", inside.name),
        bytes: read.bytes,
        stopped: read.truncated || read.overflowed,
        binary: read.binary,
        dated: true,
        ..Haul::default()
    };
    for line in read.iter() {
        let late = line
            .at
            .zip(want.until)
            .is_some_and(|(at, until)| at > until);
        if !late {
            haul.records.push(Record {
                at: line.at,
                text: line.text(),
            });
        }
    }
    Ok(haul)
}

/// The journal of `unit`, by journalctl's own words (`-o short-iso`, a time with its zone).
async fn journal(unit: &str, want: Want) -> Result<Haul, Blind> {
    let lines = want.lines.to_string();
    let unit_arg = format!("--unit={unit}");
    let since = want
        .since
        .map(|since| format!("--since=@{}", since.as_second()));
    let mut words = vec![
        "--no-pager",
        "--quiet",
        "-o",
        "short-iso",
        "-n",
        &lines,
        &unit_arg,
    ];
    if let Some(since) = &since {
        words.push(since);
    }
    let place = format!("journal of {unit}");
    let done = run::program(Path::new("journalctl"), &words, want.bytes, want.end).await;
    let done = done.map_err(|error| Blind::from(not_readable(&place, &error.to_string())))?;
    if done.code != Some(0) && done.out.is_empty() {
        return Err(not_readable(&place, &plain(done.errors().trim(), 200)).into());
    }
    let tail = Tail {
        size: done.out.len() as u64,
        data: done.out,
        whole: true,
        modified: Some(want.now),
        shrank: done.cut,
    };
    let mut haul = made(place, &tail, None, want);
    haul.size = None;
    Ok(haul)
}

fn unseen(obstacle: &Obstacle, path: &str) -> Unseen {
    match obstacle {
        Obstacle::Missing => Unseen::NoSuchPath {
            path: path.to_owned(),
        },
        Obstacle::Permission => Unseen::PermissionDenied {
            path: path.to_owned(),
        },
        Obstacle::NoFile(what) => not_readable(path, &format!("it is {what}")),
        Obstacle::Other(detail) => not_readable(path, detail),
    }
}

fn not_readable(path: &str, detail: &str) -> Unseen {
    Unseen::NotReadable {
        path: path.to_owned(),
        detail: detail.to_owned(),
    }
}
