//! serenity: commands, decode, deliver. The only place that knows Discord.
//!
//! - `commands`, `spec`, `register`: the handbook → commands, written where they changed
//! - `handler`: the gateway's events; `decode`: an interaction → what is asked
//! - `acknowledge`, `firsts`: the first response, within a second; `bot`: one interaction to its answer
//! - `progress`, `present`, `deliver`, `upload`: what the person reads, through every trouble on the way
//! - `answer`, `embed`, `plain`, `markup`, `limits`: messages that fit, format nothing and mention nobody
//! - `attach`: the files that have what a message has no room for
//! - `doctor`, `permissions`: what the bot needs, and whether it has it
//! - `handbook`: its pages in chat; `looks`: what people saw where only a person can look
//! - `http`, `error`, `serve`, `lost`: the connection itself

mod acknowledge;
mod answer;
mod attach;
mod bot;
mod commands;
mod decode;
mod deliver;
pub mod doctor;
mod embed;
mod error;
mod firsts;
mod handbook;
mod handler;
mod http;
mod limits;
mod looks;
mod lost;
mod markup;
pub mod permissions;
mod plain;
mod present;
mod progress;
mod register;
mod serve;
mod spec;
mod upload;
mod words;

pub use commands::{commands, pages_left_out};
pub use error::{DiscordError, Failure, classify, describe};
pub use http::http;
pub use lost::lost_events;
pub use serve::serve;
pub use spec::CommandSpec;
