//! The facts of `redis.info`. Meanings follow <https://redis.io/docs/latest/commands/info/>.

use crate::{
    domain::diagnosis::{ArgType, FactSpec, ProbeSpec, TargetKind, Unit},
    probes::spec::{arg, bytes, count, flag, float, int, seconds, text, texts},
};

/// Roles that INFO knows.
pub(super) const ROLES: &[&str] = &["master", "replica", "sentinel", "unknown"];
/// States of a replica's link to its master.
pub(super) const LINKS: &[&str] = &["up", "down"];

const SERVER: &[FactSpec] = &[
    text("version", "the server's version").setting(),
    seconds("uptime_seconds", "since the server started"),
    text("role", "the server's role").setting().one_of(ROLES),
    int(
        "process_id",
        Unit::None,
        "the process id where the server runs",
    ),
    text("mode", "standalone, cluster or sentinel").setting(),
];

const MEMORY: &[FactSpec] = &[
    bytes(
        "used_memory_bytes",
        "what the data and the server's own structures take",
    )
    .level(67_108_864.0),
    bytes(
        "used_memory_peak_bytes",
        "the most that it ever was since the start",
    ),
    bytes(
        "used_memory_dataset_bytes",
        "the part of it that is the data",
    ),
    bytes(
        "used_memory_rss_bytes",
        "what the operating system has given the process",
    ),
    bytes(
        "counted_memory_bytes",
        "what counts against maxmemory: used memory without buffers that eviction does not count",
    ),
    bytes("maxmemory_bytes", "the limit; 0 means none").setting(),
    text("maxmemory_policy", "what goes when the limit is reached").setting(),
    flag(
        "eviction_possible",
        "the policy lets keys go, and there are keys that it may take",
    ),
    float(
        "memory_percent",
        Unit::Percent,
        "counted memory against maxmemory; none without a limit",
    )
    .optional(),
    bytes(
        "system_memory_bytes",
        "the memory of the machine as the server sees it; 0 where it does not say",
    ),
    float(
        "system_memory_percent",
        Unit::Percent,
        "resident memory against the machine's",
    )
    .optional(),
    float(
        "mem_fragmentation_ratio",
        Unit::Ratio,
        "resident memory over used memory; below 1 hints at swapping",
    ),
    bytes(
        "fragmentation_waste_bytes",
        "resident memory beyond used memory; negative when part of it is swapped out",
    ),
    float(
        "allocator_frag_ratio",
        Unit::Ratio,
        "the allocator's active over allocated memory: true fragmentation",
    )
    .optional(),
    bytes("allocator_frag_bytes", "the same as a difference").optional(),
    float(
        "rss_overhead_ratio",
        Unit::Ratio,
        "resident memory over what the allocator holds",
    )
    .optional(),
    bytes("lua_memory_bytes", "what scripts take").optional(),
    bytes("client_memory_bytes", "what buffers of normal clients take").optional(),
    bytes(
        "replica_memory_bytes",
        "what buffers of replicas and the backlog take",
    )
    .optional(),
    flag("active_defrag_running", "the server is defragmenting now"),
];

const CLIENTS: &[FactSpec] = &[
    count("connected_clients", "connections without those of replicas").level(50.0),
    count(
        "maxclients",
        "the most that there can be; 0 where the server does not say",
    )
    .setting(),
    float(
        "clients_percent",
        Unit::Percent,
        "connected clients against maxclients",
    )
    .optional(),
    count("blocked_clients", "those that wait in a blocking command").level(20.0),
    count(
        "rejected_connections",
        "those turned away because maxclients was reached, since the start",
    ),
    bytes(
        "client_recent_max_output_bytes",
        "the longest output buffer of late",
    )
    .optional(),
];

const STATS: &[FactSpec] = &[
    count(
        "evicted_keys",
        "keys let go for want of memory, since the start",
    ),
    float(
        "evictions_per_second",
        Unit::PerSecond,
        "how fast keys are let go now: two samples apart",
    ),
    float(
        "evictions_per_second_average",
        Unit::PerSecond,
        "the same over the whole time since the start",
    ),
    int(
        "rate_window_ms",
        Unit::Milliseconds,
        "the time between the two samples; 0 when nothing was ever let go and one is enough",
    ),
    int(
        "over_maxmemory_ms",
        Unit::Milliseconds,
        "how long memory has been over the limit without a break; 0 when it is not",
    )
    .optional(),
    count(
        "expired_keys",
        "keys that reached their expiry, since the start",
    ),
    count("keyspace_hits", "lookups that found their key"),
    count("keyspace_misses", "lookups that did not"),
    float(
        "hit_percent",
        Unit::Percent,
        "hits among lookups; none before the first",
    )
    .optional(),
    count("commands_processed", "since the start"),
    float(
        "ops_per_second",
        Unit::PerSecond,
        "commands now, as the server samples them",
    )
    .level(1_000.0),
    float(
        "input_kbps",
        Unit::None,
        "network read now, kilobytes a second",
    ),
    float(
        "output_kbps",
        Unit::None,
        "network written now, kilobytes a second",
    ),
    int(
        "latest_fork_us",
        Unit::Microseconds,
        "how long the last fork stopped the server",
    ),
    count(
        "sync_full",
        "full resynchronisations with replicas, since the start",
    ),
];

