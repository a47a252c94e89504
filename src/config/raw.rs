//! The four files as they are written; every key may be missing, so that all errors of a file can
//! be found in one pass.

use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

/// `handbell.toml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Handbell {
    /// Language and zone.
    pub(super) general: General,
    /// Where and for how long things are remembered.
    pub(super) store: Store,
    /// Bounds of a run.
    pub(super) diagnosis: Diagnosis,
    /// How the bot reaches Discord.
    pub(super) discord: Discord,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct General {
    /// Language of the log and of the command line: `en` or `zh`.
    pub(super) language: Option<Language>,
    /// The team's zone by its IANA name, such as `Asia/Shanghai`.
    pub(super) timezone: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    En,
    Zh,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Store {
    /// The state directory.
    pub(super) directory: Option<PathBuf>,
    /// For how long diagnoses are kept, as in `90d`.
    pub(super) keep: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Diagnosis {
    /// Time for one check, as in `5s`.
    pub(super) check_deadline: Option<String>,
    /// Time for the whole run, as in `20s`.
    pub(super) run_deadline: Option<String>,
    /// Looks at one target at the same time, a whole number.
    pub(super) checks_per_target: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Discord {
    /// Where the bot's token is: `{ env = "NAME" }` or `{ file = "path" }`; the token itself never stands here.
    pub(super) token: Option<Secret>,
    /// Ids of the guilds in which the commands are registered, in quotes.
    pub(super) guilds: Vec<String>,
    /// Ids of the channels in which the bot works, in quotes.
    pub(super) channels: Vec<String>,
    /// A local Discord.
    pub(super) endpoint: Option<DiscordEndpoint>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DiscordEndpoint {
    /// Its REST interface, `127.0.0.1:port`.
    pub(super) address: Option<String>,
    /// The authority that signed its certificate, a PEM file.
    pub(super) ca: Option<PathBuf>,
    /// Its gateway, `ws://…`.
    pub(super) gateway: Option<String>,
}

/// Where a secret is; never the secret.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Secret {
    /// The name of an environment variable.
    pub(super) env: Option<String>,
    /// The path of a file.
    pub(super) file: Option<PathBuf>,
}

/// `targets.toml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Targets {
    /// Docker engines by name.
    pub(super) docker: IndexMap<String, Docker>,
    /// Redis servers by name.
    pub(super) redis: IndexMap<String, Redis>,
    /// MySQL and MariaDB servers by name.
    pub(super) mysql: IndexMap<String, Mysql>,
    /// Machines by name.
    pub(super) host: IndexMap<String, Host>,
    /// Programs of ours by name.
    pub(super) service: IndexMap<String, Service>,
    /// Nginx servers by name.
    pub(super) nginx: IndexMap<String, Nginx>,
    /// URLs by name.
    pub(super) url: IndexMap<String, UrlTarget>,
    /// Files to read by name.
    pub(super) log: IndexMap<String, Log>,
    /// Merchants at WeChat Pay by name.
    pub(super) wechatpay: IndexMap<String, Wechatpay>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Docker {
    /// `unix:///path`, `tcp://host:port` or `ssh://user@host:port`.
    pub(super) endpoint: Option<String>,
    /// Files for TLS over `tcp://`.
    pub(super) tls: Option<Tls>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tls {
    /// The authority that is trusted, a PEM file.
    pub(super) ca: Option<PathBuf>,
    /// The client's certificate, a PEM file.
    pub(super) cert: Option<PathBuf>,
    /// The client's key, a PEM file.
    pub(super) key: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Redis {
    /// `host:port` or `unix:///path`.
    pub(super) address: Option<String>,
    /// The user.
    pub(super) username: Option<String>,
    /// Where the password is: `{ env = "NAME" }` or `{ file = "path" }`; the password itself never stands here.
    pub(super) password: Option<Secret>,
    /// The number of the database, from 0.
    pub(super) database: Option<i64>,
    /// TLS.
    pub(super) tls: Option<Tls>,
    /// The container that the server runs in: `{ engine = "…", name = "…" }`.
    pub(super) container: Option<Container>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Container {
    /// The engine's name in this file.
    pub(super) engine: Option<String>,
    /// The container's name on that engine.
    pub(super) name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mysql {
    /// `host:port` or `unix:///path`.
    pub(super) address: Option<String>,
    /// The user.
    pub(super) username: Option<String>,
    /// Where the password is: `{ env = "NAME" }` or `{ file = "path" }`; the password itself never stands here.
    pub(super) password: Option<Secret>,
    /// The schema that queries start in.
    pub(super) database: Option<String>,
    /// TLS that is required.
    pub(super) tls: Option<Tls>,
    /// The container that the server runs in: `{ engine = "…", name = "…" }`.
    pub(super) container: Option<Container>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Host {
    /// `local` or `ssh://user@host:port`.
    pub(super) endpoint: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Service {
    /// The container that it runs in: `{ engine = "…", name = "…" }`.
    pub(super) container: Option<Container>,
    /// The file of its log, when it runs in no container.
    pub(super) log: Option<PathBuf>,
    /// Its systemd unit, as in `backend.service`.
    pub(super) unit: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Nginx {
    /// The container that it runs in: `{ engine = "…", name = "…" }`; then the paths are paths in it.
    pub(super) container: Option<Container>,
    /// Its configuration.
    pub(super) config: Option<PathBuf>,
    /// Its error log.
    pub(super) error_log: Option<PathBuf>,
    /// The program that tests the configuration.
    pub(super) program: Option<PathBuf>,
    /// Its systemd unit, as in `nginx.service`.
    pub(super) unit: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct UrlTarget {
    /// `http://…`, `https://…` or `tcp://host:port`, without a user or a password.
    pub(super) url: Option<String>,
    /// Where to connect instead of resolving the URL's host: `host:port`.
    pub(super) connect: Option<String>,
    /// TLS.
    pub(super) tls: Option<Tls>,
    /// DNS servers to ask and to compare, `address:port`.
    pub(super) resolvers: Vec<String>,
    /// The addresses that the URL's host should resolve to.
    pub(super) addresses: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    /// The file: in the container when there is one, else on this machine.
    pub(super) file: Option<PathBuf>,
    /// The container that it lies in: `{ engine = "…", name = "…" }`.
    pub(super) container: Option<Container>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wechatpay {
    /// The API's beginning.
    pub(super) url: Option<String>,
    /// Where to connect instead of resolving the URL's host: `host:port`.
    pub(super) connect: Option<String>,
    /// TLS.
    pub(super) tls: Option<Tls>,
    /// The merchant's id, digits in quotes.
    pub(super) merchant_id: Option<String>,
    /// The serial number of the merchant's own certificate, hexadecimal.
    pub(super) serial: Option<String>,
    /// Where the merchant's private key is, PEM: `{ file = "path" }` or `{ env = "NAME" }`.
    pub(super) private_key: Option<Secret>,
    /// WeChat Pay's public key; or `certificate`.
    pub(super) public_key: Option<WechatpayKey>,
    /// A platform certificate; or `public_key`.
    pub(super) certificate: Option<WechatpayCertificate>,
    /// Where the API v3 key is: `{ env = "NAME" }` or `{ file = "path" }`.
    pub(super) api_v3_key: Option<Secret>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WechatpayKey {
    /// Its id, `PUB_KEY_ID_…`.
    pub(super) id: Option<String>,
    /// The key, a PEM file.
    pub(super) file: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WechatpayCertificate {
    /// Its serial number, hexadecimal.
    pub(super) serial: Option<String>,
    /// The certificate, a PEM file.
    pub(super) file: Option<PathBuf>,
}

/// `access.toml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Access {
    /// Who reads.
    pub(super) viewer: Holders,
    /// Who runs diagnoses.
    pub(super) operator: Holders,
    /// Who approves.
    pub(super) approver: Holders,
    /// Who changes the bot itself.
    pub(super) admin: Holders,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Holders {
    /// Ids of Discord roles, in quotes.
    pub(super) discord_roles: Vec<String>,
    /// Ids of Discord users, in quotes.
    pub(super) discord_users: Vec<String>,
    /// Names of operating system users; `*` is everybody.
    pub(super) local_users: Vec<String>,
}

/// `oncall.toml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OnCall {
    /// Everybody who can be on call, by name.
    pub(super) people: IndexMap<String, Person>,
    /// Who takes turns with whom.
    pub(super) rotation: IndexMap<String, Rotation>,
}

#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Person {
    /// The name that the channel shows.
    pub(super) name: Option<String>,
    /// The Discord user id, in quotes.
    pub(super) discord: Option<String>,
    /// The telephone, as in `+8613800000000`.
    pub(super) phone: Option<String>,
    /// The mail address.
    pub(super) email: Option<String>,
    /// The language in which the person is written to: `en` or `zh`.
    pub(super) language: Option<Language>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<personal>")
    }
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rotation {
    /// Names of people, in the order of their turns.
    pub(super) people: Vec<String>,
    /// When the first turn begins, with the distance from UTC, as in `2026-11-23T09:00:00+08:00`.
    pub(super) starts: Option<String>,
    /// How long a turn is, as in `7d`.
    pub(super) turn: Option<String>,
}
