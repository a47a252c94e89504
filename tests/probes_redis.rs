//! `redis.ping` and the reasons of its sisters, against real servers.

mod probes_common;

use std::time::{Duration, Instant};

use handbell::domain::diagnosis::Unseen;
use probes_common::{
    Redis, at, at_socket, eventually, eyes, float, int, none, sight, targets, text, truth, unseen,
    with_password,
};

const PLANTED: &str = "planted-hunter2-secret";

async fn state(server: handbell::config::RedisServer) -> String {
    let sighting = sight(&eyes(server), "redis.ping", &[]).await;
    text(&sighting, "state").to_owned()
}

#[tokio::test]
async fn a_healthy_server_answers() {
    let redis = Redis::start(&[]);
    let before = written(&redis).await;
    let ping = sight(&eyes(redis.target()), "redis.ping", &[]).await;
    assert_eq!(text(&ping, "state"), "ok");
    assert_eq!(text(&ping, "auth"), "not-configured");
    assert_eq!(text(&ping, "writes"), "ok");
    assert!(truth(&ping, "connected") && truth(&ping, "answered"));
    assert!(float(&ping, "latency_ms") > 0.0 && float(&ping, "connect_ms") > 0.0);
    assert!(ping.evidence.contains("PONG"), "{}", ping.evidence);
    assert_eq!(before, Written::default());
    assert_eq!(written(&redis).await, before, "nothing was written");
}

/// What a server counts of all that was ever written to it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Written {
    keys: i64,
    changes: i64,
    replication_offset: i64,
}

async fn written(redis: &Redis) -> Written {
    let info = sight(&eyes(redis.target()), "redis.info", &[]).await;
    let answer = redis.command(&["INFO", "replication"]).await;
    let text = format!("{answer:?}");
    let offset = text.split("master_repl_offset:").nth(1).unwrap_or_default();
    let digits: String = offset.chars().take_while(char::is_ascii_digit).collect();
    Written {
        keys: int(&info, "keys"),
        changes: int(&info, "rdb_changes_since_last_save"),
        replication_offset: digits.parse().unwrap_or(-1),
    }
}

#[tokio::test]
async fn passwords_are_told_apart() {
    let redis = Redis::start(&["--requirepass", PLANTED]);
    let none = eyes(redis.target());
    let ping = sight(&none, "redis.ping", &[]).await;
    assert_eq!(text(&ping, "state"), "password-required");
    assert_eq!(text(&ping, "auth"), "required");
    assert_eq!(unseen(&none, "redis.info").await, Unseen::PasswordRequired);

    let wrong = eyes(with_password(redis.target(), &redis.dir, "not-the-one"));
    let ping = sight(&wrong, "redis.ping", &[]).await;
    assert_eq!(text(&ping, "state"), "wrong-password");
    assert_eq!(text(&ping, "auth"), "refused");
    assert_eq!(unseen(&wrong, "redis.info").await, Unseen::WrongPassword);
    assert!(!format!("{ping:?}").contains("not-the-one"));

    let right = eyes(with_password(redis.target(), &redis.dir, PLANTED));
    let ping = sight(&right, "redis.ping", &[]).await;
    assert_eq!(
        (text(&ping, "state"), text(&ping, "auth")),
        ("ok", "accepted")
    );
    for probe in ["redis.config", "redis.clients", "redis.slowlog"] {
        let seen = sight(&right, probe, &[]).await;
        assert!(
            !format!("{seen:?}").contains(PLANTED),
            "{probe} shows the password"
        );
    }
    assert!(truth(
        &sight(&right, "redis.config", &[]).await,
        "password_set"
    ));
}

#[tokio::test]
async fn a_password_that_nobody_wants_is_said() {
    let redis = Redis::start(&[]);
    let eyes = eyes(with_password(redis.target(), &redis.dir, PLANTED));
    let ping = sight(&eyes, "redis.ping", &[]).await;
    assert_eq!(
        (text(&ping, "state"), text(&ping, "auth")),
        ("ok", "not-wanted")
    );
    sight(&eyes, "redis.info", &[]).await;
}

