//! What keeps a fault up after `break` has returned: a process of this same program that does its job until it is
//! ended. What it does stands in a file, because a password in an argument could be seen.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{LabError, Result};
use crate::instance::Ports;
use crate::job::Job;
use crate::jobs;
use crate::process::Process;
use crate::settings::Settings;
use crate::state::write_private;

/// Nothing stays in the background for longer than this, whatever happens to the lab.
const LIFE_LIMIT: Duration = Duration::from_hours(6);

#[derive(Serialize, Deserialize)]
struct Order {
    ports: Ports,
    job: Job,
}

/// Starts a process for the job.
///
/// # Errors
/// When the order cannot be written or the process not started.
pub fn start(settings: &Settings, ports: &Ports, job: &Job, number: usize) -> Result<Process> {
    let order = Order {
        ports: ports.clone(),
        job: job.clone(),
    };
    let path = settings.state_dir.join(format!("background-{number}.json"));
    write_private(&path, &serde_json::to_vec(&order).unwrap_or_default())?;
    let own = std::env::current_exe()
        .map_err(LabError::file("find", Path::new("the lab's own program")))?;
    let mut command = Command::new(settings.program("handbell-lab").unwrap_or(own));
    command
        .args(["--instance", &settings.instance, "--state"])
        .arg(&settings.state_dir)
        .arg("--lab-dir")
        .arg(&settings.lab_dir)
        .args(["--docker-host", &settings.docker_host, "background"])
        .arg(&path);
    Process::spawn(
        "background",
        command,
        &settings.state_dir.join("background.log"),
    )
}

/// Carries out the order in a file, until the process is ended.
///
/// # Errors
/// When the file cannot be read, or a server's password.
pub async fn run(settings: &Settings, path: &PathBuf) -> Result<()> {
    let text = std::fs::read(path).map_err(LabError::file("read", path))?;
    let order: Order = serde_json::from_slice(&text).map_err(|error| LabError::Content {
        path: path.clone(),
        why: error.to_string(),
    })?;
    let work = jobs::work(settings, &order.ports, order.job);
    match tokio::time::timeout(LIFE_LIMIT, work).await {
        Ok(done) => done,
        Err(_) => Ok(()),
    }
}
