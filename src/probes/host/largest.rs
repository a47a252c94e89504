//! `host.largest`: the largest directories and files below a path, what was written in the last
//! day, and old logs and backups.
//!
//! The walk is bounded in entries and in time, never leaves the file system that it begins on and
//! follows no link; what it has not come to is said.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Instant as StdInstant, SystemTime},
};

use tokio::{task::spawn_blocking, time::timeout_at};

use super::machine::{Machine, said};
use crate::{
    app::{Clock, SystemClock},
    domain::{
        diagnosis::{ArgSpec, ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit, Unseen},
        handbook::{ArgValue, Args},
    },
    probes::{
        args::Given,
        seen::Seen,
        shown::bytes_shown,
        spec::{arg, bytes, count, flag, float, text, texts},
    },
};

/// Size of the blocks in which the kernel counts what a file takes (stat(2), `st_blocks`).
const BLOCK: u64 = 512;

/// How deep directories are told apart; what lies deeper counts for the one above.
const DEPTH: usize = 6;

/// A directory is not told when one below it holds this share of it: that one is the better answer.
const MAIN_SHARE: f64 = 0.8;

/// The part of the time that the walk may take.
const TIME_PART: f64 = 0.7;

/// A day, in seconds.
const DAY_S: u64 = 86_400;

/// From which age a log counts as old, in seconds: seven days (handbook 2.7, `-mtime +7`).
const OLD_LOG_S: u64 = 7 * DAY_S;

/// From which age a backup counts as old, in seconds: thirty days (handbook 2.7, `-mtime +30`).
const OLD_BACKUP_S: u64 = 30 * DAY_S;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "host.largest",
    summary: "the largest directories and files below a path, what grows, and old logs and backups; a walk with limits that says when it stopped early",
    targets: &[TargetKind::Host],
    args: &[
        ArgSpec {
            name: "path",
            kind: ArgType::Text,
            default: Some("/"),
            range: None,
            meaning: "an absolute path; the walk does not leave its file system",
        },
        arg("top", ArgType::Int, "10", (1, 50), "how many of each are told"),
        arg("entries", ArgType::Int, "400000", (100, 5_000_000), "how many entries are looked at, at most"),
    ],
    facts: &[
        text("path", "where the walk began"),
        count("entries", "entries that were looked at"),
        flag("stopped_early", "the walk has stopped at its limit, and sizes are at least what is told"),
        count("denied", "directories that could not be read"),
        bytes("total_bytes", "what was seen takes on disk"),
        text("largest_directory", "the largest directory that no single one below it makes large").optional(),
        bytes("largest_directory_bytes", "what it takes"),
        text("largest_file", "the largest file").optional(),
        bytes("largest_file_bytes", "what it takes"),
        texts("directories", "the largest directories, one line each"),
        texts("files", "the largest files, one line each"),
        bytes("log_bytes", "what files take that are logs by their name"),
        text("largest_log", "the largest of them").optional(),
        bytes("largest_log_bytes", "what it takes"),
        count("old_logs", "logs that nobody has written to for seven days"),
        bytes("old_logs_bytes", "what they take"),
        count("old_backups", "backups by their name (.sql, .dump, .bak) older than thirty days"),
        bytes("old_backups_bytes", "what they take"),
        bytes("growth_bytes_per_day", "an estimate, at most: files made in the last day, and the mean daily growth of older ones that were written in it; what was deleted is not counted").optional(),
        bytes("available_bytes", "what can still be written there").optional(),
        float("days_until_full", Unit::None, "how long that lasts at this growth, at least; none when the walk has stopped early or nothing grows").optional(),
    ],
    per_key: None,
};

/// Walks.
///
/// # Errors
/// There is no such directory, or the machine could not be asked.
pub(super) async fn look(machine: &Machine<'_>, args: &Args) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let path = match args.get("path") {
        Some(ArgValue::Text(path)) if path.starts_with('/') => path.clone(),
        _ => "/".to_owned(),
    };
    let top = given.count("top");
    if !machine.is_here() {
        return there(machine, &path, top).await;
    }
    let end = StdInstant::now() + machine.patience.mul_f64(TIME_PART);
    let most = given.count("entries");
    let root = PathBuf::from(&path);
    let now: SystemTime = SystemClock.now().into();
    let work = spawn_blocking(move || {
        let walk = walk(&root, most, end, now);
        let free = rustix::fs::statvfs(&root).ok();
        walk.map(|walk| {
            (
                walk,
                free.map(|free| free.f_bavail.saturating_mul(free.f_frsize)),
            )
        })
    });
    match timeout_at(machine.end, work).await {
        Ok(Ok(Ok((walk, free)))) => Ok(sighting(&path, &walk, free, top)),
        Ok(Ok(Err(error))) => Err(Blind::Unknown(match error.kind() {
            std::io::ErrorKind::NotFound => Unseen::NoSuchPath { path },
            std::io::ErrorKind::PermissionDenied => Unseen::PermissionDenied { path },
            _ => Unseen::NotReadable {
                path,
                detail: error.to_string(),
            },
        })),
        _ => Err(Blind::Unknown(Unseen::NotReadable {
            path,
            detail: "the file system does not answer".to_owned(),
        })),
    }
}

