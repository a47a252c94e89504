//! How a service of `compose.yaml`, with a fault's changes, is written as the engine wants a container.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, NetworkingConfig, PortBinding,
    RestartPolicy, RestartPolicyNameEnum,
};

use crate::compose::{Restart, Service};
use crate::docker::{Changes, Containers};

impl Containers {
    pub(crate) fn body(
        &self,
        name: &str,
        service: &Service,
        changes: &Changes,
    ) -> ContainerCreateBody {
        let mut command = service.command.clone();
        if !changes.arguments.is_empty() {
            command
                .get_or_insert_with(|| image_command(name))
                .extend(changes.arguments.iter().cloned());
        }
        let endpoints = service
            .networks
            .iter()
            .filter_map(|(key, attachment)| {
                Some((self.compose().networks.get(key)?, &attachment.aliases))
            })
            .map(|(network, more)| {
                let mut aliases = vec![name.to_owned(), service.container_name.clone()];
                aliases.extend_from_slice(more);
                (
                    network.name.clone(),
                    EndpointSettings {
                        aliases: Some(aliases),
                        ..Default::default()
                    },
                )
            });
        ContainerCreateBody {
            image: Some(service.image.clone()),
            cmd: command,
            env: Some(environment(service, changes)),
            labels: Some(self.container_labels(name, service, changes)),
            exposed_ports: Some(
                service
                    .ports
                    .iter()
                    .map(|port| format!("{}/{}", port.container, port.protocol.word()))
                    .collect(),
            ),
            healthcheck: Some(health_config(service)),
            host_config: Some(self.host_config(service, changes)),
            // A file system in memory belongs to root, and older versions of runc ignore its mode.
            user: changes.data_limit.map(|_| "root".to_owned()),
            networking_config: Some(NetworkingConfig {
                endpoints_config: Some(endpoints.collect()),
            }),
            ..Default::default()
        }
    }

    fn container_labels(
        &self,
        name: &str,
        service: &Service,
        changes: &Changes,
    ) -> HashMap<String, String> {
        let hash = if *changes == Changes::default() {
            service.config_hash()
        } else {
            "changed-by-a-fault".to_owned()
        };
        let file = self
            .settings()
            .lab_dir
            .join("compose.yaml")
            .display()
            .to_string();
        let depends: Vec<String> = service
            .depends_on
            .keys()
            .map(|key| format!("{key}:service_healthy:false"))
            .collect();
        self.labels(&[
            ("com.docker.compose.service", name),
            ("com.docker.compose.container-number", "1"),
            ("com.docker.compose.config-hash", &hash),
            ("com.docker.compose.oneoff", "False"),
            ("com.docker.compose.depends_on", &depends.join(",")),
            ("com.docker.compose.project.config_files", &file),
            (
                "com.docker.compose.project.working_dir",
                &self.settings().lab_dir.display().to_string(),
            ),
        ])
    }

    fn host_config(&self, service: &Service, changes: &Changes) -> HostConfig {
        let volumes = service
            .volumes
            .iter()
            .filter(|_| changes.data_limit.is_none())
            .filter_map(|mount| {
                let volume = self.compose().volumes.get(&mount.volume)?;
                Some(format!("{}:{}:rw", volume.name, mount.path))
            });
        let secrets = service.secrets.iter().filter_map(|key| {
            // `join` keeps an absolute path as it is: the keys lie in the state directory.
            let file = self
                .settings()
                .lab_dir
                .join(&self.compose().secrets.get(key)?.file);
            Some(format!("{}:/run/secrets/{key}:ro", file.display()))
        });
        let ports = service
            .ports
            .iter()
            .filter(|_| !changes.unpublished)
            .map(|port| {
                let binding = PortBinding {
                    host_ip: Some(port.address.to_string()),
                    host_port: Some(port.host.to_string()),
                };
                let key = format!("{}/{}", port.container, port.protocol.word());
                (key, Some(vec![binding]))
            });
        let memory = i64::try_from(changes.memory.unwrap_or(service.mem_limit).0).ok();
        let options = |size: crate::compose::Bytes| format!("rw,size={},mode=0777", size.0);
        let mut tmpfs: HashMap<String, String> = changes
            .disks
            .iter()
            .map(|(path, size)| (path.clone(), options(*size)))
            .collect();
        if let Some(limit) = changes.data_limit {
            let mounts = service.volumes.iter();
            tmpfs.extend(mounts.map(|mount| (mount.path.clone(), options(limit))));
        }
        HostConfig {
            binds: Some(volumes.chain(secrets).collect()),
            port_bindings: Some(ports.collect()),
            network_mode: service
                .networks
                .keys()
                .next()
                .and_then(|key| self.compose().networks.get(key))
                .map(|n| n.name.clone()),
            restart_policy: Some(RestartPolicy {
                name: Some(restart_name(changes.restart.unwrap_or(service.restart))),
                maximum_retry_count: None,
            }),
            memory,
            memory_swap: memory, // no swap beside it, so that the limit is the limit
            tmpfs: (!tmpfs.is_empty()).then_some(tmpfs),
            ..Default::default()
        }
    }
}

/// What the image runs by itself, where `compose.yaml` leaves it to the image: arguments are added to it.
fn image_command(name: &str) -> Vec<String> {
    let words: &[&str] = match name {
        "mysql-master" => &["mysqld", "--defaults-file=/etc/mysql/mall/mall.cnf"],
        "nginx" => &["nginx", "-g", "daemon off;"],
        _ => &["/usr/bin/python3", "-u", "/app/app.py"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn environment(service: &Service, changes: &Changes) -> Vec<String> {
    let described = service
        .environment
        .iter()
        .filter(|(key, _)| !changes.environment.contains_key(*key));
    described
        .chain(&changes.environment)
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

fn health_config(service: &Service) -> HealthConfig {
    let check = &service.healthcheck;
    let nanos = |span: Duration| i64::try_from(span.as_nanos()).ok();
    HealthConfig {
        test: Some(check.test.clone()),
        interval: nanos(check.interval.0),
        timeout: nanos(check.timeout.0),
        retries: Some(i64::from(check.retries)),
        start_period: nanos(check.start_period.0),
        start_interval: check.start_interval.and_then(|span| nanos(span.0)),
    }
}

fn restart_name(restart: Restart) -> RestartPolicyNameEnum {
    match restart {
        Restart::No => RestartPolicyNameEnum::NO,
        Restart::Always => RestartPolicyNameEnum::ALWAYS,
        Restart::OnFailure => RestartPolicyNameEnum::ON_FAILURE,
        Restart::UnlessStopped => RestartPolicyNameEnum::UNLESS_STOPPED,
    }
}
