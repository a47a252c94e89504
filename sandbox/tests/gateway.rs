//! The gateway without a client library: what it says, what it refuses, what it remembers. Every payload is read by `twilight-model`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test speaks and breaks off in words"
)]

mod support;

use std::time::Duration;

use flate2::{Decompress, FlushDecompress};
use futures_util::{SinkExt, StreamExt};
use handbell_sandbox::Options;
use serde::de::DeserializeSeed;
use serde_json::{Value, json};
use support::Town;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use twilight_model::gateway::event::{GatewayEvent, GatewayEventDeserializer};

/// `GUILDS`, `GUILD_MESSAGES`, `GUILD_MESSAGE_TYPING`
const INTENTS: u64 = 1 | 1 << 9 | 1 << 11;

/// A connection that remembers the last sequence.
struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    stream: Option<Decompress>,
    sequence: u64,
    binary: usize,
}

/// What comes next on a connection.
#[derive(Debug, PartialEq)]
enum Next {
    Payload(Value),
    Closed(u16),
    Cut,
}

impl Wire {
    async fn open(town: &Town, query: &str) -> Self {
        let url = format!("{}{query}", town.sandbox.ready().gateway);
        let (socket, _) = tokio_tungstenite::connect_async(url)
            .await
            .expect("a connection");
        let stream = query.contains("zlib-stream").then(|| Decompress::new(true));
        Self {
            socket,
            stream,
            sequence: 0,
            binary: 0,
        }
    }

    fn read(&mut self, bytes: &[u8]) -> String {
        self.binary += 1;
        let mut whole = Decompress::new(true);
        let inflate = self.stream.as_mut().unwrap_or(&mut whole);
        let mut out = Vec::with_capacity(4 * 1024 * 1024);
        inflate
            .decompress_vec(bytes, &mut out, FlushDecompress::Sync)
            .expect("zlib");
        String::from_utf8(out).expect("text")
    }

    async fn next(&mut self) -> Next {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(5), self.socket.next())
                .await
                .expect("the gateway says something");
            let text = match message {
                Some(Ok(Message::Text(text))) => text.to_string(),
                Some(Ok(Message::Binary(bytes))) => self.read(&bytes),
                Some(Ok(Message::Close(Some(frame)))) => return Next::Closed(frame.code.into()),
                Some(Ok(_)) => continue,
                _ => return Next::Cut,
            };
            let event = GatewayEventDeserializer::from_json(&text).expect("an envelope");
            let mut json = serde_json::Deserializer::from_str(&text);
            let parsed: Result<GatewayEvent, _> = event.deserialize(&mut json);
            parsed.unwrap_or_else(|error| panic!("twilight-model cannot read it: {error}\n{text}"));
            let payload: Value = serde_json::from_str(&text).expect("JSON");
            self.sequence = payload["s"].as_u64().unwrap_or(self.sequence);
            return Next::Payload(payload);
        }
    }

    async fn payload(&mut self) -> Value {
        match self.next().await {
            Next::Payload(payload) => payload,
            other => panic!("{other:?}"),
        }
    }

    /// Skips to an event.
    async fn event(&mut self, name: &str) -> Value {
        loop {
            let payload = self.payload().await;
            if payload["t"] == name {
                return payload["d"].clone();
            }
        }
    }

    async fn say(&mut self, payload: Value) {
        self.socket
            .send(Message::Text(payload.to_string().into()))
            .await
            .expect("sent");
    }

    async fn identify(town: &Town, query: &str, extra: Value) -> (Self, Value) {
        let mut wire = Self::open(town, query).await;
        assert_eq!(wire.payload().await["op"], 10);
        wire.say(identify(town, extra)).await;
        let ready = wire.event("READY").await;
        wire.event("GUILD_CREATE").await;
        (wire, ready)
    }

    /// What the gateway answers to one payload before IDENTIFY.
    async fn answer_to(town: &Town, payload: Value) -> Next {
        let mut wire = Self::open(town, "").await;
        wire.payload().await;
        wire.say(payload).await;
        wire.next().await
    }
}

#[expect(clippy::needless_pass_by_value, reason = "built for its one call")]
fn identify(town: &Town, extra: Value) -> Value {
    let mut data = json!({"token": town.sandbox.ready().token, "intents": INTENTS, "properties": {"os": "linux", "browser": "test", "device": "test"}});
    data.as_object_mut()
        .expect("an object")
        .extend(extra.as_object().expect("an object").clone());
    json!({"op": 2, "d": data})
}

