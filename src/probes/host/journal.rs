//! `host.journal`: errors of the system's journal, by what they mean.

use serde::Deserialize;

use super::machine::{Machine, NoAnswer};
use crate::{
    app::{Clock, SystemClock},
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::{Seen, plain},
        spec::{arg, count, flag, seconds, text, texts},
    },
};

/// How many of the newest lines are evidence, and how long each may be, in characters.
const SHOWN: (usize, usize) = (12, 220);

/// What the kernel and the system say of what (their own words).
const KINDS: [(&str, &[&str]); 5] = [
    (
        "oom",
        // The whole machine's. A container that has reached its own limit is told by its engine.
        &["Out of memory: Kill"],
    ),
    (
        "disk",
        &[
            "I/O error",
            "EXT4-fs error",
            "XFS (",
            "Buffer I/O",
            "critical medium error",
        ],
    ),
    ("no_space", &["No space left on device"]),
    ("read_only", &["Remounting filesystem read-only"]),
    ("hung", &["blocked for more than"]),
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "host.journal",
    summary: "errors of a machine's journal (journalctl, priority err and worse)",
    targets: &[TargetKind::Host],
    args: &[
        arg(
            "within",
            ArgType::Duration,
            "1h",
            (60_000, 604_800_000),
            "only entries younger than this",
        ),
        arg(
            "entries",
            ArgType::Int,
            "1000",
            (1, 20_000),
            "how many of the newest are read, at most",
        ),
    ],
    facts: &[
        text(
            "state",
            "whether there is a journal to read; absent: no journalctl, or it finds no journal",
        )
        .one_of(&["ok", "absent", "denied"]),
        flag(
            "partial",
            "entries of other users and of the system are kept from Handbell's user",
        ),
        count("errors", "entries"),
        flag("truncated", "there are more than were read"),
        count(
            "oom_count",
            "those that tell of processes killed for want of memory",
        ),
        text("oom_last", "the newest of them").optional(),
        count("disk_count", "those that tell of a disk that fails"),
        text("disk_last", "the newest of them").optional(),
        count("no_space_count", "those that tell of a full disk"),
        text("no_space_last", "the newest of them").optional(),
        count(
            "read_only_count",
            "those that tell of a file system that was made read-only after an error",
        ),
        text("read_only_last", "the newest of them").optional(),
        count(
            "hung_count",
            "those that tell of tasks that have hung for minutes",
        ),
        text("hung_last", "the newest of them").optional(),
        count("critical", "entries of priority crit and worse"),
        text("critical_last", "the newest of them").optional(),
        text("top_source", "who wrote most of them").optional(),
        count("top_source_count", "how many"),
        texts("sources", "who wrote how many"),
        text("last_error", "the newest").optional(),
        seconds("last_error_seconds_ago", "when it was written").optional(),
    ],
    per_key: None,
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    at: String,
    #[serde(rename = "SYSLOG_IDENTIFIER")]
    source: String,
    #[serde(rename = "_SYSTEMD_UNIT")]
    unit: String,
    #[serde(rename = "PRIORITY")]
    priority: String,
    /// A text, or a list of bytes where it is none.
    #[serde(rename = "MESSAGE")]
    message: serde_json::Value,
}

