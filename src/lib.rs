//! Handbell: an incident handbook as a chat bot.
//!
//! # Layout
//!
//! Imports point down only; `tests/layering.rs` keeps it so.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`cli`] | the command line |
//! | [`runtime`] | start-up wiring, signals, telemetry: the only place that names concrete adapters |
//! | [`discord`] | serenity: commands, decode, deliver. The only place that knows Discord |
//! | [`probes`] | read-only adapters that look at Docker, Redis, MySQL, machines, Nginx, logs, the web, WeChat Pay and the mini program |
//! | [`store`] | what is recorded, in SQLite |
//! | [`app`] | use cases, and the ports that they need |
//! | [`render`] | domain → card; card → text for terminals |
//! | [`config`] | raw → validated, every error at once, secrets that can't print |
//! | [`domain`] | the words and the rules between them: pure |
//!
//! A walk through one request is in `docs/architecture.md`.

pub mod app;
pub mod cli;
pub mod config;
pub mod discord;
pub mod domain;
pub mod probes;
pub mod render;
pub mod runtime;
pub mod store;
