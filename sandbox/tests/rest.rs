//! REST as a bot without a library uses it: refusals, limits, permissions, rate limits, tokens and their times.
//! Every answer, refusals too, is held against Discord's OpenAPI description.

#![expect(clippy::expect_used, reason = "a test speaks and breaks off in words")]

mod support;

use handbell_sandbox::Options;
use serde_json::{Value, json};
use support::Town;

async fn code(town: &Town, method: &str, path: &str, body: Value) -> (u16, u64) {
    let (status, _, body) = town.rest(method, path, body).await;
    (status, body["code"].as_u64().unwrap_or(0))
}

#[tokio::test]
async fn refusals_carry_discords_codes() {
    let town = Town::start().await;
    let ops = town.channel("ops");
    let cases = [
        ("GET", "/channels/5".to_owned(), Value::Null, (404, 10_003)),
        (
            "GET",
            format!("/channels/{ops}/messages/5"),
            Value::Null,
            (404, 10_008),
        ),
        (
            "POST",
            format!("/channels/{ops}/messages"),
            json!({}),
            (400, 50_006),
        ),
        (
            "POST",
            format!("/channels/{ops}/messages"),
            json!({"content": "x".repeat(2_001)}),
            (400, 50_035),
        ),
        (
            "POST",
            format!("/channels/{ops}/messages"),
            json!({"content": "x", "message_reference": {"message_id": "5"}}),
            (400, 50_035),
        ),
        (
            "POST",
            "/interactions/5/token/callback".to_owned(),
            json!({"type": 5}),
            (404, 10_062),
        ),
        (
            "POST",
            format!("/webhooks/{}/token", town.sandbox.ready().application_id),
            json!({"content": "x"}),
            (404, 10_015),
        ),
        (
            "GET",
            format!("/guilds/{}/members/5", town.guild()),
            Value::Null,
            (404, 10_007),
        ),
        (
            "PATCH",
            format!("/channels/{ops}"),
            json!({"name": "x"}),
            (403, 50_013),
        ),
        ("GET", "/nonsense".to_owned(), Value::Null, (404, 0)),
    ];
    for (method, path, body, expected) in cases {
        assert_eq!(
            code(&town, method, &path, body).await,
            expected,
            "{method} {path}"
        );
    }
    let unauthorised = reqwest::Client::new()
        .get(format!("{}/users/@me", town.sandbox.ready().rest))
        .header("Authorization", "Bot nonsense")
        .send()
        .await
        .expect("an answer");
    assert_eq!(unauthorised.status(), 401);
    town.hold_against_openapi().await;
}

#[tokio::test]
async fn a_lost_permission_is_missed_where_it_is_lost() {
    let town = Town::start().await;
    let (ops, general) = (town.channel("ops"), town.channel("general"));
    let send = |channel: &str| format!("/channels/{channel}/messages");
    let lost = town.post("faults", json!({"kind": "lose_permissions", "permissions": ["SEND_MESSAGES"], "channel_id": ops})).await;
    assert_eq!(
        code(&town, "POST", &send(&ops), json!({"content": "x"})).await,
        (403, 50_013)
    );
    assert_eq!(
        code(&town, "POST", &send(&general), json!({"content": "x"}))
            .await
            .0,
        200
    );
    town.ask(
        "DELETE",
        &format!("faults/{}", lost["id"].as_str().expect("an id")),
        Value::Null,
    )
    .await;
    assert_eq!(
        code(&town, "POST", &send(&ops), json!({"content": "x"}))
            .await
            .0,
        200
    );
    town.post(
        "faults",
        json!({"kind": "lose_permissions", "permissions": ["VIEW_CHANNEL"]}),
    )
    .await;
    assert_eq!(
        code(&town, "GET", &format!("/channels/{ops}"), Value::Null).await,
        (403, 50_001)
    );
    town.hold_against_openapi().await;
}

#[tokio::test]
async fn a_private_channel_is_private_for_people_too() {
    let town = Town::start().await;
    let ops = town.channel("ops");
    let (status, _) = town
        .ask(
            "PUT",
            &format!("channels/{ops}/permissions/@everyone"),
            json!({"deny": ["VIEW_CHANNEL"]}),
        )
        .await;
    assert_eq!(status, 200);
    town.ask(
        "PUT",
        &format!("channels/{ops}/permissions/operator"),
        json!({"allow": ["VIEW_CHANNEL"]}),
    )
    .await;
    assert_eq!(
        town.ask(
            "GET",
            &format!("channels/{ops}/messages?as=carol"),
            Value::Null
        )
        .await
        .0,
        404
    );
    assert_eq!(
        town.ask(
            "GET",
            &format!("channels/{ops}/messages?as=alice"),
            Value::Null
        )
        .await
        .0,
        200
    );
    assert_eq!(
        town.ask(
            "GET",
            &format!("channels/{ops}/messages?as=dave"),
            Value::Null
        )
        .await
        .0,
        200,
        "administrators see everything"
    );
}

