//! What a probe says of itself, and how it says that it could not look.

use serde::Serialize;

use super::{FactSpec, Facts};
use crate::domain::text::Text;

/// What can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// A Docker engine (`[docker.…]` in `targets.toml`).
    Docker,
    /// A Redis server (`[redis.…]`).
    Redis,
    /// A MySQL or MariaDB server (`[mysql.…]`).
    Mysql,
    /// A machine (`[host.…]`).
    Host,
    /// A program of ours (`[service.…]`).
    Service,
    /// An Nginx (`[nginx.…]`).
    Nginx,
    /// A URL (`[url.…]`).
    Url,
    /// A file to read (`[log.…]`).
    Log,
    /// A merchant at WeChat Pay (`[wechatpay.…]`).
    Wechatpay,
}

impl TargetKind {
    /// Every kind, in the order of `targets.toml`.
    pub const ALL: [Self; 9] = [
        Self::Docker,
        Self::Redis,
        Self::Mysql,
        Self::Host,
        Self::Service,
        Self::Nginx,
        Self::Url,
        Self::Log,
        Self::Wechatpay,
    ];

    /// The table's name in `targets.toml`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Redis => "redis",
            Self::Mysql => "mysql",
            Self::Host => "host",
            Self::Service => "service",
            Self::Nginx => "nginx",
            Self::Url => "url",
            Self::Log => "log",
            Self::Wechatpay => "wechatpay",
        }
    }
}

/// The type of a probe's argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArgType {
    /// A whole number.
    Int,
    /// A text.
    Text,
    /// A length of time, as in `5m`.
    Duration,
    /// A table of names to regular expressions; each name makes facts of its own.
    Patterns,
    /// One reading statement with placeholders (`:name`); see [`crate::domain::sql::Query`].
    Query,
    /// A table of a query's placeholders to their values, which may be parameters of the page.
    Values,
    /// A table of a query's columns to the [`super::Column`] that each is; each column is a fact.
    Columns,
}

/// How a probe declares one of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ArgSpec {
    /// The name, in `snake_case`.
    pub name: &'static str,
    /// The type of the value.
    #[serde(rename = "type")]
    pub kind: ArgType,
    /// The value when the page gives none; `None` where the page must give one,
    /// except for tables, which may be left out.
    pub default: Option<&'static str>,
    /// Least and greatest number, both included (durations in milliseconds).
    pub range: Option<(i64, i64)>,
    /// What it does, in one line.
    pub meaning: &'static str,
}

/// Facts that exist once for each name in a [`ArgType::Patterns`] argument:
/// with `patterns = { oom = "…" }` a spec named `_count` becomes `oom_count`.
/// Of a [`ArgType::Columns`] argument each name is a fact, whose type the page tells; `facts` is
/// empty then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerKey {
    /// The argument whose names make the facts.
    pub arg: &'static str,
    /// The facts; each name is a suffix.
    pub facts: &'static [FactSpec],
    /// Facts that exist once for each named group of each regular expression: with
    /// `patterns = { slow = "took (?P<ms>[0-9]+)" }` a spec named `_max` becomes `slow_ms_max`.
    pub groups: &'static [FactSpec],
}

impl PerKey {
    /// The facts that the pattern `name` makes, with their whole names.
    #[must_use]
    pub fn made(&self, name: &str, pattern: &str) -> Vec<(String, &'static FactSpec)> {
        let own = self
            .facts
            .iter()
            .map(|fact| (format!("{name}{}", fact.name), fact));
        // Most probes make none, and a pattern takes its time to compile.
        let regex = (!self.groups.is_empty()).then(|| regex::Regex::new(pattern).ok());
        let groups: Vec<String> = match regex.flatten() {
            Some(regex) => regex
                .capture_names()
                .flatten()
                .map(|group| format!("{name}_{group}"))
                .collect(),
            None => Vec::new(),
        };
        let of_groups = groups.iter().flat_map(|group| {
            self.groups
                .iter()
                .map(move |fact| (format!("{group}{}", fact.name), fact))
        });
        own.chain(of_groups).collect()
    }
}