#[tokio::test]
async fn a_user_without_the_right_is_told_so() {
    let redis = Redis::start(&[]);
    redis
        .command(&[
            "ACL",
            "SETUSER",
            "watcher",
            "on",
            ">watch-me",
            "~*",
            "+ping",
        ])
        .await
        .expect("a user");
    let mut server = with_password(redis.target(), &redis.dir, "watch-me");
    server.username = Some("watcher".to_owned());
    let eyes = eyes(server);
    let ping = sight(&eyes, "redis.ping", &[]).await;
    assert_eq!(
        (text(&ping, "state"), text(&ping, "writes")),
        ("ok", "forbidden")
    );
    for probe in [
        "redis.info",
        "redis.config",
        "redis.slowlog",
        "redis.latency",
        "redis.locks",
        "redis.keys",
        "redis.clients",
    ] {
        let reason = unseen(&eyes, probe).await;
        assert!(
            matches!(reason, Unseen::Forbidden { .. }),
            "{probe}: {reason:?}"
        );
    }
    redis
        .command(&["ACL", "SETUSER", "watcher", "-ping"])
        .await
        .expect("a change");
    assert_eq!(
        text(&sight(&eyes, "redis.ping", &[]).await, "state"),
        "forbidden"
    );
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_unknown_and_names_its_place() {
    let redis = Redis::start(&[]);
    let mut server = with_password(redis.target(), &redis.dir, PLANTED);
    let path = redis.dir.path().join("gone.password");
    server.password = Some(handbell::config::Secret::File { path });
    let reason = unseen(&eyes(server), "redis.ping").await;
    assert!(matches!(&reason, Unseen::Secret { detail } if detail.contains("gone.password")));
}

#[tokio::test]
async fn max_clients_is_seen_by_a_new_client_and_explained_over_the_kept_one() {
    let redis = Redis::start(&["--maxclients", "4"]);
    let eyes = eyes(redis.target());
    sight(&eyes, "redis.info", &[]).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(std::net::TcpStream::connect(("127.0.0.1", redis.port)).expect("a connection"));
    }
    for _ in 0..20 {
        let ping = sight(&eyes, "redis.ping", &[]).await;
        assert_eq!(text(&ping, "state"), "max-clients", "{}", ping.evidence);
    }
    let info = sight(&eyes, "redis.info", &[]).await;
    assert_eq!(int(&info, "maxclients"), 4);
    assert!(float(&info, "clients_percent") >= 100.0);
    assert!(int(&info, "rejected_connections") > 0);
    let cold = probes_common::eyes(redis.target());
    let reason = unseen(&cold, "redis.info").await;
    assert!(
        matches!(&reason, Unseen::ServerSaid { detail } if detail.contains("max number of clients")),
        "{reason:?}"
    );
}

#[tokio::test]
async fn writes_refused_for_want_of_memory_are_seen_without_writing() {
    let redis = Redis::start(&["--maxmemory-policy", "noeviction"]);
    redis
        .command(&["SET", "filler", &"x".repeat(3 << 20)])
        .await
        .expect("a write");
    redis
        .command(&["CONFIG", "SET", "maxmemory", "2mb"])
        .await
        .expect("a setting");
    let refused = redis.command(&["SET", "one", "more"]).await;
    assert!(format!("{refused:?}").contains("OOM"), "{refused:?}");
    let eyes = eyes(redis.target());
    let ping = sight(&eyes, "redis.ping", &[]).await;
    assert_eq!(
        (text(&ping, "state"), text(&ping, "writes")),
        ("oom", "oom")
    );
    assert!(
        text(&ping, "detail").starts_with("OOM"),
        "{}",
        text(&ping, "detail")
    );
    let info = sight(&eyes, "redis.info", &[]).await;
    assert!(float(&info, "memory_percent") > 95.0);
    assert!(!truth(&info, "eviction_possible"));
    assert!(int(&info, "errors_oom") > 0);
    assert_eq!(text(&info, "maxmemory_policy"), "noeviction");
}

