//! What each command does.

use std::process::ExitCode;

use crate::background;
use crate::cli::{Cli, Command, Lang, Way};
use crate::config_dir;
use crate::demo;
use crate::error::{LabError, Result};
use crate::fault::{self, Fault};
use crate::instance::{BACKEND, REDIS};
use crate::lab::{Lab, Wish};
use crate::say;
use crate::score;
use crate::settings::Settings;
use crate::state::{Mode, Store};

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
        Command::List { lang, json } => list(&settings, lang, json)?,
        Command::Break { name } => break_lab(&settings, &name).await?,
        Command::Heal { name } => heal(&settings, name.as_deref()).await?,
        Command::Score {
            runbook,
            times,
            only,
            way,
        } => return score(&settings, &runbook, times, &only, way).await,
        Command::Demo { way, page_port } => demo::run(&settings, way.into(), page_port).await?,
        Command::Background { order } => background::run(&order).await?,
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

fn list(settings: &Settings, lang: Lang, json: bool) -> Result<()> {
    let mode = Store::peek(settings)?.map_or(Mode::Docker, |state| state.mode);
    let faults = fault::read_all(&settings.lab_dir)?;
    if json {
        let rows: Vec<serde_json::Value> =
            faults.iter().map(|fault| describe(fault, mode)).collect();
        say::out(serde_json::Value::Array(rows).to_string());
        return Ok(());
    }
    for fault in &faults {
        let title = match lang {
            Lang::En => &fault.title.en,
            Lang::Zh => &fault.title.zh,
        };
        let expected = fault.expected(mode).unwrap_or("healthy");
        let why_not = fault
            .why_not(mode)
            .map(|why| format!(" (not here: {})", why.en))
            .unwrap_or_default();
        say::out(format!(
            "{:<26} {expected:<26} {title}{why_not}",
            fault.name
        ));
    }
    Ok(())
}

fn describe(fault: &Fault, mode: Mode) -> serde_json::Value {
    serde_json::json!({
        "name": fault.name, "runbook": fault.runbook, "title": fault.title,
        "expect": fault.expected(mode).unwrap_or("healthy"),
        "applies": fault.why_not(mode).is_none(), "why_not": fault.why_not(mode),
    })
}

async fn break_lab(settings: &Settings, name: &str) -> Result<()> {
    let faults = fault::read_all(&settings.lab_dir)?;
    let fault = fault::find(&faults, name)?;
    let mut lab = Lab::open(settings).await?;
    say::during(
        &format!("Breaking: {}", fault.title.en),
        lab.break_with(fault),
    )
    .await?;
    say::out(format!(
        "{name} is in force. Heal it with: handbell-lab heal"
    ));
    Ok(())
}

async fn heal(settings: &Settings, name: Option<&str>) -> Result<()> {
    let faults = fault::read_all(&settings.lab_dir)?;
    let mut lab = Lab::open(settings).await?;
    let broken = lab.state.broken.as_ref().map(|broken| broken.fault.clone());
    let Some(name) = name.map(str::to_owned).or(broken) else {
        say::out("Nothing is broken.");
        return Ok(());
    };
    let fault = fault::find(&faults, &name)?;
    say::during(&format!("Healing: {}", fault.title.en), lab.heal(fault)).await?;
    say::out(format!("{name} is healed; the lab is as before."));
    Ok(())
}

async fn score(
    settings: &Settings,
    runbook: &str,
    times: u32,
    only: &[String],
    way: Way,
) -> Result<ExitCode> {
    let all = fault::read_all(&settings.lab_dir)?;
    for name in only {
        fault::find(&all, name)?;
    }
    let wanted = |fault: &&Fault| {
        fault.runbook == runbook && (only.is_empty() || only.contains(&fault.name))
    };
    let faults: Vec<&Fault> = all.iter().filter(wanted).collect();
    if faults.is_empty() {
        return Err(LabError::Refused(format!(
            "no fault belongs to the runbook {runbook:?}"
        )));
    }
    let was_up = Store::peek(settings)?.is_some();
    let mut stop = demo::Stop::new()?;
    let scored = tokio::select! {
        scored = score_all(settings, &faults, runbook, times, way) => scored,
        name = stop.comes() => Err(LabError::Refused(format!("{name}: the score was broken off"))),
    };
    // However it ended: nothing stays broken, and a lab that was brought up for the score goes down again.
    if !was_up {
        Lab::down(settings).await?;
    } else if scored.is_err() {
        heal(settings, None).await?;
    }
    let (words, perfect) = score::summary(&scored?);
    say::out(format!("\n{words}"));
    Ok(ExitCode::from(if perfect { 0 } else { FAILED }))
}

async fn score_all(
    settings: &Settings,
    faults: &[&Fault],
    runbook: &str,
    times: u32,
    way: Way,
) -> Result<Vec<score::Row>> {
    let mut lab = Lab::up(settings, way.into()).await?;
    say::out(format!(
        "The lab runs as {}: {}.",
        lab.state.mode.words(),
        lab.state.why
    ));
    if let Some(broken) = &lab.state.broken {
        return Err(LabError::Refused(format!(
            "{} is in force; heal it first (handbell-lab heal)",
            broken.fault
        )));
    }
    score::rounds(&mut lab, faults, runbook, times).await
}
