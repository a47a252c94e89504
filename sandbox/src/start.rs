//! Starting and stopping a sandbox.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use indexmap::IndexMap;
use rand::Rng;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::cut::{ConnectionHandle, PlainListener};
use crate::server::{self, Shared};
use crate::tls::{self, TlsListener};
use crate::world::seed::{APPLICATION, CHANNELS, GUILD, PEOPLE, ROLES};
use crate::world::{Addresses, World};

/// Milliseconds between heartbeats that a client is asked for. Source: what Discord's gateway says in HELLO.
const HEARTBEAT_MS: u64 = 41_250;
/// Time for open requests when the sandbox stops.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// How a sandbox is started. [`Options::default`] listens on free ports and makes a new token.
#[derive(Clone, Debug)]
pub struct Options {
    /// The plain listener: page, REST, gateway. Loopback only.
    pub listen: SocketAddr,
    /// The listener for REST under TLS, as `discord.com`. Loopback only.
    pub listen_tls: SocketAddr,
    /// The bot's token; `None` makes a new one.
    pub token: Option<String>,
    /// Where `ca.pem` is written; `None` is a new directory under the system's temporary one, removed at the end.
    pub ca_dir: Option<PathBuf>,
    /// The address of the lab's control interface.
    pub lab: Option<String>,
    /// The page from this directory instead of the copy in the binary.
    pub page_dir: Option<PathBuf>,
    /// Discord's OpenAPI description, for `GET /sandbox/traffic/check`.
    pub openapi: Option<PathBuf>,
    /// Milliseconds between heartbeats.
    pub heartbeat_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen: free,
            listen_tls: free,
            token: None,
            ca_dir: None,
            lab: None,
            page_dir: None,
            openapi: None,
            heartbeat_ms: HEARTBEAT_MS,
        }
    }
}

/// A person, as the ready file tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    /// The user's id.
    pub id: String,
    /// Names of roles.
    pub roles: Vec<String>,
    /// The locale of the person's client.
    pub locale: String,
}

/// Everything that a bot or a test needs to know (see `docs/sandbox.md`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ready {
    /// The page.
    pub page: String,
    /// The base of REST without TLS.
    pub rest: String,
    /// Host and port of REST under TLS.
    pub rest_tls: String,
    /// The certificate of the authority that signed for `discord.com`.
    pub ca_file: PathBuf,
    /// The address of the gateway.
    pub gateway: String,
    /// The bot's token.
    pub token: String,
    /// The application's id, and the bot user's.
    pub application_id: String,
    /// The guild's id.
    pub guild_id: String,
    /// Channel ids by name.
    pub channels: IndexMap<String, String>,
    /// Role ids by name.
    pub roles: IndexMap<String, String>,
    /// People by name.
    pub people: IndexMap<String, Person>,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener on another than a loopback address was asked for.
    #[error("the sandbox listens on loopback only, and {0} is not; use 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// An address could not be listened on.
    #[error("cannot listen on {address}: {source}; choose another port, or 0 for a free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(Box<dyn std::error::Error + Send + Sync>),
    /// The certificate could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A running sandbox. Dropping it stops it without waiting.
pub struct Sandbox {
    ready: Ready,
    shared: Arc<Shared>,
    servers: Vec<JoinHandle<io::Result<()>>>,
    own_dir: Option<PathBuf>,
}

