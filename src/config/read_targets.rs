//! `targets.toml`: raw → validated.

use std::path::PathBuf;

use super::{
    ContainerRef, DockerEngine, Endpoint, RedisServer, ServerAddress, Targets,
    check::{Check, host_and_port},
    raw, read_services,
};
use crate::domain::{document::Path, ids::TargetId};

/// Highest number of a Redis database; `databases` is 16 unless the server is told otherwise, and
/// a number beyond this is a slip of the hand.
const MOST_DATABASE: i64 = 65_535;

pub(super) fn targets(check: &mut Check<'_, raw::Targets>) -> Targets {
    let raw = check.value();
    let mut targets = Targets::default();
    for (name, engine) in &raw.docker {
        let at = Path::root().key("docker").key(name);
        let id = check.id::<TargetId>(&at, name);
        let endpoint = docker(check, &at, engine);
        if let (Some(id), Some(endpoint)) = (id, endpoint) {
            targets.docker.insert(id, DockerEngine { endpoint });
        }
    }
    for (name, server) in &raw.redis {
        let at = Path::root().key("redis").key(name);
        let id = check.id::<TargetId>(&at, name);
        let server = redis(check, &at, server, raw);
        if let (Some(id), Some(server)) = (id, server) {
            targets.redis.insert(id, server);
        }
    }
    read_services::read(check, &mut targets);
    doubles(check);
    targets
}

/// A page says `target = "cache"` and no kind, so a name may stand for one thing only.
fn doubles(check: &mut Check<'_, raw::Targets>) {
    let raw = check.value();
    let named: Vec<(&str, &String)> = [
        ("docker", raw.docker.keys().collect::<Vec<_>>()),
        ("redis", raw.redis.keys().collect()),
        ("mysql", raw.mysql.keys().collect()),
        ("host", raw.host.keys().collect()),
        ("service", raw.service.keys().collect()),
        ("nginx", raw.nginx.keys().collect()),
        ("url", raw.url.keys().collect()),
        ("log", raw.log.keys().collect()),
        ("wechatpay", raw.wechatpay.keys().collect()),
    ]
    .into_iter()
    .flat_map(|(kind, names)| names.into_iter().map(move |name| (kind, name)))
    .collect();
    for (n, (kind, name)) in named.iter().enumerate() {
        if let Some((first, _)) = named[..n].iter().find(|(_, other)| other == name) {
            check.wrong_key(
                &Path::root().key(kind).key(name),
                format!(
                    "there is a [{first}.{name}], too; a target's name is unique over all kinds"
                ),
            );
        }
    }
}

fn docker(check: &mut Check<'_, raw::Targets>, at: &Path, raw: &raw::Docker) -> Option<Endpoint> {
    const FORMS: &str =
        "an engine is unix:///path, tcp://host:port or ssh://user@host:port, without a password";
    let text = check.needed(
        at,
        "endpoint",
        "\"unix:///var/run/docker.sock\"",
        raw.endpoint.as_ref(),
    )?;
    let tls = raw.tls.as_ref().map(|tls| check.tls(&at.key("tls"), tls));
    if tls.is_some() && !text.starts_with("tcp://") {
        check.wrong(&at.key("tls"), "tls goes with a tcp:// endpoint only");
    }
    if let Some(path) = text.strip_prefix("unix://").filter(|path| !path.is_empty()) {
        return Some(Endpoint::Unix(check.path(&PathBuf::from(path))));
    }
    if let Some(address) = text.strip_prefix("tcp://")
        && host_and_port(address).is_some()
    {
        return Some(Endpoint::Tcp {
            address: address.to_owned(),
            tls,
        });
    }
    if let Some(rest) = text.strip_prefix("ssh://")
        && is_ssh(rest)
    {
        return Some(Endpoint::Ssh(text.clone()));
    }
    check.wrong(&at.key("endpoint"), FORMS);
    None
}

