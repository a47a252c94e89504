//! `docker.container`: the container of a target.
//!
//! - `spec`: its facts
//! - `life`: how it runs, ended, and was started again
//! - `last`: what it said before it ended
//! - `past`: what the engine remembers of the last hour
//! - `needs`: memory, processes
//! - `local`: the same from the kernel, where the engine runs on this machine
//! - `listed`: what is known of it where the engine does not inspect it in time
//! - `ways`: ports, networks, mounts

mod last;
mod life;
mod listed;
mod local;
mod needs;
mod past;
mod spec;
mod ways;

use std::{
    future::Future,
    pin::{Pin, pin},
    time::{Duration, Instant},
};

use bollard::{
    models::{ContainerInspectResponse, ContainerStatsResponse},
    query_parameters::{StatsOptions, TopOptions},
};
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::time::{sleep, timeout};

pub(in crate::probes) use life::life_of;
pub use spec::SPEC;

use self::{needs::Needs, past::Past};
use super::{Place, failure::Failure};
use crate::{
    app::{Clock, SystemClock},
    domain::diagnosis::{Blind, Sighting},
    probes::seen::Seen,
};

/// The part of the patience that the lesser questions (memory, processes, the past) may take:
/// without their answers the rest is still told.
const LESSER_PART: f64 = 0.5;

/// The part of the patience left that a dead container's last words may take.
const LAST_PART: f64 = 0.7;

/// The part of the patience after which the engine's list is asked for a container that it has not inspected by then.
const LIST_AFTER: f64 = 0.4;

/// How much longer than all else the engine's sample of memory may take. The engine takes one a
/// second while somebody asks, and who asks again too soon waits for the next (seen with
/// version 20.10); the processes' own memory serves then.
const SAMPLE_GRACE: Duration = Duration::from_millis(5);

/// Looks at the container; that there is none is a sighting, too.
///
/// # Errors
/// The engine could not be asked, with the reason.
pub(super) async fn look(place: &Place<'_>) -> Result<Sighting, Blind> {
    let (now, begun) = (SystemClock.now(), Instant::now());
    let lesser = place.patience.mul_f64(LESSER_PART);
    let looked = if place.engine.is_here() {
        Box::pin(with_local(place, now, lesser)).await
    } else {
        Box::pin(from_afar(place, now, lesser)).await
    };
    match looked.inspected {
        Ok(container) => {
            let left = place.patience.saturating_sub(begun.elapsed());
            let words = last::words(place, &container, now, left.mul_f64(LAST_PART)).await;
            let mut seen = tell(
                place,
                &container,
                now,
                looked.past.ok().as_ref(),
                &looked.needs,
                words,
            );
            if looked.listed_only {
                let waited = place.patience.as_secs_f64();
                seen.line(format!(
                    "the engine lists it, and did not inspect it within {waited:.1} s: restarts, limits and the last exit are not known"
                ));
            }
            Ok(seen.done())
        }
        Err(Failure::NoContainer) => Ok(missing(place)),
        Err(failure) => Err(Blind::Unknown(failure.unseen(
            place.engine.address(),
            place.name,
            place.patience,
        ))),
    }
}

/// The answers to all that is asked.
struct Looked {
    inspected: Result<ContainerInspectResponse, Failure>,
    past: Result<Past, Failure>,
    needs: Needs,
    /// It was not inspected in time, and this is what the list tells.
    listed_only: bool,
}

/// All questions at once.
async fn from_afar(place: &Place<'_>, now: Timestamp, lesser: Duration) -> Looked {
    let asked = async {
        tokio::join!(
            inspect_or_list(place, Duration::ZERO),
            Past::of(place.engine, place.name, now, lesser)
        )
    };
    let ((told, past), needs) = tokio::join!(asked, needs(place, lesser));
    Looked {
        inspected: told.container,
        past,
        needs,
        listed_only: told.listed_only.is_some(),
    }
}

/// What it uses from this machine's kernel, and from the engine when the kernel does not say.
async fn with_local(place: &Place<'_>, now: Timestamp, lesser: Duration) -> Looked {
    let begun = Instant::now();
    let inspected_with_needs = async {
        let told = inspect_or_list(place, lesser).await;
        let inspected = told.container;
        if let Some(needs) = told.listed_only {
            return (inspected, needs, true);
        }
        let left = lesser.saturating_sub(begun.elapsed());
        let needs = match &inspected {
            Ok(container) if runs(container) => match local_needs(container, left).await {
                Some(needs) => needs,
                None => needs(place, lesser).await,
            },
            _ => Needs::default(),
        };
        (inspected, needs, false)
    };
    let ((inspected, needs, listed_only), past) = tokio::join!(
        inspected_with_needs,
        Past::of(place.engine, place.name, now, lesser)
    );
    Looked {
        inspected,
        past,
        needs,
        listed_only,
    }
}

/// What the engine tells of the container.
struct Told {
    container: Result<ContainerInspectResponse, Failure>,
    /// Only its list told of it, and that, with what the kernel shows here, says that something is wrong.
    listed_only: Option<Needs>,
}

/// Inspects it. While that lasts, the engine's list and this machine's kernel are asked, the kernel for at most
/// `kernel` and not at all where that is nothing.
async fn inspect_or_list(place: &Place<'_>, kernel: Duration) -> Told {
    let listing = async {
        sleep(place.patience.mul_f64(LIST_AFTER)).await;
        let container = listed::ask(place).await.ok()??;
        let needs = if kernel.is_zero() || !runs(&container) {
            Needs::default()
        } else {
            local_needs(&container, kernel).await.unwrap_or_default()
        };
        listed::is_telling(&container, &needs).then_some((container, needs))
    };
    match until(inspect(place), pin!(listing)).await {
        (Err(Failure::TimedOut), Some(Some((container, needs)))) => Told {
            container: Ok(container),
            listed_only: Some(needs),
        },
        (container, _) => Told {
            container,
            listed_only: None,
        },
    }
}

