//! `docker.engine`: does the engine answer, and what does it run?

use std::time::Duration;

use bollard::Docker;
use tokio::time::Instant;

use super::{client::Engine, failure::Failure};
use crate::{
    domain::diagnosis::{ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        seen::Seen,
        spec::{bytes, count, flag, float, text, texts},
    },
};

/// How the engine fares.
pub(super) const STATES: &[&str] = &[
    "ok",
    "socket-missing",
    "permission-denied",
    "refused",
    "unresolved",
    "unreachable",
    "timed-out",
    "reset",
    "tls",
    "ssh",
    "wrong-protocol",
    "error",
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "docker.engine",
    summary: "whether the Docker engine answers, its version and how much it runs (for a Redis target: the engine of its container)",
    targets: &[
        TargetKind::Docker,
        TargetKind::Redis,
        TargetKind::Mysql,
        TargetKind::Service,
        TargetKind::Nginx,
        TargetKind::Log,
    ],
    args: &[],
    facts: &[
        text("state", "the first thing in the way; ok when there is none").one_of(STATES),
        text("address", "where it looked"),
        text(
            "detail",
            "what the engine or the operating system said; empty when all is well",
        ),
        float(
            "latency_ms",
            Unit::Milliseconds,
            "the time until the engine had answered",
        )
        .optional(),
        text("version", "the engine's version").setting().optional(),
        text("api_version", "the newest version of its interface")
            .setting()
            .optional(),
        count("containers", "containers that there are")
            .setting()
            .optional(),
        count("running", "those that run").optional(),
        count("paused", "those that are paused").optional(),
        count("stopped", "those that are stopped").optional(),
        count("images", "images that there are")
            .level(10.0)
            .optional(),
        count("cpus", "processors that it can use")
            .setting()
            .optional(),
        bytes("memory_bytes", "memory of its machine")
            .setting()
            .optional(),
        text("operating_system", "what its machine runs")
            .setting()
            .optional(),
        text("storage_driver", "how it stores layers")
            .setting()
            .optional(),
        flag("live_restore", "containers go on when the engine stops")
            .setting()
            .optional(),
        texts("warnings", "what the engine itself warns of"),
    ],
    per_key: None,
};

/// Looks at `engine`; whatever happens is a sighting.
pub(super) async fn look(engine: &Engine, patience: Duration) -> Sighting {
    let began = Instant::now();
    let mut seen = Seen::new(&SPEC);
    seen.fact("address", engine.address());
    let (version, info) = tokio::join!(
        engine.ask(patience, Docker::version),
        engine.ask(patience, Docker::info),
    );
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    let both = version.and_then(|version| {
        let info = info?;
        // Every field may be missing by the interface's grammar; every engine has these.
        if version.api_version.is_some() && info.containers.is_some() {
            Ok((version, info))
        } else {
            Err(Failure::Stranger(
                "it tells neither ApiVersion nor Containers".to_owned(),
            ))
        }
    });
    let (version, info) = match both {
        Ok(both) => both,
        Err(failure) => {
            let (state, detail) = (failure.state(), failure.detail());
            seen.line(format!("{}: {state}: {detail}", engine.address()))
                .fact("state", state)
                .fact("detail", detail)
                .fact("warnings", Vec::<String>::new());
            return seen.done();
        }
    };
    seen.line(format!(
        "Docker {} on {}: {} containers, {} of them running",
        version.version.as_deref().unwrap_or("?"),
        info.operating_system.as_deref().unwrap_or("?"),
        info.containers.unwrap_or(0),
        info.containers_running.unwrap_or(0),
    ));
    let warnings = info.warnings.unwrap_or_default();
    for warning in &warnings {
        seen.line(warning);
    }
    seen.fact("state", "ok")
        .fact("detail", "")
        .fact("latency_ms", took)
        .fact("version", version.version)
        .fact("api_version", version.api_version)
        .fact("containers", info.containers)
        .fact("running", info.containers_running)
        .fact("paused", info.containers_paused)
        .fact("stopped", info.containers_stopped)
        .fact("images", info.images)
        .fact("cpus", info.ncpu)
        .fact("memory_bytes", info.mem_total)
        .fact("operating_system", info.operating_system)
        .fact("storage_driver", info.driver)
        .fact("live_restore", info.live_restore_enabled)
        .fact("warnings", warnings);
    seen.done()
}
