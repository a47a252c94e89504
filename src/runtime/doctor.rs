//! Walks everything that the configuration names and says how it is.

use std::{os::unix::fs::MetadataExt, path::Path, sync::Arc};

use tokio::task::JoinSet;

use super::store;
use crate::{
    app::{Checkup, Look, Prober},
    config::{Config, OnCall},
    discord,
    domain::{
        access::{Holders, Role},
        diagnosis::{Blind, Sighting, Value},
        handbook::{Args, Handbook},
        ids::{RunbookId, TargetId},
    },
    probes::Probes,
};

/// Looks at everything of `config`, all at once; Discord only when `with_discord`. In the order
/// in which a person would mend it.
pub async fn examine(config: &Config, with_discord: bool) -> Vec<Checkup> {
    let asking_discord = async {
        if with_discord {
            discord::doctor::examine(&config.discord).await
        } else {
            vec![Checkup::skipped(
                "discord",
                "all of it",
                "left out by --no-discord",
            )]
        }
    };
    let (kept, seen, discord) = tokio::join!(keeping(config), targets(config), asking_discord);
    let mut found = configuration(config);
    found.extend(pages(config));
    found.extend(kept);
    found.extend(seen);
    found.extend(discord);
    found
}

fn configuration(config: &Config) -> Vec<Checkup> {
    const AREA: &str = "config";
    let place = match &config.directory {
        Some(directory) => directory.display().to_string(),
        None => "built-in defaults".to_owned(),
    };
    let mut found = vec![Checkup::sound(
        AREA,
        place,
        format!(
            "{} targets, {} pages",
            config.targets.count(),
            config.pages.len()
        ),
    )];
    for secret in config.secrets() {
        // The token's own line comes with Discord.
        if *secret == config.discord.token {
            continue;
        }
        if let Err(error) = secret.read() {
            found.push(Checkup::wrong(
                AREA,
                "secret",
                error.to_string(),
                format!("put the secret into {}", secret.place()),
            ));
        }
    }
    found.extend(config.secret_files().filter_map(open_to_others));
    let holds = |role: Role| *config.access.holders(role) != Holders::default();
    if !Role::ALL.into_iter().skip(1).any(holds) {
        found.push(Checkup::notice(
            AREA,
            "access.toml",
            "nobody may run a diagnosis",
            "give somebody the role operator",
        ));
    }
    if config.oncall == OnCall::default() {
        found.push(Checkup::skipped(
            AREA,
            "oncall.toml",
            "nobody is on call yet",
        ));
    }
    found
}

/// A file of a secret that others than its owner can read.
fn open_to_others(path: &Path) -> Option<Checkup> {
    const OTHERS: u32 = 0o077;
    let mode = std::fs::metadata(path).ok()?.mode();
    (mode & OTHERS != 0).then(|| {
        Checkup::notice(
            "config",
            path.display().to_string(),
            format!("others can read this secret (mode {:03o})", mode & 0o777),
            format!("chmod 600 {}", path.display()),
        )
    })
}

fn pages(config: &Config) -> Vec<Checkup> {
    const AREA: &str = "handbook";
    match super::whole_handbook(config) {
        Ok(handbook) => {
            let ids: Vec<&str> = handbook.pages.keys().map(RunbookId::as_str).collect();
            let mut found = vec![Checkup::sound(AREA, "pages", ids.join(", "))];
            found.extend(unknown_targets(&handbook, config));
            found
        }
        Err(problems) => problems
            .iter()
            .map(|problem| {
                Checkup::wrong(
                    AREA,
                    format!("{}:{}:{}", problem.file, problem.line, problem.column),
                    problem.message.clone(),
                    problem
                        .hint
                        .clone()
                        .unwrap_or_else(|| "`handbell handbook lint` shows the line".to_owned()),
                )
            })
            .collect(),
    }
}

