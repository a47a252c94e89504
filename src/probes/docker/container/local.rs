//! What the kernel of this machine tells of a container's processes and of what they use.
//!
//! Where the engine runs on this machine its answers to "top" and "stats" come from the same files:
//! it makes a `ps` read `/proc` (`daemon/top_unix.go`), and lets containerd read the control group.
//! Reading them here takes a millisecond instead of the 15 that the `ps` does, is fresh where the
//! engine has no sample at hand, and asks nothing of an engine that is in trouble. Whenever
//! anything is not as expected (the engine is elsewhere after all, the container has just ended,
//! `/proc` is hidden) the engine is asked.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::needs::{Needs, Process};
use crate::probes::shown::percent;

/// Where the kernel shows processes (proc(5)).
const PROC: &str = "/proc";

/// Where control groups are mounted (file-hierarchy(7)).
const GROUPS: &str = "/sys/fs/cgroup";

/// For how long a container is watched that was held back before: five scheduling periods, as the engine sets them.
const SAMPLE: Duration = Duration::from_millis(500);

/// The time of a second look: fifteen scheduling periods. A diagnosis itself keeps a small machine busy for its first
/// half second; a container that gets no turn then does not use up its share, and does not look held back.
const SECOND_LOOK: Duration = Duration::from_millis(1_500);

/// Percent of all scheduling periods since it has a limit, from which on a container is one that is held back again and
/// again, so that a look in which it hardly was is in doubt.
const OFTEN: f64 = 20.0;

/// Percent of the scheduling periods of a look from which on there is no doubt. Our own choice, as [`OFTEN`] is.
pub(super) const PLAIN: f64 = 50.0;

/// Most processes that are read; of a container with more the engine is asked.
const MOST_PROCESSES: usize = 4_096;

/// Most control groups within the container's own that are walked.
const MOST_GROUPS: usize = 256;

/// What the container `id`, whose first process is `pid` (searched for where that isn't known), uses, and how its
/// processes fare. `None` when this machine's kernel does not say for certain. Looks as long as `patience` allows where
/// it is in doubt whether the container is held back.
pub(super) fn read(id: &str, pid: Option<i64>, patience: Duration) -> Option<Needs> {
    let kernel = Kernel {
        proc: Path::new(PROC),
        groups: Path::new(GROUPS),
        looks: Looks {
            first: SAMPLE,
            second: patience.saturating_sub(SAMPLE).min(SECOND_LOOK),
        },
    };
    let pid = match pid {
        Some(pid) => pid,
        None => kernel.process_of(id)?,
    };
    kernel.read(id, pid)
}

struct Kernel<'a> {
    proc: &'a Path,
    groups: &'a Path,
    looks: Looks,
}

/// How long it is watched whether a container is held back.
#[derive(Clone, Copy)]
struct Looks {
    first: Duration,
    /// Only where the first one is in doubt; none where it is shorter than the first one.
    second: Duration,
}

/// The control groups of one container.
struct Groups {
    memory: PathBuf,
    cpu: PathBuf,
    pids: PathBuf,
    /// Control groups of version 1, in which each controller has a tree of its own.
    first_version: bool,
}

impl Kernel<'_> {
    fn read(&self, id: &str, pid: i64) -> Option<Needs> {
        // An id has 64 digits; a shorter one might be part of something else.
        if id.len() < 64 || pid <= 0 {
            return None;
        }
        let membership = fs::read_to_string(self.proc.join(pid.to_string()).join("cgroup")).ok()?;
        let groups = self.groups_of(&membership, id)?;
        let members = members(&groups.memory)?;
        // A tree of another machine, or of another container's view, has other processes.
        if !members.contains(&pid) {
            return None;
        }
        let processes: Vec<Process> = members
            .iter()
            .map(|pid| self.process(*pid))
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect();
        if processes.is_empty() {
            return None;
        }
        Some(Needs {
            memory: groups.memory_used(),
            throttled: groups.throttled(self.looks),
            pids: number(&groups.pids.join("pids.current")),
            processes: Some(processes),
        })
    }

    /// The oldest process of the container `id`, by the numbers.
    fn process_of(&self, id: &str) -> Option<i64> {
        let entries = fs::read_dir(self.proc).ok()?.flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i64>().ok())
            .filter(|pid| {
                let membership = self.proc.join(pid.to_string()).join("cgroup");
                let membership = fs::read_to_string(membership).unwrap_or_default();
                self.groups_of(&membership, id).is_some()
            })
            .min()
    }

    /// From `/proc/PID/cgroup` (cgroups(7)): lines of `number:controllers:path`, of version 2 with
    /// the number 0 and no controllers.
    fn groups_of(&self, membership: &str, id: &str) -> Option<Groups> {
        let path_of = |controller: &str| {
            membership.lines().find_map(|line| {
                let mut parts = line.splitn(3, ':').skip(1);
                let (controllers, path) = (parts.next()?, parts.next()?);
                let wanted = controllers.split(',').any(|one| one == controller);
                // A path that leads out of this process's view ("/../…") leads nowhere here.
                let ours = path.contains(id) && !path.contains("..");
                (wanted && ours).then(|| path.trim_start_matches('/').to_owned())
            })
        };
        let of_first_version =
            |controller: &str| Some(self.groups.join(controller).join(path_of(controller)?));
        if let Some(memory) = of_first_version("memory") {
            return Some(Groups {
                cpu: of_first_version("cpu").unwrap_or_default(),
                pids: of_first_version("pids").unwrap_or_default(),
                memory,
                first_version: true,
            });
        }
        let path = self.groups.join(path_of("")?);
        Some(Groups {
            memory: path.clone(),
            cpu: path.clone(),
            pids: path,
            first_version: false,
        })
    }

    /// One process; the inner `None` is one that has ended meanwhile, the outer one that can't be read.
    #[expect(clippy::option_option, reason = "ended and unreadable are two things")]
    fn process(&self, pid: i64) -> Option<Option<Process>> {
        match fs::read_to_string(self.proc.join(pid.to_string()).join("status")) {
            Ok(status) => Some(Some(process_in(&status)?)),
            // ESRCH: it ended between the opening and the reading.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(None),
            Err(error) if error.raw_os_error() == Some(3) => Some(None),
            Err(_) => None,
        }
    }
}