/// What a walk has seen.
#[derive(Default)]
struct Walk {
    entries: usize,
    stopped: bool,
    denied: usize,
    total: u64,
    directories: BTreeMap<PathBuf, u64>,
    files: Vec<(u64, PathBuf)>,
    logs: u64,
    largest_log: Option<(u64, PathBuf)>,
    old_logs: (usize, u64),
    old_backups: (usize, u64),
    growth: f64,
}

/// Directory by directory, the shallow ones first, so that a walk that stops has seen something of
/// everything.
fn walk(root: &Path, most: usize, end: StdInstant, now: SystemTime) -> std::io::Result<Walk> {
    let device = fs::symlink_metadata(root)?.dev();
    fs::read_dir(root)?;
    let mut walk = Walk::default();
    let mut linked: HashSet<u64> = HashSet::new();
    let mut waiting = VecDeque::from([(root.to_owned(), 0_usize, root.to_owned())]);
    while let Some((directory, depth, told)) = waiting.pop_front() {
        if walk.entries >= most || StdInstant::now() >= end {
            walk.stopped = true;
            break;
        }
        let Ok(entries) = fs::read_dir(&directory) else {
            walk.denied += 1;
            continue;
        };
        let mut own = 0;
        for entry in entries.flatten() {
            walk.entries += 1;
            // One directory may hold a million files.
            if walk.entries % 256 == 0 && StdInstant::now() >= end {
                walk.stopped = true;
                break;
            }
            let Ok(about) = entry.metadata() else {
                continue;
            };
            // Another device is another file system; links are never followed.
            if about.dev() != device {
                continue;
            }
            let size = about.blocks() * BLOCK;
            if about.is_dir() {
                let path = entry.path();
                let told = if depth < DEPTH {
                    path.clone()
                } else {
                    told.clone()
                };
                waiting.push_back((path, depth + 1, told));
                own += size;
            } else if about.nlink() < 2 || linked.insert(about.ino()) {
                own += size;
                if about.is_file() {
                    walk.file(&entry.path(), size, &about, now);
                }
            }
        }
        walk.total += own;
        *walk.directories.entry(told).or_default() += own;
    }
    walk.files.sort_by(|a, b| b.cmp(a));
    Ok(walk)
}

impl Walk {
    fn file(&mut self, path: &Path, size: u64, about: &fs::Metadata, now: SystemTime) {
        let age = |at: std::io::Result<SystemTime>| {
            let at = at.ok()?;
            now.duration_since(at).ok().map(|age| age.as_secs())
        };
        let (written, made) = (age(about.modified()), age(about.created()));
        self.files.push((size, path.to_owned()));
        // The largest are wanted; a list of all would take as much memory as there are files.
        if self.files.len() > 4_096 {
            self.files.sort_by(|a, b| b.cmp(a));
            self.files.truncate(256);
        }
        if is_log(path) {
            self.logs += size;
            if self
                .largest_log
                .as_ref()
                .is_none_or(|(most, _)| size > *most)
            {
                self.largest_log = Some((size, path.to_owned()));
            }
            if written.is_some_and(|age| age >= OLD_LOG_S) {
                self.old_logs = (self.old_logs.0 + 1, self.old_logs.1 + size);
            }
        }
        if is_backup(path) && written.is_some_and(|age| age >= OLD_BACKUP_S) {
            self.old_backups = (self.old_backups.0 + 1, self.old_backups.1 + size);
        }
        if written.is_some_and(|age| age < DAY_S) {
            // Without a time of making it counts as old: its growth is not known then.
            let age = made.unwrap_or(u64::MAX).max(1);
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let share = if age <= DAY_S {
                1.0
            } else {
                DAY_S as f64 / age as f64
            };
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let grown = size as f64 * share;
            self.growth += grown;
        }
    }
}

/// `x.log`, `x.log.1`, `x.log.2.gz`, and what lies under a directory `log`.
fn is_log(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let named = name.ends_with(".log") || name.contains(".log.") || name.contains(".log-");
    named || path.components().any(|part| part.as_os_str() == "log")
}