#[tokio::test]
async fn a_failed_save_is_misconf() {
    let redis = Redis::start(&["--save", "3600 1"]);
    redis.command(&["SET", "a", "b"]).await.expect("a write");
    redis
        .command(&["CONFIG", "SET", "rdbcompression", "no"])
        .await
        .expect("a setting");
    // The directory goes away under the server, so that the save must fail, for root too.
    let gone = redis.dir.path().join("gone");
    std::fs::create_dir(&gone).expect("a directory");
    redis
        .command(&["CONFIG", "SET", "dir", &gone.display().to_string()])
        .await
        .expect("a setting");
    std::fs::remove_dir(&gone).expect("to remove it");
    redis.command(&["BGSAVE"]).await.expect("a save");
    let eyes = eyes(redis.target());
    let began = Instant::now();
    loop {
        let ping = sight(&eyes, "redis.ping", &[]).await;
        if text(&ping, "state") == "misconf" {
            assert!(text(&ping, "detail").starts_with("MISCONF"));
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", ping.facts);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let info = sight(&eyes, "redis.info", &[]).await;
    assert!(!truth(&info, "rdb_last_bgsave_ok") && !truth(&info, "persistence_ok"));
    assert!(truth(
        &sight(&eyes, "redis.config", &[]).await,
        "stop_writes_on_bgsave_error"
    ));
}

#[tokio::test]
async fn a_replica_is_readonly_and_a_lost_master_is_said() {
    let master = Redis::start(&[]);
    let port = master.port.to_string();
    let replica = Redis::start(&["--replicaof", "127.0.0.1", &port]);
    let eyes = eyes(replica.target());
    let ping = sight(&eyes, "redis.ping", &[]).await;
    assert_eq!(
        (text(&ping, "state"), text(&ping, "writes")),
        ("readonly", "readonly")
    );
    let began = Instant::now();
    loop {
        let info = sight(&eyes, "redis.info", &[]).await;
        assert_eq!(text(&info, "role"), "replica");
        if text(&info, "master_link_status") == "up" {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let told = sight(&probes_common::eyes(master.target()), "redis.info", &[]).await;
    assert_eq!(int(&told, "replicas_connected"), 1);
    assert!(none(&told, "master_link_status"));
    drop(master);
    let info = eventually(
        async || sight(&eyes, "redis.info", &[]).await,
        |info| {
            text(info, "master_link_status") == "down"
                && int(info, "master_link_down_since_seconds") >= 0
        },
    )
    .await;
    assert_eq!(text(&info, "master_link_status"), "down");
    assert!(int(&info, "master_link_down_since_seconds") >= 0);
    replica
        .command(&["CONFIG", "SET", "replica-serve-stale-data", "no"])
        .await
        .expect("a setting");
    assert_eq!(state(replica.target()).await, "masterdown");
}

#[tokio::test]
async fn a_dataset_that_is_being_loaded_is_told_with_its_progress() {
    let first = Redis::start(&[]);
    first
        .command(&["DEBUG", "POPULATE", "30000"])
        .await
        .expect("keys");
    first.command(&["SAVE"]).await.expect("a save");
    let dump = std::fs::read(first.dir.path().join("dump.rdb")).expect("the dump");
    drop(first);
    let dir = tempfile::TempDir::new().expect("a directory");
    std::fs::write(dir.path().join("dump.rdb"), dump).expect("the dump");
    // Microseconds after each key, and as often as possible a look at the network.
    let redis = Redis::spawn_in(
        dir,
        &[
            "--key-load-delay",
            "200",
            "--loading-process-events-interval-bytes",
            "1024",
        ],
    );
    let eyes = eyes(redis.target());
    let began = Instant::now();
    let ping = loop {
        let ping = sight(&eyes, "redis.ping", &[]).await;
        if text(&ping, "state") == "loading" {
            break ping;
        }
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", ping.facts);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(float(&ping, "loading_percent") < 100.0);
    let info = sight(&eyes, "redis.info", &[]).await;
    assert!(truth(&info, "loading") && int(&info, "loading_eta_seconds") >= 0);
    let reason = unseen(&eyes, "redis.keys").await;
    assert!(matches!(&reason, Unseen::ServerSaid { detail } if detail.starts_with("LOADING")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_does_not_end_is_busy() {
    let redis = Redis::start(&["--busy-reply-threshold", "100"]);
    let mut client = redis.client("").await;
    let script = tokio::spawn(async move {
        let mut eval = redis::cmd("EVAL");
        eval.arg("while true do end").arg(0);
        let _: redis::RedisResult<()> = eval.query_async(&mut client).await;
    });
    let eyes = eyes(redis.target());
    let ping = eventually(
        async || sight(&eyes, "redis.ping", &[]).await,
        |ping| text(ping, "state") == "busy",
    )
    .await;
    assert_eq!(text(&ping, "state"), "busy");
    assert!(matches!(
        unseen(&eyes, "redis.info").await,
        Unseen::ServerSaid { .. }
    ));
    script.abort();
}

#[tokio::test]
async fn a_stopped_process_is_told_and_costs_the_next_look_nothing() {
    let redis = Redis::start(&[]);
    let eyes = eyes(redis.target());
    sight(&eyes, "redis.info", &[]).await;
    redis.signal("STOP");
    let began = Instant::now();
    let (ping, info) = tokio::join!(sight(&eyes, "redis.ping", &[]), unseen(&eyes, "redis.info"));
    assert_eq!(text(&ping, "state"), "reply-timeout");
    assert!(truth(&ping, "connected") && !truth(&ping, "answered"));
    assert!(matches!(info, Unseen::TimedOut { .. }), "{info:?}");
    assert!(
        began.elapsed() < probes_common::LATEST,
        "the probe must end before its deadline"
    );
    redis.signal("CONT");
    let began = Instant::now();
    assert_eq!(text(&sight(&eyes, "redis.ping", &[]).await, "state"), "ok");
    sight(&eyes, "redis.info", &[]).await;
    // Less than it takes to wait for an answer that does not come.
    assert!(began.elapsed() < Duration::from_millis(1_500));
}

#[tokio::test]
async fn a_kept_connection_that_was_cut_is_replaced_in_silence() {
    let redis = Redis::start(&[]);
    let eyes = eyes(redis.target());
    sight(&eyes, "redis.info", &[]).await;
    redis
        .command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
        .await
        .expect("a cut");
    sight(&eyes, "redis.info", &[]).await;
    let kept = || async {
        let list = redis.command(&["CLIENT", "LIST"]).await.expect("a list");
        format!("{list:?}").matches("name=handbell").count()
    };
    for _ in 0..5 {
        sight(&eyes, "redis.info", &[]).await;
        sight(&eyes, "redis.clients", &[]).await;
    }
    assert_eq!(kept().await, 1, "one connection is kept");
    drop(eyes);
    assert_eq!(
        eventually(kept, |kept| *kept == 0).await,
        0,
        "none is left behind"
    );
}

#[tokio::test]
async fn sockets_are_told_apart() {
    let dir = tempfile::TempDir::new().expect("a directory");
    let missing = at_socket(dir.path().join("none.sock"));
    assert_eq!(state(missing.clone()).await, "socket-missing");
    assert!(matches!(
        unseen(&eyes(missing), "redis.info").await,
        Unseen::NoSuchPath { .. }
    ));

    let path = dir.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
    assert_eq!(state(at_socket(&path)).await, "refused");

    let socket = dir.path().join("redis.sock");
    let redis = Redis::start(&["--unixsocket", &socket.display().to_string()]);
    assert_eq!(state(at_socket(&socket)).await, "ok");
    drop(redis);
}

#[tokio::test]
async fn many_looks_at_once_share_one_connection() {
    let redis = Redis::start(&[]);
    let eyes = eyes(redis.target());
    let began = Instant::now();
    let probes = [
        "redis.ping",
        "redis.info",
        "redis.config",
        "redis.slowlog",
        "redis.latency",
        "redis.locks",
        "redis.keys",
        "redis.clients",
    ];
    let all = probes.map(|probe| sight(&eyes, probe, &[]));
    let seen = futures_util::future::join_all(all).await;
    println!("eight looks at a cold server: {:?}", began.elapsed());
    assert!(seen.iter().all(|sighting| !sighting.evidence.is_empty()));
    let stats = sight(&eyes, "redis.info", &[]).await;
    assert!(int(&stats, "connected_clients") <= 2);
}

#[tokio::test]
async fn an_unknown_target_is_said() {
    let mut question = probes_common::look("redis.ping", &[]);
    question.target = "elsewhere".parse().expect("an id");
    let probes = handbell::probes::Probes::new(targets(at("127.0.0.1", 1)));
    let seen = handbell::app::Prober::look(&probes, &question).await;
    assert!(format!("{seen:?}").contains("elsewhere"));
}
