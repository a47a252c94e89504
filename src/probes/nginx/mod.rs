//! Nginx, on this machine or in a container.
//!
//! - `server`: where it is, and the files of its configuration
//! - `syntax`: what the configuration says of where requests go
//! - `network`: what a container's nginx reaches under a name
//! - a module for each probe: `status`, `test` (`nginx.config`), `upstreams`, `errorlog`

mod network;
mod server;
mod spoken;
mod syntax;

pub mod errorlog;
pub mod status;
pub mod test;
pub mod upstreams;

use tokio::time::Instant;

use self::server::Server;
use super::{docker::Engines, log};
use crate::{
    app::Look,
    config::Targets,
    domain::diagnosis::{Blind, Sighting, Unseen},
};

/// Looks once. `None` when the probe is not one of nginx.
pub(super) async fn look(
    look: &Look,
    targets: &Targets,
    engines: &Engines,
) -> Option<Result<Sighting, Blind>> {
    let Some(nginx) = targets.nginx.get(&look.target) else {
        return Some(Err(Blind::Unknown(Unseen::NoSuchTarget {
            name: look.target.to_string(),
        })));
    };
    let inside = match nginx.container.as_ref().map(|it| engines.inside(it)) {
        Some(Err(blind)) => return Some(Err(blind)),
        Some(Ok(inside)) => Some(inside),
        None => None,
    };
    let patience = look.patience();
    let server = Server {
        nginx,
        inside,
        patience,
        end: Instant::now() + patience,
    };
    Some(match look.probe.as_str() {
        "nginx.status" => status::look(&server).await,
        "nginx.config" => test::look(&server).await,
        "nginx.upstreams" => upstreams::look(&server, targets).await,
        "nginx.errorlog" => match log::source_of(&look.target, targets, engines) {
            Ok(source) => errorlog::look(source, &look.args, patience).await,
            Err(blind) => Err(blind),
        },
        _ => return None,
    })
}
