//! Every check of a plan at once.
//!
//! Each look runs in a task of its own, so that a probe that hangs or panics costs only its own
//! check. Checks that ask the same probe the same question of the same target share one look.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, future::Shared, stream::FuturesUnordered};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};

use super::{Look, Prober};
use crate::domain::{
    diagnosis::{Blind, CheckResult, Plan, Report, Sighting, Step, Unseen, judge, rank},
    handbook::{ArgValue, Args, ParamValue, Params},
    ids::{CheckRef, TargetId},
    text::Text,
};

/// Bounds of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time for one check, unless the page gives it another.
    pub check_deadline: Duration,
    /// The time for the whole run.
    pub run_deadline: Duration,
    /// Looks at one target at the same time, over all runs.
    pub checks_per_target: usize,
}

/// A check has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The page that was asked, or the name of several together.
    pub runbook: String,
    /// How many have ended.
    pub done: usize,
    /// How many there are.
    pub total: usize,
    /// The one that has just ended.
    pub latest: CheckResult,
    /// Those that still run.
    pub waiting: Vec<Waiting>,
}

/// A check that still runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Which one.
    pub check: CheckRef,
    /// What it is called.
    pub title: Text,
}

/// The engine.
pub struct Diagnosis {
    prober: Arc<dyn Prober>,
    limits: Limits,
    turnstiles: Mutex<HashMap<TargetId, Arc<Semaphore>>>,
}

type Seen = Arc<(Result<Sighting, Blind>, u64)>;
type SharedLook = Shared<futures_util::future::BoxFuture<'static, Seen>>;

impl Diagnosis {
    /// An engine that looks through `prober` within `limits`.
    #[must_use]
    pub fn new(prober: Arc<dyn Prober>, limits: Limits) -> Self {
        Self {
            prober,
            limits,
            turnstiles: Mutex::default(),
        }
    }

    /// The eyes.
    #[must_use]
    pub fn prober(&self) -> &Arc<dyn Prober> {
        &self.prober
    }

    /// Runs every check of `plan` and ranks what they say.
    ///
    /// Each result goes to `progress` as it comes; a slow or absent reader loses progress, never time.
    pub async fn run(&self, plan: &Plan, progress: mpsc::Sender<Progress>) -> Report {
        let began = Instant::now();
        let end = began + self.limits.run_deadline;
        let asked = self.asked(plan);
        let mut looks: Vec<(Look, SharedLook)> = Vec::new();
        let mut pending: FuturesUnordered<_> = plan
            .steps
            .iter()
            .enumerate()
            .zip(asked)
            .map(|((n, step), look)| {
                let shared = self.share(&mut looks, look, end);
                async move {
                    let seen = shared.await;
                    (n, finding(step, &seen))
                }
            })
            .collect();
        let mut results: Vec<Option<CheckResult>> = vec![None; plan.steps.len()];
        let mut done = 0;
        while let Some((n, result)) = pending.next().await {
            done += 1;
            results[n] = Some(result.clone());
            let _ = progress.try_send(Progress {
                runbook: plan.name.clone(),
                done,
                total: plan.steps.len(),
                latest: result,
                waiting: waiting(plan, &results),
            });
        }
        let results = results.into_iter().flatten().collect();
        rank(plan, results, millis(began.elapsed()))
    }

    /// What each step asks. Steps that ask the same have the longest of their deadlines in common, so
    /// that one look serves all of them.
    fn asked(&self, plan: &Plan) -> Vec<Look> {
        let mut looks: Vec<Look> = plan.steps.iter().map(|step| self.look_of(step)).collect();
        let longest: Vec<Duration> = looks
            .iter()
            .map(|look| {
                let same = looks.iter().filter(|other| other.asks_as(look));
                same.map(|other| other.deadline).max().unwrap_or_default()
            })
            .collect();
        for (look, deadline) in looks.iter_mut().zip(longest) {
            look.deadline = deadline;
        }
        looks
    }

    fn look_of(&self, step: &Step) -> Look {
        let check = &step.check;
        Look {
            probe: check.probe.clone(),
            target: check.target.clone(),
            args: fill(&check.args, &step.params),
            deadline: check.timeout.unwrap_or(self.limits.check_deadline),
        }
    }

