//! The configuration directory with which `handbell` looks at this lab. For the mall it says what `lab/config` says;
//! another instance has other ports and names, plain processes have no container, and the demo has a Discord.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{LabError, Result};
use crate::instance;
use crate::keys;
use crate::service::Service;
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
    if settings.is_the_mall() {
        link(settings)?;
    }
    write_to(&directory(settings), settings, state, None)
}

/// `lab/config` names the mall's keys by way of a link.
fn link(settings: &Settings) -> Result<()> {
    let directory = settings.lab_dir.join("config/state");
    std::fs::create_dir_all(&directory).map_err(LabError::file("make", &directory))?;
    let link = directory.join(&settings.instance);
    if std::fs::read_link(&link).is_ok_and(|to| to == settings.state_dir) {
        return Ok(());
    }
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(&settings.state_dir, &link).map_err(LabError::file("link", &link))
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

/// Lets a configuration elsewhere have the lab's own targets, so that a fault in them is one there, too; gives their file.
///
/// # Errors
/// When the link cannot be made.
pub fn share_targets(elsewhere: &Path, settings: &Settings) -> Result<PathBuf> {
    let own = directory(settings).join("targets.toml");
    let link = elsewhere.join("targets.toml");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(&own, &link).map_err(LabError::file("link", &link))?;
    Ok(own)
}

/// A TOML string; JSON's escapes are TOML's too (<https://toml.io/en/v1.0.0#string>).
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn targets(settings: &Settings, state: &State) -> Result<String> {
    let compose = instance::compose(settings, state.database, &state.ports)?;
    let at = |service: Service| format!("127.0.0.1:{}", instance::port(&state.ports, service));
    let https = instance::port_of(&state.ports, Service::Nginx, instance::HTTPS);
    let second = instance::port_of(&state.ports, Service::Dns, instance::SECOND_DNS);
    let lab_file = |name: &str| quoted(&settings.lab_dir.join(name).to_string_lossy());
    let state_file = |name: &str| quoted(&settings.state_dir.join(name).to_string_lossy());
    let container = |service: Service| {
        let name = compose
            .services
            .get(service.key())
            .map_or("", |described| described.container_name.as_str());
        match state.mode {
            Mode::Docker => format!(
                "container = {{ engine = \"engine\", name = {} }}\n",
                quoted(name)
            ),
            Mode::Processes => String::new(),
        }
    };
    let in_container = state.mode == Mode::Docker;
    let mut text = if in_container {
        format!(
            "[docker.engine]\nendpoint = {}\n\n",
            quoted(&settings.docker_host)
        )
    } else {
        "# The servers are plain processes: no target names a container.\n".to_owned()
    };
    let either = |there: &str, here: &str| {
        if in_container {
            quoted(there)
        } else {
            state_file(here)
        }
    };
    let _ = write!(
        text,
        "[redis.cache]\naddress = {}\npassword = {{ file = {} }}\n{}\n\
         [mysql.db]\naddress = {}\nusername = \"handbell\"\npassword = {{ file = {} }}\ndatabase = \"mall\"\n{}\n\
         [host.server]\nendpoint = \"local\"\n\n",
        quoted(&at(Service::RedisMaster)),
        lab_file("config/redis.password"),
        container(Service::RedisMaster),
        quoted(&at(Service::MysqlMaster)),
        lab_file("config/mysql.password"),
        container(Service::MysqlMaster),
    );
    let _ = write!(
        text,
        "[service.backend]\n{}\n",
        if in_container {
            container(Service::Backend)
        } else {
            format!("log = {}\n", state_file("backend-1.log"))
        }
    );
    let _ = write!(
        text,
        "[nginx.web]\nconfig = {}\nerror_log = {}\n{}\n",
        either("/etc/nginx/nginx.conf", "nginx/nginx.conf"),
        either("/var/log/nginx/error.log", "nginx/error.log"),
        if in_container {
            container(Service::Nginx)
        } else {
            "program = \"/usr/sbin/nginx\"\n".to_owned()
        },
    );
    let site = format!(
        "connect = \"127.0.0.1:{https}\"\ntls = {{ ca = {} }}\nresolvers = [{}, \"127.0.0.1:{second}\"]\naddresses = [\"127.0.0.1\"]\n",
        state_file("keys/mall-ca.pem"),
        quoted(&at(Service::Dns)),
    );
    let _ = write!(
        text,
        "[url.backend-health]\nurl = \"http://{}/health\"\n\n\
         [url.api]\nurl = \"https://api.mall.com/health\"\n{site}\n\
         [url.products]\nurl = \"https://api.mall.com/api/v1/products\"\n{site}\n\
         [log.slow-queries]\nfile = {}\n{}\n\
         [log.miniprogram]\nfile = {}\n\n",
        at(Service::Backend),
        either("/var/log/mysql/mysql-slow.log", "mysql-slow.log"),
        container(Service::MysqlMaster),
        state_file("miniprogram/config.js"),
    );
    let _ = write!(
        text,
        "[wechatpay.merchant]\nurl = \"https://{}\"\nconnect = {}\ntls = {{ ca = {} }}\nmerchant_id = \"{}\"\n\
         serial = \"{}\"\nprivate_key = {{ file = {} }}\npublic_key = {{ id = \"{}\", file = {} }}\napi_v3_key = {{ file = {} }}\n",
        keys::WECHATPAY_SITE,
        quoted(&at(Service::Wechatpay)),
        state_file("keys/mall-ca.pem"),
        keys::MERCHANT_ID,
        keys::MERCHANT_SERIAL,
        state_file("keys/merchant.key"),
        keys::PUBLIC_KEY_ID,
        state_file("keys/platform-public.pem"),
        state_file("keys/api-v3.key"),
    );
    Ok(text)
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
