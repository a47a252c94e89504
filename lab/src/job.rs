//! What keeps a fault up after `break` has returned.

use serde::{Deserialize, Serialize};

use crate::compose::{Bytes, Span};
use crate::service::Service;
use crate::step::Step;

/// What a process in the background does until it is ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Job {
    /// Holds connections to Redis open: so many, or as many as the server lets in.
    HoldClients {
        /// How many; without it, all that there are.
        clients: Option<u32>,
    },
    /// Sends a command to Redis again and again.
    Repeat {
        /// The command and its arguments.
        command: Vec<String>,
        /// The pause between an answer and the next command.
        pause: Span,
    },
    /// Writes new keys into Redis at a steady rate.
    Write {
        /// How many a second.
        per_second: u32,
        /// Size of each value in bytes.
        value_bytes: u32,
    },
    /// Holds connections to the database open, doing nothing.
    HoldSql {
        /// How many; without it, all that there are.
        connections: Option<u32>,
        /// Who logs in.
        #[serde(default)]
        user: SqlUser,
    },
    /// One session of the database: carries out its statements one by one, then stays as it is, with its transaction
    /// open.
    SqlSession {
        /// The statements.
        statements: Vec<String>,
        /// Who logs in.
        #[serde(default)]
        user: SqlUser,
    },
    /// Sessions of the database in step: first the first statement of each, after a pause the second of each, whether
    /// or not the first has come to its end, and so on.
    SqlInStep {
        /// The statements of each session.
        sessions: Vec<Vec<String>>,
        /// The pause.
        pause: Span,
        /// Whether it begins again when all have ended.
        #[serde(default)]
        again: bool,
        /// Who logs in.
        #[serde(default)]
        user: SqlUser,
    },
    /// Sends a statement to the database again and again.
    SqlRepeat {
        /// The statement.
        statement: String,
        /// In so many sessions at once.
        #[serde(default = "one")]
        sessions: u32,
        /// The pause between an answer and the next time.
        pause: Span,
        /// Who logs in.
        #[serde(default)]
        user: SqlUser,
    },
    /// Asks for a page at a steady rate.
    Http {
        /// Whom: `nginx` (over HTTPS), `backend-1`, `wechatpay`.
        service: Service,
        /// The pages, one after the other.
        paths: Vec<String>,
        /// How many a second.
        per_second: u32,
        /// The method.
        #[serde(default = "get")]
        method: String,
        /// The body, JSON.
        body: Option<String>,
    },
    /// Keeps processors of this machine busy.
    BurnCpu {
        /// How many; at most 8.
        processors: u32,
    },
    /// Holds memory of this machine; at most 2 GiB.
    HoldMemory {
        /// How much.
        bytes: Bytes,
    },
    /// Breaks and heals in turn.
    Flap {
        /// The steps that break.
        on: Vec<Step>,
        /// The steps that heal.
        off: Vec<Step>,
        /// How long each of both lasts.
        every: Span,
    },
}

fn one() -> u32 {
    1
}

fn get() -> String {
    "GET".to_owned()
}

/// A user of the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SqlUser {
    /// Who may do everything.
    #[default]
    Root,
    /// The backend's.
    Mall,
    /// Handbell's.
    Handbell,
}

impl SqlUser {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Mall => "mall",
            Self::Handbell => "handbell",
        }
    }

    /// The file of its password, relative to `lab/`.
    #[must_use]
    pub fn password_file(self) -> &'static str {
        match self {
            Self::Root => "config/mysql-root.password",
            Self::Mall => "config/mysql-mall.password",
            Self::Handbell => "config/mysql.password",
        }
    }
}

impl Job {
    /// The service that the job acts on, where it is one.
    #[must_use]
    pub fn service(&self) -> Option<Service> {
        match self {
            Self::HoldClients { .. } | Self::Repeat { .. } | Self::Write { .. } => {
                Some(Service::RedisMaster)
            }
            Self::HoldSql { .. }
            | Self::SqlSession { .. }
            | Self::SqlInStep { .. }
            | Self::SqlRepeat { .. } => Some(Service::MysqlMaster),
            Self::Http { service, .. } => Some(*service),
            Self::Flap { on, .. } => on.first().and_then(Step::service),
            Self::BurnCpu { .. } | Self::HoldMemory { .. } => None,
        }
    }
}
