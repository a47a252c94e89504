//! What the other probes of Redis tell, against real servers.

mod probes_common;

use std::time::{Duration, Instant};

use handbell::{
    domain::{
        diagnosis::{ArgType, ProbeSpec, Value},
        handbook::ArgValue,
    },
    probes::{Probes, SPECS},
};
use probes_common::{Redis, eyes, float, int, none, sight, targets, text, truth};

#[tokio::test]
async fn evicting_now_is_told_from_having_evicted_once() {
    let redis = Redis::start(&["--maxmemory-policy", "allkeys-lru"]);
    redis
        .command(&["DEBUG", "POPULATE", "20000", "filler", "200"])
        .await
        .expect("keys");
    let eyes = eyes(redis.target());
    let calm = sight(&eyes, "redis.info", &[]).await;
    assert_eq!(
        (int(&calm, "evicted_keys"), int(&calm, "rate_window_ms")),
        (0, 0)
    );
    redis
        .command(&["CONFIG", "SET", "maxmemory", "5mb"])
        .await
        .expect("a setting");
    let mut writer = redis.client("").await;
    let writing = tokio::spawn(async move {
        for n in 0_u32.. {
            let mut set = redis::cmd("SET");
            set.arg(format!("new:{n}")).arg("x".repeat(500));
            if set.query_async::<()>(&mut writer).await.is_err() {
                break;
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let busy = sight(&eyes, "redis.info", &[]).await;
    assert!(
        float(&busy, "evictions_per_second") > 50.0,
        "{:?}",
        busy.facts
    );
    assert!(int(&busy, "rate_window_ms") >= 100 && truth(&busy, "eviction_possible"));
    writing.abort();
    // Somebody who writes a little, and pauses for longer than one window.
    let mut writer = redis.client("").await;
    let writing = tokio::spawn(async move {
        for n in 0_u32.. {
            let mut set = redis::cmd("SET");
            set.arg(format!("burst:{n}")).arg("x".repeat(500));
            if set.query_async::<()>(&mut writer).await.is_err() {
                break;
            }
            if n % 40 == 39 {
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
        }
    });
    for _ in 0..5 {
        let bursts = sight(&eyes, "redis.info", &[]).await;
        assert!(
            float(&bursts, "evictions_per_second") > 50.0,
            "{:?}",
            bursts.facts
        );
    }
    writing.abort();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let after = sight(&eyes, "redis.info", &[]).await;
    assert!(int(&after, "evicted_keys") > 0);
    assert!(
        float(&after, "evictions_per_second").abs() < f64::EPSILON,
        "{:?}",
        after.facts
    );
}

#[tokio::test]
async fn info_tells_memory_clients_keys_and_errors() {
    let redis = Redis::start(&["--maxmemory", "100mb"]);
    redis.command(&["SET", "a", "1"]).await.expect("a write");
    redis
        .command(&["SET", "b", "1", "EX", "100"])
        .await
        .expect("a write");
    let _ = redis.command(&["GET", "a"]).await;
    let _ = redis.command(&["GET", "nothing"]).await;
    let _ = redis.command(&["LPUSH", "a", "wrong type"]).await;
    let info = sight(&eyes(redis.target()), "redis.info", &[]).await;
    assert!(text(&info, "version").starts_with(char::is_numeric));
    assert_eq!(
        (text(&info, "role"), text(&info, "mode")),
        ("master", "standalone")
    );
    assert_eq!((int(&info, "keys"), int(&info, "keys_with_expiry")), (2, 1));
    assert!((float(&info, "keys_without_expiry_percent") - 50.0).abs() < 0.01);
    assert!(
        (float(&info, "hit_percent") - 50.0).abs() < 0.01,
        "{:?}",
        info.facts["hit_percent"]
    );
    assert!(float(&info, "memory_percent") > 0.0 && float(&info, "memory_percent") < 50.0);
    assert_eq!(int(&info, "maxclients"), 10_000);
    assert_eq!(int(&info, "process_id"), i64::from(redis.pid()));
    assert!(
        info.facts["errors_top"].to_string().contains("WRONGTYPE 1"),
        "{:?}",
        info.facts
    );
    assert!(
        int(&info, "used_memory_rss_bytes") > 0 && float(&info, "mem_fragmentation_ratio") > 0.0
    );
    assert!(int(&info, "rdb_changes_since_last_save") == 2 && truth(&info, "persistence_ok"));
    assert!(none(&info, "replica_lag_bytes") && none(&info, "loading_percent"));
}

#[tokio::test]
async fn slow_commands_are_told_by_name_and_key_only() {
    let redis = Redis::start(&[
        "--slowlog-log-slower-than",
        "0",
        "--slowlog-max-len",
        "1000",
    ]);
    let eyes = eyes(redis.target());
    redis
        .command(&["SET", "customer:4711", "planted-secret-value"])
        .await
        .expect("a write");
    redis
        .command(&["DEBUG", "SLEEP", "0.15"])
        .await
        .expect("a pause");
    redis
        .command(&["EVAL", "return 'planted-script'", "1", "my-key"])
        .await
        .expect("a script");
    let args = [
        ("slower_than", ArgValue::Int(100)),
        ("within", ArgValue::Duration(Duration::from_mins(1))),
    ];
    let seen = sight(&eyes, "redis.slowlog", &args).await;
    println!("{}", seen.evidence);
    assert!(float(&seen, "worst_ms") >= 150.0);
    assert_eq!(text(&seen, "worst_command"), "DEBUG SLEEP");
    assert_eq!(
        (int(&seen, "slow_count"), int(&seen, "threshold_us")),
        (1, 0)
    );
    assert!(int(&seen, "recent_count") >= 3 && int(&seen, "last_seconds_ago") < 10);
    assert_eq!(text(&seen, "busiest_command"), "DEBUG");
    assert!(text(&seen, "recent_worst_client").starts_with("127.0.0.1:"));
    let seen = sight(&eyes, "redis.slowlog", &[("count", ArgValue::Int(1_000))]).await;
    assert!(!format!("{seen:?}").contains("planted"), "{seen:?}");
}

#[tokio::test]
async fn the_latency_monitor_is_told_on_and_off() {
    let redis = Redis::start(&[]);
    let eyes = eyes(redis.target());
    let off = sight(&eyes, "redis.latency", &[]).await;
    assert_eq!(
        (off.facts["monitor_on"].clone(), int(&off, "events")),
        (Value::Bool(false), 0)
    );
    redis
        .command(&["CONFIG", "SET", "latency-monitor-threshold", "50"])
        .await
        .expect("a setting");
    redis
        .command(&["DEBUG", "SLEEP", "0.12"])
        .await
        .expect("a pause");
    let on = sight(&eyes, "redis.latency", &[]).await;
    assert_eq!(on.facts["monitor_on"], Value::Bool(true));
    assert!(
        int(&on, "recent_count") >= 1 && int(&on, "recent_worst_ms") >= 120,
        "{:?}",
        on.facts
    );
    assert_eq!(text(&on, "worst_event"), "command");
}

#[tokio::test]
async fn keys_are_sampled_and_grouped() {
    let redis = Redis::start(&[]);
    for n in 0..150 {
        redis
            .command(&["SET", &format!("user:{n}:cart"), "x"])
            .await
            .expect("a write");
    }
    redis
        .command(&["SET", "session-0f9a-77b2", "x", "EX", "1000"])
        .await
        .expect("a write");
    redis
        .command(&["SET", "report", &"x".repeat(200_000)])
        .await
        .expect("a write");
    let eyes = eyes(redis.target());
    let all = sight(&eyes, "redis.keys", &[("sample", ArgValue::Int(500))]).await;
    println!("{}", all.evidence);
    assert_eq!(
        (
            int(&all, "keys"),
            int(&all, "sampled"),
            truth(&all, "complete")
        ),
        (152, 152, true)
    );
    assert_eq!(int(&all, "without_expiry"), 151);
    assert_eq!(
        (text(&all, "biggest_key"), text(&all, "biggest_type")),
        ("report", "string")
    );
    assert!(int(&all, "biggest_bytes") > 200_000);
    let prefixes = all.facts["prefixes"].to_string();
    assert!(
        prefixes.contains("user:*:cart: 150 keys") && prefixes.contains("session-*"),
        "{prefixes}"
    );
    let some = sight(&eyes, "redis.keys", &[("sample", ArgValue::Int(20))]).await;
    assert!(int(&some, "sampled") <= 20 && !truth(&some, "complete"));
}

#[tokio::test]
async fn locks_that_stay_are_told_from_locks_that_are_in_use() {
    let redis = Redis::start(&[]);
    for command in [
        &["SET", "stock:lock:1", "a"][..],
        &["SET", "stock:lock:2", "b", "EX", "3600"],
        &["SET", "stock:lock:3", "c", "EX", "10"],
        &["SET", "stock:lock:4", "d", "PX", "120"],
        &["HSET", "stock:lock:5", "owner", "e"],
        &["SET", "user:1", "x"],
    ] {
        redis.command(command).await.expect("a write");
    }
    let eyes = eyes(redis.target());
    let args = [("match", ArgValue::Text("stock:lock:*".to_owned()))];
    let seen = sight(&eyes, "redis.locks", &args).await;
    println!("{}", seen.evidence);
    assert_eq!((int(&seen, "locks"), int(&seen, "held")), (5, 4));
    assert!(truth(&seen, "complete"));
    assert_eq!(
        (
            int(&seen, "without_expiry"),
            int(&seen, "held_without_expiry")
        ),
        (2, 2)
    );
    assert!(text(&seen, "stuck_key").starts_with("stock:lock:"));
    assert_eq!(int(&seen, "held_long_expiry"), 1);
    assert_eq!(text(&seen, "long_key"), "stock:lock:2");
    assert!(int(&seen, "long_key_expires_in_seconds") > 3_500);
    assert!(
        !seen.evidence.contains("= a") && !seen.facts["held_keys"].to_string().contains("token")
    );
    let none = [("match", ArgValue::Text("no:such:*".to_owned()))];
    let none = sight(&eyes, "redis.locks", &none).await;
    assert_eq!((int(&none, "locks"), int(&none, "held")), (0, 0));
}

#[tokio::test]
async fn clients_are_counted_by_who_they_are() {
    let redis = Redis::start(&[]);
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut client = redis.client("").await;
        redis::cmd("CLIENT")
            .arg("SETNAME")
            .arg("backend")
            .query_async::<()>(&mut client)
            .await
            .expect("a name");
        held.push(client);
    }
    let mut waiting = redis.client("").await;
    let blocked = tokio::spawn(async move {
        let _: redis::RedisResult<()> = redis::cmd("BLPOP")
            .arg("queue")
            .arg(30)
            .query_async(&mut waiting)
            .await;
    });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let args = [("idle", ArgValue::Duration(Duration::from_secs(1)))];
    let seen = sight(&eyes(redis.target()), "redis.clients", &args).await;
    println!("{}\n{:?}", seen.evidence, seen.facts);
    assert_eq!(
        (text(&seen, "top_name"), int(&seen, "top_name_count")),
        ("backend", 5)
    );
    assert_eq!(
        (text(&seen, "top_address"), int(&seen, "clients")),
        ("127.0.0.1", 6)
    );
    assert_eq!(int(&seen, "blocked_count"), 1);
    assert_eq!(int(&seen, "idle_count"), 5);
    assert!(!truth(&seen, "truncated"));
    blocked.abort();
}

#[tokio::test]
async fn settings_are_told() {
    let redis = Redis::start(&[
        "--maxmemory",
        "64mb",
        "--maxmemory-policy",
        "allkeys-lfu",
        "--appendonly",
        "yes",
    ]);
    redis
        .command(&["CONFIG", "SET", "save", "3600 1 300 100"])
        .await
        .expect("a setting");
    let seen = sight(&eyes(redis.target()), "redis.config", &[]).await;
    assert_eq!(int(&seen, "maxmemory_bytes"), 64 << 20);
    assert_eq!(text(&seen, "maxmemory_policy"), "allkeys-lfu");
    assert!(
        truth(&seen, "appendonly") && truth(&seen, "rdb_enabled") && truth(&seen, "persistent")
    );
    assert_eq!(
        seen.facts["save"].to_string(),
        "1 changes in 3600 s, 100 changes in 300 s"
    );
    assert!(!truth(&seen, "password_set") && !truth(&seen, "open_to_all"));
    assert_eq!(seen.facts["bind"].to_string(), "127.0.0.1");
}

#[tokio::test]
async fn a_whole_cold_diagnosis_is_quick() {
    let redis = Redis::start(&[]);
    let began = Instant::now();
    let eyes = Probes::new(targets(redis.target()));
    for probe in ["redis.ping", "redis.info", "redis.slowlog"] {
        let one = Instant::now();
        sight(&eyes, probe, &[]).await;
        println!("{probe}: {:?}", one.elapsed());
    }
    assert!(
        began.elapsed() < Duration::from_millis(2_500),
        "{:?}",
        began.elapsed()
    );
}

fn check(spec: &ProbeSpec) -> Vec<String> {
    let mut wrong = Vec::new();
    let snake = |name: &str| {
        name.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let made = spec.per_key.map_or(&[][..], |per_key| per_key.facts);
    let names: Vec<&str> = spec
        .facts
        .iter()
        .chain(made)
        .map(|fact| fact.name)
        .collect();
    for (n, name) in names.iter().enumerate() {
        if !snake(name) || names[..n].contains(name) {
            wrong.push(format!("{}: the name {name}", spec.name));
        }
    }
    for fact in spec.facts.iter().chain(made) {
        if fact.meaning.is_empty() || fact.meaning.contains('\n') {
            wrong.push(format!("{}: the meaning of {}", spec.name, fact.name));
        }
    }
    for arg in spec.args {
        let fits = match (arg.kind, arg.default) {
            (ArgType::Int, Some(text)) => text.parse::<i64>().is_ok_and(|number| {
                arg.range
                    .is_none_or(|(least, most)| (least..=most).contains(&number))
            }),
            (ArgType::Duration, Some(text)) => text.parse::<jiff::SignedDuration>().is_ok(),
            // Without a default, the page must give it.
            (ArgType::Int | ArgType::Duration, None) => false,
            (ArgType::Patterns, given) => given.is_none(),
            _ => true,
        };
        if !fits {
            wrong.push(format!("{}: the default of {}", spec.name, arg.name));
        }
    }
    wrong
}

#[test]
fn every_probe_declares_itself_soundly() {
    let wrong: Vec<String> = SPECS.iter().flat_map(|spec| check(spec)).collect();
    assert_eq!(wrong, Vec::<String>::new());
}