const PERSISTENCE: &[FactSpec] = &[
    flag("loading", "the dataset is being loaded"),
    float(
        "loading_percent",
        Unit::Percent,
        "how much of it, while it loads",
    )
    .optional(),
    seconds(
        "loading_eta_seconds",
        "the server's own estimate, while it loads",
    )
    .optional(),
    flag(
        "async_loading",
        "a replica loads a new dataset and still serves the old",
    ),
    flag(
        "rdb_last_bgsave_ok",
        "the last background save worked (also when there was none)",
    ),
    flag("rdb_bgsave_in_progress", "a background save runs"),
    count(
        "rdb_changes_since_last_save",
        "changes that a crash would lose without AOF",
    ),
    seconds(
        "rdb_last_save_seconds_ago",
        "since the last save that worked",
    )
    .optional(),
    flag("aof_enabled", "every write is logged").setting(),
    flag(
        "aof_last_write_ok",
        "the last write to that log worked (also when it is off)",
    ),
    flag(
        "aof_last_bgrewrite_ok",
        "the last rewrite of it worked (also when there was none)",
    ),
    flag("aof_rewrite_in_progress", "a rewrite runs"),
    count(
        "aof_delayed_fsync",
        "how often a flush to disk held the server up",
    )
    .optional(),
    flag(
        "persistence_ok",
        "saves and log writes worked, as far as they are on",
    ),
];

const REPLICATION: &[FactSpec] = &[
    text(
        "master_link_status",
        "a replica's link to its master; none on a master",
    )
    .optional()
    .one_of(LINKS),
    seconds(
        "master_link_down_since_seconds",
        "how long it has been down; none when it is not",
    )
    .optional(),
    seconds(
        "master_last_io_seconds_ago",
        "since the master was last heard; none when the link is down",
    )
    .optional(),
    flag(
        "master_sync_in_progress",
        "the replica is taking a full copy",
    ),
    text(
        "master_address",
        "the master, host and port; none on a master",
    )
    .setting()
    .optional(),
    count("replicas_connected", "replicas that hang on this server").setting(),
    count(
        "replicas_not_online",
        "those of them that are not in the state online",
    ),
    bytes(
        "replica_lag_bytes",
        "how far the slowest replica is behind; none without one",
    )
    .optional(),
    seconds(
        "replica_lag_seconds",
        "since the quietest replica last acknowledged; none without one",
    )
    .optional(),
];

const KEYSPACE: &[FactSpec] = &[
    count("keys", "keys in all databases").level(1_000.0),
    count("keys_with_expiry", "those with an expiry"),
    float(
        "keys_without_expiry_percent",
        Unit::Percent,
        "the others in percent; none without keys",
    )
    .optional(),
    texts("databases", "one line for each database"),
];

const ERRORS: &[FactSpec] = &[
    count("total_error_replies", "errors answered, since the start").optional(),
    count("errors_oom", "commands refused for want of memory (OOM)"),
    count(
        "errors_misconf",
        "writes refused because a save failed (MISCONF)",
    ),
    count("errors_noauth", "commands without a login (NOAUTH)"),
    count("errors_wrongpass", "logins refused (WRONGPASS)"),
    count(
        "errors_noperm",
        "commands that the user may not give (NOPERM)",
    ),
    count(
        "errors_loading",
        "commands while the dataset was loading (LOADING)",
    ),
    count(
        "errors_readonly",
        "writes on a read-only replica (READONLY)",
    ),
    count(
        "errors_busy",
        "commands while a script blocked the server (BUSY)",
    ),
    count(
        "errors_masterdown",
        "commands on a replica that has lost its master (MASTERDOWN)",
    ),
    texts(
        "errors_top",
        "the most frequent error codes with their counts",
    ),
    text(
        "slowest_command",
        "the command with the highest average time",
    )
    .optional(),
    float("slowest_command_us", Unit::Microseconds, "that average").optional(),
    text(
        "busiest_command",
        "the command that has taken most time in all",
    )
    .optional(),
    float(
        "busiest_command_percent",
        Unit::Percent,
        "its part of the time of all commands",
    )
    .optional(),
];

const PARTS: [&[FactSpec]; 8] = [
    SERVER,
    MEMORY,
    CLIENTS,
    STATS,
    PERSISTENCE,
    REPLICATION,
    KEYSPACE,
    ERRORS,
];

const fn total() -> usize {
    let (mut sum, mut part) = (0, 0);
    while part < PARTS.len() {
        sum += PARTS[part].len();
        part += 1;
    }
    sum
}

const fn joined() -> [FactSpec; total()] {
    let mut all = [SERVER[0]; total()];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut n = 0;
        while n < PARTS[part].len() {
            all[at] = PARTS[part][n];
            at += 1;
            n += 1;
        }
        part += 1;
    }
    all
}

static FACTS: [FactSpec; total()] = joined();

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.info",
    summary: "what the server says of itself: memory, clients, persistence, replication, keys, errors",
    targets: &[TargetKind::Redis],
    args: &[arg(
        "rate_window",
        ArgType::Duration,
        "100ms",
        (10, 2_000),
        "the time between the two samples of a rate; waited only when keys were ever let go, three times where none is now, up to ten times while some are but too few to say how fast",
    )],
    facts: &FACTS,
    per_key: None,
};
