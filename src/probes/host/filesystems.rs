//! `host.filesystems`: how full the real file systems of a machine are, in bytes and in inodes.
//!
//! Left out is what no writing fills: pseudo file systems, read-only images, layers of containers
//! (they lie on a file system that is looked at anyway), and volumes of a neighbour's containers.

use std::collections::{BTreeMap, BTreeSet};

use tokio::{
    task::{JoinSet, spawn_blocking},
    time::timeout_at,
};

use super::machine::{Machine, said};
use crate::{
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::Seen,
        shown::{bytes_shown, percent},
        spec::{arg, bytes, count, float, text, texts},
    },
};

/// Types that hold nothing of their own, or nothing that grows.
const PSEUDO: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "erofs",
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tracefs",
    "udf",
    "vfat",
];

/// How many file systems are looked at, at most.
const MOST: usize = 200;

/// States of a file system, the worst last.
const STATES: &[&str] = &["ok", "nearly-full", "full"];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "host.filesystems",
    summary: "how full the real file systems of a machine are, in bytes and in inodes; the worst first. Volumes of Docker count when a container of the targets or of their Compose projects has them",
    targets: &[TargetKind::Host],
    args: &[
        arg(
            "full_percent",
            ArgType::Int,
            "97",
            (50, 100),
            "from how many percent a file system is full, when less than a tenth of `spare_mb` is left",
        ),
        arg(
            "nearly_percent",
            ArgType::Int,
            "90",
            (50, 100),
            "from how many percent it is nearly full, when less than `spare_mb` is left",
        ),
        arg(
            "spare_mb",
            ArgType::Int,
            "10240",
            (1, 10_000_000),
            "how much room is enough whatever the percentage, in MiB",
        ),
    ],
    facts: &[
        count("filesystems", "file systems that were looked at"),
        count(
            "silent",
            "those that do not answer (a network file system whose server is away)",
        ),
        texts("silent_names", "where they are mounted"),
        text("state", "the worst one's state").one_of(STATES),
        count("full", "file systems that are full"),
        count("nearly_full", "file systems that are nearly full"),
        text("worst", "where the worst one is mounted").optional(),
        text("worst_type", "its type").optional(),
        text(
            "worst_container",
            "the container that it is a volume of; none when it is no volume",
        )
        .optional(),
        float(
            "worst_percent",
            Unit::Percent,
            "how full it is, as df counts it",
        )
        .optional(),
        bytes("worst_size_bytes", "its size").optional(),
        bytes(
            "worst_available_bytes",
            "what an ordinary user can still write",
        )
        .optional(),
        text("inodes_state", "the state by inodes of the worst one").one_of(STATES),
        text("inodes_worst", "where that one is mounted").optional(),
        text(
            "inodes_worst_container",
            "the container that it is a volume of",
        )
        .optional(),
        float(
            "inodes_percent",
            Unit::Percent,
            "share of its inodes in use",
        )
        .optional(),
        count("inodes_free", "files that it can still take").optional(),
        texts("lines", "each file system, one line"),
    ],
    per_key: None,
};

/// Volumes of Docker by the place where they are mounted on the engine's machine: the container
/// that is meant, or none for a neighbour's.
pub(super) type Volumes = BTreeMap<String, String>;

/// A file system that is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) at: String,
    kind: String,
    device: String,
}

/// What it holds.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    size: i64,
    used: i64,
    available: i64,
    inodes: i64,
    inodes_free: i64,
}

struct One {
    mount: Mount,
    room: Room,
    owner: Option<String>,
}

/// Looks at all of them.
///
/// # Errors
/// The machine could not be asked.
pub(super) async fn look(
    machine: &Machine<'_>,
    volumes: Option<&Volumes>,
    args: &Args,
) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let (found, silent) = if machine.is_here() {
        here(machine, volumes).await?
    } else {
        there(machine).await?
    };
    Ok(sighting(found, silent, &given))
}

/// The mounts of this machine that matter, one for each device, the shortest place.
pub(super) fn mounts(text: &str, volumes: Option<&Volumes>) -> Vec<Mount> {
    let mut found: BTreeMap<String, Mount> = BTreeMap::new();
    for line in text.lines() {
        let Some(mount) = mount(line, volumes) else {
            continue;
        };
        let shorter = found
            .get(&mount.device)
            .is_none_or(|other| mount.at.len() < other.at.len());
        if shorter {
            found.insert(mount.device.clone(), mount);
        }
    }
    found.into_values().take(MOST).collect()
}

