//! What the engine remembers of a container's last hour.
//!
//! The engine keeps its last 256 events, of all containers together, and none over its own restart
//! (<https://docs.docker.com/reference/cli/docker/system/events/>), so this is further evidence
//! and never the only one.

use std::{collections::HashMap, time::Duration};

use bollard::{models::EventMessage, query_parameters::EventsOptions};
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use crate::probes::docker::{client::Engine, failure::Failure};

/// How far back is asked, in seconds.
const HOUR: i64 = 3_600;

/// Events that are read, at most: the engine remembers no more.
const MOST: usize = 256;

/// The longest time between `docker stop` and the end that it asked for, in seconds: the default
/// grace of 10 s, and as much again for a slow machine.
const GRACE: i64 = 20;

/// Signals that end a process which does not handle them and that people send for this:
/// SIGINT, SIGQUIT, SIGKILL, SIGTERM.
const ENDING: [&str; 4] = ["2", "3", "9", "15"];

/// The events that matter, in seconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// What was remembered, before it is known which container has the name now.
    events: Vec<EventMessage>,
    /// Ends of the process: when, and the exit code.
    pub(super) deaths: Vec<(i64, Option<i64>)>,
    /// The kernel ran out of memory for it: when.
    pub(super) ooms: Vec<i64>,
    /// Signals sent through the engine: when.
    pub(super) kills: Vec<i64>,
    /// Those of them that are sent to end it.
    ending: Vec<i64>,
}

impl Past {
    /// Asks `engine` for the past of the container `name`.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn of(
        engine: &Engine,
        name: &str,
        now: Timestamp,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let options = EventsOptions {
            since: Some((now.as_second() - HOUR).to_string()),
            // With an end in the past or present the engine tells what it has and closes.
            until: Some(format!(
                "{}.{:09}",
                now.as_second(),
                now.subsec_nanosecond()
            )),
            filters: Some(HashMap::from([
                ("type".to_owned(), vec!["container".to_owned()]),
                ("container".to_owned(), vec![name.to_owned()]),
                (
                    "event".to_owned(),
                    ["die", "oom", "kill"].map(str::to_owned).to_vec(),
                ),
            ])),
        };
        let events: Vec<EventMessage> = engine
            .ask(patience, |docker| {
                docker.events(Some(options)).take(MOST).try_collect()
            })
            .await?;
        Ok(Self {
            events,
            ..Self::default()
        })
    }

    /// The past of the container with this id. The engine was asked by name, at the same time as
    /// for the container itself, and remembers an earlier container of the same name as well:
    /// what killed that one says nothing of this one.
    pub(super) fn only(&self, id: Option<&str>) -> Self {
        let mut past = Self::default();
        for event in &self.events {
            let whose = event.actor.as_ref().and_then(|actor| actor.id.as_deref());
            if whose == id {
                past.add(event);
            }
        }
        past
    }

    fn add(&mut self, event: &EventMessage) {
        let at = event.time.unwrap_or(0);
        let attribute = |name: &str| {
            let attributes = event.actor.as_ref()?.attributes.as_ref()?;
            attributes.get(name).map(String::as_str)
        };
        match event.action.as_deref() {
            Some("die") => self
                .deaths
                .push((at, attribute("exitCode").and_then(|code| code.parse().ok()))),
            Some("oom") => self.ooms.push(at),
            Some("kill") => {
                self.kills.push(at);
                if attribute("signal").is_some_and(|signal| ENDING.contains(&signal)) {
                    self.ending.push(at);
                }
            }
            _ => {}
        }
    }

    /// Whether the last end was asked for; none when no end is remembered.
    pub(super) fn last_end_asked_for(&self) -> Option<bool> {
        let (ended, _) = self.deaths.iter().max()?;
        Some(
            self.ending
                .iter()
                .any(|at| (0..=GRACE).contains(&(ended - at))),
        )
    }

    /// How many ends there were since `since`.
    pub(super) fn deaths_since(&self, since: i64) -> usize {
        self.deaths.iter().filter(|(at, _)| *at >= since).count()
    }
}
