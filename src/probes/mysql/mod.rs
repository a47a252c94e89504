//! Probes of MySQL and MariaDB.
//!
//! - `wire`: a server's greeting, or the error with which it turns a client away
//! - `carrier`: what stands between the client library and the server
//! - `session`: one connection: connect, log in, ask
//! - `pool`: two kept connections for each server, shared by all looks but `mysql.ping`
//! - `failure`: why there is no answer, each reason told apart
//! - `flavour`: MySQL or MariaDB, and of what version
//! - `people`: who is connected, statements without values
//! - `rows`: answers as rows of texts

mod carrier;
mod failure;
mod flavour;
mod people;
mod pool;
mod rows;
mod session;
mod wire;

pub mod connections;
pub mod deadlock;
pub mod indexes;
pub mod ping;
pub mod processlist;
pub mod query;
pub mod replication;
pub mod slowlog;
pub mod storage;
pub mod transactions;
pub mod variables;

use indexmap::IndexMap;

use self::pool::Pool;
use crate::{
    app::Look,
    config::MysqlServer,
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        ids::TargetId,
    },
    probes::docker::Engines,
};

/// All MySQL servers of the configuration.
pub(super) struct Servers {
    servers: IndexMap<TargetId, MysqlServer>,
    pool: Pool,
}

impl Servers {
    /// `servers`, none of them connected yet.
    pub(super) fn new(servers: IndexMap<TargetId, MysqlServer>) -> Self {
        let pool = Pool::new(servers.keys());
        Self { servers, pool }
    }

    /// Looks once; `engines` has the containers in which servers may keep their logs. `None` when the probe is not one of MySQL.
    pub(super) async fn look(
        &self,
        look: &Look,
        engines: &Engines,
    ) -> Option<Result<Sighting, Blind>> {
        let missing = || {
            Some(Err(Blind::Unknown(Unseen::NoSuchTarget {
                name: look.target.to_string(),
            })))
        };
        let Some(server) = self.servers.get(&look.target) else {
            return missing();
        };
        let Some(link) = self.pool.link(&look.target, server, look.patience()) else {
            return missing();
        };
        Some(match look.probe.as_str() {
            "mysql.ping" => ping::look(&link).await,
            "mysql.connections" => connections::look(&link, &look.args).await,
            "mysql.processlist" => processlist::look(&link, &look.args).await,
            "mysql.transactions" => transactions::look(&link, &look.args).await,
            "mysql.deadlock" => deadlock::look(&link, &look.args).await,
            "mysql.slowlog" => slowlog::look(&link, &look.args, engines).await,
            "mysql.variables" => variables::look(&link).await,
            "mysql.replication" => replication::look(&link).await,
            "mysql.storage" => storage::look(&link).await,
            "mysql.indexes" => indexes::look(&link, &look.args).await,
            "mysql.query" => query::look(&link, &look.args).await,
            _ => return None,
        })
    }
}
