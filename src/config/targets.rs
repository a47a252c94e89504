//! What can be looked at: `targets.toml` after validation.

use std::path::PathBuf;

use indexmap::IndexMap;

use super::Secret;
use crate::domain::{diagnosis::TargetKind, ids::TargetId};

/// Files of a TLS client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates of the authority that is trusted, PEM; the system's when `None`.
    pub ca: Option<PathBuf>,
    /// The client's own certificate, PEM.
    pub cert: Option<PathBuf>,
    /// The client's own key, PEM.
    pub key: Option<PathBuf>,
}

/// How a Docker engine is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// TCP, with TLS when files are given.
    Tcp {
        /// Host and port.
        address: String,
        /// TLS, or plain when `None`.
        tls: Option<TlsFiles>,
    },
    /// SSH, with the keys and known hosts of the user who runs Handbell: `ssh://user@host:port`.
    Ssh(String),
}

/// A Docker engine (`[docker.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerEngine {
    /// How it is reached.
    pub endpoint: Endpoint,
}

/// A container on an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerRef {
    /// The engine's name in `targets.toml`.
    pub engine: TargetId,
    /// The container's name.
    pub name: String,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerAddress {
    /// Host and port.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A unix socket.
    Unix(PathBuf),
}

/// A Redis server (`[redis.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisServer {
    /// Where it listens.
    pub address: ServerAddress,
    /// The user; Redis's `default` when `None`.
    pub username: Option<String>,
    /// The password, if the server wants one.
    pub password: Option<Secret>,
    /// The database, 0 unless told.
    pub database: u16,
    /// TLS, or plain when `None`.
    pub tls: Option<TlsFiles>,
    /// The container that it runs in, if it does.
    pub container: Option<ContainerRef>,
}

/// A MySQL or MariaDB server (`[mysql.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MysqlServer {
    /// Where it listens.
    pub address: ServerAddress,
    /// The user.
    pub username: String,
    /// The password, if the server wants one.
    pub password: Option<Secret>,
    /// The schema that queries start in.
    pub database: Option<String>,
    /// TLS that is required; when `None` it is used if the server offers it, unverified.
    pub tls: Option<TlsFiles>,
    /// The container that it runs in, if it does.
    pub container: Option<ContainerRef>,
}

/// How a machine is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEndpoint {
    /// The machine that Handbell runs on.
    Local,
    /// Over SSH, with the keys and known hosts of the user who runs Handbell: `ssh://user@host:port`.
    Ssh(String),
}

/// A machine (`[host.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// How it is looked at.
    pub endpoint: HostEndpoint,
}

/// A program of ours (`[service.NAME]`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// The container that it runs in, if it does.
    pub container: Option<ContainerRef>,
    /// The file of its log, when it runs in no container.
    pub log: Option<PathBuf>,
    /// Its systemd unit, if it has one.
    pub unit: Option<String>,
}

/// An Nginx (`[nginx.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nginx {
    /// The container that it runs in, if it does; then the paths are paths in the container.
    pub container: Option<ContainerRef>,
    /// Its configuration.
    pub config: PathBuf,
    /// Its error log.
    pub error_log: PathBuf,
    /// The program that tests the configuration.
    pub program: PathBuf,
    /// Its systemd unit, if it has one.
    pub unit: Option<String>,
}

/// A URL (`[url.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTarget {
    /// `http://`, `https://` or `tcp://host:port`.
    pub url: String,
    /// Where to connect instead of resolving the URL's host.
    pub connect: Option<(String, u16)>,
    /// Whom to trust and what to show; the system's authorities when `None`.
    pub tls: Option<TlsFiles>,
    /// DNS servers to ask; the system's when empty.
    pub resolvers: Vec<std::net::SocketAddr>,
    /// The addresses that the URL's host should resolve to; any when empty.
    pub addresses: Vec<std::net::IpAddr>,
}

/// A file to read (`[log.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// The file: in the container when there is one, else on this machine.
    pub file: PathBuf,
    /// The container that it lies in, if it does.
    pub container: Option<ContainerRef>,
}

