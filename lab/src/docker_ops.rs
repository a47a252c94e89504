//! What faults do to containers beyond starting and stopping them.

use bollard::exec::StartExecResults;
use bollard::models::{ContainerUpdateBody, ExecConfig, NetworkDisconnectRequest};
use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, KillContainerOptionsBuilder, LogsOptionsBuilder,
    StatsOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures_util::TryStreamExt;

use crate::docker::Containers;
use crate::error::{LabError, Result};
use crate::tar;

/// The kernel's usual scheduling period, in microseconds.
const PERIOD_US: i64 = 100_000;

/// The longest file that is read from a container, in bytes.
const FILE_BYTES: usize = 8 << 20;

/// How many lines of a container's output are read.
const LOG_LINES: &str = "5000";

/// The scheduler's periods.
#[derive(Debug, Clone, Copy)]
pub struct Periods {
    /// All of them in which the container wanted to run.
    pub all: u64,
    /// Those in which it was held back.
    pub held_back: u64,
}

impl Containers {
    /// Sends a signal to the first process of a container.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn signal(&self, name: &str, signal: &str) -> Result<()> {
        let container = &self.service(name)?.container_name;
        let options = KillContainerOptionsBuilder::default()
            .signal(signal)
            .build();
        let doing = format!("send {signal} to {container}");
        self.docker()
            .kill_container(container, Some(options))
            .await
            .map_err(LabError::docker(doing))
    }

    /// Pauses a container.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn pause(&self, name: &str) -> Result<()> {
        let container = &self.service(name)?.container_name;
        self.docker()
            .pause_container(container)
            .await
            .map_err(LabError::docker(format!("pause {container}")))
    }

    /// How often the scheduler has looked at the container's share so far, and held it back, as the engine counts it.
    ///
    /// # Errors
    /// When the engine refuses, or counts nothing.
    pub async fn periods(&self, name: &str) -> Result<Periods> {
        let container = &self.service(name)?.container_name;
        let options = StatsOptionsBuilder::default()
            .stream(false)
            .one_shot(true)
            .build();
        let stats = self
            .docker()
            .stats(container, Some(options))
            .try_next()
            .await
            .map_err(LabError::docker(format!("read the use of {container}")))?;
        let throttling = stats
            .and_then(|stats| stats.cpu_stats)
            .and_then(|processor| processor.throttling_data)
            .ok_or_else(|| {
                LabError::Refused(format!("{container}: the engine counts no throttling"))
            })?;
        Ok(Periods {
            all: throttling.periods.unwrap_or_default(),
            held_back: throttling.throttled_periods.unwrap_or_default(),
        })
    }

    /// Gives the container so many percent of one processor's time.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn throttle(&self, name: &str, percent: u8) -> Result<()> {
        let container = &self.service(name)?.container_name;
        let less = ContainerUpdateBody {
            cpu_period: Some(PERIOD_US),
            cpu_quota: Some(PERIOD_US * i64::from(percent) / 100),
            ..ContainerUpdateBody::default()
        };
        self.docker()
            .update_container(container, less)
            .await
            .map_err(LabError::docker(format!("throttle {container}")))
    }

    /// Continues a paused container.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn unpause(&self, name: &str) -> Result<()> {
        let container = &self.service(name)?.container_name;
        self.docker()
            .unpause_container(container)
            .await
            .map_err(LabError::docker(format!("continue {container}")))
    }

    /// Takes a container off its networks.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn disconnect(&self, name: &str) -> Result<()> {
        let service = self.service(name)?;
        for network in service
            .networks
            .keys()
            .filter_map(|key| self.compose().networks.get(key))
        {
            let request = NetworkDisconnectRequest {
                container: service.container_name.clone(),
                force: Some(true),
            };
            let doing = format!("take {} off {}", service.container_name, network.name);
            self.docker()
                .disconnect_network(&network.name, request)
                .await
                .map_err(LabError::docker(doing))?;
        }
        Ok(())
    }

    /// Runs a program (no shell) in a container as root, and waits for its end.
    ///
    /// # Errors
    /// When the engine refuses or the program fails.
    pub async fn run_as_root(&self, name: &str, command: &[&str]) -> Result<()> {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        self.run(name, command, Some("root")).await
    }

    /// Carries out the health check of a service as the engine does.
    ///
    /// # Errors
    /// When the engine refuses or the check fails.
    pub(crate) async fn check_health(&self, name: &str) -> Result<()> {
        let test = self.service(name)?.healthcheck.test.get(1..);
        let command = test.unwrap_or_default().to_vec();
        self.run(name, command, None).await
    }

    async fn run(&self, name: &str, command: Vec<String>, user: Option<&str>) -> Result<()> {
        let container = &self.service(name)?.container_name;
        let shown = command.join(" ");
        let doing = || format!("run {shown} in {container}");
        let config = ExecConfig {
            cmd: Some(command),
            user: user.map(str::to_owned),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..Default::default()
        };
        let exec = self
            .docker()
            .create_exec(container, config)
            .await
            .map_err(LabError::docker(doing()))?;
        let none = None::<bollard::exec::StartExecOptions>;
        let started = self
            .docker()
            .start_exec(&exec.id, none)
            .await
            .map_err(LabError::docker(doing()))?;
        let mut said = String::new();
        if let StartExecResults::Attached { mut output, .. } = started {
            while let Some(chunk) = output.try_next().await.map_err(LabError::docker(doing()))? {
                said.push_str(&chunk.to_string());
            }
        }
        let end = self
            .docker()
            .inspect_exec(&exec.id)
            .await
            .map_err(LabError::docker(doing()))?;
        match end.exit_code {
            Some(0) => Ok(()),
            code => Err(LabError::Program {
                program: doing(),
                why: format!("failed (exit code {code:?}): {}", said.trim()),
            }),
        }
    }

    /// What is in a file of a container, which need not run.
    ///
    /// # Errors
    /// When the engine refuses or there is no such file.
    pub async fn get_file(&self, name: &str, path: &str) -> Result<Vec<u8>> {
        let container = &self.service(name)?.container_name;
        let doing = || format!("read {path} in {container}");
        let options = DownloadFromContainerOptionsBuilder::default()
            .path(path)
            .build();
        let mut stream = self
            .docker()
            .download_from_container(container, Some(options));
        let mut archive = Vec::new();
        while let Some(chunk) = stream.try_next().await.map_err(LabError::docker(doing()))? {
            archive.extend_from_slice(&chunk);
            if archive.len() > FILE_BYTES {
                break;
            }
        }
        tar::first(&archive).ok_or_else(|| LabError::Program {
            program: container.clone(),
            why: format!("has no file {path}"),
        })
    }

    /// What a container has printed, its last lines.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn printed(&self, name: &str) -> Result<String> {
        let container = &self.service(name)?.container_name;
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .tail(LOG_LINES)
            .build();
        let mut stream = self.docker().logs(container, Some(options));
        let mut text = String::new();
        let doing = || format!("read what {container} printed");
        while let Some(chunk) = stream.try_next().await.map_err(LabError::docker(doing()))? {
            text.push_str(&chunk.to_string());
        }
        Ok(text)
    }

    /// Puts one file into a container, which need not run.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn put_file(
        &self,
        name: &str,
        directory: &str,
        file: &str,
        content: &[u8],
    ) -> Result<()> {
        let container = &self.service(name)?.container_name;
        let entry = tar::Entry {
            path: file.to_owned(),
            mode: 0o644,
            owner: 0,
            content: content.to_vec(),
        };
        let options = UploadToContainerOptionsBuilder::default()
            .path(directory)
            .build();
        let body = bollard::body_full(tar::pack(&[entry]).into());
        let doing = format!("put {file} into {container}");
        self.docker()
            .upload_to_container(container, Some(options), body)
            .await
            .map_err(LabError::docker(doing))
    }
}
