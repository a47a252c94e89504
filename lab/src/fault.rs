//! Faults as data: `faults/*.toml`, one file each. What is done, how one knows that it took hold, what the diagnosis
//! must say, and how it is healed. Every step is a typed operation; there is no shell.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::compose::{Bytes, Restart, Span};
use crate::error::{LabError, Result};
use crate::state::Mode;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// One fault.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Its name, as on the command line; the file's name too.
    pub name: String,
    /// The runbook that must find it.
    pub runbook: String,
    /// What is broken, for people.
    pub title: Text,
    /// The root cause that the diagnosis must name first, or `healthy` for a near miss.
    pub expect: String,
    /// What is done, in this order.
    pub inject: Vec<Step>,
    /// What must hold before the diagnosis is asked.
    pub settle: Vec<Condition>,
    /// What undoes it. Processes in the background are ended before, and Redis' settings and statistics are put back
    /// after, without being told to.
    pub heal: Vec<Step>,
    /// What differs where the servers are plain processes.
    pub processes: InProcesses,
}

/// What differs where the servers are plain processes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InProcesses {
    /// Why the fault makes no sense there; without it, it does.
    pub why_not: Option<Text>,
    /// Another root cause: a stopped process is a port that refuses, because no container is named.
    pub expect: Option<String>,
    /// Other conditions.
    pub settle: Option<Vec<Condition>>,
}

/// One typed operation on the lab's Redis.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "do",
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Step {
    /// Stops the server in good order.
    Stop {},
    /// Starts the stopped server again.
    Start {},
    /// Kills the server (SIGKILL).
    Kill {},
    /// Sends SIGSTOP to the server's process: it is there and does nothing.
    Freeze {},
    /// Sends SIGCONT.
    Thaw {},
    /// Pauses the container.
    Pause {},
    /// Continues the container.
    Unpause {},
    /// Removes the container; its data stays.
    Remove {},
    /// Takes the container off its networks.
    Disconnect {},
    /// Makes the server anew with other settings; its data stays.
    Recreate {
        /// Limit of the container's memory.
        memory: Option<Bytes>,
        /// Restart policy.
        restart: Option<Restart>,
        /// More arguments of `redis-server`.
        #[serde(default)]
        arguments: Vec<String>,
        /// No published port.
        #[serde(default)]
        unpublished: bool,
        /// The data directory is a file system of this size, in memory.
        data_limit: Option<Bytes>,
    },
    /// Begins again as described and without data.
    Renew {},
    /// Sends one command. The connection may break over it when `breaks` is set.
    Redis {
        /// The command and its arguments.
        command: Vec<String>,
        /// The server ends, so that no answer comes.
        #[serde(default)]
        breaks: bool,
    },
    /// `CONFIG SET`.
    Configure {
        /// Settings by name.
        settings: BTreeMap<String, String>,
    },
    /// Writes keys `PREFIX:0`, `PREFIX:1`, …
    Fill {
        /// What the keys begin with.
        prefix: String,
        /// How many.
        keys: u32,
        /// Size of each value in bytes.
        value_bytes: u32,
        /// Whether the server may refuse or die meanwhile.
        #[serde(default)]
        until_it_fails: bool,
    },
    /// Deletes all but every n-th of the keys that a `fill` wrote.
    Thin {
        /// What the keys begin with.
        prefix: String,
        /// How many there are.
        keys: u32,
        /// Every so-manieth stays.
        keep_every: u32,
    },
    /// Makes the data directory one that cannot be written.
    SpoilData {},
    /// Puts rubbish in place of the saved data.
    CorruptData {},
    /// Starts a process that stays and goes on after `break` has returned.
    Background {
        /// What it does.
        job: Job,
    },
}

/// What a process in the background does until it is ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Job {
    /// Holds connections open: so many, or as many as the server lets in.
    HoldClients {
        /// How many; without it, all that there are.
        clients: Option<u32>,
    },
    /// Sends a command again and again.
    Repeat {
        /// The command and its arguments.
        command: Vec<String>,
        /// The pause between an answer and the next command.
        pause: Span,
    },
    /// Writes new keys at a steady rate.
    Write {
        /// How many a second.
        per_second: u32,
        /// Size of each value in bytes.
        value_bytes: u32,
    },
}

/// What one can see from outside when a fault has taken hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    tag = "is",
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Condition {
    /// The container's state.
    Container {
        /// Docker's word for it, or `missing`.
        status: String,
        /// Whether the kernel killed it for its memory.
        oom_killed: Option<bool>,
        /// Restarts by the engine, at least.
        restarts: Option<i64>,
    },
    /// What the port does.
    Port {
        /// How it behaves.
        state: PortState,
    },
    /// Nobody answers at the port, whether it refuses or closes.
    Gone {},
    /// How the server answers a command after login (or the login itself).
    Answer {
        /// The command.
        to: Vec<String>,
        /// How the answer begins, without the protocol's first byte.
        begins: String,
    },
    /// A field of INFO.
    Info {
        /// Its name.
        field: String,
        /// Its exact value.
        equals: Option<String>,
        /// Its least value.
        at_least: Option<f64>,
    },
    /// A field of INFO rises.
    Rises {
        /// Its name.
        field: String,
        /// By how much within half a second, at least.
        by: f64,
    },
    /// Entries in the slow log, at least.
    SlowLog {
        /// How many.
        entries: u64,
    },
}

