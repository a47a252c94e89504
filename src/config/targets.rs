//! What can be looked at: `targets.toml` after validation.

use std::path::PathBuf;

use indexmap::IndexMap;

use super::Secret;
use crate::domain::{diagnosis::TargetKind, ids::TargetId};

/// Files of a TLS client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates of the authority that is trusted, PEM; the system's when `None`.
    pub ca: Option<PathBuf>,
    /// The client's own certificate, PEM.
    pub cert: Option<PathBuf>,
    /// The client's own key, PEM.
    pub key: Option<PathBuf>,
}

/// How a Docker engine is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// TCP, with TLS when files are given.
    Tcp {
        /// Host and port.
        address: String,
        /// TLS, or plain when `None`.
        tls: Option<TlsFiles>,
    },
    /// SSH, with the keys and known hosts of the user who runs Handbell: `ssh://user@host:port`.
    Ssh(String),
}

/// A Docker engine (`[docker.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerEngine {
    /// How it is reached.
    pub endpoint: Endpoint,
}

/// A container on an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerRef {
    /// The engine's name in `targets.toml`.
    pub engine: TargetId,
    /// The container's name.
    pub name: String,
}

/// Where a Redis server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisAddress {
    /// Host and port.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A unix socket.
    Unix(PathBuf),
}

/// A Redis server (`[redis.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisServer {
    /// Where it listens.
    pub address: RedisAddress,
    /// The user; Redis's `default` when `None`.
    pub username: Option<String>,
    /// The password, if the server wants one.
    pub password: Option<Secret>,
    /// The database, 0 unless told.
    pub database: u16,
    /// TLS, or plain when `None`.
    pub tls: Option<TlsFiles>,
    /// The container that it runs in, if it does.
    pub container: Option<ContainerRef>,
}

/// All targets by name; names are unique over all kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Docker engines.
    pub docker: IndexMap<TargetId, DockerEngine>,
    /// Redis servers.
    pub redis: IndexMap<TargetId, RedisServer>,
}

impl Targets {
    /// Every target's name and kind.
    pub fn names(&self) -> impl Iterator<Item = (String, TargetKind)> {
        let docker = self
            .docker
            .keys()
            .map(|id| (id.to_string(), TargetKind::Docker));
        let redis = self
            .redis
            .keys()
            .map(|id| (id.to_string(), TargetKind::Redis));
        docker.chain(redis)
    }

    /// What kind of thing `name` is; `None` when there is no such target.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<TargetKind> {
        if self.docker.contains_key(name) {
            Some(TargetKind::Docker)
        } else if self.redis.contains_key(name) {
            Some(TargetKind::Redis)
        } else {
            None
        }
    }
}
