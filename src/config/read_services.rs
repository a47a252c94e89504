//! `targets.toml`, what stands beside Docker and Redis: raw → validated.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use super::{
    ContainerRef, Host, HostEndpoint, LogFile, MysqlServer, Nginx, Service, Targets, UrlTarget,
    Wechatpay, WechatpayTrust,
    check::{Check, host_and_port},
    raw,
    read_targets::{container, flip, is_ssh, server_address},
};
use crate::domain::{document::Path, ids::TargetId};

/// Where WeChat Pay's API v3 is (<https://pay.weixin.qq.com/doc/v3/merchant/4012081606>).
const WECHATPAY: &str = "https://api.mch.weixin.qq.com";

/// Where Debian's and Docker's Nginx keep their files.
const NGINX_CONFIG: &str = "/etc/nginx/nginx.conf";
const NGINX_ERROR_LOG: &str = "/var/log/nginx/error.log";

type Targeting<'a> = Check<'a, raw::Targets>;

/// Reads every kind but `docker` and `redis` into `targets`.
pub(super) fn read(check: &mut Targeting<'_>, targets: &mut Targets) {
    let raw = check.value();
    macro_rules! each {
        ($kind:ident, $read:ident) => {
            for (name, one) in &raw.$kind {
                let at = Path::root().key(stringify!($kind)).key(name);
                let id = check.id::<TargetId>(&at, name);
                let one = $read(check, &at, one);
                if let (Some(id), Some(one)) = (id, one) {
                    targets.$kind.insert(id, one);
                }
            }
        };
    }
    each!(mysql, mysql);
    each!(host, host);
    each!(service, service);
    each!(nginx, nginx);
    each!(url, url);
    each!(log, log);
    each!(wechatpay, wechatpay);
}

fn mysql(check: &mut Targeting<'_>, at: &Path, raw: &raw::Mysql) -> Option<MysqlServer> {
    const EXAMPLE: &str = "127.0.0.1:3306";
    let address = check
        .needed(at, "address", "\"127.0.0.1:3306\"", raw.address.as_ref())
        .and_then(|text| server_address(check, at, EXAMPLE, text));
    let username = check
        .needed(at, "username", "\"handbell\"", raw.username.as_ref())
        .cloned();
    let password = raw
        .password
        .as_ref()
        .map(|secret| check.secret(&at.key("password"), secret));
    let tls = raw.tls.as_ref().map(|tls| check.tls(&at.key("tls"), tls));
    let container = contained(check, at, raw.container.as_ref());
    Some(MysqlServer {
        address: address?,
        username: username?,
        password: flip(password)?,
        database: raw.database.clone(),
        tls,
        container: container?,
    })
}

fn host(check: &mut Targeting<'_>, at: &Path, raw: &raw::Host) -> Option<Host> {
    let text = check.needed(at, "endpoint", "\"local\"", raw.endpoint.as_ref())?;
    let endpoint = match text.strip_prefix("ssh://") {
        None if text == "local" => HostEndpoint::Local,
        Some(rest) if is_ssh(rest) => HostEndpoint::Ssh(text.clone()),
        _ => {
            check.wrong(
                &at.key("endpoint"),
                "a host is \"local\" or ssh://user@host:port, without a password",
            );
            return None;
        }
    };
    Some(Host { endpoint })
}

fn service(check: &mut Targeting<'_>, at: &Path, raw: &raw::Service) -> Option<Service> {
    let container = contained(check, at, raw.container.as_ref());
    Some(Service {
        log: file(check, at, "log", raw.log.as_ref())?,
        unit: unit(check, at, raw.unit.as_ref())?,
        container: container?,
    })
}

fn nginx(check: &mut Targeting<'_>, at: &Path, raw: &raw::Nginx) -> Option<Nginx> {
    let container = contained(check, at, raw.container.as_ref());
    let place = |check: &mut Targeting<'_>, key: &str, raw: Option<&PathBuf>, default: &str| {
        let path = raw.cloned().unwrap_or_else(|| PathBuf::from(default));
        within(
            check,
            at,
            key,
            path,
            raw.is_some() && has_container(&container),
        )
    };
    let config = place(check, "config", raw.config.as_ref(), NGINX_CONFIG);
    let error_log = place(check, "error_log", raw.error_log.as_ref(), NGINX_ERROR_LOG);
    let program = match &raw.program {
        Some(program) if program.as_os_str().is_empty() => {
            check.wrong(&at.key("program"), "the program's name is empty");
            None
        }
        Some(program) => Some(program.clone()),
        None => Some(PathBuf::from("nginx")),
    };
    Some(Nginx {
        config: config?,
        error_log: error_log?,
        program: program?,
        unit: unit(check, at, raw.unit.as_ref())?,
        container: container?,
    })
}

