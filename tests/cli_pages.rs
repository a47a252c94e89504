//! Several pages together, from the command line.
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod binary;
mod support;

use std::{
    io::Read as _,
    net::{SocketAddr, TcpListener},
    thread,
};

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

/// A page that asks for an order, and looks where this configuration has nothing.
const ORDERS: &str = r#"
[runbook]
id = "orders"
section = "2.5"
title = { en = "Orders", zh = "订单" }
symptom = { en = "An order is missing", zh = "订单丢失" }
severity = "P2"
owner = "ops"
reviewed = 2026-11-22

[[param]]
name = "order_no"
type = "string"
match = "M[0-9]{4}"
say = { en = "The order", zh = "订单号" }

[[check]]
id = "order"
title = { en = "The order", zh = "订单" }
probe = "redis.ping"
target = "cache"

  [[check.rule]]
  when = "order_no == 'M0000'"
  verdict = "warning"
  cause = "orders.odd"
  say = { en = "An odd order.", zh = "异常订单。" }

[[check]]
id = "elsewhere"
title = { en = "Another Redis", zh = "另一个 Redis" }
probe = "redis.ping"
target = "other"

  [[check.rule]]
  when = "state != 'ok'"
  verdict = "warning"
  cause = "orders.elsewhere"
  say = { en = "The other one is down.", zh = "另一个不可用。" }
"#;

/// A configuration with these pages beside the built-in ones, and a Redis that refuses as the one
/// thing to look at.
fn home_with(pages: &[(&str, &str)]) -> Home {
    let home = Home::with_redis(nobody());
    let targets = format!("[redis.cache]\naddress = \"{}\"\n", nobody());
    home.write("targets.toml", &targets);
    for (name, text) in pages {
        home.write(&format!("commands/{name}.toml"), text);
    }
    home
}

#[test]
fn the_whole_system_has_one_root_cause_for_one_broken_thing() {
    let home = home_with(&[("shop", SHOP), ("orders", ORDERS)]);
    let report = home.run(&["diagnose", "all", "--json"]).ended(1).json();
    assert_eq!(report["runbook"], "all");
    assert_eq!(report["root_causes"][0]["cause"], "redis.unreachable");
    assert_eq!(report["root_causes"].as_array().map(Vec::len), Some(1));
    let checks = ids(&report, "checks");
    // A borrowed check runs once, as its own page's.
    assert_eq!(
        checks.iter().filter(|id| **id == ("redis", "ping")).count(),
        1
    );
    assert!(checks.contains(&("shop", "answer")));
    let left_out = report["left_out"].as_array().expect("a list");
    let reason = |id: &str| {
        let one = left_out
            .iter()
            .find(|one| one["page"] == "orders" && one["check"] == id);
        one.map(|one| one["reason"].as_str().expect("a reason").to_owned())
    };
    assert_eq!(reason("order").as_deref(), Some("needs-parameter"));
    assert_eq!(reason("elsewhere").as_deref(), Some("no-such-target"));
    assert!(ids(&report, "manual").contains(&("shop", "front")));
    let text = home.run(&["diagnose", "all"]).ended(1);
    for part in [
        "The whole system: critical",
        "Not run:",
        "orders/order: it needs the parameter order_no: /diagnose orders",
        "The shop has no cache. (follows from redis.unreachable)",
    ] {
        assert!(text.out.contains(part), "{part:?} is not in {}", text.out);
    }
    let history = home.run(&["history", "all", "--json"]).ended(0).json();
    assert_eq!(history[0]["runbook"], "all");
    home.run(&["diagnose", "all", "--param", "slow_ms=3"])
        .ended(2)
        .says("slow_ms");
}

#[test]
fn a_broken_page_stops_nobody_but_itself() {
    let home = home_with(&[
        ("shop", SHOP),
        ("orders", "[runbook]\nid = \"orders\"\nsection = 2\n"),
    ]);
    home.run(&["diagnose", "shop"])
        .ended(1)
        .says("note: the page orders is not in force")
        .says("orders.toml:3:11");
    home.run(&["diagnose", "orders"])
        .ended(2)
        .says("-->")
        .says("orders.toml:3:11");
    home.run(&["handbook", "lint"]).ended(2);
    home.run(&["handbook", "show", "shop"]).ended(0);
    home.run(&["handbook", "show", "orders"]).ended(2);
    // What is not run is said, and what was found is found.
    let report = home.run(&["diagnose", "all", "--json"]).ended(1).json();
    assert_eq!(report["left_out"][0]["page"], "orders");
    assert_eq!(report["left_out"][0]["reason"], "broken-page");
    // A page that borrows from a broken one runs without it and is not sure.
    let redis = include_str!("../commands/redis.toml");
    home.write(
        "commands/redis.toml",
        &redis.replace("section = \"2.3\"", "section = 2"),
    );
    let report = home.run(&["diagnose", "shop", "--json"]).ended(1).json();
    assert_eq!(ids(&report, "checks"), [("shop", "answer")]);
    assert_eq!(report["left_out"].as_array().map(Vec::len), Some(2));
    // A page that can't even be read.
    std::fs::write(home.config().join("commands/bytes.toml"), [0xff, 0xfe]).expect("written");
    home.run(&["diagnose", "shop"]).ended(1).says("bytes");
    home.run(&["diagnose", "bytes"]).ended(2).says("UTF-8");
}

