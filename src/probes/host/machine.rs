//! A machine: the one that Handbell runs on, or another over SSH.
//!
//! Here files are read and the kernel is asked; there the same is read by programs, as constant
//! argument vectors.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use crate::{
    config::HostEndpoint,
    domain::diagnosis::{Blind, Unseen},
    probes::{
        net::Obstacle,
        run::{self, Done, NoRun},
        seen::plain,
        ssh,
    },
};

/// The most that is read of one answer, in bytes. Our own choice: the process list of a machine
/// with ten thousand processes is about 2 MB.
pub(super) const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Exit code with which ssh tells its own failures (ssh(1), EXIT STATUS).
const SSH_FAILED: i32 = 255;

/// A machine, as one look may use it.
pub(super) struct Machine<'a> {
    /// How it is looked at.
    pub(super) endpoint: &'a HostEndpoint,
    ssh: &'a Path,
    /// How long a look may take.
    pub(super) patience: Duration,
    /// Until when that is.
    pub(super) end: Instant,
}

/// Why a program gave no answer.
pub(super) enum NoAnswer {
    /// The machine itself was not reached.
    Away(Obstacle),
    /// There is no such program on it.
    NoProgram(String),
    /// The time was up before the answer was complete.
    TimedOut,
    /// What came is not what this program answers on a Linux machine.
    Stranger(String),
}

impl<'a> Machine<'a> {
    pub(super) fn new(endpoint: &'a HostEndpoint, ssh: &'a Path, patience: Duration) -> Self {
        Self {
            endpoint,
            ssh,
            patience,
            end: Instant::now() + patience,
        }
    }

    /// Whether it is the one that Handbell runs on.
    pub(super) fn is_here(&self) -> bool {
        matches!(self.endpoint, HostEndpoint::Local)
    }

    /// Where it is, as the reader knows it.
    pub(super) fn address(&self) -> &str {
        match self.endpoint {
            HostEndpoint::Local => "this machine",
            HostEndpoint::Ssh(address) => address,
        }
    }

    /// Runs a program there that only reads. Words before it may set its environment
    /// (`env LC_ALL=C df`).
    ///
    /// # Errors
    /// There is no answer, or it was not complete in time: half of one is never told as a whole.
    pub(super) async fn run(&self, words: &[&str]) -> Result<Done, NoAnswer> {
        let (program, rest) = words.split_first().unwrap_or((&"true", &[]));
        let done = match self.endpoint {
            HostEndpoint::Local => {
                run::program(Path::new(program), rest, ANSWER_BYTES, self.end).await
            }
            HostEndpoint::Ssh(address) => {
                let command = ssh::command(self.ssh, address, words);
                run::run(command, ANSWER_BYTES, self.end).await
            }
        };
        let done = match (done, self.endpoint) {
            (Ok(done), _) => done,
            (Err(NoRun::Missing(name)), HostEndpoint::Local) => {
                return Err(NoAnswer::NoProgram(name));
            }
            (Err(error), _) => return Err(NoAnswer::Away(Obstacle::Ssh(error.to_string()))),
        };
        if done.timed_out {
            return Err(NoAnswer::TimedOut);
        }
        if !self.is_here() && done.code == Some(SSH_FAILED) {
            return Err(NoAnswer::Away(ssh::obstacle_in(&done.errors())));
        }
        // What a shell says of a program that there is not (POSIX, 2.8.2).
        if !self.is_here() && done.code == Some(127) {
            let named = |word: &&&str| **word != "env" && !word.contains('=');
            let name = words.iter().find(named).unwrap_or(program);
            return Err(NoAnswer::NoProgram((*name).to_owned()));
        }
        Ok(done)
    }

    /// The same, as a reason not to have looked; an answer that was cut for its length, or whose
    /// program a signal has ended, is none.
    ///
    /// # Errors
    /// There is no complete answer.
    pub(super) async fn whole(&self, words: &[&str]) -> Result<Done, Blind> {
        let done = self.run(words).await.map_err(|no| self.blind(&no))?;
        if done.cut || done.code.is_none() {
            return Err(self.stranger("its answer is cut off"));
        }
        Ok(done)
    }

    /// The contents of those of `paths` that can be read.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn files(&self, paths: &[&str]) -> Result<BTreeMap<String, String>, Blind> {
        if !self.is_here() {
            // With more than one file `tail` writes a header before each (POSIX does not know
            // it, GNU, BusyBox and the BSDs do alike).
            let words = [&["tail", "-n", "+1", "--"], paths].concat();
            let done = self.whole(&words).await?;
            // 1: one of them can't be read, as those of pressure on an old kernel.
            if !matches!(done.code, Some(0 | 1)) {
                return Err(self.stranger("it does not show the files of a Linux kernel"));
            }
            return Ok(parts(&done.text()));
        }
        let owned: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let read = tokio::task::spawn_blocking(move || {
            owned
                .into_iter()
                .filter_map(|path| {
                    let text = std::fs::read_to_string(&path).ok()?;
                    Some((path.display().to_string(), text))
                })
                .collect()
        });
        match timeout_at(self.end, read).await {
            Ok(Ok(files)) => Ok(files),
            _ => Err(self.blind(&NoAnswer::TimedOut)),
        }
    }

    /// Why a probe could not look.
    pub(super) fn blind(&self, no: &NoAnswer) -> Blind {
        Blind::Unknown(match no {
            NoAnswer::Away(obstacle) => obstacle.unseen(self.address(), self.patience),
            NoAnswer::NoProgram(name) => Unseen::ServerSaid {
                detail: format!("there is no program {name} on {}", self.address()),
            },
            NoAnswer::TimedOut => Unseen::TimedOut {
                after_ms: u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX),
            },
            NoAnswer::Stranger(detail) => Unseen::WrongProtocol {
                detail: format!(
                    "a Linux machine was expected at {}; {detail}",
                    self.address()
                ),
            },
        })
    }

    /// What came is not what a Linux machine answers.
    pub(super) fn stranger(&self, detail: &str) -> Blind {
        self.blind(&NoAnswer::Stranger(plain(detail, 200)))
    }

    /// A program failed: with its own words where it has some, else its answer is none.
    pub(super) fn failed(&self, done: &Done) -> Blind {
        if done.errors().trim().is_empty() {
            self.stranger("its answer is not what was asked for")
        } else {
            said(done)
        }
    }
}

/// A program answered with an error.
pub(super) fn said(done: &Done) -> Blind {
    let errors = done.errors();
    Blind::Unknown(Unseen::ServerSaid {
        detail: plain(errors.trim(), 200),
    })
}

/// The files in an answer of `tail`, by path.
fn parts(text: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let header = line
            .strip_prefix("==> ")
            .and_then(|line| line.strip_suffix(" <=="));
        if let Some(path) = header {
            open = Some(path.to_owned());
            found.entry(path.to_owned()).or_default();
        } else if let Some(content) = open.as_ref().and_then(|path| found.get_mut(path)) {
            content.push_str(line);
            content.push('\n');
        }
    }
    found
}
