//! `mysql.ping` and `mysql.query` against a real server.

#![expect(clippy::expect_used, reason = "a test may fail")]

mod probes_common;

use std::{
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use handbell::{
    app::Look,
    config::{MysqlServer, ServerAddress},
    domain::{
        diagnosis::{Unseen, Value},
        handbook::{ArgValue, Args},
    },
};
use indexmap::IndexMap;
use probes_common::{
    float, int,
    mysql::{Db, PASSWORD, at, db_eyes, db_look, db_sight, db_unseen},
    none, see_within, text, truth,
};
use sqlx::Connection as _;

async fn state(server: MysqlServer) -> String {
    let sighting = db_sight(&db_eyes(server), "mysql.ping", &[]).await;
    text(&sighting, "state").to_owned()
}

#[tokio::test]
async fn a_healthy_server_answers() {
    let db = Db::start(&[]).await;
    let eyes = db_eyes(db.target());
    let ping = db_sight(&eyes, "mysql.ping", &[]).await;
    assert_eq!(text(&ping, "state"), "ok", "{ping:?}");
    assert_eq!(text(&ping, "flavour"), "mariadb");
    assert!(text(&ping, "version").contains("MariaDB"));
    assert_eq!(text(&ping, "user"), "handbell@127.0.0.1");
    assert!(truth(&ping, "connected") && truth(&ping, "greeted") && truth(&ping, "answered"));
    assert!(!truth(&ping, "read_only"));
    assert!(float(&ping, "latency_ms") > 0.0 && float(&ping, "login_ms") > 0.0);
    assert!(int(&ping, "uptime_seconds") < 60);
    assert!(!format!("{ping:?}").contains(PASSWORD));

    let over_socket = MysqlServer {
        address: ServerAddress::Unix(db.socket()),
        ..db.target()
    };
    // The account is one of 127.0.0.1: another address is another account.
    assert_eq!(state(over_socket).await, "access-denied");
}

#[tokio::test]
async fn logins_are_told_apart() {
    let db = Db::start(&[]).await;
    let wrong = db.target_of("handbell", "not-the-one");
    assert_eq!(state(wrong.clone()).await, "access-denied");
    let eyes = db_eyes(wrong);
    let reason = db_unseen(
        &eyes,
        "mysql.query",
        &query("SELECT 1 AS one", &[], &[("one", "count")]),
    )
    .await;
    assert_eq!(reason, Unseen::WrongPassword);
    assert_eq!(state(at(db.port)).await, "password-required");
    let elsewhere = MysqlServer {
        database: Some("no_such_shop".to_owned()),
        ..db.target()
    };
    assert_eq!(state(elsewhere).await, "unknown-database");
    let denied = MysqlServer {
        database: Some("mall".to_owned()),
        ..db.target_of("stranger", PASSWORD)
    };
    assert_eq!(state(denied).await, "database-denied");
    db.run(&["ALTER USER handbell@'127.0.0.1' ACCOUNT LOCK"])
        .await;
    assert_eq!(state(db.target()).await, "account-locked");
    db.run(&[
        "ALTER USER handbell@'127.0.0.1' ACCOUNT UNLOCK",
        "SET GLOBAL read_only = 1",
    ])
    .await;
    let ping = db_sight(&db_eyes(db.target()), "mysql.ping", &[]).await;
    assert_eq!(text(&ping, "state"), "ok");
    assert!(truth(&ping, "read_only"));
}

#[tokio::test]
async fn a_full_and_a_blocking_server_say_so_before_the_login() {
    let db = Db::start(&["--max-connections=10", "--max-connect-errors=1"]).await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(db.stranger().await);
    }
    // One more is for administrators alone.
    let ping = db_sight(&db_eyes(db.target()), "mysql.ping", &[]).await;
    assert_eq!(text(&ping, "state"), "too-many-connections", "{ping:?}");
    assert!(truth(&ping, "greeted") && none(&ping, "version"));
    drop(clients);
}

