//! The facts of `docker.container`.

use crate::{
    domain::diagnosis::{FactSpec, ProbeSpec, Unit},
    probes::{
        docker::WITH_CONTAINER,
        spec::{bytes, count, flag, float, int, seconds, text, texts},
    },
};

/// The engine's states of a container, and one for none.
pub(super) const STATES: &[&str] = &[
    "missing",
    "created",
    "running",
    "paused",
    "restarting",
    "stopping",
    "removing",
    "exited",
    "dead",
];
/// What the health check says.
pub(super) const HEALTHS: &[&str] = &["none", "starting", "healthy", "unhealthy"];
/// When the engine starts the container again.
pub(super) const POLICIES: &[&str] = &["no", "always", "on-failure", "unless-stopped"];

const FACTS: &[FactSpec] = &[
    text(
        "state",
        "what the engine says of the container; missing when it has none of this name",
    )
    .one_of(STATES),
    text("name", "the container's name"),
    text("container_id", "the first twelve digits of its id").setting().optional(),
    text("image", "the image that it was made from").setting().optional(),
    text(
        "image_id",
        "the first twelve digits of that image's id: another one under the same name is another image",
    )
    .setting()
    .optional(),
    int(
        "exit_code",
        Unit::None,
        "of the last run that has ended; none while the first one runs",
    )
    .optional(),
    text(
        "exit_signal",
        "the signal that ended it, from an exit code above 128",
    )
    .optional(),
    flag(
        "oom_killed",
        "the kernel killed it for want of memory: the engine's mark on the last run, or an out-of-memory event of the last hour with no start by hand after it",
    ),
    text("error", "what the engine said when it could not start it").optional(),
    text(
        "last_words",
        "why it ended, from the end of its log: the last line that tells of trouble, with those that belong to it, or else the last one; read only when it does not run or dies again and again; none when it ended well, or was killed and said nothing of trouble",
    )
    .optional(),
    text("health", "what its health check says").one_of(HEALTHS),
    count(
        "health_failing_streak",
        "health checks that failed in a row",
    ),
    text("health_output", "what the last health check printed").optional(),
    count(
        "restart_count",
        "how often the engine started it again since it was last started by hand",
    ).level(3.0),
    text("restart_policy", "when the engine starts it again").setting()
        .one_of(POLICIES)
        .optional(),
    flag(
        "restart_looping",
        "it dies and is started again and again, whether it happens to run at this moment or not",
    ),
    seconds("started_seconds_ago", "when the last run began").optional(),
    seconds(
        "finished_seconds_ago",
        "when the last run that has ended did",
    )
    .optional(),
    seconds(
        "uptime_seconds",
        "how long it has been running; none when it is not",
    )
    .optional(),
    seconds("created_seconds_ago", "when it was made").optional(),
    count(
        "die_events_last_hour",
        "ends of the container's process that the engine remembers; none when it may not be asked",
    )
    .optional(),
    count(
        "oom_events_last_hour",
        "out-of-memory events that it remembers",
    )
    .optional(),
    count(
        "kill_events_last_hour",
        "signals sent through the engine that it remembers",
    )
    .optional(),
    flag(
        "stopped_by_hand",
        "the last end was asked for through the engine (stop or kill); none when that is not known",
    )
    .optional(),
    texts("mounts", "what is mounted, one line each").setting(),
    texts("ports", "published ports, one line each").setting(),
    flag(
        "port_published",
        "the Redis target's port is among them; none when it needs no publishing",
    )
    .optional(),
    text("network_mode", "how it is connected").setting().optional(),
    bytes(
        "memory_limit_bytes",
        "what its control group allows; none without a limit",
    ).setting()
    .optional(),
    bytes(
        "memory_used_bytes",
        "what it uses: its control group without page cache that can be dropped, or the resident memory of its processes where the engine has no sample at hand",
    )
    .optional(),
    float("memory_percent", Unit::Percent, "of the limit").optional(),
    float(
        "cpu_throttled_percent",
        Unit::Percent,
        "scheduling periods of the last half second in which it was held back, or of the second and a half after it where it hardly was and else often is; none without a limit of its processor time, and for an engine elsewhere",
    )
    .optional(),
    count("pids", "processes and threads in it; none where the engine has no sample at hand").level(50.0).optional(),
    count("processes", "processes in it; none when it does not run").optional(),
    count(
        "processes_stopped",
        "those of them that a signal has stopped (T)",
    )
    .optional(),
    count(
        "processes_blocked",
        "those of them that wait for the disk or a broken mount (D)",
    )
    .optional(),
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "docker.container",
    summary: "the container of a target: state, last exit, restarts, health, memory, ports, mounts",
    targets: WITH_CONTAINER,
    args: &[],
    facts: FACTS,
    per_key: None,
};
