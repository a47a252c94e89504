//! Why Redis did not answer what was asked, each reason told apart.

use std::time::Duration;

use redis::{RedisError, ServerError};

use crate::{
    domain::diagnosis::Unseen,
    probes::{
        net::{Obstacle, Tap},
        seen::plain,
    },
};

/// Longest text of a server's error that is shown, in characters.
const SAID_CHARS: usize = 200;

/// An error that the server answered: its code (the first word, in capitals) and its text.
/// <https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors>
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) code: String,
    pub(super) text: String,
}

impl Said {
    pub(super) fn of(error: &ServerError) -> Self {
        Self {
            code: error.code().to_owned(),
            text: error.details().unwrap_or_default().to_owned(),
        }
    }

    /// An error as it stands on the wire, without the leading minus.
    fn parse(line: &str) -> Self {
        let (code, text) = line.split_once(' ').unwrap_or((line, ""));
        Self {
            code: code.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Code and text in one line.
    pub(super) fn shown(&self) -> String {
        plain(format!("{} {}", self.code, self.text).trim(), SAID_CHARS)
    }

    /// What kind of refusal it is. The codes are those of Redis' `createSharedObjects` (server.c).
    pub(super) fn kind(&self) -> Refusal {
        match self.code.as_str() {
            "NOAUTH" => Refusal::PasswordRequired,
            "WRONGPASS" => Refusal::WrongPassword,
            // Before version 6.
            "ERR" if self.text.contains("invalid password") => Refusal::WrongPassword,
            "NOPERM" => Refusal::Forbidden,
            "LOADING" => Refusal::Loading,
            "MISCONF" => Refusal::Misconf,
            "OOM" => Refusal::Oom,
            "READONLY" => Refusal::ReadOnly,
            "BUSY" => Refusal::Busy,
            "MASTERDOWN" => Refusal::MasterDown,
            "DENIED" => Refusal::ProtectedMode,
            "NOREPLICAS" => Refusal::NoReplicas,
            "ERR" if self.text.contains("max number of clients") => Refusal::MaxClients,
            _ => Refusal::Other,
        }
    }

    /// Whether a password was sent to a server that has none (`AUTH` of a default user with
    /// `nopass`): every version says it in other words with these two in them.
    pub(super) fn password_not_wanted(&self) -> bool {
        self.code == "ERR"
            && (self.text.contains("without any password configured")
                || self.text.contains("no password is set"))
    }
}

/// What a server refuses for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    PasswordRequired,
    WrongPassword,
    Forbidden,
    Loading,
    Misconf,
    Oom,
    ReadOnly,
    Busy,
    MasterDown,
    ProtectedMode,
    MaxClients,
    NoReplicas,
    Other,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is no connection.
    NoWay(Obstacle),
    /// The connection was accepted and nothing came in time.
    NoAnswer,
    /// The connection was cut before the answer.
    Cut(String),
    /// The server answered with an error.
    Refused(Said),
    /// The peer is no Redis.
    Stranger(String),
    /// The password can't be read from where the configuration says.
    Secret(String),
}

impl From<Obstacle> for Failure {
    fn from(obstacle: Obstacle) -> Self {
        Self::NoWay(obstacle)
    }
}

impl Failure {
    /// The failure behind an error of the client, with what the peer was heard to say.
    pub(super) fn of(error: &RedisError, tap: &Tap) -> Self {
        if let Some(code) = error.code() {
            return Self::Refused(Said {
                code: code.to_owned(),
                text: error.detail().unwrap_or_default().to_owned(),
            });
        }
        if tap.endless() {
            return Self::Stranger("its answer has no end".to_owned());
        }
        let head = tap.head();
        if let Some(said) = turned_away(&head) {
            return Self::Refused(said);
        }
        if is_strange(&head) {
            return Self::Stranger(format!("it began with {:?}", shown_head(&head)));
        }
        if error.is_timeout() {
            Self::NoAnswer
        } else if error.is_io_error() || error.is_connection_dropped() {
            Self::Cut("it closed the connection instead of an answer".to_owned())
        } else {
            Self::Stranger(plain(&error.to_string(), SAID_CHARS))
        }
    }

