//! What each command does.

use std::process::ExitCode;

use crate::cli::{Cli, Command, Way};
use crate::config_dir;
use crate::error::{LabError, Result};
use crate::instance::{BACKEND, REDIS};
use crate::lab::{Lab, Wish};
use crate::say;
use crate::settings::Settings;

/// Exit code for a command that could not do what it was asked.
const FAILED: u8 = 1;

/// Runs a command to its end.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            say::progress(format!("handbell-lab: cannot start its runtime: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            say::progress(format!("handbell-lab: {error}"));
            ExitCode::from(FAILED)
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode, LabError> {
    let settings = Settings::decide(cli.places.into())?;
    match cli.command {
        Command::Up(way) => up(&settings, way).await?,
        Command::Down => down(&settings).await?,
        Command::Status => status(&Lab::open(&settings).await?),
    }
    Ok(ExitCode::SUCCESS)
}

impl From<Way> for Wish {
    fn from(way: Way) -> Self {
        if way.without_docker {
            Self::Processes
        } else if way.require_docker {
            Self::Docker
        } else {
            Self::Whatever
        }
    }
}

async fn up(settings: &Settings, way: Way) -> Result<()> {
    let lab = Lab::up(settings, way.into()).await?;
    status(&lab);
    Ok(())
}

async fn down(settings: &Settings) -> Result<()> {
    let was_up = Lab::down(settings).await?;
    say::out(if was_up {
        "The lab is down."
    } else {
        "The lab was not up."
    });
    Ok(())
}

/// Says what is up and where.
fn status(lab: &Lab) {
    let port = |service: &str| lab.state.ports.get(service).copied().unwrap_or_default();
    say::out(format!(
        "The lab is up as {} ({}).",
        lab.state.mode.words(),
        lab.state.why
    ));
    say::out(format!("  Redis    127.0.0.1:{}", port(REDIS)));
    say::out(format!(
        "  backend  http://127.0.0.1:{}/health",
        port(BACKEND)
    ));
    if let Some(broken) = &lab.state.broken {
        say::out(format!(
            "  broken   {} (heal it with `handbell-lab heal {}`)",
            broken.fault, broken.fault
        ));
    }
    say::out(format!(
        "Look at it with: handbell --config {} diagnose redis",
        config_dir::directory(&lab.settings).display()
    ));
}
