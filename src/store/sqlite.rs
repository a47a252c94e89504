//! The default backend: one SQLite file under the state directory.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::{Sqlite, SqlitePool, pool::PoolConnection};
use tokio::sync::OnceCell;

use super::{
    bound::report_text,
    fault,
    open::{FILE_NAME, open},
    rows::{AnswerRow, Row, json},
    sql,
};
use crate::{
    app::{Answer, Outcome, Record, RecordId, Recorder, Start, StoreError},
    domain::{access::Actor, text::Text},
};

/// Records that one `begin` forgets at most, so that no diagnosis waits for a long clean-up.
const FORGOTTEN_AT_ONCE: i64 = 500;

/// Most records of one answer. Our own choice: a screen has fifty lines, a script can ask again.
const MAX_HISTORY: u32 = 1_000;

/// What is remembered, in SQLite. Opened at the first use, so that making one costs nothing, and
/// tried again at the next use when opening failed.
#[derive(Debug)]
pub struct SqliteStore {
    file: PathBuf,
    keep: Duration,
    pool: OnceCell<SqlitePool>,
}

impl SqliteStore {
    /// The store in the state `directory`; diagnoses older than `keep` are forgotten.
    #[must_use]
    pub fn new(directory: &Path, keep: Duration) -> Self {
        Self {
            file: directory.join(FILE_NAME),
            keep,
            pool: OnceCell::new(),
        }
    }

    /// The database's file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Opens the file now, making and migrating it as needed.
    ///
    /// # Errors
    /// Each kind of [`StoreError`].
    pub async fn open(&self) -> Result<(), StoreError> {
        self.pool().await.map(|_| ())
    }

    /// Writes and reads back within a transaction that is then undone: what `doctor` asks.
    ///
    /// # Errors
    /// Each kind of [`StoreError`].
    pub async fn try_out(&self) -> Result<(), StoreError> {
        let pool = self.pool().await?;
        let mut transaction = pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|error| self.fault(&error))?;
        sqlx::query(sql::REFUSE)
            .bind(0_i64)
            .bind("doctor")
            .bind("doctor")
            .bind("doctor")
            .bind("doctor")
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.fault(&error))?;
        transaction
            .rollback()
            .await
            .map_err(|error| self.fault(&error))
    }

    /// Ends all connections in order, so that the write-ahead log is folded into the file.
    pub async fn close(&self) {
        if let Some(pool) = self.pool.get() {
            pool.close().await;
        }
    }

    async fn pool(&self) -> Result<&SqlitePool, StoreError> {
        self.pool.get_or_try_init(|| open(&self.file)).await
    }

    fn fault(&self, error: &sqlx::Error) -> StoreError {
        fault::of_sqlx(error, &self.file)
    }

    fn location(&self) -> String {
        self.file.display().to_string()
    }

    /// Records from before this moment are forgotten.
    fn oldest_kept(&self, now: Timestamp) -> Timestamp {
        SignedDuration::try_from(self.keep)
            .ok()
            .and_then(|keep| now.checked_sub(keep).ok())
            .unwrap_or(Timestamp::MIN)
    }

    /// Forgets old records beside the work; whoever waits for a diagnosis does not wait for this.
    fn forget(mut connection: PoolConnection<Sqlite>, oldest: Timestamp) {
        tokio::spawn(async move {
            for query in [sql::FORGET_DIAGNOSES, sql::FORGET_REFUSALS] {
                let forgotten = sqlx::query(query)
                    .bind(oldest.as_microsecond())
                    .bind(FORGOTTEN_AT_ONCE)
                    .execute(&mut *connection)
                    .await;
                if let Err(error) = forgotten {
                    tracing::debug!(%error, "old records stay until the next diagnosis");
                }
            }
        });
    }

    fn records(&self, rows: Vec<Row>) -> Result<Vec<Record>, StoreError> {
        rows.into_iter()
            .map(|row| {
                row.record()
                    .map_err(|bad| fault::damaged(self.location(), &bad.0))
            })
            .collect()
    }
}

