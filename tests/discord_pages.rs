//! All pages at once, the patrol, and the handbook itself, in a channel: the real bot, a real Redis,
//! a local Discord.

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::{Bot, PATIENCE, Redis, Sandbox, Setup, person::text};

/// A page that stands on Redis.
const SHOP: &str = r#"
[runbook]
id = "shop"
section = "2.4"
title = { en = "The shop fails", zh = "商城故障" }
symptom = { en = "Orders fail", zh = "无法下单" }
severity = "P1"
owner = "ops"
reviewed = 2026-11-22
borrows = ["redis/ping"]

[[check]]
id = "answer"
title = { en = "Answer", zh = "应答" }
probe = "redis.ping"
target = "cache"
timeout = "2s"

  [[check.rule]]
  when = "state != 'ok'"
  verdict = "critical"
  cause = "backend.errors"
  say = { en = "The shop has no cache.", zh = "商城没有缓存可用。" }

[[check]]
id = "front"
title = { en = "Front page", zh = "首页" }
probe = "manual"
say = { en = "Open the front page: are there pictures?", zh = "打开首页：图片是否显示？" }

[[prevent]]
id = "beforehand"
title = { en = "Beforehand", zh = "事先" }
probe = "redis.ping"
target = "cache"

  [[prevent.rule]]
  when = "state != 'ok'"
  verdict = "warning"
  cause = "shop.unprepared"
  say = { en = "The cache is not ready for the sale.", zh = "缓存未为促销做好准备。" }
"#;

fn setup(port: u16) -> Setup {
    Setup {
        pages: vec![("shop.toml".to_owned(), SHOP.to_owned())],
        ..Setup::redis(port)
    }
}

