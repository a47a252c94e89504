//! How the container is reached: ports, networks; and what is mounted into it.

use bollard::models::{ContainerInspectResponse, HostConfig, MountPoint, PortMap};

use crate::{config::ServerAddress, probes::seen::Seen};

/// How many mounts and ports are told, at most.
const MOST: usize = 20;

/// Tells ports, network and mounts.
pub(super) fn tell(
    seen: &mut Seen,
    container: &ContainerInspectResponse,
    address: Option<&ServerAddress>,
) {
    let host = container.host_config.as_ref();
    let mode = host.and_then(|host| host.network_mode.clone());
    let published = published(container, host);
    let lines: Vec<String> = published.iter().map(|(line, _)| line.clone()).collect();
    // The engine names them in another order each time.
    let mut mounts: Vec<String> = container.mounts.iter().flatten().map(mount).collect();
    mounts.sort();
    mounts.truncate(MOST);
    let reached = port_published(container, address, mode.as_deref(), &published);
    if !lines.is_empty() {
        seen.line(format!("ports: {}", lines.join(", ")));
    }
    for line in &mounts {
        seen.line(format!("mount: {line}"));
    }
    seen.fact("mounts", mounts)
        .fact("ports", lines)
        .fact("port_published", reached)
        .fact("network_mode", mode);
}

/// Published ports, each as a line and as the host's port. What the engine has opened, and what it
/// would open: a container that does not run has nothing open.
fn published(
    container: &ContainerInspectResponse,
    host: Option<&HostConfig>,
) -> Vec<(String, Option<u16>)> {
    let open = container
        .network_settings
        .as_ref()
        .and_then(|network| network.ports.as_ref())
        .filter(|ports| ports.values().any(Option::is_some));
    let wanted = host.and_then(|host| host.port_bindings.as_ref());
    let mut lines = open.or(wanted).map(bindings).unwrap_or_default();
    lines.sort();
    lines.dedup();
    lines.truncate(MOST);
    lines
}

fn bindings(ports: &PortMap) -> Vec<(String, Option<u16>)> {
    ports
        .iter()
        .flat_map(|(inner, bindings)| {
            bindings.iter().flatten().map(move |binding| {
                let ip = binding.host_ip.as_deref().filter(|ip| !ip.is_empty());
                let port = binding.host_port.as_deref().unwrap_or_default();
                let line = format!("{}:{port} -> {inner}", ip.unwrap_or("0.0.0.0"));
                (line, port.parse().ok())
            })
        })
        .collect()
}

/// Whether the target's port is published. None where nothing needs publishing: a unix socket,
/// the host's own network, or an address on the container's network.
fn port_published(
    container: &ContainerInspectResponse,
    address: Option<&ServerAddress>,
    mode: Option<&str>,
    published: &[(String, Option<u16>)],
) -> Option<bool> {
    let Some(ServerAddress::Tcp { host, port }) = address else {
        return None;
    };
    if mode == Some("host") || is_inside(container, host) {
        return None;
    }
    Some(published.iter().any(|(_, open)| *open == Some(*port)))
}

/// Whether `host` is the container's own address or name on one of its networks.
fn is_inside(container: &ContainerInspectResponse, host: &str) -> bool {
    let name = container.name.as_deref().unwrap_or_default();
    let networks = container
        .network_settings
        .as_ref()
        .and_then(|network| network.networks.as_ref());
    name.trim_start_matches('/') == host
        || networks
            .into_iter()
            .flat_map(|all| all.values())
            .any(|end| {
                end.ip_address.as_deref() == Some(host)
                    || end.global_ipv6_address.as_deref() == Some(host)
                    || end.aliases.iter().flatten().any(|alias| alias == host)
            })
}

fn mount(mount: &MountPoint) -> String {
    let from = mount
        .name
        .as_deref()
        .or(mount.source.as_deref())
        .unwrap_or("?");
    format!(
        "{} {from} -> {} ({})",
        mount.typ.as_deref().unwrap_or("?"),
        mount.destination.as_deref().unwrap_or("?"),
        if mount.rw.unwrap_or(false) {
            "rw"
        } else {
            "ro"
        }
    )
}
