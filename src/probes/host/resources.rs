//! `host.resources`: processors, memory, swap and pressure.
//!
//! What is a rate is the difference of two readings, `SAMPLE` apart by the machine's own clock. A rate that would be an
//! alarm is looked at once more, over the two seconds that follow: a neighbour or a program that takes all for a moment
//! is nobody's incident.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, sleep};

use super::machine::Machine;
use crate::{
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        seen::Seen,
        shown::{bytes_shown, percent},
        spec::{bytes, count, float, seconds},
    },
};

/// The time between the two readings. Our own choice: the kernel counts processor time in
/// hundredths of a second, so a fifth of a second tells tenths of a processor.
const SAMPLE: Duration = Duration::from_millis(250);

/// The time between the readings of a second look. Our own choice: eight times as long as the first one, and, together
/// with it, well within the four seconds that pages give.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// From which share of stolen time on (percent of all processor time) a second look is taken. On a quiet host it is near
/// nothing; pages speak of a multiple.
const STEAL_IN_DOUBT: f64 = 10.0;

/// From how many pages a second on, in and out alike, a second look is taken.
const SWAPS_IN_DOUBT: f64 = 100.0;

/// Hundredths of a second in which the kernel counts (`USER_HZ`, 100 on every Linux that is used).
const TICKS_PER_SECOND: f64 = 100.0;

/// The file that is read last: an answer without it was cut off before.
const LAST: &str = "/proc/version";

const FILES: [&str; 9] = [
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/stat",
    "/proc/meminfo",
    "/proc/vmstat",
    "/proc/pressure/cpu",
    "/proc/pressure/memory",
    "/proc/pressure/io",
    LAST,
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "host.resources",
    summary: "load, processors, memory, swap and pressure of a machine; rates over a quarter of a second, and over the two seconds after it where processor time was stolen or pages were swapped both ways",
    targets: &[TargetKind::Host],
    args: &[],
    facts: &[
        float(
            "load1",
            Unit::None,
            "processes that run or wait for processor or disk, mean of one minute",
        ),
        float("load5", Unit::None, "the same of five minutes"),
        float("load15", Unit::None, "the same of fifteen minutes"),
        count("cpus", "processors").setting(),
        float(
            "load_per_cpu",
            Unit::Ratio,
            "the five minutes' load for each processor",
        ),
        float(
            "cpu_busy_percent",
            Unit::Percent,
            "processor time in use, steal and waiting left out",
        ),
        float(
            "cpu_steal_percent",
            Unit::Percent,
            "processor time that the machine under this one has given to others",
        ),
        float(
            "cpu_iowait_percent",
            Unit::Percent,
            "processor time idle while something waits for a disk",
        ),
        bytes("memory_total_bytes", "memory").setting(),
        bytes(
            "memory_available_bytes",
            "memory that can be had without swapping (MemAvailable)",
        ),
        float("memory_available_percent", Unit::Percent, "of all memory"),
        bytes("swap_total_bytes", "swap").setting(),
        bytes("swap_used_bytes", "swap in use"),
        float(
            "swap_used_percent",
            Unit::Percent,
            "of all swap; none without any",
        )
        .optional(),
        float(
            "swap_in_per_second",
            Unit::PerSecond,
            "pages read back from swap",
        ),
        float(
            "swap_out_per_second",
            Unit::PerSecond,
            "pages written to swap",
        ),
        float(
            "pressure_cpu_percent",
            Unit::Percent,
            "share of the last minute in which something waited for a processor (PSI some avg60)",
        )
        .optional(),
        float(
            "pressure_memory_percent",
            Unit::Percent,
            "the same for memory",
        )
        .optional(),
        float(
            "pressure_memory_full_percent",
            Unit::Percent,
            "share of it in which everything waited for memory (PSI full avg60)",
        )
        .optional(),
        float(
            "pressure_io_percent",
            Unit::Percent,
            "share in which something waited for a disk",
        )
        .optional(),
        float(
            "pressure_io_full_percent",
            Unit::Percent,
            "share in which everything waited for a disk",
        )
        .optional(),
        count(
            "oom_kills",
            "processes that the kernel has killed for want of memory since the start",
        )
        .optional(),
        count(
            "processes_blocked",
            "processes that wait for a disk at this moment",
        ),
        seconds("uptime_seconds", "how long the machine runs"),
    ],
    per_key: None,
};

type Files = BTreeMap<String, String>;

