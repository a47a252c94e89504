//! `miniprogram.config`: where the mini program sends its requests, and whether that is where the
//! shop's interface is.

mod script;

use std::{net::IpAddr, time::Duration};

use reqwest::Url;
use tokio::time::Instant;

use self::script::{Plain, Setting, settings};
use crate::{
    app::{Clock, Look, SystemClock},
    config::Targets,
    domain::diagnosis::{ArgSpec, ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit, Unseen},
    probes::{
        args::Given,
        docker::Engines,
        log::{Want, haul, source_of},
        seen::{Seen, plain},
        spec::{count, flag, int, text, texts},
        web::{Scheme, Site},
    },
};

/// How much of the file is read, in bytes, and in lines: a configuration has a page or two.
const READ: (usize, usize) = (256 * 1024, 10_000);

/// Blocks that are in force for customers.
const RELEASE: &[&str] = &["release", "prod", "production", "online"];

/// Blocks that are not.
const OTHER: &[&str] = &[
    "dev",
    "develop",
    "development",
    "debug",
    "local",
    "test",
    "testing",
    "trial",
    "staging",
    "uat",
];

/// How the request's address begins.
const SCHEMES: &[&str] = &["https", "http", "other"];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "miniprogram.config",
    summary: "the address in a mini program's config.js, compared with a URL of the configuration",
    targets: &[TargetKind::Log],
    args: &[
        ArgSpec {
            name: "url",
            kind: ArgType::Text,
            default: None,
            range: None,
            meaning: "the name of the URL target that the mini program's requests should reach: one of its pages",
        },
        ArgSpec {
            name: "key",
            kind: ArgType::Text,
            default: Some("API_BASE_URL"),
            range: None,
            meaning: "the setting's name in the file",
        },
    ],
    facts: &[
        flag("found", "the setting is there, outside of comments"),
        text("base_url", "its value; of several, that of the release").optional(),
        count(
            "values",
            "how many times it is set, for other environments too",
        ),
        texts("all_values", "each with the blocks that it stands in"),
        text("scheme", "how the address begins")
            .one_of(SCHEMES)
            .optional(),
        text("host", "its host and port").optional(),
        flag(
            "is_local",
            "the host is this machine or one of a private network",
        )
        .optional(),
        flag(
            "is_address",
            "the host is an address and no name, which mini programs may not use",
        )
        .optional(),
        flag("host_matches", "host and port are those of the URL").optional(),
        flag("path_matches", "the URL's path begins with the address's").optional(),
        text("expected", "how the address should begin"),
        text("expected_host", "the host of the URL"),
        int(
            "timeout_ms",
            Unit::Milliseconds,
            "the time limit of requests (a key with TIMEOUT in its name), if there is one",
        )
        .optional(),
        int(
            "retries",
            Unit::Count,
            "how often requests are tried again (a key with RETRY in its name), if it says",
        )
        .optional(),
        flag(
            "url_check",
            "whether the request domains are checked (a key URL_CHECK or urlCheck), if it says",
        )
        .optional(),
        text("place", "the file"),
    ],
    per_key: None,
};

/// Looks at the file.
///
/// # Errors
/// It can't be read, or there is no such URL target.
pub(super) async fn look(
    look: &Look,
    targets: &Targets,
    engines: &Engines,
) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, &look.args);
    let name = given.text("url");
    let site = targets
        .url
        .get(name)
        .and_then(Site::of)
        .filter(|site| site.scheme != Scheme::Tcp)
        .ok_or_else(|| {
            Blind::Unknown(Unseen::NoSuchTarget {
                name: plain(name, 40),
            })
        })?;
    let patience: Duration = look.patience();
    let want = Want {
        since: None,
        until: None,
        bytes: READ.0,
        lines: READ.1,
        now: SystemClock.now(),
        patience,
        end: Instant::now() + patience,
    };
    let source = source_of(&look.target, targets, engines)?;
    let file = haul(source, want).await?;
    let lines: Vec<&str> = file.records.iter().map(|it| it.text.as_str()).collect();
    Ok(sighting(
        &settings(&lines.join("\n")),
        &site,
        given.text("key"),
        &file.place,
    ))
}

fn sighting(settings: &[Setting], site: &Site, key: &str, place: &str) -> Sighting {
    let all: Vec<(&Setting, &str)> = settings
        .iter()
        .filter(|it| it.key == key)
        .filter_map(|it| match &it.value {
            Plain::Text(text) => Some((it, text.trim())),
            _ => None,
        })
        .collect();
    let chosen = in_force(&all);
    let shown: Vec<String> = all
        .iter()
        .map(|(it, value)| format!("{}: {value}", it.blocks.join(".")))
        .collect();
    let url = chosen.and_then(|value| Url::parse(value).ok());
    let address = url
        .as_ref()
        .and_then(|url| Site::at(url, None, crate::config::TlsFiles::default()));
    let number = |part: &str| {
        settings.iter().find_map(|it| match it.value {
            Plain::Number(number) if it.key.to_uppercase().contains(part) => Some(number),
            _ => None,
        })
    };
    let check = settings.iter().find_map(|it| match it.value {
        Plain::Truth(truth) if it.key.replace('_', "").eq_ignore_ascii_case("urlcheck") => {
            Some(truth)
        }
        _ => None,
    });
    let mut seen = Seen::new(&SPEC);
    seen.line(format!("{place}: {key} is set {} times", all.len()));
    for line in &shown {
        seen.line(line);
    }
    seen.fact("found", chosen.is_some())
        .fact("base_url", chosen)
        .fact("values", all.len())
        .fact("all_values", shown)
        .fact(
            "scheme",
            chosen.map(|_| match address.as_ref().map(|it| it.scheme) {
                Some(Scheme::Https) => "https",
                Some(Scheme::Http) => "http",
                _ => "other",
            }),
        )
        .fact("host", address.as_ref().map(Site::authority))
        .fact("is_local", address.as_ref().map(is_local))
        .fact("is_address", address.as_ref().map(|it| it.ip().is_some()))
        .fact(
            "host_matches",
            address.as_ref().map(|it| same_host(it, site)),
        )
        .fact(
            "path_matches",
            address.as_ref().map(|it| leads_to(it, site)),
        )
        .fact("expected", site.shown())
        .fact("expected_host", site.host.as_str())
        .fact("timeout_ms", number("TIMEOUT"))
        .fact("retries", number("RETRY"))
        .fact("url_check", check)
        .fact("place", place);
    seen.done()
}

/// The value that customers get: of several, the release's; else one of no other environment.
fn in_force<'a>(all: &[(&Setting, &'a str)]) -> Option<&'a str> {
    let stands_in = |setting: &Setting, names: &[&str]| {
        let mut blocks = setting.blocks.iter().map(|it| it.to_lowercase());
        blocks.any(|block| names.contains(&block.as_str()))
    };
    let release = all.iter().find(|(it, _)| stands_in(it, RELEASE));
    let plain = || all.iter().find(|(it, _)| !stands_in(it, OTHER));
    release
        .or_else(plain)
        .or_else(|| all.first())
        .map(|(_, value)| *value)
}

fn same_host(one: &Site, other: &Site) -> bool {
    let same_port = one.port == other.port || one.scheme != other.scheme;
    one.host.eq_ignore_ascii_case(&other.host) && same_port
}

fn leads_to(base: &Site, page: &Site) -> bool {
    let base = base.path.trim_end_matches('/');
    page.path
        .strip_prefix(base)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

fn is_local(site: &Site) -> bool {
    match site.ip() {
        Some(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Some(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        None => site.host == "localhost" || site.host.split('.').next_back() == Some("local"),
    }
}
