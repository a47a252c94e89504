//! Somebody asks in a channel and reads the answer: the real bot, a real Redis, a local Discord.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{Bot, Hung, Redis, Sandbox, Setup, person::text};

#[tokio::test]
async fn an_operator_reads_what_is_wrong_and_that_it_is_mended() {
    let mut redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    let alice = sandbox.person("alice");

    let healthy = alice.asks("diagnose redis").await;
    assert!(text(&healthy).contains("healthy"), "{}", text(&healthy));
    assert_eq!(
        healthy["ephemeral"], false,
        "the whole channel reads a report"
    );

    redis.stop();
    let broken = alice.asks("diagnose redis").await;
    let said = text(&broken);
    assert!(said.contains("critical"), "{said}");
    assert!(said.contains("redis.unreachable"), "{said}");
    assert!(
        said.contains(&redis.port.to_string()),
        "which server: {said}"
    );
    assert!(said.contains("record 2"), "{said}");
    let bob_sees = sandbox.person("bob").sees().await;
    assert!(bob_sees.iter().any(|message| message["id"] == broken["id"]));

    redis.resume();
    let pressed = alice.presses(&broken, "Run again").await;
    let mended = alice.reads_reply(&pressed).await;
    assert!(text(&mended).contains("healthy"), "{}", text(&mended));
    assert_ne!(mended["id"], broken["id"], "the old report stays as it was");
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn the_evidence_is_one_press_away_also_after_a_restart() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let setup = Setup::redis(redis.port);
    let mut bot = Bot::start(&sandbox, &setup).await;
    let alice = sandbox.person("alice");
    let report = alice.asks("diagnose redis").await;
    assert_eq!(bot.stop().0, Some(0), "{}", bot.log());
    let bot = Bot::launch(&sandbox, &setup, bot.directory());
    bot.logs("connected to the gateway").await;
    let _bot = bot.connected(&sandbox).await;

    let pressed = alice.presses(&report, "Evidence").await;
    let evidence = alice.reads_reply(&pressed).await;
    assert_eq!(evidence["ephemeral"], true);
    let files = evidence["attachments"].as_array().unwrap();
    let names: Vec<&str> = files
        .iter()
        .map(|f| f["filename"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["evidence-1.md", "evidence-1.json"]);
    let markdown = sandbox.download(files[0]["url"].as_str().unwrap()).await;
    assert!(markdown.contains("used_memory_bytes"), "{markdown}");
    let json = sandbox.download(files[1]["url"].as_str().unwrap()).await;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["runbook"], "redis");

    let bob_sees = sandbox.person("bob").sees().await;
    assert!(
        bob_sees
            .iter()
            .all(|message| message["id"] != evidence["id"])
    );
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn a_chinese_reader_finds_and_reads_chinese() {
    let mut redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    redis.stop();
    let ming = sandbox.person("ming");
    let picker = ming.picker().await;
    let shown: Vec<&str> = picker.iter().map(|(name, _)| name.as_str()).collect();
    assert!(shown.contains(&"诊断 redis"), "{shown:?}");
    assert!(
        shown.contains(&"历史") && shown.contains(&"帮助"),
        "{shown:?}"
    );

    let report = ming.asks("diagnose redis").await;
    let said = text(&report);
    for part in ["严重", "证据", "记录 1", "再次诊断", "查看证据"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    assert!(
        !said.contains("Evidence") && !said.contains("critical"),
        "{said}"
    );
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn who_lacks_the_role_reads_which_one_and_nobody_else_sees_it() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;

    let hua = sandbox.person("hua");
    let refusal = hua.asks("diagnose redis").await;
    let said = text(&refusal);
    assert!(
        said.contains("operator") && said.contains("viewer"),
        "{said}"
    );
    assert!(said.contains("需要角色"), "{said}");
    assert_eq!(refusal["ephemeral"], true);

    let carol = sandbox.person("carol");
    for command in ["diagnose redis", "history"] {
        let refusal = carol.asks(command).await;
        assert!(
            text(&refusal).contains("you have no role"),
            "{}",
            text(&refusal)
        );
        assert_eq!(refusal["ephemeral"], true);
    }
    let seen = sandbox.person("alice").sees().await;
    assert!(seen.is_empty(), "{seen:?}");
    let history = hua.asks("history").await;
    assert!(
        text(&history).contains("还没有任何记录"),
        "{}",
        text(&history)
    );

    // A press is a request like any other.
    let report = sandbox.person("alice").asks("diagnose redis").await;
    let pressed = hua.presses(&report, "Run again").await;
    let refusal = hua.reads_reply(&pressed).await;
    assert!(
        text(&refusal).contains("需要角色 operator"),
        "{}",
        text(&refusal)
    );
    assert_eq!(refusal["ephemeral"], true);
    let pressed = carol.presses(&report, "Evidence").await;
    let refusal = carol.reads_reply(&pressed).await;
    assert!(
        text(&refusal).contains("needs the role viewer"),
        "{}",
        text(&refusal)
    );
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn history_lists_offers_pages_and_shows_a_record() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    let alice = sandbox.person("alice");
    alice
        .asks_with("diagnose redis", json!({"slow_ms": 250}))
        .await;
    alice.asks("diagnose redis").await;

    let offered = alice.completes("history", "runbook", "red").await;
    assert!(
        offered.iter().any(|name| name.starts_with("redis")),
        "{offered:?}"
    );
    assert!(
        alice
            .completes("history", "runbook", "nothing")
            .await
            .is_empty()
    );
    let carol_s = sandbox
        .person("carol")
        .completes("history", "runbook", "")
        .await;
    assert!(
        carol_s.is_empty(),
        "who may not read is offered nothing: {carol_s:?}"
    );

    let history = alice
        .asks_with("history", json!({"runbook": "redis"}))
        .await;
    let said = text(&history);
    assert!(
        said.contains("slow_ms=250") && said.contains("alice"),
        "{said}"
    );
    assert_eq!(history["ephemeral"], true);
    let chosen = alice.chooses(&history, "1").await;
    let record = alice.reads_reply(&chosen).await;
    assert!(text(&record).contains("record 1"), "{}", text(&record));

    let help = alice.asks("help").await;
    assert!(text(&help).contains("/diagnose redis"), "{}", text(&help));
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn parameters_are_typed_and_bounded_in_the_client_itself() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    let alice = sandbox.person("alice");
    let refused = alice
        .is_kept_from("diagnose redis", json!({"slow_ms": 0}))
        .await;
    assert!(!refused.is_empty());
    assert!(
        sandbox
            .traffic()
            .await
            .iter()
            .all(|one| { !one["path"].as_str().unwrap().contains("/callback") })
    );
}

#[tokio::test]
async fn text_from_outside_mentions_nobody_and_formats_nothing() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    let alice_id = sandbox.ready["people"]["alice"]["id"].as_str().unwrap();
    let role_id = sandbox.ready["roles"]["operator"].as_str().unwrap();
    let hostile = format!(
        "@everyone @here <@{alice_id}> <@&{role_id}> ```\n# x **b** [a](http://evil.test) \u{202e}\u{1b}[31m"
    );
    // Slow commands that carry it: they end up in the slow log, word for word.
    redis.command(&["CONFIG", "SET", "slowlog-log-slower-than", "1000"]);
    let busy = "local i = 0 while i < 5000000 do i = i + 1 end return 1";
    for _ in 0..4 {
        redis.command(&["EVAL", busy, "1", &hostile]);
    }

    let alice = sandbox.person("alice");
    let report = alice
        .asks_with("diagnose redis", json!({"slow_ms": 1}))
        .await;
    assert!(
        text(&report).contains("redis.slow-command"),
        "{}",
        text(&report)
    );
    let pressed = alice.presses(&report, "Evidence").await;
    let evidence = alice.reads_reply(&pressed).await;
    for message in [&report, &evidence] {
        let mentions = &message["mentions"];
        assert_eq!(mentions["everyone"], false, "{mentions}");
        assert_eq!(mentions["users"], json!([]), "{mentions}");
        assert_eq!(mentions["roles"], json!([]), "{mentions}");
        let raw = format!("{}{}", message["content"], message["embeds"]);
        let outside_of_code: String = raw.split("```").step_by(2).collect();
        for bad in ["<@", "@everyone", "**b**", "](http", "\u{202e}", "\\u001b"] {
            let unescaped = outside_of_code
                .replace("\\\\@everyone", "")
                .replace("\\\\<\\\\@", "");
            assert!(!unescaped.contains(bad), "{bad:?} in {raw}");
        }
        assert_eq!(raw.matches("```").count() % 2, 0, "{raw}");
    }
    for request in sandbox.traffic().await {
        let path = request["path"].as_str().unwrap();
        if request["method"] == "PATCH" && path.contains("/messages/@original") {
            let allowed = &request["request"]["body"]["allowed_mentions"];
            assert_eq!(allowed["parse"], json!([]), "{request}");
        }
    }
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn while_checks_run_the_reply_says_how_far_they_are() {
    let hung = Hung::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(hung.port)).await;
    let alice = sandbox.person("alice");
    let asked = alice.types("diagnose redis").await;
    let line = alice.reads("⏳").await;
    assert!(
        text(&line).contains("checks done; still running:"),
        "{}",
        text(&line)
    );
    let report = alice.reads_reply(&asked).await;
    assert_eq!(report["id"], line["id"], "the line becomes the report");
    assert!(text(&report).contains("redis.hung"), "{}", text(&report));

    let edits = sandbox.requests("PATCH", "/messages/@original").await;
    assert!(edits.len() >= 2, "{edits:?}");
    let times: Vec<jiff::Timestamp> = edits
        .iter()
        .map(|edit| edit["at"].as_str().unwrap().parse().unwrap())
        .collect();
    // The last one is the report, which waits for nothing.
    for pair in times[..times.len() - 1].windows(2) {
        let between = Duration::try_from(pair[1] - pair[0]).unwrap();
        // A second apart when they are sent; the way here takes one longer than the other.
        assert!(
            between >= Duration::from_millis(700),
            "{between:?}: {times:?}"
        );
    }
    sandbox.check_traffic().await;
}
