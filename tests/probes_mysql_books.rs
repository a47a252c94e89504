//! The books of a real MariaDB: slow statements wherever they are kept, and settings that changed.

mod probes_common;

use futures_util::future::join_all;
use handbell::{
    app::Prober as _,
    domain::{
        diagnosis::{Compared, Sighting},
        handbook::ArgValue,
    },
    probes::catalog,
};
use probes_common::{
    float, int,
    mysql::{Db, db_eyes, db_sight, run},
    none, text, truth,
};

/// A fast statement and one that is slow, of the same kind.
const FAST: &str = "SELECT BENCHMARK(1, SHA2('a', 256)) FROM mall.stock";
const SLOW: &str = "SELECT BENCHMARK(1000000, SHA2('a', 256)) FROM mall.stock";

async fn slow(db: &Db) -> Sighting {
    let args = [
        ("slower_than", ArgValue::Int(100)),
        ("sample", ArgValue::Int(50)),
    ];
    db_sight(&db_eyes(db.target()), "mysql.slowlog", &args).await
}

async fn shop(settings: &[&str]) -> Db {
    let db = Db::start(settings).await;
    db.run(&[
        "CREATE TABLE mall.stock (id INT PRIMARY KEY)",
        "INSERT INTO mall.stock VALUES (1), (2)",
    ])
    .await;
    db
}

/// Many fast ones before the slow one: on average over all time the kind is fast.
async fn becomes_slow(db: &Db) {
    let mut client = db.client().await;
    for _ in 0..200 {
        run(&mut client, FAST).await;
    }
    run(&mut client, SLOW).await;
}

fn is_told(seen: &Sighting, source: &str) {
    assert_eq!(text(seen, "source"), source, "{}", seen.evidence);
    // On a busy machine filling the table may be slow, too.
    let kinds = int(seen, "recent_kinds");
    assert!((1..=2).contains(&kinds), "{}", seen.evidence);
    let statement = text(seen, "top_statement");
    assert!(statement.contains("BENCHMARK"), "{statement}");
    assert!(!statement.contains("1000000"), "{statement}");
    assert!(float(seen, "top_average_ms") >= 100.0);
    assert!(float(seen, "top_worst_ms") >= float(seen, "top_average_ms") - 0.01);
    assert!(int(seen, "top_count") >= 1 && int(seen, "top_seconds_ago") < 60);
}

#[tokio::test]
async fn a_statement_that_has_become_slow_is_told_from_the_log() {
    for (output, source) in [("TABLE", "table"), ("FILE", "file")] {
        let settings = [
            "--slow-query-log=ON",
            "--performance-schema=ON",
            &format!("--log-output={output}"),
        ];
        let db = shop(&settings).await;
        db.run(&["SET GLOBAL long_query_time = 0.1"]).await;
        becomes_slow(&db).await;
        let seen = slow(&db).await;
        is_told(&seen, source);
        assert_eq!(text(&seen, "log_output"), output);
        assert!(truth(&seen, "log_on") && int(&seen, "slow_since_start") >= 1);
        assert!((float(&seen, "long_query_seconds") - 0.1).abs() < 1e-6);
    }
}

/// What a machine that stands still for a moment makes of its statements is no statement that is slow again and again.
#[tokio::test]
async fn slow_at_the_same_time_is_slow_once_and_one_after_the_other_is_each_time() {
    const REPORT: &str = "SELECT SLEEP(1.2) FROM mall.stock WHERE id = 1";
    for output in ["TABLE", "FILE"] {
        let db = shop(&[
            "--slow-query-log=ON",
            &format!("--log-output={output}"),
            "--long-query-time=0.1",
        ])
        .await;
        let mut clients = Vec::new();
        for _ in 0..5 {
            clients.push(db.client().await);
        }
        join_all(clients.iter_mut().map(|client| run(client, REPORT))).await;
        let seen = slow(&db).await;
        assert_eq!(int(&seen, "top_count"), 5, "{}", seen.evidence);
        // The file tells whole seconds: what began in the next one may seem to come after.
        let at_once = int(&seen, "top_turns");
        assert!((1..=2).contains(&at_once), "{output}: {at_once}");
        for _ in 0..4 {
            run(&mut clients[0], REPORT).await;
        }
        let seen = slow(&db).await;
        assert_eq!(int(&seen, "top_count"), 9, "{}", seen.evidence);
        let turns = int(&seen, "top_turns");
        // The table tells when a statement ended: one that the machine held up seems to reach into the next.
        assert!((3..=6).contains(&turns), "{output}: {turns}");
    }
}

#[tokio::test]
async fn a_statement_that_has_become_slow_is_told_from_the_history() {
    let db = shop(&[
        "--performance-schema=ON",
        "--performance-schema-consumer-events-statements-history-long=ON",
        "--performance-schema-consumer-events-statements-history=ON",
        "--performance-schema-consumer-events-statements-current=ON",
    ])
    .await;
    let mut client = db.client().await;
    run(&mut client, SLOW).await;
    let seen = slow(&db).await;
    is_told(&seen, "history");
    assert_eq!(int(&seen, "top_turns"), 1, "{}", seen.evidence);
}

#[tokio::test]
async fn without_a_log_and_a_history_the_digests_tell_what_they_can() {
    let db = shop(&["--performance-schema=ON"]).await;
    let mut client = db.client().await;
    run(&mut client, SLOW).await;
    let seen = slow(&db).await;
    is_told(&seen, "digests");
    assert!(none(&seen, "top_turns"), "{}", seen.evidence);

    let bare = shop(&[]).await;
    becomes_slow(&bare).await;
    let seen = slow(&bare).await;
    assert_eq!(text(&seen, "source"), "none");
    assert!(none(&seen, "top_statement") && int(&seen, "recent_kinds") == 0);
    assert!(float(&seen, "slow_per_second") >= 0.0);
}

#[tokio::test]
async fn a_variable_that_has_changed_differs_and_all_are_compared() {
    let db = shop(&[]).await;
    let eyes = db_eyes(db.target());
    let before = db_sight(&eyes, "mysql.variables", &[]).await;
    db.run(&["SET GLOBAL max_connections = 33, GLOBAL innodb_flush_log_at_trx_commit = 2"])
        .await;
    let after = db_sight(&eyes, "mysql.variables", &[]).await;
    let spec = eyes.catalog().get("mysql.variables").expect("the probe");
    let changed: Vec<&str> = spec
        .facts
        .iter()
        .filter(|fact| matches!(fact.compared, Compared::Setting))
        .map(|fact| fact.name)
        .filter(|name| before.facts[*name] != after.facts[*name])
        .collect();
    assert_eq!(changed, ["max_connections", "flush_log_at_trx_commit"]);
    for (probe, facts) in [
        ("mysql.ping", &["version", "server_id", "read_only"][..]),
        ("nginx.upstreams", &["places"]),
        ("tls.certificate", &["serial", "issuer", "ends"]),
        ("dns.lookup", &["addresses"]),
        (
            "host.resources",
            &["cpus", "memory_total_bytes", "swap_total_bytes"],
        ),
        ("miniprogram.config", &["base_url"]),
        ("docker.container", &["image", "image_id"]),
        ("wechatpay.ready", &["mode", "certificate_ends", "signer"]),
    ] {
        let spec = catalog().get(probe).expect("the probe");
        for name in facts {
            let fact = spec.facts.iter().find(|fact| fact.name == *name);
            let fact = fact.unwrap_or_else(|| panic!("{probe} has no {name}"));
            assert!(matches!(fact.compared, Compared::Setting), "{probe} {name}");
        }
    }
}
