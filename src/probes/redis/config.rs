//! `redis.config`: the settings that matter in an incident, from `CONFIG GET`.

use std::collections::HashMap;

use redis::Pipeline;

use super::{
    pool::Link,
    session::question,
    words::{list_of, text_of},
};
use crate::{
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        seen::Seen,
        shown::bytes_shown,
        spec::{bytes, count, flag, int, seconds, text, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.config",
    summary: "the settings that matter in an incident; never a password's value",
    targets: &[TargetKind::Redis],
    args: &[],
    facts: &[
        bytes("maxmemory_bytes", "the limit of memory; 0 means none").setting(),
        text("maxmemory_policy", "what goes when the limit is reached").setting(),
        count("maxclients", "the most connections").setting(),
        seconds(
            "timeout_seconds",
            "when an idle client is cut off; 0 means never",
        )
        .setting(),
        seconds(
            "tcp_keepalive_seconds",
            "how often an idle peer is asked whether it lives; 0 means never",
        )
        .setting()
        .optional(),
        texts(
            "save",
            "when a background save starts: seconds and changes; empty means never",
        )
        .setting(),
        flag("rdb_enabled", "background saves are on").setting(),
        flag("appendonly", "every write is logged").setting(),
        text("appendfsync", "how often that log is flushed to disk")
            .setting()
            .optional(),
        flag(
            "persistent",
            "something is kept over a restart: saves or the log are on",
        )
        .setting(),
        flag(
            "stop_writes_on_bgsave_error",
            "writes are refused (MISCONF) after a save failed",
        )
        .setting(),
        int(
            "slowlog_slower_than_us",
            Unit::Microseconds,
            "commands slower than this are kept; negative means none, 0 all",
        )
        .setting(),
        count("slowlog_max_len", "how many are kept").setting(),
        int(
            "latency_threshold_ms",
            Unit::Milliseconds,
            "events slower than this are kept by the latency monitor; 0 means it is off",
        )
        .setting()
        .optional(),
        flag("password_set", "the default user has a password").setting(),
        flag(
            "protected_mode",
            "strangers are refused while there is no password",
        )
        .setting(),
        texts("bind", "addresses that it listens on; empty means all").setting(),
        flag(
            "open_to_all",
            "it listens on more than the machine itself with neither password nor protected mode",
        )
        .setting(),
        text(
            "notify_keyspace_events",
            "events that it publishes; empty means none",
        )
        .setting()
        .optional(),
        flag(
            "lazyfree_eviction",
            "evicted keys are freed in the background",
        )
        .setting()
        .optional(),
        flag(
            "lazyfree_expire",
            "expired keys are freed in the background",
        )
        .setting()
        .optional(),
        flag("active_defrag", "memory is defragmented while it runs")
            .setting()
            .optional(),
        count(
            "min_replicas_to_write",
            "writes are refused with fewer replicas than this",
        )
        .setting()
        .optional(),
        flag(
            "replica_serve_stale_data",
            "a replica without its master still answers",
        )
        .setting()
        .optional(),
        bytes(
            "repl_backlog_bytes",
            "how much a replica may miss and still catch up",
        )
        .setting()
        .optional(),
        int(
            "busy_reply_threshold_ms",
            Unit::Milliseconds,
            "a script slower than this makes the server answer BUSY",
        )
        .setting()
        .optional(),
        text("directory", "where it saves").setting().optional(),
    ],
    per_key: None,
};

/// The settings that are asked for, one `CONFIG GET` each: several patterns in one question are
/// known only since version 7 (<https://redis.io/docs/latest/commands/config-get/>).
const ASKED: &[&str] = &[
    "maxmemory",
    "maxmemory-policy",
    "maxclients",
    "timeout",
    "tcp-keepalive",
    "save",
    "appendonly",
    "appendfsync",
    "stop-writes-on-bgsave-error",
    "slowlog-log-slower-than",
    "slowlog-max-len",
    "latency-monitor-threshold",
    "requirepass",
    "protected-mode",
    "bind",
    "notify-keyspace-events",
    "lazyfree-lazy-eviction",
    "lazyfree-lazy-expire",
    "activedefrag",
    "min-replicas-to-write",
    "replica-serve-stale-data",
    "repl-backlog-size",
    "busy-reply-threshold",
    "lua-time-limit",
    "dir",
];

/// The settings that the server has told. A password never gets here.
struct Settings(HashMap<&'static str, String>);

impl Settings {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn int(&self, name: &str) -> Option<i64> {
        let text = self.text(name)?;
        text.parse()
            .ok()
            .or_else(|| text.parse::<u64>().ok().map(|_| i64::MAX))
    }

    fn yes(&self, name: &str) -> Option<bool> {
        self.text(name).map(|said| said == "yes")
    }
}

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or `CONFIG` is forbidden to the configured user.
pub(super) async fn look(link: &Link<'_>) -> Result<Sighting, Blind> {
    let mut questions = Pipeline::new();
    for name in ASKED {
        question(&mut questions, &["CONFIG", "GET", name]);
    }
    let answers = link
        .ask(&questions)
        .await
        .map_err(|failure| link.blind(&failure))?;
    let mut settings = Settings(HashMap::new());
    let mut password_set = false;
    for (name, answer) in ASKED.iter().zip(answers) {
        let answer = answer.map_err(|said| link.blind(&super::failure::Failure::Refused(said)))?;
        let Some(value) = list_of(answer).into_iter().nth(1).and_then(text_of) else {
            continue;
        };
        if *name == "requirepass" {
            password_set = !value.is_empty();
        } else {
            settings.0.insert(name, value);
        }
    }
    Ok(sighting(&settings, password_set))
}

fn sighting(settings: &Settings, password_set: bool) -> Sighting {
    let save: Vec<String> = save_points(settings.text("save").unwrap_or_default());
    let rdb = !save.is_empty();
    let aof = settings.yes("appendonly").unwrap_or(false);
    let protected = settings.yes("protected-mode").unwrap_or(false);
    let bind: Vec<String> = settings
        .text("bind")
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let limit = settings.int("maxmemory").unwrap_or(0);
    let policy = settings.text("maxmemory-policy").unwrap_or("unknown");
    let busy = settings
        .int("busy-reply-threshold")
        .or(settings.int("lua-time-limit"));
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "maxmemory {} ({policy}), maxclients {}",
        if limit > 0 {
            bytes_shown(limit)
        } else {
            "none".to_owned()
        },
        settings.int("maxclients").unwrap_or(0)
    ))
    .line(format!(
        "saves: {}; append-only file: {}",
        if rdb {
            save.join(", ")
        } else {
            "never".to_owned()
        },
        if aof { "on" } else { "off" }
    ))
    .line(format!(
        "listens on {}; password {}, protected mode {}",
        if bind.is_empty() {
            "every address".to_owned()
        } else {
            bind.join(" ")
        },
        if password_set { "set" } else { "not set" },
        if protected { "on" } else { "off" }
    ));
    seen.fact("maxmemory_bytes", limit)
        .fact("maxmemory_policy", policy)
        .fact("maxclients", settings.int("maxclients").unwrap_or(0))
        .fact("timeout_seconds", settings.int("timeout").unwrap_or(0))
        .fact("tcp_keepalive_seconds", settings.int("tcp-keepalive"))
        .fact("rdb_enabled", rdb)
        .fact("save", save)
        .fact("appendonly", aof)
        .fact("appendfsync", settings.text("appendfsync"))
        .fact("persistent", rdb || aof)
        .fact(
            "open_to_all",
            !password_set && !protected && !only_local(&bind),
        )
        .fact("password_set", password_set)
        .fact("protected_mode", protected)
        .fact("bind", bind)
        .fact("busy_reply_threshold_ms", busy);
    rest(&mut seen, settings);
    seen.done()
}

