//! `miniprogram.config`: where the mini program sends its requests, and whether that is where the
//! shop's interface is.

mod script;

use std::{net::IpAddr, time::Duration};

use reqwest::Url;
use tokio::time::{Instant, timeout_at};

use self::script::{Plain, Setting, settings};
use crate::{
    app::{Clock, Look, SystemClock},
    config::Targets,
    domain::diagnosis::{ArgSpec, ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit, Unseen},
    probes::{
        args::Given,
        docker::Engines,
        log::{Source, Want, haul, source_of},
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
        text(
            "state",
            "whether there is such a file; missing: its directory can be read, and it is not there",
        )
        .one_of(&["ok", "missing"]),
        flag("found", "the setting is there, outside of comments"),
        text(
            "base_url",
            "its value without blanks around it; of several, the last of the release's, as JavaScript takes it",
        )
        .setting()
        .optional(),
        flag(
            "has_blanks",
            "there are blanks in the value, before it or after it, inside its quotes: they become a part of every request's address",
        ),
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
        flag("path_matches", "the URL's path begins with the address's, whose own goes as far as the version where the URL's has one (/api/v1)").optional(),
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
    let key = given.text("key");
    let file = match haul(source, want).await {
        Ok(file) => file,
        Err(blind) => {
            return match missing(source, &blind, want.end).await {
                Some(place) => Ok(sighting(None, &site, key, &place)),
                None => Err(blind),
            };
        }
    };
    let lines: Vec<&str> = file.records.iter().map(|it| it.text.as_str()).collect();
    Ok(sighting(
        Some(&settings(&lines.join("\n"))),
        &site,
        key,
        &file.place,
    ))
}

/// Where the file should be, when the reason not to have read it is that there is none although
/// its directory can be read.
async fn missing(source: Source<'_>, blind: &Blind, end: Instant) -> Option<String> {
    let Blind::Unknown(Unseen::NoSuchPath { path: told }) = blind else {
        return None;
    };
    match source {
        Source::File(path) => {
            let read = timeout_at(end, tokio::fs::read_dir(path.parent()?)).await;
            let place = path.display().to_string();
            (*told == place && matches!(read, Ok(Ok(_)))).then_some(place)
        }
        Source::Inside(inside, path) => {
            let place = format!("{}:{path}", inside.name);
            let (directory, _) = path.rsplit_once('/')?;
            let about = inside.stat(directory, end).await;
            (*told == place && matches!(about, Ok(Some(_)))).then_some(place)
        }
        Source::Printed(_) | Source::Journal(_) => None,
    }
}

/// What the file says; none when there is no file.
fn sighting(file: Option<&[Setting]>, site: &Site, key: &str, place: &str) -> Sighting {
    let settings = file.unwrap_or_default();
    let all: Vec<(&Setting, &str)> = settings
        .iter()
        .filter(|it| it.key == key)
        .filter_map(|it| match &it.value {
            Plain::Text(text) => Some((it, text.as_str())),
            _ => None,
        })
        .collect();
    let written = in_force(&all);
    let chosen = written.map(str::trim);
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
    if file.is_none() {
        seen.line(format!("{place}: there is no such file"));
    } else {
        seen.line(format!("{place}: {key} is set {} times", all.len()));
    }
    for line in &shown {
        seen.line(line);
    }
    seen.fact("state", if file.is_some() { "ok" } else { "missing" })
        .fact("found", chosen.is_some())
        .fact(
            "has_blanks",
            written.is_some_and(|value| value.contains(char::is_whitespace)),
        )
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

/// The value that customers get: of several, the release's; else one of no other environment. What
/// is set again further down is what JavaScript takes.
fn in_force<'a>(all: &[(&Setting, &'a str)]) -> Option<&'a str> {
    let stands_in = |setting: &Setting, names: &[&str]| {
        let mut blocks = setting.blocks.iter().map(|it| it.to_lowercase());
        blocks.any(|block| names.contains(&block.as_str()))
    };
    let last = |fits: &dyn Fn(&Setting) -> bool| all.iter().rev().find(|(it, _)| fits(it));
    last(&|it| stands_in(it, RELEASE))
        .or_else(|| last(&|it| !stands_in(it, OTHER)))
        .or_else(|| all.last())
        .map(|(_, value)| *value)
}

fn same_host(one: &Site, other: &Site) -> bool {
    let same_port = one.port == other.port || one.scheme != other.scheme;
    one.host.eq_ignore_ascii_case(&other.host) && same_port
}

/// Whether the requests for `page` begin with `base`. The pages' names stand behind the version, so
/// a base without it leads past them, whatever it begins with.
fn leads_to(base: &Site, page: &Site) -> bool {
    let base = base.path.trim_end_matches('/');
    page.path.strip_prefix(base).is_some_and(|rest| {
        let whole = rest.is_empty() || rest.starts_with(['/', '?']);
        let path = rest.split('?').next().unwrap_or(rest);
        whole && !path.split('/').any(is_version)
    })
}

/// `v1`, `v2.1`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix(['v', 'V']).is_some_and(|number| {
        number.starts_with(|c: char| c.is_ascii_digit())
            && number.chars().all(|c| c.is_ascii_digit() || c == '.')
    })
}

fn is_local(site: &Site) -> bool {
    match site.ip() {
        Some(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Some(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        None => site.host == "localhost" || site.host.split('.').next_back() == Some("local"),
    }
}
