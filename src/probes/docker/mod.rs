//! Probes of Docker, through the engine's own interface.
//!
//! - `way`: how an engine is reached: unix socket, TCP, TLS, SSH
//! - `client`: one kept client for each engine
//! - `failure`: why there is no answer, each reason told apart
//! - `inside`: what other probes may ask of a container
//! - `exec`: a program in a container
//! - `archive`: files of a container
//! - `fleet`: all containers of an engine

mod archive;
mod client;
mod exec;
mod failure;
mod inside;
mod way;

pub mod container;
pub mod engine;
pub mod fleet;
pub mod log;

use std::{collections::BTreeMap, path::Path, time::Duration};

use indexmap::IndexMap;

pub(super) use self::{archive::Entry, failure::Failure, inside::Inside, log::Line};

use self::client::Engine;
use crate::{
    app::Look,
    config::{ContainerRef, DockerEngine, ServerAddress, Targets},
    domain::{
        diagnosis::{Blind, Sighting, TargetKind, Unseen},
        ids::TargetId,
        text::Text,
    },
};

/// Targets that can be a container.
const WITH_CONTAINER: &[TargetKind] = &[
    TargetKind::Redis,
    TargetKind::Mysql,
    TargetKind::Service,
    TargetKind::Nginx,
    TargetKind::Log,
];

/// All Docker engines of the configuration.
pub(super) struct Engines {
    engines: IndexMap<TargetId, Engine>,
}

/// A container on an engine, as one look may use it.
struct Place<'a> {
    engine: &'a Engine,
    name: &'a str,
    /// Where its server is reached from outside, when the target is one with an address.
    address: Option<&'a ServerAddress>,
    patience: Duration,
}

impl Engines {
    /// `engines`, none of them connected yet; `ssh` is the program that carries `ssh://`.
    pub(super) fn new(engines: &IndexMap<TargetId, DockerEngine>, ssh: &Path) -> Self {
        Self {
            engines: engines
                .iter()
                .map(|(name, engine)| (name.clone(), Engine::new(&engine.endpoint, ssh)))
                .collect(),
        }
    }

    /// Looks once at one of `targets`. `None` when the probe is not one of Docker.
    pub(super) async fn look(
        &self,
        look: &Look,
        targets: &Targets,
    ) -> Option<Result<Sighting, Blind>> {
        let patience = look.patience();
        Some(match look.probe.as_str() {
            "docker.engine" => match self.engine(&look.target, targets) {
                Ok(engine) => Ok(engine::look(engine, patience).await),
                Err(blind) => Err(blind),
            },
            "docker.container" => match self.place(&look.target, targets, patience) {
                Ok(place) => container::look(&place).await,
                Err(blind) => Err(blind),
            },
            "docker.log" => match self.place(&look.target, targets, patience) {
                Ok(place) => log::look(&place, &look.args).await,
                Err(blind) => Err(blind),
            },
            "docker.containers" => match self.named(&look.target) {
                Ok(engine) => {
                    fleet::containers::look(engine, &ours(&look.target, targets), patience).await
                }
                Err(blind) => Err(blind),
            },
            "docker.events" => match self.named(&look.target) {
                Ok(engine) => {
                    let ours = ours(&look.target, targets);
                    fleet::events::look(engine, &ours, &look.args, patience).await
                }
                Err(blind) => Err(blind),
            },
            "docker.logs" => match self.named(&look.target) {
                Ok(engine) => {
                    fleet::logs::look(engine, &ours(&look.target, targets), patience).await
                }
                Err(blind) => Err(blind),
            },
            "docker.df" => match self.named(&look.target) {
                Ok(engine) => fleet::df::look(engine, patience).await,
                Err(blind) => Err(blind),
            },
            _ => return None,
        })
    }

    /// The engine that is the target, or that the target's container runs on.
    fn engine(&self, target: &TargetId, targets: &Targets) -> Result<&Engine, Blind> {
        if targets.docker.contains_key(target) || targets.kind(target.as_str()).is_none() {
            return self.named(target);
        }
        self.named(&container_of(target, targets)?.engine)
    }

    fn place<'a>(
        &'a self,
        target: &TargetId,
        targets: &'a Targets,
        patience: Duration,
    ) -> Result<Place<'a>, Blind> {
        let container = container_of(target, targets)?;
        let redis = targets.redis.get(target).map(|it| &it.address);
        let mysql = targets.mysql.get(target).map(|it| &it.address);
        Ok(Place {
            engine: self.named(&container.engine)?,
            name: &container.name,
            address: redis.or(mysql),
            patience,
        })
    }

    /// A container for other probes.
    pub(super) fn inside<'a>(&'a self, container: &'a ContainerRef) -> Result<Inside<'a>, Blind> {
        Ok(Inside::new(self.named(&container.engine)?, &container.name))
    }

    /// Where this machine's engines mount the volumes of the containers that are meant, with the
    /// container's name; none when no engine of this machine is configured and answers.
    pub(super) async fn volumes_here(
        &self,
        targets: &Targets,
        patience: Duration,
    ) -> Option<BTreeMap<String, String>> {
        let end = tokio::time::Instant::now() + patience;
        let mut found = None;
        for (name, engine) in self.engines.iter().filter(|(_, engine)| engine.is_here()) {
            let Ok(all) = fleet::containers::list(engine, end).await else {
                continue;
            };
            let places: &mut BTreeMap<String, String> = found.get_or_insert_default();
            let (meant, ..) = ours(name, targets).among(&all);
            for one in meant {
                let sources = one.mounts.iter().map(|mount| mount.source.clone());
                places.extend(sources.map(|source| (source, one.name().to_owned())));
            }
        }
        found
    }

    /// The engine called `name`. Where no engine is configured at all, there is none to look at, which is no fault.
    fn named(&self, name: &TargetId) -> Result<&Engine, Blind> {
        if self.engines.is_empty() {
            return Err(no_engine());
        }
        self.engines.get(name).ok_or_else(|| no_target(name))
    }
}

/// The containers on `engine` that the configuration names.
fn ours(engine: &TargetId, targets: &Targets) -> fleet::Ours {
    let names = targets
        .names()
        .filter_map(|(name, _)| targets.container(&name.parse().ok()?))
        .filter(|container| container.engine == *engine)
        .map(|container| container.name.clone());
    fleet::Ours {
        names: names.collect(),
    }
}

fn container_of<'a>(target: &TargetId, targets: &'a Targets) -> Result<&'a ContainerRef, Blind> {
    if targets.kind(target.as_str()).is_none() {
        return Err(no_target(target));
    }
    targets.container(target).ok_or_else(no_container)
}

fn no_target(name: &TargetId) -> Blind {
    Blind::Unknown(Unseen::NoSuchTarget {
        name: name.to_string(),
    })
}

fn no_engine() -> Blind {
    Blind::NotApplicable(Text::new(
        "nothing here runs in Docker (targets.toml names no engine)",
        "这里没有使用 Docker（targets.toml 中没有 Docker 引擎）",
    ))
}

fn no_container() -> Blind {
    Blind::NotApplicable(Text::new(
        "this target runs in no container (targets.toml names none)",
        "该目标不在容器中运行（targets.toml 中没有指定容器）",
    ))
}

/// A name or path in an address of the interface; the engine's own grammar needs no encoding, the configuration
/// may hold anything.
fn encoded(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
