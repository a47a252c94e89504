//! Several pages together, from the command line.
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod binary;

use binary::{Home, nobody};

/// A page that stands on Redis: it borrows, and what it finds follows from what it borrows.
pub const SHOP: &str = r#"
[runbook]
id = "shop"
section = "2.4"
title = { en = "The shop fails", zh = "商城故障" }
symptom = { en = "Orders fail", zh = "无法下单" }
severity = "P1"
owner = "ops"
reviewed = 2026-11-22
borrows = ["redis/ping", "redis/slow-commands"]

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
  remedies = ["tell"]

[[check]]
id = "front"
title = { en = "Front page", zh = "首页" }
probe = "manual"
say = { en = "Open the front page: are there pictures?", zh = "打开首页：图片是否显示？" }

[[remedy]]
id = "tell"
title = { en = "Tell the customers", zh = "通知客户" }
say = { en = "Puts up a notice.", zh = "发布公告。" }
risk = "low"
"#;

fn ids<'a>(report: &'a serde_json::Value, list: &str) -> Vec<(&'a str, &'a str)> {
    let all = report[list].as_array().expect("a list");
    all.iter()
        .map(|one| {
            let id = one["id"].as_str().or_else(|| one["check"].as_str());
            (one["page"].as_str().expect("a page"), id.expect("an id"))
        })
        .collect()
}

#[test]
fn a_borrowed_check_names_its_cause_and_the_page_s_own_finding_follows() {
    let home = Home::with_redis(nobody());
    home.write("commands/shop.toml", SHOP);
    let report = home.run(&["diagnose", "shop", "--json"]).ended(1).json();
    assert_eq!(report["root_causes"][0]["cause"], "redis.unreachable");
    assert_eq!(report["root_causes"][0]["page"], "redis");
    assert_eq!(report["root_causes"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["consequences"][0]["cause"], "backend.errors");
    assert_eq!(
        ids(&report, "checks"),
        [
            ("shop", "answer"),
            ("redis", "ping"),
            ("redis", "slow-commands")
        ]
    );
    assert_eq!(ids(&report, "manual"), [("shop", "front")]);
    assert_eq!(
        report["remedies"],
        serde_json::json!(["redis/restart-redis", "tell"])
    );
    let text = home.run(&["diagnose", "shop"]).ended(1);
    for part in [
        "PING with password (redis) · cache · redis.unreachable",
        "Restart Redis redis/restart-redis",
        "Look yourself:",
        "Front page: Open the front page: are there pictures?",
    ] {
        assert!(text.out.contains(part), "{part:?} is not in {}", text.out);
    }
    let text = home.run(&["diagnose", "shop", "--lang", "zh"]).ended(1);
    assert!(text.out.contains("请人工查看"), "{}", text.out);
}

#[test]
fn the_version_of_a_page_covers_what_it_borrows() {
    let home = Home::with_redis(nobody());
    home.write("commands/shop.toml", SHOP);
    let version = |home: &Home| {
        let report = home.run(&["diagnose", "shop", "--json"]).ended(1).json();
        report["page"].as_str().expect("a hash").to_owned()
    };
    let before = version(&home);
    assert_eq!(before, version(&home));
    let redis = include_str!("../commands/redis.toml");
    home.write("commands/redis.toml", &format!("{redis}\n# changed\n"));
    assert_ne!(before, version(&home));
}