#[async_trait]
impl Recorder for SqliteStore {
    async fn begin(&self, start: &Start) -> Result<RecordId, StoreError> {
        let pool = self.pool().await?;
        let mut connection = pool.acquire().await.map_err(|error| self.fault(&error))?;
        // All rows, although there is one: the row arrives before the commit, and only asking on
        // to the end tells whether the commit succeeded.
        let oldest = self.oldest_kept(start.at);
        let rows: Vec<(i64, bool)> = sqlx::query_as(sql::BEGIN)
            .bind(start.at.as_microsecond())
            .bind(json(&start.actor))
            .bind(&start.place)
            .bind(&start.runbook)
            .bind(&start.page_hash)
            .bind(json(&start.params))
            .bind(oldest.as_microsecond())
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.fault(&error))?;
        let Some((id, some_are_old)) = rows.first() else {
            return Err(fault::damaged(
                self.location(),
                "a new record got no number",
            ));
        };
        if *some_are_old {
            Self::forget(connection, oldest);
        }
        Ok(RecordId(*id))
    }

    async fn finish(&self, id: RecordId, outcome: &Outcome) -> Result<(), StoreError> {
        let pool = self.pool().await?;
        let done = sqlx::query(sql::FINISH)
            .bind(id.0)
            .bind(outcome.verdict.word())
            .bind(json(&outcome.root_causes))
            .bind(i64::try_from(outcome.duration_ms).unwrap_or(i64::MAX))
            .bind(report_text(&outcome.report))
            .execute(pool)
            .await
            .map_err(|error| self.fault(&error))?;
        if done.rows_affected() > 0 {
            return Ok(());
        }
        let there: i64 = sqlx::query_scalar(sql::EXISTS)
            .bind(id.0)
            .fetch_one(pool)
            .await
            .map_err(|error| self.fault(&error))?;
        if there > 0 {
            return Ok(());
        }
        Err(StoreError::Corrupt {
            location: self.location(),
            detail: Text::new(
                format!("diagnosis {} was begun and is not there any more", id.0),
                format!("诊断 {} 已开始记录，但记录现已不存在", id.0),
            ),
        })
    }

    async fn refuse(
        &self,
        actor: &Actor,
        place: &str,
        at: Timestamp,
        asked: &str,
        why: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::REFUSE)
            .bind(at.as_microsecond())
            .bind(json(actor))
            .bind(place)
            .bind(asked)
            .bind(why)
            .execute(self.pool().await?)
            .await
            .map_err(|error| self.fault(&error))?;
        Ok(())
    }

    async fn history(&self, runbook: Option<&str>, limit: u32) -> Result<Vec<Record>, StoreError> {
        let pool = self.pool().await?;
        let limit = i64::from(limit.min(MAX_HISTORY));
        let rows: Vec<Row> = match runbook {
            None => {
                sqlx::query_as(sql::HISTORY)
                    .bind(limit)
                    .fetch_all(pool)
                    .await
            }
            Some(runbook) => {
                sqlx::query_as(sql::HISTORY_OF)
                    .bind(limit)
                    .bind(runbook)
                    .fetch_all(pool)
                    .await
            }
        }
        .map_err(|error| self.fault(&error))?;
        self.records(rows)
    }

    async fn answer(&self, id: RecordId, answer: &Answer) -> Result<(), StoreError> {
        sqlx::query(sql::ANSWER)
            .bind(id.0)
            .bind(answer.at.as_microsecond())
            .bind(json(&answer.actor))
            .bind(&answer.page)
            .bind(&answer.step)
            .bind(i64::from(answer.fine))
            .execute(self.pool().await?)
            .await
            .map_err(|error| self.fault(&error))?;
        Ok(())
    }

    async fn answers(&self, id: RecordId) -> Result<Vec<Answer>, StoreError> {
        let rows: Vec<AnswerRow> = sqlx::query_as(sql::ANSWERS)
            .bind(id.0)
            .fetch_all(self.pool().await?)
            .await
            .map_err(|error| self.fault(&error))?;
        rows.into_iter()
            .map(|row| {
                row.answer()
                    .map_err(|bad| fault::damaged(self.location(), &bad.0))
            })
            .collect()
    }

    async fn last_healthy(&self, runbook: &str) -> Result<Option<Record>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(sql::LAST_HEALTHY)
            .bind(runbook)
            .fetch_all(self.pool().await?)
            .await
            .map_err(|error| self.fault(&error))?;
        Ok(self.records(rows)?.pop())
    }

    async fn record(&self, id: RecordId) -> Result<Option<Record>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(sql::RECORD)
            .bind(id.0)
            .fetch_all(self.pool().await?)
            .await
            .map_err(|error| self.fault(&error))?;
        Ok(self.records(rows)?.pop())
    }
}
