//! `host.deleted`: files that were deleted and that a process still holds open. They have no name
//! any more, so no search finds them, and their room is free only when the process lets go.

use std::{
    collections::HashSet,
    fs,
    os::unix::fs::MetadataExt,
    time::{Duration, Instant as StdInstant},
};

use tokio::{task::spawn_blocking, time::timeout_at};

use super::{
    machine::{Machine, NoAnswer},
    mounts::{Volumes, mounts},
};
use crate::{
    domain::{
        diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
        text::Text,
    },
    probes::{
        seen::Seen,
        shown::{bytes_shown, percent},
        spec::{bytes, count, flag, float, int, text, texts},
    },
};

/// Open files that are looked at, at most.
const MOST: usize = 200_000;

/// How many are told.
const TOP: usize = 8;

/// Size of the blocks in which the kernel counts what a file takes (stat(2)).
const BLOCK: u64 = 512;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "host.deleted",
    summary: "files that were deleted and are still held open: room that no search finds",
    targets: &[TargetKind::Host],
    args: &[],
    facts: &[
        count(
            "deleted",
            "such files, on the file systems that host.filesystems looks at",
        ),
        bytes("deleted_bytes", "what they take"),
        text("largest", "the largest one's former name").optional(),
        bytes("largest_bytes", "what it takes"),
        text("largest_process", "the process that holds it").optional(),
        int("largest_pid", Unit::None, "its process id").optional(),
        text("largest_mount", "the file system that it lies on").optional(),
        float(
            "largest_percent",
            Unit::Percent,
            "share of that file system that it takes",
        )
        .optional(),
        float(
            "mount_used_percent",
            Unit::Percent,
            "how full that file system is",
        )
        .optional(),
        texts("files", "the largest, one line each"),
        count(
            "denied",
            "processes whose open files Handbell's user may not see",
        ),
        flag(
            "stopped_early",
            "there were more open files than are looked at",
        ),
    ],
    per_key: None,
};

struct Held {
    size: u64,
    name: String,
    pid: i64,
    process: String,
    mount: String,
}

#[derive(Default)]
struct Found {
    held: Vec<Held>,
    denied: usize,
    stopped: bool,
}

/// Looks at every open file.
///
/// # Errors
/// It is another machine, or the time was up.
pub(super) async fn look(
    machine: &Machine<'_>,
    volumes: Option<&Volumes>,
) -> Result<Sighting, Blind> {
    if !machine.is_here() {
        return Err(Blind::NotApplicable(Text::new(
            "open files are looked at on the machine that Handbell runs on alone",
            "只在 Handbell 所在的机器上检查已打开的文件",
        )));
    }
    let files = machine.files(&["/proc/self/mountinfo"]).await?;
    let text = files.into_values().next().unwrap_or_default();
    let places: Vec<String> = mounts(&text, volumes)
        .into_iter()
        .map(|one| one.at)
        .collect();
    let end = StdInstant::now() + machine.patience.mul_f64(0.8);
    let work = spawn_blocking(move || search(&places, end));
    match timeout_at(machine.end, work).await {
        Ok(Ok(found)) => Ok(sighting(found)),
        _ => Err(machine.blind(&NoAnswer::TimedOut)),
    }
}

fn search(places: &[String], end: StdInstant) -> Found {
    let devices: Vec<(u64, &String)> = places
        .iter()
        .filter_map(|at| Some((fs::metadata(at).ok()?.dev(), at)))
        .collect();
    let mut found = Found::default();
    let mut known: HashSet<(u64, u64)> = HashSet::new();
    let mut looked = 0;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i64>() else {
            continue;
        };
        let Ok(open) = fs::read_dir(entry.path().join("fd")) else {
            found.denied += 1;
            continue;
        };
        for file in open.flatten() {
            looked += 1;
            if looked >= MOST || StdInstant::now() + Duration::from_millis(5) >= end {
                found.stopped = true;
                return found;
            }
            let Ok(name) = fs::read_link(file.path()) else {
                continue;
            };
            let name = name.to_string_lossy().into_owned();
            let Some(name) = name.strip_suffix(" (deleted)") else {
                continue;
            };
            // The link leads to the open file itself, though it has no name any more.
            let Ok(about) = fs::metadata(file.path()) else {
                continue;
            };
            let place = devices.iter().find(|(device, _)| *device == about.dev());
            let Some((_, mount)) = place else {
                continue;
            };
            if about.is_file() && about.nlink() == 0 && known.insert((about.dev(), about.ino())) {
                let process = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                found.held.push(Held {
                    size: about.blocks() * BLOCK,
                    name: name.to_owned(),
                    pid,
                    process: process.trim().to_owned(),
                    mount: (*mount).clone(),
                });
            }
        }
    }
    found
}

fn sighting(mut found: Found) -> Sighting {
    found.held.sort_by_key(|it| std::cmp::Reverse(it.size));
    let shown = |size: u64| bytes_shown(i64::try_from(size).unwrap_or(i64::MAX));
    let lines: Vec<String> = found
        .held
        .iter()
        .take(TOP)
        .map(|one| {
            format!(
                "{} {} held by {} (pid {}) on {}",
                shown(one.size),
                one.name,
                one.process,
                one.pid,
                one.mount
            )
        })
        .collect();
    let total: u64 = found.held.iter().map(|one| one.size).sum();
    let first = found.held.first();
    let room = first.and_then(|one| rustix::fs::statvfs(one.mount.as_str()).ok());
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let share = first.zip(room.as_ref()).and_then(|(one, room)| {
        percent(
            number(one.size),
            number(room.f_blocks.saturating_mul(room.f_frsize)),
        )
    });
    let used = room.and_then(|room| {
        let used = number(room.f_blocks.saturating_sub(room.f_bfree));
        percent(used, used.saturating_add(number(room.f_bavail)))
    });
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} deleted files are held open, {} in all",
        found.held.len(),
        shown(total)
    ));
    for line in &lines {
        seen.line(line);
    }
    seen.fact("deleted", found.held.len())
        .fact("deleted_bytes", total)
        .fact("largest", first.map(|one| one.name.as_str()))
        .fact("largest_bytes", first.map_or(0, |one| one.size))
        .fact("largest_process", first.map(|one| one.process.as_str()))
        .fact("largest_pid", first.map(|one| one.pid))
        .fact("largest_mount", first.map(|one| one.mount.as_str()))
        .fact("largest_percent", share)
        .fact("mount_used_percent", used)
        .fact("files", lines)
        .fact("denied", found.denied)
        .fact("stopped_early", found.stopped);
    seen.done()
}
