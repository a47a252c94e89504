//! The bot's start and end as Discord and an operator see them.

mod support;

use std::{sync::Arc, time::Duration};

use serde_json::json;
use support::{Bot, Hung, Redis, Sandbox, Setup, person::text};

#[tokio::test]
async fn commands_are_written_once_and_then_only_when_they_change() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let setup = Setup::redis(redis.port);
    let mut bot = Bot::start(&sandbox, &setup).await;
    let written = sandbox.requests("POST", "/commands").await;
    assert_eq!(written.len(), 5, "{written:?}");
    assert_eq!(bot.stop().0, Some(0), "{}", bot.log());

    sandbox.forget_traffic().await;
    let directory = bot.directory();
    std::fs::remove_file(directory.path().join("log")).unwrap();
    let bot = Bot::launch(&sandbox, &setup, Arc::clone(&directory));
    bot.logs("the commands of the guild are in place").await;
    assert!(bot.log().contains("unchanged=5"), "{}", bot.log());
    let bot = bot.connected(&sandbox).await;
    for method in ["POST", "PATCH", "PUT", "DELETE"] {
        let written = sandbox.requests(method, "/commands").await;
        assert!(
            written.is_empty(),
            "a second start writes nothing: {written:?}"
        );
    }
    drop(bot);

    // Another application's hand, or an older version: one changed, one that is no longer there.
    let application = sandbox.ready["application_id"].as_str().unwrap();
    let guild = sandbox.ready["guild_id"].as_str().unwrap();
    let rest = sandbox.ready["rest"].as_str().unwrap();
    let token = sandbox.ready["token"].as_str().unwrap();
    let client = reqwest::Client::new();
    for command in [
        json!({"name": "help", "type": 1, "description": "something old"}),
        json!({"name": "remediate", "type": 1, "description": "no longer there"}),
    ] {
        let url = format!("{rest}/applications/{application}/guilds/{guild}/commands");
        let mut status = reqwest::StatusCode::TOO_MANY_REQUESTS;
        // The bot's own writes have used up what is allowed for the moment.
        for _ in 0..10 {
            let request = client
                .post(&url)
                .header("Authorization", format!("Bot {token}"));
            let answer = request.json(&command).send().await.unwrap();
            status = answer.status();
            if status != reqwest::StatusCode::TOO_MANY_REQUESTS {
                break;
            }
            let said: serde_json::Value = answer.json().await.unwrap();
            let wait = said["retry_after"].as_f64().unwrap();
            tokio::time::sleep(Duration::from_secs_f64(wait + 0.1)).await;
        }
        assert!(status.is_success(), "{status}");
    }
    std::fs::remove_file(directory.path().join("log")).unwrap();
    let bot = Bot::launch(&sandbox, &setup, directory);
    bot.logs("the commands of the guild are in place").await;
    let log = bot.log();
    assert!(
        log.contains("written=\"help\"") && log.contains("removed=\"remediate\""),
        "{log}"
    );
    assert!(log.contains("unchanged=4"), "{log}");
}

#[tokio::test]
async fn a_refused_token_ends_the_bot_with_a_sentence_and_is_not_quoted() {
    let sandbox = Sandbox::start().await;
    let mut setup = Setup::redis(1);
    let wrong = "MTAwMDAwMDAwMDAwMDAwMDAwMQ.Gwrong.token-that-nobody-knows";
    setup.token = Some(wrong.to_owned());
    let directory = tempfile::tempdir().unwrap().into();
    let mut bot = Bot::launch(&sandbox, &setup, directory);
    assert_eq!(bot.ended(Duration::from_secs(20)), Some(2), "{}", bot.log());
    assert!(
        bot.log()
            .contains("Discord refuses the token from the file"),
        "{}",
        bot.log()
    );
    assert!(!bot.log().contains(wrong), "{}", bot.log());
}

#[tokio::test]
async fn a_token_that_is_revoked_while_the_bot_runs_ends_it_with_a_sentence() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let mut bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    sandbox.fault(json!({"kind": "unauthorized"})).await;
    sandbox.fault(json!({"kind": "forget_sessions"})).await;
    sandbox.fault(json!({"kind": "gateway_drop"})).await;
    assert_eq!(bot.ended(Duration::from_mins(1)), Some(2), "{}", bot.log());
    assert!(
        bot.log().contains("Discord refuses the token"),
        "{}",
        bot.log()
    );
}

