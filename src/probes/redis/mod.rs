//! Probes of Redis.

pub mod clients;
pub mod config;
pub mod info;
pub mod keys;
pub mod latency;
pub mod ping;
pub mod slowlog;