/// Looks twice, and a third time where what was seen could have been a moment's.
///
/// # Errors
/// The machine could not be asked, or does not tell what a Linux kernel tells.
pub(super) async fn look(machine: &Machine<'_>) -> Result<Sighting, Blind> {
    let before = machine.files(&FILES).await?;
    whole_or(machine, &before)?;
    sleep(SAMPLE).await;
    let asked = Instant::now();
    let after = machine.files(&FILES).await?;
    whole_or(machine, &after)?;
    // Over a slow line a reading takes long: what is left of the deadline has to hold one more, with room to spare.
    let left = (machine.end - asked.elapsed() * 2).saturating_duration_since(Instant::now());
    if !in_doubt(&before, &after) || left < SAMPLE {
        return Ok(sighting(&before, &after));
    }
    sleep(left.min(SECOND_LOOK)).await;
    // A machine that swaps itself to death may not answer again: what it told before stands then.
    match machine.files(&FILES).await {
        Ok(later) if lacking(&later).is_none() => Ok(sighting(&after, &later)),
        _ => Ok(sighting(&before, &after)),
    }
}

/// Whether so much was stolen or swapped between two readings that a longer look has to show whether it lasts.
fn in_doubt(before: &Files, after: &Files) -> bool {
    let [swapped_in, swapped_out] =
        ["pswpin", "pswpout"].map(|name| per_second(before, after, name));
    shares(before, after).steal >= STEAL_IN_DOUBT || swapped_in.min(swapped_out) >= SWAPS_IN_DOUBT
}

fn whole_or(machine: &Machine<'_>, files: &Files) -> Result<(), Blind> {
    match lacking(files) {
        None => Ok(()),
        Some(what) => Err(machine.stranger(&format!("{what} is not told"))),
    }
}

/// The first thing that every Linux kernel tells and that is not in `files`: without it a number
/// would be zero that is not.
fn lacking(files: &Files) -> Option<&'static str> {
    let meminfo = file(files, "/proc/meminfo");
    let stat = file(files, "/proc/stat");
    let free = ["MemAvailable", "MemFree"];
    let numbers = |text: &str| {
        text.split_whitespace()
            .filter(|word| word.parse::<f64>().is_ok())
            .count()
    };
    [
        ("uptime", numbers(file(files, "/proc/uptime")) >= 1),
        ("load", numbers(file(files, "/proc/loadavg")) >= 3),
        (
            "processor time (/proc/stat)",
            stat.starts_with("cpu ") && ticks(files).len() >= 4,
        ),
        (
            "MemTotal (/proc/meminfo)",
            table(meminfo, "MemTotal").is_some_and(|kilobytes| kilobytes > 0),
        ),
        (
            "MemAvailable (/proc/meminfo)",
            free.iter().any(|name| table(meminfo, name).is_some()),
        ),
        (
            "the kernel's version, which comes last,",
            file(files, LAST).contains("Linux"),
        ),
    ]
    .into_iter()
    .find_map(|(what, told)| (!told).then_some(what))
}

fn sighting(before: &Files, after: &Files) -> Sighting {
    let mut seen = Seen::new(&SPEC);
    let cpus = file(after, "/proc/stat")
        .lines()
        .filter(|line| {
            line.strip_prefix("cpu")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
        .count()
        .max(1);
    load(&mut seen, after, cpus);
    processors(&mut seen, before, after);
    memory(&mut seen, after);
    swap_rates(&mut seen, before, after);
    pressure(&mut seen, after);
    let blocked = table(file(after, "/proc/stat"), "procs_blocked");
    let oom = table(file(after, "/proc/vmstat"), "oom_kill");
    seen.fact("processes_blocked", blocked.unwrap_or(0))
        .fact("oom_kills", oom)
        .fact("uptime_seconds", whole(uptime(after)));
    seen.done()
}

fn file<'a>(files: &'a Files, path: &str) -> &'a str {
    files.get(path).map_or("", String::as_str)
}

fn uptime(files: &Files) -> f64 {
    let text = file(files, "/proc/uptime");
    text.split_whitespace()
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0.0)
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of an uptime")]
fn whole(seconds: f64) -> i64 {
    seconds as i64
}

/// `name value` in a table of the kernel.
fn table(text: &str, name: &str) -> Option<i64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()?.trim_end_matches(':') == name)
            .then(|| words.next()?.parse().ok())
            .flatten()
    })
}

fn load(seen: &mut Seen, files: &Files, cpus: usize) {
    let loads: Vec<f64> = file(files, "/proc/loadavg")
        .split_whitespace()
        .take(3)
        .filter_map(|text| text.parse().ok())
        .collect();
    let of = |n: usize| loads.get(n).copied().unwrap_or(0.0);
    #[expect(clippy::cast_precision_loss, reason = "a number of processors")]
    let each = of(1) / cpus as f64;
    seen.fact("load1", of(0))
        .fact("load5", of(1))
        .fact("load15", of(2))
        .fact("cpus", cpus)
        .fact("load_per_cpu", each)
        .line(format!(
            "load {:.2} {:.2} {:.2} on {cpus} processors",
            of(0),
            of(1),
            of(2)
        ));
}

