//! `redis.info`: what the server says of itself.

mod spec;
mod text;

use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use spec::SPEC;
pub(super) use text::InfoText;

use self::text::part;
use super::{failure::Failure, pool::Link};
use crate::{
    domain::{
        diagnosis::{Blind, Sighting},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::Seen,
        shown::{bytes_shown, percent},
    },
};

/// A rate from so many keys is right to about a tenth: they come one by one, and the square root of a count is its error.
const ENOUGH_KEYS: i64 = 100;

/// How many windows a sample may take until it has enough keys.
const WINDOWS: u32 = 10;

/// How many without a single key are believed: whoever writes may have paused.
const EMPTY_WINDOWS: u32 = 3;

/// How many of the most frequent errors are told.
const TOP_ERRORS: usize = 5;

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or INFO is refused, each with its reason.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let began = Instant::now();
    let answer = link.ask_one(&["INFO", "all"]).await;
    let info = InfoText::of(answer.map_err(|failure| link.blind(&failure))?);
    if info.is_empty() {
        let strange = Failure::Stranger("INFO was answered with nothing".to_owned());
        return Err(link.blind(&strange));
    }
    let evicted = info.int("evicted_keys").unwrap_or(0);
    let window = Given::new(&SPEC, args).duration("rate_window");
    let rate = if evicted > 0 {
        rate(link, evicted, window, began).await
    } else {
        None
    };
    Ok(sighting(&info, rate))
}

/// How fast keys are let go: another sample after `window`, over the time that truly passed. While some go, yet too few to
/// say how fast, it is looked for longer.
async fn rate(
    link: &Link<'_>,
    before: i64,
    window: Duration,
    began: Instant,
) -> Option<(f64, Duration)> {
    let mut sample = None;
    for turn in 1..=WINDOWS {
        sleep(window).await;
        let Ok(answer) = link.ask_one(&["INFO", "stats"]).await else {
            break;
        };
        let apart = began.elapsed();
        let later = InfoText::of(answer).int("evicted_keys")?;
        let more = later.saturating_sub(before).max(0);
        sample = Some((real(more) / apart.as_secs_f64(), apart));
        if more >= ENOUGH_KEYS || (more == 0 && turn >= EMPTY_WINDOWS) {
            break;
        }
    }
    sample
}

fn sighting(info: &InfoText, rate: Option<(f64, Duration)>) -> Sighting {
    let mut seen = Seen::new(&SPEC);
    server(&mut seen, info);
    let (keys, expiring) = keyspace(&mut seen, info);
    memory(&mut seen, info, keys, expiring);
    clients(&mut seen, info);
    stats(&mut seen, info, rate);
    persistence(&mut seen, info);
    replication(&mut seen, info);
    errors(&mut seen, info);
    seen.done()
}

fn server(seen: &mut Seen, info: &InfoText) {
    let version = info.text("redis_version").unwrap_or("unknown");
    let role = match (info.text("redis_mode"), info.text("role")) {
        (Some("sentinel"), _) => "sentinel",
        (_, Some("master")) => "master",
        (_, Some("slave" | "replica")) => "replica",
        _ => "unknown",
    };
    let uptime = int(info, "uptime_in_seconds");
    seen.fact("version", version)
        .fact("uptime_seconds", uptime)
        .fact("role", role)
        .fact("process_id", int(info, "process_id"))
        .fact("mode", info.text("redis_mode").unwrap_or("unknown"))
        .line(format!("Redis {version}, {role}, up {uptime} s"));
}

fn keyspace(seen: &mut Seen, info: &InfoText) -> (i64, i64) {
    let (mut keys, mut expiring, mut lines) = (0_i64, 0_i64, Vec::new());
    for (number, parts) in info.family("db") {
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let (all, with) = (whole(part(&parts, "keys")), whole(part(&parts, "expires")));
        keys += all;
        expiring += with;
        lines.push(format!("db{number}: {all} keys, {with} with expiry"));
    }
    lines.sort();
    for line in &lines {
        seen.line(line);
    }
    seen.fact("keys", keys)
        .fact("keys_with_expiry", expiring)
        .fact(
            "keys_without_expiry_percent",
            percent(keys - expiring, keys),
        )
        .fact("databases", lines);
    (keys, expiring)
}