/// A line of `/proc/self/mountinfo` (proc(5)): number, parent, device, root, place, options, …,
/// `-`, type, source, options of the file system.
fn mount(line: &str, volumes: Option<&Volumes>) -> Option<Mount> {
    let (head, tail) = line.split_once(" - ")?;
    let head: Vec<&str> = head.split(' ').collect();
    let tail: Vec<&str> = tail.split(' ').collect();
    let (kind, options) = (*tail.first()?, tail.get(2).copied().unwrap_or(""));
    let at = unescaped(head.get(4)?);
    let read_only = |options: &str| options.split(',').any(|option| option == "ro");
    let root = at == "/" && kind == "overlay";
    if (PSEUDO.contains(&kind) && !root) || read_only(options) || read_only(head.get(5)?) {
        return None;
    }
    // Each container's /dev/shm, and what the engine itself keeps of it.
    if at.contains("/docker/containers/") || at.contains("/containerd/") {
        return None;
    }
    let neighbours = volumes.is_some_and(|volumes| is_volume(&at) && !volumes.contains_key(&at));
    (!neighbours).then(|| Mount {
        kind: kind.to_owned(),
        device: (*head.get(2).unwrap_or(&"")).to_owned(),
        at,
    })
}

/// Where the engine mounts a volume: `<its directory>/volumes/<name>/_data`.
fn is_volume(at: &str) -> bool {
    at.contains("/volumes/") && at.ends_with("/_data")
}

/// `\040` is a blank, and so on.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(code) = code {
            out.push(char::from(code));
            rest = after.get(3..).unwrap_or("");
        } else {
            out.push('\\');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

async fn here(
    machine: &Machine<'_>,
    volumes: Option<&Volumes>,
) -> Result<(Vec<One>, Vec<String>), Blind> {
    let files = machine.files(&["/proc/self/mountinfo"]).await?;
    let text = files.into_values().next().unwrap_or_default();
    let mounts = mounts(&text, volumes);
    let mut waiting: BTreeSet<String> = mounts.iter().map(|mount| mount.at.clone()).collect();
    let mut asked = JoinSet::new();
    for mount in mounts {
        let owner = volumes.and_then(|volumes| volumes.get(&mount.at).cloned());
        // A network file system whose server is away never answers: each is asked by itself.
        asked.spawn(async move {
            let at = mount.at.clone();
            let room = spawn_blocking(move || room(&at)).await.ok().flatten();
            (mount, owner, room)
        });
    }
    let mut found = Vec::new();
    while let Ok(Some(done)) = timeout_at(machine.end, asked.join_next()).await {
        let Ok((mount, owner, room)) = done else {
            continue;
        };
        waiting.remove(&mount.at);
        if let Some(room) = room.filter(|room| room.size > 0) {
            found.push(One { mount, room, owner });
        }
    }
    asked.detach_all();
    Ok((found, waiting.into_iter().collect()))
}

fn room(at: &str) -> Option<Room> {
    let raw = rustix::fs::statvfs(at).ok()?;
    let bytes =
        |blocks: u64| i64::try_from(blocks.saturating_mul(raw.f_frsize)).unwrap_or(i64::MAX);
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Some(Room {
        size: bytes(raw.f_blocks),
        used: bytes(raw.f_blocks.saturating_sub(raw.f_bfree)),
        available: bytes(raw.f_bavail),
        inodes: number(raw.f_files),
        inodes_free: number(raw.f_ffree),
    })
}

/// The same by `df`, once for bytes and once for inodes.
async fn there(machine: &Machine<'_>) -> Result<(Vec<One>, Vec<String>), Blind> {
    let ask = async |words: &[&str]| machine.run(words).await.map_err(|no| machine.blind(&no));
    let bytes = ask(&["df", "-P", "-k", "-T"]).await?;
    let inodes = ask(&["df", "-P", "-i"]).await?;
    let mut free: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for line in inodes.text().lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [_, all, _, left, _, at @ ..] = &words[..]
            && let (Ok(all), Ok(left)) = (all.parse(), left.parse())
        {
            free.insert(at.join(" "), (all, left));
        }
    }
    let mut found: Vec<One> = Vec::new();
    for line in bytes.text().lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [device, kind, size, used, available, _, at @ ..] = &words[..] else {
            continue;
        };
        let number = |text: &str| text.parse::<i64>().map_or(0, |kilobytes| kilobytes * 1024);
        let at = at.join(" ");
        if (PSEUDO.contains(kind) && at != "/") || number(size) == 0 {
            continue;
        }
        let (inodes, inodes_free) = free.get(&at).copied().unwrap_or_default();
        found.push(One {
            room: Room {
                size: number(size),
                used: number(used),
                available: number(available),
                inodes,
                inodes_free,
            },
            mount: Mount {
                kind: (*kind).to_owned(),
                device: (*device).to_owned(),
                at,
            },
            owner: None,
        });
    }
    if found.is_empty() {
        return Err(said(&bytes));
    }
    Ok((found, Vec::new()))
}

