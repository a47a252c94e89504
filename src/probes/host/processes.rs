//! `host.processes`: which processes use the processors and the memory.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant as StdInstant},
};

use tokio::{
    task::spawn_blocking,
    time::{sleep, timeout_at},
};

use super::machine::{Machine, NoAnswer};
use crate::{
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::{Seen, plain},
        shown::bytes_shown,
        spec::{arg, bytes, count, float, int, text, texts},
    },
};

/// The time between the two readings of this machine.
const SAMPLE: Duration = Duration::from_millis(250);

/// Hundredths of a second in which the kernel counts (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What `ps` is asked for over SSH.
const COLUMNS: &str = "pid,stat,pcpu,rss,args";

/// How much of a command line is told, in characters: the program and its first words.
const COMMAND_CHARS: usize = 120;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "host.processes",
    summary: "the processes of a machine that use most processor time and memory (over a quarter of a second; over SSH since each one's start, as ps tells it)",
    targets: &[TargetKind::Host],
    args: &[arg("top", ArgType::Int, "6", (1, 30), "how many are told")],
    facts: &[
        count("processes", "processes"),
        count("zombies", "those that have ended and nobody has asked how"),
        count("blocked", "those that wait for a disk (D)"),
        text("top_cpu", "the command that uses most processor time").optional(),
        int("top_cpu_pid", Unit::None, "its process id").optional(),
        float("top_cpu_percent", Unit::Percent, "of one processor").optional(),
        text("top_memory", "the command that uses most memory").optional(),
        int("top_memory_pid", Unit::None, "its process id").optional(),
        bytes("top_memory_bytes", "its resident memory").optional(),
        texts("by_cpu", "the first by processor time, one line each"),
        texts("by_memory", "the first by memory, one line each"),
    ],
    per_key: None,
};

#[derive(Clone)]
struct Process {
    pid: i64,
    state: char,
    cpu: f64,
    resident: i64,
    command: String,
}

/// Looks at the processes.
///
/// # Errors
/// The machine could not be asked.
pub(super) async fn look(machine: &Machine<'_>, args: &Args) -> Result<Sighting, Blind> {
    let top = Given::new(&SPEC, args).count("top");
    let all = if machine.is_here() {
        here(machine).await?
    } else {
        there(machine).await?
    };
    Ok(sighting(all, top))
}

/// The same by `ps`, which lists itself, too: a list without it was cut off.
async fn there(machine: &Machine<'_>) -> Result<Vec<Process>, Blind> {
    let done = machine.whole(&["ps", "-e", "-o", COLUMNS]).await?;
    if done.code != Some(0) {
        return Err(machine.failed(&done));
    }
    let text = done.text();
    // What a login prints before it is no part of the answer.
    let mut lines = text.lines().skip_while(|line| !is_header(line));
    if lines.next().is_none() {
        return Err(machine.stranger("ps does not begin with its header"));
    }
    let all: Option<Vec<Process>> = lines.map(listed).collect();
    let all = all.unwrap_or_default();
    if !all.iter().any(|process| process.command.contains(COLUMNS)) {
        return Err(machine.stranger("the list of its processes is not complete"));
    }
    Ok(all)
}

fn is_header(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.first() == Some(&"PID") && words.contains(&"RSS")
}

fn listed(line: &str) -> Option<Process> {
    let mut words = line.split_whitespace();
    let pid = words.next()?.parse().ok()?;
    let state = words.next()?.chars().next()?;
    let cpu = words.next()?.parse().ok()?;
    let kilobytes: i64 = words.next()?.parse().ok()?;
    let command: Vec<&str> = words.collect();
    Some(Process {
        pid,
        state,
        cpu,
        resident: kilobytes.saturating_mul(1024),
        command: command.join(" "),
    })
}

