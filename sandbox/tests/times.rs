//! What time does: interactions have three seconds, their tokens fifteen minutes; threads archive, lock and wake.
//! Every answer, refusals too, is held against Discord's OpenAPI description.
#![expect(clippy::expect_used, reason = "a test speaks and breaks off in words")]

mod support;

use serde_json::{Value, json};
use support::Town;

async fn code(town: &Town, method: &str, path: &str, body: Value) -> (u16, u64) {
    let (status, _, body) = town.rest(method, path, body).await;
    (status, body["code"].as_u64().unwrap_or(0))
}

/// Registers a command, uses it as alice, and gives id and token of the interaction.
async fn asked(town: &Town) -> (String, String) {
    let ready = town.sandbox.ready();
    let path = format!(
        "/applications/{}/guilds/{}/commands",
        ready.application_id, ready.guild_id
    );
    town.rest("PUT", &path, json!([{"name": "ask", "description": "x"}]))
        .await;
    let seen = town.get("gateway").await["next"]
        .as_u64()
        .expect("a number");
    let sent = town
        .post(
            "commands/invoke",
            json!({"as": "alice", "channel_id": town.channel("ops"), "command": "ask"}),
        )
        .await;
    let payloads = town.get(&format!("gateway?since={seen}")).await;
    let token = payloads["payloads"]
        .as_array()
        .expect("a list")
        .iter()
        .find_map(|one| one["payload"]["d"]["token"].as_str())
        .expect("an interaction")
        .to_owned();
    (sent["id"].as_str().expect("an id").to_owned(), token)
}

/// A gateway session, without which no interaction is delivered.
async fn session(town: &Town) -> support::Bot {
    struct Nothing;
    impl serenity::all::EventHandler for Nothing {}
    let bot = support::Bot::start(town, Nothing).await;
    town.bot_is_ready(0).await;
    bot
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story of tokens and times")]
async fn an_interaction_has_three_seconds_and_its_token_fifteen_minutes() {
    let town = Town::start().await;
    let _bot = session(&town).await;
    let application = town.sandbox.ready().application_id.clone();
    let (id, token) = asked(&town).await;
    let callback = format!("/interactions/{id}/{token}/callback");
    let original = format!("/webhooks/{application}/{token}/messages/@original");
    assert_eq!(
        code(&town, "PATCH", &original, json!({"content": "early"})).await,
        (404, 10_015),
        "nothing was answered yet"
    );
    assert_eq!(
        code(
            &town,
            "POST",
            &format!("/interactions/{id}/wrong/callback"),
            json!({"type": 5})
        )
        .await,
        (401, 50_027)
    );
    assert_eq!(
        code(
            &town,
            "POST",
            &callback,
            json!({"type": 7, "data": {"content": "x"}})
        )
        .await,
        (400, 50_035),
        "a command cannot be updated"
    );
    assert_eq!(
        town.rest("POST", &callback, json!({"type": 5, "data": {"flags": 64}}))
            .await
            .0,
        204
    );
    assert_eq!(
        code(&town, "POST", &callback, json!({"type": 5})).await,
        (400, 40_060)
    );
    let thinking = town.messages("ops", "alice").await;
    assert_eq!(
        (
            thinking[0]["state"].as_str(),
            thinking[0]["ephemeral"].as_bool()
        ),
        (Some("thinking"), Some(true))
    );
    assert_eq!(
        town.rest(
            "POST",
            &format!("/webhooks/{application}/{token}"),
            json!({"content": "the answer"})
        )
        .await
        .0,
        200
    );
    let answered = town.messages("ops", "alice").await;
    assert_eq!(
        (
            answered.len(),
            answered[0]["content"].as_str(),
            answered[0]["id"].clone()
        ),
        (1, Some("the answer"), thinking[0]["id"].clone()),
        "the first follow-up is the deferred reply"
    );
    assert_eq!(
        town.rest("GET", &original, Value::Null).await.2["flags"],
        64
    );
    town.post("clock", json!({"advance_ms": 15 * 60 * 1_000}))
        .await;
    assert_eq!(
        code(&town, "PATCH", &original, json!({"content": "late"})).await,
        (401, 50_027)
    );

    let (id, token) = asked(&town).await;
    town.post("clock", json!({"advance_ms": 3_000})).await;
    assert_eq!(
        code(
            &town,
            "POST",
            &format!("/interactions/{id}/{token}/callback"),
            json!({"type": 5})
        )
        .await,
        (404, 10_062)
    );

    let (id, token) = asked(&town).await;
    let with_response = format!("/interactions/{id}/{token}/callback?with_response=true");
    let (status, _, body) = town
        .rest(
            "POST",
            &with_response,
            json!({"type": 4, "data": {"content": "now"}}),
        )
        .await;
    assert_eq!(
        (status, body["resource"]["message"]["content"].as_str()),
        (200, Some("now"))
    );
    town.post("faults", json!({"kind": "expire_interactions"}))
        .await;
    assert_eq!(
        code(
            &town,
            "DELETE",
            &format!("/webhooks/{application}/{token}/messages/@original"),
            Value::Null
        )
        .await,
        (401, 50_027)
    );
    town.hold_against_openapi().await;
}

#[tokio::test]
async fn threads_archive_lock_and_wake() {
    let town = Town::start().await;
    let ops = town.channel("ops");
    let (status, _, thread) = town
        .rest(
            "POST",
            &format!("/channels/{ops}/threads"),
            json!({"name": "long", "type": 11, "auto_archive_duration": 60}),
        )
        .await;
    assert_eq!(status, 201, "{thread}");
    let id = thread["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        code(
            &town,
            "POST",
            &format!("/channels/{ops}/threads"),
            json!({"name": "x".repeat(101), "type": 11})
        )
        .await,
        (400, 50_035)
    );
    let (_, _, message) = town
        .rest(
            "POST",
            &format!("/channels/{id}/messages"),
            json!({"content": "first"}),
        )
        .await;
    town.post("clock", json!({"advance_ms": 3_600_000})).await;
    let archived = town
        .rest("GET", &format!("/channels/{id}"), Value::Null)
        .await
        .2;
    assert_eq!(
        archived["thread_metadata"]["archived"], true,
        "an hour without a word"
    );
    let edit = format!(
        "/channels/{id}/messages/{}",
        message["id"].as_str().expect("an id")
    );
    assert_eq!(
        code(&town, "PATCH", &edit, json!({"content": "x"})).await,
        (400, 50_083)
    );
    assert_eq!(
        code(
            &town,
            "PUT",
            &format!("/channels/{id}/thread-members/@me"),
            Value::Null
        )
        .await,
        (400, 50_083)
    );
    assert_eq!(
        town.rest(
            "POST",
            &format!("/channels/{id}/messages"),
            json!({"content": "wake up"})
        )
        .await
        .0,
        200
    );
    assert_eq!(
        town.rest("GET", &format!("/channels/{id}"), Value::Null)
            .await
            .2["thread_metadata"]["archived"],
        false
    );
    let listed = town
        .rest(
            "GET",
            &format!("/guilds/{}/threads/active", town.guild()),
            Value::Null,
        )
        .await
        .2;
    assert_eq!(listed["threads"][0]["id"], id.as_str());
    assert_eq!(
        town.rest(
            "GET",
            &format!("/channels/{ops}/threads/archived/public"),
            Value::Null
        )
        .await
        .0,
        200
    );
    town.hold_against_openapi().await;
}
