//! The Docker engine: reached where one answers, started where none does and we may.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::CreateContainerOptionsBuilder;

use crate::error::{LabError, Result};
use crate::process::{Process, find_program};
use crate::say;
use crate::settings::Settings;
use crate::state::write_private;

/// How long an engine may take to answer a first question.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// How long a daemon that we start may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How often a starting daemon is asked.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// What a daemon is started with, in this order, until one start succeeds: plainly; where the file system under
/// `/var/lib/docker` cannot stack (a container, some file systems), with the driver that copies; and where the kernel
/// has no packet filter either, without it, because published ports then still go through Docker's own proxy.
const ATTEMPTS: [&[&str]; 3] = [
    &[],
    &["--storage-driver=vfs"],
    &["--storage-driver=vfs", "--iptables=false"],
];

/// Where dockerd writes its process id, by itself.
const PID_FILE: &str = "/var/run/docker.pid";

/// An engine that answers.
#[derive(Debug)]
pub struct Engine {
    /// The connection.
    pub docker: Docker,
    /// The daemon, when it was started here.
    pub daemon: Option<Process>,
}

impl Engine {
    /// Reaches the engine, and starts one where none answers, `dockerd` is installed and we are root.
    ///
    /// # Errors
    /// When no engine answers and none could be started; the error says why.
    pub async fn reach_or_start(settings: &Settings) -> Result<Self> {
        let refusal = match reach(&settings.docker_host).await {
            Ok(docker) => {
                return Ok(Self {
                    docker,
                    daemon: None,
                });
            }
            Err(refusal) => refusal,
        };
        let Some(socket) = settings.docker_host.strip_prefix("unix://") else {
            return Err(LabError::NoEngine(format!(
                "{refusal} (only an engine at a local socket is ever started here)"
            )));
        };
        let Some(program) = find_program("dockerd") else {
            return Err(LabError::NoEngine(format!(
                "{refusal}, and dockerd is not installed (lab/install.sh docker installs it)"
            )));
        };
        if Path::new(socket).exists() && refusal.contains("ermission denied") {
            return Err(LabError::NoEngine(format!(
                "{refusal}; join the group that owns {socket} (usually `docker`)"
            )));
        }
        if !rustix::process::getuid().is_root() {
            return Err(LabError::NoEngine(format!(
                "{refusal}, and only root may start dockerd; run `sudo {}`, or let your system start the service `docker`",
                program.display()
            )));
        }
        start(settings, &program).await
    }
}

/// Connects, and speaks the version of the API that the engine speaks.
///
/// # Errors
/// A sentence that says what the engine, or the attempt to reach it, said.
pub async fn reach(host: &str) -> Result<Docker, String> {
    let answer = async {
        let docker = Docker::connect_with_host(host)?;
        docker.negotiate_version().await
    };
    match tokio::time::timeout(ANSWER_LIMIT, answer).await {
        Ok(Ok(docker)) => Ok(docker),
        Ok(Err(error)) => Err(format!("nothing answers at {host}: {}", innermost(&error))),
        Err(_) => Err(format!(
            "{host} does not answer within {} s",
            ANSWER_LIMIT.as_secs()
        )),
    }
}

/// The last reason in an error's chain: "Connection refused" rather than "client error".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

/// A daemon that was killed leaves a file with its id, which keeps the next one from starting when another program has
/// that id by now.
fn forget_dead_daemon() {
    let path = Path::new(PID_FILE);
    let Ok(text) = std::fs::read_to_string(path) else {
        return;
    };
    let name = std::fs::read_to_string(format!("/proc/{}/comm", text.trim()));
    if !name.is_ok_and(|name| name.trim() == "dockerd") {
        let _ = std::fs::remove_file(path);
    }
}