    /// Whether the connection that it happened on may still be used.
    pub(super) fn leaves_connection(&self) -> bool {
        matches!(self, Self::Refused(said) if !matches!(said.kind(), Refusal::MaxClients | Refusal::ProtectedMode))
    }

    /// Whether a kept connection had simply gone stale, so that a new one is worth a try.
    pub(super) fn is_stale(&self) -> bool {
        matches!(self, Self::Cut(_))
    }

    /// The word for it in `redis.ping`.
    pub(super) fn state(&self) -> &'static str {
        match self {
            Self::NoWay(obstacle) => match obstacle {
                Obstacle::Refused => "refused",
                Obstacle::Unresolved(_) => "unresolved",
                Obstacle::Unreachable(_) | Obstacle::Ssh(_) => "unreachable",
                Obstacle::TimedOut => "connect-timeout",
                Obstacle::SocketMissing => "socket-missing",
                Obstacle::SocketPermission => "socket-permission",
                Obstacle::Reset(_) => "reset",
                Obstacle::Tls(_) | Obstacle::FileMissing(_) | Obstacle::FilePermission(_) => "tls",
            },
            Self::NoAnswer => "reply-timeout",
            Self::Cut(_) => "reset",
            Self::Stranger(_) => "wrong-protocol",
            Self::Secret(_) => "error",
            Self::Refused(said) => match said.kind() {
                Refusal::PasswordRequired => "password-required",
                Refusal::WrongPassword => "wrong-password",
                Refusal::Forbidden => "forbidden",
                Refusal::Loading => "loading",
                Refusal::Misconf => "misconf",
                Refusal::Oom => "oom",
                Refusal::ReadOnly => "readonly",
                Refusal::Busy => "busy",
                Refusal::MasterDown => "masterdown",
                Refusal::ProtectedMode => "protected-mode",
                Refusal::MaxClients => "max-clients",
                Refusal::NoReplicas | Refusal::Other => "error",
            },
        }
    }

    /// What was said, in one line.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::NoWay(obstacle) => plain(&obstacle.to_string(), SAID_CHARS),
            Self::NoAnswer => "the connection was accepted and nothing was answered".to_owned(),
            Self::Cut(detail) | Self::Stranger(detail) | Self::Secret(detail) => detail.clone(),
            Self::Refused(said) => said.shown(),
        }
    }

    /// The reason for a probe that could not look at `address` within `patience`.
    pub(super) fn unseen(&self, address: &str, patience: Duration) -> Unseen {
        match self {
            Self::NoWay(obstacle) => obstacle.unseen(address, patience),
            Self::NoAnswer => Unseen::TimedOut {
                after_ms: u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
            },
            Self::Cut(detail) => Unseen::Unreachable {
                address: address.to_owned(),
                detail: detail.clone(),
            },
            Self::Stranger(detail) => Unseen::WrongProtocol {
                detail: format!("Redis was expected at {address}; {detail}"),
            },
            Self::Secret(detail) => Unseen::Secret {
                detail: detail.clone(),
            },
            Self::Refused(said) => match said.kind() {
                Refusal::PasswordRequired => Unseen::PasswordRequired,
                Refusal::WrongPassword => Unseen::WrongPassword,
                Refusal::Forbidden => Unseen::Forbidden {
                    detail: said.shown(),
                },
                _ => Unseen::ServerSaid {
                    detail: said.shown(),
                },
            },
        }
    }
}

/// The error with which a server turns a new client away before it has asked anything.
fn turned_away(head: &[u8]) -> Option<Said> {
    let text = String::from_utf8_lossy(head);
    let line = text.strip_prefix('-')?.split("\r\n").next()?;
    let said = Said::parse(line);
    matches!(said.kind(), Refusal::MaxClients | Refusal::ProtectedMode).then_some(said)
}

/// Whether a peer that begins so does not speak RESP2.
fn is_strange(head: &[u8]) -> bool {
    head.first().is_some_and(|first| !b"+-:$*".contains(first))
}

/// The first words of a stranger: enough to recognise HTTP or a TLS alert.
fn shown_head(head: &[u8]) -> String {
    const TLS_ALERT: u8 = 0x15;
    if head.first() == Some(&TLS_ALERT) {
        return "a TLS alert: it wants TLS, and the configuration has none".to_owned();
    }
    plain(&String::from_utf8_lossy(head), 40)
}