fn memory(seen: &mut Seen, info: &InfoText, keys: i64, expiring: i64) {
    let used = int(info, "used_memory");
    let resident = int(info, "used_memory_rss");
    let limit = int(info, "maxmemory");
    // What replicas and the log have waiting is not evicted for (`freeMemoryGetNotCountedMemory`).
    let counted = (used - int(info, "mem_not_counted_for_evict")).max(0);
    let policy = info.text("maxmemory_policy").unwrap_or("unknown");
    let candidates = if policy.starts_with("volatile-") {
        expiring
    } else {
        keys
    };
    let machine = int(info, "total_system_memory");
    seen.fact("used_memory_bytes", used)
        .fact("used_memory_peak_bytes", int(info, "used_memory_peak"))
        .fact(
            "used_memory_dataset_bytes",
            int(info, "used_memory_dataset"),
        )
        .fact("used_memory_rss_bytes", resident)
        .fact("counted_memory_bytes", counted)
        .fact("maxmemory_bytes", limit)
        .fact("maxmemory_policy", policy)
        .fact(
            "eviction_possible",
            policy != "noeviction" && candidates > 0,
        )
        .fact("memory_percent", percent(counted, limit))
        .fact("system_memory_bytes", machine)
        .fact("system_memory_percent", percent(resident, machine))
        .fact(
            "mem_fragmentation_ratio",
            info.float("mem_fragmentation_ratio").unwrap_or(1.0),
        )
        .fact("fragmentation_waste_bytes", resident - used)
        .fact("allocator_frag_ratio", info.float("allocator_frag_ratio"))
        .fact("allocator_frag_bytes", info.int("allocator_frag_bytes"))
        .fact("rss_overhead_ratio", info.float("rss_overhead_ratio"))
        .fact(
            "lua_memory_bytes",
            info.int("used_memory_vm_total")
                .or(info.int("used_memory_lua")),
        )
        .fact("client_memory_bytes", info.int("mem_clients_normal"))
        .fact("replica_memory_bytes", replica_memory(info))
        .fact("active_defrag_running", info.flag("active_defrag_running"));
    let of = if limit > 0 {
        bytes_shown(limit)
    } else {
        "no limit".to_owned()
    };
    seen.line(format!(
        "memory: {} used of {of} ({policy}), {} resident, fragmentation {:.2}",
        bytes_shown(used),
        bytes_shown(resident),
        info.float("mem_fragmentation_ratio").unwrap_or(1.0),
    ));
}

fn replica_memory(info: &InfoText) -> Option<i64> {
    let buffers = info.int("mem_clients_slaves")?;
    // From version 7 on one backlog is shared and counted as a whole.
    let backlog = info
        .int("mem_total_replication_buffers")
        .or(info.int("mem_replication_backlog"));
    Some(buffers.max(backlog.unwrap_or(0)))
}

fn clients(seen: &mut Seen, info: &InfoText) {
    let connected = int(info, "connected_clients");
    let most = int(info, "maxclients");
    let rejected = int(info, "rejected_connections");
    seen.fact("connected_clients", connected)
        .fact("maxclients", most)
        .fact("clients_percent", percent(connected, most))
        .fact("blocked_clients", int(info, "blocked_clients"))
        .fact("rejected_connections", rejected)
        .fact(
            "client_recent_max_output_bytes",
            info.int("client_recent_max_output_buffer"),
        )
        .line(format!(
            "clients: {connected} of {most}, {rejected} rejected since the start"
        ));
}

