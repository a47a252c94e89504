//! What can be seen from outside when a fault has taken hold.

use serde::Deserialize;

use crate::compose::Span;
use crate::job::SqlUser;
use crate::service::Service;

/// What one can see from outside when a fault has taken hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    tag = "is",
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Condition {
    /// The container's state.
    Container {
        /// Whose.
        #[serde(default = "Service::usual")]
        service: Service,
        /// Docker's word for it, or `missing`.
        status: String,
        /// Whether the kernel killed it for its memory.
        oom_killed: Option<bool>,
        /// Restarts by the engine, at least.
        restarts: Option<i64>,
    },
    /// The scheduler holds the container back.
    Throttled {
        /// Whose.
        service: Service,
        /// In so many percent of its periods within a second, at least.
        percent: f64,
    },
    /// What the port does.
    Port {
        /// Whose.
        #[serde(default = "Service::usual")]
        service: Service,
        /// How it behaves.
        state: PortState,
    },
    /// Nobody answers at the port, whether it refuses or closes.
    Gone {
        /// Whose.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// How the server answers a command after login (or the login itself).
    Answer {
        /// The command.
        to: Vec<String>,
        /// How the answer begins, without the protocol's first byte.
        begins: String,
    },
    /// A field of INFO.
    Info {
        /// Its name.
        field: String,
        /// Its exact value.
        equals: Option<String>,
        /// Its least value.
        at_least: Option<f64>,
    },
    /// A field of INFO rises.
    Rises {
        /// Its name.
        field: String,
        /// By how much within half a second, at least.
        by: f64,
    },
    /// Entries in Redis' slow log, at least.
    SlowLog {
        /// How many.
        entries: u64,
    },
    /// What the database answers: the first column of the first row.
    Sql {
        /// The query.
        query: String,
        /// Who asks.
        #[serde(default)]
        user: SqlUser,
        /// Its exact text.
        equals: Option<String>,
        /// Text in it.
        contains: Option<String>,
        /// Its least value.
        at_least: Option<f64>,
        /// The refusal has this in it (of the query or of the login); `connection` where there is no server to refuse.
        refused: Option<String>,
    },
    /// What a service answers over HTTP.
    Http {
        /// Which: `nginx` (over HTTPS), `backend-1`, `wechatpay`.
        service: Service,
        /// The page.
        #[serde(default = "root")]
        path: String,
        /// The status; 0 for no answer at all.
        status: Option<u16>,
        /// Text in the body.
        contains: Option<String>,
        /// It takes at least so long.
        slower_than: Option<Span>,
    },
    /// What a service has written to its log.
    Log {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
        /// Text in it: `nginx` has its error log, the others what they print.
        contains: String,
        /// In so many lines, at least.
        #[serde(default = "once")]
        lines: usize,
    },
}

fn root() -> String {
    "/".to_owned()
}

fn once() -> usize {
    1
}

/// How a port behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortState {
    /// Connections are refused.
    Refused,
    /// Connections are taken and closed at once, as Docker's proxy does when nothing listens behind it.
    Closed,
    /// Connections are taken and nothing is ever answered.
    Silent,
}
