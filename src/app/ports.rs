//! What the use cases ask of the world, in the domain's words.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::domain::{
    access::Actor,
    diagnosis::{Blind, Catalog, Sighting, Verdict},
    handbook::{Args, Params},
    ids::TargetId,
};

/// The time. Tests travel in it.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// One look of a probe at a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The probe's name.
    pub probe: String,
    /// Where to look.
    pub target: TargetId,
    /// The arguments: parameters filled in, so never [`crate::domain::handbook::ArgValue::Param`].
    pub args: Args,
    /// The time that the look may take; the engine gives up at it. A probe that wants to tell a
    /// hang from silence ends its own waiting a little earlier ([`Look::patience`]).
    pub deadline: Duration,
}

impl Look {
    /// Whether both ask the same probe the same question of the same target.
    #[must_use]
    pub fn asks_as(&self, other: &Self) -> bool {
        self.probe == other.probe && self.target == other.target && self.args == other.args
    }

    /// How long a probe itself should wait for its peer: nine tenths of the deadline,
    /// so that what it has seen until then is still told.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.deadline.mul_f64(0.9)
    }
}

/// Read-only eyes.
#[async_trait]
pub trait Prober: Send + Sync {
    /// Every probe there is.
    fn catalog(&self) -> &Catalog;

    /// Looks once.
    ///
    /// # Errors
    /// [`Blind::NotApplicable`] when there is nothing to look at here; [`Blind::Unknown`] with
    /// the reason when the probe could not look.
    async fn look(&self, look: &Look) -> Result<Sighting, Blind>;
}

/// The number of a recorded diagnosis; it goes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordId(pub i64);

/// What is recorded before a diagnosis runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// Who asked.
    pub actor: Actor,
    /// Where: `discord:<guild>/<channel>`, `cli`.
    pub place: String,
    /// When, UTC.
    pub at: Timestamp,
    /// The page.
    pub runbook: String,
    /// The page's version.
    pub page_hash: String,
    /// The parameters of the run.
    pub params: Params,
}

/// How a recorded diagnosis ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// The root causes, the most telling first.
    pub root_causes: Vec<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The whole report, as `--json` prints it in English, with the Chinese texts beside the
    /// English ones (`say` and `say_zh`); already redacted.
    pub report: serde_json::Value,
}

/// A recorded diagnosis.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its number.
    pub id: RecordId,
    /// What was asked.
    pub start: Start,
    /// How it ended; `None` while it runs, or when the process died before its end.
    pub outcome: Option<Outcome>,
}

/// What a person saw where only a person can look.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// When they said so.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The page of the step.
    pub page: String,
    /// The step.
    pub step: String,
    /// It looks fine; otherwise that is it.
    pub fine: bool,
}

/// What is remembered.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Records that a diagnosis begins.
    ///
    /// # Errors
    /// The store can't take it; the diagnosis must not run then.
    async fn begin(&self, start: &Start) -> Result<RecordId, StoreError>;

    /// Records how the diagnosis `id` ended. Doing it twice keeps the first outcome.
    ///
    /// # Errors
    /// The store can't take it; nothing may be shown as recorded then.
    async fn finish(&self, id: RecordId, outcome: &Outcome) -> Result<(), StoreError>;

    /// Records that something was asked and refused.
    ///
    /// # Errors
    /// The store can't take it.
    async fn refuse(
        &self,
        actor: &Actor,
        place: &str,
        at: Timestamp,
        asked: &str,
        why: &str,
    ) -> Result<(), StoreError>;

    /// The newest `limit` diagnoses, the newest first; of one page when `runbook` is given.
    ///
    /// # Errors
    /// The store can't be read.
    async fn history(&self, runbook: Option<&str>, limit: u32) -> Result<Vec<Record>, StoreError>;

    /// Records what a person saw at a manual step of the diagnosis `id`.
    ///
    /// # Errors
    /// The store can't take it.
    async fn answer(&self, id: RecordId, answer: &Answer) -> Result<(), StoreError>;

    /// What people saw at manual steps of the diagnosis `id`, in the order in which they said so.
    ///
    /// # Errors
    /// The store can't be read.
    async fn answers(&self, id: RecordId) -> Result<Vec<Answer>, StoreError>;

    /// The newest diagnosis of `runbook` that found everything healthy.
    ///
    /// # Errors
    /// The store can't be read.
    async fn last_healthy(&self, runbook: &str) -> Result<Option<Record>, StoreError>;

    /// One diagnosis; `None` when there is none of that number.
    ///
    /// # Errors
    /// The store can't be read.
    async fn record(&self, id: RecordId) -> Result<Option<Record>, StoreError>;
}