async fn inspect(place: &Place<'_>) -> Result<ContainerInspectResponse, Failure> {
    let container = place
        .engine
        .ask(place.patience, |docker| {
            docker.inspect_container(place.name, None)
        })
        .await?;
    if container.id.is_none() || container.state.is_none() {
        let what = "it tells neither id nor state of the container".to_owned();
        return Err(Failure::Stranger(what));
    }
    Ok(container)
}

/// The first twelve digits of an id of the engine, without the name of its sum.
fn short_id(id: &str) -> String {
    let id = id.split_once(':').map_or(id, |(_, digits)| digits);
    id.chars().take(12).collect()
}

fn runs(container: &ContainerInspectResponse) -> bool {
    let state = container.state.as_ref();
    state.is_some_and(|state| state.running == Some(true) && state.restarting != Some(true))
}

async fn local_needs(container: &ContainerInspectResponse, patience: Duration) -> Option<Needs> {
    let id = container.id.clone()?;
    // A list does not tell it.
    let pid = container.state.as_ref()?.pid;
    // Files of the kernel, which never wait for a disk; a container may have many of them.
    tokio::task::spawn_blocking(move || local::read(&id, pid, patience))
        .await
        .ok()?
}

/// What it uses, by the engine's word.
async fn needs(place: &Place<'_>, lesser: Duration) -> Needs {
    let top = place.engine.ask(lesser, |docker| {
        docker.top_processes(place.name, Some(ps()))
    });
    let sample = place.engine.ask(lesser, |docker| stats(docker, place.name));
    let (top, stats) = with_grace(top, sample).await;
    Needs::of_engine(stats.and_then(Result::ok).as_ref(), top.ok())
}

/// What `needed` gives, and what `extra` has given until then or gives within [`SAMPLE_GRACE`].
async fn with_grace<A, B>(
    needed: impl Future<Output = A>,
    extra: impl Future<Output = B>,
) -> (A, Option<B>) {
    let mut extra = pin!(extra);
    let (needed, early) = until(needed, extra.as_mut()).await;
    match early {
        Some(early) => (needed, Some(early)),
        None => (needed, timeout(SAMPLE_GRACE, extra).await.ok()),
    }
}

/// What `needed` gives, and what `extra` has given until then.
async fn until<A, B>(
    needed: impl Future<Output = A>,
    mut extra: Pin<&mut impl Future<Output = B>>,
) -> (A, Option<B>) {
    let mut needed = pin!(needed);
    let mut early = None;
    loop {
        tokio::select! {
            biased;
            all = &mut needed => break (all, early),
            one = &mut extra, if early.is_none() => early = Some(one),
        }
    }
}

/// One sample of what it uses, without the second that the engine waits for a second sample.
async fn stats(
    docker: &bollard::Docker,
    name: &str,
) -> Result<ContainerStatsResponse, bollard::errors::Error> {
    let options = StatsOptions {
        stream: false,
        one_shot: true,
    };
    let mut answers = Box::pin(docker.stats(name, Some(options)));
    answers
        .next()
        .await
        .unwrap_or_else(|| Ok(ContainerStatsResponse::default()))
}

/// Process number, state and resident memory of each process (ps(1), PROCESS STATE CODES).
fn ps() -> TopOptions {
    TopOptions {
        ps_args: "-o pid,stat,rss".to_owned(),
    }
}

fn missing(place: &Place<'_>) -> Sighting {
    let mut seen = Seen::new(&SPEC);
    let (name, address) = (place.name, place.engine.address());
    seen.line(format!("the engine at {address} has no container {name}"))
        .fact("state", "missing")
        .fact("name", name)
        .fact("oom_killed", false)
        .fact("health", "none")
        .fact("health_failing_streak", 0)
        .fact("restart_count", 0)
        .fact("restart_looping", false)
        .fact("mounts", Vec::<String>::new())
        .fact("ports", Vec::<String>::new());
    seen.done()
}

fn tell(
    place: &Place<'_>,
    container: &ContainerInspectResponse,
    now: Timestamp,
    past: Option<&Past>,
    needs: &Needs,
    last_words: Option<String>,
) -> Seen {
    let mut seen = Seen::new(&SPEC);
    let image = container
        .config
        .as_ref()
        .and_then(|config| config.image.clone());
    let id = container.id.as_deref().map(short_id);
    // `config.image` is the name that it was made by, and this the image itself.
    let image_id = container.image.as_deref().map(short_id);
    seen.fact("name", place.name)
        .fact("container_id", id)
        .fact("image", image)
        .fact("image_id", image_id);
    let past = past.map(|past| past.only(container.id.as_deref()));
    // Evidence is shown from its end: how it is made first, what became of it last.
    ways::tell(&mut seen, container, place.address);
    let running = life::tell(&mut seen, container, past.as_ref(), now);
    let unused = Needs::default();
    needs::tell(&mut seen, container, if running { needs } else { &unused });
    life::tell_health(&mut seen, container);
    if let Some(words) = &last_words {
        seen.line(format!("last words: {words}"));
    }
    seen.fact("last_words", last_words);
    seen
}

#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