#[tokio::test]
async fn limits_of_a_route_and_storms_say_how_long_to_wait() {
    let town = Town::start().await;
    let path = format!("/channels/{}/messages", town.channel("ops"));
    for left in (0..5).rev() {
        let (status, headers, _) = town.rest("POST", &path, json!({"content": "x"})).await;
        assert_eq!(
            (
                status,
                headers["x-ratelimit-remaining"].to_str().expect("text")
            ),
            (200, left.to_string().as_str())
        );
    }
    let (status, headers, body) = town.rest("POST", &path, json!({"content": "x"})).await;
    assert_eq!((status, body["global"].as_bool()), (429, Some(false)));
    assert!(headers.contains_key("retry-after") && body["retry_after"].as_f64() > Some(0.0));
    town.post("clock", json!({"advance_ms": 5_000})).await;
    assert_eq!(
        town.rest("POST", &path, json!({"content": "x"})).await.0,
        200
    );
    town.post(
        "faults",
        json!({"kind": "rate_limit", "times": 2, "retry_after_ms": 1_500, "global": true}),
    )
    .await;
    for _ in 0..2 {
        let (status, headers, body) = town.rest("GET", "/users/@me", Value::Null).await;
        assert_eq!(
            (
                status,
                headers["retry-after"].to_str().expect("text"),
                body["retry_after"].as_f64()
            ),
            (429, "2", Some(1.5))
        );
        assert_eq!(headers["x-ratelimit-global"], "true");
    }
    assert_eq!(town.rest("GET", "/users/@me", Value::Null).await.0, 200);
    town.post("faults", json!({"kind": "server_error", "status": 502}))
        .await;
    assert_eq!(town.rest("GET", "/users/@me", Value::Null).await.0, 502);
    town.post("faults", json!({"kind": "refuse", "code": 30_046}))
        .await;
    assert_eq!(
        code(&town, "GET", "/users/@me", Value::Null).await,
        (400, 30_046)
    );
    town.hold_against_openapi().await;
}

#[tokio::test]
async fn a_lost_answer_was_carried_out_and_a_nonce_tells() {
    let town = Town::start().await;
    let url = format!(
        "{}/channels/{}/messages",
        town.sandbox.ready().rest,
        town.channel("ops")
    );
    let body = json!({"content": "once", "nonce": "n-1", "enforce_nonce": true});
    let send = || {
        reqwest::Client::new()
            .post(&url)
            .header(
                "Authorization",
                format!("Bot {}", town.sandbox.ready().token),
            )
            .json(&body)
            .send()
    };
    town.post("faults", json!({"kind": "lost_answer"})).await;
    assert!(send().await.is_err(), "the connection breaks");
    town.reads("alice", "ops", "once").await;
    let again: Value = send().await.expect("an answer").json().await.expect("JSON");
    let messages = town.messages("ops", "alice").await;
    assert_eq!((messages.len(), &messages[0]["id"]), (1, &again["id"]));
    town.post("faults", json!({"kind": "cut"})).await;
    assert!(send().await.is_err());
    town.hold_against_openapi().await;
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

#[tokio::test]
async fn what_can_be_read_is_as_the_description_says() {
    let town = Town::start().await;
    let ready = town.sandbox.ready();
    let (guild, application, ops) = (town.guild(), &ready.application_id, town.channel("ops"));
    let (_, _, message) = town.rest("POST", &format!("/channels/{ops}/messages"), json!({"content": "<@1000000000000000401>", "embeds": [{"title": "t", "image": {"url": "https://example.org/a.png"}, "author": {"name": "a"}, "timestamp": "2026-01-02T03:04:05Z"}]})).await;
    let id = message["id"].as_str().expect("an id").to_owned();
    let layout = json!({"flags": 32_768, "components": [{"type": 17, "accent_color": 255, "components": [{"type": 10, "content": "text"}, {"type": 14},
        {"type": 9, "components": [{"type": 10, "content": "x"}], "accessory": {"type": 2, "style": 1, "label": "b", "custom_id": "c"}}]}]});
    assert_eq!(
        town.rest("POST", &format!("/channels/{ops}/messages"), layout)
            .await
            .0,
        200
    );
    for (method, path) in [
        (
            "PUT",
            format!("/channels/{ops}/messages/{id}/reactions/%F0%9F%94%A5/@me"),
        ),
        ("PUT", format!("/channels/{ops}/messages/pins/{id}")),
    ] {
        assert_eq!(town.rest(method, &path, Value::Null).await.0, 204, "{path}");
    }
    let paths = [
        "/gateway".to_owned(),
        "/gateway/bot".to_owned(),
        "/users/@me".to_owned(),
        "/users/@me/guilds".to_owned(),
        "/users/1000000000000000401".to_owned(),
        "/applications/@me".to_owned(),
        "/oauth2/applications/@me".to_owned(),
        format!("/applications/{application}/commands"),
        format!("/guilds/{guild}"),
        format!("/guilds/{guild}/channels"),
        format!("/guilds/{guild}/roles"),
        format!("/guilds/{guild}/members/1000000000000000401"),
        format!("/guilds/{guild}/members/search?query=al"),
        format!("/channels/{ops}"),
        format!("/channels/{ops}/messages?limit=10"),
        format!("/channels/{ops}/messages/{id}"),
        format!("/channels/{ops}/messages/pins"),
        format!("/channels/{ops}/pins"),
        format!("/channels/{ops}/messages/{id}/reactions/%F0%9F%94%A5"),
    ];
    for path in paths {
        assert_eq!(town.rest("GET", &path, Value::Null).await.0, 200, "{path}");
    }
    town.hold_against_openapi().await;
}

#[tokio::test]
async fn a_page_from_elsewhere_is_refused() {
    let town = Town::start().await;
    let url = format!("{}sandbox/state", town.sandbox.ready().page);
    let client = reqwest::Client::new();
    assert_eq!(
        client
            .get(&url)
            .header("Origin", "https://evil.example")
            .send()
            .await
            .expect("an answer")
            .status(),
        403
    );
    assert_eq!(
        client
            .get(&url)
            .header("Host", "evil.example")
            .send()
            .await
            .expect("an answer")
            .status(),
        403
    );
    assert_eq!(
        client.get(&url).send().await.expect("an answer").status(),
        200
    );
    let elsewhere = Options {
        listen: "0.0.0.0:0".parse().expect("an address"),
        ..Options::default()
    };
    assert!(
        handbell_sandbox::Sandbox::start(elsewhere).await.is_err(),
        "loopback only"
    );
}
