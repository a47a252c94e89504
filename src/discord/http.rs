//! Ways to speak to Discord's REST interface.

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serenity::{
    http::{Http, HttpBuilder},
    model::id::ApplicationId,
};

use super::DiscordError;
use crate::config::{DiscordEndpoint, DiscordSettings};

/// The time to connect. Our own choice: a healthy network needs a tenth of it.
const CONNECT: Duration = Duration::from_secs(5);
/// The time for one request with its answer, files included. serenity sets none of its own.
const REQUEST: Duration = Duration::from_secs(20);
/// How long an unused connection is kept: a new one costs two round trips of the 3 s for an
/// acknowledgement. Discord's edge closes idle ones after some minutes.
const KEEP: Duration = Duration::from_mins(4);
/// Unused connections that are kept. Each costs some 40 KiB with its TLS buffers.
const KEPT: usize = 16;

/// A client of Discord's REST interface, or of the local Discord that the settings name, with
/// serenity's rate limiter.
///
/// # Errors
/// The token or the authority's certificate can't be read.
pub fn http(settings: &DiscordSettings) -> Result<Http, DiscordError> {
    let token = settings.token.read()?;
    let client = client(settings.endpoint.as_ref())?;
    Ok(HttpBuilder::new(token.expose_secret())
        .client(client)
        .build())
}

/// The HTTP client. A local Discord is reached under the name discord.com, so that nothing else
/// differs from the real one.
fn client(endpoint: Option<&DiscordEndpoint>) -> Result<reqwest::Client, DiscordError> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(REQUEST)
        .pool_idle_timeout(KEEP)
        .pool_max_idle_per_host(KEPT)
        .tcp_nodelay(true);
    if let Some(endpoint) = endpoint {
        let wrong = |detail: String| DiscordError::Authority {
            path: endpoint.ca.display().to_string(),
            detail,
        };
        let pem = std::fs::read(&endpoint.ca).map_err(|error| wrong(error.to_string()))?;
        let authority =
            reqwest::Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
        builder = builder
            .resolve("discord.com", endpoint.address)
            .tls_certs_merge([authority])
            .no_proxy();
    }
    builder
        .build()
        .map_err(|error| DiscordError::Client(error.to_string()))
}

/// How the bot names itself, in the form that Discord asks for (API Reference, User Agent).
const AGENT: &str = concat!(
    "DiscordBot (https://github.com/handbell/handbell, ",
    env!("CARGO_PKG_VERSION"),
    ")"
);

/// Makes clients that share their connections.
pub(super) struct Wire {
    client: reqwest::Client,
    token: SecretString,
    place: String,
}

impl Wire {
    /// The way to the Discord of `settings`.
    pub(super) fn new(settings: &DiscordSettings) -> Result<Self, DiscordError> {
        Ok(Self {
            client: client(settings.endpoint.as_ref())?,
            token: settings.token.read()?,
            place: settings.token.place(),
        })
    }

    /// The error for a token that Discord does not know.
    pub(super) fn refused(&self) -> DiscordError {
        DiscordError::Token {
            place: self.place.clone(),
        }
    }

    /// A client with a rate limiter of its own.
    ///
    /// serenity's limiter knows one bucket for the replies to all interactions and remembers one
    /// for every callback ever made. Discord counts each interaction's token apart, so each
    /// interaction gets a limiter that ends with it: no reply waits for another's, and nothing grows.
    pub(super) fn limiter(&self, application: Option<ApplicationId>) -> Arc<Http> {
        let mut builder = HttpBuilder::new(self.token.expose_secret()).client(self.client.clone());
        if let Some(id) = application {
            builder = builder.application_id(id);
        }
        Arc::new(builder.build())
    }

    /// The address `path` of the REST interface, for a request that is made without serenity.
    pub(super) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let token = self.token.expose_secret().trim();
        let authorization = format!("Bot {}", token.strip_prefix("Bot ").unwrap_or(token));
        self.client
            .request(method, format!("https://discord.com/api/v10{path}"))
            .header("Authorization", authorization)
            .header("User-Agent", AGENT)
    }

    /// The same, by value, for a gateway client.
    pub(super) fn gateway(&self, application: ApplicationId) -> Http {
        HttpBuilder::new(self.token.expose_secret())
            .client(self.client.clone())
            .application_id(application)
            .build()
    }
}