async fn start(settings: &Settings, program: &Path) -> Result<Engine> {
    forget_dead_daemon();
    let log = settings.state_dir.join("dockerd.log");
    let mut last = String::new();
    for options in ATTEMPTS {
        say::progress(format!(
            "No Docker engine answers; starting {} {} …",
            program.display(),
            options.join(" ")
        ));
        let mut command = Command::new(program);
        command
            .args(["--host", &settings.docker_host, "--log-level", "warn"])
            .args(options);
        let daemon = Process::spawn("dockerd", command, &log)?;
        remember(settings, &daemon)?;
        match wait_until_it_answers(settings, &daemon).await {
            Ok(docker) => {
                return Ok(Engine {
                    docker,
                    daemon: Some(daemon),
                });
            }
            Err(why) => last = why,
        }
        daemon.stop().await?;
    }
    Err(LabError::NoEngine(format!(
        "dockerd was started and {last}; what it said stands in {}",
        log.display()
    )))
}

/// The file that names a daemon from the moment on at which it was started, so that even a lab which was broken off
/// before it was up can stop it. All labs of one user share it: the last of them to go down stops the daemon.
fn memory(settings: &Settings) -> PathBuf {
    settings.cache_dir.join("dockerd.json")
}

fn remember(settings: &Settings, daemon: &Process) -> Result<()> {
    std::fs::create_dir_all(&settings.cache_dir)
        .map_err(LabError::file("make", &settings.cache_dir))?;
    write_private(
        &memory(settings),
        &serde_json::to_vec(daemon).unwrap_or_default(),
    )
}

/// Stops the daemon that a lab started, if it runs and nothing else uses it. Says whether it was stopped.
///
/// # Errors
/// When it cannot be stopped.
pub async fn stop_own(settings: &Settings) -> Result<bool> {
    let path = memory(settings);
    let Ok(text) = std::fs::read(&path) else {
        return Ok(false);
    };
    let daemon = serde_json::from_slice::<Process>(&text)
        .ok()
        .filter(Process::runs);
    if let Some(daemon) = &daemon {
        if in_use(settings).await {
            say::progress(
                "The Docker daemon that a lab started stays: other containers run on it.",
            );
            return Ok(false);
        }
        say::progress("Stopping the Docker daemon that the lab started …");
        daemon.stop().await?;
    }
    std::fs::remove_file(&path).map_err(LabError::file("delete", &path))?;
    Ok(daemon.is_some())
}

async fn in_use(settings: &Settings) -> bool {
    let Ok(docker) = reach(&settings.docker_host).await else {
        return false;
    };
    let running = bollard::query_parameters::ListContainersOptionsBuilder::default().build();
    docker
        .list_containers(Some(running))
        .await
        .is_ok_and(|containers| !containers.is_empty())
}

async fn wait_until_it_answers(settings: &Settings, daemon: &Process) -> Result<Docker, String> {
    let deadline = tokio::time::Instant::now() + START_LIMIT;
    loop {
        if !daemon.runs() {
            return Err("ended at once".to_owned());
        }
        match reach(&settings.docker_host).await {
            Ok(docker) => return can_run_containers(&docker).await.map(|()| docker),
            Err(why) if tokio::time::Instant::now() > deadline => return Err(why),
            Err(_) => tokio::time::sleep(ASK_EVERY).await,
        }
    }
}

/// An engine that answers may still be unable to store an image or run a container. Asking it to make a container of
/// an image that does not exist must give "no such image" and nothing else.
async fn can_run_containers(docker: &Docker) -> Result<(), String> {
    let options = CreateContainerOptionsBuilder::default()
        .name("handbell-lab-probe")
        .build();
    let body = bollard::models::ContainerCreateBody {
        image: Some("handbell-lab/no-such-image:none".to_owned()),
        ..Default::default()
    };
    match docker
        .create_container(Some(options), body)
        .await
        .map_err(LabError::docker("make a container"))
    {
        Err(error) if error.is_docker_not_found() => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(_) => Err("has an image that cannot exist".to_owned()),
    }
}
