//! Probes of Docker.

pub mod container;
pub mod engine;
pub mod log;