#[test]
fn what_differs_from_the_last_healthy_run_is_told() {
    let redis = support::Redis::start();
    let home = Home::with_redis(([127, 0, 0, 1], redis.port).into());
    home.write(
        "handbell.toml",
        "[general]\ntimezone = \"Asia/Shanghai\"\n[store]\ndirectory = \"../state\"\n",
    );
    home.write(
        "commands/shop.toml",
        &SHOP.replace("redis/slow-commands", "redis/memory"),
    );
    let first = home.run(&["diagnose", "shop", "--json"]).ended(0).json();
    assert!(first["changed"].is_null(), "nothing to compare with");
    redis.command(&["CONFIG", "SET", "maxmemory", "512mb"]);
    let second = home.run(&["diagnose", "shop", "--json"]).ended(0).json();
    assert_eq!(second["changed"]["record"], first["record"]);
    let change = &second["changed"]["facts"][0];
    assert_eq!(change["fact"], "maxmemory_bytes");
    assert_eq!(change["page"], "redis");
    assert_eq!(change["before"], 0);
    assert_eq!(change["now"], 536_870_912);
    redis.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    // On a run that finds something as on a healthy one, and in the team's zone.
    redis.command(&["CONFIG", "SET", "maxmemory", "1mb"]);
    let text = home.run(&["diagnose", "shop"]);
    assert!(text.out.contains("Changed since "), "{}", text.out);
    assert!(text.out.contains(" CST today:"), "{}", text.out);
    assert!(
        text.out
            .contains("maxmemory_bytes 512.0 MiB → 1.0 MiB (redis · cache)"),
        "{}",
        text.out
    );
    let text = home.run(&["diagnose", "shop", "--lang", "zh"]);
    assert!(text.out.contains("以来的变化"), "{}", text.out);
}

#[test]
fn the_patrol_runs_preventions_and_a_diagnosis_does_not() {
    let home = Home::with_redis(nobody());
    let prevention = r#"
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

[[prevent]]
id = "rehearse"
title = { en = "Rehearsal", zh = "演练" }
probe = "manual"
say = { en = "Rehearse the sale.", zh = "演练促销。" }
"#;
    home.write("commands/shop.toml", &format!("{SHOP}{prevention}"));
    let report = home.run(&["diagnose", "shop", "--json"]).ended(1).json();
    assert!(!ids(&report, "checks").contains(&("shop", "beforehand")));
    let ran = home
        .run(&["patrol", "run", "--page", "shop", "--json"])
        .ended(1);
    let report = ran.json();
    assert_eq!(report["runbook"], "patrol shop");
    assert_eq!(ids(&report, "checks"), [("shop", "beforehand")]);
    assert_eq!(ids(&report, "manual"), [("shop", "rehearse")]);
    assert_eq!(report["root_causes"][0]["cause"], "shop.unprepared");
    let report = home.run(&["patrol", "run", "--json"]).json();
    assert_eq!(report["runbook"], "patrol");
    assert!(ids(&report, "checks").contains(&("shop", "beforehand")));
    let pages = ids(&report, "checks")
        .into_iter()
        .chain(ids(&report, "left_out"));
    assert!(pages.into_iter().any(|(page, _)| page == "redis"));
    let text = home.run(&["patrol", "run", "--page", "shop"]).ended(1);
    assert!(text.out.contains("Patrol, The shop fails"), "{}", text.out);
    home.run(&["history", "patrol"]).ended(0).says("patrol");
    home.run(&["patrol", "run", "--page", "nonsense"])
        .ended(2)
        .says("nonsense");
}

#[test]
fn where_nothing_can_be_looked_at_nothing_is_healthy() {
    let home = Home::new(&[("targets.toml", "")]);
    home.run(&["diagnose", "all", "--lang", "en"])
        .ended(3)
        .says("There is nothing to look at here")
        .says("This is not an all-clear");
    home.run(&["diagnose", "all", "--lang", "zh"])
        .ended(3)
        .says("因此不能认定正常");
}

/// A server that ends every connection when a request has come, and before it answers; the request is `read`, or stays
/// unread, at which the kernel resets the connection.
fn cuts_off(read: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4_096];
            let _ = if read {
                stream.read(&mut request)
            } else {
                stream.peek(&mut request)
            };
        }
    });
    address
}

#[test]
fn a_backend_that_cuts_connections_off_explains_that_nginx_finds_nobody() {
    for (read, state) in [(true, "empty"), (false, "reset")] {
        let home = Home::new(&[]);
        let here = home.config();
        home.write(
            "targets.toml",
            &format!(
                "[nginx.web]\nconfig = \"{}\"\n[url.backend-health]\nurl = \"http://{}/health\"\n",
                here.join("nginx.conf").display(),
                cuts_off(read)
            ),
        );
        let upstream = nobody();
        home.write(
            "nginx.conf",
            &format!(
                "events {{}}\nhttp {{ server {{ listen {}; location / {{ proxy_pass http://{upstream}; }} }} }}\n",
                nobody()
            ),
        );
        let ran = home
            .run(&["diagnose", "nginx", "--json", "--lang", "en"])
            .ended(1);
        let report = ran.json();
        let found = |list: &str, cause: &str| {
            let all = report[list].as_array().expect("a list");
            all.iter().find(|one| one["cause"] == cause).cloned()
        };
        let root = found("root_causes", "backend.unreachable")
            .unwrap_or_else(|| panic!("{state}: {report:#}"));
        let say = root["say"].as_str().expect("a sentence");
        assert!(
            say.contains("cuts the connection before the answer") && say.contains(state),
            "{say}"
        );
        let follows = found("consequences", "nginx.upstream-wrong")
            .unwrap_or_else(|| panic!("{state}: {report:#}"));
        assert!(
            follows["say"]
                .as_str()
                .is_some_and(|say| say.contains(&upstream.to_string()))
        );
        assert_eq!(
            follows["explained_by"],
            serde_json::json!(["backend.unreachable"])
        );
    }
}
