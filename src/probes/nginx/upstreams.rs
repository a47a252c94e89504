//! `nginx.upstreams`: where the configuration sends requests, compared with what listens there.
//!
//! A name is looked up as nginx would: for one in a container, the containers on its networks come
//! first. Where their addresses can't be reached from here (an engine on another machine), the
//! table of sockets in the container tells what listens.

mod spec;

use std::{collections::BTreeSet, path::Path, time::Duration};

use futures_util::future::join_all;
use tokio::time::Instant;

pub use spec::SPEC;

use super::{
    network::{Neighbours, listening},
    server::Server,
    spoken,
    syntax::Upstream,
};
use crate::{
    config::Targets,
    domain::diagnosis::{Blind, Sighting},
    probes::{
        net::{self, Obstacle, host_of},
        seen::Seen,
    },
};

/// How many addresses are tried, at most.
const MOST: usize = 40;

/// How long one attempt may take. Our own choice: a neighbour answers within milliseconds.
const ATTEMPT: Duration = Duration::from_millis(1_200);

/// The most that `getent` answers, in bytes.
const ANSWER_BYTES: usize = 4_096;

/// How long what listens has to say what it speaks. Our own choice: whoever is slower is not
/// judged by it.
const GREETING: Duration = Duration::from_millis(500);

/// What was found out about one place.
struct Tried<'a> {
    upstream: &'a Upstream,
    reason: &'static str,
    detail: String,
    container: Option<(String, String)>,
    listening: Option<String>,
    /// Where it was reached, from here.
    reached: Option<(String, u16)>,
}

/// Tries every place.
///
/// # Errors
/// The configuration can't be read.
pub(super) async fn look(server: &Server<'_>, targets: &Targets) -> Result<Sighting, Blind> {
    let config = server.read().await?;
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let closed = closed_groups(&config.upstreams);
    let wanted: Vec<&Upstream> = config
        .upstreams
        .iter()
        .filter(|one| !one.spare && known.insert(one.address.as_str()))
        .chain(closed.iter().copied())
        .collect();
    let mut neighbours = match &server.inside {
        Some(inside) => Some(
            Neighbours::of(*inside, server.end)
                .await
                .map_err(|failure| server.blind(&failure))?,
        ),
        None => None,
    };
    let mut found: Vec<Tried<'_>> = Vec::new();
    for upstream in wanted.iter().take(MOST) {
        let left = server.end.saturating_duration_since(Instant::now());
        if left < ATTEMPT / 4 {
            break;
        }
        let end = Instant::now() + ATTEMPT.min(left);
        if upstream.down {
            let why = "every server of this upstream is marked down";
            found.push(tried(upstream, "marked-down", why));
            continue;
        }
        let one = match &mut neighbours {
            Some(neighbours) => beside(server, neighbours, upstream, end).await,
            None => here(upstream, targets, &config.listens, end).await,
        };
        found.push(one);
    }
    listened_to(&mut found, server.end).await;
    Ok(sighting(&config, &wanted, &found))
}

/// The first server of each group whose servers are all marked down.
fn closed_groups(upstreams: &[Upstream]) -> Vec<&Upstream> {
    let mut groups: BTreeSet<&str> = BTreeSet::new();
    upstreams
        .iter()
        .filter(|one| {
            let Some(group) = &one.group else {
                return false;
            };
            let mut servers = upstreams
                .iter()
                .filter(|it| it.group.as_ref() == Some(group));
            servers.all(|it| it.down) && groups.insert(group)
        })
        .collect()
}

/// Asks all that were reached, and should speak HTTP, what they speak, at once.
async fn listened_to(tried: &mut [Tried<'_>], end: Instant) {
    let end = end.min(Instant::now() + GREETING);
    let questions = tried.iter().map(|one| async {
        match &one.reached {
            Some((host, port)) if one.upstream.plain_http && one.reason == "none" => {
                spoken::no_http(host, *port, end).await
            }
            _ => None,
        }
    });
    let answers = join_all(questions).await;
    for (one, answer) in tried.iter_mut().zip(answers) {
        if let Some(detail) = answer {
            (one.reason, one.detail) = ("wrong-protocol", detail);
        }
    }
}

/// What was found out about a place to which a connection came about.
fn reached<'a>(upstream: &'a Upstream, host: &str, port: u16) -> Tried<'a> {
    Tried {
        reached: Some((host.to_owned(), port)),
        ..tried(upstream, "none", "")
    }
}

fn tried<'a>(upstream: &'a Upstream, reason: &'static str, detail: &str) -> Tried<'a> {
    Tried {
        upstream,
        reason,
        detail: detail.to_owned(),
        container: None,
        listening: None,
        reached: None,
    }
}

