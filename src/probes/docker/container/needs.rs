//! What the container uses: memory, processors, processes.

use bollard::models::{
    ContainerInspectResponse, ContainerMemoryStats, ContainerStatsResponse, ContainerTopResponse,
};

use crate::probes::{
    seen::Seen,
    shown::{bytes_shown, percent},
};

/// What a container uses, by the engine's word or by the kernel's.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Needs {
    /// Memory without the page cache that can be dropped, in bytes.
    pub(super) memory: Option<i64>,
    /// Scheduling periods of the last moments in which it was held back, in percent: the kernel's word alone, since the
    /// engine counts from the start on.
    pub(super) throttled: Option<f64>,
    /// Processes and threads.
    pub(super) pids: Option<i64>,
    pub(super) processes: Option<Vec<Process>>,
}

/// A process of the container, as `ps` on the engine's machine sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// One letter and perhaps more (ps(1), PROCESS STATE CODES).
    pub(super) state: String,
    pub(super) resident_bytes: i64,
}

impl Process {
    /// A signal has stopped it (T).
    pub(super) fn is_stopped(&self) -> bool {
        self.state.starts_with('T')
    }
}

impl Needs {
    /// From one sample of the engine and one of `ps`.
    pub(super) fn of_engine(
        stats: Option<&ContainerStatsResponse>,
        top: Option<ContainerTopResponse>,
    ) -> Self {
        let pids = stats.and_then(|stats| stats.pids_stats.as_ref()?.current);
        Self {
            memory: stats.and_then(|stats| memory_used(stats.memory_stats.as_ref()?)),
            throttled: None,
            pids: pids.and_then(|pids| i64::try_from(pids).ok()),
            processes: top.and_then(processes),
        }
    }

    /// Its own account, or the resident memory of its processes.
    fn used(&self) -> Option<i64> {
        let resident = |all: &Vec<Process>| all.iter().map(|one| one.resident_bytes).sum();
        self.memory
            .or_else(|| self.processes.as_ref().map(resident))
    }
}

/// Tells what it uses, and of how much.
pub(super) fn tell(seen: &mut Seen, container: &ContainerInspectResponse, needs: &Needs) {
    let limit = container
        .host_config
        .as_ref()
        .and_then(|host| host.memory)
        .filter(|limit| *limit > 0);
    let used = needs.used();
    let part = limit
        .zip(used)
        .and_then(|(limit, used)| percent(used, limit));
    seen.fact("memory_limit_bytes", limit)
        .fact("memory_used_bytes", used)
        .fact("memory_percent", part)
        .fact("cpu_throttled_percent", needs.throttled)
        .fact("pids", needs.pids);
    if let Some(used) = used {
        let of = limit.map_or("no limit".to_owned(), bytes_shown);
        seen.line(format!("memory: {} of {of}", bytes_shown(used)));
    }
    if let Some(all) = &needs.processes {
        let stopped = all.iter().filter(|one| one.is_stopped()).count();
        let blocked = all.iter().filter(|one| one.state.starts_with('D')).count();
        seen.fact("processes", all.len())
            .fact("processes_stopped", stopped)
            .fact("processes_blocked", blocked)
            .line(format!(
                "{} processes, {stopped} stopped by a signal, {blocked} waiting for the disk",
                all.len()
            ));
    }
}

/// Memory in use as Docker's own command line counts it: without the page cache that can be
/// dropped, which is `total_inactive_file` in control groups of version 1 and `inactive_file` in
/// version 2 (<https://docs.docker.com/reference/cli/docker/container/stats/>).
fn memory_used(memory: &ContainerMemoryStats) -> Option<i64> {
    let usage = memory.usage?;
    let cache = memory.stats.as_ref().and_then(|stats| {
        stats
            .get("total_inactive_file")
            .or_else(|| stats.get("inactive_file"))
    });
    let used = usage.saturating_sub(cache.copied().unwrap_or(0));
    i64::try_from(used).ok()
}

fn processes(top: ContainerTopResponse) -> Option<Vec<Process>> {
    let titles = top.titles?;
    let column = |name: &str| titles.iter().position(|title| title == name);
    let (state, resident) = (column("STAT")?, column("RSS")?);
    let rows = top.processes?.into_iter().filter_map(|row| {
        let kilobytes: i64 = row.get(resident)?.parse().ok()?;
        Some(Process {
            state: row.get(state)?.clone(),
            resident_bytes: kilobytes.saturating_mul(1024),
        })
    });
    Some(rows.collect())
}