/// What a probe says of itself: the linter, `handbell probes` and the page in `docs/` all read it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ProbeSpec {
    /// The name, `system.what`: `redis.info`.
    pub name: &'static str,
    /// What it looks at, in one line.
    pub summary: &'static str,
    /// The kinds of target that it takes; none where it needs no target ([`MANUAL`]).
    pub targets: &'static [TargetKind],
    /// Its arguments.
    pub args: &'static [ArgSpec],
    /// Its facts. Every look returns every one of them.
    pub facts: &'static [FactSpec],
    /// Facts that the arguments make.
    pub per_key: Option<PerKey>,
}

/// What no probe can see: a person looks. It needs no target, and the engine never runs it.
pub static MANUAL: ProbeSpec = ProbeSpec {
    name: "manual",
    summary: "what only a person can see: the page says what to look for",
    targets: &[],
    args: &[],
    facts: &[],
    per_key: None,
};

/// All probes there are, by name.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    specs: Vec<&'static ProbeSpec>,
}

impl Catalog {
    /// A catalog of `specs`, sorted by name.
    #[must_use]
    pub fn new(mut specs: Vec<&'static ProbeSpec>) -> Self {
        specs.sort_by_key(|spec| spec.name);
        Self { specs }
    }

    /// The probe called `name`, [`MANUAL`] among them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static ProbeSpec> {
        let known = self.specs.iter().find(|spec| spec.name == name).copied();
        known.or_else(|| (name == MANUAL.name).then_some(&MANUAL))
    }

    /// Every probe that looks by itself, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &'static ProbeSpec> + '_ {
        self.specs.iter().copied()
    }
}

/// What a probe saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sighting {
    /// The facts, each one that the probe declares.
    pub facts: Facts,
    /// What a person would want to read for themselves: redacted, bounded, several lines.
    pub evidence: String,
}

/// Why there is no sighting.
#[derive(Clone, Debug, PartialEq)]
pub enum Blind {
    /// There is nothing to look at here, and that is no fault: a Redis that runs in no container.
    NotApplicable(Text),
    /// The probe could not look.
    Unknown(Unseen),
}

impl From<Unseen> for Blind {
    fn from(unseen: Unseen) -> Self {
        Self::Unknown(unseen)
    }
}

/// The code of [`Unseen::NoSuchTarget`].
pub(super) const NO_SUCH_TARGET: &str = "no-such-target";

/// The reasons for which a probe could not look, each told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// Nothing listens at `address`.
    Refused {
        /// Host and port, or the socket's path.
        address: String,
    },
    /// The name of the host has no address.
    Unresolved {
        /// The name.
        host: String,
    },
    /// No way to the host, or the connection was reset.
    Unreachable {
        /// Host and port.
        address: String,
        /// What the operating system said.
        detail: String,
    },
    /// No answer in time.
    TimedOut {
        /// How long was waited, in milliseconds.
        after_ms: u64,
    },
    /// The whole run had no time left for this check.
    NoTimeLeft {
        /// The run's deadline, in milliseconds.
        deadline_ms: u64,
    },
    /// The server wants a password and none is configured.
    PasswordRequired,
    /// The server refused the password or the user.
    WrongPassword,
    /// The user is known and may not do this.
    Forbidden {
        /// What was refused.
        detail: String,
    },
    /// The operating system lets Handbell not open this path (a socket, a key).
    PermissionDenied {
        /// The path.
        path: String,
    },
    /// The path does not exist (a socket, a key).
    NoSuchPath {
        /// The path.
        path: String,
    },
    /// What is at the path can't be read: a directory in the place of a file, a file system that
    /// does not answer.
    NotReadable {
        /// The path.
        path: String,
        /// Why.
        detail: String,
    },
    /// The TLS handshake failed.
    Tls {
        /// Why.
        detail: String,
    },
    /// The peer speaks something else.
    WrongProtocol {
        /// What was expected and what came.
        detail: String,
    },
    /// The server answered that it can't serve this now (`LOADING`, `BUSY`, max clients …).
    ServerSaid {
        /// The server's error code and text.
        detail: String,
    },
    /// The container of this name does not exist on its engine.
    NoSuchContainer {
        /// The name.
        name: String,
    },
    /// The page names a target that the configuration does not have.
    NoSuchTarget {
        /// The name.
        name: String,
    },
    /// A secret of the target can't be read.
    Secret {
        /// Where it was looked for, never its value.
        detail: String,
    },
    /// The probe itself broke; the log has the detail under the same reference.
    Broken {
        /// Reference that the log carries, too.
        reference: String,
    },
}

