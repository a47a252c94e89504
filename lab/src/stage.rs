//! A local Discord and the bot in it, as programs of their own: for the demonstration, and for a score by way of the
//! chat.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Pid;
use tokio::process::{Child, Command};

use crate::config_dir::{self, Sandbox};
use crate::control;
use crate::error::{LabError, Result};
use crate::say;
use crate::settings::Settings;
use crate::state::State;

/// How long the sandbox may take until it listens, and the bot until it has logged in.
const READY_LIMIT: Duration = Duration::from_secs(30);

/// How often it is looked meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long a program may take to end before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How many of a dead program's last lines are shown.
const LAST_LINES: usize = 15;

/// A program that was started.
struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// What runs; dropped, everything in it is killed.
pub(crate) struct Stage {
    /// Logs, configuration and token; deleted at the end.
    directory: tempfile::TempDir,
    programs: Vec<Running>,
    control: Option<tokio::task::JoinHandle<()>>,
    targets: Option<tokio::task::JoinHandle<()>>,
}

impl Stage {
    /// An empty one.
    pub(crate) fn new() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("handbell-demo-")
            .permissions(std::fs::Permissions::from_mode(0o700)) // it holds the token
            .tempdir()
            .map_err(LabError::file("make a directory in", &std::env::temp_dir()))?;
        Ok(Self {
            directory,
            programs: Vec::new(),
            control: None,
            targets: None,
        })
    }

    /// Starts the sandbox and the bot, and waits until the bot has registered its commands; gives where they are, and
    /// the bot's configuration.
    pub(crate) async fn set(
        &mut self,
        settings: &Settings,
        state: &State,
        page_port: u16,
    ) -> Result<(Sandbox, PathBuf)> {
        let control = self.serve_control(settings).await?;
        let sandbox = self.start_sandbox(settings, &control, page_port).await?;
        let config = self.directory.path().join("config");
        config_dir::write_to(&config, settings, state, Some(&sandbox))?;
        let targets = config_dir::share_targets(&config, settings)?;
        self.start_bot(settings, &config, &sandbox).await?;
        self.targets = self
            .pid_of_the_last()
            .map(|bot| tokio::spawn(tell_of_changes(targets, bot)));
        Ok((sandbox, config))
    }

    async fn serve_control(&mut self, settings: &Settings) -> Result<String> {
        let loopback = Path::new("127.0.0.1");
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(LabError::file("listen on", loopback))?;
        let address = listener
            .local_addr()
            .map_err(LabError::file("listen on", loopback))?;
        let router = control::router(settings.clone());
        self.control = Some(tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                say::progress(format!("The lab's control interface ended: {error}"));
            }
        }));
        Ok(format!("http://{address}"))
    }

    fn start(&mut self, name: &'static str, mut command: Command) -> Result<()> {
        let log = self.directory.path().join(format!("{name}.log"));
        let file = std::fs::File::create(&log).map_err(LabError::file("write", &log))?;
        // Nothing on standard output is kept: the sandbox's first line carries the token.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().map_err(|error| LabError::Program {
            program: name.to_owned(),
            why: format!("could not be started: {error}"),
        })?;
        self.programs.push(Running { name, child, log });
        Ok(())
    }

    async fn start_sandbox(
        &mut self,
        settings: &Settings,
        control: &str,
        page_port: u16,
    ) -> Result<Sandbox> {
        let ready = self.directory.path().join("sandbox.json");
        let mut command = Command::new(settings.program("handbell-sandbox")?);
        command
            .args([
                "--listen",
                &format!("127.0.0.1:{page_port}"),
                "--lab",
                control,
                "--ready-file",
            ])
            .arg(&ready)
            .arg("--ca-dir")
            .arg(self.directory.path());
        self.start("handbell-sandbox", command)?;
        let look = || async {
            std::fs::read(&ready)
                .ok()
                .and_then(|text| serde_json::from_slice::<Sandbox>(&text).ok())
        };
        self.wait_for("the sandbox listens", look).await
    }

    async fn start_bot(
        &mut self,
        settings: &Settings,
        config: &Path,
        sandbox: &Sandbox,
    ) -> Result<()> {
        let mut command = Command::new(settings.program("handbell")?);
        command.arg("--config").arg(config).arg("serve");
        self.start("handbell", command)?;
        let url = format!("{}sandbox/state", sandbox.page);
        let look = || async {
            let state: serde_json::Value = reqwest::get(&url).await.ok()?.json().await.ok()?;
            let connected = state.pointer("/bot/connected")?.as_bool()?;
            let commands = state.pointer("/bot/commands")?.as_u64()?;
            (connected && commands > 0).then_some(())
        };
        self.wait_for("the bot has logged in and registered its commands", look)
            .await
    }

    /// Waits until `look` sees something, or a program ends.
    async fn wait_for<T, F: Future<Output = Option<T>>>(
        &mut self,
        what: &str,
        look: impl Fn() -> F,
    ) -> Result<T> {
        let deadline = tokio::time::Instant::now() + READY_LIMIT;
        loop {
            if let Some(seen) = look().await {
                return Ok(seen);
            }
            if let Some(dead) = self.dead() {
                return Err(dead);
            }
            if tokio::time::Instant::now() > deadline {
                let seen = self
                    .programs
                    .last()
                    .map(|running| last_lines(&running.log))
                    .unwrap_or_default();
                return Err(LabError::TooLate {
                    what: what.to_owned(),
                    seen,
                    waited: READY_LIMIT,
                });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The first program that has ended, as an error.
    fn dead(&mut self) -> Option<LabError> {
        self.programs.iter_mut().find_map(|running| {
            let status = running.child.try_wait().ok().flatten()?;
            let why = format!(
                "ended by itself ({status}). Its last words:\n{}",
                last_lines(&running.log)
            );
            Some(LabError::Program {
                program: running.name.to_owned(),
                why,
            })
        })
    }

    fn pid_of_the_last(&self) -> Option<Pid> {
        self.programs
            .last()
            .and_then(|running| pid_of(&running.child))
    }

    /// Waits until one of the programs ends by itself.
    pub(crate) async fn one_ends(&mut self) -> LabError {
        loop {
            if let Some(dead) = self.dead() {
                return dead;
            }
            tokio::time::sleep(4 * LOOK_EVERY).await;
        }
    }

    /// Stops the programs, the last one first.
    pub(crate) async fn clear(mut self) -> Result<()> {
        if let Some(targets) = self.targets.take() {
            targets.abort();
        }
        while let Some(mut running) = self.programs.pop() {
            if let Some(pid) = pid_of(&running.child) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
            if tokio::time::timeout(STOP_LIMIT, running.child.wait())
                .await
                .is_err()
            {
                say::progress(format!("{} does not end; killing it", running.name));
                let _ = running.child.kill().await;
            }
        }
        if let Some(control) = self.control.take() {
            control.abort();
        }
        let path = self.directory.path().to_path_buf();
        self.directory
            .close()
            .map_err(LabError::file("delete", &path))
    }
}

fn pid_of(child: &Child) -> Option<Pid> {
    let id = child.id().and_then(|id| i32::try_from(id).ok())?;
    Pid::from_raw(id)
}

/// Lets the bot read its targets again whenever a fault, or its healing, has written them.
async fn tell_of_changes(targets: PathBuf, bot: Pid) {
    let written = || {
        std::fs::metadata(&targets)
            .and_then(|file| file.modified())
            .ok()
    };
    let mut known = written();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = written();
        if now.is_some() && now != known {
            known = now;
            let _ = rustix::process::kill_process(bot, rustix::process::Signal::HUP);
        }
    }
}

fn last_lines(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LAST_LINES);
    lines
        .get(from..)
        .unwrap_or_default()
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