/// `host`, `user@host`, either with `:port`; no password, which would be a literal secret.
pub(super) fn is_ssh(rest: &str) -> bool {
    let (user, host) = match rest.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, rest),
    };
    let user_fits = user.is_none_or(|user| !user.is_empty() && !user.contains([':', '/', '@']));
    let host = host.strip_suffix('/').unwrap_or(host);
    let plain =
        !host.is_empty() && !host.contains([':', '/']) && !host.contains(char::is_whitespace);
    user_fits && (plain || host_and_port(host).is_some())
}

fn redis(
    check: &mut Check<'_, raw::Targets>,
    at: &Path,
    raw: &raw::Redis,
    all: &raw::Targets,
) -> Option<RedisServer> {
    let address = check
        .needed(at, "address", "\"127.0.0.1:6379\"", raw.address.as_ref())
        .and_then(|text| server_address(check, at, "127.0.0.1:6379", text));
    let password = raw
        .password
        .as_ref()
        .map(|secret| check.secret(&at.key("password"), secret));
    let database = match raw.database.unwrap_or(0) {
        number @ 0..=MOST_DATABASE => u16::try_from(number).ok(),
        number => {
            check.wrong(
                &at.key("database"),
                format!("{number} is outside of 0 to {MOST_DATABASE}"),
            );
            None
        }
    };
    if raw.username.is_some() && raw.password.is_none() {
        check.wrong(
            &at.key("username"),
            "a user without a password; give the password, too, or neither",
        );
    }
    let tls = raw.tls.as_ref().map(|tls| check.tls(&at.key("tls"), tls));
    let container = raw
        .container
        .as_ref()
        .map(|raw| container(check, &at.key("container"), raw, all));
    Some(RedisServer {
        address: address?,
        username: raw.username.clone(),
        password: flip(password)?,
        database: database?,
        tls,
        container: flip(container)?,
    })
}

/// Not given is fine, given and wrong is not.
#[expect(
    clippy::option_option,
    reason = "outer: sound or not; inner: given or not"
)]
pub(super) fn flip<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(None) => None,
        Some(sound) => Some(sound),
    }
}

pub(super) fn server_address(
    check: &mut Check<'_, raw::Targets>,
    at: &Path,
    example: &str,
    text: &str,
) -> Option<ServerAddress> {
    if let Some(path) = text.strip_prefix("unix://").filter(|path| !path.is_empty()) {
        return Some(ServerAddress::Unix(check.path(&PathBuf::from(path))));
    }
    let parsed = host_and_port(text).map(|(host, port)| ServerAddress::Tcp { host, port });
    if parsed.is_none() {
        check.wrong(
            &at.key("address"),
            format!(
                "an address is host:port, as in {example}, or unix:///path; user, password and \
                 database have keys of their own"
            ),
        );
    }
    parsed
}

pub(super) fn container(
    check: &mut Check<'_, raw::Targets>,
    at: &Path,
    raw: &raw::Container,
    all: &raw::Targets,
) -> Option<ContainerRef> {
    let engine = check.needed(at, "engine", "\"engine\"", raw.engine.as_ref());
    let name = check.needed(at, "name", "\"mall_redis_master\"", raw.name.as_ref());
    let engine = engine?;
    if !all.docker.contains_key(engine) {
        let known = all.docker.keys().map(String::as_str);
        let hint = Check::<raw::Targets>::hint(engine, known);
        check.wrong_with_hint(
            &at.key("engine"),
            format!("there is no [docker.{engine}] in this file"),
            hint,
        );
        return None;
    }
    let name = name?;
    // Docker's own grammar (moby, daemon/names): [a-zA-Z0-9][a-zA-Z0-9_.-]+
    let fits = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    if !fits {
        check.wrong(
            &at.key("name"),
            "this is no name of a container: letters, digits, '_', '.' and '-'",
        );
        return None;
    }
    Some(ContainerRef {
        engine: engine.parse().ok()?,
        name: name.clone(),
    })
}
