//! The command line as a person and as a script meet it.

mod binary;

use std::{process::Stdio, time::Duration};

use binary::{Home, finish, mute, nobody, saying};

/// Deadlines of a test that waits for them.
const QUICK: &str = "[store]\ndirectory = \"../state\"\n[diagnosis]\ncheck_deadline = \"400ms\"\nrun_deadline = \"8s\"\n";

#[test]
fn help_shows_every_command_with_examples() {
    let home = Home::new(&[]);
    let help = home.run(&["--help"]).ended(0);
    for word in [
        "diagnose",
        "serve",
        "handbook",
        "probes",
        "history",
        "init",
        "doctor",
        "completions",
        "man",
        "Examples:",
        "Exit codes",
    ] {
        assert!(help.out.contains(word), "{word} is not in {}", help.out);
    }
    for command in [
        "diagnose",
        "serve",
        "history",
        "init",
        "doctor",
        "completions",
        "man",
    ] {
        home.run(&[command, "--help"])
            .ended(0)
            .says("Usage: handbell");
    }
    home.run(&["--version"])
        .ended(0)
        .says(env!("CARGO_PKG_VERSION"));
}

#[test]
fn wrong_use_is_answered_with_2() {
    let home = Home::with_redis(nobody());
    home.run(&[]).ended(2);
    home.run(&["diagnos"]).ended(2).says("diagnose");
    home.run(&["diagnose"]).ended(2);
    home.run(&["diagnose", "redis", "--param", "x"])
        .ended(2)
        .says("NAME=VALUE");
    home.run(&["diagnose", "rediss"])
        .ended(2)
        .says("it has: ")
        .says(" redis, ");
    home.run(&["diagnose", "redis", "--param", "nonsense=1"])
        .ended(2)
        .says("nonsense");
    home.run(&["history", "99999"]).ended(2).says("99999");
    home.run(&["history", "--limit", "0"]).ended(2);
    assert_eq!(
        home.run(&["history", "--json"]).json(),
        serde_json::json!([]),
        "nothing was recorded"
    );
}

#[test]
fn a_redis_that_refuses_is_named_and_recorded() {
    let address = nobody();
    let home = Home::with_redis(address);
    let ran = home
        .run(&["diagnose", "redis"])
        .ended(1)
        .says(&address.to_string());
    assert!(!ran.out.contains('\u{1b}'), "a pipe gets no colours");
    assert!(ran.err.is_empty(), "nothing beside the answer: {}", ran.err);
    let report = home.run(&["diagnose", "redis", "--json"]).ended(1).json();
    assert_eq!(report["runbook"], "redis");
    assert_eq!(report["verdict"], "critical");
    assert_eq!(report["root_causes"][0]["cause"], "redis.unreachable");
    for key in [
        "duration_ms",
        "consequences",
        "unknown",
        "checks",
        "remedies",
        "record",
    ] {
        assert!(!report[key].is_null(), "{key} is missing");
    }
    let check = &report["checks"][0];
    for key in ["id", "verdict", "say", "facts", "duration_ms", "evidence"] {
        assert!(!check[key].is_null(), "{key} is missing in {check}");
    }
    let history = home.run(&["history", "redis"]).ended(0);
    assert_eq!(history.out.lines().count(), 3, "{}", history.out);
    assert!(history.out.contains("redis.unreachable") && history.out.contains("cli"));
    let one = home.run(&["history", "2", "--json"]).ended(0).json();
    assert_eq!(one["state"], "critical");
    assert_eq!(
        one["report"]["root_causes"][0]["cause"],
        "redis.unreachable"
    );
    home.run(&["history", "2"])
        .ended(0)
        .says("redis.unreachable");
}

#[test]
fn the_language_is_asked_for_or_the_locales() {
    let home = Home::with_redis(nobody());
    let zh = home.run(&["diagnose", "redis", "--lang", "zh"]).ended(1);
    assert!(zh.out.contains("拒绝"), "{}", zh.out);
    let mut command = home.command(&["diagnose", "redis"]);
    command.env("LANG", "zh_CN.UTF-8");
    assert_eq!(
        finish(command).ended(1).out.lines().next(),
        zh.out.lines().next()
    );
    let mut command = home.command(&["diagnose", "redis"]);
    command
        .env("LANG", "zh_CN.UTF-8")
        .env("LC_ALL", "en_GB.UTF-8");
    assert!(!finish(command).out.contains("拒绝"));
}