impl Sandbox {
    /// Starts listening.
    ///
    /// # Errors
    /// When an address is taken or not loopback, or the certificate cannot be made or written.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let plain = listen(options.listen).await?;
        let under_tls = listen(options.listen_tls).await?;
        let address = |listener: &TcpListener, wanted| {
            listener.local_addr().map_err(|source| StartError::Listen {
                address: wanted,
                source,
            })
        };
        let (plain_at, tls_at) = (
            address(&plain, options.listen)?,
            address(&under_tls, options.listen_tls)?,
        );
        let identity = tls::identity().map_err(StartError::Certificate)?;
        let (ca_dir, own_dir) = if let Some(directory) = options.ca_dir {
            (directory, None)
        } else {
            let directory = std::env::temp_dir().join(format!(
                "handbell-sandbox-{}-{}",
                std::process::id(),
                random_hex(4)
            ));
            (directory.clone(), Some(directory))
        };
        let ca_file = write_ca(&ca_dir, &identity.ca_pem)?;
        let addresses = Addresses {
            origin: format!("http://{plain_at}"),
            gateway: format!("ws://{plain_at}/gateway"),
        };
        let token = options.token.unwrap_or_else(new_token);
        let ready = ready(&addresses, tls_at, ca_file, &token);
        let world = World::new(addresses, token, options.heartbeat_ms);
        let shared = Arc::new(Shared::new(
            world,
            options.lab,
            options.page_dir,
            options.openapi,
        ));
        let service: IntoMakeServiceWithConnectInfo<axum::Router, ConnectionHandle> =
            server::router(Arc::clone(&shared)).into_make_service_with_connect_info();
        let tls_listener =
            TlsListener::new(under_tls, identity.config).map_err(|source| StartError::Listen {
                address: options.listen_tls,
                source,
            })?;
        let (stop_plain, stop_tls) = (
            shared.stop.clone().cancelled_owned(),
            shared.stop.clone().cancelled_owned(),
        );
        let plain_server =
            axum::serve(PlainListener(plain), service.clone()).with_graceful_shutdown(stop_plain);
        let tls_server = axum::serve(tls_listener, service).with_graceful_shutdown(stop_tls);
        let servers = vec![
            tokio::spawn(async move { plain_server.await }),
            tokio::spawn(async move { tls_server.await }),
        ];
        Ok(Self {
            ready,
            shared,
            servers,
            own_dir,
        })
    }

    /// What a bot or a test needs to know.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Everything recorded of REST so far, for [`crate::openapi::Description::check`].
    #[must_use]
    pub fn traffic(&self) -> Vec<serde_json::Value> {
        self.shared.world().recorder.traffic()
    }

    /// Stops: gateway connections and event streams are closed, open requests get two seconds.
    pub async fn stop(mut self) {
        self.shared.stop.cancel();
        for server in std::mem::take(&mut self.servers) {
            let abort = server.abort_handle();
            if tokio::time::timeout(STOP_DEADLINE, server).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        for server in &self.servers {
            server.abort();
        }
        if let Some(directory) = &self.own_dir {
            // The directory is the sandbox's own; one that is gone already is as good.
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback(address));
    }
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

fn write_ca(directory: &Path, pem: &str) -> Result<PathBuf, StartError> {
    let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let path = directory.join("ca.pem");
    let written = std::fs::create_dir_all(&directory).and_then(|()| std::fs::write(&path, pem));
    written
        .map(|()| path.clone())
        .map_err(|source| StartError::Write { path, source })
}

fn ready(addresses: &Addresses, tls_at: SocketAddr, ca_file: PathBuf, token: &str) -> Ready {
    let person =
        |(name, _, id, role, locale): (&str, Option<&str>, crate::ids::Id, Option<&str>, &str)| {
            let roles = role.into_iter().map(str::to_owned).collect();
            (
                name.to_owned(),
                Person {
                    id: id.to_string(),
                    roles,
                    locale: locale.to_owned(),
                },
            )
        };
    Ready {
        page: format!("{}/", addresses.origin),
        rest: format!("{}/api/v10", addresses.origin),
        rest_tls: tls_at.to_string(),
        ca_file,
        gateway: addresses.gateway.clone(),
        token: token.to_owned(),
        application_id: APPLICATION.to_string(),
        guild_id: GUILD.to_string(),
        channels: CHANNELS
            .into_iter()
            .map(|(name, id, _)| (name.to_owned(), id.to_string()))
            .collect(),
        roles: ROLES
            .into_iter()
            .map(|(name, id, _)| (name.to_owned(), id.to_string()))
            .collect(),
        people: PEOPLE.into_iter().map(person).collect(),
    }
}

/// A token of the shape that client libraries check: the bot's id in base 64, and two random parts.
fn new_token() -> String {
    use base64::Engine;
    let id = base64::engine::general_purpose::STANDARD_NO_PAD.encode(APPLICATION.to_string());
    format!("{id}.{}.{}", random_hex(3), random_hex(19))
}

fn random_hex(bytes: usize) -> String {
    let mut random = vec![0_u8; bytes];
    rand::rng().fill(&mut random[..]);
    random
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
