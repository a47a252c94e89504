//! `host.filesystems`: how full the real file systems of a machine are, in bytes and in inodes.

use std::collections::{BTreeMap, BTreeSet};

use rustix::io::Errno;
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::timeout_at,
};

use super::{
    machine::Machine,
    mounts::{FSTAB, Mount, PSEUDO, Volumes, mounts, read_only},
};
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
            "those that do not answer or answer with an error (a network file system whose server is away, a disk that fails)",
        ),
        texts("silent_names", "where they are mounted"),
        count(
            "read_only",
            "disks that take writes by rights and do not now: mounted read-only although they were mounted with errors=remount-ro, or by the kernel after an error; not what was mounted read-only on purpose. On the machine that Handbell runs on alone",
        ),
        texts("read_only_names", "where they are mounted"),
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
    let looked = if machine.is_here() {
        here(machine, volumes).await?
    } else {
        there(machine).await?
    };
    Ok(sighting(looked, &given))
}

/// All that was found out.
#[derive(Default)]
struct Looked {
    found: Vec<One>,
    silent: Vec<String>,
    read_only: Vec<String>,
}

async fn here(machine: &Machine<'_>, volumes: Option<&Volumes>) -> Result<Looked, Blind> {
    let files = machine.files(&["/proc/self/mountinfo", FSTAB]).await?;
    let file = |path: &str| files.get(path).map_or("", String::as_str);
    let text = file("/proc/self/mountinfo");
    if text.is_empty() {
        return Err(machine.stranger("its mounts are not told (/proc/self/mountinfo)"));
    }
    let mounts = mounts(text, volumes);
    let read_only = read_only(text, file(FSTAB), volumes);
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
        // One that answers with an error (ESTALE, EIO) stays among those that are waited for.
        let Some(room) = room else {
            continue;
        };
        waiting.remove(&mount.at);
        if room.size > 0 {
            found.push(One { mount, room, owner });
        }
    }
    asked.detach_all();
    Ok(Looked {
        found,
        silent: waiting.into_iter().collect(),
        read_only,
    })
}

/// None where it answers with an error that tells of the file system; one that Handbell's user may
/// not ask, or that is gone meanwhile, has no size.
fn room(at: &str) -> Option<Room> {
    let raw = match rustix::fs::statvfs(at) {
        Ok(raw) => raw,
        Err(Errno::ACCESS | Errno::PERM | Errno::NOENT | Errno::NOTDIR) => {
            return Some(Room::default());
        }
        Err(_) => return None,
    };
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

/// The rows of an answer of `df`, split into words: none when its header is not there, a row is
/// cut short, or `/` is missing. What a login prints before the header is left out.
fn table(text: &str, columns: usize) -> Option<Vec<Vec<&str>>> {
    let mut lines = text
        .lines()
        .skip_while(|line| !(line.starts_with("Filesystem") && line.contains("Mounted on")));
    lines.next()?;
    let rows: Vec<Vec<&str>> = lines
        .map(|line| line.split_whitespace().collect())
        .collect();
    let whole = text.ends_with('\n') && rows.iter().all(|row| row.len() >= columns);
    let root = rows.iter().any(|row| row.last() == Some(&"/"));
    (whole && root).then_some(rows)
}

/// File systems of which `df` says that they answer with an error (`df: /mnt: Stale file handle`).
fn failing(errors: &str) -> Vec<String> {
    let told = errors.lines().filter_map(|line| {
        let (at, why) = line.strip_prefix("df: ")?.rsplit_once(": ")?;
        let kept = [
            "Permission denied",
            "Operation not permitted",
            "No such file",
        ];
        let hidden = kept.iter().any(|words| why.starts_with(words));
        (at.starts_with('/') && !hidden).then(|| at.to_owned())
    });
    told.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The same by `df`, once for bytes and once for inodes.
async fn there(machine: &Machine<'_>) -> Result<Looked, Blind> {
    let bytes = machine
        .whole(&["env", "LC_ALL=C", "df", "-P", "-k", "-T"])
        .await?;
    let inodes = machine
        .whole(&["env", "LC_ALL=C", "df", "-P", "-i"])
        .await?;
    let (bytes_text, inodes_text) = (bytes.text(), inodes.text());
    let rows = table(&bytes_text, 7).ok_or_else(|| machine.failed(&bytes))?;
    let inode_rows = table(&inodes_text, 6).ok_or_else(|| machine.failed(&inodes))?;
    let mut free: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for words in &inode_rows {
        if let [_, all, _, left, _, at @ ..] = words.as_slice()
            && let (Ok(all), Ok(left)) = (all.parse(), left.parse())
        {
            free.insert(at.join(" "), (all, left));
        }
    }
    let mut found: Vec<One> = Vec::new();
    for words in &rows {
        let [device, kind, size, used, available, _, at @ ..] = words.as_slice() else {
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
    Ok(Looked {
        found,
        silent: failing(&bytes.errors()),
        read_only: Vec::new(),
    })
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
fn sighting(looked: Looked, given: &Given<'_>) -> Sighting {
    let Looked {
        mut found,
        silent,
        read_only,
    } = looked;
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
    for at in &read_only {
        seen.line(format!("{at}: takes no writes (read-only)"));
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
        .fact("read_only", read_only.len())
        .fact("read_only_names", read_only)
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
