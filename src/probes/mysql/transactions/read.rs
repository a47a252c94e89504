//! Transactions and locks as each server tells them.

use std::collections::HashMap;

use super::tree::Wait;
use crate::probes::mysql::{
    failure::Failure,
    people::{People, Person, shown},
    pool::{Held, Own},
    rows::{Row, Rows},
};

/// Most transactions and locks that are read.
const MOST: usize = 1_000;

/// One open transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct Transaction {
    pub(super) id: String,
    pub(super) connection: u64,
    pub(super) account: String,
    pub(super) seconds: i64,
    pub(super) waiting: bool,
    pub(super) wait_seconds: i64,
    pub(super) idle: bool,
    pub(super) idle_seconds: i64,
    pub(super) rows_modified: i64,
    pub(super) statement: String,
}

impl Transaction {
    /// The statement, when there is one to tell.
    pub(super) fn told(&self) -> Option<String> {
        (!self.statement.is_empty()).then(|| self.statement.clone())
    }
}

/// A lock that somebody waits for.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    pub(super) table: String,
    pub(super) index: Option<String>,
    pub(super) mode: String,
}

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) transactions: Vec<Transaction>,
    pub(super) waits: Vec<Wait>,
    pub(super) waits_known: bool,
    pub(super) locks: Vec<Lock>,
    pub(super) metadata: Vec<Person>,
    pub(super) metadata_table: Option<String>,
    pub(super) metadata_blocker: Option<Transaction>,
    pub(super) metadata_lines: Vec<String>,
}

/// InnoDB's own times are the system's, whatever zone the session has.
const TRANSACTIONS: &str = "SELECT trx_id AS id, trx_mysql_thread_id AS thread, trx_state AS state, \
     TIMESTAMPDIFF(SECOND, trx_started, n.now) AS seconds, \
     TIMESTAMPDIFF(SECOND, trx_wait_started, n.now) AS wait_seconds, \
     trx_rows_modified AS rows_modified, LEFT(trx_query, 1024) AS query \
     FROM information_schema.INNODB_TRX, \
     (SELECT COALESCE(CONVERT_TZ(NOW(), @@session.time_zone, 'SYSTEM'), NOW()) AS now) n \
     ORDER BY trx_started LIMIT 1000";

const WAITS_MYSQL: &str = "SELECT w.REQUESTING_ENGINE_TRANSACTION_ID AS waiting, \
     w.BLOCKING_ENGINE_TRANSACTION_ID AS blocking, \
     CONCAT(l.OBJECT_SCHEMA, '.', l.OBJECT_NAME) AS locked, l.INDEX_NAME AS idx, l.LOCK_MODE AS mode \
     FROM performance_schema.data_lock_waits w \
     LEFT JOIN performance_schema.data_locks l \
     ON l.ENGINE_LOCK_ID = w.REQUESTING_ENGINE_LOCK_ID AND l.ENGINE = w.ENGINE LIMIT 1000";

/// MariaDB has kept what MySQL 8.0 has removed.
const WAITS_MARIADB: &str = "SELECT w.requesting_trx_id AS waiting, w.blocking_trx_id AS blocking, \
     l.lock_table AS locked, l.lock_index AS idx, l.lock_mode AS mode \
     FROM information_schema.INNODB_LOCK_WAITS w \
     LEFT JOIN information_schema.INNODB_LOCKS l ON l.lock_id = w.requested_lock_id LIMIT 1000";

/// The last statement of each connection, of the idle ones, too.
const STATEMENTS: &str = "SELECT t.PROCESSLIST_ID AS thread, LEFT(s.SQL_TEXT, 1024) AS query \
     FROM performance_schema.threads t \
     JOIN performance_schema.events_statements_current s ON s.THREAD_ID = t.THREAD_ID \
     WHERE t.PROCESSLIST_ID IS NOT NULL AND s.SQL_TEXT IS NOT NULL LIMIT 5000";

const METADATA_MYSQL: &str = "SELECT t.PROCESSLIST_ID AS thread, m.LOCK_STATUS AS status, \
     CONCAT(m.OBJECT_SCHEMA, '.', m.OBJECT_NAME) AS locked, m.LOCK_TYPE AS mode \
     FROM performance_schema.metadata_locks m \
     JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID \
     WHERE m.OBJECT_TYPE = 'TABLE' AND t.PROCESSLIST_ID IS NOT NULL LIMIT 2000";

/// Reads everything.
///
/// # Errors
/// No answer, or the account may not see transactions.
pub(super) async fn read(held: &mut Held<'_>, own: &Own) -> Result<Seen, Failure> {
    let people = People::of(held, own).await?;
    let rows = held.ask(TRANSACTIONS).await?;
    let statements = last_statements(held).await?;
    let known: HashMap<u64, &Person> = people.all.iter().map(|it| (it.id, it)).collect();
    let me = held.number();
    let mut seen = Seen {
        transactions: rows
            .iter()
            .map(|row| transaction(row, &known, &statements))
            // Those of others are among the people, who are told without our own.
            .filter(|it| {
                let other = known.contains_key(&it.connection) || !own.may_be(it.connection);
                it.connection != me && other
            })
            .collect(),
        ..Seen::default()
    };
    let waits = if held.version.is_mariadb() {
        WAITS_MARIADB
    } else {
        WAITS_MYSQL
    };
    // Nobody waits: the locks, which can be many, need not be asked for.
    if seen.transactions.iter().any(|it| it.waiting) {
        if let Ok(rows) = held.try_ask(waits).await? {
            seen.waits_known = true;
            waits_of(&rows, &mut seen);
        }
    } else {
        seen.waits_known = true;
    }
    seen.metadata = people
        .all
        .iter()
        .filter(|it| it.waits_for_metadata())
        .cloned()
        .collect();
    if !seen.metadata.is_empty() {
        metadata(held, &people, &statements, &mut seen).await?;
    }
    Ok(seen)
}

