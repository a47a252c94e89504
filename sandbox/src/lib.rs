//! A local Discord to try a bot in: REST v10, the gateway, and a page that looks like a team channel.
//!
//! # Layout
//!
//! - `server`, `cut`, `tls`, `page`, `lab`: listeners and addresses.
//! - `rest`: the REST API: `serve` takes a request through faults, token and rate limits to its route; one file per subject.
//! - `gateway`: sessions with numbered events (`mod`), their connections, IDENTIFY and RESUME, compression.
//! - `validate`: what a bot sends, read into types, with Discord's limits and errors.
//! - `world`: the state behind one lock, and how Discord's objects are written.
//! - `control`: the documented interface by which the page and tests act as a person and read what a person sees.
//! - `openapi`: recorded traffic against Discord's published description.
//!
//! The interface is documented in `docs/sandbox.md`.

mod clock;
mod control;
mod cut;
mod gateway;
mod ids;
mod lab;
pub mod openapi;
mod page;
mod permissions;
mod record;
mod rest;
mod server;
mod start;
mod tls;
mod validate;
mod world;

pub use start::{Options, Person, Ready, Sandbox, StartError};
