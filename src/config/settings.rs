//! `handbell.toml` after validation.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use jiff::tz::TimeZone;

use super::Secret;
use crate::domain::text::Lang;

/// `[general]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct General {
    /// The language of the bot's log, and of the command line when the locale says nothing.
    pub language: Lang,
    /// The team's zone.
    pub timezone: TimeZone,
}

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// The state directory.
    pub directory: PathBuf,
    /// For how long a diagnosis is kept.
    pub keep: Duration,
}

/// `[diagnosis]`: bounds of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiagnosisSettings {
    /// The time for one check, unless its page gives it another.
    pub check_deadline: Duration,
    /// The time for the whole run.
    pub run_deadline: Duration,
    /// Looks at one target at the same time.
    pub checks_per_target: usize,
}

/// `[discord]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscordSettings {
    /// The bot's token.
    pub token: Secret,
    /// Ids of the guilds in which the commands are registered.
    pub guilds: Vec<u64>,
    /// Ids of the channels in which the bot works; `doctor` walks them.
    pub channels: Vec<u64>,
    /// A local Discord; Discord itself when `None`.
    pub endpoint: Option<DiscordEndpoint>,
}

/// `[discord.endpoint]`: a local Discord, such as the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscordEndpoint {
    /// Where its REST interface listens, with TLS; `discord.com` is resolved to it.
    pub address: SocketAddr,
    /// The authority that signed its certificate, PEM.
    pub ca: PathBuf,
    /// Its gateway, `ws://…`.
    pub gateway: String,
}
