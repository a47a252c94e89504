//! The mall as containers: what `docker compose up`, `down` and `create` do, through the engine's API, with the
//! labels that Compose gives.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::Docker;
use bollard::models::{
    ContainerState, HealthStatusEnum, NetworkCreateRequest, VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};

use crate::compose::{Bytes, Compose, Restart, Service};
use crate::error::{LabError, Result};
use crate::settings::Settings;

/// How long a container may take until its health check passes.
const HEALTHY_LIMIT: Duration = Duration::from_mins(1);

/// How often a container's state is looked at while waiting.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// Compose puts this into the label `com.docker.compose.version`; it is the version whose labels these are.
const COMPOSE_VERSION: &str = "2.24.0";

/// What a fault changes of a service when it makes the container anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Another limit of memory.
    pub memory: Option<Bytes>,
    /// Another restart policy.
    pub restart: Option<Restart>,
    /// More arguments at the end of the command.
    pub arguments: Vec<String>,
    /// Ports are not published.
    pub unpublished: bool,
    /// Other environment variables.
    pub environment: BTreeMap<String, String>,
    /// The data directory is a file system in memory of this size.
    pub data_limit: Option<Bytes>,
    /// More file systems in memory, by their directory, with their size.
    pub disks: BTreeMap<String, Bytes>,
}

/// The containers of one instance.
#[derive(Debug, Clone)]
pub struct Containers {
    docker: Docker,
    compose: Compose,
    settings: Settings,
}

impl Containers {
    /// Takes over the containers that `compose` describes.
    #[must_use]
    pub fn new(docker: Docker, compose: Compose, settings: Settings) -> Self {
        Self {
            docker,
            compose,
            settings,
        }
    }

    /// The connection to the engine.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Where things are.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the instance is made of.
    #[must_use]
    pub fn compose(&self) -> &Compose {
        &self.compose
    }

    pub(crate) fn service(&self, name: &str) -> Result<&Service> {
        self.compose
            .services
            .get(name)
            .ok_or_else(|| LabError::Refused(format!("compose.yaml has no service {name:?}")))
    }

    pub(crate) fn labels(&self, more: &[(&str, &str)]) -> HashMap<String, String> {
        let project = ("com.docker.compose.project", self.compose.name.as_str());
        let version = ("com.docker.compose.version", COMPOSE_VERSION);
        [project, version]
            .iter()
            .chain(more)
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// Makes the networks and volumes that are missing.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn make_ground(&self) -> Result<()> {
        for (key, network) in &self.compose.networks {
            if self
                .docker
                .inspect_network(
                    &network.name,
                    None::<bollard::query_parameters::InspectNetworkOptions>,
                )
                .await
                .is_ok()
            {
                continue;
            }
            let request = NetworkCreateRequest {
                name: network.name.clone(),
                labels: Some(self.labels(&[("com.docker.compose.network", key)])),
                ..Default::default()
            };
            let doing = format!("make the network {}", network.name);
            self.docker
                .create_network(request)
                .await
                .map_err(LabError::docker(doing))?;
        }
        for (key, volume) in &self.compose.volumes {
            let request = VolumeCreateRequest {
                name: Some(volume.name.clone()),
                labels: Some(self.labels(&[("com.docker.compose.volume", key)])),
                ..Default::default()
            };
            let doing = format!("make the volume {}", volume.name);
            self.docker
                .create_volume(request)
                .await
                .map_err(LabError::docker(doing))?;
        }
        Ok(())
    }