fn stats(seen: &mut Seen, info: &InfoText, rate: Option<(f64, Duration)>) {
    let evicted = int(info, "evicted_keys");
    let (hits, misses) = (int(info, "keyspace_hits"), int(info, "keyspace_misses"));
    let average = real(evicted) / real(int(info, "uptime_in_seconds").max(1));
    let window = rate.map_or(0, |(_, apart)| {
        i64::try_from(apart.as_millis()).unwrap_or(0)
    });
    let rate = rate.map_or(0.0, |(rate, _)| rate);
    seen.fact("evicted_keys", evicted)
        .fact("evictions_per_second", rate)
        .fact("evictions_per_second_average", average)
        .fact("rate_window_ms", window)
        .fact(
            "over_maxmemory_ms",
            info.int("current_eviction_exceeded_time"),
        )
        .fact("expired_keys", int(info, "expired_keys"))
        .fact("keyspace_hits", hits)
        .fact("keyspace_misses", misses)
        .fact("hit_percent", percent(hits, hits + misses))
        .fact("commands_processed", int(info, "total_commands_processed"))
        .fact(
            "ops_per_second",
            info.float("instantaneous_ops_per_sec").unwrap_or(0.0),
        )
        .fact(
            "input_kbps",
            info.float("instantaneous_input_kbps").unwrap_or(0.0),
        )
        .fact(
            "output_kbps",
            info.float("instantaneous_output_kbps").unwrap_or(0.0),
        )
        .fact("latest_fork_us", int(info, "latest_fork_usec"))
        .fact("sync_full", int(info, "sync_full"));
    if evicted > 0 {
        seen.line(format!(
            "evicted: {evicted} keys since the start, {rate:.0}/s now"
        ));
    }
}

fn persistence(seen: &mut Seen, info: &InfoText) {
    let loading = info.flag("loading");
    let aof = info.flag("aof_enabled");
    let saved = info.is_ok("rdb_last_bgsave_status");
    let (written, rewritten) = (
        info.is_ok("aof_last_write_status"),
        info.is_ok("aof_last_bgrewrite_status"),
    );
    let now = info
        .int("server_time_usec")
        .map(|micros| micros / 1_000_000);
    let last_save = info.int("rdb_last_save_time").filter(|at| *at > 0);
    let ago = now.zip(last_save).map(|(now, at)| (now - at).max(0));
    let changes = int(info, "rdb_changes_since_last_save");
    seen.fact("loading", loading)
        .fact(
            "loading_percent",
            info.float("loading_loaded_perc").filter(|_| loading),
        )
        .fact(
            "loading_eta_seconds",
            info.int("loading_eta_seconds").filter(|_| loading),
        )
        .fact("async_loading", info.flag("async_loading"))
        .fact("rdb_last_bgsave_ok", saved)
        .fact(
            "rdb_bgsave_in_progress",
            info.flag("rdb_bgsave_in_progress"),
        )
        .fact("rdb_changes_since_last_save", changes)
        .fact("rdb_last_save_seconds_ago", ago)
        .fact("aof_enabled", aof)
        .fact("aof_last_write_ok", written)
        .fact("aof_last_bgrewrite_ok", rewritten)
        .fact(
            "aof_rewrite_in_progress",
            info.flag("aof_rewrite_in_progress"),
        )
        .fact("aof_delayed_fsync", info.int("aof_delayed_fsync"))
        .fact("persistence_ok", saved && (!aof || (written && rewritten)))
        .line(format!(
            "persistence: last save {}, {changes} changes since; append-only file {}",
            if saved { "ok" } else { "FAILED" },
            match (aof, written && rewritten) {
                (false, _) => "off",
                (true, true) => "ok",
                (true, false) => "FAILED",
            },
        ));
}

