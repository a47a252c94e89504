//! Plain processes that may outlive the one that started them: found again by their id *and* their start time, so
//! that an id which the system has given to another process is never signalled.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

use crate::error::{LabError, Result};

/// How long a process may take to end after SIGTERM before it is killed.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// How often it is looked whether a process has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process, told apart from a later one with the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// What it is, for people.
    pub name: String,
    /// Its id.
    pub pid: i32,
    /// Its start time in clock ticks since the machine started (field 22 of `/proc/PID/stat`, see proc(5)).
    pub started: u64,
}

impl Process {
    /// Starts a program in a process group of its own, so that Ctrl-C at the terminal does not reach it, with its
    /// output in a file and nothing on its input.
    ///
    /// # Errors
    /// When the program cannot be started or the log cannot be written.
    pub fn spawn(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(LabError::file("write", log))?;
        let errors = output.try_clone().map_err(LabError::file("write", log))?;
        command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0);
        let mut child = command.spawn().map_err(|error| LabError::Program {
            program: command.get_program().to_string_lossy().into_owned(),
            why: format!("could not be started: {error}"),
        })?;
        let pid = i32::try_from(child.id()).unwrap_or(i32::MAX);
        let started = start_time(pid);
        // Whoever ends first: a child of ours must be waited for, or it stays as a zombie.
        std::thread::spawn(move || child.wait());
        Ok(Self {
            name: name.to_owned(),
            pid,
            started: started.unwrap_or(0),
        })
    }

    /// Whether it still runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        start_time(self.pid).is_some_and(|started| started == self.started)
    }

    /// Sends a signal; one to a process that has ended is no error.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if !self.runs() {
            return Ok(());
        }
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Ok(());
        };
        match kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(LabError::Program {
                program: self.name.clone(),
                why: format!("(process {}) could not be signalled: {error}", self.pid),
            }),
        }
    }

    /// Ends it: SIGTERM, and SIGKILL after ten seconds. A stopped process is continued first, so that it can end.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub async fn stop(&self) -> Result<()> {
        self.signal(Signal::TERM)?;
        self.signal(Signal::CONT)?;
        if self.ended_within(STOP_GRACE).await {
            return Ok(());
        }
        self.kill().await
    }

    /// Kills it at once, with what it started in its group, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub async fn kill(&self) -> Result<()> {
        if self.runs()
            && let Some(group) = Pid::from_raw(self.pid)
        {
            // Else Nginx' workers would go on and hold its ports. Every process leads a group of its own.
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.signal(Signal::KILL)?;
        if self.ended_within(STOP_GRACE).await {
            return Ok(());
        }
        Err(LabError::Program {
            program: self.name.clone(),
            why: format!("(process {}) cannot be killed", self.pid),
        })
    }

    async fn ended_within(&self, limit: Duration) -> bool {
        let ended = async {
            while self.runs() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(limit, ended).await.is_ok()
    }
}

/// The start time of a living process; `None` for one that has ended, a zombie included. A process whose first thread
/// has ended while others still do (and hold its ports) has not ended.
fn start_time(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = after_name.split(' ').collect(); // the first of these is field 3
    let threads: u32 = fields.get(17)?.parse().ok()?;
    if matches!(fields.first(), Some(&("Z" | "X"))) && threads <= 1 {
        return None;
    }
    fields.get(19)?.parse().ok()
}

/// Finds a program in the usual directories. Those of `/sbin` are looked into as well, which a plain user's
/// search path leaves out.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
    ]
    .iter()
    .map(|directory| Path::new(directory).join(name))
    .find(|path| path.is_file())
}
