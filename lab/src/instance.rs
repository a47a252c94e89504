//! A second lab beside the mall: the same services under other names and ports.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use crate::compose::Compose;
use crate::error::{LabError, Result};
use crate::settings::{MALL, Settings};

/// The service that the Redis page of the handbook is about.
pub const REDIS: &str = "redis-master";

/// The service that uses it.
pub const BACKEND: &str = "backend-1";

/// The ports that `compose.yaml` publishes, by service.
#[must_use]
pub fn fixed_ports(compose: &Compose) -> BTreeMap<String, u16> {
    let first = |ports: &[crate::compose::Port]| ports.first().map(|port| port.host);
    compose
        .services
        .iter()
        .filter_map(|(name, service)| Some((name.clone(), first(&service.ports)?)))
        .collect()
}

/// A free port for each service.
///
/// # Errors
/// When the system has none.
pub fn free_ports(compose: &Compose) -> Result<BTreeMap<String, u16>> {
    let mut held = Vec::new();
    let mut ports = BTreeMap::new();
    for name in compose.services.keys() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(LabError::file(
            "find a free port on",
            Path::new("127.0.0.1"),
        ))?;
        let address = listener
            .local_addr()
            .map_err(LabError::file("read the port of", Path::new("127.0.0.1")))?;
        ports.insert(name.clone(), address.port());
        held.push(listener); // until all are found, so that no two are the same
    }
    Ok(ports)
}

/// Gives the mall's parts this instance's names and ports.
#[must_use]
pub fn rename(mut compose: Compose, settings: &Settings, ports: &BTreeMap<String, u16>) -> Compose {
    let renamed = |name: &str| {
        name.strip_prefix(MALL).map_or_else(
            || name.to_owned(),
            |rest| format!("{}{rest}", settings.instance),
        )
    };
    compose.name = renamed(&compose.name);
    for named in compose
        .networks
        .values_mut()
        .chain(compose.volumes.values_mut())
    {
        named.name = renamed(&named.name);
    }
    for (name, service) in &mut compose.services {
        service.container_name = renamed(&service.container_name);
        for port in &mut service.ports {
            port.host = ports.get(name).copied().unwrap_or(port.host);
        }
    }
    compose
}
