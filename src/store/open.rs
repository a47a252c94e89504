//! Making and opening the file; migrations.

use std::{
    fs::{DirBuilder, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    time::Duration,
};

use sqlx::{
    SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};

use super::fault;
use crate::{app::StoreError, domain::text::Text};

/// The database's file name in the state directory.
pub const FILE_NAME: &str = "handbell.sqlite";

/// How long another process's transaction is waited for. Our own choice: longer than any
/// transaction of ours, shorter than a person's patience.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a free connection is waited for; a little more than [`BUSY_TIMEOUT`], so that the
/// database's own answer comes first.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(4);

/// Connections at the same time. SQLite has one writer; more only wait for each other.
const MAX_CONNECTIONS: u32 = 4;

/// Pages of 4 KiB in the write-ahead log after which a commit folds them into the file. SQLite's own
/// 1,000 (<https://www.sqlite.org/c3ref/wal_autocheckpoint.html>) would make a process that begins
/// read up to 4 MB, since one that ends leaves the log as it is.
const LOG_PAGES: &str = "256";

/// Only the owner may enter the state directory.
const DIRECTORY_MODE: u32 = 0o700;

/// Only the owner may read the database; SQLite gives its companion files the same mode.
const FILE_MODE: u32 = 0o600;

/// How often another process's switch to WAL is looked at again while two start together.
const WAL_RETRY: Duration = Duration::from_millis(50);

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("src/store/migrations/sqlite");

/// Opens the database `file`, making it and its directory when they are missing.
///
/// # Errors
/// Each kind of [`StoreError`].
pub(super) async fn open(file: &Path) -> Result<SqlitePool, StoreError> {
    prepare(file)?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(BUSY_TIMEOUT)
        // With WAL, NORMAL loses nothing when the process dies, and costs no wait for the disk.
        .synchronous(SqliteSynchronous::Normal)
        .pragma("wal_autocheckpoint", LOG_PAGES);
    let options = sqlx::ConnectOptions::disable_statement_logging(options);
    let pool = SqlitePoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(|error| fault::of_sqlx(&error, file))?;
    let migrated = migrate(&pool, file).await;
    if migrated.is_err() {
        // Left alone, the connections would close some time later, beside the next attempt or the
        // end of the process.
        pool.close().await;
    }
    migrated.map(|()| pool)
}

/// Makes the directory and an empty file with modes that let nobody else in.
fn prepare(file: &Path) -> Result<(), StoreError> {
    if let Some(directory) = file.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(directory)
            .map_err(|error| fault::of_io(&error, directory))?;
    }
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(file)
    {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => match file.metadata() {
            Ok(it) if !it.is_file() => Err(StoreError::Unavailable {
                location: file.display().to_string(),
                detail: Text::new(
                    "something else of this name is in its place; move that aside",
                    "该位置上有别的同名之物；请把它移走",
                ),
            }),
            _ => Ok(()),
        },
        Err(error) => Err(fault::of_io(&error, file)),
    }
}

async fn migrate(pool: &SqlitePool, file: &Path) -> Result<(), StoreError> {
    let mut connection = pool
        .acquire()
        .await
        .map_err(|error| fault::of_sqlx(&error, file))?;
    let known = newest_known();
    let version = version_of(&mut connection, file).await?;
    if version == known {
        return Ok(());
    }
    if version > known {
        return Err(StoreError::Corrupt {
            location: file.display().to_string(),
            detail: Text::new(
                format!(
                    "a newer Handbell wrote it (schema {version}; this one knows {known}); run that \
                     version, or set [store] directory in handbell.toml to another"
                ),
                format!(
                    "它由更新版本的 Handbell 写成（结构版本 {version}；本版本只认识 {known}）；请运行\
                     那个版本，或在 handbell.toml 中把 [store] directory 改为别处"
                ),
            ),
        });
    }
    switch_to_wal(&mut connection, file).await?;
    match MIGRATIONS.run(pool).await {
        Ok(()) => Ok(()),
        // Another process may have done the same meanwhile; then there is nothing wrong.
        Err(_) if version_of(&mut connection, file).await? == known => Ok(()),
        Err(error) => Err(migration_fault(error, file)),
    }
}

fn newest_known() -> i64 {
    MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

async fn version_of(connection: &mut SqliteConnection, file: &Path) -> Result<i64, StoreError> {
    sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(connection)
        .await
        .map_err(|error| fault::of_sqlx(&error, file))
}

/// WAL is a property of the file, so it is set once. The switch needs the file for itself and
/// does not wait by itself: two processes that start together take turns here.
async fn switch_to_wal(connection: &mut SqliteConnection, file: &Path) -> Result<(), StoreError> {
    let mut waited = Duration::ZERO;
    loop {
        let switched = sqlx::query("PRAGMA journal_mode = WAL")
            .execute(&mut *connection)
            .await
            .map_err(|error| fault::of_sqlx(&error, file));
        match switched {
            Err(StoreError::Locked { .. }) if waited < BUSY_TIMEOUT => {
                tokio::time::sleep(WAL_RETRY).await;
                waited += WAL_RETRY;
            }
            other => return other.map(|_| ()),
        }
    }
}

fn migration_fault(error: sqlx::migrate::MigrateError, file: &Path) -> StoreError {
    use sqlx::migrate::MigrateError;
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            fault::of_sqlx(&error, file)
        }
        other => fault::damaged(file.display().to_string(), &other.to_string()),
    }
}