    fn share(&self, looks: &mut Vec<(Look, SharedLook)>, look: Look, end: Instant) -> SharedLook {
        use futures_util::FutureExt;
        if let Some((_, shared)) = looks.iter().find(|(known, _)| *known == look) {
            return shared.clone();
        }
        let turnstile = self.turnstile(&look.target);
        let prober = Arc::clone(&self.prober);
        let run_deadline = self.limits.run_deadline;
        let shared = guarded(prober, look.clone(), turnstile, end, run_deadline)
            .boxed()
            .shared();
        looks.push((look, shared.clone()));
        shared
    }

    fn turnstile(&self, target: &TargetId) -> Arc<Semaphore> {
        let mut turnstiles = self
            .turnstiles
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let places = self.limits.checks_per_target;
        Arc::clone(
            turnstiles
                .entry(target.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(places))),
        )
    }
}

/// How long after its deadline a look is still waited for. A probe ends by itself before its deadline and then knows
/// what it saw (that a server hangs, say); where all processors are busy it may come to say so only now.
const GRACE: Duration = Duration::from_millis(500);

/// One look, in a task of its own, within its deadline (and a little grace) and the run's.
async fn guarded(
    prober: Arc<dyn Prober>,
    look: Look,
    turnstile: Arc<Semaphore>,
    end: Instant,
    run_deadline: Duration,
) -> Seen {
    let began = Instant::now();
    let no_time = || {
        Blind::Unknown(Unseen::NoTimeLeft {
            deadline_ms: millis(run_deadline),
        })
    };
    let Ok(Ok(_place)) = tokio::time::timeout_at(end, turnstile.acquire_owned()).await else {
        return Arc::new((Err(no_time()), millis(began.elapsed())));
    };
    // The wait for a place is not the target's fault: its time starts here.
    let began = Instant::now();
    let deadline = began + look.deadline;
    let (probe, target, allowed) = (look.probe.clone(), look.target.clone(), look.deadline);
    let mut task = tokio::spawn(async move { prober.look(&look).await });
    let seen = match tokio::time::timeout_at((deadline + GRACE).min(end), &mut task).await {
        Ok(Ok(seen)) => seen,
        Ok(Err(error)) => Err(broken(&probe, &target, &error)),
        Err(_) => {
            task.abort();
            if deadline <= end {
                Err(Blind::Unknown(Unseen::TimedOut {
                    after_ms: millis(allowed),
                }))
            } else {
                Err(no_time())
            }
        }
    };
    Arc::new((seen, millis(began.elapsed())))
}

/// A probe that panicked: the channel reads a reference, the log has the rest.
fn broken(probe: &str, target: &TargetId, error: &tokio::task::JoinError) -> Blind {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let reference = format!("{probe}-{}-{number}", std::process::id());
    tracing::error!(reference, probe, %target, %error, "a probe broke");
    Blind::Unknown(Unseen::Broken { reference })
}

fn finding(step: &Step, seen: &Seen) -> CheckResult {
    match &seen.0 {
        Ok(sighting) => judge(&step.check, &step.params, sighting.clone(), seen.1),
        Err(blind) => CheckResult::blind(&step.check, blind.clone(), seen.1),
    }
}

fn waiting(plan: &Plan, results: &[Option<CheckResult>]) -> Vec<Waiting> {
    plan.steps
        .iter()
        .zip(results)
        .filter(|(_, result)| result.is_none())
        .map(|(step, _)| Waiting {
            check: step.id(),
            title: step.check.title.clone(),
        })
        .collect()
}

/// Parameters filled into arguments. The linter has checked that each names a parameter of the page.
fn fill(args: &Args, params: &Params) -> Args {
    args.iter()
        .map(|(name, value)| {
            let value = match value {
                ArgValue::Param(param) => match params.get(param) {
                    Some(ParamValue::Int(number)) => ArgValue::Int(*number),
                    Some(ParamValue::Text(text)) => ArgValue::Text(text.clone()),
                    Some(ParamValue::Bool(truth)) => ArgValue::Text(truth.to_string()),
                    None => value.clone(),
                },
                ArgValue::Values(values) => ArgValue::Values(fill(values, params)),
                _ => value.clone(),
            };
            (name.clone(), value)
        })
        .collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
