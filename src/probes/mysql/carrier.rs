//! What stands between the client library and the server.
//!
//! The library opens its sockets itself and trusts what comes through them. So it is given a local
//! socket whose other end is ours: the way to the server is then the one that all probes take,
//! with its obstacles told apart; the greeting is read before the library sees it; a peer without
//! end is cut off. The local socket has an abstract name where the system knows such (Linux), so
//! that a full or read-only disk is no hindrance, and lets only this process in.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    io,
    path::PathBuf,
};

use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::{UnixListener, UnixStream},
    task::AbortHandle,
    time::{Instant, timeout_at},
};

use super::{
    failure::Failure,
    wire::{self, Greeting},
};
use crate::{
    config::{MysqlServer, ServerAddress},
    probes::net::{self, Guarded, Stream, Tap},
};

/// A way to a server that has greeted; it is cut when this goes.
pub(super) struct Carrier {
    /// What was heard of the server.
    pub(super) tap: Tap,
    pub(super) greeting: Greeting,
    /// Where the client library connects.
    pub(super) socket: PathBuf,
    task: AbortHandle,
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.task.abort();
        forget(&self.socket);
    }
}

impl Carrier {
    /// Connects to `server` and waits for its greeting, until `end`.
    ///
    /// # Errors
    /// What stood in the way, or what was said in the place of a greeting.
    pub(super) async fn open(server: &MysqlServer, end: Instant) -> Result<Self, Failure> {
        match &server.address {
            ServerAddress::Tcp { host, port } => {
                Self::over(net::tcp(host, *port, end).await?, end).await
            }
            ServerAddress::Unix(path) => Self::over(net::unix(path, end).await?, end).await,
        }
    }

    async fn over<S: Stream + 'static>(stream: S, end: Instant) -> Result<Self, Failure> {
        let (mut stream, tap) = Guarded::new(stream);
        let Ok(greeting) = timeout_at(end, wire::greeting(&mut stream)).await else {
            return Err(Failure::NoAnswer);
        };
        let greeting = greeting?;
        let (listener, socket) = meet().map_err(|error| {
            Failure::Cut(format!(
                "no local socket could be made to reach it: {error}"
            ))
        })?;
        let packet = greeting.packet.clone();
        let task = tokio::spawn(async move {
            if let Ok(mut local) = ours(&listener).await
                && local.write_all(&packet).await.is_ok()
            {
                drop(listener);
                // However it ends, the library notices that its socket is closed.
                let _ = copy_bidirectional(&mut local, &mut stream).await;
            }
        });
        Ok(Self {
            tap,
            greeting,
            socket,
            task: task.abort_handle(),
        })
    }
}

/// The first connection of this very process; others are turned away.
async fn ours(listener: &UnixListener) -> io::Result<UnixStream> {
    loop {
        let (stream, _) = listener.accept().await?;
        let pid = stream.peer_cred()?.pid();
        if pid.and_then(|pid| u32::try_from(pid).ok()) == Some(std::process::id()) {
            return Ok(stream);
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn place(name: &str) -> PathBuf {
    PathBuf::from(format!("\0{name}"))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn place(name: &str) -> PathBuf {
    std::env::temp_dir().join(name)
}

/// Takes a socket out of the file system, where it has a place there.
fn forget(socket: &std::path::Path) {
    if cfg!(not(any(target_os = "linux", target_os = "android"))) {
        let _ = std::fs::remove_file(socket);
    }
}

/// A local socket under a name that nobody else has.
fn meet() -> io::Result<(UnixListener, PathBuf)> {
    const TRIES: usize = 8;
    let mut last = io::ErrorKind::AddrInUse.into();
    for _ in 0..TRIES {
        // The one random number that the standard library gives.
        let number = RandomState::new().build_hasher().finish();
        let socket = place(&format!("handbell-mysql-{number:016x}"));
        match UnixListener::bind(&socket) {
            Ok(listener) => return Ok((listener, socket)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}
