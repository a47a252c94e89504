//! Locks, deadlocks and connections of a real server, made and seen.

mod probes_common;

use std::time::Duration;

use handbell::domain::handbook::ArgValue;
use probes_common::{
    eventually, int,
    mysql::{Db, db_eyes, db_sight, number, run},
    none, text, truth,
};
use sqlx::Executor as _;

const TABLE: &[&str] = &[
    "CREATE TABLE mall.t (id INT PRIMARY KEY, v INT)",
    "INSERT INTO mall.t VALUES (1, 1), (2, 2)",
];

#[tokio::test]
async fn who_forgot_to_commit_stands_at_the_root() {
    let db = Db::start(&[]).await;
    db.run(TABLE).await;
    let eyes = db_eyes(db.target());
    // The server's own work after its start is a transaction, too, for a moment.
    let transactions = async || db_sight(&eyes, "mysql.transactions", &[]).await;
    let quiet = eventually(transactions, |seen| int(seen, "transactions") == 0).await;
    assert_eq!(
        (int(&quiet, "transactions"), int(&quiet, "lock_waits")),
        (0, 0)
    );
    let mut holder = db.client().await;
    let id = number(&mut holder).await;
    run(&mut holder, "BEGIN").await;
    run(&mut holder, "UPDATE mall.t SET v = 77777 WHERE id = 1").await;
    let mut waiter = db.client().await;
    let waiting = tokio::spawn(async move {
        let _ = waiter
            .execute("UPDATE mall.t SET v = 88888 WHERE id = 1")
            .await;
    });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let seen = eventually(transactions, |seen| int(seen, "lock_waits") == 1).await;
    assert_eq!(int(&seen, "lock_waits"), 1, "{}", seen.evidence);
    assert_eq!(int(&seen, "root_id"), i64::try_from(id).expect("a number"));
    assert!(truth(&seen, "root_is_idle") && truth(&seen, "tree_seen"));
    assert_eq!(int(&seen, "root_victims"), 1);
    assert_eq!(text(&seen, "lock_table"), "mall.t");
    assert_eq!(
        text(&seen, "waiting_statement"),
        "UPDATE mall.t SET v = ? WHERE id = ?"
    );
    assert!(!format!("{seen:?}").contains("88888"), "a value is shown");
    waiting.abort();
}

