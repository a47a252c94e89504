//! What keeps a fault up after `break` has returned: a process of this same program that holds connections or sends
//! commands until it is ended. What it does stands in a file, because a password in an argument could be seen.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{LabError, Result};
use crate::fault::Job;
use crate::link::Place;
use crate::process::Process;
use crate::raw::{NoAnswer, Raw};
use crate::settings::Settings;
use crate::state::write_private;

/// How long a failed round waits before the next.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// How long one answer is waited for; a slow command may take long.
const ANSWER_LIMIT: Duration = Duration::from_mins(10);

/// Writes go out in batches of this length of time.
const BATCH: Duration = Duration::from_millis(50);

/// Nothing stays in the background for longer than this, whatever happens to the lab.
const LIFE_LIMIT: Duration = Duration::from_hours(6);

#[derive(Serialize, Deserialize)]
struct Order {
    port: u16,
    password: String,
    job: Job,
}

/// Starts a process for the job.
///
/// # Errors
/// When the order cannot be written or the process not started.
pub fn start(settings: &Settings, place: &Place, job: &Job, number: usize) -> Result<Process> {
    let order = Order {
        port: place.port,
        password: place.password.clone(),
        job: job.clone(),
    };
    let path = settings.state_dir.join(format!("background-{number}.json"));
    write_private(&path, &serde_json::to_vec(&order).unwrap_or_default())?;
    let own = std::env::current_exe()
        .map_err(LabError::file("find", Path::new("the lab's own program")))?;
    let mut command = Command::new(settings.program("handbell-lab").unwrap_or(own));
    command.arg("background").arg(&path);
    Process::spawn(
        "background",
        command,
        &settings.state_dir.join("background.log"),
    )
}

/// Carries out the order in a file, until the process is ended.
///
/// # Errors
/// When the file cannot be read.
pub async fn run(path: &PathBuf) -> Result<()> {
    let text = std::fs::read(path).map_err(LabError::file("read", path))?;
    let order: Order = serde_json::from_slice(&text).map_err(|error| LabError::Content {
        path: path.clone(),
        why: error.to_string(),
    })?;
    let place = Place {
        port: order.port,
        password: order.password,
    };
    let work = async {
        match order.job {
            Job::HoldClients { clients } => hold(&place, clients).await,
            Job::Repeat { command, pause } => repeat(&place, &command, pause.0).await,
            Job::Write {
                per_second,
                value_bytes,
            } => write(&place, per_second, value_bytes).await,
        }
    };
    let _ = tokio::time::timeout(LIFE_LIMIT, work).await;
    Ok(())
}

async fn login(place: &Place) -> Result<Raw, NoAnswer> {
    let mut raw = Raw::open(place).await?;
    let answer = raw.ask(&["AUTH", &place.password], ANSWER_LIMIT).await?;
    if answer.starts_with("+OK") {
        Ok(raw)
    } else {
        Err(NoAnswer::Closed)
    }
}

/// Opens connections until there are enough, or the server takes no more; then tries again for ever, so that a place
/// which becomes free is taken.
async fn hold(place: &Place, clients: Option<u32>) {
    let wanted = clients.map_or(usize::MAX, |clients| {
        usize::try_from(clients).unwrap_or(usize::MAX)
    });
    let mut held = Vec::new();
    loop {
        match login(place).await {
            Ok(raw) if held.len() < wanted => held.push(raw),
            _ => tokio::time::sleep(RETRY_AFTER).await,
        }
        while held.len() >= wanted {
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }
}

async fn repeat(place: &Place, command: &[String], pause: Duration) {
    loop {
        if let Ok(mut raw) = login(place).await {
            // Only the first line of an answer is read, so a connection serves for one command.
            let _ = raw.ask(command, ANSWER_LIMIT).await;
            tokio::time::sleep(pause).await;
        } else {
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }
}

async fn write(place: &Place, per_second: u32, value_bytes: u32) {
    let value = "x".repeat(usize::try_from(value_bytes).unwrap_or_default());
    let batch = usize::try_from(per_second).unwrap_or_default() / 20;
    let mut tick = tokio::time::interval(BATCH);
    let mut number: u64 = 0;
    loop {
        let Ok(mut link) = place.link().await else {
            tokio::time::sleep(RETRY_AFTER).await;
            continue;
        };
        loop {
            tick.tick().await;
            let mut pipeline = redis::pipe();
            for _ in 0..batch {
                pipeline
                    .cmd("SET")
                    .arg(format!("lab:load:{number}"))
                    .arg(&value);
                number += 1;
            }
            if link.many(&pipeline, batch).await.is_err() {
                break;
            }
        }
    }
}