fn reason_of(obstacle: &Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Refused => "refused",
        Obstacle::Unresolved(_) => "unresolved",
        Obstacle::TimedOut => "timed-out",
        Obstacle::SocketMissing => "socket-missing",
        Obstacle::SocketPermission => "denied",
        _ => "unreachable",
    }
}

fn port_of(address: &str) -> u16 {
    address
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())
        .unwrap_or(80)
}

async fn connect(host: &str, port: u16, end: Instant) -> Result<(), Obstacle> {
    net::tcp(host, port, end).await.map(|_| ())
}

/// A place as nginx on this machine sees it.
async fn here<'a>(
    upstream: &'a Upstream,
    targets: &Targets,
    own: &BTreeSet<u16>,
    end: Instant,
) -> Tried<'a> {
    if let Some(path) = upstream.address.strip_prefix("unix:") {
        return match net::unix(Path::new(path), end).await {
            Ok(_) => tried(upstream, "none", ""),
            Err(obstacle) => tried(upstream, reason_of(&obstacle), &obstacle.to_string()),
        };
    }
    let (host, port) = (host_of(&upstream.address), port_of(&upstream.address));
    let obstacle = match connect(&host, port, end).await {
        Ok(()) => return reached(upstream, &host, port),
        Err(obstacle) => obstacle,
    };
    let mut found = tried(upstream, reason_of(&obstacle), &obstacle.to_string());
    if found.reason == "refused" {
        // Something that the configuration knows answers on the same host at another port.
        for (name, url) in &targets.url {
            let Some((other, at)) = place_of(url) else {
                continue;
            };
            let same = other == host || (is_loopback(&other) && is_loopback(&host));
            if same && at != port && !own.contains(&at) && connect(&other, at, end).await.is_ok() {
                found.listening = Some(format!("{other}:{at} ({name})"));
                break;
            }
        }
    }
    found
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.starts_with("127.") || host == "::1"
}

/// Where a URL leads to; none for one with TLS, which is in front of nginx and not behind it.
fn place_of(url: &crate::config::UrlTarget) -> Option<(String, u16)> {
    if let Some((host, port)) = &url.connect {
        return (!url.url.starts_with("https://")).then(|| (host.clone(), *port));
    }
    let rest = url
        .url
        .strip_prefix("http://")
        .or_else(|| url.url.strip_prefix("tcp://"))?;
    let host = rest.split('/').next()?;
    let port = if host.contains(':') {
        port_of(host)
    } else {
        80
    };
    Some((host.split(':').next()?.to_owned(), port))
}

/// A place as nginx in a container sees it.
async fn beside<'a>(
    server: &Server<'_>,
    neighbours: &mut Neighbours,
    upstream: &'a Upstream,
    end: Instant,
) -> Tried<'a> {
    let Some(inside) = server.inside else {
        return tried(upstream, "unreachable", "");
    };
    if let Some(path) = upstream.address.strip_prefix("unix:") {
        return match inside.stat(path, end).await {
            Ok(Some(_)) => tried(upstream, "none", ""),
            Ok(None) => tried(upstream, "socket-missing", "there is no such socket"),
            Err(failure) => tried(upstream, "unreachable", &failure.detail()),
        };
    }
    let (host, port) = (host_of(&upstream.address), port_of(&upstream.address));
    if is_loopback(&host) {
        return match listening(inside, true, end).await {
            Some(ports) if !ports.contains(&port) => tried(
                upstream,
                "refused",
                "nothing listens there in nginx's own container",
            ),
            _ => tried(upstream, "none", ""),
        };
    }
    let Some(neighbour) = neighbours.named(&host, inside, end).await else {
        return elsewhere(server, upstream, &host, port, end).await;
    };
    let container = Some((neighbour.name.clone(), neighbour.state.clone()));
    let mut found = match (&neighbour.address, neighbour.state.as_str()) {
        (_, state) if !matches!(state, "running" | "paused") => tried(
            upstream,
            "container-down",
            &format!("the container {} is {state}", neighbour.name),
        ),
        (None, _) => tried(
            upstream,
            "no-shared-network",
            &format!("{} is on no network of nginx's container", neighbour.name),
        ),
        (Some(address), _) if inside.is_here() => match connect(address, port, end).await {
            Ok(()) => reached(upstream, address, port),
            Err(obstacle) => tried(upstream, reason_of(&obstacle), &obstacle.to_string()),
        },
        (Some(_), _) => match listening(inside.beside(&neighbour.name), false, end).await {
            Some(ports) if !ports.contains(&port) => tried(
                upstream,
                "refused",
                "nothing listens there in that container",
            ),
            _ => tried(upstream, "none", ""),
        },
    };
    if found.reason == "refused" && neighbour.state == "running" {
        let ports = listening(inside.beside(&neighbour.name), false, server.end).await;
        let ports: Vec<String> = ports
            .into_iter()
            .flatten()
            // The engine's own name server listens in every container, on loopback alone.
            .filter(|other| *other != port)
            .map(|other| format!("{}:{other}", neighbour.name))
            .collect();
        found.listening = (!ports.is_empty()).then(|| ports.join(", "));
    }
    found.container = container;
    found
}

