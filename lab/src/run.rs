//! What each command does.

use std::process::ExitCode;

use crate::ask;
use crate::background;
use crate::cli::{Cli, Command, Lang, Way};
use crate::config_dir;
use crate::demo;
use crate::error::{LabError, Result};
use crate::fault::{self, Fault};
use crate::instance::{self, HTTPS};
use crate::lab::{Lab, Wish};
use crate::say;
use crate::score;
use crate::service::{Database, Service};
use crate::settings::Settings;
use crate::state::{Mode, Store};

/// Exit code for a command that could not do what it was asked.
const FAILED: u8 = 1;

/// Heads what was wrong in a score.
pub const WRONG: &str = "Wrong:";

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
        Command::Status => status(&Lab::open(&settings).await?).await,
        Command::List { lang, json } => list(&settings, lang, json)?,
        Command::Break { name } => break_lab(&settings, &name).await?,
        Command::Heal { name } => heal(&settings, name.as_deref()).await?,
        Command::Score {
            runbook,
            seed,
            skip_healthy,
            times,
            only,
            chat,
            way,
        } => {
            let seed = seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
            let wanted = Scored {
                runbooks: runbook,
                times,
                only,
                seed,
                healthy: !skip_healthy,
                chat,
            };
            return score(&settings, &wanted, way).await;
        }
        Command::Demo { way, page_port } => {
            demo::run(&settings, way.into(), way.database, page_port).await?;
        }
        Command::Background { order } => background::run(&settings, &order).await?,
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
    let lab = Lab::up(settings, way.into(), way.database).await?;
    status(&lab).await;
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

/// Says what is up and where, and what does not answer.
async fn status(lab: &Lab) {
    let ports = &lab.state.ports;
    say::out(format!(
        "The lab is up as {} with {} ({}).",
        lab.state.mode.words(),
        lab.state.database.words(),
        lab.state.why
    ));
    let second = instance::port_of(ports, Service::Dns, instance::SECOND_DNS);
    let https = instance::port_of(ports, Service::Nginx, HTTPS);
    let mut silent = false;
    for (service, name, address) in [
        (
            Service::MysqlMaster,
            "database",
            format!("127.0.0.1:{}", lab.port(Service::MysqlMaster)),
        ),
        (
            Service::RedisMaster,
            "Redis",
            format!("127.0.0.1:{}", lab.port(Service::RedisMaster)),
        ),
        (
            Service::Backend,
            "backend",
            format!("http://127.0.0.1:{}/health", lab.port(Service::Backend)),
        ),
        (
            Service::Nginx,
            "Nginx",
            format!(
                "http://127.0.0.1:{} and https://127.0.0.1:{https} (api.mall.com)",
                lab.port(Service::Nginx)
            ),
        ),
        (
            Service::Wechatpay,
            "WeChat Pay",
            format!(
                "https://127.0.0.1:{} (a stand-in)",
                lab.port(Service::Wechatpay)
            ),
        ),
        (
            Service::Dns,
            "name servers",
            format!(
                "127.0.0.1:{} and 127.0.0.1:{second}",
                lab.port(Service::Dns)
            ),
        ),
    ] {
        let well = lab.is_well(service).await;
        silent |= !well;
        let word = if well { "" } else { "  does not answer" };
        say::out(format!("  {name:<13} {address}{word}"));
    }
    if let Some(broken) = &lab.state.broken {
        say::out(format!(
            "  {:<13} {} (heal it with `handbell-lab heal {}`)",
            "broken", broken.fault, broken.fault
        ));
    }
    if silent && lab.state.broken.is_none() {
        say::out("Not all of it answers: `handbell-lab up` puts that right.");
    }
    say::out(format!(
        "Look at it with: handbell --config {} diagnose all",
        config_dir::directory(&lab.settings).display()
    ));
}

fn list(settings: &Settings, lang: Lang, json: bool) -> Result<()> {
    let usual = fault::Way {
        mode: Mode::Docker,
        database: Database::Mysql,
    };
    let way = Store::peek(settings)?.map_or(usual, |state| fault::Way::of(&state));
    let faults = fault::read_all(&settings.lab_dir)?;
    if json {
        let rows: Vec<serde_json::Value> =
            faults.iter().map(|fault| describe(fault, way)).collect();
        say::out(serde_json::Value::Array(rows).to_string());
        return Ok(());
    }
    for fault in &faults {
        let title = match lang {
            Lang::En => &fault.title.en,
            Lang::Zh => &fault.title.zh,
        };
        let expected = fault.expected(way).to_string();
        let why_not = fault
            .why_not(way)
            .map(|why| format!(" (not here: {})", why.en))
            .unwrap_or_default();
        say::out(format!(
            "{:<26} {expected:<26} {title}{why_not}",
            fault.name
        ));
    }
    Ok(())
}

