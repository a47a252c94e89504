//! Machines: the one that Handbell runs on, and others over SSH.
//!
//! - `machine`: how files are read and programs run there
//! - `mounts`: what is mounted on this one
//! - a module for each probe: `reachable`, `resources`, `processes`, `filesystems`, `largest`,
//!   `deleted`, `journal`, `service`

mod machine;
mod mounts;

pub mod deleted;
pub mod filesystems;
pub mod journal;
pub mod largest;
pub mod processes;
pub mod reachable;
pub mod resources;
pub mod service;

use std::path::{Path, PathBuf};

use self::{machine::Machine, mounts::Volumes};
use crate::{
    app::Look,
    config::{HostEndpoint, Targets},
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        handbook::ArgValue,
    },
    probes::docker::Engines,
};

/// All machines of the configuration.
pub(super) struct Machines {
    ssh: PathBuf,
}

impl Machines {
    /// `ssh` is the program that carries `ssh://`.
    pub(super) fn new(ssh: &Path) -> Self {
        Self {
            ssh: ssh.to_owned(),
        }
    }

    /// Looks once. `None` when the probe is not one of machines.
    pub(super) async fn look(
        &self,
        look: &Look,
        targets: &Targets,
        engines: &Engines,
    ) -> Option<Result<Sighting, Blind>> {
        let Some(host) = targets.host.get(&look.target) else {
            return Some(Err(Blind::Unknown(Unseen::NoSuchTarget {
                name: look.target.to_string(),
            })));
        };
        let machine = Machine::new(&host.endpoint, &self.ssh, look.patience());
        Some(match look.probe.as_str() {
            "host.reachable" => Ok(reachable::look(&machine).await),
            "host.resources" => resources::look(&machine).await,
            "host.processes" => processes::look(&machine, &look.args).await,
            "host.filesystems" => {
                let volumes = volumes(&host.endpoint, targets, engines, &machine).await;
                filesystems::look(&machine, volumes.as_ref(), &look.args).await
            }
            "host.deleted" => {
                let volumes = volumes(&host.endpoint, targets, engines, &machine).await;
                deleted::look(&machine, volumes.as_ref()).await
            }
            "host.largest" => largest::look(&machine, &look.args).await,
            "host.journal" => journal::look(&machine, &look.args).await,
            "host.service" => {
                let unit = match look.args.get("unit") {
                    Some(ArgValue::Text(unit)) => unit.as_str(),
                    _ => "",
                };
                service::look(&machine, unit).await
            }
            _ => return None,
        })
    }
}

/// Where the volumes of the containers that are meant are mounted, when an engine of this machine
/// is configured and answers.
async fn volumes(
    endpoint: &HostEndpoint,
    targets: &Targets,
    engines: &Engines,
    machine: &Machine<'_>,
) -> Option<Volumes> {
    if *endpoint != HostEndpoint::Local {
        return None;
    }
    // A part of the time: a hung engine must not hide a full disk.
    let patience = machine.patience.mul_f64(0.3);
    engines.volumes_here(targets, patience).await
}
