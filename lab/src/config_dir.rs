//! The configuration directory with which `handbell` looks at this lab. For the mall it says what `lab/config` says;
//! another instance has other ports and names, plain processes have no container, and the demo has a Discord.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::compose::Compose;
use crate::error::{LabError, Result};
use crate::instance::{self, REDIS};
use crate::processes::PASSWORD_FILE;
use crate::settings::Settings;
use crate::state::{Mode, State, write_private};

/// What the sandbox writes into its ready file, as far as a bot needs it (docs/sandbox.md).
#[derive(Debug, Clone, Deserialize)]
pub struct Sandbox {
    /// The page for people.
    pub page: String,
    /// Discord's REST API under TLS, `address:port`.
    pub rest_tls: String,
    /// The certificate to trust.
    pub ca_file: PathBuf,
    /// The gateway.
    pub gateway: String,
    /// The bot's token.
    pub token: String,
    /// The one guild.
    pub guild_id: String,
    /// Its channels by name.
    pub channels: std::collections::BTreeMap<String, String>,
}

/// The generated directory of an instance.
#[must_use]
pub fn directory(settings: &Settings) -> PathBuf {
    settings.state_dir.join("config")
}

/// Writes the directory for `handbell --config … diagnose redis`.
///
/// # Errors
/// When it cannot be written.
pub fn write(settings: &Settings, state: &State) -> Result<()> {
    write_to(&directory(settings), settings, state, None)
}

/// Writes a configuration for this lab, with a Discord where one is given.
///
/// # Errors
/// When it cannot be written.
pub fn write_to(
    directory: &Path,
    settings: &Settings,
    state: &State,
    sandbox: Option<&Sandbox>,
) -> Result<()> {
    std::fs::create_dir_all(directory).map_err(LabError::file("make", directory))?;
    let lab_config = settings.lab_dir.join("config");
    for name in ["access.toml", "oncall.toml"] {
        let from = lab_config.join(name);
        let text = std::fs::read(&from).map_err(LabError::file("read", &from))?;
        write_private(&directory.join(name), &text)?;
    }
    let path = lab_config.join("handbell.toml");
    let mut general = std::fs::read_to_string(&path).map_err(LabError::file("read", &path))?;
    if let Some(sandbox) = sandbox {
        write_private(&directory.join("discord.token"), sandbox.token.as_bytes())?;
        general.push_str(&discord(sandbox));
    }
    write_private(&directory.join("handbell.toml"), general.as_bytes())?;
    let targets = targets(settings, state)?;
    write_private(&directory.join("targets.toml"), targets.as_bytes())
}

/// A TOML string; JSON's escapes are TOML's too (<https://toml.io/en/v1.0.0#string>).
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn targets(settings: &Settings, state: &State) -> Result<String> {
    let port = state.ports.get(REDIS).copied().unwrap_or_default();
    let password = settings.lab_dir.join(PASSWORD_FILE);
    let redis = format!(
        "[redis.cache]\naddress = \"127.0.0.1:{port}\"\npassword = {{ file = {} }}\n",
        quoted(&password.to_string_lossy())
    );
    match state.mode {
        Mode::Processes => Ok(format!(
            "# The servers are plain processes: no target names a container.\n{redis}"
        )),
        Mode::Docker => {
            let compose = Compose::read(&settings.lab_dir.join("compose.yaml"))?;
            let compose = instance::rename(compose, settings, &state.ports);
            let name = compose
                .services
                .get(REDIS)
                .map(|service| service.container_name.as_str())
                .unwrap_or_default();
            Ok(format!(
                "[docker.engine]\nendpoint = {}\n\n{redis}container = {{ engine = \"engine\", name = {} }}\n",
                quoted(&settings.docker_host),
                quoted(name)
            ))
        }
    }
}

fn discord(sandbox: &Sandbox) -> String {
    let channels: Vec<String> = sandbox.channels.values().map(|id| quoted(id)).collect();
    format!(
        "\n[discord]\ntoken = {{ file = \"discord.token\" }}\nguilds = [{}]\nchannels = [{}]\n\n\
         [discord.endpoint]\naddress = {}\nca = {}\ngateway = {}\n",
        quoted(&sandbox.guild_id),
        channels.join(", "),
        quoted(&sandbox.rest_tls),
        quoted(&sandbox.ca_file.to_string_lossy()),
        quoted(&sandbox.gateway)
    )
}