async fn talk(town: &Town, text: &str) {
    let channel = town.channel("ops");
    town.post(
        &format!("channels/{channel}/messages"),
        json!({"as": "alice", "content": text}),
    )
    .await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one life of a guild, told in order")]
async fn every_kind_of_event_is_what_twilight_expects() {
    let town = Town::start().await;
    let (mut wire, ready) =
        Wire::identify(&town, "/?v=10&encoding=json", json!({"compress": true})).await;
    assert_eq!(
        ready["user"]["id"],
        json!(town.sandbox.ready().application_id)
    );
    assert!(wire.binary > 0, "large payloads come compressed");
    let channel = town.channel("ops");
    town.rest("PUT", &format!("/applications/{}/guilds/{}/commands", town.sandbox.ready().application_id, town.guild()),
        json!([{"name": "ask", "description": "x", "options": [{"type": 6, "name": "who", "description": "x"}]}, {"name": "Look", "type": 3}])).await;
    town.post(
        &format!("channels/{channel}/typing"),
        json!({"as": "alice"}),
    )
    .await;
    wire.event("TYPING_START").await;
    talk(&town, "hello").await;
    let message = wire.event("MESSAGE_CREATE").await;
    assert_eq!(
        message["content"], "",
        "without the privileged intent the text of others stays hidden"
    );
    let id = message["id"].as_str().expect("an id");
    town.ask(
        "PATCH",
        &format!("messages/{id}"),
        json!({"as": "alice", "content": "hello again"}),
    )
    .await;
    wire.event("MESSAGE_UPDATE").await;
    town.post(
        "commands/invoke",
        json!({"as": "alice", "channel_id": channel, "command": "ask", "options": {"who": "bob"}}),
    )
    .await;
    let interaction = wire.event("INTERACTION_CREATE").await;
    assert_eq!(
        interaction["data"]["resolved"]["users"]["1000000000000000403"]["username"],
        "bob"
    );
    town.post(
        "commands/invoke",
        json!({"as": "alice", "channel_id": channel, "command": "Look", "target_message_id": id}),
    )
    .await;
    assert_eq!(
        wire.event("INTERACTION_CREATE").await["data"]["resolved"]["messages"][id]["content"],
        "hello again",
        "a message command carries the text"
    );
    let thread = town
        .post(
            "threads",
            json!({"as": "alice", "channel_id": channel, "message_id": id, "name": "t"}),
        )
        .await;
    wire.event("THREAD_CREATE").await;
    let thread = thread["id"].as_str().expect("an id");
    town.post(
        &format!("threads/{thread}"),
        json!({"as": "bob", "action": "join"}),
    )
    .await;
    wire.event("THREAD_MEMBERS_UPDATE").await;
    town.post(
        &format!("threads/{thread}"),
        json!({"as": "alice", "action": "archive"}),
    )
    .await;
    assert_eq!(
        wire.event("THREAD_UPDATE").await["thread_metadata"]["archived"],
        true
    );
    town.ask("DELETE", &format!("channels/{thread}"), Value::Null)
        .await;
    wire.event("THREAD_DELETE").await;
    let role = town
        .post("roles", json!({"name": "night", "colour": "#123456"}))
        .await;
    wire.event("GUILD_ROLE_CREATE").await;
    town.ask(
        "DELETE",
        &format!("roles/{}", role["id"].as_str().expect("an id")),
        Value::Null,
    )
    .await;
    wire.event("GUILD_ROLE_DELETE").await;
    let made = town.post("channels", json!({"name": "New one"})).await;
    assert_eq!(wire.event("CHANNEL_CREATE").await["name"], "new-one");
    town.ask(
        "DELETE",
        &format!("channels/{}", made["id"].as_str().expect("an id")),
        Value::Null,
    )
    .await;
    wire.event("CHANNEL_DELETE").await;
    town.ask("DELETE", &format!("messages/{id}"), json!({"as": "alice"}))
        .await;
    wire.event("MESSAGE_DELETE").await;
    wire.say(json!({"op": 8, "d": {"guild_id": town.guild(), "query": "al", "limit": 5}}))
        .await;
    assert_eq!(
        wire.event("GUILD_MEMBERS_CHUNK").await["members"][0]["user"]["username"],
        "alice"
    );
    wire.say(json!({"op": 1, "d": wire.sequence})).await;
    assert_eq!(wire.payload().await["op"], 11);
}

#[tokio::test]
async fn a_zlib_stream_carries_everything_in_binary() {
    let town = Town::start().await;
    let (mut wire, _) = Wire::identify(
        &town,
        "/?v=10&encoding=json&compress=zlib-stream",
        json!({"compress": true}),
    )
    .await;
    for number in 0..20 {
        talk(&town, &format!("message {number}")).await;
        wire.event("MESSAGE_CREATE").await;
    }
    assert!(wire.binary >= 23);
}

#[tokio::test]
async fn what_was_missed_is_replayed_after_a_resume() {
    let town = Town::start().await;
    let (mut wire, ready) = Wire::identify(&town, "", json!({})).await;
    let sequence = wire.sequence;
    town.post("faults", json!({"kind": "gateway_drop"})).await;
    assert_eq!(wire.next().await, Next::Cut);
    talk(&town, "one").await;
    talk(&town, "two").await;
    let resume = |sequence: u64| json!({"op": 6, "d": {"token": town.sandbox.ready().token, "session_id": ready["session_id"], "seq": sequence}});
    let mut again = Wire::open(&town, "").await;
    again.payload().await;
    again.say(resume(sequence)).await;
    let names = [
        again.payload().await["t"].clone(),
        again.payload().await["t"].clone(),
        again.payload().await["t"].clone(),
    ];
    assert_eq!(
        names,
        [
            json!("MESSAGE_CREATE"),
            json!("MESSAGE_CREATE"),
            json!("RESUMED")
        ]
    );
    assert_eq!(
        Wire::answer_to(&town, resume(9_999)).await,
        Next::Closed(4007)
    );
    town.post("faults", json!({"kind": "forget_sessions"}))
        .await;
    assert_eq!(
        Wire::answer_to(&town, resume(sequence)).await,
        Next::Payload(json!({"op": 9, "t": null, "s": null, "d": false}))
    );
}

#[tokio::test]
async fn each_wrong_start_is_closed_with_its_code() {
    let town = Town::start().await;
    let cases = [
        (json!({"op": 3, "d": {}}), 4003),
        (json!({"op": 99, "d": {}}), 4003),
        (json!({"op": "x"}), 4002),
        (identify(&town, json!({"token": "Bot wrong"})), 4004),
        (identify(&town, json!({"intents": 1_u64 << 60})), 4013),
        (identify(&town, json!({"intents": 1 << 15})), 4014),
        (identify(&town, json!({"shard": [3, 2]})), 4010),
        (identify(&town, json!({"padding": "x".repeat(4_096)})), 4002),
    ];
    for (payload, code) in cases {
        assert_eq!(
            Wire::answer_to(&town, payload.clone()).await,
            Next::Closed(code),
            "{payload}"
        );
    }
    let mut wire = Wire::open(&town, "?v=6").await;
    assert_eq!(wire.next().await, Next::Closed(4012));
    let (mut wire, _) = Wire::identify(
        &town,
        "",
        json!({"token": format!("Bot {}", town.sandbox.ready().token)}),
    )
    .await;
    wire.say(identify(&town, json!({}))).await;
    assert_eq!(wire.next().await, Next::Closed(4005));
}

#[tokio::test]
async fn too_much_talk_is_closed_and_silence_too() {
    let town = Town::with(Options {
        heartbeat_ms: 400,
        ..Options::default()
    })
    .await;
    let (mut wire, _) = Wire::identify(&town, "", json!({})).await;
    assert_eq!(wire.next().await, Next::Closed(4009), "no heartbeat came");
    let (mut wire, _) = Wire::identify(&town, "", json!({})).await;
    for _ in 0..120 {
        wire.say(json!({"op": 3, "d": {"since": null, "activities": [], "status": "online", "afk": false}})).await;
    }
    assert_eq!(wire.next().await, Next::Closed(4008));
}

#[tokio::test]
async fn faults_reach_the_connection() {
    let town = Town::start().await;
    let (mut wire, _) = Wire::identify(&town, "", json!({})).await;
    town.post("faults", json!({"kind": "gateway_reconnect"}))
        .await;
    assert_eq!(wire.payload().await["op"], 7);
    let outage = town.post("faults", json!({"kind": "guild_outage"})).await;
    assert_eq!(wire.event("GUILD_DELETE").await["unavailable"], true);
    town.ask(
        "DELETE",
        &format!("faults/{}", outage["id"].as_str().expect("an id")),
        Value::Null,
    )
    .await;
    wire.event("GUILD_CREATE").await;
    town.post("faults", json!({"kind": "gateway_silent"})).await;
    talk(&town, "unheard").await;
    wire.say(json!({"op": 1, "d": null})).await;
    town.ask("DELETE", "faults", Value::Null).await;
    // What was held back comes when the silence ends; the heartbeat in the silence stays without an answer.
    wire.event("MESSAGE_CREATE").await;
    town.post("faults", json!({"kind": "gateway_drop", "code": 4000}))
        .await;
    assert_eq!(wire.next().await, Next::Closed(4000));
    town.post("faults", json!({"kind": "gateway_refuse", "times": 1}))
        .await;
    assert!(
        tokio_tungstenite::connect_async(&town.sandbox.ready().gateway)
            .await
            .is_err()
    );
    let recorded = town.get("gateway?limit=10000").await;
    assert!(
        !recorded.to_string().contains(&town.sandbox.ready().token),
        "the token is struck out"
    );
}