fn replication(seen: &mut Seen, info: &InfoText) {
    let link = info
        .text("master_link_status")
        .filter(|said| matches!(*said, "up" | "down"));
    let master = info.text("master_host").zip(info.text("master_port"));
    let address = master.map(|(host, port)| format!("{host}:{port}"));
    let offset = int(info, "master_repl_offset");
    let replicas: Vec<_> = info
        .family("slave")
        .filter(|(number, parts)| number.parse::<u32>().is_ok() && parts.contains_key("state"))
        .collect();
    let online = replicas
        .iter()
        .filter(|(_, parts)| parts.get("state") == Some(&"online"))
        .count();
    let behind = replicas
        .iter()
        .map(|(_, parts)| offset - whole(part(parts, "offset")))
        .max();
    let silent = replicas
        .iter()
        .map(|(_, parts)| whole(part(parts, "lag")))
        .max();
    seen.fact("master_link_status", link)
        .fact(
            "master_link_down_since_seconds",
            info.int("master_link_down_since_seconds")
                .filter(|s| *s >= 0),
        )
        .fact(
            "master_last_io_seconds_ago",
            info.int("master_last_io_seconds_ago").filter(|s| *s >= 0),
        )
        .fact(
            "master_sync_in_progress",
            info.flag("master_sync_in_progress"),
        )
        .fact("master_address", address.clone())
        .fact("replicas_connected", int(info, "connected_slaves"))
        .fact("replicas_not_online", replicas.len() - online)
        .fact("replica_lag_bytes", behind.map(|bytes| bytes.max(0)))
        .fact("replica_lag_seconds", silent);
    if let (Some(link), Some(address)) = (link, address) {
        seen.line(format!("replication: link to master {address} is {link}"));
    }
}

fn errors(seen: &mut Seen, info: &InfoText) {
    let mut counts: Vec<(&str, i64)> = info
        .family("errorstat_")
        .map(|(code, parts)| (code, whole(part(&parts, "count"))))
        .collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    seen.fact("total_error_replies", info.int("total_error_replies"));
    for (fact, code) in [
        ("errors_oom", "OOM"),
        ("errors_misconf", "MISCONF"),
        ("errors_noauth", "NOAUTH"),
        ("errors_wrongpass", "WRONGPASS"),
        ("errors_noperm", "NOPERM"),
        ("errors_loading", "LOADING"),
        ("errors_readonly", "READONLY"),
        ("errors_busy", "BUSY"),
        ("errors_masterdown", "MASTERDOWN"),
    ] {
        let count = counts.iter().find(|(known, _)| *known == code);
        seen.fact(fact, count.map_or(0, |(_, count)| *count));
    }
    let top: Vec<String> = counts
        .iter()
        .take(TOP_ERRORS)
        .map(|(code, n)| format!("{code} {n}"))
        .collect();
    if !top.is_empty() {
        seen.line(format!(
            "errors answered since the start: {}",
            top.join(", ")
        ));
    }
    seen.fact("errors_top", top);
    commands(seen, info);
}

fn commands(seen: &mut Seen, info: &InfoText) {
    let all: Vec<(&str, f64, f64)> = info
        .family("cmdstat_")
        .map(|(name, parts)| (name, part(&parts, "usec"), part(&parts, "usec_per_call")))
        .collect();
    let total: f64 = all.iter().map(|(_, spent, _)| spent).sum();
    let slowest = all.iter().max_by(|a, b| a.2.total_cmp(&b.2));
    let busiest = all.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    seen.fact("slowest_command", slowest.map(|(name, ..)| *name))
        .fact("slowest_command_us", slowest.map(|(.., average)| *average))
        .fact("busiest_command", busiest.map(|(name, ..)| *name))
        .fact(
            "busiest_command_percent",
            busiest
                .filter(|_| total > 0.0)
                .map(|(_, spent, _)| spent * 100.0 / total),
        );
}

fn int(info: &InfoText, name: &str) -> i64 {
    info.int(name).unwrap_or(0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rates are shown with few digits"
)]
fn real(number: i64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the number was whole on the wire"
)]
fn whole(number: f64) -> i64 {
    number as i64
}
