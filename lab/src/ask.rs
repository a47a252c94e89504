//! Asks the real `handbell`, as a process of its own or in a chat, and reads its answer.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::chat::Chat;
use crate::config_dir;
use crate::error::{LabError, Result};
use crate::fault::Expected;
use crate::lab::Lab;

/// How long one diagnosis may take. Its own limit is 20 seconds; beyond that it hangs.
pub(crate) const DIAGNOSIS_LIMIT: Duration = Duration::from_secs(40);

/// Exit code of a diagnosis that found nothing and could look at everything.
const HEALTHY: i32 = 0;

/// Its verdict.
const OK: &str = "ok";

/// The runbook that stands for all of them at once.
pub const ALL: &str = "all";

/// What the diagnosis answers, as far as the score needs it.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    verdict: String,
    root_causes: Vec<RootCause>,
    #[serde(default)]
    unknown: Vec<Value>,
}

impl Report {
    /// The root causes, the first one first; trouble when there are none and yet not all was seen to be well.
    pub(crate) fn read(self) -> (Vec<String>, Option<String>) {
        let causes: Vec<String> = self
            .root_causes
            .into_iter()
            .map(|root| root.cause)
            .collect();
        let trouble = (causes.is_empty() && self.verdict != OK)
            .then(|| format!("no cause, {} unknown, {}", self.unknown.len(), self.verdict));
        (causes, trouble)
    }
}

#[derive(Debug, Deserialize)]
struct Page {
    id: String,
}

#[derive(Debug, Deserialize)]
struct RootCause {
    cause: String,
}

/// One answer of the real program.
#[derive(Debug)]
pub struct Answer {
    /// Its root causes, the first one first; none when it found nothing.
    pub causes: Vec<String>,
    /// What it said instead of an answer, or that it could not look at everything.
    pub trouble: Option<String>,
    /// Its wall time.
    pub took: Duration,
    /// The whole report, as it came.
    pub report: Vec<u8>,
}

impl Answer {
    /// In a word: `healthy`, its root causes, or what went wrong.
    #[must_use]
    pub fn words(&self) -> String {
        match (&self.trouble, self.causes.as_slice()) {
            (Some(trouble), []) => trouble.clone(),
            (None, []) => "healthy".to_owned(),
            (_, causes) => causes.join(" + "),
        }
    }

    /// What the report says, a line for each of its causes, consequences and unknowns; for whoever reads why an answer
    /// was wrong.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        let Ok(report) = serde_json::from_slice::<Value>(&self.report) else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        for part in ["root_causes", "consequences", "unknown"] {
            for finding in report[part].as_array().into_iter().flatten() {
                let named: Vec<&str> = ["cause", "check", "target"]
                    .into_iter()
                    .filter_map(|name| finding[name].as_str())
                    .collect();
                let say = finding["say"].as_str().unwrap_or("no sentence");
                lines.push(format!("{part}: {}: {say}", named.join(", ")));
            }
        }
        lines
    }

    pub(crate) fn meets(&self, expected: &Expected) -> bool {
        match expected {
            // What could not be looked at may be ill.
            Expected::Healthy => self.trouble.is_none() && self.causes.is_empty(),
            _ => expected.is_met_by(&self.causes),
        }
    }
}

/// Who asks: the program and its configuration, or a person in a chat.
#[derive(Debug)]
pub struct Asker {
    program: PathBuf,
    config: PathBuf,
    chat: Option<Chat>,
}

impl Asker {
    /// Asks the `handbell` beside the lab's own program, with the lab's configuration.
    ///
    /// # Errors
    /// When it is not there.
    pub fn new(lab: &Lab) -> Result<Self> {
        let program = lab.settings.program("handbell")?;
        Ok(Self {
            program,
            config: config_dir::directory(&lab.settings),
            chat: None,
        })
    }

    /// Asks in the channel of a local Discord, which is started for it.
    ///
    /// # Errors
    /// As [`Asker::new`], and when the sandbox or the bot does not start.
    pub async fn in_chat(lab: &Lab) -> Result<Self> {
        Ok(Self {
            chat: Some(Chat::open(lab).await?),
            ..Self::new(lab)?
        })
    }

    /// Ends the chat, if there is one.
    ///
    /// # Errors
    /// When what it wrote cannot be deleted.
    pub async fn close(self) -> Result<()> {
        match self.chat {
            Some(chat) => chat.close().await,
            None => Ok(()),
        }
    }

    /// Runs the diagnosis once.
    ///
    /// # Errors
    /// When the program cannot be run, or the chat does not answer. One that does not end is an answer: it is the
    /// [`Answer::trouble`].
    pub async fn ask(
        &self,
        runbook: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Answer> {
        if let Some(chat) = &self.chat {
            return chat.ask(runbook, parameters).await;
        }
        let wrong = |why: String| LabError::Program {
            program: self.program.display().to_string(),
            why,
        };
        let mut command = tokio::process::Command::new(&self.program);
        command
            .arg("--config")
            .arg(&self.config)
            .args(["diagnose", runbook, "--json"]);
        for (name, value) in parameters {
            command.arg("--param").arg(format!("{name}={value}"));
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        let started = Instant::now();
        let Ok(ended) = tokio::time::timeout(DIAGNOSIS_LIMIT, command.output()).await else {
            return Ok(Answer {
                causes: Vec::new(),
                trouble: Some(format!("no end within {} s", DIAGNOSIS_LIMIT.as_secs())),
                took: started.elapsed(),
                report: Vec::new(),
            });
        };
        let output = ended.map_err(|error| wrong(format!("could not be run: {error}")))?;
        let took = started.elapsed();
        let (causes, trouble) = match serde_json::from_slice::<Report>(&output.stdout) {
            Ok(report) => match (report.read(), output.status.code()) {
                ((causes, None), code) if causes.is_empty() && code != Some(HEALTHY) => (
                    causes,
                    Some(format!("no cause, and yet exit code {code:?}")),
                ),
                (read, _) => read,
            },
            Err(error) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let said = said
                    .lines()
                    .last()
                    .unwrap_or("nothing on standard error")
                    .to_owned();
                let code = output.status.code();
                (
                    Vec::new(),
                    Some(format!("no report (exit {code:?}, {error}): {said}")),
                )
            }
        };
        Ok(Answer {
            causes,
            trouble,
            took,
            report: output.stdout,
        })
    }

    /// The pages of the program's handbook, and [`ALL`].
    ///
    /// # Errors
    /// When the program cannot be run, or does not list them.
    pub async fn runbooks(&self) -> Result<Vec<String>> {
        let wrong = |why: String| LabError::Program {
            program: self.program.display().to_string(),
            why,
        };
        let mut command = tokio::process::Command::new(&self.program);
        command.arg("--config").arg(&self.config);
        command.args(["handbook", "list", "--json"]);
        let output = command
            .output()
            .await
            .map_err(|error| wrong(format!("could not be run: {error}")))?;
        let pages: Vec<Page> = serde_json::from_slice(&output.stdout)
            .map_err(|error| wrong(format!("does not list its pages: {error}")))?;
        let pages = pages.into_iter().map(|page| page.id);
        Ok(pages.chain([ALL.to_owned()]).collect())
    }
}
