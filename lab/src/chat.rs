//! Asks in the chat: types `/diagnose` in a channel of the local Discord, as a person does, and reads the bot's message.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use regex::Regex;
use serde_json::{Value, json};

use crate::ask::{Answer, DIAGNOSIS_LIMIT, Report};
use crate::error::{LabError, Result};
use crate::lab::Lab;
use crate::stage::Stage;

/// Who asks: a viewer of the lab's access.toml.
const PERSON: &str = "alice";

/// Where she asks.
const CHANNEL: &str = "incidents";

/// How often the message is read while the diagnosis runs.
const READ_EVERY: Duration = Duration::from_millis(100);

/// What stands under a finished report.
const RECORD: &str = r"\brecord (?<record>[0-9]+)\b";

/// A chat with the bot in it.
pub struct Chat {
    stage: Stage,
    client: reqwest::Client,
    page: String,
    channel: String,
    program: PathBuf,
    config: PathBuf,
    record: Regex,
}

impl std::fmt::Debug for Chat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chat")
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

impl Chat {
    /// Starts the sandbox and the bot beside the lab's own program.
    ///
    /// # Errors
    /// When one of them does not start.
    pub async fn open(lab: &Lab) -> Result<Self> {
        let program = lab.settings.program("handbell")?;
        let mut stage = Stage::new()?;
        let (sandbox, config) = stage.set(&lab.settings, &lab.state, 0).await?;
        let channel = sandbox.channels.get(CHANNEL).cloned();
        Ok(Self {
            stage,
            client: reqwest::Client::new(),
            page: sandbox.page,
            channel: channel.ok_or_else(|| wrong(format!("has no channel #{CHANNEL}")))?,
            program,
            config,
            record: Regex::new(RECORD).map_err(|error| wrong(error.to_string()))?,
        })
    }

    /// Types the command once, and reads the channel until the report is there. Its root causes are those of the record
    /// that the message names, and each of them must stand in the message.
    ///
    /// # Errors
    /// When the sandbox does not answer. A bot that does not is an answer: it is the [`Answer::trouble`].
    pub async fn ask(
        &self,
        runbook: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Answer> {
        let started = Instant::now();
        let order = json!({
            "as": PERSON, "channel_id": self.channel, "command": format!("diagnose {runbook}"),
            "options": parameters, "wait_ms": 5000,
        });
        let url = format!("{}sandbox/commands/invoke", self.page);
        let sent = self.client.post(&url).json(&order).send().await;
        let interaction = answered(sent).await?;
        let Some(message) = interaction["message_id"].as_str() else {
            return Ok(troubled(started, format!("no reply: {interaction}")));
        };
        loop {
            let text = self.read(message).await?;
            let record = self.record.captures(&text);
            if let Some(record) = record.as_ref().and_then(|found| found.name("record")) {
                let took = started.elapsed();
                let report = self.recorded(record.as_str()).await?;
                return Ok(compared(&text, report, took));
            }
            if started.elapsed() > DIAGNOSIS_LIMIT {
                return Ok(troubled(
                    started,
                    format!("no report; the message says: {text}"),
                ));
            }
            tokio::time::sleep(READ_EVERY).await;
        }
    }

    /// What a person reads in the message.
    async fn read(&self, message: &str) -> Result<String> {
        let url = format!(
            "{}sandbox/channels/{}/messages?as={PERSON}&limit=5",
            self.page, self.channel
        );
        let list = answered(self.client.get(url).send().await).await?;
        let messages = list["messages"].as_array().into_iter().flatten();
        let found = messages.into_iter().find(|seen| seen["id"] == message);
        Ok(found
            .and_then(|seen| seen["readable"].as_str())
            .unwrap_or_default()
            .to_owned())
    }

    /// The report of a record.
    async fn recorded(&self, record: &str) -> Result<Value> {
        let mut command = tokio::process::Command::new(&self.program);
        command.arg("--config").arg(&self.config);
        command.args(["history", record, "--json"]);
        let output = command.output().await;
        let output = output.map_err(|error| wrong(format!("could not be run: {error}")))?;
        let mut kept: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| wrong(format!("does not show record {record}: {error}")))?;
        Ok(kept["report"].take())
    }

    /// Stops the bot and the sandbox.
    ///
    /// # Errors
    /// When what they wrote cannot be deleted.
    pub async fn close(self) -> Result<()> {
        self.stage.clear().await
    }
}

fn wrong(why: String) -> LabError {
    LabError::Program {
        program: "handbell-sandbox".to_owned(),
        why,
    }
}

async fn answered(sent: std::result::Result<reqwest::Response, reqwest::Error>) -> Result<Value> {
    let answer = sent.map_err(|error| wrong(format!("does not answer: {error}")))?;
    let body = answer.json().await;
    body.map_err(|error| wrong(format!("does not answer in JSON: {error}")))
}

fn troubled(started: Instant, trouble: String) -> Answer {
    Answer {
        causes: Vec::new(),
        trouble: Some(trouble),
        took: started.elapsed(),
        report: Vec::new(),
    }
}

/// The record's root causes; trouble when the message does not name one of them.
fn compared(text: &str, report: Value, took: Duration) -> Answer {
    let bytes = report.to_string().into_bytes();
    let (mut causes, mut trouble) = match serde_json::from_value::<Report>(report) {
        Ok(report) => report.read(),
        Err(error) => (
            Vec::new(),
            Some(format!("no report in the record: {error}")),
        ),
    };
    // What stands before the consequences, which name causes, too.
    let head = text.split("\nConsequences\n").next().unwrap_or_default();
    let named = |cause: &String| head.contains(&format!("`{cause}`"));
    if let Some(unnamed) = causes.iter().find(|cause| !named(cause)) {
        trouble = Some(format!("the message does not name {unnamed}"));
        causes.clear();
    } else if causes.is_empty() && trouble.is_none() && !head.contains("healthy") {
        trouble = Some(format!("the message does not say healthy: {head}"));
    }
    Answer {
        causes,
        trouble,
        took,
        report: bytes,
    }
}