async fn last_statements(held: &mut Held<'_>) -> Result<HashMap<u64, String>, Failure> {
    let rows = held.try_ask(STATEMENTS).await?.unwrap_or_default();
    let pair = |row: &Row| {
        Some((
            u64::try_from(row.int("thread")?).ok()?,
            shown(row.str("query")),
        ))
    };
    Ok(rows.iter().filter_map(pair).collect())
}

fn transaction(
    row: &Row,
    people: &HashMap<u64, &Person>,
    statements: &HashMap<u64, String>,
) -> Transaction {
    let connection = row
        .int("thread")
        .and_then(|id| u64::try_from(id).ok())
        .unwrap_or(0);
    let person = people.get(&connection);
    let running = shown(row.str("query"));
    let statement = [
        Some(&running),
        person.map(|it| &it.statement),
        statements.get(&connection),
    ]
    .into_iter()
    .flatten()
    .find(|text| !text.is_empty());
    let idle = person.is_some_and(|it| it.is_idle());
    let waiting = row.str("state") == "LOCK WAIT";
    Transaction {
        id: row.str("id").to_owned(),
        connection,
        account: person.map_or_else(|| "unknown".to_owned(), |it| it.account()),
        seconds: row.int("seconds").unwrap_or(0).max(0),
        waiting,
        wait_seconds: if waiting {
            row.int("wait_seconds").unwrap_or(0).max(0)
        } else {
            0
        },
        idle,
        idle_seconds: person.filter(|_| idle).map_or(0, |it| it.seconds),
        rows_modified: row.int("rows_modified").unwrap_or(0),
        statement: statement.cloned().unwrap_or_default(),
    }
}

fn waits_of(rows: &Rows, seen: &mut Seen) {
    for row in rows.iter().take(MOST) {
        let wait = Wait {
            waiting: row.str("waiting").to_owned(),
            blocking: row.str("blocking").to_owned(),
        };
        if !seen.waits.contains(&wait) {
            seen.waits.push(wait);
        }
        if let Some(table) = row.word("locked") {
            seen.locks.push(Lock {
                table: table.replace('`', ""),
                index: row.word("idx").map(|index| index.replace('`', "")),
                mode: row.str("mode").to_owned(),
            });
        }
    }
}

/// Who holds the definition that others wait for. MySQL tells; MariaDB does only with a plugin,
/// so there the oldest open transaction that waits for nothing is taken.
async fn metadata(
    held: &mut Held<'_>,
    people: &People,
    statements: &HashMap<u64, String>,
    seen: &mut Seen,
) -> Result<(), Failure> {
    let waiting: Vec<u64> = seen.metadata.iter().map(|it| it.id).collect();
    let mut holder = None;
    if !held.version.is_mariadb()
        && let Ok(rows) = held.try_ask(METADATA_MYSQL).await?
    {
        let thread = |row: &Row| row.int("thread").and_then(|id| u64::try_from(id).ok());
        let pending = rows.iter().find(|row| row.str("status") == "PENDING");
        seen.metadata_table = pending.and_then(|row| row.word("locked"));
        holder = rows
            .iter()
            .filter(|row| row.str("status") == "GRANTED")
            .filter(|row| row.word("locked") == seen.metadata_table)
            .filter_map(thread)
            .find(|id| !waiting.contains(id));
    }
    let oldest = || {
        seen.transactions
            .iter()
            .find(|it| !it.waiting && !waiting.contains(&it.connection))
    };
    seen.metadata_blocker = match holder {
        Some(id) => {
            let known = seen
                .transactions
                .iter()
                .find(|it| it.connection == id)
                .cloned();
            known.or_else(|| {
                Some(of_person(
                    people.all.iter().find(|it| it.id == id)?,
                    statements,
                ))
            })
        }
        None => oldest().cloned(),
    };
    seen.metadata_lines = seen
        .metadata
        .iter()
        .take(5)
        .map(|it| {
            format!(
                "{} {} waits {} s for a table's definition: {}",
                it.id,
                it.account(),
                it.seconds,
                it.statement
            )
        })
        .collect();
    Ok(())
}

/// A holder that has no transaction of InnoDB: `LOCK TABLES`, or a statement on another engine.
fn of_person(person: &Person, statements: &HashMap<u64, String>) -> Transaction {
    let last = statements.get(&person.id).cloned().unwrap_or_default();
    Transaction {
        connection: person.id,
        account: person.account(),
        idle: person.is_idle(),
        idle_seconds: person.seconds,
        seconds: person.seconds,
        statement: if person.statement.is_empty() {
            last
        } else {
            person.statement.clone()
        },
        ..Transaction::default()
    }
}
