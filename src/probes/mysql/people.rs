//! Who is connected, and what they do: the processlist, statements without their values.

use std::collections::HashMap;

use super::{
    failure::Failure,
    pool::{Held, Own},
    rows::Row,
};
use crate::{
    domain::sql::without_values,
    probes::{net::host_of, seen::plain},
};

/// Longest statement that is shown, in characters.
const STATEMENT_CHARS: usize = 160;

/// Longest part of a statement that is read, in characters: enough to know it by.
const READ_CHARS: usize = 1_024;

/// Most connections that are read, the longest in their state first.
const MOST: usize = 5_000;

/// One connection of the processlist.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    pub(super) id: u64,
    pub(super) user: String,
    /// Without the port.
    pub(super) host: String,
    /// `Query`, `Sleep`, `Execute`, `Binlog Dump` …
    pub(super) command: String,
    /// How long it has been in its state.
    pub(super) seconds: i64,
    pub(super) state: String,
    /// Without values; empty when it does nothing.
    pub(super) statement: String,
}

impl Person {
    fn of(row: &Row) -> Self {
        let host = row.str("host");
        Self {
            id: row
                .int("id")
                .and_then(|id| u64::try_from(id).ok())
                .unwrap_or(0),
            user: row.str("user").to_owned(),
            host: if host.contains(':') {
                host_of(host)
            } else {
                host.to_owned()
            },
            command: row.str("command").to_owned(),
            // Before the first command the time is none, or turned around.
            seconds: row
                .int("time")
                .filter(|time| (0..1_000_000_000).contains(time))
                .unwrap_or(0),
            state: row.str("state").to_owned(),
            statement: shown(row.str("info")),
        }
    }

    /// Account and host, as people say it.
    pub(super) fn account(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }

    /// A client that waits for nothing and asks nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.command == "Sleep"
    }

    /// A client that carries out a statement: no replica, no event, no thread of the server.
    pub(super) fn is_working(&self) -> bool {
        matches!(
            self.command.as_str(),
            "Query" | "Execute" | "Field List" | "Fetch" | "Prepare"
        ) && !self.is_system()
    }

    fn is_system(&self) -> bool {
        matches!(self.user.as_str(), "system user" | "event_scheduler" | "")
    }

    /// It waits for a lock on a table's definition.
    pub(super) fn waits_for_metadata(&self) -> bool {
        self.state.contains("metadata lock") || self.state.contains("table flush")
    }

    /// It waits for a lock on the whole server or on a whole table: `FLUSH TABLES WITH READ LOCK`, a
    /// backup, `LOCK TABLES`
    /// (<https://dev.mysql.com/doc/refman/8.4/en/general-thread-states.html>,
    /// <https://mariadb.com/kb/en/general-thread-states/>).
    pub(super) fn waits_for_global_lock(&self) -> bool {
        const STATES: [&str; 5] = [
            "global read lock",
            "backup lock",
            "commit lock",
            "table level lock",
            "table flush",
        ];
        let state = self.state.to_ascii_lowercase();
        state
            .strip_prefix("waiting for ")
            .is_some_and(|what| STATES.iter().any(|lock| what.starts_with(lock)))
    }

    /// It stands still since the disk is full.
    pub(super) fn waits_for_disk(&self) -> bool {
        let state = self.state.to_ascii_lowercase();
        state.contains("disk space") || state.contains("disk full")
    }
}

/// A statement as it is shown: without values, in one line, cut.
pub(super) fn shown(statement: &str) -> String {
    plain(&without_values(statement), STATEMENT_CHARS)
}

/// All connections but our own.
#[derive(Clone, Debug, Default)]
pub(super) struct People {
    pub(super) all: Vec<Person>,
    /// There were more than are read.
    pub(super) truncated: bool,
}

impl People {
    /// The connections of the server behind `held`, without that one and `own`.
    ///
    /// # Errors
    /// No answer.
    pub(super) async fn of(held: &mut Held<'_>, own: &Own) -> Result<Self, Failure> {
        // MySQL 8.0.22 has a list that costs the others no lock; MySQL 9 warns of the old one.
        let table = if held.version.is_mysql(8, 1) {
            "performance_schema.processlist"
        } else {
            "information_schema.PROCESSLIST"
        };
        let me = held.number();
        let sql = |table: &str| {
            format!(
                "SELECT ID AS id, USER AS user, HOST AS host, COMMAND AS command, TIME AS time, \
                 STATE AS state, LEFT(INFO, {READ_CHARS}) AS info FROM {table} \
                 WHERE ID <> CONNECTION_ID() AND COMMAND <> 'Daemon' \
                 ORDER BY TIME DESC LIMIT {}",
                MOST + 1
            )
        };
        let rows = match held.ask(&sql(table)).await {
            // Without the performance schema there is still the old list.
            Err(Failure::Refused(_)) => held.ask(&sql("information_schema.PROCESSLIST")).await?,
            answered => answered?,
        };
        let truncated = rows.len() > MOST;
        let all = rows
            .iter()
            .take(MOST)
            .map(Person::of)
            .filter(|person| person.id != me && !own.is(person.id, &person.user))
            .collect();
        Ok(Self { all, truncated })
    }

    /// How many there are of each `key`, the most first.
    pub(super) fn tally(&self, key: impl Fn(&Person) -> String) -> Vec<(String, usize)> {
        tally(
            self.all
                .iter()
                .filter(|person| !person.is_system())
                .map(key),
        )
    }
}

/// How often each word stands there, the most frequent first.
pub(super) fn tally(words: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in words.filter(|word| !word.is_empty()) {
        *counts.entry(word).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}
