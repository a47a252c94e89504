//! A bot on serenity, which no one here wrote, through the front door: it logs in over TLS, registers, is used by people, and what they
//! read is looked at.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test speaks and breaks off in words"
)]

mod bot;
#[path = "../support/mod.rs"]
mod support;

use bot::Everything;
use serde_json::json;
use serenity::all::GuildId;
use support::{Bot, Town};

async fn ready() -> (Town, Bot) {
    let town = Town::start().await;
    let bot = Bot::start(&town, Everything).await;
    town.bot_is_ready(6).await;
    (town, bot)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deferred_command_becomes_a_report_that_people_read() {
    let (town, _bot) = ready().await;
    let asked = town
        .invoke(
            "alice",
            "incidents",
            "diagnose redis",
            json!({"target": "cache"}),
        )
        .await;
    assert_eq!(asked["state"], "answered");
    assert_eq!(asked["delivered"], true);
    let note = town.reads("ming", "incidents", "@approver @alice").await;
    assert_eq!(
        note["mentions"],
        json!({"me": false, "users": ["1000000000000000401"], "roles": [], "everyone": false})
    );
    let report = town
        .reads(
            "ming",
            "incidents",
            "Redis is full\n@bob look\nused\n64 MiB\n0.2 s\nevidence.txt",
        )
        .await;
    assert_eq!(report["kind"], "command");
    assert_eq!(report["command"]["name"], "diagnose redis");
    assert_eq!(report["command"]["person"]["name"], "alice");
    assert_eq!(
        report["mentions"]["users"],
        json!([]),
        "an embed mentions nobody"
    );
    assert_eq!(report["id"], asked["message_id"]);
    let url = format!(
        "{}{}",
        town.sandbox.ready().page.trim_end_matches('/'),
        report["attachments"][0]["url"].as_str().expect("a path")
    );
    assert_eq!(
        reqwest::get(url)
            .await
            .expect("the file")
            .text()
            .await
            .expect("text"),
        "evidence"
    );
    town.hold_against_openapi().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picker_speaks_the_persons_language_and_completes() {
    let (town, _bot) = ready().await;
    let channel = town.channel("ops");
    let commands = town
        .get(&format!("commands?as=ming&channel_id={channel}"))
        .await;
    let diagnose = commands["commands"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["path"] == json!(["diagnose", "redis"]))
        .expect("diagnose")
        .clone();
    assert_eq!(diagnose["display"], json!(["诊断", "redis"]));
    assert_eq!(diagnose["description"], "检查 Redis");
    assert_eq!(diagnose["options"][0]["display_name"], "目标");
    let typed = json!({"as": "ming", "channel_id": channel, "command": "diagnose redis", "options": {"target": "ca"}, "focused": "target"});
    assert_eq!(
        town.post("commands/autocomplete", typed).await,
        json!({"choices": [{"name": "cache（缓存）", "value": "cache"}], "failed": false})
    );
    let (status, refusal) = town.ask("POST", "commands/invoke", json!({"as": "ming", "channel_id": channel, "command": "remediate cache purge-cache", "options": {"limit": 11}})).await;
    assert_eq!(
        (status, refusal["code"].as_str()),
        (400, Some("bad_request")),
        "{refusal}"
    );
    let done = town
        .invoke(
            "ming",
            "ops",
            "remediate cache purge-cache",
            json!({"limit": 7}),
        )
        .await;
    assert_eq!(done["state"], "answered");
    town.reads("alice", "ops", "Integer(7)").await;
    town.hold_against_openapi().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buttons_selects_and_modals_do_what_they_say() {
    let (town, _bot) = ready().await;
    let asked = town.invoke("alice", "ops", "buttons", json!({})).await;
    let message = asked["message_id"].as_str().expect("a message").to_owned();
    let press = |custom_id: &str| json!({"as": "bob", "custom_id": custom_id, "wait_ms": 5_000});
    let (status, refusal) = town
        .ask("POST", &format!("messages/{message}/click"), press("off"))
        .await;
    assert_eq!((status, refusal["code"].as_str()), (409, Some("disabled")));
    let chosen = town
        .post(
            &format!("messages/{message}/select"),
            json!({"as": "bob", "custom_id": "severity", "values": ["p1"], "wait_ms": 5_000}),
        )
        .await;
    assert_eq!(chosen["state"], "answered");
    town.reads("alice", "ops", "chosen p1").await;
    let modal = town
        .post(&format!("messages/{message}/click"), press("ask"))
        .await["modal"]
        .clone();
    assert_eq!(
        (
            modal["title"].as_str(),
            modal["inputs"][0]["label"].as_str()
        ),
        (Some("A reason"), Some("Why?"))
    );
    let submit = format!(
        "modals/{}/submit",
        modal["interaction_id"].as_str().expect("an id")
    );
    let (status, refusal) = town
        .ask(
            "POST",
            &submit,
            json!({"as": "bob", "values": {"reason": "no"}}),
        )
        .await;
    assert_eq!(status, 400, "too short: {refusal}");
    town.post(
        &submit,
        json!({"as": "bob", "values": {"reason": "it is late"}, "wait_ms": 5_000}),
    )
    .await;
    town.reads("alice", "ops", "because it is late").await;
    town.post(&format!("messages/{message}/click"), press("more"))
        .await;
    let now = town.get(&format!("messages/{message}?as=carol")).await;
    assert_eq!(
        (now["content"].as_str(), now["components"].clone()),
        (Some("pressed"), json!([]))
    );
    town.hold_against_openapi().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whisper_is_for_one_and_silence_is_said_aloud() {
    let (town, _bot) = ready().await;
    town.invoke("alice", "general", "whisper", json!({})).await;
    let heard = town.reads("alice", "general", "psst").await;
    assert_eq!(heard["ephemeral"], true);
    assert!(
        town.messages("general", "bob").await.is_empty(),
        "nobody else sees it"
    );
    for (who, sentence) in [
        ("alice", "The application did not respond"),
        ("ming", "应用程序未响应"),
    ] {
        let sent = town
            .post(
                "commands/invoke",
                json!({"as": who, "channel_id": town.channel("general"), "command": "quiet"}),
            )
            .await;
        town.post("clock", json!({"advance_ms": 3_000})).await;
        let id = sent["id"].as_str().expect("an id");
        let settled = town.get(&format!("interactions/{id}?wait_ms=2000")).await;
        assert_eq!(
            (settled["state"].as_str(), settled["notice"].as_str()),
            (Some("failed"), Some(sentence))
        );
        let notice = town.reads(who, "general", sentence).await;
        assert_eq!(
            (notice["kind"].as_str(), notice["state"].as_str()),
            (Some("notice"), Some("failed"))
        );
    }
    assert!(town.messages("general", "bob").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_command_opens_a_thread_on_the_message() {
    let (town, bot) = ready().await;
    let channel = town.channel("incidents");
    let sent = town
        .post(
            &format!("channels/{channel}/messages"),
            json!({"as": "carol", "content": "the shop is slow"}),
        )
        .await;
    let id = sent["id"].as_str().expect("an id").to_owned();
    let used = json!({"as": "alice", "channel_id": channel, "command": "Open incident", "target_message_id": id, "wait_ms": 5_000});
    assert_eq!(
        town.post("commands/invoke", used).await["state"],
        "answered"
    );
    let thread = town.get(&format!("messages/{id}?as=bob")).await["thread"].clone();
    assert_eq!(
        (thread["name"].as_str(), thread["message_count"].as_u64()),
        (Some("incident"), Some(1))
    );
    let inside = town
        .get(&format!(
            "channels/{}/messages?as=bob",
            thread["id"].as_str().expect("an id")
        ))
        .await;
    assert_eq!(inside["messages"][0]["kind"], "thread_starter");
    assert_eq!(inside["messages"][1]["content"], "about: the shop is slow");
    let (status, _, refusal) = town
        .rest(
            "POST",
            &format!("/channels/{channel}/messages/{id}/threads"),
            json!({"name": "again"}),
        )
        .await;
    assert_eq!((status, refusal["code"].as_u64()), (400, Some(160_004)));
    let guild = GuildId::new(town.guild().parse().expect("an id"));
    let active = guild.get_active_threads(&bot.http).await.expect("threads");
    assert_eq!(active.threads.len(), 1);
    town.hold_against_openapi().await;
}