/// Waits until the picker of `person` has (or no longer has) a command.
async fn picker_has(person: &support::Person<'_>, command: &str, there: bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let picker = person.picker().await;
        if picker.iter().any(|(name, _)| name.ends_with(command)) == there {
            return;
        }
        assert!(Instant::now() < end, "{command}: {picker:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_whole_system_is_asked_at_once() {
    let mut redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &setup(redis.port)).await;
    let alice = sandbox.person("alice");
    redis.stop();
    let report = alice.asks("diagnose all").await;
    let said = text(&report);
    assert!(said.contains("The whole system: critical"), "{said}");
    assert!(said.contains("redis.unreachable"), "{said}");
    assert!(
        said.contains("The shop has no cache. (follows from"),
        "{said}"
    );
    assert_eq!(report["ephemeral"], false);
    let pressed = alice.presses(&report, "Run again").await;
    let again = alice.reads_reply(&pressed).await;
    assert!(
        text(&again).contains("The whole system"),
        "{}",
        text(&again)
    );
    let ming = sandbox.person("ming").asks("diagnose all").await;
    assert!(text(&ming).contains("整个系统"), "{}", text(&ming));
    let patrol = alice.asks_with("patrol run", json!({"page": "shop"})).await;
    assert!(
        text(&patrol).contains("not ready for the sale"),
        "{}",
        text(&patrol)
    );
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn the_handbook_is_read_and_searched_in_the_channel() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &setup(redis.port)).await;
    // A viewer may read.
    let hua = sandbox.person("hua");
    let page = hua
        .asks_with("handbook show", json!({"page": "shop"}))
        .await;
    assert!(text(&page).contains("无法下单"), "{}", text(&page));
    assert!(text(&page).contains("redis/ping"), "{}", text(&page));
    assert_eq!(page["ephemeral"], true);
    let found = hua
        .asks_with("handbook search", json!({"words": "图片显示"}))
        .await;
    assert!(text(&found).contains("shop/front"), "{}", text(&found));
    let alice = sandbox.person("alice");
    let found = alice
        .asks_with("handbook search", json!({"words": "memory full"}))
        .await;
    assert!(text(&found).contains("redis/memory"), "{}", text(&found));
    let found = alice
        .asks_with("handbook search", json!({"words": "zebra"}))
        .await;
    assert!(
        text(&found).contains("Nothing in the handbook"),
        "{}",
        text(&found)
    );
    let offered = alice.completes("handbook show", "page", "sho").await;
    assert!(
        offered.iter().any(|one| one.starts_with("shop")),
        "{offered:?}"
    );
    let refused = sandbox
        .person("carol")
        .asks_with("handbook show", json!({"page": "shop"}))
        .await;
    assert!(text(&refused).contains("viewer"), "{}", text(&refused));
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn pages_are_read_again_without_a_restart_and_a_broken_one_keeps_its_version() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let bot = Bot::start(&sandbox, &setup(redis.port)).await;
    let directory = bot.directory();
    let page = |name: &str| directory.path().join("commands").join(name);
    let alice = sandbox.person("alice");
    let dave = sandbox.person("dave");
    let refused = alice.asks("handbook reload").await;
    assert!(text(&refused).contains("admin"), "{}", text(&refused));
    // A new page becomes a command, a broken one keeps its version.
    std::fs::write(page("stall.toml"), SHOP.replace("\"shop", "\"stall")).expect("written");
    std::fs::write(
        page("shop.toml"),
        SHOP.replace("probe = \"redis.ping\"", "probe = \"redis.pong\""),
    )
    .expect("written");
    let told = dave.asks("handbook reload").await;
    let said = text(&told);
    assert!(said.contains("shop.toml:15:9"), "line and column: {said}");
    assert!(said.contains("old version stays in force"), "{said}");
    assert!(said.contains("stall"), "{said}");
    picker_has(&alice, "diagnose stall", true).await;
    let report = alice.asks("diagnose shop").await;
    assert!(text(&report).contains("healthy"), "{}", text(&report));
    // By a signal, too.
    std::fs::remove_file(page("stall.toml")).expect("removed");
    let status = std::process::Command::new("kill")
        .args(["-HUP", &bot.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(status.success());
    bot.logs("the pages were read again").await;
    picker_has(&alice, "diagnose stall", false).await;
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn targets_are_read_again_and_those_with_mistakes_change_nothing() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let bot = Bot::start(&sandbox, &setup(redis.port)).await;
    let targets = bot.directory().path().join("targets.toml");
    let sound = std::fs::read_to_string(&targets).expect("read");
    let (alice, dave) = (sandbox.person("alice"), sandbox.person("dave"));
    let report = alice.asks("diagnose shop").await;
    assert!(text(&report).contains("healthy"), "{}", text(&report));
    let told = dave.asks("handbook reload").await;
    assert!(
        text(&told).contains("nothing has changed"),
        "{}",
        text(&told)
    );
    // Nobody listens at port 1.
    let elsewhere = sound.replace(&redis.port.to_string(), "1");
    assert_ne!(sound, elsewhere);
    std::fs::write(&targets, elsewhere).expect("written");
    let told = dave.asks("handbook reload").await;
    assert!(
        text(&told).contains("other targets are in force"),
        "{}",
        text(&told)
    );
    let report = alice.asks("diagnose shop").await;
    assert!(text(&report).contains("no cache"), "{}", text(&report));
    // A slip of the pen is told with its place, and the bot goes on as it was.
    std::fs::write(&targets, sound.replacen("address", "addr", 1)).expect("written");
    let told = dave.asks("handbook reload").await;
    let said = text(&told);
    assert!(said.contains("old targets stay in force"), "{said}");
    assert!(
        said.contains("targets.toml:2:1") && said.contains("has no key"),
        "{said}"
    );
    let report = alice.asks("diagnose shop").await;
    assert!(text(&report).contains("no cache"), "{}", text(&report));
    // By a signal, too.
    std::fs::write(&targets, &sound).expect("written");
    let status = std::process::Command::new("kill")
        .args(["-HUP", &bot.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(status.success());
    let end = Instant::now() + PATIENCE;
    loop {
        let report = alice.asks("diagnose shop").await;
        if text(&report).contains("healthy") {
            break;
        }
        assert!(Instant::now() < end, "{}", text(&report));
    }
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn what_a_person_saw_is_recorded_and_written_over_the_report() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let bot = Bot::start(&sandbox, &setup(redis.port)).await;
    let alice = sandbox.person("alice");
    let report = alice.asks("diagnose shop").await;
    assert!(
        text(&report).contains("are there pictures?"),
        "{}",
        text(&report)
    );
    // A viewer may not answer, and the report stays as it is.
    let hua = sandbox.person("hua");
    hua.presses(&report, "Front page: looks fine").await;
    hua.reads("operator").await;
    let ming = sandbox.person("ming");
    ming.presses(&report, "Front page: that's it").await;
    let same = |message: &serde_json::Value| message["id"] == report["id"];
    let changed = alice
        .waits("the answer", |message| {
            same(message)
                && message["content"]
                    .as_str()
                    .is_some_and(|text| text.contains("就是它"))
        })
        .await;
    let content = changed["content"].as_str().expect("a text");
    // In the words of whoever answered.
    assert!(content.contains("首页"), "{content}");
    assert!(content.contains("ming"), "{content}");
    assert!(
        text(&changed).contains("healthy"),
        "the report stays: {}",
        text(&changed)
    );
    let access = bot.directory().path().join("access.toml");
    let roles = std::fs::read_to_string(&access).expect("read");
    let roles = roles.replacen("[viewer]", "[viewer]\nlocal_users = [\"*\"]", 1);
    std::fs::write(&access, roles).expect("written");
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_handbell"))
        .args([
            "--config",
            &bot.directory().path().display().to_string(),
            "history",
            "1",
            "--json",
        ])
        .output()
        .expect("the binary starts");
    let record: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    let answers = record["answers"].as_array().expect("answers");
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["fine"], false);
    assert_eq!(answers[0]["step"], "front");
    sandbox.check_traffic().await;
}