#[tokio::test]
async fn the_last_connection_serves_all_looks() {
    let db = Db::start(&["--max-connections=10"]).await;
    let mut clients = Vec::new();
    for _ in 0..9 {
        clients.push(db.stranger().await);
    }
    for _ in 0..5 {
        let eyes = db_eyes(db.target());
        let question = one();
        let (ping, query) = tokio::join!(db_sight(&eyes, "mysql.ping", &[]), async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            db_sight(&eyes, "mysql.query", &question).await
        });
        assert_eq!(text(&ping, "state"), "ok", "{ping:?}");
        assert_eq!(int(&query, "one"), 1);
        drop(eyes);
        // The server has the last place back when it has noticed that the client is gone.
        for _ in 0..500 {
            if let Ok(client) = db.try_client("stranger").await {
                let _ = client.close().await;
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    drop(clients);
}

#[tokio::test]
async fn a_server_that_only_serves_whom_it_knows_is_not_one_that_hangs() {
    let db = Db::start(&[]).await;
    let door = Door::before(db.port);
    let eyes = db_eyes(MysqlServer {
        address: ServerAddress::Tcp {
            host: "127.0.0.1".to_owned(),
            port: door.port,
        },
        ..db.target()
    });
    assert_eq!(int(&db_sight(&eyes, "mysql.query", &one()).await, "one"), 1);
    door.shut.store(true, Ordering::SeqCst);
    let ping = db_sight(&eyes, "mysql.ping", &[]).await;
    assert_eq!(text(&ping, "state"), "reply-timeout");
    assert!(!truth(&ping, "greeted") && truth(&ping, "answers_others"));
    assert_eq!(int(&db_sight(&eyes, "mysql.query", &one()).await, "one"), 1);
}

/// A door before a server; shut, it takes clients and lets nobody through, as a server does that waits for DNS.
struct Door {
    port: u16,
    shut: Arc<AtomicBool>,
}

impl Door {
    fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shut = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&shut);
        std::thread::spawn(move || {
            let mut waiting = Vec::new();
            for client in listener.incoming().flatten() {
                if closed.load(Ordering::SeqCst) {
                    waiting.push(client);
                } else {
                    let server = TcpStream::connect(("127.0.0.1", server)).expect("the server");
                    for (mut from, mut to) in [
                        (copy_of(&client), copy_of(&server)),
                        (copy_of(&server), copy_of(&client)),
                    ] {
                        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                    }
                }
            }
        });
        Self { port, shut }
    }
}

fn copy_of(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a second handle")
}

#[tokio::test]
async fn a_frozen_server_hangs_and_costs_one_look_its_patience() {
    let db = Db::start(&[]).await;
    let eyes = db_eyes(db.target());
    assert_eq!(
        text(&db_sight(&eyes, "mysql.ping", &[]).await, "state"),
        "ok"
    );
    db.signal("STOP");
    let began = Instant::now();
    let question = one();
    let (ping, query) = tokio::join!(
        db_sight(&eyes, "mysql.ping", &[]),
        db_unseen(&eyes, "mysql.query", &question)
    );
    assert_eq!(text(&ping, "state"), "reply-timeout");
    assert!(truth(&ping, "connected") && !truth(&ping, "greeted"));
    assert!(!truth(&ping, "answers_others"), "{ping:?}");
    assert!(matches!(query, Unseen::TimedOut { .. }), "{query:?}");
    assert!(began.elapsed() < probes_common::LATEST);
    db.signal("CONT");
    let ping = db_sight(&eyes, "mysql.ping", &[]).await;
    assert_eq!(text(&ping, "state"), "ok", "healed without a new start");
    assert_eq!(int(&db_sight(&eyes, "mysql.query", &one()).await, "one"), 1);
}

fn one() -> Vec<(&'static str, ArgValue)> {
    query("SELECT 1 AS one", &[], &[("one", "count")])
}

fn query(
    sql: &str,
    values: &[(&str, ArgValue)],
    columns: &[(&str, &str)],
) -> Vec<(&'static str, ArgValue)> {
    let values: Args = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let columns: IndexMap<_, _> = columns
        .iter()
        .map(|(name, word)| ((*name).to_owned(), word.parse().expect("a column's word")))
        .collect();
    vec![
        ("sql", ArgValue::Text(sql.to_owned())),
        ("params", ArgValue::Values(values)),
        ("columns", ArgValue::Columns(columns)),
    ]
}

