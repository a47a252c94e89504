//! Walks everything that the configuration names and says how it is.

mod targets;

use std::{collections::BTreeMap, os::unix::fs::MetadataExt, path::Path};

use super::{catalog, store};
use crate::{
    app::{Checkup, Recorder},
    config::{Config, OnCall},
    discord,
    domain::{
        access::{Holders, Role},
        diagnosis::TargetKind,
        handbook::{Handbook, Runbook},
        ids::RunbookId,
    },
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
    let (kept, seen, discord) =
        tokio::join!(keeping(config), targets::examine(config), asking_discord);
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

/// Targets that a page names and the configuration does not have, or has as something else.
fn unknown_targets(handbook: &Handbook, config: &Config) -> Vec<Checkup> {
    let mut found = Vec::new();
    for page in handbook.pages.values() {
        for (target, kinds) in looked_at(page) {
            let subject = format!("page {}", page.id);
            let tables: Vec<String> = kinds
                .iter()
                .map(|kind| format!("[{}.{target}]", kind.word()))
                .collect();
            let tables = tables.join(" or ");
            match config.targets.kind(target) {
                None => found.push(Checkup::wrong(
                    "handbook",
                    subject,
                    format!("it looks at the target {target}, which targets.toml does not name"),
                    format!("add it to targets.toml as {tables}"),
                )),
                Some(kind) if !kinds.contains(&kind) => found.push(Checkup::wrong(
                    "handbook",
                    subject,
                    format!(
                        "it looks at the target {target}, which targets.toml has as [{}.{target}]",
                        kind.word()
                    ),
                    format!("name it in targets.toml as {tables}"),
                )),
                Some(_) => {}
            }
        }
    }
    found
}

/// The targets of a page's checks and preventions, each with the kinds that all of its probes can
/// look at; with those of the first probe where they have none in common.
fn looked_at(page: &Runbook) -> BTreeMap<&str, Vec<TargetKind>> {
    let mut all: BTreeMap<&str, Vec<TargetKind>> = BTreeMap::new();
    for check in page.checks.iter().chain(&page.prevent) {
        let Some(probe) = catalog().get(&check.probe) else {
            continue;
        };
        if probe.targets.is_empty() {
            continue;
        }
        let kinds = all
            .entry(check.target.as_str())
            .or_insert_with(|| probe.targets.to_vec());
        let both: Vec<TargetKind> = kinds
            .iter()
            .copied()
            .filter(|kind| probe.targets.contains(kind))
            .collect();
        if !both.is_empty() {
            *kinds = both;
        }
    }
    all
}

async fn keeping(config: &Config) -> Vec<Checkup> {
    const AREA: &str = "store";
    let store = store(config);
    let subject = store.file().display().to_string();
    let tried = match store.try_out().await {
        Ok(()) => store.history(None, 1).await.map(|_| ()),
        Err(error) => Err(error),
    };
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