#[tokio::test]
async fn who_got_our_number_after_a_restart_is_not_taken_for_us() {
    let mut db = Db::start(&[]).await;
    let eyes = db_eyes(db.target());
    for probe in ["mysql.ping", "mysql.transactions", "mysql.processlist"] {
        db_sight(&eyes, probe, &[]).await;
    }
    db.restart().await;
    let mut clients = Vec::new();
    for _ in 0..40 {
        let mut client = db.client().await;
        run(&mut client, "START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
        clients.push(client);
    }
    let transactions = async || db_sight(&eyes, "mysql.transactions", &[]).await;
    let seen = eventually(transactions, |seen| int(seen, "transactions") == 40).await;
    assert_eq!(int(&seen, "transactions"), 40, "{}", seen.evidence);
    let people = async || db_sight(&eyes, "mysql.processlist", &[]).await;
    let seen = eventually(people, |seen| int(seen, "connections") >= 40).await;
    assert!(int(&seen, "connections") >= 40, "{}", seen.evidence);
    drop(clients);
}

#[tokio::test]
async fn a_deadlock_is_told_with_both_sides() {
    let db = Db::start(&[]).await;
    db.run(TABLE).await;
    let eyes = db_eyes(db.target());
    let quick = [("sample", ArgValue::Duration(Duration::ZERO))];
    let none_yet = db_sight(&eyes, "mysql.deadlock", &quick).await;
    assert!(!truth(&none_yet, "found") && none(&none_yet, "seconds_ago"));
    let (mut one, mut two) = (db.client().await, db.client().await);
    for (client, row) in [(&mut one, 1), (&mut two, 2)] {
        run(client, "BEGIN").await;
        run(client, &format!("UPDATE mall.t SET v = 9 WHERE id = {row}")).await;
    }
    let first = tokio::spawn(async move {
        let _ = one.execute("UPDATE mall.t SET v = 9 WHERE id = 2").await;
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let _ = two.execute("UPDATE mall.t SET v = 9 WHERE id = 1").await;
    first.await.expect("the first goes on");
    let seen = db_sight(&eyes, "mysql.deadlock", &quick).await;
    assert!(truth(&seen, "found") && truth(&seen, "recent"));
    assert!(int(&seen, "seconds_ago") < 30 && int(&seen, "deadlocks") == 1);
    assert_eq!(int(&seen, "transactions"), 2);
    assert_eq!(
        text(&seen, "first_statement"),
        "UPDATE mall.t SET v = ? WHERE id = ?"
    );
    assert!(text(&seen, "second_waits").contains("mall.t.PRIMARY"));
    assert!(truth(&seen, "same_table"));
}

#[tokio::test]
async fn connections_are_counted_by_account() {
    let db = Db::start(&["--max-connections=50"]).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(db.stranger().await);
    }
    let eyes = db_eyes(db.target());
    // The connections of the start go away in their own time.
    let connections = async || db_sight(&eyes, "mysql.connections", &[]).await;
    let seen = eventually(connections, |seen| int(seen, "connections") <= 25).await;
    assert_eq!(int(&seen, "max_connections"), 50);
    assert!(
        (20..=25).contains(&int(&seen, "connections")),
        "{}",
        seen.evidence
    );
    assert_eq!(text(&seen, "top_user"), "stranger");
    assert_eq!(int(&seen, "top_user_count"), 20);
    assert!(truth(&seen, "sees_all"));
    let settings = db_sight(&eyes, "mysql.variables", &[]).await;
    assert_eq!(int(&settings, "max_connections"), 50);
    for probe in [
        "mysql.processlist",
        "mysql.replication",
        "mysql.storage",
        "mysql.slowlog",
        "mysql.indexes",
    ] {
        db_sight(&eyes, probe, &[]).await;
    }
    drop(clients);
}

#[tokio::test]
async fn a_lock_on_the_whole_server_is_told_with_its_holder() {
    for (settings, named) in [
        (
            &[
                "--performance-schema=ON",
                "--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON",
            ][..],
            true,
        ),
        (&[][..], false),
    ] {
        let db = Db::start(settings).await;
        db.run(&["CREATE TABLE mall.stock (id INT PRIMARY KEY)"])
            .await;
        let eyes = db_eyes(db.target());
        let calm = db_sight(&eyes, "mysql.processlist", &[]).await;
        assert_eq!(int(&calm, "global_lock_waits"), 0);
        let mut backup = db.client().await;
        run(&mut backup, "FLUSH TABLES WITH READ LOCK").await;
        let mut shop = db.client().await;
        let waiting = tokio::spawn(async move {
            run(&mut shop, "INSERT INTO mall.stock VALUES (1)").await;
        });
        let processes = async || db_sight(&eyes, "mysql.processlist", &[]).await;
        let seen = eventually(processes, |seen| int(seen, "global_lock_waits") == 1).await;
        assert_eq!(int(&seen, "global_lock_waits"), 1);
        assert!(
            text(&seen, "global_lock_state").starts_with("Waiting for"),
            "{}",
            seen.evidence
        );
        if named {
            assert_eq!(text(&seen, "global_lock_holder"), "boss@127.0.0.1");
            let holder = u64::try_from(int(&seen, "global_lock_holder_id"));
            assert_eq!(holder.ok(), Some(number(&mut backup).await));
        } else {
            assert_eq!(int(&seen, "global_lock_holder_id"), 0);
        }
        run(&mut backup, "UNLOCK TABLES").await;
        waiting.await.expect("the write");
    }
}
