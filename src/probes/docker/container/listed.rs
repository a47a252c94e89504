//! A container of which the engine's list must do, since the engine does not inspect it in time.
//!
//! The engine inspects a container while nothing else is under way with it. A container that gets hardly any processor
//! time, and whose health check or log is asked for, was not inspected within 4.5 s while the list of all came at once
//! (seen with version 20.10): the very container that is ill is the one that isn't told of. What the list and the
//! kernel say of it is told then, where it says that something is wrong; else the look stays one that saw nothing,
//! since most of what can be wrong only an inspection tells.

use std::collections::HashMap;

use bollard::{
    models::{
        ContainerConfig, ContainerInspectResponse, ContainerState, ContainerStateStatusEnum,
        ContainerSummary, ContainerSummaryStateEnum, Health, HealthStatusEnum, HostConfig,
        NetworkSettings, PortBinding, PortMap, PortSummary,
    },
    query_parameters::ListContainersOptions,
};

use super::{
    local,
    needs::{Needs, Process},
};
use crate::probes::docker::{Place, failure::Failure};

/// The container in the engine's list; none when it isn't there, or the list tells neither id nor state.
///
/// # Errors
/// The engine gave no list.
pub(super) async fn ask(place: &Place<'_>) -> Result<Option<ContainerInspectResponse>, Failure> {
    // The engine looks for the text anywhere in the names.
    let filters = HashMap::from([("name".to_owned(), vec![place.name.to_owned()])]);
    let options = ListContainersOptions {
        all: true,
        filters: Some(filters),
        ..ListContainersOptions::default()
    };
    let all = place
        .engine
        .ask(place.patience, |docker| {
            docker.list_containers(Some(options))
        })
        .await?;
    let ours = |one: &ContainerSummary| {
        // A state that isn't told must not be taken for one that is bad.
        if one.id.is_none() || matches!(one.state, None | Some(ContainerSummaryStateEnum::EMPTY)) {
            return false;
        }
        let mut names = one.names.iter().flatten();
        names.any(|name| name.trim_start_matches('/') == place.name)
    };
    Ok(all.into_iter().find(ours).map(as_inspected))
}

/// Whether what is known of a container that was not inspected says that something is wrong with it.
pub(super) fn is_telling(container: &ContainerInspectResponse, needs: &Needs) -> bool {
    let state = container.state.as_ref().and_then(|state| state.status);
    let held_back = needs.throttled.is_some_and(|part| part >= local::PLAIN);
    let stopped = needs.processes.iter().flatten().any(Process::is_stopped);
    state != Some(ContainerStateStatusEnum::RUNNING) || held_back || stopped
}

/// What the list tells, in the words of an inspection.
fn as_inspected(listed: ContainerSummary) -> ContainerInspectResponse {
    let status = listed.status.unwrap_or_default();
    let networks = listed.network_settings.and_then(|it| it.networks);
    let mode = listed.host_config.and_then(|it| it.network_mode);
    ContainerInspectResponse {
        id: listed.id,
        name: listed.names.and_then(|names| names.into_iter().next()),
        image: listed.image_id,
        config: Some(ContainerConfig {
            image: listed.image,
            ..ContainerConfig::default()
        }),
        state: Some(ContainerState {
            status: listed.state.map(state),
            running: Some(is_up(listed.state)),
            restarting: Some(listed.state == Some(ContainerSummaryStateEnum::RESTARTING)),
            health: health(&status).map(|status| Health {
                status: Some(status),
                ..Health::default()
            }),
            ..ContainerState::default()
        }),
        host_config: Some(HostConfig {
            network_mode: mode,
            ..HostConfig::default()
        }),
        network_settings: Some(NetworkSettings {
            ports: Some(ports(listed.ports.unwrap_or_default())),
            networks,
            ..NetworkSettings::default()
        }),
        mounts: listed.mounts,
        ..ContainerInspectResponse::default()
    }
}

fn is_up(state: Option<ContainerSummaryStateEnum>) -> bool {
    use ContainerSummaryStateEnum as Listed;
    matches!(
        state,
        Some(Listed::RUNNING | Listed::PAUSED | Listed::STOPPING)
    )
}

fn state(listed: ContainerSummaryStateEnum) -> ContainerStateStatusEnum {
    use ContainerStateStatusEnum as Inspected;
    use ContainerSummaryStateEnum as Listed;
    match listed {
        Listed::EMPTY => Inspected::EMPTY,
        Listed::CREATED => Inspected::CREATED,
        Listed::RUNNING => Inspected::RUNNING,
        Listed::PAUSED => Inspected::PAUSED,
        Listed::RESTARTING => Inspected::RESTARTING,
        Listed::STOPPING => Inspected::STOPPING,
        Listed::REMOVING => Inspected::REMOVING,
        Listed::EXITED => Inspected::EXITED,
        Listed::DEAD => Inspected::DEAD,
    }
}

/// From the engine's "Up 5 minutes (healthy)".
fn health(status: &str) -> Option<HealthStatusEnum> {
    [
        ("(healthy)", HealthStatusEnum::HEALTHY),
        ("(unhealthy)", HealthStatusEnum::UNHEALTHY),
        ("(health: starting)", HealthStatusEnum::STARTING),
    ]
    .into_iter()
    .find(|(word, _)| status.contains(word))
    .map(|(_, health)| health)
}

fn ports(listed: Vec<PortSummary>) -> PortMap {
    let mut all = PortMap::new();
    for port in listed {
        let kind = port.typ.map_or("tcp".to_owned(), |kind| kind.to_string());
        let open = all
            .entry(format!("{}/{kind}", port.private_port))
            .or_default();
        if let Some(public) = port.public_port {
            open.get_or_insert_default().push(PortBinding {
                host_ip: port.ip,
                host_port: Some(public.to_string()),
            });
        }
    }
    all
}