fn describe(fault: &Fault, way: fault::Way) -> serde_json::Value {
    serde_json::json!({
        "name": fault.name, "runbooks": fault.runbooks().collect::<Vec<_>>(), "title": fault.title,
        "expect": fault.expected(way).to_string(),
        "applies": fault.why_not(way).is_none(), "why_not": fault.why_not(way),
    })
}

async fn break_lab(settings: &Settings, name: &str) -> Result<()> {
    let faults = fault::read_all(&settings.lab_dir)?;
    let fault = fault::find(&faults, name)?;
    let mut lab = Lab::open(settings).await?;
    say::during(
        &format!("Breaking: {}", fault.title.en),
        Box::pin(lab.break_with(fault)),
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
    say::during(
        &format!("Healing: {}", fault.title.en),
        Box::pin(lab.heal(fault)),
    )
    .await?;
    say::out(format!("{name} is healed; the lab is as before."));
    Ok(())
}

/// What the command line wants to be scored.
struct Scored {
    runbooks: Vec<String>,
    times: u32,
    only: Vec<String>,
    seed: u64,
    healthy: bool,
    chat: bool,
}

async fn score(settings: &Settings, wanted: &Scored, way: Way) -> Result<ExitCode> {
    let all = fault::read_all(&settings.lab_dir)?;
    for name in &wanted.only {
        fault::find(&all, name)?;
    }
    let was_up = Store::peek(settings)?.is_some();
    let mut stop = demo::Stop::new()?;
    let scored = tokio::select! {
        scored = score_all(settings, &all, wanted, way) => scored,
        name = stop.comes() => Err(LabError::Refused(format!("{name}: the score was broken off"))),
    };
    // However it ended: nothing stays broken, and a lab that was brought up for the score goes down again.
    if !was_up {
        Lab::down(settings).await?;
    } else if scored.is_err() {
        heal(settings, None).await?;
    }
    let (rows, calm) = scored?;
    let (words, perfect) = score::summary(&rows, &calm);
    let wrong = score::wrong(&rows, &calm);
    if !wrong.is_empty() {
        say::out(format!("\n{WRONG}\n{}", wrong.join("\n")));
    }
    say::out(format!("\n{words}"));
    Ok(ExitCode::from(if perfect { 0 } else { FAILED }))
}

async fn score_all(
    settings: &Settings,
    faults: &[Fault],
    wanted: &Scored,
    way: Way,
) -> Result<(Vec<score::Row>, score::Calm)> {
    let mut lab = Lab::up(settings, way.into(), way.database).await?;
    say::out(format!(
        "The lab runs as {} with {}: {}. Seed {}.",
        lab.state.mode.words(),
        lab.state.database.words(),
        lab.state.why,
        wanted.seed
    ));
    if let Some(broken) = &lab.state.broken {
        return Err(LabError::Refused(format!(
            "{} is in force; heal it first (handbell-lab heal)",
            broken.fault
        )));
    }
    let known = ask::Asker::new(&lab)?.runbooks().await?;
    let runbooks: Vec<String> = if wanted.runbooks.is_empty() {
        known
    } else {
        wanted.runbooks.clone()
    };
    let at_once = runbooks.iter().any(|runbook| runbook == ask::ALL);
    let asked = |fault: &&Fault| {
        let own = fault
            .runbooks()
            .any(|own| runbooks.iter().any(|runbook| runbook == own));
        (own || at_once) && (wanted.only.is_empty() || wanted.only.contains(&fault.name))
    };
    let order = score::Order {
        faults: faults.iter().filter(asked).collect(),
        runbooks: runbooks.clone(),
        times: wanted.times,
        seed: wanted.seed,
        healthy: wanted.healthy,
        chat: wanted.chat,
    };
    if order.faults.is_empty() {
        return Err(LabError::Refused(format!(
            "no fault belongs to the runbooks {}",
            runbooks.join(", ")
        )));
    }
    score::rounds(&mut lab, &order).await
}
