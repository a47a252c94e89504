//! The mall as `compose.yaml` describes it: the part of the Compose file format that the lab uses
//! (<https://docs.docker.com/reference/compose-file/>), read strictly, so that a key which the lab would ignore is
//! an error instead of a surprise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{LabError, Result};

/// A whole `compose.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compose {
    /// The project's name; Compose puts it in the label `com.docker.compose.project`.
    pub name: String,
    /// The containers, by service name.
    pub services: BTreeMap<String, Service>,
    /// Networks by their key in the file.
    #[serde(default)]
    pub networks: BTreeMap<String, Named>,
    /// Volumes by their key in the file.
    #[serde(default)]
    pub volumes: BTreeMap<String, Named>,
    /// Secrets by their key in the file.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretFile>,
}

/// One service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// What the image is built from.
    pub build: Build,
    /// Name of the image that the build makes.
    pub image: String,
    /// Name of the container.
    pub container_name: String,
    /// What runs in place of the image's command.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// `no`, `always`, `on-failure` or `unless-stopped`.
    pub restart: Restart,
    /// How long a stop waits before it kills.
    pub stop_grace_period: Span,
    /// Limit of memory.
    pub mem_limit: Bytes,
    /// Environment variables of the container.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Keys of secrets, each mounted at `/run/secrets/KEY`.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// `ADDRESS:HOST_PORT:CONTAINER_PORT`, with `/udp` at its end where it is not TCP.
    #[serde(default)]
    pub ports: Vec<Port>,
    /// `VOLUME:PATH`.
    #[serde(default)]
    pub volumes: Vec<Mount>,
    /// Keys of networks, and the names that the service has there beside its own.
    pub networks: BTreeMap<String, Attachment>,
    /// What must run first.
    #[serde(default)]
    pub depends_on: BTreeMap<String, Dependency>,
    /// How the engine asks after its health.
    pub healthcheck: HealthCheck,
}

/// What an image is built from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The directory, relative to `compose.yaml`.
    pub context: PathBuf,
    /// The Dockerfile in it.
    #[serde(default = "dockerfile")]
    pub dockerfile: String,
}

fn dockerfile() -> String {
    "Dockerfile".to_owned()
}

/// How a service is on a network.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Other names of it.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// When the engine starts a container again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Never.
    No,
    /// After every exit.
    Always,
    /// After an exit other than 0.
    OnFailure,
    /// After every exit, until someone stops it.
    UnlessStopped,
}

/// Something with a name of its own in the engine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The name in the engine.
    pub name: String,
}

/// A secret that stands in a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretFile {
    /// The file, relative to `compose.yaml`.
    pub file: PathBuf,
}

/// What `depends_on` waits for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// How well it must be.
    pub condition: Condition,
}

/// The conditions of `depends_on` that the lab knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The dependency's container runs.
    ServiceStarted,
    /// The dependency's health check passes.
    ServiceHealthy,
}

/// A container's health check.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// `["CMD", program, argument, …]`.
    pub test: Vec<String>,
    /// Time between two checks.
    pub interval: Span,
    /// How long one may take.
    pub timeout: Span,
    /// Failures in a row that make the container unhealthy.
    pub retries: u32,
    /// Failures do not count before this has passed.
    pub start_period: Span,
    /// Time between two checks until then (engines before 25 ignore it).
    #[serde(default)]
    pub start_interval: Option<Span>,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Port {
    /// Address on the host.
    pub address: std::net::IpAddr,
    /// Port on the host.
    pub host: u16,
    /// Port in the container.
    pub container: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// What is spoken at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// As Docker writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl TryFrom<String> for Port {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong = || format!("port {text:?} is not ADDRESS:HOST_PORT:CONTAINER_PORT[/udp]");
        let (numbers, protocol) = match text.strip_suffix("/udp") {
            Some(numbers) => (numbers, Protocol::Udp),
            None => (text.as_str(), Protocol::Tcp),
        };
        let (rest, container) = numbers.rsplit_once(':').ok_or_else(wrong)?;
        let (address, host) = rest.rsplit_once(':').ok_or_else(wrong)?;
        Ok(Self {
            address: address.parse().map_err(|_| wrong())?,
            host: host.parse().map_err(|_| wrong())?,
            container: container.parse().map_err(|_| wrong())?,
            protocol,
        })
    }
}

impl From<Port> for String {
    fn from(port: Port) -> Self {
        let end = match port.protocol {
            Protocol::Tcp => "",
            Protocol::Udp => "/udp",
        };
        format!("{}:{}:{}{end}", port.address, port.host, port.container)
    }
}

/// A volume at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mount {
    /// Key of the volume in the file.
    pub volume: String,
    /// Path in the container.
    pub path: String,
}

