//! `docker.containers`: every container that is meant, stopped ones too: which should run and do
//! not, which are ill, which nothing would start again, and which log without bound.

use std::{collections::HashMap, time::Duration};

use bollard::models::ContainerInspectResponse;
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::{Ours, ours::Listed};
use crate::{
    app::{Clock, SystemClock},
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        docker::{client::Engine, container, failure::Failure},
        seen::Seen,
        spec::{count, float, text, texts},
    },
};

/// How many containers are inspected, at most; more are listed only.
const INSPECTED: usize = 100;

/// How many are inspected at once.
const AT_ONCE: usize = 4;

/// Lines of evidence, at most.
const LINES: usize = 40;

/// Log drivers whose files grow without bound unless `max-size` is set
/// (<https://docs.docker.com/engine/logging/drivers/json-file/>); `local` rotates by itself, the
/// others keep no file.
const UNBOUNDED: &str = "json-file";

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "docker.containers",
    summary: "every container of the engine that belongs to the targets (theirs, and their Compose projects; all of them where targets.toml names none), stopped ones too: which should run and do not, which are ill, which nothing would start again, how they log",
    targets: &[TargetKind::Docker],
    args: &[],
    facts: &[
        count("containers", "containers that are meant"),
        count("others", "containers of the engine that are a neighbour's"),
        texts("projects", "Compose projects that they belong to"),
        count("running", "those that run"),
        count("stopped", "those that do not"),
        count(
            "down",
            "those that should run and do not: named by a target, with a restart policy, or a service of a Compose project; not what ended by itself with exit code 0 and may",
        ),
        texts("down_names", "their names, with state and exit code"),
        text("first_down", "the name of the first of them").optional(),
        count(
            "side_down",
            "containers that no target names and that should run, and do not, are paused, or are started again and again: no other check looks at them",
        ),
        texts("side_down_names", "their names, with state and exit code"),
        count(
            "side_unhealthy",
            "containers that no target names, that run, and whose health check fails",
        ),
        texts("side_unhealthy_names", "their names"),
        count(
            "missing",
            "containers that a target names and the engine does not have",
        ),
        texts("missing_names", "their names"),
        count(
            "restarting",
            "those that die and are started again and again",
        ),
        texts("restarting_names", "their names"),
        count(
            "oom_killed",
            "those that the kernel killed for want of memory, and that do not run or die again and again",
        ),
        texts("oom_killed_names", "their names"),
        count("paused", "those that are paused"),
        texts("paused_names", "their names"),
        count("unhealthy", "those that run and whose health check fails"),
        texts("unhealthy_names", "their names"),
        count("starting", "those whose health check has not succeeded yet"),
        float(
            "down_percent",
            Unit::Percent,
            "share of those that should run and do not, or are missing, paused, or restarting",
        )
        .optional(),
        count(
            "without_restart_policy",
            "those that nothing starts again when they end",
        ),
        texts("without_restart_policy_names", "their names"),
        count(
            "without_health_check",
            "those that run without a health check",
        ),
        texts("without_health_check_names", "their names"),
        count(
            "log_unbounded",
            "those whose log file grows without bound: driver json-file without max-size",
        ),
        texts("log_unbounded_names", "their names"),
        count("log_none", "those that keep no log"),
        texts(
            "log_drivers",
            "log drivers in use, each with the number of containers",
        ),
        count(
            "not_inspected",
            "those of which no more than the list is known: too many, or gone meanwhile",
        ),
    ],
    per_key: None,
};

/// What is known of one container.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, told as it is"
)]
#[derive(Default)]
struct One {
    name: String,
    state: String,
    exit: Option<i64>,
    oom: bool,
    looping: bool,
    unhealthy: bool,
    starting: bool,
    health_check: bool,
    policy: bool,
    wanted: bool,
    named: bool,
    log: String,
    bounded: bool,
    status: String,
}

impl One {
    /// Its name, with its state and the exit code of one that has ended.
    fn with_state(&self) -> String {
        let Self { name, state, .. } = self;
        match self.exit {
            _ if self.looping || state == "restarting" => {
                format!("{name} (restarting again and again)")
            }
            Some(code) if state != "paused" => format!("{name} ({state}, exit code {code})"),
            _ => format!("{name} ({state})"),
        }
    }
}