/// How a port behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortState {
    /// Connections are refused.
    Refused,
    /// Connections are taken and closed at once, as Docker's proxy does when nothing listens behind it.
    Closed,
    /// Connections are taken and nothing is ever answered.
    Silent,
}

impl Fault {
    /// What the diagnosis must say in this mode: a cause, or `None` for "healthy".
    #[must_use]
    pub fn expected(&self, mode: Mode) -> Option<&str> {
        let expect = match mode {
            Mode::Docker => &self.expect,
            Mode::Processes => self.processes.expect.as_ref().unwrap_or(&self.expect),
        };
        (expect != "healthy").then_some(expect.as_str())
    }

    /// The conditions in this mode.
    #[must_use]
    pub fn settled(&self, mode: Mode) -> &[Condition] {
        match (mode, &self.processes.settle) {
            (Mode::Processes, Some(conditions)) => conditions,
            _ => &self.settle,
        }
    }

    /// Why the fault makes no sense in this mode, if so.
    #[must_use]
    pub fn why_not(&self, mode: Mode) -> Option<&Text> {
        self.processes
            .why_not
            .as_ref()
            .filter(|_| mode == Mode::Processes)
    }

    /// A fault that is said to make sense with plain processes must not need a container there.
    fn check(&self, file_name: &str) -> Result<(), String> {
        if self.name != file_name {
            return Err(format!(
                "name = {:?}, but the file is called {file_name}.toml",
                self.name
            ));
        }
        if self.expect != "healthy" && !self.expect.starts_with(&format!("{}.", self.runbook)) {
            return Err(format!(
                "expect = {:?} is neither \"healthy\" nor a cause of {:?}",
                self.expect, self.runbook
            ));
        }
        if [&self.title.en, &self.title.zh]
            .iter()
            .any(|text| text.trim().is_empty())
        {
            return Err("title needs an English and a Chinese text".to_owned());
        }
        if self.processes.why_not.is_some() {
            return Ok(());
        }
        if let Some(step) = self
            .inject
            .iter()
            .chain(&self.heal)
            .find(|step| step.needs_container())
        {
            return Err(format!(
                "{step:?} needs a container, so [processes] must say why-not"
            ));
        }
        let conditions = self.settled(Mode::Processes);
        if let Some(condition) = conditions
            .iter()
            .find(|condition| matches!(condition, Condition::Container { .. }))
        {
            return Err(format!(
                "{condition:?} needs a container, so [processes] must have a settle of its own"
            ));
        }
        Ok(())
    }
}

impl Step {
    fn needs_container(&self) -> bool {
        match self {
            Self::Pause {} | Self::Unpause {} | Self::Remove {} | Self::Disconnect {} => true,
            Self::Recreate {
                memory,
                restart: _,
                arguments: _,
                unpublished,
                data_limit,
            } => memory.is_some() || *unpublished || data_limit.is_some(),
            Self::Stop {}
            | Self::Start {}
            | Self::Kill {}
            | Self::Freeze {}
            | Self::Thaw {}
            | Self::Renew {}
            | Self::Redis { .. }
            | Self::Configure { .. }
            | Self::Fill { .. }
            | Self::Thin { .. }
            | Self::SpoilData {}
            | Self::CorruptData {}
            | Self::Background { .. } => false,
        }
    }
}

/// Reads all faults, sorted by name.
///
/// # Errors
/// When a file cannot be read or does not say what a fault must.
pub fn read_all(lab_dir: &Path) -> Result<Vec<Fault>> {
    let directory = lab_dir.join("faults");
    let mut faults = Vec::new();
    for item in std::fs::read_dir(&directory).map_err(LabError::file("read", &directory))? {
        let path = item.map_err(LabError::file("read", &directory))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            faults.push(read(&path)?);
        }
    }
    faults.sort_by(|a: &Fault, b| a.name.cmp(&b.name));
    Ok(faults)
}

fn read(path: &Path) -> Result<Fault> {
    let text = std::fs::read_to_string(path).map_err(LabError::file("read", path))?;
    let wrong = |why: String| LabError::Content {
        path: path.to_path_buf(),
        why,
    };
    let fault: Fault = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let file_name = path
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    fault.check(&file_name).map_err(wrong)?;
    Ok(fault)
}

/// The fault of this name.
///
/// # Errors
/// When there is none; the error names those that there are.
pub fn find<'a>(faults: &'a [Fault], name: &str) -> Result<&'a Fault> {
    faults
        .iter()
        .find(|fault| fault.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
            LabError::Refused(format!(
                "there is no fault {name:?}; there are: {}",
                known.join(", ")
            ))
        })
}