fn url(check: &mut Targeting<'_>, at: &Path, raw: &raw::UrlTarget) -> Option<UrlTarget> {
    let text = check.needed(
        at,
        "url",
        "\"https://api.example.com/health\"",
        raw.url.as_ref(),
    );
    let text = text.and_then(|text| checked_url(check, at, text, &["http", "https", "tcp"]));
    let connect = raw.connect.as_ref().map(|text| connect(check, at, text));
    let resolvers: Vec<Option<SocketAddr>> = raw
        .resolvers
        .iter()
        .enumerate()
        .map(|(n, text)| resolver(check, &at.key("resolvers").at(n), text))
        .collect();
    let addresses: Vec<Option<IpAddr>> = raw
        .addresses
        .iter()
        .enumerate()
        .map(|(n, text)| address(check, &at.key("addresses").at(n), text))
        .collect();
    let tls = raw.tls.as_ref().map(|tls| check.tls(&at.key("tls"), tls));
    Some(UrlTarget {
        url: text?,
        connect: flip(connect)?,
        tls,
        resolvers: resolvers.into_iter().collect::<Option<_>>()?,
        addresses: addresses.into_iter().collect::<Option<_>>()?,
    })
}

fn log(check: &mut Targeting<'_>, at: &Path, raw: &raw::Log) -> Option<LogFile> {
    let container = contained(check, at, raw.container.as_ref());
    let file = check.needed(at, "file", "\"/var/log/app.log\"", raw.file.as_ref());
    let file = file.cloned();
    let inside = has_container(&container);
    let file = file.and_then(|file| within(check, at, "file", file, inside));
    Some(LogFile {
        file: file?,
        container: container?,
    })
}

fn wechatpay(check: &mut Targeting<'_>, at: &Path, raw: &raw::Wechatpay) -> Option<Wechatpay> {
    let text = raw.url.as_deref().unwrap_or(WECHATPAY);
    let url = checked_url(check, at, text, &["https", "http"]);
    let connect = raw.connect.as_ref().map(|text| connect(check, at, text));
    let tls = raw.tls.as_ref().map(|tls| check.tls(&at.key("tls"), tls));
    let merchant_id = check
        .needed(
            at,
            "merchant_id",
            "\"1900000001\"",
            raw.merchant_id.as_ref(),
        )
        .and_then(|id| {
            let fits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
            if !fits {
                check.wrong(
                    &at.key("merchant_id"),
                    "a merchant's id is digits in quotes",
                );
            }
            fits.then(|| id.clone())
        });
    let serial = check
        .needed(
            at,
            "serial",
            "\"5157F09EFDC096DE15EBE81A47057A72…\"",
            raw.serial.as_ref(),
        )
        .and_then(|text| hexadecimal(check, &at.key("serial"), text));
    let key_at = at.key("private_key");
    let private_key = check
        .needed(
            at,
            "private_key",
            "{ file = \"apiclient_key.pem\" }",
            raw.private_key.as_ref(),
        )
        .and_then(|secret| check.secret(&key_at, secret));
    let api_v3_key = raw
        .api_v3_key
        .as_ref()
        .map(|secret| check.secret(&at.key("api_v3_key"), secret));
    let trust = trust(check, at, raw);
    Some(Wechatpay {
        url: url?,
        connect: flip(connect)?,
        tls,
        merchant_id: merchant_id?,
        serial: serial?,
        private_key: private_key?,
        trust: trust?,
        api_v3_key: flip(api_v3_key)?,
    })
}

fn trust(check: &mut Targeting<'_>, at: &Path, raw: &raw::Wechatpay) -> Option<WechatpayTrust> {
    match (&raw.public_key, &raw.certificate) {
        (Some(key), None) => {
            let at = at.key("public_key");
            let id = check.needed(&at, "id", "\"PUB_KEY_ID_…\"", key.id.as_ref());
            let id = id.cloned();
            let file = check.needed(&at, "file", "\"pub_key.pem\"", key.file.as_ref());
            let file = file.map(|file| check.path(file));
            Some(WechatpayTrust::PublicKey {
                id: id?,
                file: file?,
            })
        }
        (None, Some(certificate)) => {
            let at = at.key("certificate");
            let serial = certificate
                .serial
                .as_ref()
                .map(|text| hexadecimal(check, &at.key("serial"), text));
            let file = check.needed(&at, "file", "\"wechatpay.pem\"", certificate.file.as_ref());
            let file = file.map(|file| check.path(file));
            Some(WechatpayTrust::Certificate {
                serial: flip(serial)?,
                file: file?,
            })
        }
        (both, _) => {
            let how_many = if both.is_some() {
                "both are"
            } else {
                "neither is"
            };
            check.wrong(
                at,
                format!(
                    "answers are verified with public_key = {{ id, file }} or with certificate = \
                     {{ serial, file }}, and {how_many} given"
                ),
            );
            None
        }
    }
}