impl Unseen {
    /// The reason as a sentence for the reader.
    #[must_use]
    pub fn say(&self) -> Text {
        match self {
            Self::Refused { address } => Text::new(
                format!("connection refused at {address}"),
                format!("{address} 拒绝连接"),
            ),
            Self::Unresolved { host } => Text::new(
                format!("the name {host} does not resolve"),
                format!("主机名 {host} 无法解析"),
            ),
            Self::Unreachable { address, detail } => Text::new(
                format!("{address} can't be reached: {detail}"),
                format!("无法到达 {address}：{detail}"),
            ),
            Self::TimedOut { after_ms } => Text::new(
                format!("timed out after {after_ms} ms"),
                format!("{after_ms} 毫秒内没有响应（超时）"),
            ),
            Self::NoTimeLeft { deadline_ms } => Text::new(
                format!("not reached within the run's deadline of {deadline_ms} ms"),
                format!("整次诊断的时限 {deadline_ms} 毫秒已用完，未能执行"),
            ),
            Self::PasswordRequired => Text::new(
                "the server wants a password and none is configured",
                "服务器要求密码，但配置中没有",
            ),
            Self::WrongPassword => Text::new(
                "the server refused the configured user or password",
                "服务器拒绝了配置的用户或密码",
            ),
            Self::Forbidden { detail } => Text::new(
                format!("the configured user may not do this: {detail}"),
                format!("配置的用户没有权限：{detail}"),
            ),
            Self::PermissionDenied { path } => Text::new(
                format!("permission denied on {path}"),
                format!("没有权限访问 {path}"),
            ),
            Self::NoSuchPath { path } => {
                Text::new(format!("{path} does not exist"), format!("{path} 不存在"))
            }
            Self::NotReadable { path, detail } => Text::new(
                format!("{path} can't be read: {detail}"),
                format!("无法读取 {path}：{detail}"),
            ),
            Self::Tls { detail } => Text::new(
                format!("the TLS handshake failed: {detail}"),
                format!("TLS 握手失败：{detail}"),
            ),
            Self::WrongProtocol { detail } => Text::new(
                format!("the peer speaks another protocol: {detail}"),
                format!("对端使用的不是预期的协议：{detail}"),
            ),
            Self::ServerSaid { detail } => Text::new(
                format!("the server answered: {detail}"),
                format!("服务器回答：{detail}"),
            ),
            Self::NoSuchContainer { name } => Text::new(
                format!("there is no container {name}"),
                format!("容器 {name} 不存在"),
            ),
            Self::NoSuchTarget { name } => Text::new(
                format!("targets.toml names no target {name}"),
                format!("targets.toml 中没有名为 {name} 的目标"),
            ),
            Self::Secret { detail } => Text::new(
                format!("a secret can't be read: {detail}"),
                format!("无法读取密钥：{detail}"),
            ),
            Self::Broken { reference } => Text::new(
                format!("the probe itself failed; the log has the detail under {reference}"),
                format!("探针自身出错；详情见日志，编号 {reference}"),
            ),
        }
    }

    /// The reason's stable code, for JSON and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Unresolved { .. } => "unresolved",
            Self::Unreachable { .. } => "unreachable",
            Self::TimedOut { .. } => "timed-out",
            Self::NoTimeLeft { .. } => "no-time-left",
            Self::PasswordRequired => "password-required",
            Self::WrongPassword => "wrong-password",
            Self::Forbidden { .. } => "forbidden",
            Self::PermissionDenied { .. } => "permission-denied",
            Self::NoSuchPath { .. } => "no-such-path",
            Self::NotReadable { .. } => "not-readable",
            Self::Tls { .. } => "tls",
            Self::WrongProtocol { .. } => "wrong-protocol",
            Self::ServerSaid { .. } => "server-said",
            Self::NoSuchContainer { .. } => "no-such-container",
            Self::NoSuchTarget { .. } => NO_SUCH_TARGET,
            Self::Secret { .. } => "secret",
            Self::Broken { .. } => "broken",
        }
    }
}
