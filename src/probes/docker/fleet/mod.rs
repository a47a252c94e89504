//! All containers of an engine.
//!
//! - `ours`: which of them are meant, and which are a neighbour's
//! - `containers`: `docker.containers`
//! - `events`: `docker.events`
//! - `df`: `docker.df`
//! - `logs`: `docker.logs`

pub mod containers;
pub mod df;
pub mod events;
pub mod logs;
mod ours;

pub(super) use ours::Ours;