    /// Makes and starts a container, with or without changes.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn create(&self, name: &str, changes: &Changes) -> Result<()> {
        let service = self.service(name)?;
        let body = self.body(name, service, changes);
        let options = CreateContainerOptionsBuilder::default()
            .name(&service.container_name)
            .build();
        let doing = format!("make {}", service.container_name);
        self.docker
            .create_container(Some(options), body)
            .await
            .map_err(LabError::docker(doing))?;
        self.start(name).await
    }

    /// Starts an existing container.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn start(&self, name: &str) -> Result<()> {
        let container = &self.service(name)?.container_name;
        let none = None::<bollard::query_parameters::StartContainerOptions>;
        self.docker
            .start_container(container, none)
            .await
            .map_err(LabError::docker(format!("start {container}")))
    }

    /// Stops a container as `docker stop` does.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn stop(&self, name: &str) -> Result<()> {
        let service = self.service(name)?;
        let grace = i32::try_from(service.stop_grace_period.0.as_secs()).unwrap_or(10);
        let options = StopContainerOptionsBuilder::default().t(grace).build();
        let doing = format!("stop {}", service.container_name);
        self.docker
            .stop_container(&service.container_name, Some(options))
            .await
            .map_err(LabError::docker(doing))
    }

    /// Removes a container by force; one that is not there is no error.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let container = &self.service(name)?.container_name;
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        let removed = self.docker.remove_container(container, Some(options)).await;
        match removed.map_err(LabError::docker(format!("remove {container}"))) {
            Err(error) if !error.is_docker_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes a service's volumes, so that it begins with no data.
    ///
    /// # Errors
    /// When the engine refuses; a container that uses a volume must be removed before.
    pub async fn remove_volumes(&self, name: &str) -> Result<()> {
        for mount in &self.service(name)?.volumes {
            let Some(volume) = self.compose.volumes.get(&mount.volume) else {
                continue;
            };
            let none = None::<bollard::query_parameters::RemoveVolumeOptions>;
            let removed = self.docker.remove_volume(&volume.name, none).await;
            match removed.map_err(LabError::docker(format!(
                "remove the volume {}",
                volume.name
            ))) {
                Err(error) if !error.is_docker_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes everything of this instance but the images.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn remove_all(&self) -> Result<()> {
        for name in self.compose.in_order().into_iter().rev() {
            self.remove(name).await?;
            self.remove_volumes(name).await?;
        }
        for network in self.compose.networks.values() {
            let removed = self.docker.remove_network(&network.name).await;
            match removed.map_err(LabError::docker(format!(
                "remove the network {}",
                network.name
            ))) {
                Err(error) if !error.is_docker_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The state of a service's container and its restart count; `None` when there is no container.
    ///
    /// # Errors
    /// When the engine cannot be asked.
    pub async fn state(&self, name: &str) -> Result<Option<(ContainerState, i64)>> {
        let Some(found) = self.inspect(name).await? else {
            return Ok(None);
        };
        Ok(Some((
            found.state.unwrap_or_default(),
            found.restart_count.unwrap_or_default(),
        )))
    }

    async fn inspect(
        &self,
        name: &str,
    ) -> Result<Option<bollard::models::ContainerInspectResponse>> {
        let container = &self.service(name)?.container_name;
        let none = None::<bollard::query_parameters::InspectContainerOptions>;
        let found = self.docker.inspect_container(container, none).await;
        match found.map_err(LabError::docker(format!("look at {container}"))) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_docker_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the container is exactly the one that `compose.yaml` describes, made from today's image by the lab of this
    /// directory, never restarted, connected, running.
    ///
    /// # Errors
    /// When the engine cannot be asked.
    pub async fn is_as_described(&self, name: &str) -> Result<bool> {
        let service = self.service(name)?;
        let Some(found) = self.inspect(name).await? else {
            return Ok(false);
        };
        let labels = found
            .config
            .and_then(|config| config.labels)
            .unwrap_or_default();
        let state = found.state.unwrap_or_default();
        let connected = found
            .network_settings
            .and_then(|settings| settings.networks)
            .is_some_and(|networks| !networks.is_empty());
        let image = self
            .docker
            .inspect_image(&service.image)
            .await
            .ok()
            .and_then(|image| image.id);
        let says = |key: &str, wanted: &str| labels.get(key).is_some_and(|value| value == wanted);
        let directory = self.settings.lab_dir.to_string_lossy();
        Ok(
            says("com.docker.compose.config-hash", &service.config_hash())
                && says("com.docker.compose.project.working_dir", &directory)
                && found.image == image
                && found.restart_count == Some(0)
                && state.running == Some(true)
                && state.paused == Some(false)
                && state.restarting != Some(true)
                && state.oom_killed == Some(false)
                && connected,
        )
    }

    /// Waits until a container's health check passes. An engine before version 25 carries it out for the first time after
    /// a whole interval (it knows no `start_interval`), so while it has not, it is carried out from here.
    ///
    /// # Errors
    /// When it does not within a minute.
    pub async fn wait_healthy(&self, name: &str) -> Result<()> {
        let deadline = tokio::time::Instant::now() + HEALTHY_LIMIT;
        loop {
            let state = self
                .state(name)
                .await?
                .map(|(state, _)| state)
                .unwrap_or_default();
            let health = state.health.and_then(|health| health.status);
            if health == Some(HealthStatusEnum::HEALTHY) {
                return Ok(());
            }
            if health == Some(HealthStatusEnum::STARTING) {
                let limit = self.service(name)?.healthcheck.timeout.0;
                let checked = tokio::time::timeout(limit, self.check_health(name)).await;
                if matches!(checked, Ok(Ok(()))) {
                    return Ok(());
                }
            }
            if tokio::time::Instant::now() > deadline {
                return Err(LabError::TooLate {
                    what: format!("the container of {name} is healthy"),
                    seen: format!(
                        "status {:?}, health {health:?}, exit code {:?}",
                        state.status, state.exit_code
                    ),
                    waited: HEALTHY_LIMIT,
                });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