/// The first line of `/proc/stat`: user nice system idle iowait irq softirq steal, in ticks
/// (proc(5)). Guests' time is in user's already.
fn ticks(files: &Files) -> Vec<f64> {
    let line = file(files, "/proc/stat").lines().next().unwrap_or("");
    line.split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|text| text.parse().ok())
        .collect()
}

/// What became of the processors' time between two readings.
struct Shares {
    /// In use, percent.
    busy: f64,
    /// Waiting for a disk, percent.
    wait: f64,
    /// Given to others by the machine under this one, percent.
    steal: f64,
    /// All of it, in ticks.
    all: f64,
}

fn shares(before: &Files, after: &Files) -> Shares {
    let (old, new) = (ticks(before), ticks(after));
    let gone: Vec<f64> = new
        .iter()
        .zip(&old)
        .map(|(new, old)| (new - old).max(0.0))
        .collect();
    let all: f64 = gone.iter().sum::<f64>().max(1.0);
    let share = |n: usize| gone.get(n).copied().unwrap_or(0.0) * 100.0 / all;
    Shares {
        busy: [0, 1, 2, 5, 6].into_iter().map(share).sum(),
        wait: share(4),
        steal: share(7),
        all,
    }
}

fn processors(seen: &mut Seen, before: &Files, after: &Files) {
    let Shares {
        busy,
        wait,
        steal,
        all,
    } = shares(before, after);
    seen.fact("cpu_busy_percent", busy)
        .fact("cpu_iowait_percent", wait)
        .fact("cpu_steal_percent", steal)
        .line(format!(
            "processors: {busy:.0} % busy, {wait:.0} % waiting for a disk, {steal:.0} % stolen (over {:.1} s of processor time)",
            all / TICKS_PER_SECOND
        ));
}

fn memory(seen: &mut Seen, files: &Files) {
    let text = file(files, "/proc/meminfo");
    let of = |name: &str| table(text, name).unwrap_or(0).saturating_mul(1024);
    let (total, swap) = (of("MemTotal"), of("SwapTotal"));
    // Kernels before 3.14 do not tell what is available.
    let available = match table(text, "MemAvailable") {
        Some(kilobytes) => kilobytes.saturating_mul(1024),
        None => of("MemFree") + of("Cached") + of("Buffers"),
    };
    let swapped = (swap - of("SwapFree")).max(0);
    seen.fact("memory_total_bytes", total)
        .fact("memory_available_bytes", available)
        .fact(
            "memory_available_percent",
            percent(available, total).unwrap_or(0.0),
        )
        .fact("swap_total_bytes", swap)
        .fact("swap_used_bytes", swapped)
        .fact("swap_used_percent", percent(swapped, swap))
        .line(format!(
            "memory: {} of {} available; swap: {} of {} used",
            bytes_shown(available),
            bytes_shown(total),
            bytes_shown(swapped),
            bytes_shown(swap)
        ));
}

fn swap_rates(seen: &mut Seen, before: &Files, after: &Files) {
    for (fact, name) in [
        ("swap_in_per_second", "pswpin"),
        ("swap_out_per_second", "pswpout"),
    ] {
        seen.fact(fact, per_second(before, after, name));
    }
}

/// How much a count of `/proc/vmstat` has grown between two readings, for each second.
fn per_second(before: &Files, after: &Files, name: &str) -> f64 {
    let seconds = (uptime(after) - uptime(before)).max(0.01);
    let of = |files| table(file(files, "/proc/vmstat"), name).unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "pages of two seconds at most")]
    let grown = (of(after) - of(before)).max(0) as f64;
    grown / seconds
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` (the kernel's Documentation/accounting/psi).
fn pressure(seen: &mut Seen, files: &Files) {
    let of = |what: &str, kind: &str| -> Option<f64> {
        let text = file(files, &format!("/proc/pressure/{what}")).to_owned();
        let line = text.lines().find(|line| line.starts_with(kind))?;
        line.split_whitespace()
            .find_map(|word| word.strip_prefix("avg60="))?
            .parse()
            .ok()
    };
    let (cpu, memory, io) = (of("cpu", "some"), of("memory", "some"), of("io", "some"));
    seen.fact("pressure_cpu_percent", cpu)
        .fact("pressure_memory_percent", memory)
        .fact("pressure_memory_full_percent", of("memory", "full"))
        .fact("pressure_io_percent", io)
        .fact("pressure_io_full_percent", of("io", "full"));
    if let (Some(cpu), Some(memory), Some(io)) = (cpu, memory, io) {
        seen.line(format!(
            "pressure of the last minute: processor {cpu:.0} %, memory {memory:.0} %, disk {io:.0} %"
        ));
    }
}

#[cfg(test)]
#[path = "resources_tests.rs"]
mod tests;
