//! Read-only eyes: Docker through its engine's interface, MySQL and Redis through their own protocols.
//!
//! Each probe is a module with a `SPEC` (what it takes, what it tells) and a look.
//! Nothing here can change what it looks at.

use std::{path::Path, sync::LazyLock};

use async_trait::async_trait;

use crate::{
    app::{Look, Prober},
    config::Targets,
    domain::diagnosis::{Blind, Catalog, ProbeSpec, Sighting, Unseen},
};

mod args;
pub mod docker;
pub mod host;
pub mod log;
pub mod miniprogram;
pub mod mysql;
mod net;
pub mod nginx;
pub mod redis;
mod run;
mod seen;
mod shown;
mod spec;
mod ssh;
pub mod web;
pub mod wechatpay;

pub use seen::mismatches;

use self::{docker::Engines, host::Machines, redis::Servers, web::Urls, wechatpay::Merchants};

/// Every probe there is.
pub static SPECS: &[&ProbeSpec] = &[
    &docker::container::SPEC,
    &docker::engine::SPEC,
    &docker::fleet::containers::SPEC,
    &docker::fleet::df::SPEC,
    &docker::fleet::events::SPEC,
    &docker::fleet::logs::SPEC,
    &docker::log::SPEC,
    &host::deleted::SPEC,
    &host::filesystems::SPEC,
    &host::journal::SPEC,
    &host::largest::SPEC,
    &host::processes::SPEC,
    &host::reachable::SPEC,
    &host::resources::SPEC,
    &host::service::SPEC,
    &log::search::SPEC,
    &log::templates::SPEC,
    &miniprogram::SPEC,
    &web::dns::SPEC,
    &web::http::SPEC,
    &web::tcp::SPEC,
    &web::tls::SPEC,
    &mysql::connections::SPEC,
    &mysql::deadlock::SPEC,
    &mysql::indexes::SPEC,
    &mysql::ping::SPEC,
    &mysql::processlist::SPEC,
    &mysql::query::SPEC,
    &mysql::replication::SPEC,
    &mysql::slowlog::SPEC,
    &mysql::storage::SPEC,
    &wechatpay::order::SPEC,
    &wechatpay::ready::SPEC,
    &wechatpay::settled::SPEC,
    &nginx::errorlog::SPEC,
    &nginx::status::SPEC,
    &nginx::test::SPEC,
    &nginx::upstreams::SPEC,
    &mysql::transactions::SPEC,
    &mysql::variables::SPEC,
    &redis::clients::SPEC,
    &redis::config::SPEC,
    &redis::info::SPEC,
    &redis::keys::SPEC,
    &redis::latency::SPEC,
    &redis::locks::SPEC,
    &redis::ping::SPEC,
    &redis::slowlog::SPEC,
];

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::new(SPECS.to_vec()));

/// Every probe there is, by name: for the linter, `handbell probes` and the documentation.
#[must_use]
pub fn catalog() -> &'static Catalog {
    &CATALOG
}

/// The program that carries `ssh://` engines, as it is found on the search path.
const SSH: &str = "ssh";

/// The eyes for a configuration's targets. Connections are kept and reused as long as it lives.
pub struct Probes {
    targets: Targets,
    servers: Servers,
    mysql: mysql::Servers,
    engines: Engines,
    urls: Urls,
    merchants: Merchants,
    machines: Machines,
}

impl Probes {
    /// Eyes for `targets`. Nothing is opened before the first look.
    #[must_use]
    pub fn new(targets: Targets) -> Self {
        Self::with_ssh(targets, Path::new(SSH))
    }

    /// The same with another program in the place of `ssh`, which takes the same arguments.
    #[must_use]
    pub fn with_ssh(targets: Targets, ssh: &Path) -> Self {
        Self {
            engines: Engines::new(&targets.docker, ssh),
            machines: Machines::new(ssh),
            servers: Servers::new(targets.redis.clone()),
            urls: Urls::new(targets.url.clone()),
            mysql: mysql::Servers::new(targets.mysql.clone()),
            merchants: Merchants::new(targets.wechatpay.clone()),
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
        let seen = match look.probe.split_once('.') {
            Some(("redis", _)) => self.servers.look(look).await,
            Some(("mysql", _)) => self.mysql.look(look, &self.engines).await,
            Some(("docker", _)) => self.engines.look(look, &self.targets).await,
            Some(("host", _)) => self.machines.look(look, &self.targets, &self.engines).await,
            Some(("nginx", _)) => nginx::look(look, &self.targets, &self.engines).await,
            Some(("log", _)) => log::look(look, &self.targets, &self.engines).await,
            Some(("http" | "tls" | "tcp" | "dns", _)) => self.urls.look(look).await,
            Some(("miniprogram", "config")) => {
                Some(miniprogram::look(look, &self.targets, &self.engines).await)
            }
            Some(("wechatpay", _)) => self.merchants.look(look).await,
            Some(("payment", _)) => {
                let engines = &self.engines;
                self.merchants.compare(look, &self.mysql, engines).await
            }
            _ => None,
        };
        // The linter lets no page name a probe that there is not.
        seen.unwrap_or_else(|| {
            Err(Blind::Unknown(Unseen::Broken {
                reference: format!("no probe {}", look.probe),
            }))
        })
    }
}
