//! Nginx reads its configuration and certificates again by way of new workers; those of before answer beside them for a
//! moment, longer on a busy machine.

use std::collections::BTreeSet;
use std::time::Duration;

use bollard::query_parameters::TopOptionsBuilder;
use rustix::process::Signal;

use crate::docker::Containers;
use crate::error::{LabError, Result};
use crate::lab::{Lab, World};
use crate::service::Service;

/// How a worker calls itself until it is told to leave.
const WORKER: &str = "nginx: worker process";

/// How it calls itself from then on: it takes no more connections.
const LEAVING: &str = "is shutting down";

/// How long the workers of before may stay. With a configuration that is no good they stay for ever.
const LIMIT: Duration = Duration::from_secs(5);

/// How often one looks.
const LOOK: Duration = Duration::from_millis(20);

impl Lab {
    /// Lets Nginx read its files again, and waits until no worker of before takes connections.
    pub(crate) async fn reload_nginx(&self) -> Result<()> {
        let before = self.workers().await?;
        self.signal_as_is(Service::Nginx, "SIGHUP", Signal::HUP)
            .await?;
        let until = tokio::time::Instant::now() + LIMIT;
        while tokio::time::Instant::now() < until {
            let now = self.workers().await?;
            if !now.is_empty() && now.is_disjoint(&before) {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// The process ids of the workers that take connections.
    async fn workers(&self) -> Result<BTreeSet<String>> {
        match &self.world {
            World::Docker(containers) => containers.workers().await,
            World::Processes(_) => {
                let master = self.server(Service::Nginx)?.pid;
                let children =
                    std::fs::read_to_string(format!("/proc/{master}/task/{master}/children"));
                let children = children.unwrap_or_default();
                Ok(children
                    .split_whitespace()
                    .filter(|id| {
                        let title = std::fs::read(format!("/proc/{id}/cmdline"));
                        works(&String::from_utf8_lossy(&title.unwrap_or_default()))
                    })
                    .map(str::to_owned)
                    .collect())
            }
        }
    }
}

impl Containers {
    async fn workers(&self) -> Result<BTreeSet<String>> {
        let container = &self.service(Service::Nginx.key())?.container_name;
        let options = TopOptionsBuilder::default().ps_args("-eo pid,args").build();
        let top = self
            .docker()
            .top_processes(container, Some(options))
            .await
            .map_err(LabError::docker(format!(
                "list the processes of {container}"
            )))?;
        Ok(top
            .processes
            .unwrap_or_default()
            .into_iter()
            .filter(|process| process.last().is_some_and(|title| works(title)))
            .filter_map(|process| process.into_iter().next())
            .collect())
    }
}

fn works(title: &str) -> bool {
    title.contains(WORKER) && !title.contains(LEAVING)
}
