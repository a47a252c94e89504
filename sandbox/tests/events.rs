//! The event stream: what a person sees as it happens, and what they missed.
#![expect(clippy::expect_used, reason = "a test speaks and breaks off in words")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::Town;

/// One person's stream.
struct Stream {
    answer: reqwest::Response,
    buffer: String,
}

impl Stream {
    async fn open(town: &Town, who: &str, last: Option<&str>) -> Self {
        let url = format!("{}sandbox/events?as={who}", town.sandbox.ready().page);
        let mut request = reqwest::Client::new().get(url);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            buffer: String::new(),
        }
    }

    /// The next event: id, name, data.
    async fn next(&mut self) -> (String, String, Value) {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.buffer = rest;
                let line = |key: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(key))
                        .unwrap_or_default()
                        .trim()
                        .to_owned()
                };
                let data = serde_json::from_str(&line("data:")).expect("one line of JSON");
                return (line("id:"), line("event:"), data);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(5), self.answer.chunk()).await;
            let chunk = chunk
                .expect("something happens")
                .expect("the stream")
                .expect("it goes on");
            self.buffer.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// Skips to an event of that name.
    async fn named(&mut self, name: &str) -> (String, Value) {
        loop {
            let (id, event, data) = self.next().await;
            if event == name {
                return (id, data);
            }
        }
    }
}

async fn talk(town: &Town, text: &str) -> String {
    let path = format!("channels/{}/messages", town.channel("ops"));
    let sent = town
        .post(&path, json!({"as": "carol", "content": text}))
        .await;
    sent["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn each_person_hears_what_is_theirs_and_what_they_missed() {
    let town = Town::start().await;
    let mut alice = Stream::open(&town, "alice", None).await;
    let (_, name, hello) = alice.next().await;
    assert_eq!(
        (name.as_str(), hello["guild"]["name"].as_str()),
        ("hello", Some("Mall"))
    );
    let id = talk(&town, "<@1000000000000000401> hello").await;
    let (seen, message) = alice.named("message").await;
    assert_eq!(
        (message["id"].as_str(), message["mentions"]["me"].as_bool()),
        (Some(id.as_str()), Some(true))
    );
    drop(alice);

    // While alice is away: an edit, a new message, and a channel that she can no longer see.
    town.ask(
        "PATCH",
        &format!("messages/{id}"),
        json!({"as": "carol", "content": "changed"}),
    )
    .await;
    talk(&town, "second").await;
    let secret = town.channel("general");
    town.ask(
        "PUT",
        &format!("channels/{secret}/permissions/@everyone"),
        json!({"deny": ["VIEW_CHANNEL"]}),
    )
    .await;
    let mut alice = Stream::open(&town, "alice", Some(&seen)).await;
    assert_eq!(alice.next().await.1, "hello");
    assert_eq!(alice.named("message_edit").await.1["content"], "changed");
    assert_eq!(alice.named("message").await.1["content"], "second");
    assert_eq!(alice.named("channel_delete").await.1["id"], secret.as_str());

    let mut lost = Stream::open(&town, "bob", Some("999999")).await;
    assert_eq!(lost.next().await.1, "hello");
    assert_eq!(lost.next().await.1, "reset", "an id of another run");
    town.ask("DELETE", &format!("messages/{id}"), json!({"as": "carol"}))
        .await;
    assert_eq!(lost.named("message_delete").await.1["id"], id.as_str());
    town.post("faults", json!({"kind": "gateway_silent"})).await;
    assert_eq!(
        lost.named("faults").await.1["faults"][0]["kind"],
        "gateway_silent"
    );
    town.post(
        "people",
        json!({"name": "erin", "locale": "zh-CN", "roles": ["viewer"]}),
    )
    .await;
    let (_, people) = lost.named("people").await;
    assert!(
        people["people"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|one| one["name"] == "erin")
    );
    town.post("reset", Value::Null).await;
    lost.named("reset").await;
    assert!(town.messages("ops", "bob").await.is_empty());
}