async fn here(machine: &Machine<'_>) -> Result<Vec<Process>, Blind> {
    let timed_out = || machine.blind(&NoAnswer::TimedOut);
    let end = machine.end;
    let began = StdInstant::now();
    let Ok(Ok(before)) = timeout_at(end, spawn_blocking(ticks)).await else {
        return Err(timed_out());
    };
    sleep(SAMPLE).await;
    let work = spawn_blocking(move || {
        let seconds = began.elapsed().as_secs_f64().max(0.01);
        let now = ticks();
        let used = |pid: &i64, (ticks, _): &(i64, char)| {
            let gone = ticks - before.get(pid).map_or(*ticks, |(ticks, ..)| *ticks);
            #[expect(clippy::cast_precision_loss, reason = "ticks of a quarter of a second")]
            let gone = gone.max(0) as f64;
            gone / TICKS_PER_SECOND / seconds * 100.0
        };
        let mut all: Vec<Process> = now
            .iter()
            .map(|(pid, stat)| Process {
                pid: *pid,
                state: stat.1,
                cpu: used(pid, stat),
                resident: resident(*pid),
                command: String::new(),
            })
            .collect();
        for process in &mut all {
            process.command = command(process.pid);
        }
        all
    });
    match timeout_at(end, work).await {
        Ok(Ok(all)) => Ok(all),
        _ => Err(timed_out()),
    }
}

/// Processor time and state of each process (proc(5), `/proc/pid/stat`).
fn ticks() -> BTreeMap<i64, (i64, char)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_string_lossy().parse::<i64>();
        let (Ok(pid), Ok(text)) = (pid, fs::read_to_string(entry.path().join("stat"))) else {
            continue;
        };
        // The name stands in brackets and may hold anything.
        let Some((_, rest)) = text.rsplit_once(')') else {
            continue;
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let number = |n: usize| {
            words
                .get(n)
                .and_then(|w| w.parse::<i64>().ok())
                .unwrap_or(0)
        };
        let state = words.first().and_then(|word| word.chars().next());
        found.insert(pid, (number(11) + number(12), state.unwrap_or('?')));
    }
    found
}

/// Resident memory, in bytes; none of a thread of the kernel (proc(5), `/proc/pid/status`).
fn resident(pid: i64) -> i64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<i64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}

fn command(pid: i64) -> String {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&raw).replace('\0', " ");
    if words.trim().is_empty() {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        return format!("[{}]", name.trim());
    }
    words.trim().to_owned()
}

fn sighting(mut all: Vec<Process>, top: usize) -> Sighting {
    let count = |mark: char| all.iter().filter(|process| process.state == mark).count();
    let (zombies, blocked) = (count('Z'), count('D'));
    let short = |process: &Process| plain(&process.command, COMMAND_CHARS);
    all.sort_by_key(|it| std::cmp::Reverse(it.resident));
    let by_memory: Vec<String> = all
        .iter()
        .take(top)
        .map(|one| {
            format!(
                "{} {} (pid {})",
                bytes_shown(one.resident),
                short(one),
                one.pid
            )
        })
        .collect();
    let most = all.first().cloned();
    all.sort_by(|a, b| b.cpu.total_cmp(&a.cpu));
    let by_cpu: Vec<String> = all
        .iter()
        .take(top)
        .filter(|one| one.cpu > 0.0)
        .map(|one| format!("{:.0} % {} (pid {})", one.cpu, short(one), one.pid))
        .collect();
    let busy = all.first().filter(|one| one.cpu > 0.0);
    let mut seen = Seen::new(&SPEC);
    for line in by_cpu.iter().chain(&by_memory) {
        seen.line(line);
    }
    seen.fact("processes", all.len())
        .fact("zombies", zombies)
        .fact("blocked", blocked)
        .fact("top_cpu", busy.map(short))
        .fact("top_cpu_pid", busy.map(|one| one.pid))
        .fact("top_cpu_percent", busy.map(|one| one.cpu))
        .fact("top_memory", most.as_ref().map(short))
        .fact("top_memory_pid", most.as_ref().map(|one| one.pid))
        .fact("top_memory_bytes", most.as_ref().map(|one| one.resident))
        .fact("by_cpu", by_cpu)
        .fact("by_memory", by_memory);
    seen.done()
}
