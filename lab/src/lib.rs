//! A real mall to break: servers with the handbook's names, faults as data, and the score of the diagnosis.
//!
//! # Layout
//!
//! - [`cli`], [`run`]: the command line and what each command does.
//! - [`settings`], [`state`]: where things are, and what is remembered between two runs.
//! - [`lab`]: one lab, up or down, whichever way its servers run: as containers ([`docker`], from [`compose`], with
//!   [`images`] built on a [`base`]; the engine itself is [`engine`]'s) or as plain [`processes`].
//! - [`fault`] (what `faults/*.toml` say), [`breaking`] (in and out of a fault), [`steps`], [`docker_ops`] and
//!   [`background`] (how a fault is made; a reload of Nginx waits for its workers), [`settle`] and [`raw`] (how one sees that it has taken hold).
//! - [`score`]: how often the diagnosis is right; [`ask`] and [`chat`] are the two ways in which it is asked, and
//!   [`machine`] keeps labs side by side out of each other's way. [`demo`]:
//!   everything at once, with a local Discord and the bot, and [`control`] for its page.
//! - [`config_dir`]: the configuration with which `handbell` looks at it.

pub mod ask;
pub mod background;
pub mod base;
pub mod breaking;
pub mod chat;
pub mod cli;
pub mod compose;
pub mod condition;
pub mod config_dir;
pub mod control;
pub mod demo;
pub mod disk;
pub mod docker;
mod docker_body;
pub mod docker_ops;
pub mod engine;
pub mod error;
pub mod fault;
pub mod files;
mod health;
mod health_sql;
pub mod images;
pub mod instance;
pub mod job;
mod jobs;
pub mod keys;
pub mod lab;
pub mod link;
pub mod machine;
pub mod process;
pub mod processes;
pub mod raw;
pub mod run;
pub mod say;
pub mod score;
pub mod service;
pub mod settings;
pub mod settle;
pub mod sql;
mod stage;
pub mod state;
pub mod step;
pub mod steps;
mod steps_redis;
pub mod tar;
pub mod web;
mod well;
mod workers;