/// Targets that a page names and the configuration does not have.
fn unknown_targets(handbook: &Handbook, config: &Config) -> Vec<Checkup> {
    let mut found = Vec::new();
    for page in handbook.pages.values() {
        let mut missing: Vec<&str> = page
            .checks
            .iter()
            .map(|check| check.target.as_str())
            .filter(|target| config.targets.kind(target).is_none())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        found.extend(missing.into_iter().map(|target| {
            Checkup::wrong(
                "handbook",
                format!("page {}", page.id),
                format!("it looks at the target {target}, which targets.toml does not name"),
                format!("add it to targets.toml, as in [redis.{target}] or [url.{target}]"),
            )
        }));
    }
    found
}

async fn keeping(config: &Config) -> Vec<Checkup> {
    const AREA: &str = "store";
    let store = store(config);
    let subject = store.file().display().to_string();
    let tried = store.try_out().await;
    store.close().await;
    match tried {
        Ok(()) => vec![Checkup::sound(AREA, subject, "written and read")],
        Err(error) => vec![Checkup::wrong(
            AREA,
            subject,
            error.to_string(),
            "without it no diagnosis runs: what can't be recorded is not done",
        )],
    }
}

async fn targets(config: &Config) -> Vec<Checkup> {
    let prober: Arc<dyn Prober> = Arc::new(Probes::new(config.targets.clone()));
    let mut asked: Vec<(TargetId, &'static str)> = Vec::new();
    for id in config.targets.docker.keys() {
        asked.push((id.clone(), "docker.engine"));
    }
    for id in config.targets.redis.keys() {
        asked.push((id.clone(), "redis.ping"));
    }
    let names: Vec<TargetId> = config
        .targets
        .names()
        .filter_map(|(name, _)| name.parse().ok())
        .collect();
    for id in names {
        if config.targets.container(&id).is_some() {
            asked.push((id, "docker.container"));
        }
    }
    let mut looks = JoinSet::new();
    for (n, (target, probe)) in asked.into_iter().enumerate() {
        let prober = Arc::clone(&prober);
        let look = Look {
            probe: probe.to_owned(),
            target,
            args: Args::new(),
            deadline: config.diagnosis.check_deadline,
        };
        looks.spawn(async move {
            let seen = tokio::time::timeout(look.deadline, prober.look(&look)).await;
            (n, told(&look, seen.ok()))
        });
    }
    let mut found: Vec<(usize, Checkup)> = Vec::new();
    while let Some(one) = looks.join_next().await {
        match one {
            Ok(one) => found.push(one),
            Err(error) => tracing::error!(%error, "a probe broke"),
        }
    }
    found.sort_by_key(|(n, _)| *n);
    found.into_iter().map(|(_, one)| one).collect()
}

fn told(look: &Look, seen: Option<Result<Sighting, Blind>>) -> Checkup {
    const AREA: &str = "target";
    let subject = format!("{} ({})", look.target, look.probe);
    let mend = mend(&look.probe);
    match seen {
        None => Checkup::wrong(
            AREA,
            subject,
            format!("no answer within {} ms", look.deadline.as_millis()),
            mend,
        ),
        Some(Err(Blind::NotApplicable(why))) => Checkup::skipped(AREA, subject, why.en),
        Some(Err(Blind::Unknown(unseen))) => Checkup::wrong(AREA, subject, unseen.say().en, mend),
        Some(Ok(sighting)) => {
            let text = |name: &str| match sighting.facts.get(name) {
                Some(Value::Text(text)) => text.clone(),
                _ => String::new(),
            };
            let state = text("state");
            let detail = if text("detail").is_empty() {
                text("error")
            } else {
                text("detail")
            };
            let say = [
                text("address"),
                text("name"),
                text("version"),
                state.clone(),
                detail,
            ]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
            if state == "ok" || state == "running" {
                Checkup::sound(AREA, subject, say)
            } else {
                Checkup::wrong(AREA, subject, say, mend)
            }
        }
    }
}

fn mend(probe: &str) -> &'static str {
    match probe {
        "docker.engine" => {
            "look whether the engine runs, and whether the user who runs Handbell may use its \
             socket (group docker); the endpoint is in targets.toml"
        }
        "docker.container" => {
            "look whether the container's name in targets.toml is right (`docker ps -a`), and start it"
        }
        _ => {
            "look whether the server runs, and whether address and password in targets.toml are right"
        }
    }
}