impl Entry {
    fn text(&self) -> String {
        match &self.message {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Array(bytes) => {
                let bytes: Vec<u8> = bytes
                    .iter()
                    .filter_map(|byte| u8::try_from(byte.as_u64()?).ok())
                    .collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            _ => String::new(),
        }
    }

    fn who(&self) -> &str {
        if self.source.is_empty() {
            &self.unit
        } else {
            &self.source
        }
    }
}

/// Reads the journal.
///
/// # Errors
/// The machine could not be asked.
pub(super) async fn look(machine: &Machine<'_>, args: &Args) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let now = SystemClock.now();
    let within = i64::try_from(given.duration("within").as_secs()).unwrap_or(i64::MAX);
    let since = format!("--since=@{}", now.as_second().saturating_sub(within));
    let most = given.count("entries");
    let lines = format!("--lines={most}");
    let words = [
        "journalctl",
        "--no-pager",
        "--priority=err",
        "--output=json",
        "--output-fields=SYSLOG_IDENTIFIER,_SYSTEMD_UNIT,PRIORITY,MESSAGE",
        &since,
        &lines,
    ];
    let done = match machine.run(&words).await {
        Ok(done) => done,
        Err(NoAnswer::NoProgram(name)) => {
            return Ok(without(
                &format!("there is no {name} on {}", machine.address()),
                "absent",
            ));
        }
        Err(no) => return Err(machine.blind(&no)),
    };
    let errors = done.errors();
    let text = done.text();
    // Cut for its length: the last line may be half of one.
    let (text, cut) = match text.rsplit_once('\n') {
        Some((whole, _)) if done.cut => (whole, true),
        _ => (text.as_str(), done.cut),
    };
    let (entries, strange) = read(text);
    if entries.is_empty() && errors.contains("No journal files were found") {
        return Ok(without(errors.trim(), "absent"));
    }
    if entries.is_empty() && errors.contains("ermission") {
        return Ok(without(errors.trim(), "denied"));
    }
    if !cut && done.code != Some(0) {
        return Err(machine.failed(&done));
    }
    if strange {
        return Err(machine.stranger("what it printed is no journal"));
    }
    if entries.is_empty() && !machine.is_here() {
        confirmed(machine).await?;
    }
    let partial = errors.contains("not seeing messages");
    Ok(sighting(
        &entries,
        partial,
        cut || entries.len() >= most,
        now.as_microsecond(),
    ))
}

/// The entries in an answer, and whether it holds something else: nothing but a banner, or a last
/// line that is half of one. What a login prints before the entries is left out.
fn read(text: &str) -> (Vec<Entry>, bool) {
    let mut entries = Vec::new();
    let mut strange = false;
    // `-- No entries --` and its like are journalctl's own.
    let said = |line: &&str| !line.trim().is_empty() && !line.starts_with("-- ");
    for line in text.lines().filter(said) {
        match serde_json::from_str(line) {
            Ok(entry) => {
                entries.push(entry);
                strange = false;
            }
            Err(_) => strange = true,
        }
    }
    (entries, strange)
}

/// An empty answer may be that of a journal without errors, or of a machine that answers nothing
/// to whatever is asked.
async fn confirmed(machine: &Machine<'_>) -> Result<(), Blind> {
    let done = machine.whole(&["journalctl", "--version"]).await?;
    if done.text().lines().any(|line| line.starts_with("systemd ")) {
        Ok(())
    } else {
        Err(machine.stranger("it answers nothing to whatever is asked"))
    }
}

fn without(why: &str, state: &str) -> Sighting {
    let mut seen = Seen::new(&SPEC);
    seen.line(why);
    tell(&mut seen, &[], 0);
    seen.fact("state", state)
        .fact("partial", false)
        .fact("truncated", false);
    seen.done()
}

fn sighting(entries: &[Entry], partial: bool, truncated: bool, now: i64) -> Sighting {
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} errors in the journal{}",
        entries.len(),
        if partial { " (of this user alone)" } else { "" }
    ));
    tell(&mut seen, entries, now);
    let from = entries.len().saturating_sub(SHOWN.0);
    for entry in entries.iter().skip(from) {
        seen.line(plain(
            &format!("{}: {}", entry.who(), entry.text()),
            SHOWN.1,
        ));
    }
    seen.fact("state", "ok")
        .fact("partial", partial)
        .fact("truncated", truncated);
    seen.done()
}

fn tell(seen: &mut Seen, entries: &[Entry], now: i64) {
    for (kind, words) in KINDS {
        let hits: Vec<String> = entries
            .iter()
            .map(Entry::text)
            .filter(|text| words.iter().any(|word| text.contains(word)))
            .collect();
        seen.fact(&format!("{kind}_count"), hits.len())
            .fact(&format!("{kind}_last"), hits.last().cloned());
    }
    let critical: Vec<&Entry> = entries
        .iter()
        .filter(|entry| matches!(entry.priority.as_str(), "0" | "1" | "2"))
        .collect();
    let mut sources: Vec<(&str, usize)> = Vec::new();
    for entry in entries {
        match sources.iter_mut().find(|(who, _)| *who == entry.who()) {
            Some((_, count)) => *count += 1,
            None => sources.push((entry.who(), 1)),
        }
    }
    sources.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let last = entries.last();
    let ago = last
        .and_then(|entry| entry.at.parse::<i64>().ok())
        .map(|at| ((now - at) / 1_000_000).max(0));
    let shown: Vec<String> = sources
        .iter()
        .take(10)
        .map(|(who, count)| format!("{who}: {count}"))
        .collect();
    seen.fact("errors", entries.len())
        .fact("critical", critical.len())
        .fact("critical_last", critical.last().map(|entry| entry.text()))
        .fact("top_source", sources.first().map(|(who, _)| *who))
        .fact(
            "top_source_count",
            sources.first().map_or(0, |(_, count)| *count),
        )
        .fact("sources", shown)
        .fact("last_error", last.map(Entry::text))
        .fact("last_error_seconds_ago", ago);
}