/// How the answers of WeChat Pay are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WechatpayTrust {
    /// With WeChat Pay's public key.
    PublicKey {
        /// Its id, `PUB_KEY_ID_…`.
        id: String,
        /// The key, PEM.
        file: PathBuf,
    },
    /// With a platform certificate.
    Certificate {
        /// Its serial number, hexadecimal; as the certificate says when `None`.
        serial: Option<String>,
        /// The certificate, PEM.
        file: PathBuf,
    },
}

/// A merchant at WeChat Pay (`[wechatpay.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wechatpay {
    /// The API's beginning, `https://api.mch.weixin.qq.com` unless told.
    pub url: String,
    /// Where to connect instead of resolving the URL's host.
    pub connect: Option<(String, u16)>,
    /// Whom to trust; the system's authorities when `None`.
    pub tls: Option<TlsFiles>,
    /// The merchant's id.
    pub merchant_id: String,
    /// The serial number of the merchant's own certificate, hexadecimal.
    pub serial: String,
    /// The merchant's private key, PEM.
    pub private_key: Secret,
    /// How answers are verified.
    pub trust: WechatpayTrust,
    /// The API v3 key, with which downloaded certificates are decrypted.
    pub api_v3_key: Option<Secret>,
}

/// All targets by name; names are unique over all kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Docker engines.
    pub docker: IndexMap<TargetId, DockerEngine>,
    /// Redis servers.
    pub redis: IndexMap<TargetId, RedisServer>,
    /// MySQL and MariaDB servers.
    pub mysql: IndexMap<TargetId, MysqlServer>,
    /// Machines.
    pub host: IndexMap<TargetId, Host>,
    /// Programs of ours.
    pub service: IndexMap<TargetId, Service>,
    /// Nginx servers.
    pub nginx: IndexMap<TargetId, Nginx>,
    /// URLs.
    pub url: IndexMap<TargetId, UrlTarget>,
    /// Files to read.
    pub log: IndexMap<TargetId, LogFile>,
    /// Merchants at WeChat Pay.
    pub wechatpay: IndexMap<TargetId, Wechatpay>,
}

impl Targets {
    /// Every target's name and kind.
    pub fn names(&self) -> impl Iterator<Item = (String, TargetKind)> {
        TargetKind::ALL
            .into_iter()
            .flat_map(|kind| self.of(kind).map(move |id| (id.to_string(), kind)))
    }

    /// How many targets there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.names().count()
    }

    /// What kind of thing `name` is; `None` when there is no such target.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<TargetKind> {
        TargetKind::ALL
            .into_iter()
            .find(|kind| self.of(*kind).any(|id| id.as_str() == name))
    }

    /// The container of the target `name`: `None` when there is no such target or it has none.
    #[must_use]
    pub fn container(&self, name: &TargetId) -> Option<&ContainerRef> {
        None.or_else(|| self.redis.get(name)?.container.as_ref())
            .or_else(|| self.mysql.get(name)?.container.as_ref())
            .or_else(|| self.service.get(name)?.container.as_ref())
            .or_else(|| self.nginx.get(name)?.container.as_ref())
            .or_else(|| self.log.get(name)?.container.as_ref())
    }

    fn of(&self, kind: TargetKind) -> Box<dyn Iterator<Item = &TargetId> + '_> {
        match kind {
            TargetKind::Docker => Box::new(self.docker.keys()),
            TargetKind::Redis => Box::new(self.redis.keys()),
            TargetKind::Mysql => Box::new(self.mysql.keys()),
            TargetKind::Host => Box::new(self.host.keys()),
            TargetKind::Service => Box::new(self.service.keys()),
            TargetKind::Nginx => Box::new(self.nginx.keys()),
            TargetKind::Url => Box::new(self.url.keys()),
            TargetKind::Log => Box::new(self.log.keys()),
            TargetKind::Wechatpay => Box::new(self.wechatpay.keys()),
        }
    }

    /// Every secret that a target names.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let redis = self.redis.values().filter_map(|it| it.password.as_ref());
        let mysql = self.mysql.values().filter_map(|it| it.password.as_ref());
        let merchants = self
            .wechatpay
            .values()
            .flat_map(|it| it.api_v3_key.as_ref().into_iter().chain([&it.private_key]));
        redis.chain(mysql).chain(merchants)
    }
}
