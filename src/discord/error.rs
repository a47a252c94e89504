//! What can go wrong with Discord, told apart, in words that carry no token.

use serenity::{Error, gateway::GatewayError, http::HttpError};

/// Why the bot can't run. Each says what is wrong and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum DiscordError {
    /// The token can't be read.
    #[error("the Discord token can't be read: {0}")]
    Secret(#[from] crate::config::SecretError),
    /// Discord does not know the token.
    #[error(
        "Discord refuses the token from {place} (401): copy the bot's token anew from https://discord.com/developers/applications (Bot, Reset Token)"
    )]
    Token {
        /// Where the token comes from.
        place: String,
    },
    /// The certificate authority of a local Discord can't be used.
    #[error("the certificate authority {path} of [discord.endpoint] can't be used: {detail}")]
    Authority {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// No HTTP client can be made.
    #[error("no HTTP client can be made for Discord: {0}")]
    Client(String),
    /// Discord refuses to let this bot listen.
    #[error("Discord refuses the gateway session: {0}")]
    Gateway(String),
}

/// How a request to Discord failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Trying again can help: 5xx, a rate limit that didn't end, a connection that broke.
    Passing,
    /// The interaction or its token is over, or the message is gone.
    Gone,
    /// The interaction has had its first response already.
    AlreadyAnswered,
    /// The bot may not do this here.
    Forbidden,
    /// The token is not known.
    Unauthorized,
    /// Its files are larger than Discord takes here.
    TooLarge,
    /// Discord will never take this request.
    Wrong,
}

/// What kind of failure `error` is (Discord's JSON error codes).
#[must_use]
pub fn classify(error: &Error) -> Failure {
    match error {
        Error::Http(HttpError::UnsuccessfulRequest(response)) => {
            match (response.error.code, response.status_code.as_u16()) {
                (40060, _) => Failure::AlreadyAnswered,
                (10008 | 10015 | 10062 | 50027, _) => Failure::Gone,
                (40005, _) | (_, 413) => Failure::TooLarge,
                (_, 401) => Failure::Unauthorized,
                (50001 | 50013, _) | (_, 403) => Failure::Forbidden,
                (_, 404) => Failure::Gone,
                (_, 429 | 500..) => Failure::Passing,
                _ => Failure::Wrong,
            }
        }
        Error::Http(
            HttpError::Request(_) | HttpError::RateLimitI64F64 | HttpError::RateLimitUtf8,
        )
        | Error::Io(_)
        | Error::Tungstenite(_) => Failure::Passing,
        _ => Failure::Wrong,
    }
}

/// Whether Discord says that the message is not there (code 10008).
pub(super) fn is_unknown_message(error: &Error) -> bool {
    matches!(error, Error::Http(HttpError::UnsuccessfulRequest(response)) if response.error.code == 10008)
}

/// `error` in words, without the address of the request: that carries the interaction's token.
#[must_use]
pub fn describe(error: &Error) -> String {
    match error {
        Error::Http(HttpError::UnsuccessfulRequest(response)) => {
            let status = response.status_code.as_u16();
            // Not Discord's JSON: the message would quote the library's own error, with the address.
            if response.error.code < 0 {
                return format!("{status}, without a reason");
            }
            let mut text = format!("{status} {}", response.error.message);
            if response.error.code != 0 {
                text = format!("{text} (code {})", response.error.code);
            }
            for one in &response.error.errors {
                text = format!("{text}; {}: {}", one.path, one.message);
            }
            text
        }
        Error::Http(HttpError::Request(error)) => {
            let kind = if error.is_timeout() {
                "no answer in time"
            } else if error.is_connect() {
                "no connection"
            } else {
                "the connection broke"
            };
            match innermost(error) {
                Some(cause) => format!("{kind}: {cause}"),
                None => kind.to_owned(),
            }
        }
        Error::Json(_) => "the answer can't be understood".to_owned(),
        Error::Gateway(GatewayError::Closed(Some(frame))) => {
            format!("the gateway closed with code {}", frame.code)
        }
        other => other.to_string(),
    }
}

/// The operating system's words below an error; the words above it name addresses.
fn innermost(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut below = error.source()?;
    while let Some(next) = below.source() {
        below = next;
    }
    Some(below.to_string())
}
