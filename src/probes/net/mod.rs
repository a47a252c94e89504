//! Ways to a peer, and what can stand in them, each told apart.

mod guard;
mod tls;

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    path::Path,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream, lookup_host},
    time::{Instant, timeout_at},
};

pub(super) use guard::{Guarded, Tap};
pub(super) use tls::secure;

use crate::domain::diagnosis::Unseen;

/// A stream of bytes both ways, whatever carries it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What stands in the way of a connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Obstacle {
    #[error("connection refused")]
    Refused,
    #[error("the name does not resolve: {0}")]
    Unresolved(String),
    #[error("no way there: {0}")]
    Unreachable(String),
    #[error("no connection in time")]
    TimedOut,
    #[error("the socket does not exist")]
    SocketMissing,
    #[error("permission denied on the socket")]
    SocketPermission,
    #[error("the connection was cut: {0}")]
    Reset(String),
    #[error("the TLS handshake failed: {0}")]
    Tls(String),
    #[error("the file {0} does not exist")]
    FileMissing(String),
    #[error("permission denied on the file {0}")]
    FilePermission(String),
    #[error("ssh: {0}")]
    Ssh(String),
}

impl Obstacle {
    /// The reason for the reader, at `address`, after waiting for `waited`.
    pub(super) fn unseen(&self, address: &str, waited: Duration) -> Unseen {
        let address = address.to_owned();
        match self {
            Self::Refused => Unseen::Refused { address },
            Self::Unresolved(_) => Unseen::Unresolved {
                host: host_of(&address),
            },
            Self::Unreachable(detail) | Self::Reset(detail) => Unseen::Unreachable {
                address,
                detail: detail.clone(),
            },
            Self::Ssh(detail) => Unseen::Unreachable {
                address,
                detail: format!("ssh said: {detail}"),
            },
            Self::TimedOut => Unseen::TimedOut {
                after_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            },
            Self::SocketMissing => Unseen::NoSuchPath { path: address },
            Self::SocketPermission => Unseen::PermissionDenied { path: address },
            Self::Tls(detail) => Unseen::Tls {
                detail: detail.clone(),
            },
            Self::FileMissing(path) => Unseen::NoSuchPath { path: path.clone() },
            Self::FilePermission(path) => Unseen::PermissionDenied { path: path.clone() },
        }
    }

    /// The obstacle in an error of the system while connecting over the network.
    fn of_tcp(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => {
                Self::Reset(error.to_string())
            }
            _ => Self::Unreachable(error.to_string()),
        }
    }

    /// The obstacle in an error of the system while connecting to a unix socket.
    fn of_unix(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::SocketMissing,
            ErrorKind::PermissionDenied => Self::SocketPermission,
            ErrorKind::ConnectionRefused => Self::Refused,
            // The queue of connections that nobody accepts is full (unix(7), EAGAIN).
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Unreachable(error.to_string()),
        }
    }

    /// The obstacle in an error while a file of the configuration is read.
    pub(super) fn of_file(path: &Path, error: &io::Error) -> Self {
        let shown = path.display().to_string();
        match error.kind() {
            ErrorKind::NotFound => Self::FileMissing(shown),
            ErrorKind::PermissionDenied => Self::FilePermission(shown),
            _ => Self::Tls(format!("the file {shown} can't be read: {error}")),
        }
    }
}

/// `host` of `host:port` or `[v6]:port`.
pub(super) fn host_of(address: &str) -> String {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_matches(['[', ']']).to_owned()
}

/// Host and port as one text; an IPv6 address in brackets.
pub(super) fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Connects to `host` and `port` until `end`. When the name has several addresses each gets an
/// equal part of the time that is left, so that a dead first one does not hide a living second.
///
/// # Errors
/// What stood in the way; of several addresses, of the last one.
pub(super) async fn tcp(host: &str, port: u16, end: Instant) -> Result<TcpStream, Obstacle> {
    let addresses: Vec<SocketAddr> = match timeout_at(end, lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => return Err(Obstacle::Unresolved(error.to_string())),
        Err(_) => return Err(Obstacle::Unresolved("no answer in time".to_owned())),
    };
    reach(&addresses, end).await
}

/// Connects to the first of `addresses` that accepts, until `end`, as [`tcp`] does.
///
/// # Errors
/// What stood in the way of the last one.
pub(super) async fn reach(addresses: &[SocketAddr], end: Instant) -> Result<TcpStream, Obstacle> {
    let mut last = Obstacle::Unresolved("no address".to_owned());
    for (n, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let parts = u32::try_from(addresses.len() - n).unwrap_or(1);
        match timeout_at(Instant::now() + left / parts, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Small questions, small answers: never wait to fill a packet.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = Obstacle::of_tcp(&error),
            Err(_) => last = Obstacle::TimedOut,
        }
    }
    Err(last)
}

/// Connects to the unix socket `path` until `end`.
///
/// # Errors
/// What stood in the way.
pub(super) async fn unix(path: &Path, end: Instant) -> Result<UnixStream, Obstacle> {
    match timeout_at(end, UnixStream::connect(path)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Obstacle::of_unix(&error)),
        Err(_) => Err(Obstacle::TimedOut),
    }
}