#[tokio::test]
async fn while_discord_is_down_the_bot_keeps_trying() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let down = json!({"kind": "server_error", "route": null, "times": null, "status": 503});
    sandbox.fault(down).await;
    let directory = tempfile::tempdir().unwrap().into();
    let bot = Bot::launch(&sandbox, &Setup::redis(redis.port), directory);
    bot.logs("Discord does not answer; trying again").await;
    sandbox.heal().await;
    let _bot = bot.connected(&sandbox).await;
    let report = sandbox.person("alice").asks("diagnose redis").await;
    assert!(text(&report).contains("healthy"), "{}", text(&report));
}

#[tokio::test]
async fn neither_the_token_nor_an_interaction_s_token_is_ever_logged() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    let alice = sandbox.person("alice");
    for kind in ["server_error", "cut", "lost_answer", "rate_limit"] {
        sandbox
            .fault(json!({"kind": kind, "method": "PATCH", "times": 2}))
            .await;
        sandbox
            .fault(json!({"kind": kind, "method": "POST", "times": 1}))
            .await;
        alice.asks("diagnose redis").await;
        sandbox.heal().await;
    }
    let log = bot.log();
    let token = sandbox.ready["token"].as_str().unwrap();
    assert!(!log.contains(token), "the bot's token is in the log");
    for request in sandbox.traffic().await {
        let path = request["path"].as_str().unwrap();
        if let Some(rest) = path.strip_prefix("/interactions/") {
            let secret = rest.split('/').nth(1).unwrap();
            assert!(
                !log.contains(secret),
                "an interaction's token is in the log"
            );
        }
    }
}

#[tokio::test]
async fn a_guild_that_the_bot_is_invited_to_later_gets_its_commands_then() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let stranger = json!({"kind": "refuse", "method": "GET", "route": "/guilds/\\d+/commands$", "code": 50001, "times": null});
    sandbox.fault(stranger).await;
    let directory = tempfile::tempdir().unwrap().into();
    let bot = Bot::launch(&sandbox, &Setup::redis(redis.port), directory);
    bot.logs("invite the bot into this guild").await;
    bot.logs("connected to the gateway").await;
    assert!(!bot.log().contains("are in place"), "{}", bot.log());
    sandbox.heal().await;
    // What Discord sends when somebody has invited the bot: GUILD_CREATE.
    sandbox.fault(json!({"kind": "guild_outage"})).await;
    sandbox.heal().await;
    bot.logs("the commands of the guild are in place").await;
    let _bot = bot.connected(&sandbox).await;
    let report = sandbox.person("alice").asks("diagnose redis").await;
    assert!(text(&report).contains("healthy"), "{}", text(&report));
}

#[tokio::test]
async fn told_to_stop_without_a_gateway_the_bot_answers_what_runs() {
    let hung = Hung::start();
    let sandbox = Sandbox::start().await;
    let mut bot = Bot::start(&sandbox, &Setup::redis(hung.port)).await;
    let alice = sandbox.person("alice");
    let asked = alice.types("diagnose redis").await;
    alice.reads("⏳").await;
    sandbox
        .fault(json!({"kind": "gateway_refuse", "times": null}))
        .await;
    sandbox.fault(json!({"kind": "gateway_drop"})).await;
    bot.terminate();
    assert_eq!(bot.ended(Duration::from_secs(20)), Some(0), "{}", bot.log());
    let said = text(&alice.reads_reply(&asked).await);
    assert!(
        said.contains("redis.hung") || said.contains("was stopped before"),
        "{said}"
    );
}

#[tokio::test]
async fn an_error_that_ends_the_bot_leaves_nobody_without_an_answer() {
    let hung = Hung::start();
    let sandbox = Sandbox::start().await;
    // 4014: the application may not have what it asked for; no waiting mends that.
    let mut bot = Bot::start(&sandbox, &Setup::redis(hung.port)).await;
    let alice = sandbox.person("alice");
    let asked = alice.types("diagnose redis").await;
    alice.reads("⏳").await;
    sandbox
        .fault(json!({"kind": "gateway_drop", "code": 4014}))
        .await;
    assert_eq!(bot.ended(Duration::from_secs(30)), Some(2), "{}", bot.log());
    let said = text(&alice.reads_reply(&asked).await);
    assert!(
        said.contains("redis.hung") || said.contains("was stopped before"),
        "{said}"
    );
}
