//! Probes of Docker, through the engine's own interface.
//!
//! - `way`: how an engine is reached: unix socket, TCP, TLS, SSH
//! - `client`: one kept client for each engine
//! - `failure`: why there is no answer, each reason told apart

mod client;
mod failure;
mod way;

pub mod container;
pub mod engine;
pub mod log;

use std::{path::Path, time::Duration};

use indexmap::IndexMap;

use self::client::Engine;
use crate::{
    app::Look,
    config::{ContainerRef, DockerEngine, RedisServer},
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        ids::TargetId,
        text::Text,
    },
};

/// All Docker engines of the configuration.
pub(super) struct Engines {
    engines: IndexMap<TargetId, Engine>,
}

/// A container on an engine, as one look may use it.
struct Place<'a> {
    engine: &'a Engine,
    name: &'a str,
    server: &'a RedisServer,
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

    /// Looks once; `server` is the target when it is a Redis server. `None` when the probe is not
    /// one of Docker.
    pub(super) async fn look(
        &self,
        look: &Look,
        server: Option<&RedisServer>,
    ) -> Option<Result<Sighting, Blind>> {
        let patience = look.patience();
        Some(match look.probe.as_str() {
            "docker.engine" => match self.engine(&look.target, server) {
                Ok(engine) => Ok(engine::look(engine, patience).await),
                Err(blind) => Err(blind),
            },
            "docker.container" => match self.place(server, patience) {
                Ok(place) => container::look(&place).await,
                Err(blind) => Err(blind),
            },
            "docker.log" => match self.place(server, patience) {
                Ok(place) => log::look(&place, &look.args).await,
                Err(blind) => Err(blind),
            },
            _ => return None,
        })
    }

    /// The engine that is the target, or that the target's container runs on.
    fn engine(&self, target: &TargetId, server: Option<&RedisServer>) -> Result<&Engine, Blind> {
        match server {
            Some(server) => self.named(&container_of(server)?.engine),
            None => self.named(target),
        }
    }

    fn place<'a>(
        &'a self,
        server: Option<&'a RedisServer>,
        patience: Duration,
    ) -> Result<Place<'a>, Blind> {
        let server = server.ok_or_else(no_container)?;
        let container = container_of(server)?;
        Ok(Place {
            engine: self.named(&container.engine)?,
            name: &container.name,
            server,
            patience,
        })
    }

    fn named(&self, name: &TargetId) -> Result<&Engine, Blind> {
        self.engines.get(name).ok_or_else(|| {
            Blind::Unknown(Unseen::NoSuchTarget {
                name: name.to_string(),
            })
        })
    }
}

fn container_of(server: &RedisServer) -> Result<&ContainerRef, Blind> {
    server.container.as_ref().ok_or_else(no_container)
}

fn no_container() -> Blind {
    Blind::NotApplicable(Text::new(
        "this target runs in no container (targets.toml names none)",
        "该目标不在容器中运行（targets.toml 中没有指定容器）",
    ))
}
