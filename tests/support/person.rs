//! Somebody in the channel: types, clicks, reads.

use std::time::Duration;

use serde_json::{Value, json};

use super::{PATIENCE, Sandbox};

/// A person in one channel.
pub struct Person<'a> {
    sandbox: &'a Sandbox,
    name: String,
    channel: String,
}

impl<'a> Person<'a> {
    pub(super) fn new(sandbox: &'a Sandbox, name: &str, channel: &str) -> Self {
        Self {
            sandbox,
            name: name.to_owned(),
            channel: sandbox.channel(channel),
        }
    }

    /// Types a command, `diagnose redis`; gives the interaction at once.
    pub async fn types(&self, command: &str) -> Value {
        self.types_with(command, json!({})).await
    }

    /// Types a command with options.
    pub async fn types_with(&self, command: &str, options: Value) -> Value {
        let body = json!({"as": self.name, "channel_id": self.channel, "command": command,
            "options": options, "wait_ms": 0});
        self.sandbox.post("/commands/invoke", body).await
    }

    /// Types a command that Discord's own client refuses; its sentence.
    pub async fn is_kept_from(&self, command: &str, options: Value) -> String {
        let body = json!({"as": self.name, "channel_id": self.channel, "command": command,
            "options": options, "wait_ms": 0});
        let (status, answer) = self.sandbox.try_post("/commands/invoke", body).await;
        assert!((400..500).contains(&status), "{status} {answer}");
        answer["error"].as_str().expect("a sentence").to_owned()
    }

    /// Types a command and waits for the reply in its last form: one that is neither empty nor a
    /// line of progress.
    pub async fn asks(&self, command: &str) -> Value {
        let interaction = self.types(command).await;
        self.reads_reply(&interaction).await
    }

    /// The same with options.
    pub async fn asks_with(&self, command: &str, options: Value) -> Value {
        let interaction = self.types_with(command, options).await;
        self.reads_reply(&interaction).await
    }

    /// Waits for the last form of the reply to `interaction`.
    pub async fn reads_reply(&self, interaction: &Value) -> Value {
        let id = interaction["id"].as_str().expect("an id");
        self.waits("the reply", |message| {
            message["interaction_id"] == id
                && message["state"] == "sent"
                && !text(message).contains('⏳')
        })
        .await
    }

    /// Waits until a message that this person sees fits.
    pub async fn waits(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let seen = self.sees().await;
            if let Some(message) = seen.iter().rev().find(|message| fits(message)) {
                return message.clone();
            }
            if tokio::time::Instant::now() > end {
                let texts: Vec<String> = seen.iter().map(text).collect();
                panic!(
                    "{} waits in vain for {what}; there is: {texts:#?}",
                    self.name
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a message contains `part`.
    pub async fn reads(&self, part: &str) -> Value {
        self.waits(part, |message| text(message).contains(part))
            .await
    }

    /// The messages in the channel as this person sees them, oldest first.
    pub async fn sees(&self) -> Vec<Value> {
        let path = format!(
            "/channels/{}/messages?as={}&limit=100",
            self.channel, self.name
        );
        let page = self.sandbox.get(&path).await;
        page["messages"].as_array().expect("messages").clone()
    }

    /// Presses the button called `label` under `message`; gives the interaction.
    pub async fn presses(&self, message: &Value, label: &str) -> Value {
        let custom_id = component(message, |one| one["label"] == label)
            .unwrap_or_else(|| panic!("no button {label} in {}", message["components"]));
        let id = message["id"].as_str().expect("an id");
        let body = json!({"as": self.name, "custom_id": custom_id, "wait_ms": 0});
        self.sandbox
            .post(&format!("/messages/{id}/click"), body)
            .await
    }

    /// Chooses `value` in the select under `message`; gives the interaction.
    pub async fn chooses(&self, message: &Value, value: &str) -> Value {
        let custom_id = component(message, |one| one["type"] == 3).expect("a select");
        let id = message["id"].as_str().expect("an id");
        let body =
            json!({"as": self.name, "custom_id": custom_id, "values": [value], "wait_ms": 0});
        self.sandbox
            .post(&format!("/messages/{id}/select"), body)
            .await
    }

    /// What the client offers for an option while typing.
    pub async fn completes(&self, command: &str, option: &str, typed: &str) -> Vec<String> {
        let body = json!({"as": self.name, "channel_id": self.channel, "command": command,
            "options": {option: typed}, "focused": option});
        let answer = self.sandbox.post("/commands/autocomplete", body).await;
        assert_eq!(answer["failed"], false, "{answer}");
        let choices = answer["choices"].as_array().expect("choices");
        choices
            .iter()
            .map(|choice| choice["name"].as_str().expect("a name").to_owned())
            .collect()
    }

    /// The lines of the command picker: what is shown and what it says.
    pub async fn picker(&self) -> Vec<(String, String)> {
        let path = format!("/commands?as={}&channel_id={}", self.name, self.channel);
        let answer = self.sandbox.get(&path).await;
        let commands = answer["commands"].as_array().expect("commands");
        commands
            .iter()
            .map(|command| {
                let words: Vec<&str> = command["display"]
                    .as_array()
                    .expect("names")
                    .iter()
                    .filter_map(Value::as_str)
                    .collect();
                let say = command["description"].as_str().unwrap_or_default();
                (words.join(" "), say.to_owned())
            })
            .collect()
    }
}

fn component(message: &Value, fits: impl Fn(&Value) -> bool) -> Option<String> {
    message["components"]
        .as_array()?
        .iter()
        .flat_map(|row| row["components"].as_array().into_iter().flatten())
        .find(|one| fits(one))
        .and_then(|one| one["custom_id"].as_str())
        .map(str::to_owned)
}

/// Everything that a person reads in a message, as plain text.
pub fn text(message: &Value) -> String {
    message["readable"].as_str().unwrap_or_default().to_owned()
}
