//! The SQLite file: who may read it, and what is said when it can't be used, through the binary.

#![expect(
    clippy::expect_used,
    reason = "a test's own helpers; a failure is a panic"
)]

mod binary;

use std::{os::unix::process::CommandExt, path::Path, process::Command, time::Duration};

use binary::{Home, Ran, finish, mode, nobody, not_run};
use handbell::{
    app::{Recorder, Start},
    domain::{access::Actor, handbook::Params},
    store::SqliteStore,
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

/// `nobody` of Debian: somebody without rights.
const NOBODY: u32 = 65_534;

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path))
        .await
        .expect("opens")
}

/// A home whose store has one diagnosis.
fn used() -> Home {
    let home = Home::with_redis(nobody());
    home.run(&["diagnose", "redis"]).ended(1);
    home
}

/// Nothing was shown as if it were recorded, and the sentence names the file.
#[track_caller]
fn refused(ran: Ran, home: &Home, says: &str) -> Ran {
    let ran = ran.ended(2).says(says).says("handbell.sqlite");
    assert!(ran.out.is_empty(), "no report without a record: {ran:#?}");
    assert!(home.dir.path().exists());
    ran
}

#[test]
fn only_the_owner_may_read_it() {
    let home = used();
    assert_eq!(mode(&home.state()), 0o700);
    for entry in std::fs::read_dir(home.state()).expect("a directory") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn it_uses_a_write_ahead_log() {
    let home = used();
    let mut connection = connect(&home.database()).await;
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut connection)
        .await
        .expect("answers");
    assert_eq!(journal, "wal");
}

#[test]
fn a_log_that_outlived_its_file_is_not_taken_for_the_new_ones() {
    let home = used();
    assert!(
        home.state().join("handbell.sqlite-wal").exists(),
        "left as it was"
    );
    std::fs::rename(home.database(), home.state().join("aside")).expect("moved");
    home.run(&["diagnose", "redis"]).ended(1);
    let records = home.run(&["history", "--json"]).json();
    assert_eq!(records.as_array().map(Vec::len), Some(1), "{records}");
}

#[test]
fn the_log_does_not_grow_without_end() {
    /// 256 pages with their heads, and the commit that goes over it.
    const MOST: u64 = 2 * 256 * 4_120;
    let home = used();
    for _ in 0..60 {
        home.run(&["diagnose", "redis"]).ended(1);
        let log = home.state().join("handbell.sqlite-wal");
        let length = std::fs::metadata(log).expect("a log").len();
        assert!(length < MOST, "{length} bytes");
    }
    let records = home.run(&["history", "--json", "--limit", "100"]).json();
    assert_eq!(records.as_array().map(Vec::len), Some(61));
}

#[test]
fn who_only_looks_back_leaves_the_files_as_they_are() {
    let home = used();
    let files = || ["", "-wal"].map(|end| home.state().join(format!("handbell.sqlite{end}")));
    let before = files().map(|file| std::fs::read(file).expect("a file"));
    for asked in [&["history"][..], &["history", "1"], &["history", "nginx"]] {
        for _ in 0..5 {
            home.run(asked).ended(0);
            let after = files().map(|file| std::fs::read(&file).expect("still there"));
            assert!(after == before, "{asked:?} wrote");
        }
    }
}

#[tokio::test]
async fn locked_by_another_process() {
    let home = used();
    let mut connection = connect(&home.database()).await;
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut connection)
        .await
        .expect("locked");
    let ran = home.run(&["diagnose", "redis"]);
    let ran = refused(ran, &home, "locked by another process");
    assert!(ran.took < Duration::from_secs(12), "{:?}", ran.took);
    sqlx::query("ROLLBACK")
        .execute(&mut connection)
        .await
        .expect("free");
    home.run(&["diagnose", "redis"]).ended(1);
    assert_eq!(
        home.run(&["history", "--json"])
            .json()
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn written_by_a_newer_version() {
    let home = used();
    let mut connection = connect(&home.database()).await;
    sqlx::query("PRAGMA user_version = 999")
        .execute(&mut connection)
        .await
        .expect("set");
    drop(connection);
    refused(
        home.run(&["diagnose", "redis"]),
        &home,
        "a newer Handbell wrote it (schema 999",
    );
    home.run(&["doctor", "--no-discord"])
        .ended(1)
        .says("a newer Handbell wrote it");
}

#[test]
fn damaged() {
    let home = used();
    for rubbish in [
        b"this is no database, it is a letter to my aunt".repeat(100),
        vec![0xff; 9000],
    ] {
        for name in ["handbell.sqlite-wal", "handbell.sqlite-shm"] {
            let _ = std::fs::remove_file(home.state().join(name));
        }
        std::fs::write(home.database(), &rubbish).expect("written");
        refused(home.run(&["diagnose", "redis"]), &home, "aside");
        assert_eq!(
            std::fs::read(home.database()).expect("there"),
            rubbish,
            "nothing was changed"
        );
        home.run(&["history"]).ended(2).says("damaged");
    }
}

#[test]
fn a_directory_in_its_place_or_a_file_in_the_directorys() {
    let home = Home::with_redis(nobody());
    std::fs::create_dir_all(home.database()).expect("made");
    home.run(&["diagnose", "redis"])
        .ended(2)
        .says("something else of this name");
    let home = Home::with_redis(nobody());
    std::fs::write(home.state(), "").expect("written");
    home.run(&["diagnose", "redis"])
        .ended(2)
        .says("a file, not a directory");
}

/// `command` as somebody without rights; `None` when this process may not do that and would itself
/// be stopped by modes anyway.
fn as_nobody(mut command: Command) -> Command {
    let root = std::fs::metadata("/proc/self")
        .is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0);
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

#[test]
fn without_rights() {
    let home = used();
    let can_start = as_nobody(home.command(&["--version"])).output();
    if !can_start.is_ok_and(|output| output.status.success()) {
        return not_run(
            "store_sqlite::without_rights",
            "another user can't run the binary here",
        );
    }
    // A directory that nobody may enter.
    let ran = finish(as_nobody(home.command(&["history"])));
    refused(ran, &home, "permission denied");
    // One that may be read and not written.
    let closed = |path: &Path, mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    };
    closed(&home.state(), 0o555);
    for entry in std::fs::read_dir(home.state()).expect("a directory") {
        closed(&entry.expect("an entry").path(), 0o444);
    }
    let ran = finish(as_nobody(home.command(&["diagnose", "redis"])));
    let ran = ran.ended(2).says("handbell.sqlite");
    assert!(
        ran.err.contains("read-only") || ran.err.contains("permission"),
        "{ran:#?}"
    );
}

#[tokio::test]
async fn what_never_ended_is_shown_as_interrupted() {
    let home = Home::with_redis(nobody());
    let store = SqliteStore::new(&home.state(), Duration::from_hours(24));
    let clock = handbell::app::SystemClock;
    let ago = jiff::SignedDuration::from_hours(1);
    store
        .begin(&Start {
            actor: Actor::Local {
                user: "root".into(),
            },
            place: "cli".into(),
            at: handbell::app::Clock::now(&clock) - ago,
            runbook: "redis".into(),
            page_hash: "x".into(),
            params: Params::new(),
        })
        .await
        .expect("begun");
    store.close().await;
    home.run(&["history"]).ended(0).says("interrupted");
    assert_eq!(
        home.run(&["history", "1", "--json"]).json()["state"],
        "interrupted"
    );
}
