//! `host.reachable`: whether a machine can be reached at all.

use tokio::time::Instant;

use super::machine::{Machine, NoAnswer};
use crate::{
    domain::diagnosis::{ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        net::Obstacle,
        seen::{Seen, plain},
        spec::{float, text},
    },
};

const STATES: &[&str] = &[
    "ok",
    "refused",
    "unresolved",
    "unreachable",
    "timed-out",
    "ssh",
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "host.reachable",
    summary: "whether a machine lets Handbell in over SSH; the machine that Handbell runs on is always there",
    targets: &[TargetKind::Host],
    args: &[],
    facts: &[
        text("state", "the first thing in the way; ok when there is none").one_of(STATES),
        text("address", "where it looked"),
        text("detail", "what ssh said; empty when all is well"),
        float(
            "latency_ms",
            Unit::Milliseconds,
            "the time until a program had run there",
        )
        .optional(),
    ],
    per_key: None,
};

/// Looks; whatever happens is a sighting.
pub(super) async fn look(machine: &Machine<'_>) -> Sighting {
    let began = Instant::now();
    let done = if machine.is_here() {
        Ok(())
    } else {
        match machine.run(&["true"]).await {
            // A login that may run nothing, or a machine that is no Unix.
            Ok(done) if done.code != Some(0) => Err(NoAnswer::Stranger(format!(
                "the login runs no program: {}{}",
                done.text(),
                done.errors()
            ))),
            other => other.map(|_| ()),
        }
    };
    let (state, detail) = match done {
        Ok(()) | Err(NoAnswer::NoProgram(_)) => ("ok", String::new()),
        Err(NoAnswer::Stranger(detail)) => ("ssh", plain(detail.trim(), 200)),
        Err(NoAnswer::TimedOut) => ("timed-out", "no answer in time".to_owned()),
        Err(NoAnswer::Away(obstacle)) => {
            let state = match obstacle {
                Obstacle::Refused => "refused",
                Obstacle::Unresolved(_) => "unresolved",
                Obstacle::TimedOut => "timed-out",
                Obstacle::Unreachable(_) | Obstacle::Reset(_) => "unreachable",
                _ => "ssh",
            };
            (state, plain(&obstacle.to_string(), 200))
        }
    };
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    let mut seen = Seen::new(&SPEC);
    seen.line(format!("{}: {state} {detail}", machine.address()))
        .fact("state", state)
        .fact("address", machine.address())
        .fact("detail", detail)
        .fact("latency_ms", (state == "ok").then_some(took));
    seen.done()
}
