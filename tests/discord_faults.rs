//! Discord fails in every way that it fails, and nothing is lost nor said twice.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Bot, Hung, PATIENCE, Redis, Sandbox, Setup, person::text};

/// Waits for the interaction's acknowledgement; how long it took.
async fn acknowledged(sandbox: &Sandbox, interaction: &Value) -> Duration {
    let id = interaction["id"].as_str().unwrap();
    let end = Instant::now() + PATIENCE;
    loop {
        let now = sandbox.get(&format!("/interactions/{id}")).await;
        if let Some(ms) = now["acknowledged_after_ms"].as_u64() {
            return Duration::from_millis(ms);
        }
        assert_ne!(now["state"], "failed", "{now}");
        assert!(Instant::now() < end, "never acknowledged: {now}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn reports(seen: &[Value]) -> usize {
    seen.iter()
        .filter(|message| text(message).contains("record "))
        .count()
}

#[tokio::test]
async fn storms_errors_and_cut_connections_delay_a_report_and_never_lose_or_repeat_it() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    let alice = sandbox.person("alice");
    let edit = "/messages/@original$";
    let callback = "/callback$";
    let faults = [
        json!({"kind": "rate_limit", "method": "PATCH", "route": edit, "times": 3, "retry_after_ms": 700}),
        json!({"kind": "rate_limit", "method": "PATCH", "route": edit, "times": 2, "retry_after_ms": 500, "global": true, "scope": "global"}),
        json!({"kind": "server_error", "method": "PATCH", "route": edit, "times": 3, "status": 502}),
        json!({"kind": "server_error", "method": "PATCH", "route": edit, "times": 1, "status": 500}),
        json!({"kind": "lost_answer", "method": "PATCH", "route": edit, "times": 1}),
        json!({"kind": "cut", "method": "PATCH", "route": edit, "times": 2}),
        json!({"kind": "slow", "method": "PATCH", "route": edit, "times": 1, "delay_ms": 1500}),
        json!({"kind": "server_error", "method": "POST", "route": callback, "times": 1, "status": 503}),
        json!({"kind": "lost_answer", "method": "POST", "route": callback, "times": 1}),
        json!({"kind": "cut", "method": "POST", "route": callback, "times": 1}),
    ];
    for (n, fault) in faults.iter().enumerate() {
        sandbox.fault(fault.clone()).await;
        let asked = alice.types("diagnose redis").await;
        let waited = acknowledged(&sandbox, &asked).await;
        assert!(
            waited < Duration::from_secs(1),
            "{fault}: acknowledged after {waited:?}"
        );
        let report = alice.reads_reply(&asked).await;
        let record = format!("record {}", n + 1);
        assert!(
            text(&report).contains(&record),
            "{fault}: {}",
            text(&report)
        );
        let seen = alice.sees().await;
        assert_eq!(reports(&seen), n + 1, "{fault}");
        sandbox.heal().await;
    }
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn acknowledgements_do_not_wait_for_a_rate_limit_of_messages() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    let alice = sandbox.person("alice");
    let storm = json!({"kind": "rate_limit", "method": "PATCH", "times": 2, "retry_after_ms": 3000,
        "global": true, "scope": "global"});
    sandbox.fault(storm).await;
    let first = alice.types("diagnose redis").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let bob = sandbox.person("bob");
    let second = bob.types("diagnose redis").await;
    let waited = acknowledged(&sandbox, &second).await;
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    alice.reads_reply(&first).await;
    bob.reads_reply(&second).await;
}

#[tokio::test]
async fn a_lost_gateway_is_found_again_while_a_diagnosis_runs() {
    let hung = Hung::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(hung.port)).await;
    let alice = sandbox.person("alice");
    let ways = [
        json!({"kind": "gateway_drop"}),
        json!({"kind": "gateway_drop", "code": 4000}),
        json!({"kind": "gateway_reconnect"}),
        json!({"kind": "gateway_invalid_session", "resumable": true}),
        json!({"kind": "gateway_invalid_session", "resumable": false}),
    ];
    for way in ways {
        let asked = alice.types("diagnose redis").await;
        alice.reads("⏳").await;
        sandbox.fault(way.clone()).await;
        let report = alice.reads_reply(&asked).await;
        assert!(
            text(&report).contains("redis.hung"),
            "{way}: {}",
            text(&report)
        );
        connected(&sandbox, &way).await;
    }
    // A session that can't be resumed any more is begun anew.
    sandbox.fault(json!({"kind": "forget_sessions"})).await;
    sandbox.fault(json!({"kind": "gateway_drop"})).await;
    connected(&sandbox, &json!("forget_sessions")).await;
    let report = alice.asks("history").await;
    assert!(text(&report).contains("redis.hung"), "{}", text(&report));
    sandbox.check_traffic().await;
}

