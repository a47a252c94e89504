//! Configuration: raw → validated, every error at once, secrets that can't print.
//!
//! Four files, each of which a directory may override; what it does not have comes from the
//! defaults that are embedded in the binary, which are the commented files in `config/`.
//!
//! - `secret`, `environment`: the only places that read secrets and the environment
//! - `settings`, `targets`, `oncall`: the validated types

mod environment;
mod oncall;
mod secret;
mod settings;
mod targets;

use crate::domain::access::Policy;

pub use environment::locale;
pub use oncall::{OnCall, Person, Personal, Rotation};
pub use secret::{MAX_SECRET_BYTES, Secret, SecretError};
pub use settings::{DiagnosisSettings, DiscordEndpoint, DiscordSettings, General, StoreSettings};
pub use targets::{
    ContainerRef, DockerEngine, Endpoint, RedisAddress, RedisServer, Targets, TlsFiles,
};

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
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
}
