//! A second lab beside the mall: the same services under other names and ports.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;

use crate::compose::{Compose, Port};
use crate::error::{LabError, Result};
use crate::service::{Database, Service};
use crate::settings::{MALL, Settings};

/// The services' ports on 127.0.0.1. The first port of a service stands under its name, another one under
/// `NAME:PORT`, with the port that it has in the container.
pub type Ports = BTreeMap<String, u16>;

/// How often a free port is looked for that is free for UDP as well.
const ATTEMPTS: usize = 50;

/// Where a service is reached on 127.0.0.1; 0 when it was never given a port.
#[must_use]
pub fn port(ports: &Ports, service: Service) -> u16 {
    ports.get(service.key()).copied().unwrap_or_default()
}

/// The other ports of a service, by the port in its container.
#[must_use]
pub fn port_of(ports: &Ports, service: Service, container: u16) -> u16 {
    let key = format!("{service}:{container}");
    ports.get(&key).copied().unwrap_or_default()
}

/// Nginx' port for HTTPS in the container.
pub const HTTPS: u16 = 443;

/// The second name server's port in the container.
pub const SECOND_DNS: u16 = 5354;

/// Reads `compose.yaml` for this instance: with its database, its state directory, its names and its ports.
///
/// # Errors
/// As [`Compose::read`].
pub fn compose(settings: &Settings, database: Database, ports: &Ports) -> Result<Compose> {
    Ok(rename(read(settings, database)?, settings, ports))
}

/// Reads `compose.yaml` with the usual names and ports.
///
/// # Errors
/// As [`Compose::read`].
pub fn read(settings: &Settings, database: Database) -> Result<Compose> {
    let variables = BTreeMap::from([
        ("DATABASE".to_owned(), database.key().to_owned()),
        (
            "LAB_STATE".to_owned(),
            settings.state_dir.display().to_string(),
        ),
    ]);
    Compose::read(&settings.lab_dir.join("compose.yaml"), &variables)
}

fn keyed<'a>(name: &'a str, ports: &'a [Port]) -> impl Iterator<Item = (String, &'a Port)> {
    let first = ports.first().map(|port| port.container);
    ports.iter().map(move |port| {
        let key = if Some(port.container) == first {
            name.to_owned()
        } else {
            format!("{name}:{}", port.container)
        };
        (key, port)
    })
}

/// The ports that `compose.yaml` publishes.
#[must_use]
pub fn fixed_ports(compose: &Compose) -> Ports {
    let services = compose.services.iter();
    services
        .flat_map(|(name, service)| keyed(name, &service.ports))
        .map(|(key, port)| (key, port.host))
        .collect()
}

/// A free port for each that `compose.yaml` publishes.
///
/// # Errors
/// When the system has none.
pub fn free_ports(compose: &Compose) -> Result<Ports> {
    let mut held = Vec::new(); // until all are found, so that no two are the same
    let mut ports = Ports::new();
    for key in fixed_ports(compose).into_keys() {
        let pair = (0..ATTEMPTS).find_map(|_| pair().transpose()).transpose()?;
        let (port, holders) = pair.ok_or_else(|| {
            LabError::Refused("no port of 127.0.0.1 is free for TCP and UDP".to_owned())
        })?;
        ports.insert(key, port);
        held.push(holders);
    }
    Ok(ports)
}

/// A port that is free for TCP, if it is for UDP as well.
fn pair() -> Result<Option<(u16, (TcpListener, UdpSocket))>> {
    let here = || Path::new("127.0.0.1");
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .map_err(LabError::file("find a free port on", here()))?;
    let port = tcp
        .local_addr()
        .map_err(LabError::file("read the port of", here()))?
        .port();
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok();
    Ok(udp.map(|udp| (port, (tcp, udp))))
}

/// Gives the mall's parts this instance's names and ports.
#[must_use]
pub fn rename(mut compose: Compose, settings: &Settings, ports: &Ports) -> Compose {
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
        let keys: Vec<String> = keyed(name, &service.ports).map(|(key, _)| key).collect();
        for (key, port) in keys.iter().zip(&mut service.ports) {
            port.host = ports.get(key).copied().unwrap_or(port.host);
        }
    }
    compose
}
