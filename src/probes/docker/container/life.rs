//! How the container runs, how it ended, and how often it was started again.

use bollard::models::{
    ContainerInspectResponse, ContainerState, HealthStatusEnum, RestartPolicyNameEnum,
};
use jiff::Timestamp;

use super::past::Past;
use crate::probes::seen::Seen;

/// Fewest automatic starts that make a loop. Our own choice: one is an accident.
const LOOP_STARTS: i64 = 2;

/// How long a container that was in a loop must run to be out of it, in seconds: the engine's
/// own pause between two starts grows to one minute at most
/// (<https://docs.docker.com/engine/containers/start-containers-automatically/>).
const LOOP_RUN_S: i64 = 60;

/// The time in which two ends make a loop, in seconds.
const LOOP_ENDS_S: i64 = 600;

/// Exit codes above this one mean: ended by the signal of the difference (a shell's custom that
/// the engine follows).
pub(super) const SIGNAL_BASE: i64 = 128;

/// Tells state, exit and restarts; says whether it runs.
pub(super) fn tell(
    seen: &mut Seen,
    container: &ContainerInspectResponse,
    past: Option<&Past>,
    now: Timestamp,
) -> bool {
    let blank = ContainerState::default();
    let state = container.state.as_ref().unwrap_or(&blank);
    let word = word_of(state);
    let running = matches!(word, "running" | "paused" | "stopping");
    let ago = |at: Option<&String>| seconds_since(at.map(String::as_str), now);
    let started = ago(state.started_at.as_ref());
    let finished = ago(state.finished_at.as_ref());
    let restarts = container.restart_count.unwrap_or(0);
    let exit = exit_code(state, running, finished.is_some(), past);
    let looping = is_looping(word, restarts, started, past, now);
    let killed = oom_killed(state, restarts, started, past, now);
    let created = container.created.as_ref();
    seen.fact("state", word)
        .fact("exit_code", exit)
        .fact("exit_signal", exit.and_then(signal_of))
        .fact("oom_killed", killed)
        .fact("error", state.error.clone().filter(|text| !text.is_empty()))
        .fact("restart_count", restarts)
        .fact("restart_policy", policy_of(container))
        .fact("restart_looping", looping)
        .fact("started_seconds_ago", started)
        .fact("finished_seconds_ago", finished)
        .fact("uptime_seconds", started.filter(|_| running))
        .fact(
            "created_seconds_ago",
            seconds_since(created.map(AsRef::as_ref), now),
        )
        .fact("die_events_last_hour", past.map(|past| past.deaths.len()))
        .fact("oom_events_last_hour", past.map(|past| past.ooms.len()))
        .fact("kill_events_last_hour", past.map(|past| past.kills.len()))
        .fact("stopped_by_hand", past.and_then(Past::last_end_asked_for));
    seen.line(match (running, started, finished) {
        (true, Some(s), _) => format!("{word} for {s} s, started again {restarts} times"),
        (false, _, Some(s)) => format!(
            "{word}, ended {s} s ago with exit code {}{}, started again {restarts} times",
            exit.map_or("unknown".to_owned(), |code| code.to_string()),
            if killed { " (out of memory)" } else { "" },
        ),
        _ => word.to_owned(),
    });
    if let Some(error) = state.error.as_ref().filter(|text| !text.is_empty()) {
        seen.line(error);
    }
    running
}

/// What a list of containers tells of one.
pub(in crate::probes) struct Life {
    /// The engine's word.
    pub(in crate::probes) state: &'static str,
    /// Of the last run that has ended; none while it runs.
    pub(in crate::probes) exit_code: Option<i64>,
    /// The engine's mark on the last run.
    pub(in crate::probes) oom_killed: bool,
    /// It dies and is started again and again.
    pub(in crate::probes) restart_looping: bool,
    /// What the health check says.
    pub(in crate::probes) health: &'static str,
    /// When the engine starts it again.
    pub(in crate::probes) policy: Option<&'static str>,
}

/// The life of a container as its inspection alone tells it.
pub(in crate::probes) fn life_of(container: &ContainerInspectResponse, now: Timestamp) -> Life {
    let blank = ContainerState::default();
    let state = container.state.as_ref().unwrap_or(&blank);
    let word = word_of(state);
    let running = matches!(word, "running" | "paused" | "stopping");
    let started = seconds_since(state.started_at.as_deref(), now);
    let finished = seconds_since(state.finished_at.as_deref(), now);
    let restarts = container.restart_count.unwrap_or(0);
    Life {
        state: word,
        exit_code: exit_code(state, running, finished.is_some(), None),
        oom_killed: oom_killed(state, restarts, started, None, now),
        restart_looping: is_looping(word, restarts, started, None, now),
        health: health_of(container),
        policy: policy_of(container),
    }
}