#[test]
fn colours_come_when_they_are_wanted() {
    let home = Home::with_redis(nobody());
    let with = home.run(&["--color", "always", "diagnose", "redis"]);
    assert!(with.out.contains("\u{1b}["), "{}", with.out);
    let without = home.run(&["--color", "never", "diagnose", "redis"]);
    assert!(!without.out.contains('\u{1b}'));
}

#[test]
fn who_may_not_is_refused_in_words_and_nothing_is_done() {
    let home = Home::with_redis(nobody());
    home.write("access.toml", "[viewer]\nlocal_users = [\"*\"]\n");
    home.run(&["diagnose", "redis"])
        .ended(2)
        .says("operator")
        .says("you have viewer");
    home.run(&["diagnose", "redis", "--lang", "zh"])
        .ended(2)
        .says("需要角色");
    assert_eq!(
        home.run(&["history", "--json"]).ended(0).json(),
        serde_json::json!([])
    );
    home.write("access.toml", "");
    home.run(&["history"]).ended(2).says("viewer");
    // The name comes from the operating system, not from the environment.
    home.write("access.toml", "[admin]\nlocal_users = [\"mallory\"]\n");
    let mut command = home.command(&["diagnose", "redis"]);
    command.env("USER", "mallory").env("LOGNAME", "mallory");
    finish(command).ended(2);
}

#[test]
fn a_target_that_never_answers_costs_no_more_than_the_deadline() {
    let home = Home::with_redis(mute());
    home.write("handbell.toml", QUICK);
    let ran = home.run(&["diagnose", "redis", "--json"]).ended(1);
    assert_eq!(ran.json()["root_causes"][0]["cause"], "redis.hung");
    assert!(ran.took < Duration::from_secs(6), "{:?}", ran.took);
}

#[test]
fn what_is_no_redis_is_told_apart() {
    let home = Home::with_redis(saying("HTTP/1.1 400 Bad Request\r\n\r\n"));
    home.write("handbell.toml", QUICK);
    let ran = home.run(&["diagnose", "redis", "--json"]).ended(1);
    let roots = &ran.json()["root_causes"];
    assert_eq!(roots[0]["cause"], "redis.not-redis", "{roots}");
    assert_eq!(roots.as_array().map(Vec::len), Some(1), "{roots}");
}

/// A page whose one check waits long for a Redis that says nothing.
const PATIENT: &str = r#"
[runbook]
id = "patient"
section = "2.3"
title = { en = "A long wait", zh = "漫长等待" }
symptom = { en = "Nothing is said", zh = "没有应答" }
severity = "P1"
owner = "ops"
reviewed = 2026-11-22

[[check]]
id = "ping"
title = { en = "Ping", zh = "探活" }
probe = "redis.ping"
target = "cache"
timeout = "60s"

  [[check.rule]]
  when = "state != 'ok'"
  verdict = "critical"
  cause = "redis.hung"
  say = { en = "Redis says nothing.", zh = "Redis 没有应答。" }
"#;