/// Waits until the bot is back: it answers.
async fn connected(sandbox: &Sandbox, after: &Value) {
    let end = Instant::now() + PATIENCE;
    loop {
        let state = sandbox.get("/state").await;
        if state["bot"]["connected"] == true {
            break;
        }
        assert!(Instant::now() < end, "not back after {after}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    loop {
        let asked = sandbox.person("dave").types("help").await;
        let id = asked["id"].as_str().unwrap();
        let seen = sandbox
            .get(&format!("/interactions/{id}?wait_ms=4000"))
            .await;
        if seen["state"] == "answered" {
            return;
        }
        assert!(Instant::now() < end, "back and deaf after {after}");
    }
}

#[tokio::test]
async fn when_the_token_is_over_the_report_comes_as_a_message() {
    let hung = Hung::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(hung.port)).await;
    let alice = sandbox.person("alice");
    alice.types("diagnose redis").await;
    alice.reads("⏳").await;
    sandbox.fault(json!({"kind": "expire_interactions"})).await;
    // A message of its own whose answer is lost must not come twice.
    let lost =
        json!({"kind": "lost_answer", "method": "POST", "route": "^/channels/\\d+/messages$"});
    sandbox.fault(lost).await;
    let message = alice
        .reads("For alice, who asked for /diagnose redis")
        .await;
    assert!(text(&message).contains("redis.hung"), "{}", text(&message));
    assert_eq!(message["kind"], "default");
    assert_eq!(message["mentions"]["users"], json!([]));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let seen = alice.sees().await;
    assert_eq!(
        reports(&seen),
        1,
        "{:#?}",
        seen.iter().map(text).collect::<Vec<_>>()
    );
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn what_cannot_be_shown_is_said_in_the_log_with_its_record() {
    let hung = Hung::start();
    let sandbox = Sandbox::start().await;
    let bot = Bot::start(&sandbox, &Setup::redis(hung.port)).await;
    let alice = sandbox.person("alice");
    alice.types("diagnose redis").await;
    alice.reads("⏳").await;
    sandbox.fault(json!({"kind": "expire_interactions"})).await;
    sandbox
        .fault(json!({"kind": "lose_permissions", "permissions": ["SEND_MESSAGES"]}))
        .await;
    bot.logs("`handbell history 1` shows it").await;
    sandbox.heal().await;
    let history = alice.asks("history").await;
    assert!(text(&history).contains("redis.hung"), "{}", text(&history));
}

#[tokio::test]
async fn told_to_stop_the_bot_answers_what_runs_and_ends_well() {
    let hung = Hung::start();
    let sandbox = Sandbox::start().await;
    let mut bot = Bot::start(&sandbox, &Setup::redis(hung.port)).await;
    let alice = sandbox.person("alice");
    let asked = alice.types("diagnose redis").await;
    alice.reads("⏳").await;
    bot.terminate();
    bot.logs("stopping: nothing new is begun").await;
    let late = sandbox.person("bob").asks("diagnose redis").await;
    assert!(text(&late).contains("being stopped"), "{}", text(&late));
    assert_eq!(late["ephemeral"], true);
    let began = Instant::now();
    let code = bot.ended(Duration::from_secs(12));
    assert_eq!(code, Some(0), "{}", bot.log());
    assert!(began.elapsed() < Duration::from_secs(11));
    let report = alice.reads_reply(&asked).await;
    let said = text(&report);
    assert!(
        said.contains("redis.hung") || said.contains("was stopped before"),
        "{said}"
    );
}

#[tokio::test]
async fn after_a_crash_nothing_is_repeated_and_the_history_tells() {
    let hung = Hung::start();
    let sandbox = Sandbox::start().await;
    let setup = Setup::redis(hung.port);
    let bot = Bot::start(&sandbox, &setup).await;
    let alice = sandbox.person("alice");
    alice.types("diagnose redis").await;
    alice.reads("⏳").await;
    let directory = bot.kill();
    sandbox.forget_traffic().await;
    let bot = Bot::launch(&sandbox, &setup, directory);
    bot.logs("the commands of the guild are in place").await;
    let bot = bot.connected(&sandbox).await;
    connected(&sandbox, &json!("a crash")).await;
    let history = alice.asks("history").await;
    assert!(
        text(&history).contains("no end recorded"),
        "{}",
        text(&history)
    );
    let patched = sandbox.requests("PATCH", "/messages/@original").await;
    let others = patched
        .iter()
        .filter(|one| !one.to_string().contains("⏳"))
        .count();
    assert_eq!(others, patched.len(), "{}", bot.log());
}

#[tokio::test]
async fn what_is_for_one_person_alone_is_never_posted_for_all() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let page = include_str!("../commands/redis.toml").replace("id = \"redis\"", "id = \"gone\"");
    let page = page
        .replace("\"redis.", "\"gone.")
        .replace("probe = \"gone.", "probe = \"redis.");
    let mut setup = Setup::redis(redis.port);
    setup.pages.push(("gone.toml".to_owned(), page));
    let bot = Bot::start(&sandbox, &setup).await;
    let alice = sandbox.person("alice");
    let report = alice.asks("diagnose gone").await;
    // The page of the report is no longer there: a refusal in the place of a reply for all.
    std::fs::remove_file(bot.directory().path().join("commands/gone.toml")).unwrap();
    sandbox.person("dave").asks("handbook reload").await;
    for (method, route) in [
        ("POST", "^/webhooks/\\d+/[^/]+$"),
        ("DELETE", "/messages/@original$"),
    ] {
        let refused = json!({"kind": "refuse", "method": method, "route": route, "code": 50013, "times": null});
        sandbox.fault(refused).await;
        let before = sandbox.person("bob").sees().await.len();
        alice.presses(&report, "Run again").await;
        bot.logs(if method == "POST" {
            "so nobody was told"
        } else {
            "so what is for one person alone was not shown"
        })
        .await;
        let seen = sandbox.person("bob").sees().await;
        let texts: Vec<String> = seen.iter().map(text).collect();
        assert!(
            !texts.iter().any(|it| it.contains("Nothing was done")),
            "{texts:#?}"
        );
        assert!(seen.len() <= before + 1, "{texts:#?}");
        sandbox.heal().await;
    }
}
