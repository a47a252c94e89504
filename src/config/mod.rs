//! Configuration: raw → validated, every error at once, secrets that can't print.
//!
//! Four files, each of which a directory may override; what it does not have comes from the
//! defaults that are embedded in the binary, which are the commented files in `config/`.
//!
//! - `load`: finds and reads the files
//! - `raw`: the files as they are written
//! - `check`, `read_settings`, `read_targets`, `read_services`, `read_people`: raw → validated
//! - `cover`: what of a file may be shown beside an error
//! - `pages`: the handbook's pages, which a directory may override, too
//! - `settings`, `targets`, `oncall`: the validated types
//! - `secret`, `environment`, `local_user`: the only places that read secrets, the environment,
//!   and whose process this is

mod check;
mod cover;
mod environment;
mod load;
mod local_user;
mod oncall;
mod pages;
mod raw;
mod read_people;
mod read_services;
mod read_settings;
mod read_targets;
mod secret;
mod settings;
mod targets;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::domain::{access::Policy, document::Problem};

pub use environment::{colour_wanted, locale, terminal_is_able};
pub use load::{ConfigErrors, FILES, load, user_directory};
pub use local_user::local_user;
pub use oncall::{OnCall, Person, Personal, Rotation};
pub use pages::{PageText, read_pages};
pub use read_settings::{
    DEFAULT_CHECK_DEADLINE, DEFAULT_CHECKS_PER_TARGET, DEFAULT_KEEP, DEFAULT_RUN_DEADLINE,
};
pub use secret::{MAX_SECRET_BYTES, Secret, SecretError};
pub use settings::{DiagnosisSettings, DiscordEndpoint, DiscordSettings, General, StoreSettings};
pub use targets::{
    ContainerRef, DockerEngine, Endpoint, Host, HostEndpoint, LogFile, MysqlServer, Nginx,
    RedisServer, ServerAddress, Service, Targets, TlsFiles, UrlTarget, Wechatpay, WechatpayTrust,
};

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The directory that it was read from; `None` for the built-in defaults alone.
    pub directory: Option<PathBuf>,
    /// `[general]`.
    pub general: General,
    /// `[store]`.
    pub store: StoreSettings,
    /// `[diagnosis]`.
    pub diagnosis: DiagnosisSettings,
    /// `[discord]`.
    pub discord: DiscordSettings,
    /// `targets.toml`.
    pub targets: Targets,
    /// `access.toml`.
    pub access: Policy,
    /// `oncall.toml`.
    pub oncall: OnCall,
    /// The handbook's pages, not parsed yet.
    pub pages: Vec<PageText>,
    /// Why further pages can't be read.
    pub unreadable_pages: Vec<Problem>,
}

impl Config {
    /// Every secret that the configuration names.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.targets.secrets().chain([&self.discord.token])
    }

    /// The files of those secrets that are in files.
    pub fn secret_files(&self) -> impl Iterator<Item = &std::path::Path> {
        self.secrets().filter_map(|secret| match secret {
            Secret::File { path } => Some(path.as_path()),
            Secret::Env { .. } => None,
        })
    }
}