fn is_backup(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    [".sql", ".dump", ".bak"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// The largest directories with all that lies below them; one that a single one below makes large
/// is left out, and so is the one that the walk began in: that it is large was known.
fn ranked<'a>(walk: &'a Walk, root: &Path) -> Vec<(u64, &'a Path)> {
    let mut sums: BTreeMap<&Path, u64> = BTreeMap::new();
    for (path, own) in &walk.directories {
        for above in path.ancestors() {
            *sums.entry(above).or_default() += own;
        }
    }
    let mut heaviest: BTreeMap<&Path, u64> = BTreeMap::new();
    for (path, sum) in &sums {
        if let Some(parent) = path.parent() {
            let most = heaviest.entry(parent).or_default();
            *most = (*most).max(*sum);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let telling = |path: &Path, sum: u64| {
        let below = heaviest.get(path).copied().unwrap_or(0);
        (below as f64) < sum as f64 * MAIN_SHARE
    };
    let mut all: Vec<(u64, &Path)> = sums
        .iter()
        .filter(|(path, _)| walk.directories.contains_key(**path) && **path != root)
        .filter(|(path, sum)| telling(path, **sum))
        .map(|(path, sum)| (*sum, *path))
        .collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    all
}

#[expect(clippy::cast_precision_loss, reason = "an estimate in days")]
#[expect(clippy::cast_possible_truncation, reason = "bytes of one day")]
fn sighting(path: &str, walk: &Walk, room: Option<u64>, top: usize) -> Sighting {
    let shown = |size: u64| bytes_shown(i64::try_from(size).unwrap_or(i64::MAX));
    let ranked = ranked(walk, Path::new(path));
    let line = |size: u64, path: &Path| format!("{} {}", shown(size), path.display());
    let directories: Vec<String> = ranked.iter().take(top).map(|(s, p)| line(*s, p)).collect();
    let files: Vec<String> = walk
        .files
        .iter()
        .take(top)
        .map(|(s, p)| line(*s, p))
        .collect();
    let days = room
        .filter(|_| !walk.stopped && walk.growth >= 1.0)
        .map(|room| room as f64 / walk.growth);
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} entries below {path}{}, {} in all",
        walk.entries,
        if walk.stopped {
            " (stopped at the limit)"
        } else {
            ""
        },
        shown(walk.total)
    ));
    for line in directories.iter().chain(&files) {
        seen.line(line);
    }
    let largest = ranked.first();
    let file = walk.files.first();
    let log = walk.largest_log.as_ref();
    let name = |path: &Path| path.display().to_string();
    seen.fact("path", path)
        .fact("entries", walk.entries)
        .fact("stopped_early", walk.stopped)
        .fact("denied", walk.denied)
        .fact("total_bytes", walk.total)
        .fact("largest_directory", largest.map(|(_, path)| name(path)))
        .fact(
            "largest_directory_bytes",
            largest.map_or(0, |(size, _)| *size),
        )
        .fact("largest_file", file.map(|(_, path)| name(path)))
        .fact("largest_file_bytes", file.map_or(0, |(size, _)| *size))
        .fact("directories", directories)
        .fact("files", files)
        .fact("log_bytes", walk.logs)
        .fact("largest_log", log.map(|(_, path)| name(path)))
        .fact("largest_log_bytes", log.map_or(0, |(size, _)| *size))
        .fact("old_logs", walk.old_logs.0)
        .fact("old_logs_bytes", walk.old_logs.1)
        .fact("old_backups", walk.old_backups.0)
        .fact("old_backups_bytes", walk.old_backups.1)
        .fact("growth_bytes_per_day", walk.growth as i64)
        .fact("available_bytes", room)
        .fact("days_until_full", days);
    seen.done()
}

/// The directories by `du`, with a limit of time of its own.
async fn there(machine: &Machine<'_>, path: &str, top: usize) -> Result<Sighting, Blind> {
    let seconds = machine
        .patience
        .mul_f64(TIME_PART)
        .as_secs()
        .max(1)
        .to_string();
    let words = ["timeout", &seconds, "du", "-x", "-k", "-d", "4", "--", path];
    let done = machine.run(&words).await.map_err(|no| machine.blind(&no))?;
    let mut walk = Walk {
        // Exit code of timeout(1) when the time was up.
        stopped: done.code == Some(124) || done.cut,
        ..Walk::default()
    };
    let mut sums: BTreeMap<PathBuf, u64> = BTreeMap::new();
    for line in done.text().lines() {
        if let Some((size, path)) = line.split_once('\t')
            && let Ok(size) = size.parse::<u64>()
        {
            sums.insert(PathBuf::from(path), size.saturating_mul(1024));
        }
    }
    if sums.is_empty() && !walk.stopped {
        return Err(said(&done));
    }
    walk.entries = sums.len();
    walk.total = sums
        .get(Path::new(path))
        .copied()
        .unwrap_or_else(|| sums.values().sum());
    // `du` has summed up already: what is below is taken off again.
    for (path, sum) in &sums {
        let below: u64 = sums
            .iter()
            .filter(|(other, _)| other.parent() == Some(path))
            .map(|(_, sum)| *sum)
            .sum();
        walk.directories
            .insert(path.clone(), sum.saturating_sub(below));
    }
    let mut sighting = sighting(path, &walk, None, top);
    sighting.facts.insert(
        "growth_bytes_per_day".to_owned(),
        crate::domain::diagnosis::Value::None,
    );
    Ok(sighting)
}
