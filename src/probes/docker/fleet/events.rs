//! `docker.events`: what happened to the containers that are meant, as far as the engine remembers.
//!
//! It keeps its last 256 events of all kinds and none over its own restart
//! (<https://docs.docker.com/reference/cli/docker/system/events/>), so no event is no proof.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use bollard::{models::EventMessage, query_parameters::EventsOptions};
use futures_util::{StreamExt, TryStreamExt};
use tokio::time::Instant;

use super::{Ours, containers::list};
use crate::{
    app::{Clock, SystemClock},
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind},
        handbook::Args,
    },
    probes::{
        args::Given,
        docker::{client::Engine, failure::Failure},
        seen::Seen,
        spec::{arg, count, flag, seconds, text, texts},
    },
};

/// Events that are read, at most: the engine remembers no more.
const MOST: usize = 256;

/// Newest events that are evidence.
const SHOWN: usize = 25;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "docker.events",
    summary: "out-of-memory kills, ends and starts of the containers that belong to the targets, as far as the engine remembers (its last 256 events of all kinds)",
    targets: &[TargetKind::Docker],
    args: &[arg(
        "within",
        ArgType::Duration,
        "1h",
        (1_000, 86_400_000),
        "only events younger than this",
    )],
    facts: &[
        count("events", "events of these kinds"),
        flag(
            "memory_full",
            "the engine's memory of events is used up: there may have been more",
        ),
        count("ooms", "out-of-memory events"),
        texts(
            "oom_names",
            "containers that they were in, each with their number",
        ),
        text("oom_last", "the container of the newest one").optional(),
        seconds("oom_last_seconds_ago", "when that was").optional(),
        count("dies", "ends of a container's process"),
        count(
            "dies_failed",
            "those with another exit code than 0 that nobody asked for (no stop or kill before)",
        ),
        texts("die_names", "containers that ended, each with the number"),
        text("die_last", "the container that ended last").optional(),
        seconds("die_last_seconds_ago", "when that was").optional(),
        count("starts", "starts of a container"),
        count("most_dies", "ends of the container that ended most often"),
        text("most_dies_name", "its name").optional(),
        count("unhealthy", "health checks that turned unhealthy"),
        texts(
            "unhealthy_names",
            "containers whose did, each with the number",
        ),
        count("destroyed", "containers that were removed"),
    ],
    per_key: None,
};

/// Seconds between a stop or kill and the end that it asked for, at most.
const GRACE_S: i64 = 20;

/// Looks at what the engine remembers.
///
/// # Errors
/// The engine could not be asked.
pub(in crate::probes::docker) async fn look(
    engine: &Engine,
    ours: &Ours,
    args: &Args,
    patience: Duration,
) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let now = SystemClock.now();
    let within = i64::try_from(given.duration("within").as_secs()).unwrap_or(i64::MAX);
    let options = EventsOptions {
        since: Some((now.as_second() - within).to_string()),
        // With an end in the past or present the engine tells what it has and closes.
        until: Some(format!(
            "{}.{:09}",
            now.as_second(),
            now.subsec_nanosecond()
        )),
        filters: Some(HashMap::from([(
            "type".to_owned(),
            vec!["container".to_owned()],
        )])),
    };
    let end = Instant::now() + patience;
    let (all, events) = tokio::join!(
        list(engine, end),
        engine.ask(patience, |docker| {
            docker
                .events(Some(options))
                .take(MOST)
                .try_collect::<Vec<EventMessage>>()
        })
    );
    let failed = |failure: Failure| Blind::Unknown(failure.unseen(engine.address(), "", patience));
    let (all, events) = (all.map_err(failed)?, events.map_err(failed)?);
    if events.iter().any(|event| event.action.is_none()) {
        let what = "what it calls an event says nothing".to_owned();
        return Err(failed(Failure::Stranger(what)));
    }
    let (meant, projects, _) = ours.among(&all);
    let full = events.len() >= MOST;
    let events: Vec<Event> = events
        .iter()
        .filter_map(|raw| {
            let event = Event::of(raw)?;
            // What happened to a container that has been removed since is over, and one of the same
            // name made in its place is another; only that it was removed is told.
            let there = meant.iter().any(|one| one.id == event.id);
            let removed = event.action == "destroy"
                && (ours.names.contains(&event.name)
                    || event
                        .project
                        .as_deref()
                        .is_some_and(|project| projects.contains(project)));
            let known = there || removed;
            known.then_some(event)
        })
        .collect();
    Ok(sighting(&events, full, now.as_second()))
}

