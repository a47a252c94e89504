//! Read-only eyes: Docker through its engine's interface, Redis through its own protocol.
//!
//! Each probe is a module with a `SPEC` (what it takes, what it tells) and a look.
//! Nothing here can change what it looks at.

use std::sync::LazyLock;

use async_trait::async_trait;

use crate::{
    app::{Look, Prober},
    config::Targets,
    domain::diagnosis::{Blind, Catalog, ProbeSpec, Sighting, Unseen},
};

mod args;
pub mod docker;
mod net;
pub mod redis;
mod seen;
mod spec;

pub use seen::mismatches;

use self::redis::Servers;

/// Every probe there is.
pub static SPECS: [&ProbeSpec; 10] = [
    &docker::container::SPEC,
    &docker::engine::SPEC,
    &docker::log::SPEC,
    &redis::clients::SPEC,
    &redis::config::SPEC,
    &redis::info::SPEC,
    &redis::keys::SPEC,
    &redis::latency::SPEC,
    &redis::ping::SPEC,
    &redis::slowlog::SPEC,
];

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::new(SPECS.to_vec()));

/// Every probe there is, by name: for the linter, `handbell probes` and the documentation.
#[must_use]
pub fn catalog() -> &'static Catalog {
    &CATALOG
}

/// The eyes for a configuration's targets. Connections are kept and reused as long as it lives.
pub struct Probes {
    targets: Targets,
    servers: Servers,
}

impl Probes {
    /// Eyes for `targets`. Nothing is opened before the first look.
    #[must_use]
    pub fn new(targets: Targets) -> Self {
        Self {
            servers: Servers::new(targets.redis.clone()),
            targets,
        }
    }
}

#[async_trait]
impl Prober for Probes {
    fn catalog(&self) -> &Catalog {
        catalog()
    }

    async fn look(&self, look: &Look) -> Result<Sighting, Blind> {
        let target = look.target.as_str();
        if self.targets.kind(target).is_none() {
            return Err(Blind::Unknown(Unseen::NoSuchTarget {
                name: target.to_owned(),
            }));
        }
        if let Some(seen) = self.servers.look(look).await {
            return seen;
        }
        Err(Blind::Unknown(Unseen::Broken {
            reference: look.probe.clone(),
        }))
    }
}