fn health_of(container: &ContainerInspectResponse) -> &'static str {
    let state = container.state.as_ref();
    let health = state.and_then(|state| state.health.as_ref());
    match health.and_then(|health| health.status) {
        Some(HealthStatusEnum::STARTING) => "starting",
        Some(HealthStatusEnum::HEALTHY) => "healthy",
        Some(HealthStatusEnum::UNHEALTHY) => "unhealthy",
        Some(HealthStatusEnum::NONE | HealthStatusEnum::EMPTY) | None => "none",
    }
}

/// Tells what the health check says.
pub(super) fn tell_health(seen: &mut Seen, container: &ContainerInspectResponse) {
    let health = container
        .state
        .as_ref()
        .and_then(|state| state.health.as_ref());
    let word = health_of(container);
    let output = health
        .and_then(|health| health.log.as_ref()?.last()?.output.clone())
        .map(|output| output.trim().to_owned())
        .filter(|output| !output.is_empty());
    if word != "none" {
        let shown = output.as_deref().unwrap_or("no output");
        seen.line(format!("health: {word} ({shown})"));
    }
    seen.fact("health", word)
        .fact(
            "health_failing_streak",
            health.and_then(|health| health.failing_streak).unwrap_or(0),
        )
        .fact("health_output", output);
}

fn word_of(state: &ContainerState) -> &'static str {
    use bollard::models::ContainerStateStatusEnum as Status;
    match state.status {
        Some(Status::CREATED) => "created",
        Some(Status::RUNNING) => "running",
        Some(Status::PAUSED) => "paused",
        Some(Status::RESTARTING) => "restarting",
        Some(Status::STOPPING) => "stopping",
        Some(Status::REMOVING) => "removing",
        Some(Status::EXITED) => "exited",
        Some(Status::DEAD | Status::EMPTY) | None => "dead",
    }
}

/// The exit code of the last run that has ended. While a container runs the engine says 0, so
/// the last death that it remembers is asked then.
fn exit_code(
    state: &ContainerState,
    running: bool,
    ended_once: bool,
    past: Option<&Past>,
) -> Option<i64> {
    if running {
        past?.deaths.iter().max()?.1
    } else {
        let code = state.exit_code?;
        (ended_once || code != 0).then_some(code)
    }
}

fn is_looping(
    word: &str,
    restarts: i64,
    started: Option<i64>,
    past: Option<&Past>,
    now: Timestamp,
) -> bool {
    if restarts < LOOP_STARTS {
        return false;
    }
    // That it happens to run at this moment means little when it has only just begun to and has
    // died before of late; where the engine remembers nothing the restarts must do.
    let young = started.is_some_and(|seconds| seconds < LOOP_RUN_S);
    let died = past.is_none_or(|past| past.deaths_since(now.as_second() - LOOP_ENDS_S) >= 2);
    word == "restarting" || (word == "running" && young && died)
}

/// Whether the kernel killed it for want of memory. The engine's mark speaks of the last run; it
/// can be missing (a child was killed, control groups of version 2:
/// <https://github.com/moby/moby/issues/38352>), so events count, too, unless it was started by hand since (automatic starts leave a count).
fn oom_killed(
    state: &ContainerState,
    restarts: i64,
    started: Option<i64>,
    past: Option<&Past>,
    now: Timestamp,
) -> bool {
    let begun = now.as_second() - started.unwrap_or(0);
    let remembered = past
        .and_then(|past| past.ooms.iter().max())
        .is_some_and(|at| restarts > 0 || *at >= begun);
    state.oom_killed.unwrap_or(false) || remembered
}

fn policy_of(container: &ContainerInspectResponse) -> Option<&'static str> {
    let policy = container.host_config.as_ref()?.restart_policy.as_ref()?;
    Some(match policy.name? {
        RestartPolicyNameEnum::ALWAYS => "always",
        RestartPolicyNameEnum::ON_FAILURE => "on-failure",
        RestartPolicyNameEnum::UNLESS_STOPPED => "unless-stopped",
        RestartPolicyNameEnum::NO | RestartPolicyNameEnum::EMPTY => "no",
    })
}

/// Seconds between an engine's time and `now`; none for the year 1, which is its word for never.
fn seconds_since(at: Option<&str>, now: Timestamp) -> Option<i64> {
    let at: Timestamp = at?.parse().ok()?;
    (at.as_second() > 0).then(|| (now.as_second() - at.as_second()).max(0))
}

/// The name of the signal in an exit code (signal(7), the numbers of x86 and ARM).
fn signal_of(code: i64) -> Option<&'static str> {
    Some(match code - SIGNAL_BASE {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return None,
    })
}