impl Groups {
    /// Memory in use as Docker's own command line counts it (see [`super::needs`]).
    fn memory_used(&self) -> Option<i64> {
        let (usage, cache) = if self.first_version {
            ("memory.usage_in_bytes", "total_inactive_file")
        } else {
            ("memory.current", "inactive_file")
        };
        let usage = number(&self.memory.join(usage))?;
        let stat = fs::read_to_string(self.memory.join("memory.stat")).ok()?;
        Some(usage.saturating_sub(field(&stat, cache)?).max(0))
    }

    /// Of the scheduling periods within a look those in which it was held back, in percent. One that never was is not
    /// watched.
    fn throttled(&self, looks: Looks) -> Option<f64> {
        let first = self.periods()?;
        if first.held == 0 {
            return percent(first.held, first.all);
        }
        thread::sleep(looks.first);
        let second = self.periods()?;
        let seen = second.since(&first)?;
        let often = percent(second.held, second.all).is_some_and(|usual| usual >= OFTEN);
        if seen >= PLAIN || !often || looks.second < looks.first {
            return Some(seen);
        }
        thread::sleep(looks.second);
        // A container that has ended meanwhile, or has nothing more to do, leaves what was seen before.
        let later = self.periods().and_then(|third| third.since(&second));
        Some(later.unwrap_or(seen))
    }

    fn periods(&self) -> Option<Periods> {
        let stat = fs::read_to_string(self.cpu.join("cpu.stat")).ok()?;
        Some(Periods {
            all: field(&stat, "nr_periods")?,
            held: field(&stat, "nr_throttled")?,
        })
    }
}

/// Scheduling periods since a control group's processor time is limited.
struct Periods {
    all: i64,
    /// Those in which its share was used up.
    held: i64,
}

impl Periods {
    /// Percent of the periods since `before` in which it was held back; none without a period.
    fn since(&self, before: &Self) -> Option<f64> {
        percent(self.held - before.held, self.all - before.all)
    }
}

/// All processes of the control group `top` and of those within it.
fn members(top: &Path) -> Option<Vec<i64>> {
    let mut groups = vec![top.to_owned()];
    let mut members = Vec::new();
    let mut walked = 0;
    while let Some(group) = groups.pop() {
        walked += 1;
        let listed = fs::read_to_string(group.join("cgroup.procs")).ok()?;
        for line in listed.lines() {
            members.push(line.parse().ok()?);
        }
        for entry in fs::read_dir(&group).ok()? {
            let entry = entry.ok()?;
            if entry.file_type().ok()?.is_dir() {
                groups.push(entry.path());
            }
        }
        if walked > MOST_GROUPS || members.len() > MOST_PROCESSES {
            return None;
        }
    }
    Some(members)
}

/// State and resident memory in `/proc/PID/status` (proc(5)); one that has ended and was not
/// waited for has no memory any more.
fn process_in(status: &str) -> Option<Process> {
    let state = value(status, "State:")?;
    let resident = match value(status, "VmRSS:") {
        Some(text) => text.trim_end_matches("kB").trim().parse::<i64>().ok()?,
        None => 0,
    };
    Some(Process {
        state: state.to_owned(),
        resident_bytes: resident.saturating_mul(1024),
    })
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim())
}

fn field(stat: &str, name: &str) -> Option<i64> {
    stat.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?
        .trim()
        .parse()
        .ok()
}

fn number(path: &Path) -> Option<i64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
