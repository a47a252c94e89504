//! `nginx.status`: does nginx run, by its own processes: one master, and workers that serve.

use std::{collections::BTreeMap, fs};

use serde::Deserialize;
use tokio::{task::spawn_blocking, time::timeout_at};

use super::server::Server;
use crate::{
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        docker::Failure,
        seen::Seen,
        spec::{count, int, text},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "nginx.status",
    summary: "whether nginx runs: its master process and its workers, on this machine or in its container",
    targets: &[TargetKind::Nginx],
    args: &[],
    facts: &[
        text("state", "running; stopped: there is no master process; no-workers: a master without workers; hung: processes are stopped by a signal; container-down; missing: no such container").one_of(&["running", "stopped", "no-workers", "hung", "container-down", "missing"]),
        text("place", "where it looked"),
        int("master_pid", Unit::None, "process id of the master").optional(),
        count("workers", "worker processes"),
        count("shutting_down", "workers that serve their last requests after a reload"),
        count("processes_stopped", "processes that a signal has stopped (T)"),
    ],
    per_key: None,
};

/// A process of nginx.
struct Process {
    pid: i64,
    parent: i64,
    stopped: bool,
    title: String,
}

#[derive(Deserialize)]
struct Top {
    #[serde(rename = "Titles", default)]
    titles: Vec<String>,
    #[serde(rename = "Processes", default)]
    processes: Option<Vec<Vec<String>>>,
}

/// Looks at the processes.
///
/// # Errors
/// They can't be seen.
pub(super) async fn look(server: &Server<'_>) -> Result<Sighting, Blind> {
    let Some(inside) = &server.inside else {
        let config = server.config().to_owned();
        let work = spawn_blocking(move || here(&config));
        return match timeout_at(server.end, work).await {
            Ok(Ok(processes)) => Ok(sighting("this machine", &processes)),
            _ => Err(server.blind(&Failure::TimedOut)),
        };
    };
    let path = format!(
        "/containers/{}/top?ps_args=-o%20pid,ppid,stat,args",
        inside.name
    );
    let place = format!("container {}", inside.name);
    match inside.engine_json::<Top>(&path, server.end).await {
        Ok(top) => Ok(sighting(&place, &listed(&top))),
        Err(Failure::NoContainer) => Ok(without(&place, "missing")),
        // It does not run: the engine says so with a conflict, and older ones with an error.
        Err(Failure::Said(409 | 500, _)) => Ok(without(&place, "container-down")),
        Err(failure) => Err(server.blind(&failure)),
    }
}

fn without(place: &str, state: &str) -> Sighting {
    let mut seen = Seen::new(&SPEC);
    seen.line(format!("{place}: {state}"))
        .fact("state", state)
        .fact("place", place)
        .fact("workers", 0)
        .fact("shutting_down", 0)
        .fact("processes_stopped", 0);
    seen.done()
}

fn listed(top: &Top) -> Vec<Process> {
    let column = |name: &str| top.titles.iter().position(|title| title == name);
    let rows = top.processes.iter().flatten();
    rows.filter_map(|row| {
        let of = |name: &str| row.get(column(name)?).map(String::as_str);
        Some(Process {
            pid: of("PID")?.parse().ok()?,
            parent: of("PPID")?.parse().ok()?,
            stopped: of("STAT")?.starts_with(['T', 't']),
            title: of("COMMAND").or_else(|| of("CMD"))?.to_owned(),
        })
    })
    .collect()
}

/// The processes of the nginx of this machine that was started with `config`; those in containers
/// are others'.
fn here(config: &str) -> Vec<Process> {
    let own = fs::read_link("/proc/self/ns/pid").ok();
    let mut all: BTreeMap<i64, Process> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i64>() else {
            continue;
        };
        let path = entry.path();
        let title = fs::read(path.join("cmdline")).unwrap_or_default();
        let title = String::from_utf8_lossy(&title).replace('\0', " ");
        if !title.starts_with("nginx: ") {
            continue;
        }
        let namespace = fs::read_link(path.join("ns/pid")).ok();
        if namespace.is_some() && own.is_some() && namespace != own {
            continue;
        }
        let stat = fs::read_to_string(path.join("stat")).unwrap_or_default();
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let words: Vec<&str> = rest.split_whitespace().collect();
        let process = Process {
            pid,
            parent: words.get(1).and_then(|word| word.parse().ok()).unwrap_or(0),
            stopped: words
                .first()
                .is_some_and(|word| word.starts_with(['T', 't'])),
            title: title.trim().to_owned(),
        };
        all.insert(pid, process);
    }
    // `nginx: master process /usr/sbin/nginx -c /path`: without -c it has the usual one.
    let is_ours = |title: &str| {
        title.starts_with("nginx: master")
            && match title.split_once(" -c ") {
                Some((_, rest)) => rest.split_whitespace().next() == Some(config),
                None => config == "/etc/nginx/nginx.conf",
            }
    };
    let masters: Vec<i64> = all
        .values()
        .filter(|one| is_ours(&one.title))
        .map(|one| one.pid)
        .collect();
    all.into_values()
        .filter(|one| masters.contains(&one.pid) || masters.contains(&one.parent))
        .collect()
}

fn sighting(place: &str, processes: &[Process]) -> Sighting {
    let masters = |one: &&Process| one.title.contains("master process");
    let workers = |one: &&Process| one.title.contains("worker process");
    let leaving = processes
        .iter()
        .filter(workers)
        .filter(|one| one.title.contains("shutting down"))
        .count();
    let count = processes.iter().filter(workers).count() - leaving;
    let stopped = processes.iter().filter(|one| one.stopped).count();
    let master = processes.iter().find(masters);
    // `master_process off;` serves in one process.
    let single = processes
        .iter()
        .any(|one| one.title.contains("nginx") && !one.title.contains("worker"));
    let state = if stopped > 0 {
        "hung"
    } else if master.is_none() && !single {
        "stopped"
    } else if master.is_some() && count == 0 {
        "no-workers"
    } else {
        "running"
    };
    let mut seen = Seen::new(&SPEC);
    seen.line(format!("{place}: {state}, {count} workers"));
    for one in processes.iter().take(20) {
        seen.line(format!("{} {}", one.pid, one.title));
    }
    seen.fact("state", state)
        .fact("place", place)
        .fact("master_pid", master.map(|one| one.pid))
        .fact("workers", count)
        .fact("shutting_down", leaving)
        .fact("processes_stopped", stopped);
    seen.done()
}
