//! `host.service`: a systemd unit.

use super::machine::{Machine, NoAnswer};
use crate::{
    domain::{
        diagnosis::{ArgSpec, ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit},
        text::Text,
    },
    probes::{
        seen::Seen,
        spec::{count, flag, int, text},
    },
};

/// States of a unit (systemctl(1), `ActiveState`), and one for none.
const STATES: &[&str] = &[
    "missing",
    "active",
    "reloading",
    "inactive",
    "failed",
    "activating",
    "deactivating",
    "maintenance",
    "refreshing",
    "other",
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "host.service",
    summary: "a systemd unit: whether it runs, whether it starts with the machine, how it ended; not applicable where no systemd runs",
    targets: &[TargetKind::Host],
    args: &[ArgSpec {
        name: "unit",
        kind: ArgType::Text,
        default: None,
        range: None,
        meaning: "the unit's name, as in docker.service",
    }],
    facts: &[
        text("unit", "its name"),
        text(
            "state",
            "what systemd says of it; missing when it knows none of this name",
        )
        .one_of(STATES),
        text(
            "substate",
            "the same more closely: running, dead, exited, auto-restart …",
        ),
        text(
            "result",
            "how its last run ended: success, exit-code, signal, oom-kill, timeout …",
        ),
        int("exit_status", Unit::None, "of its main process").optional(),
        count(
            "restarts",
            "how often systemd has started it again by itself",
        ),
        flag("enabled", "it starts with the machine"),
        text("enabled_state", "the same in systemd's word"),
        text(
            "restart_policy",
            "when systemd starts it again by itself: no, always, on-failure …",
        ),
    ],
    per_key: None,
};

/// Asks systemd for `unit`.
///
/// # Errors
/// No systemd runs there, or the machine could not be asked.
pub(super) async fn look(machine: &Machine<'_>, unit: &str) -> Result<Sighting, Blind> {
    let words = [
        "systemctl",
        "show",
        "--no-pager",
        "--property=LoadState,ActiveState,SubState,Result,ExecMainStatus,NRestarts,UnitFileState,Restart",
        "--",
        unit,
    ];
    let done = match machine.run(&words).await {
        Ok(done) => done,
        Err(NoAnswer::NoProgram(_)) => return Err(no_systemd()),
        Err(no) => return Err(machine.blind(&no)),
    };
    let (out, errors) = (done.text(), done.errors());
    let has = |name: &str| {
        out.lines().any(|line| {
            line.strip_prefix(name)
                .is_some_and(|it| it.starts_with('='))
        })
    };
    let of = |name: &str| {
        out.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or("")
            .to_owned()
    };
    // Without systemd it says so, or answers with nothing (systemctl(1) in a container).
    if errors.contains("not been booted with systemd")
        || errors.contains("Failed to connect to bus")
        || of("LoadState").is_empty()
    {
        return if errors.trim().is_empty() && !out.trim().is_empty() {
            Err(machine.stranger("what it printed is no answer of systemctl"))
        } else {
            Err(no_systemd())
        };
    }
    // Every unit has these, and each line ends.
    let whole =
        out.ends_with('\n') && ["ActiveState", "SubState", "UnitFileState"].map(has) == [true; 3];
    if done.code != Some(0) || !whole {
        return Err(machine.failed(&done));
    }
    let active = of("ActiveState");
    let state = if of("LoadState") == "not-found" {
        "missing"
    } else {
        STATES
            .iter()
            .find(|state| **state == active)
            .copied()
            .unwrap_or("other")
    };
    let enabled = of("UnitFileState");
    let mut seen = Seen::new(&SPEC);
    seen.line(format!("{unit}: {state} ({}), {enabled}", of("SubState")))
        .fact("unit", unit)
        .fact("state", state)
        .fact("substate", of("SubState"))
        .fact("result", of("Result"))
        .fact("exit_status", of("ExecMainStatus").parse::<i64>().ok())
        .fact("restarts", of("NRestarts").parse::<i64>().unwrap_or(0))
        .fact(
            "enabled",
            matches!(
                enabled.as_str(),
                "enabled" | "enabled-runtime" | "static" | "alias" | "indirect" | "generated"
            ),
        )
        .fact("enabled_state", enabled.as_str())
        .fact("restart_policy", of("Restart"));
    Ok(seen.done())
}

fn no_systemd() -> Blind {
    Blind::NotApplicable(Text::new(
        "no systemd runs on this machine",
        "这台机器没有运行 systemd",
    ))
}
