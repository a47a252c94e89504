//! Probes of Redis.
//!
//! - `session`: one connection: connect, log in, ask
//! - `pool`: one kept connection for each server, shared by all looks but `redis.ping`
//! - `failure`: why there is no answer, each reason told apart

mod failure;
mod pool;
mod session;
mod words;

pub mod clients;
pub mod config;
pub mod info;
pub mod keys;
pub mod latency;
pub mod locks;
pub mod ping;
pub mod slowlog;

use indexmap::IndexMap;

use self::pool::Pool;
use crate::{
    app::Look,
    config::RedisServer,
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        ids::TargetId,
    },
};

/// All Redis servers of the configuration.
pub(super) struct Servers {
    servers: IndexMap<TargetId, RedisServer>,
    pool: Pool,
}

impl Servers {
    /// `servers`, none of them connected yet.
    pub(super) fn new(servers: IndexMap<TargetId, RedisServer>) -> Self {
        let pool = Pool::new(servers.keys());
        Self { servers, pool }
    }

    /// Looks once; `None` when the probe is not one of Redis.
    pub(super) async fn look(&self, look: &Look) -> Option<Result<Sighting, Blind>> {
        let Some(server) = self.servers.get(&look.target) else {
            return Some(Err(Blind::Unknown(Unseen::NoSuchTarget {
                name: look.target.to_string(),
            })));
        };
        let patience = look.patience();
        let link = self.pool.link(&look.target, server, patience);
        Some(match look.probe.as_str() {
            "redis.ping" => ping::look(server, patience).await,
            "redis.info" => info::look(&link, &look.args).await,
            "redis.config" => config::look(&link).await,
            "redis.slowlog" => slowlog::look(&link, &look.args).await,
            "redis.latency" => latency::look(&link, &look.args).await,
            "redis.keys" => keys::look(&link, &look.args).await,
            "redis.locks" => locks::look(&link, &look.args).await,
            "redis.clients" => clients::look(&link, &look.args).await,
            _ => return None,
        })
    }
}