/// The settings that need no thought.
fn rest(seen: &mut Seen, settings: &Settings) {
    seen.fact(
        "stop_writes_on_bgsave_error",
        settings.yes("stop-writes-on-bgsave-error").unwrap_or(false),
    )
    .fact(
        "slowlog_slower_than_us",
        settings.int("slowlog-log-slower-than").unwrap_or(-1),
    )
    .fact(
        "slowlog_max_len",
        settings.int("slowlog-max-len").unwrap_or(0),
    )
    .fact(
        "latency_threshold_ms",
        settings.int("latency-monitor-threshold"),
    )
    .fact(
        "notify_keyspace_events",
        settings.text("notify-keyspace-events"),
    )
    .fact("lazyfree_eviction", settings.yes("lazyfree-lazy-eviction"))
    .fact("lazyfree_expire", settings.yes("lazyfree-lazy-expire"))
    .fact("active_defrag", settings.yes("activedefrag"))
    .fact(
        "min_replicas_to_write",
        settings.int("min-replicas-to-write"),
    )
    .fact(
        "replica_serve_stale_data",
        settings.yes("replica-serve-stale-data").unwrap_or(true),
    )
    .fact("repl_backlog_bytes", settings.int("repl-backlog-size"))
    .fact("directory", settings.text("dir"));
}

/// `3600 1 300 100` as `1 change in 3600 s` and so on.
fn save_points(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .chunks_exact(2)
        .map(|pair| format!("{} changes in {} s", pair[1], pair[0]))
        .collect()
}

/// Whether every address is of the machine itself; a leading minus means that it may be missing.
fn only_local(bind: &[String]) -> bool {
    !bind.is_empty()
        && bind.iter().all(|address| {
            let address = address.trim_start_matches('-');
            address.starts_with("127.") || address == "::1" || address == "localhost"
        })
}
