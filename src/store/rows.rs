//! Records to columns and back.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    app::{Answer, Outcome, Record, RecordId, Start},
    domain::diagnosis::Verdict,
};

/// A row of `diagnoses`, in the order of the columns in `sql`.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Row {
    id: i64,
    started_at: i64,
    actor: String,
    place: String,
    runbook: String,
    page_hash: String,
    params: String,
    verdict: Option<String>,
    root_causes: Option<String>,
    duration_ms: Option<i64>,
    report: Option<String>,
}

/// Why a row is no record: the column, never its content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadRow(pub(super) String);

/// Values of ours have no reason not to be JSON; one that does anyway is kept as `null`.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

impl Row {
    /// The record in this row.
    pub(super) fn record(self) -> Result<Record, BadRow> {
        let id = self.id;
        let bad = |column: &str| BadRow(format!("column {column} of diagnosis {id} can't be read"));
        let start = Start {
            actor: parse(&self.actor).ok_or_else(|| bad("actor"))?,
            place: self.place,
            at: Timestamp::from_microsecond(self.started_at).map_err(|_| bad("started_at"))?,
            runbook: self.runbook,
            page_hash: self.page_hash,
            params: parse(&self.params).ok_or_else(|| bad("params"))?,
        };
        let outcome = match self.verdict {
            None => None,
            Some(verdict) => Some(Outcome {
                verdict: serde_json::from_value::<Verdict>(verdict.into())
                    .map_err(|_| bad("verdict"))?,
                root_causes: self
                    .root_causes
                    .as_deref()
                    .and_then(parse)
                    .ok_or_else(|| bad("root_causes"))?,
                duration_ms: self
                    .duration_ms
                    .and_then(|ms| u64::try_from(ms).ok())
                    .ok_or_else(|| bad("duration_ms"))?,
                report: self
                    .report
                    .as_deref()
                    .and_then(parse)
                    .ok_or_else(|| bad("report"))?,
            }),
        };
        Ok(Record {
            id: RecordId(id),
            start,
            outcome,
        })
    }
}

/// A row of `answers`.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct AnswerRow {
    at: i64,
    actor: String,
    page: String,
    step: String,
    fine: i64,
}

impl AnswerRow {
    /// The answer in this row.
    pub(super) fn answer(self) -> Result<Answer, BadRow> {
        let bad = |column: &str| BadRow(format!("column {column} of an answer can't be read"));
        Ok(Answer {
            at: Timestamp::from_microsecond(self.at).map_err(|_| bad("at"))?,
            actor: parse(&self.actor).ok_or_else(|| bad("actor"))?,
            page: self.page,
            step: self.step,
            fine: self.fine != 0,
        })
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}