/// A name that no container has: what the container's own resolver says of it.
async fn elsewhere<'a>(
    server: &Server<'_>,
    upstream: &'a Upstream,
    host: &str,
    port: u16,
    end: Instant,
) -> Tried<'a> {
    let mut address = host.to_owned();
    if host.parse::<std::net::IpAddr>().is_err() {
        let Some(inside) = server.inside else {
            return tried(upstream, "unreachable", "");
        };
        let words = ["getent", "hosts", host];
        match inside.exec(&words, ANSWER_BYTES, end).await {
            Ok(said) if said.code == Some(0) => {
                let text = String::from_utf8_lossy(&said.out).into_owned();
                match text.split_whitespace().next() {
                    Some(found) => found.clone_into(&mut address),
                    None => return tried(upstream, "unresolved", "the name has no address"),
                }
            }
            // Exit code of getent(1): the key was not found.
            Ok(said) if said.code == Some(2) => {
                return tried(
                    upstream,
                    "unresolved",
                    "no container and no name server knows the name",
                );
            }
            _ => {
                return tried(
                    upstream,
                    "unresolved",
                    "no container on nginx's networks has this name",
                );
            }
        }
    }
    match connect(&address, port, end).await {
        Ok(()) => reached(upstream, &address, port),
        Err(obstacle) => tried(upstream, reason_of(&obstacle), &obstacle.to_string()),
    }
}

fn sighting(config: &super::syntax::Config, wanted: &[&Upstream], tried: &[Tried<'_>]) -> Sighting {
    let bad: Vec<&Tried<'_>> = tried.iter().filter(|one| one.reason != "none").collect();
    let lines: Vec<String> = bad
        .iter()
        .map(|one| {
            format!(
                "{}: {} ({}:{})",
                one.upstream.address, one.reason, one.upstream.file, one.upstream.line
            )
        })
        .collect();
    let good = |group: &Option<String>| {
        tried
            .iter()
            .any(|one| one.reason == "none" && group.is_some() && one.upstream.group == *group)
    };
    let dead: BTreeSet<(Option<&str>, &str)> = bad
        .iter()
        .filter(|one| !good(&one.upstream.group))
        .map(|one| {
            let group = one.upstream.group.as_deref();
            (
                group,
                if group.is_some() {
                    ""
                } else {
                    one.upstream.address.as_str()
                },
            )
        })
        .collect();
    // The telling one first: of a group that is dead, and with a container that is known.
    let first = bad
        .iter()
        .find(|one| !good(&one.upstream.group))
        .or_else(|| bad.first());
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} upstreams in {} files, {} are of no use",
        wanted.len(),
        config.files,
        bad.len()
    ));
    for one in tried {
        seen.line(format!(
            "{}: {} {}",
            one.upstream.address, one.reason, one.detail
        ));
    }
    let places: BTreeSet<String> = config
        .upstreams
        .iter()
        .map(|one| match &one.group {
            Some(group) => format!("{} ({group})", one.address),
            None => one.address.clone(),
        })
        .collect();
    seen.fact("places", places.into_iter().collect::<Vec<_>>());
    seen.fact("upstreams", wanted.len())
        .fact("reachable", tried.len() - bad.len())
        .fact("bad", bad.len())
        .fact("not_tried", wanted.len() - tried.len())
        .fact("variable", config.variable)
        .fact("dead_groups", dead.len())
        .fact("first_bad", first.map(|one| one.upstream.address.as_str()))
        .fact("reason", first.map_or("none", |one| one.reason))
        .fact(
            "detail",
            first
                .map(|one| one.detail.as_str())
                .filter(|it| !it.is_empty()),
        )
        .fact("group", first.and_then(|one| one.upstream.group.clone()))
        .fact("file", first.map(|one| one.upstream.file.as_str()))
        .fact("line", first.map(|one| one.upstream.line))
        .fact(
            "container",
            first.and_then(|one| one.container.clone().map(|it| it.0)),
        )
        .fact(
            "container_state",
            first.and_then(|one| one.container.clone().map(|it| it.1)),
        )
        .fact(
            "listens_elsewhere",
            first.is_some_and(|one| one.listening.is_some()),
        )
        .fact("listening", first.and_then(|one| one.listening.clone()))
        .fact("bad_lines", lines)
        .fact("include_missing", config.missing.clone())
        .fact("files", config.files);
    seen.done()
}
