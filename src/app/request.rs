//! What can be asked, from where, and what comes back.

use std::sync::Arc;

use super::{Answer, RawParams, Record, RecordId, Reloaded};
use crate::domain::{
    access::{Actor, Role},
    diagnosis::Report,
    handbook::{Handbook, PATROL},
};

/// What can be asked. The match in [`Request::needs`] has no wildcard arm: a new request can't be
/// forgotten there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Run every check of a page, or of all pages.
    Diagnose {
        /// The page's id; [`ALL_PAGES`](crate::domain::handbook::ALL_PAGES) for every page together.
        runbook: String,
        /// The parameters as they were typed.
        params: RawParams,
    },
    /// Run the preventions of a page, or of all pages.
    Patrol {
        /// The page's id; every page without one.
        page: Option<String>,
    },
    /// Read the handbook: a page, or what fits some words.
    ReadHandbook,
    /// Read the pages again.
    Reload,
    /// The newest diagnoses.
    History {
        /// Of this page only.
        runbook: Option<String>,
        /// How many.
        limit: u32,
    },
    /// Record what a person saw at a manual step of a diagnosis.
    Answer {
        /// The diagnosis.
        id: RecordId,
        /// The step's place in the report's list.
        step: usize,
        /// It looks fine; otherwise that is it.
        fine: bool,
    },
    /// One recorded diagnosis.
    ShowRecord {
        /// Its number.
        id: RecordId,
    },
}

impl Request {
    /// The role that this needs.
    #[must_use]
    pub fn needs(&self) -> Role {
        match self {
            Self::Diagnose { .. } | Self::Patrol { .. } | Self::Answer { .. } => Role::Operator,
            Self::Reload => Role::Admin,
            Self::ReadHandbook | Self::History { .. } | Self::ShowRecord { .. } => Role::Viewer,
        }
    }

    /// What is asked, for the record and for a refusal: `diagnose redis`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Diagnose { runbook, .. } => format!("diagnose {runbook}"),
            Self::Patrol { page: None } => format!("{PATROL} run"),
            Self::Patrol { page: Some(page) } => format!("{PATROL} run {page}"),
            Self::ReadHandbook => "handbook".to_owned(),
            Self::Reload => "handbook reload".to_owned(),
            Self::History { .. } => "history".to_owned(),
            Self::Answer { id, .. } => format!("answer {}", id.0),
            Self::ShowRecord { id } => format!("history {}", id.0),
        }
    }
}

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A channel of a guild.
    Discord {
        /// The guild's id.
        guild: String,
        /// The channel's id.
        channel: String,
    },
    /// The command line.
    CommandLine,
}

impl Place {
    /// As it is recorded: `discord:<guild>/<channel>`, `cli`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Discord { guild, channel } => format!("discord:{guild}/{channel}"),
            Self::CommandLine => "cli".to_owned(),
        }
    }
}

/// A request with who asks and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Who asks.
    pub actor: Actor,
    /// Where.
    pub place: Place,
    /// What.
    pub request: Request,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A diagnosis and the number under which it is recorded.
    Diagnosed {
        /// The number.
        record: RecordId,
        /// The report, redacted.
        report: Box<Report>,
        /// The handbook that was run, for what the report only names.
        handbook: Arc<Handbook>,
    },
    /// Recorded diagnoses, the newest first.
    History(Vec<Record>),
    /// A recorded diagnosis and everything that people saw at its manual steps.
    Answered(Box<Record>, Vec<Answer>),
    /// The handbook in force.
    Handbook(Arc<Handbook>),
    /// What reading the pages again has changed.
    Reloaded(Reloaded),
}