struct Event {
    at: i64,
    id: String,
    name: String,
    project: Option<String>,
    action: String,
    exit: Option<i64>,
}

impl Event {
    fn of(raw: &EventMessage) -> Option<Self> {
        let actor = raw.actor.as_ref()?;
        let attribute = |name: &str| actor.attributes.as_ref()?.get(name).cloned();
        Some(Self {
            at: raw.time?,
            id: actor.id.clone()?,
            name: attribute("name").unwrap_or_default(),
            project: attribute("com.docker.compose.project"),
            action: raw.action.clone()?,
            exit: attribute("exitCode").and_then(|code| code.parse().ok()),
        })
    }
}

fn sighting(events: &[Event], full: bool, now: i64) -> Sighting {
    let of = |action: &str| -> Vec<&Event> {
        events
            .iter()
            .filter(|event| event.action == action)
            .collect()
    };
    let (ooms, dies, starts) = (of("oom"), of("die"), of("start"));
    let unhealthy = of("health_status: unhealthy");
    let asked = |die: &Event| {
        events.iter().any(|event| {
            event.id == die.id
                && matches!(event.action.as_str(), "kill" | "stop")
                && (0..=GRACE_S).contains(&(die.at - event.at))
        })
    };
    let failed = dies
        .iter()
        .filter(|die| die.exit != Some(0) && !asked(die))
        .count();
    let ended = tally(&dies);
    let most = ended.iter().max_by_key(|(_, count)| **count);
    let shown = |tally: &BTreeMap<&str, usize>| -> Vec<String> {
        tally
            .iter()
            .map(|(name, count)| format!("{name}: {count}"))
            .collect()
    };
    let (oom, die) = (ooms.last(), dies.last());
    let mut seen = Seen::new(&SPEC);
    seen.fact("memory_full", full)
        .fact("ooms", ooms.len())
        .fact("oom_names", shown(&tally(&ooms)))
        .fact("oom_last", oom.map(|event| event.name.as_str()))
        .fact(
            "oom_last_seconds_ago",
            oom.map(|event| (now - event.at).max(0)),
        )
        .fact("dies", dies.len())
        .fact("dies_failed", failed)
        .fact("die_names", shown(&ended))
        .fact("die_last", die.map(|event| event.name.as_str()))
        .fact(
            "die_last_seconds_ago",
            die.map(|event| (now - event.at).max(0)),
        )
        .fact("starts", starts.len())
        .fact("most_dies", most.map_or(0, |(_, count)| *count))
        .fact("most_dies_name", most.map(|(name, _)| *name))
        .fact("unhealthy", unhealthy.len())
        .fact("unhealthy_names", shown(&tally(&unhealthy)))
        .fact("destroyed", of("destroy").len());
    let telling: Vec<&Event> = events
        .iter()
        .filter(|event| {
            [
                "oom", "die", "start", "stop", "kill", "destroy", "pause", "unpause",
            ]
            .contains(&event.action.as_str())
                || event.action == "health_status: unhealthy"
        })
        .collect();
    seen.fact("events", telling.len());
    seen.line(format!("{} events of these containers", telling.len()));
    for event in telling.iter().skip(telling.len().saturating_sub(SHOWN)) {
        let exit = event
            .exit
            .map_or(String::new(), |code| format!(", exit code {code}"));
        seen.line(format!(
            "{} s ago: {} {}{exit}",
            (now - event.at).max(0),
            event.name,
            event.action
        ));
    }
    seen.done()
}

fn tally<'a>(events: &[&'a Event]) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry(event.name.as_str()).or_default() += 1;
    }
    counts
}