#[test]
fn interrupting_ends_cleanly() {
    let home = Home::with_redis(mute());
    home.write("commands/patient.toml", PATIENT);
    home.write(
        "handbell.toml",
        "[store]\ndirectory = \"../state\"\n[diagnosis]\nrun_deadline = \"2m\"\n",
    );
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let child = home
            .command(&["diagnose", "patient"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let recorded = || {
            home.run(&["history", "--json"])
                .json()
                .as_array()
                .map_or(0, Vec::len)
        };
        while recorded() < usize::from(signal == "-TERM") + 1 {
            std::thread::sleep(Duration::from_millis(50));
        }
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args([signal, &pid])
            .status();
        assert!(sent.expect("kill runs").success());
        let ended = child.wait_with_output().expect("ends");
        assert_eq!(ended.status.code(), Some(code), "{ended:?}");
        assert!(String::from_utf8_lossy(&ended.stderr).contains("interrupted"));
    }
    let all = home.run(&["history", "--json"]).ended(0).json();
    assert_eq!(
        all[0]["state"], "running",
        "young enough to be another process's: {all}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Home::with_redis(nobody());
    let mut child = home
        .command(&["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("ends");
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn completions_and_manual_pages_are_made_from_the_same_words() {
    let home = Home::new(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = home.run(&["completions", shell]).ended(0).says("diagnose");
        // clap_complete gives the others no values of arguments without a flag.
        if ["bash", "zsh"].contains(&shell) {
            ran.says("redis");
        }
    }
    home.run(&["man"]).ended(0).says(".TH handbell 1");
    let pages = home.dir.path().join("man");
    home.run(&["man", "--out", pages.to_str().expect("UTF-8")])
        .ended(0);
    for page in ["handbell.1", "handbell-diagnose.1", "handbell-doctor.1"] {
        assert!(pages.join(page).exists(), "{page} is missing");
    }
}

#[test]
fn init_writes_what_is_missing_and_keeps_what_is_there() {
    let home = Home::new(&[]);
    let dir = home.dir.path().join("new/config");
    let path = dir.to_str().expect("UTF-8");
    let first = home
        .run(&["init", path, "--application", "123456789012345678"])
        .ended(0);
    assert!(first.out.contains(
        "https://discord.com/oauth2/authorize?client_id=123456789012345678&scope=bot%20applications.commands&permissions=274877959168"
    ), "{}", first.out);
    assert_eq!(binary::mode(&dir.join("oncall.toml")), 0o600);
    std::fs::write(dir.join("targets.toml"), "# mine\n").expect("written");
    std::fs::remove_file(dir.join("access.toml")).expect("removed");
    let second = home.run(&["init", path]).ended(0);
    assert!(
        second.out.contains("kept") && second.out.contains("wrote"),
        "{}",
        second.out
    );
    assert_eq!(
        std::fs::read_to_string(dir.join("targets.toml")).expect("there"),
        "# mine\n"
    );
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_handbell"));
    command
        .env_clear()
        .env("HOME", home.dir.path())
        .args(["--config", path, "history"]);
    finish(command).ended(0);
}

#[test]
fn doctor_says_what_is_wrong_and_how_to_mend_it() {
    let address = nobody();
    let home = Home::with_redis(address);
    let ran = home.run(&["doctor"]).ended(1);
    for part in [
        &address.to_string(),
        "HANDBELL_DISCORD_TOKEN is not set",
        "→",
        "/nowhere/docker.sock",
        "written and read",
        "wrong.",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in {}", ran.out);
    }
    let json = home.run(&["doctor", "--json"]).ended(1).json();
    let all = json["checkups"].as_array().expect("a list");
    assert!(json["wrong"].as_u64() >= Some(3));
    for one in all.iter().filter(|one| one["state"] == "wrong") {
        assert!(
            one["mend"].as_str().is_some_and(|mend| !mend.is_empty()),
            "{one}"
        );
    }
    home.write("targets.toml", "[redis.cache]\nadress = 1\n");
    home.run(&["doctor"])
        .ended(1)
        .says("did you mean `address`?");
    home.run(&["doctor", "--json"])
        .ended(1)
        .says("did you mean `address`?");
}

#[test]
fn serving_without_a_token_is_a_clear_error() {
    let home = Home::with_redis(nobody());
    home.run(&["serve"])
        .ended(2)
        .says("the environment variable HANDBELL_DISCORD_TOKEN is not set");
    home.write(
        "handbell.toml",
        "[store]\ndirectory = \"../state\"\n[discord]\ntoken = { file = \"no.token\" }\n",
    );
    home.run(&["serve"])
        .ended(2)
        .says("no.token")
        .says("does not exist");
    home.write("no.token", "\n");
    home.run(&["serve"]).ended(2).says("is empty");
}

#[test]
fn bad_pages_are_answered_with_their_place() {
    let good = include_str!("../commands/redis.toml");
    let home = Home::with_redis(nobody());
    for (what, page, says) in [
        (
            "broken TOML",
            good.replacen("[runbook]", "[runbook", 1),
            "redis.toml:",
        ),
        (
            "wrong type",
            good.replacen("section = \"2.3\"", "section = 2", 1),
            "`section`",
        ),
        (
            "duplicate key",
            good.replacen("owner = ", "owner = \"x\"\nowner = ", 1),
            "redis.toml:",
        ),
        (
            "unknown key",
            good.replacen("owner = ", "ownr = ", 1),
            "did you mean `owner`?",
        ),
    ] {
        assert_ne!(page, good, "{what}: the page has changed");
        home.write("commands/redis.toml", &page);
        let ran = home.run(&["diagnose", "redis"]).ended(2);
        assert!(
            ran.err.contains(says) && ran.err.contains('^'),
            "{what}: {}",
            ran.err
        );
        home.run(&["doctor", "--no-discord"])
            .ended(1)
            .says("handbook");
    }
    assert_eq!(
        home.run(&["history", "--json"]).json(),
        serde_json::json!([]),
        "nothing was done"
    );
}
