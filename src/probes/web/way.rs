//! The way to a site, each part of it timed.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};

use super::{site::Site, trouble::Trouble};
use crate::probes::net::{self, Obstacle};

/// How long the parts of the way took; those that did not happen have none.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::probes) struct Times {
    pub(in crate::probes) dns: Option<Duration>,
    pub(in crate::probes) connect: Option<Duration>,
    pub(in crate::probes) tls: Option<Duration>,
    pub(in crate::probes) first_byte: Option<Duration>,
    pub(in crate::probes) body: Option<Duration>,
}

/// A connection to a site.
pub(in crate::probes) struct Arrival {
    pub(in crate::probes) stream: TcpStream,
    /// Who accepted it.
    pub(in crate::probes) peer: Option<SocketAddr>,
}

/// Connects to `site` until `end`, and notes in `times` how long what happened took.
///
/// # Errors
/// What stood in the way.
pub(in crate::probes) async fn arrive(
    site: &Site,
    times: &mut Times,
    end: Instant,
) -> Result<Arrival, Trouble> {
    let (host, port) = match &site.connect {
        Some((host, port)) => (host.as_str(), *port),
        None => (site.host.as_str(), site.port),
    };
    let addresses = addresses(host, port, times, end).await?;
    let began = Instant::now();
    let stream = net::reach(&addresses, end).await?;
    times.connect = Some(began.elapsed());
    Ok(Arrival {
        peer: stream.peer_addr().ok(),
        stream,
    })
}

async fn addresses(
    host: &str,
    port: u16,
    times: &mut Times,
    end: Instant,
) -> Result<Vec<SocketAddr>, Trouble> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let began = Instant::now();
    let found = match timeout_at(end, lookup_host((host, port))).await {
        Ok(found) => found.map_err(|error| Obstacle::Unresolved(error.to_string()))?,
        Err(_) => return Err(Trouble::ResolveTimeout),
    };
    times.dns = Some(began.elapsed());
    Ok(found.collect())
}

/// Milliseconds for a fact.
pub(in crate::probes) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