impl One {
    /// As df counts it: what is kept back for root is neither used nor available.
    fn percent(&self) -> f64 {
        let all = self.room.used.saturating_add(self.room.available);
        percent(self.room.used, all).unwrap_or(0.0)
    }

    fn inodes_percent(&self) -> Option<f64> {
        percent(self.room.inodes - self.room.inodes_free, self.room.inodes)
    }
}

#[expect(clippy::cast_precision_loss, reason = "limits of whole percents")]
fn sighting(mut found: Vec<One>, silent: Vec<String>, given: &Given<'_>) -> Sighting {
    let spare = given.int("spare_mb").saturating_mul(1024 * 1024);
    let (full, nearly) = (
        given.int("full_percent") as f64,
        given.int("nearly_percent") as f64,
    );
    let class = |one: &One| {
        let (used, left) = (one.percent(), one.room.available);
        usize::from(used >= nearly && left < spare) + usize::from(used >= full && left < spare / 10)
    };
    let inode_class = |one: &One| {
        let used = one.inodes_percent().unwrap_or(0.0);
        usize::from(used >= nearly.max(95.0)) + usize::from(used >= 99.0)
    };
    let order = |one: &One| (class(one), one.percent());
    found.sort_by(|a, b| {
        let (a, b) = (order(a), order(b));
        b.0.cmp(&a.0).then_with(|| b.1.total_cmp(&a.1))
    });
    let lines: Vec<String> = found.iter().map(line).collect();
    let mut seen = Seen::new(&SPEC);
    for line in &lines {
        seen.line(line);
    }
    for at in &silent {
        seen.line(format!("{at}: does not answer"));
    }
    let worst = found.first();
    let by_inodes = found.iter().max_by(|a, b| {
        let of = |one: &One| one.inodes_percent().unwrap_or(0.0);
        of(a).total_cmp(&of(b))
    });
    let word = |class: usize| STATES.get(class).copied().unwrap_or("full");
    seen.fact("filesystems", found.len())
        .fact("silent", silent.len())
        .fact("silent_names", silent)
        .fact("full", found.iter().filter(|one| class(one) == 2).count())
        .fact(
            "nearly_full",
            found.iter().filter(|one| class(one) == 1).count(),
        )
        .fact("state", worst.map_or("ok", |one| word(class(one))))
        .fact("worst", worst.map(|one| one.mount.at.as_str()))
        .fact("worst_type", worst.map(|one| one.mount.kind.as_str()))
        .fact("worst_container", worst.and_then(|one| one.owner.clone()))
        .fact("worst_percent", worst.map(One::percent))
        .fact("worst_size_bytes", worst.map(|one| one.room.size))
        .fact("worst_available_bytes", worst.map(|one| one.room.available))
        .fact(
            "inodes_state",
            by_inodes.map_or("ok", |one| word(inode_class(one))),
        )
        .fact("inodes_worst", by_inodes.map(|one| one.mount.at.as_str()))
        .fact(
            "inodes_worst_container",
            by_inodes.and_then(|one| one.owner.clone()),
        )
        .fact("inodes_percent", by_inodes.and_then(One::inodes_percent))
        .fact(
            "inodes_free",
            by_inodes
                .filter(|one| one.room.inodes > 0)
                .map(|one| one.room.inodes_free),
        )
        .fact("lines", lines);
    seen.done()
}

fn line(one: &One) -> String {
    let inodes = one
        .inodes_percent()
        .map_or(String::new(), |used| format!(", inodes {used:.0} %"));
    let owner = one
        .owner
        .as_ref()
        .map_or(String::new(), |owner| format!(" (volume of {owner})"));
    format!(
        "{}{owner}: {:.0} % of {} used, {} left{inodes}",
        one.mount.at,
        one.percent(),
        bytes_shown(one.room.size),
        bytes_shown(one.room.available),
    )
}

#[cfg(test)]
#[path = "filesystems_tests.rs"]
mod tests;