#[tokio::test]
async fn a_page_asks_its_own_question() {
    let db = Db::start(&[]).await;
    db.run(&[
        "CREATE TABLE mall.orders (order_no VARCHAR(64), status TINYINT, paid_at DATETIME NULL, total DECIMAL(10,2), note TEXT)",
        "INSERT INTO mall.orders VALUES ('A1', 1, '2026-11-22 03:00:00', 12.50, 'it''s'), ('A2', 0, NULL, 7, NULL)",
    ])
    .await;
    let server = MysqlServer {
        database: Some("mall".to_owned()),
        ..db.target()
    };
    let eyes = db_eyes(server);
    let asked = query(
        "SELECT order_no, status, paid_at, paid_at IS NOT NULL AS paid, total, 0.5 AS share, note \
         FROM orders WHERE order_no = :order_no",
        &[("order_no", ArgValue::Text("A1".to_owned()))],
        &[
            ("order_no", "text"),
            ("status", "count"),
            ("paid_at", "text"),
            ("paid", "yes/no"),
            ("total", "number"),
            ("share", "ratio"),
            ("note", "text"),
        ],
    );
    let seen = db_sight(&eyes, "mysql.query", &asked).await;
    assert_eq!(int(&seen, "row_count"), 1);
    assert_eq!(text(&seen, "paid_at"), "2026-11-22 03:00:00");
    assert!(truth(&seen, "paid"));
    assert!((float(&seen, "total") - 12.5).abs() < 1e-9);
    assert!((float(&seen, "share") - 0.5).abs() < 1e-9);
    assert_eq!(text(&seen, "note"), "it's");

    // A value stays a value.
    let asked = query(
        "SELECT order_no FROM orders WHERE order_no = :order_no",
        &[("order_no", ArgValue::Text("' OR 1=1 -- ".to_owned()))],
        &[("order_no", "text")],
    );
    let seen = db_sight(&eyes, "mysql.query", &asked).await;
    assert_eq!(int(&seen, "row_count"), 0);
    assert!(none(&seen, "order_no"));

    let mut asked = query(
        "SELECT order_no FROM orders ORDER BY order_no",
        &[],
        &[("order_no", "texts")],
    );
    asked.push(("rows", ArgValue::Int(1)));
    let seen = db_sight(&eyes, "mysql.query", &asked).await;
    assert_eq!(seen.facts["order_no"], Value::from(vec!["A1"]));
    assert!(truth(&seen, "truncated"));
}

#[tokio::test]
async fn a_question_can_neither_write_nor_run_for_long() {
    let db = Db::start(&[]).await;
    db.run(&[
        "CREATE TABLE mall.t (a INT)",
        "CREATE FUNCTION mall.sneaky() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO mall.t VALUES (1); RETURN 1; END",
        "GRANT ALL ON mall.* TO handbell@'127.0.0.1'",
    ])
    .await;
    let eyes = db_eyes(db.target());
    let asked = query("SELECT mall.sneaky() AS done", &[], &[("done", "count")]);
    let reason = db_unseen(&eyes, "mysql.query", &asked).await;
    assert!(format!("{reason:?}").contains("1792"), "{reason:?}");

    let mut asked = query(
        "SELECT COUNT(*) AS n FROM information_schema.collations a, information_schema.collations b, information_schema.collations c",
        &[],
        &[("n", "count")],
    );
    asked.push(("max_time", ArgValue::Duration(Duration::from_millis(200))));
    let began = Instant::now();
    // A look with so much time that only `max_time` can be what ends it early.
    let look = Look {
        deadline: Duration::from_secs(20),
        ..db_look("mysql.query", &asked)
    };
    let reason = see_within(&eyes, &look).await;
    assert!(
        format!("{reason:?}").contains("max_statement_time"),
        "{reason:?}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
    // The connection is as good as before.
    assert_eq!(int(&db_sight(&eyes, "mysql.query", &one()).await, "one"), 1);

    let asked = query("SELECT 1 AS one", &[], &[("two", "count")]);
    let reason = db_unseen(&eyes, "mysql.query", &asked).await;
    assert!(
        format!("{reason:?}").contains("no column two"),
        "{reason:?}"
    );
    let asked = query("SELECT 'x' AS one", &[], &[("one", "count")]);
    let reason = db_unseen(&eyes, "mysql.query", &asked).await;
    assert!(
        format!("{reason:?}").contains("is no integer"),
        "{reason:?}"
    );
}