/// Looks at all of them.
///
/// # Errors
/// The engine could not be asked.
pub(in crate::probes::docker) async fn look(
    engine: &Engine,
    ours: &Ours,
    patience: Duration,
) -> Result<Sighting, Blind> {
    let end = Instant::now() + patience;
    let failed = |failure: Failure| Blind::Unknown(failure.unseen(engine.address(), "", patience));
    let all = list(engine, end).await.map_err(failed)?;
    let (meant, projects, missing) = ours.among(&all);
    let mut ids: Vec<String> = meant.iter().map(|one| one.id.clone()).collect();
    ids.truncate(INSPECTED);
    let inspected: HashMap<String, ContainerInspectResponse> = stream::iter(ids)
        .map(|id| async move {
            let left = end.saturating_duration_since(Instant::now());
            let asked = engine
                .ask(left, |docker| docker.inspect_container(&id, None))
                .await;
            Some((id.clone(), asked.ok()?))
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|found| async { found })
        .collect()
        .await;
    let known: Vec<One> = meant
        .iter()
        .map(|listed| known(listed, inspected.get(&listed.id), ours))
        .collect();
    let mut seen = Seen::new(&SPEC);
    seen.fact("others", all.len() - meant.len())
        .fact(
            "projects",
            projects
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        )
        .fact("not_inspected", meant.len() - inspected.len());
    tell(&mut seen, &known, missing);
    Ok(seen.done())
}

/// All containers of the engine.
///
/// # Errors
/// The engine could not be asked.
pub(in crate::probes::docker) async fn list(
    engine: &Engine,
    end: Instant,
) -> Result<Vec<Listed>, Failure> {
    timeout_at(end, engine.get_json("/containers/json?all=true"))
        .await
        .unwrap_or(Err(Failure::TimedOut))
}

fn known(listed: &Listed, inspected: Option<&ContainerInspectResponse>, ours: &Ours) -> One {
    let mut one = One {
        name: listed.name().to_owned(),
        state: listed.state.clone(),
        status: listed.status.clone(),
        bounded: true,
        named: ours.names.contains(listed.name()),
        ..One::default()
    };
    let Some(inspected) = inspected else {
        one.wanted = one.named;
        one.policy = true;
        one.health_check = true;
        return one;
    };
    let life = container::life_of(inspected, SystemClock.now());
    life.state.clone_into(&mut one.state);
    one.exit = life.exit_code;
    one.oom = life.oom_killed;
    one.looping = life.restart_looping;
    one.unhealthy = life.health == "unhealthy";
    one.starting = life.health == "starting";
    one.health_check = life.health != "none";
    one.policy = life.policy.is_some_and(|policy| policy != "no");
    // A job that has done its work is at rest; a service of the project that is not running is not.
    let ended_well = one.exit == Some(0) && life.policy != Some("always");
    let service = listed.project().is_some() && !listed.is_one_off();
    let by_policy = matches!(life.policy, Some("always" | "unless-stopped"));
    one.wanted = one.named || by_policy || (service && !ended_well);
    let log = inspected
        .host_config
        .as_ref()
        .and_then(|host| host.log_config.as_ref());
    one.log = log.and_then(|log| log.typ.clone()).unwrap_or_default();
    let options = log.and_then(|log| log.config.as_ref());
    one.bounded = one.log != UNBOUNDED
        || options
            .and_then(|options| options.get("max-size"))
            .is_some_and(|size| size != "-1");
    one
}

fn tell(seen: &mut Seen, all: &[One], missing: Vec<String>) {
    let runs = |one: &One| matches!(one.state.as_str(), "running" | "paused" | "stopping");
    let names = |which: &dyn Fn(&One) -> bool| -> Vec<String> {
        all.iter()
            .filter(|one| which(one))
            .map(|one| one.name.clone())
            .collect()
    };
    let loops = |one: &One| one.looping || one.state == "restarting";
    let down: Vec<&One> = all
        .iter()
        .filter(|one| one.wanted && !runs(one) && !loops(one))
        .collect();
    let down_names: Vec<String> = down.iter().map(|one| one.with_state()).collect();
    let side_down: Vec<String> = all
        .iter()
        .filter(|one| !one.named && one.wanted)
        .filter(|one| !runs(one) || loops(one) || one.state == "paused")
        .map(One::with_state)
        .collect();
    let unhealthy = |one: &One| one.unhealthy && one.state == "running" && !one.looping;
    let restarting = names(&loops);
    let paused = names(&|one| one.state == "paused");
    let oom = names(&|one| one.oom && (!runs(one) || one.looping));
    let wanted = all.iter().filter(|one| one.wanted).count() + missing.len();
    let away = down.len() + missing.len() + restarting.len() + paused.len();
    let lists = [
        ("restarting", restarting),
        ("oom_killed", oom),
        ("paused", paused),
        ("unhealthy", names(&unhealthy)),
        ("side_unhealthy", names(&|one| !one.named && unhealthy(one))),
        ("without_restart_policy", names(&|one| !one.policy)),
        (
            "without_health_check",
            names(&|one| !one.health_check && one.state == "running"),
        ),
        ("log_unbounded", names(&|one| !one.bounded)),
    ];
    seen.fact("containers", all.len())
        .fact("running", all.iter().filter(|one| runs(one)).count())
        .fact("stopped", all.iter().filter(|one| !runs(one)).count())
        .fact("down", down.len())
        .fact("first_down", down.first().map(|one| one.name.as_str()))
        .fact("down_names", down_names)
        .fact("side_down", side_down.len())
        .fact("side_down_names", side_down)
        .fact("missing", missing.len())
        .fact("starting", all.iter().filter(|one| one.starting).count())
        .fact(
            "log_none",
            all.iter().filter(|one| one.log == "none").count(),
        )
        .fact("log_drivers", drivers(all))
        .fact(
            "down_percent",
            crate::probes::shown::percent(
                i64::try_from(away).unwrap_or(i64::MAX),
                i64::try_from(wanted).unwrap_or(i64::MAX),
            ),
        );
    for name in &missing {
        seen.line(format!("{name}: missing"));
    }
    for one in all.iter().take(LINES) {
        seen.line(format!("{}: {} ({})", one.name, one.state, one.status));
    }
    seen.fact("missing_names", missing);
    for (fact, names) in lists {
        seen.fact(fact, names.len())
            .fact(&format!("{fact}_names"), names);
    }
}

fn drivers(all: &[One]) -> Vec<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for one in all.iter().filter(|one| !one.log.is_empty()) {
        match counts.iter_mut().find(|(log, _)| *log == one.log) {
            Some((_, count)) => *count += 1,
            None => counts.push((&one.log, 1)),
        }
    }
    counts
        .into_iter()
        .map(|(log, count)| format!("{log}: {count}"))
        .collect()
}