#[expect(
    clippy::option_option,
    reason = "outer: sound or not; inner: given or not"
)]
fn contained(
    check: &mut Targeting<'_>,
    at: &Path,
    raw: Option<&raw::Container>,
) -> Option<Option<ContainerRef>> {
    let all = check.value();
    flip(raw.map(|raw| container(check, &at.key("container"), raw, all)))
}

#[expect(
    clippy::option_option,
    clippy::ref_option,
    reason = "outer: sound or not; inner: given or not"
)]
fn has_container(container: &Option<Option<ContainerRef>>) -> bool {
    !matches!(container, Some(None))
}

/// A path on this machine, from the configuration's directory; or, `inside` a container, one of
/// its own, which begins at its root.
fn within(
    check: &mut Targeting<'_>,
    at: &Path,
    key: &str,
    path: PathBuf,
    inside: bool,
) -> Option<PathBuf> {
    if path.as_os_str().is_empty() {
        check.wrong(&at.key(key), "the path is empty");
        return None;
    }
    if !inside {
        return Some(check.path(&path));
    }
    if path.is_absolute() {
        return Some(path);
    }
    check.wrong(&at.key(key), "a path in a container begins with /");
    None
}

#[expect(
    clippy::option_option,
    reason = "outer: sound or not; inner: given or not"
)]
fn file(
    check: &mut Targeting<'_>,
    at: &Path,
    key: &str,
    raw: Option<&PathBuf>,
) -> Option<Option<PathBuf>> {
    flip(raw.map(|path| within(check, at, key, path.clone(), false)))
}

/// The name of a systemd unit (systemd.unit(5): letters, digits and `:-_.\@`, with a type).
#[expect(
    clippy::option_option,
    reason = "outer: sound or not; inner: given or not"
)]
fn unit(check: &mut Targeting<'_>, at: &Path, raw: Option<&String>) -> Option<Option<String>> {
    let Some(name) = raw else { return Some(None) };
    let fits = !name.starts_with('-')
        && name.contains('.')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b":-_.\\@".contains(&b));
    if !fits {
        check.wrong(
            &at.key("unit"),
            "this is no name of a systemd unit, as in nginx.service",
        );
        return None;
    }
    Some(Some(name.clone()))
}

fn checked_url(
    check: &mut Targeting<'_>,
    at: &Path,
    text: &str,
    schemes: &[&str],
) -> Option<String> {
    let at = at.key("url");
    let wrong = |check: &mut Targeting<'_>, message: &str| {
        check.wrong(&at, message.to_owned());
        None
    };
    let Ok(url) = reqwest::Url::parse(text) else {
        return wrong(
            check,
            "this is no URL, as in https://api.example.com/health",
        );
    };
    if !schemes.contains(&url.scheme()) || url.host_str().is_none() {
        let schemes: Vec<String> = schemes.iter().map(|it| format!("{it}://")).collect();
        return wrong(
            check,
            &format!("this URL begins with {} and a host", schemes.join(" or ")),
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(check, "a URL without a user and a password");
    }
    if url.scheme() == "tcp" && url.port().is_none() {
        return wrong(
            check,
            "tcp:// needs a port, as in tcp://mail.example.com:25",
        );
    }
    Some(text.to_owned())
}

fn connect(check: &mut Targeting<'_>, at: &Path, text: &str) -> Option<(String, u16)> {
    let parsed = host_and_port(text);
    if parsed.is_none() {
        check.wrong(&at.key("connect"), "host:port, as in 127.0.0.1:8443");
    }
    parsed
}

fn resolver(check: &mut Targeting<'_>, at: &Path, text: &str) -> Option<SocketAddr> {
    /// The port of DNS (RFC 1035, 4.2).
    const DNS_PORT: u16 = 53;
    let parsed = text.parse().ok().or_else(|| {
        let address: std::net::IpAddr = text.parse().ok()?;
        Some(SocketAddr::new(address, DNS_PORT))
    });
    if parsed.is_none() {
        check.wrong(
            at,
            "a DNS server is an address, as in 223.5.5.5 or 127.0.0.1:5353",
        );
    }
    parsed
}

fn address(check: &mut Targeting<'_>, at: &Path, text: &str) -> Option<IpAddr> {
    let parsed = text.parse().ok();
    if parsed.is_none() {
        check.wrong(at, "this is no IP address, as in 203.0.113.10");
    }
    parsed
}

fn hexadecimal(check: &mut Targeting<'_>, at: &Path, text: &str) -> Option<String> {
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !fits {
        check.wrong(at, "a serial number is hexadecimal digits");
    }
    fits.then(|| text.to_ascii_uppercase())
}