impl TryFrom<String> for Mount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once(':') {
            Some((volume, path)) if path.starts_with('/') => Ok(Self {
                volume: volume.to_owned(),
                path: path.to_owned(),
            }),
            _ => Err(format!("volume {text:?} is not VOLUME:/PATH")),
        }
    }
}

impl From<Mount> for String {
    fn from(mount: Mount) -> Self {
        format!("{}:{}", mount.volume, mount.path)
    }
}

/// A span of time, written `500ms`, `2s` or `1m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (number, factor) = if let Some(number) = text.strip_suffix("ms") {
            (number, 1)
        } else if let Some(number) = text.strip_suffix('s') {
            (number, 1_000)
        } else if let Some(number) = text.strip_suffix('m') {
            (number, 60_000)
        } else {
            return Err(format!(
                "{text:?} is not a span of time such as 500ms, 2s or 1m"
            ));
        };
        let number: u64 = number
            .parse()
            .map_err(|_| format!("{text:?} is not a span of time"))?;
        Ok(Self(Duration::from_millis(number * factor)))
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        format!("{}ms", span.0.as_millis())
    }
}

/// A number of bytes, written `64m` or `1g` (powers of 1024, as Compose and Redis have it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(pub u64);

impl TryFrom<String> for Bytes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (number, shift) = match text.strip_suffix(['k', 'm', 'g']) {
            Some(number) if text.ends_with('k') => (number, 10),
            Some(number) if text.ends_with('m') => (number, 20),
            Some(number) => (number, 30),
            None => (text.as_str(), 0),
        };
        let number: u64 = number
            .parse()
            .map_err(|_| format!("{text:?} is not a number of bytes such as 64m"))?;
        Ok(Self(number << shift))
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        bytes.0.to_string()
    }
}

impl Compose {
    /// Reads a `compose.yaml`, with `${NAME:-default}` in it replaced by the variable of that name.
    ///
    /// # Errors
    /// When the file cannot be read, or says something that the lab does not understand.
    pub fn read(path: &Path, variables: &BTreeMap<String, String>) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(LabError::file("read", path))?;
        let text = interpolated(&text, variables);
        let wrong = |why: String| LabError::Content {
            path: path.to_path_buf(),
            why,
        };
        let compose: Self =
            serde_yaml_ng::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        compose.check().map_err(wrong)?;
        Ok(compose)
    }

    /// Every key that a service names must exist.
    fn check(&self) -> Result<(), String> {
        for (name, service) in &self.services {
            let missing = service
                .networks
                .keys()
                .find(|key| !self.networks.contains_key(*key))
                .or_else(|| {
                    service
                        .secrets
                        .iter()
                        .find(|key| !self.secrets.contains_key(*key))
                })
                .or_else(|| {
                    service
                        .volumes
                        .iter()
                        .map(|m| &m.volume)
                        .find(|key| !self.volumes.contains_key(*key))
                })
                .or_else(|| {
                    service
                        .depends_on
                        .keys()
                        .find(|key| !self.services.contains_key(*key))
                });
            if let Some(key) = missing {
                return Err(format!(
                    "service {name} names {key:?}, which the file does not define"
                ));
            }
        }
        Ok(())
    }

    /// The services in an order in which each comes after what it depends on.
    #[must_use]
    pub fn in_order(&self) -> Vec<&str> {
        let mut order: Vec<&str> = Vec::new();
        while order.len() < self.services.len() {
            let before = order.len();
            for (name, service) in &self.services {
                let ready = service
                    .depends_on
                    .keys()
                    .all(|key| order.contains(&key.as_str()));
                if ready && !order.contains(&name.as_str()) {
                    order.push(name);
                }
            }
            if order.len() == before {
                break; // a circle; Compose refuses it too, and the test reads the real file
            }
        }
        order
    }
}

/// Compose's interpolation, as far as the lab uses it: `${NAME:-default}`
/// (<https://docs.docker.com/reference/compose-file/interpolation/>).
fn interpolated(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        whole.push_str(before);
        let Some((inside, after)) = after.split_once('}') else {
            whole.push_str("${");
            rest = after;
            continue;
        };
        let (name, default) = inside.split_once(":-").unwrap_or((inside, ""));
        whole.push_str(variables.get(name).map_or(default, String::as_str));
        rest = after;
    }
    whole.push_str(rest);
    whole
}

impl Service {
    /// SHA-256 over the service's settings, for the label `com.docker.compose.config-hash`. Compose hashes its own
    /// JSON of the service, so the two differ, and Compose makes the containers anew when it takes over.
    #[must_use]
    pub fn config_hash(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(Sha256::digest(json))
    }
}
