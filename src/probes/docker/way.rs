//! How an engine is reached: unix socket, TCP, TLS, SSH.

use std::{
    future::Future,
    io,
    path::Path,
    pin::Pin,
    process::Stdio,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::Uri;
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
    time::Instant,
};

use crate::{
    config::Endpoint,
    probes::{
        net::{self, Guarded, Obstacle, Stream, host_of},
        ssh,
    },
};

/// How long one attempt to connect may take at most. A look gives up earlier, by its own
/// patience; this ends an attempt whose look has gone.
const CONNECT: Duration = Duration::from_secs(10);

/// Longest text of ssh that is shown, in bytes.
const SSH_BYTES: usize = 600;

/// Docker's port with TLS and without (registered with IANA).
const PORTS: (u16, u16) = (2376, 2375);

/// Opens connections to one engine.
#[derive(Clone)]
pub(super) struct Way {
    endpoint: Arc<Endpoint>,
    ssh: Arc<Path>,
}

impl Way {
    pub(super) fn new(endpoint: &Endpoint, ssh: &Path) -> Self {
        Self {
            endpoint: Arc::new(endpoint.clone()),
            ssh: Arc::from(ssh),
        }
    }

    /// Where the engine is, as the reader knows it.
    pub(super) fn address(&self) -> String {
        match &*self.endpoint {
            Endpoint::Unix(path) => path.display().to_string(),
            Endpoint::Tcp { address, .. } | Endpoint::Ssh(address) => address.clone(),
        }
    }

    async fn open(self) -> Result<Line, Obstacle> {
        let end = Instant::now() + CONNECT;
        Ok(match &*self.endpoint {
            Endpoint::Unix(path) => Line::of(net::unix(path, end).await?),
            Endpoint::Tcp { address, tls } => {
                let (host, port) = split(address, tls.is_some());
                let stream = net::tcp(&host, port, end).await?;
                match tls {
                    None => Line::of(stream),
                    Some(files) => Line::of(net::secure(&host, files, stream, end).await?),
                }
            }
            Endpoint::Ssh(address) => Line::of(over_ssh(&self.ssh, address)?),
        })
    }
}

/// Host and port of an address; Docker's own port when it has none.
fn split(address: &str, tls: bool) -> (String, u16) {
    let default = if tls { PORTS.0 } else { PORTS.1 };
    match address.rsplit_once(':').map(|(_, port)| port.parse()) {
        Some(Ok(port)) => (host_of(address), port),
        _ => (address.trim_matches(['[', ']']).to_owned(), default),
    }
}

impl tower_service::Service<Uri> for Way {
    type Response = TokioIo<Line>;
    type Error = Obstacle;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let way = self.clone();
        Box::pin(async move { way.open().await.map(TokioIo::new) })
    }
}

/// An open connection, guarded against a peer without end.
pub(super) struct Line(Guarded<Box<dyn Stream>>);

impl Line {
    fn of<S: Stream + 'static>(stream: S) -> Self {
        let boxed: Box<dyn Stream> = Box::new(stream);
        Self(Guarded::new(boxed).0)
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// The ssh client as a stream: it carries what `docker system dial-stdio` says on the other
/// machine, which is how Docker's own command line reaches an engine over SSH
/// (<https://docs.docker.com/engine/security/protect-access/>).
fn over_ssh(program: &Path, address: &str) -> Result<Ssh, Obstacle> {
    let mut command = ssh::command(program, address, &["docker", "system", "dial-stdio"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| {
        Obstacle::Ssh(format!("{} can't be started: {error}", program.display()))
    })?;
    match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
        (Some(stdin), Some(stdout), Some(stderr)) => Ok(Ssh {
            stdin,
            stdout,
            stderr,
            said: Vec::new(),
            _child: child,
        }),
        _ => Err(Obstacle::Ssh("its pipes are not there".to_owned())),
    }
}

struct Ssh {
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
    said: Vec<u8>,
    /// Ends with this value.
    _child: Child,
}

impl Ssh {
    /// What ssh has said, when it is over.
    fn poll_said(&mut self, context: &mut Context<'_>) -> Poll<Obstacle> {
        loop {
            let mut space = [0; 512];
            let mut buffer = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(&mut self.stderr).poll_read(context, &mut buffer));
            let new = buffer.filled();
            if read.is_err() || new.is_empty() {
                return Poll::Ready(ssh::obstacle_in(&String::from_utf8_lossy(&self.said)));
            }
            let room = SSH_BYTES.saturating_sub(self.said.len());
            self.said.extend(new.iter().take(room));
        }
    }
}

impl AsyncRead for Ssh {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stdout).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            return Poll::Ready(Ok(()));
        }
        let obstacle = ready!(self.poll_said(context));
        Poll::Ready(Err(io::Error::other(obstacle)))
    }
}

impl AsyncWrite for Ssh {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Ok(count) = ready!(Pin::new(&mut self.stdin).poll_write(context, bytes)) {
            return Poll::Ready(Ok(count));
        }
        // It has ended before it was asked; it says why.
        let obstacle = ready!(self.poll_said(context));
        Poll::Ready(Err(io::Error::other(obstacle)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_shutdown(context)
    }
}
