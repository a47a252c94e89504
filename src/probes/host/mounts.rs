//! What is mounted on this machine, as its kernel tells.
//!
//! Left out is what no writing fills: pseudo file systems, read-only images, layers of containers
//! (they lie on a file system that is looked at anyway), and volumes of a neighbour's containers.

use std::collections::BTreeMap;

/// Which file systems are mounted at the machine's start, and how.
pub(super) const FSTAB: &str = "/etc/fstab";

/// Types that hold nothing of their own, or nothing that grows.
pub(super) const PSEUDO: &[&str] = &[
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

/// Volumes of Docker by the place where they are mounted on the engine's machine: the container
/// that is meant, or none for a neighbour's.
pub(super) type Volumes = BTreeMap<String, String>;

/// A file system that is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) at: String,
    pub(super) kind: String,
    pub(super) device: String,
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
struct Line<'a> {
    at: String,
    kind: &'a str,
    device: &'a str,
    /// This mount alone is read-only: so it was asked for.
    asked_read_only: bool,
    /// The file system takes no writes, wherever it is mounted.
    read_only: bool,
    /// It was mounted so that an error makes it read-only.
    errors_matter: bool,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (head, tail) = line.split_once(" - ")?;
        let head: Vec<&str> = head.split(' ').collect();
        let tail: Vec<&str> = tail.split(' ').collect();
        let has = |options: &str, wanted: &[&str]| {
            options.split(',').any(|option| wanted.contains(&option))
        };
        let options = tail.get(2).copied().unwrap_or("");
        Some(Self {
            at: unescaped(head.get(4)?),
            kind: tail.first()?,
            device: head.get(2).copied().unwrap_or(""),
            asked_read_only: has(head.get(5)?, &["ro"]),
            // Linux 6.15 and later leave the rest as it was and say this of ext4.
            read_only: has(options, &["ro", "emergency_ro"]),
            errors_matter: has(options, &["errors=remount-ro"]),
        })
    }

    /// It holds something of its own that is meant.
    fn matters(&self, volumes: Option<&Volumes>) -> bool {
        let root = self.at == "/" && self.kind == "overlay";
        if PSEUDO.contains(&self.kind) && !root {
            return false;
        }
        // Each container's /dev/shm, and what the engine itself keeps of it.
        if self.at.contains("/docker/containers/") || self.at.contains("/containerd/") {
            return false;
        }
        let neighbours =
            volumes.is_some_and(|volumes| is_volume(&self.at) && !volumes.contains_key(&self.at));
        !neighbours
    }
}

fn mount(line: &str, volumes: Option<&Volumes>) -> Option<Mount> {
    let line = Line::of(line)?;
    let writable = !line.read_only && !line.asked_read_only;
    (writable && line.matters(volumes)).then(|| Mount {
        kind: line.kind.to_owned(),
        device: line.device.to_owned(),
        at: line.at,
    })
}

/// Where file systems are mounted that should take writes and do not, one place for each.
///
/// Whoever mounts one read-only makes both the mount and the file system so; when the kernel does
/// it after an error, the mount still says that it may be written (mount(2), proc(5)). Where both
/// are read-only it is meant to be, unless it was mounted with `errors=remount-ro` or `fstab`
/// mounts it there without `ro`: then its check at the start has failed. A read-only mount of a
/// file system that takes writes elsewhere (a container's) is as it was asked for.
pub(super) fn read_only(text: &str, fstab: &str, volumes: Option<&Volumes>) -> Vec<String> {
    let mut found: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines().filter_map(Line::of) {
        let forced = !line.asked_read_only || line.errors_matter || written_by(fstab, &line.at);
        // An overlay is as its layers are, and memory has no errors.
        let disk = !matches!(line.kind, "overlay" | "tmpfs");
        if !(line.read_only && forced && disk && line.matters(volumes)) {
            continue;
        }
        let shorter = found
            .get(line.device)
            .is_none_or(|other| line.at.len() < other.len());
        if shorter {
            found.insert(line.device, line.at);
        }
    }
    found.into_values().take(MOST).collect()
}

/// Whether `fstab` (fstab(5): what, where, type, options) mounts something at `at` for writing.
fn written_by(fstab: &str, at: &str) -> bool {
    fstab.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [what, place, _, options, ..] if !what.starts_with('#') => {
                unescaped(place) == at && !options.split(',').any(|option| option == "ro")
            }
            _ => false,
        }
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

#[cfg(test)]
#[path = "mounts_tests.rs"]
mod tests;
