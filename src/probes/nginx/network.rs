//! What a container's nginx reaches under a name: the containers beside it on its networks.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use tokio::time::Instant;

use crate::probes::docker::{Failure, Inside};

/// The label in which Compose writes a service's name, under which it is reached, too.
const SERVICE: &str = "com.docker.compose.service";

/// The label in which Compose writes the project.
const PROJECT: &str = "com.docker.compose.project";

/// How many containers are asked for further names, at most.
const ASKED: usize = 20;

/// The most that is read of a table of sockets, in bytes.
const TABLE_BYTES: usize = 1024 * 1024;

/// State LISTEN in `/proc/net/tcp` (proc(5), `TCP_LISTEN` of the kernel).
const LISTEN: &str = "0A";

#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Names", default)]
    names: Vec<String>,
    #[serde(rename = "State", default)]
    state: String,
    #[serde(rename = "Labels", default)]
    labels: Option<HashMap<String, String>>,
    #[serde(rename = "NetworkSettings", default)]
    networks: Networks,
}

#[derive(Debug, Default, Deserialize)]
struct Networks {
    #[serde(rename = "Networks", default)]
    networks: Option<HashMap<String, End>>,
}

#[derive(Debug, Default, Deserialize)]
struct End {
    #[serde(rename = "IPAddress", default)]
    address: String,
}

/// A container beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Neighbour {
    pub(super) name: String,
    pub(super) state: String,
    /// Its address on a network that both are on; none while it does not run, or when there is
    /// no such network.
    pub(super) address: Option<String>,
    service: Option<String>,
    /// It is on a network of the other's, or would be if it ran.
    beside: bool,
    /// It is of the same Compose project.
    kin: bool,
    id: String,
    aliases: BTreeSet<String>,
}

/// All containers of the engine, as the container `of` sees them.
pub(super) struct Neighbours {
    all: Vec<Neighbour>,
}

impl Neighbours {
    /// Asks the engine.
    ///
    /// # Errors
    /// The engine could not be asked.
    pub(super) async fn of(inside: Inside<'_>, end: Instant) -> Result<Self, Failure> {
        let listed: Vec<Listed> = inside.engine_json("/containers/json?all=true", end).await?;
        let name_of = |one: &Listed| {
            let name = one.names.first().map_or("", String::as_str);
            name.trim_start_matches('/').to_owned()
        };
        let own = listed.iter().find(|one| name_of(one) == inside.name);
        let shared: BTreeSet<String> = own
            .and_then(|own| own.networks.networks.as_ref())
            .into_iter()
            .flat_map(|networks| networks.keys().cloned())
            .collect();
        let label = |one: &Listed, name: &str| one.labels.as_ref()?.get(name).cloned();
        let project = own.and_then(|own| label(own, PROJECT));
        let known = |one: &Listed| {
            let ends = one.networks.networks.as_ref();
            // A container that does not run keeps its networks and has no address on them.
            let beside = ends.is_some_and(|ends| ends.keys().any(|name| shared.contains(name)));
            let address = ends
                .into_iter()
                .flatten()
                .find(|(network, end)| shared.contains(*network) && !end.address.is_empty())
                .map(|(_, end)| end.address.clone());
            Neighbour {
                name: name_of(one),
                state: one.state.clone(),
                address,
                service: label(one, SERVICE),
                beside,
                kin: project.is_some() && label(one, PROJECT) == project,
                id: one.id.clone(),
                aliases: BTreeSet::new(),
            }
        };
        Ok(Self {
            all: listed.iter().map(known).collect(),
        })
    }

    /// The one that is called `host`; further names are asked of the engine when no plain one fits.
    pub(super) async fn named(
        &mut self,
        host: &str,
        inside: Inside<'_>,
        end: Instant,
    ) -> Option<Neighbour> {
        if let Some(found) = self.plainly(host) {
            return Some(found.clone());
        }
        for one in self.all.iter_mut().filter(|one| one.beside).take(ASKED) {
            if one.aliases.is_empty() {
                let name = one.name.clone();
                let Ok(about) = inside.beside(&name).inspect(end).await else {
                    continue;
                };
                let networks = about.network_settings.and_then(|it| it.networks);
                one.aliases = networks
                    .into_iter()
                    .flatten()
                    .flat_map(|(_, end)| end.aliases.into_iter().flatten())
                    .chain(about.config.and_then(|config| config.hostname))
                    .collect();
            }
        }
        self.plainly(host).cloned()
    }

    fn plainly(&self, host: &str) -> Option<&Neighbour> {
        let fits = |one: &&Neighbour| {
            one.name == host
                || one.address.as_deref() == Some(host)
                || one.service.as_deref() == Some(host)
                || one.id.get(..12) == Some(host)
                || one.aliases.contains(host)
        };
        let found = || self.all.iter().filter(fits);
        // Under this name nginx reaches what is on its networks; one of its own project that is
        // not is telling, too. What else has the name on the engine is a neighbour's.
        found()
            .find(|one| one.beside && one.address.is_some())
            .or_else(|| found().find(|one| one.beside))
            .or_else(|| found().find(|one| one.kin))
    }
}

/// The ports on which something listens in a container, loopback alone left out unless `all`; none
/// when that can't be seen.
pub(super) async fn listening(
    inside: Inside<'_>,
    all: bool,
    end: Instant,
) -> Option<BTreeSet<u16>> {
    let words = ["cat", "/proc/net/tcp", "/proc/net/tcp6"];
    let said = inside.exec(&words, TABLE_BYTES, end).await.ok()?;
    if said.out.is_empty() {
        return None;
    }
    let table = String::from_utf8_lossy(&said.out).into_owned();
    Some(table.lines().filter_map(|line| port(line, all)).collect())
}

/// The port of a line of `/proc/net/tcp` when something listens there: `0: 0100007F:1F90 … 0A`.
fn port(line: &str, all: bool) -> Option<u16> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (address, port) = words.get(1)?.split_once(':')?;
    if *words.get(3)? != LISTEN {
        return None;
    }
    let loopback = address.ends_with("7F") && address.len() == 8
        || address == "00000000000000000000000001000000";
    (all || !loopback)
        .then(|| u16::from_str_radix(port, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    #[test]
    fn listening_ports_are_read() {
        let line = "   0: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000";
        assert_eq!(super::port(line, false), Some(8000));
        let loopback = "   0: 0100007F:1F41 00000000:0000 0A 0 0";
        assert_eq!(super::port(loopback, false), None);
        assert_eq!(super::port(loopback, true), Some(8001));
        let connected = "   1: 0100007F:1F41 0100007F:0035 01 0 0";
        assert_eq!(super::port(connected, true), None);
        assert_eq!(
            super::port("  sl  local_address rem_address   st", true),
            None
        );
    }
}
