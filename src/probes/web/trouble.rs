//! Why there is no answer from a site, each reason told apart.

use std::time::Duration;

use crate::{
    domain::diagnosis::Unseen,
    probes::{net::Obstacle, seen::plain},
};

/// Longest text of a peer or of the system that is shown, in characters.
const SAID_CHARS: usize = 200;

/// How far a client gets, the first thing in its way.
pub(in crate::probes) const STATES: &[&str] = &[
    "ok",
    "unresolved",
    "resolve-timeout",
    "refused",
    "unreachable",
    "connect-timeout",
    "reset",
    "tls-timeout",
    "tls",
    "certificate",
    "reply-timeout",
    "empty",
    "body-cut",
    "body-timeout",
    "wrong-protocol",
    "too-many-redirects",
];

/// What stands in the way of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probes) enum Trouble {
    /// There is no connection.
    NoWay(Obstacle),
    /// The name was not answered for in time.
    ResolveTimeout,
    /// The connection was accepted and the TLS handshake not finished in time.
    TlsTimeout,
    /// The TLS handshake failed.
    Tls(String),
    /// The certificate does not stand up, and nothing may be sent to whoever shows it.
    Certificate(String),
    /// The connection was accepted and nothing came in time.
    Silent,
    /// The connection was closed without a word.
    Empty,
    /// The connection was cut.
    Cut(String),
    /// The peer speaks something else.
    Stranger(String),
}

impl From<Obstacle> for Trouble {
    fn from(obstacle: Obstacle) -> Self {
        Self::NoWay(obstacle)
    }
}

impl Trouble {
    /// The word for it, one of [`STATES`].
    pub(in crate::probes) fn state(&self) -> &'static str {
        match self {
            Self::NoWay(obstacle) => match obstacle {
                Obstacle::Refused => "refused",
                Obstacle::Unresolved(_) => "unresolved",
                Obstacle::TimedOut => "connect-timeout",
                Obstacle::Reset(_) => "reset",
                Obstacle::Tls(_) | Obstacle::FileMissing(_) | Obstacle::FilePermission(_) => "tls",
                Obstacle::Unreachable(_)
                | Obstacle::SocketMissing
                | Obstacle::SocketPermission
                | Obstacle::Ssh(_) => "unreachable",
            },
            Self::ResolveTimeout => "resolve-timeout",
            Self::TlsTimeout => "tls-timeout",
            Self::Tls(_) => "tls",
            Self::Certificate(_) => "certificate",
            Self::Silent => "reply-timeout",
            Self::Empty => "empty",
            Self::Cut(_) => "reset",
            Self::Stranger(_) => "wrong-protocol",
        }
    }

    /// What was said, in one line.
    pub(in crate::probes) fn detail(&self) -> String {
        match self {
            Self::NoWay(obstacle) => plain(&obstacle.to_string(), SAID_CHARS),
            Self::ResolveTimeout => "the name was not answered for in time".to_owned(),
            Self::TlsTimeout => {
                "the connection was accepted and the TLS handshake not answered in time".to_owned()
            }
            Self::Silent => {
                "the connection was accepted and the request not answered in time".to_owned()
            }
            Self::Empty => "the connection was closed without an answer".to_owned(),
            Self::Tls(detail)
            | Self::Certificate(detail)
            | Self::Cut(detail)
            | Self::Stranger(detail) => plain(detail, SAID_CHARS),
        }
    }

    /// Whether it is a fault of our own configuration, such as a file that is not there, and so
    /// says nothing about the peer.
    pub(in crate::probes) fn is_our_own(&self) -> bool {
        matches!(
            self,
            Self::NoWay(Obstacle::Tls(_) | Obstacle::FileMissing(_) | Obstacle::FilePermission(_))
        )
    }

    /// The reason for a probe that could not look at `address` within `patience`.
    pub(in crate::probes) fn unseen(&self, address: &str, patience: Duration) -> Unseen {
        let timed_out = || Unseen::TimedOut {
            after_ms: u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
        };
        match self {
            Self::NoWay(obstacle) => obstacle.unseen(address, patience),
            Self::ResolveTimeout | Self::TlsTimeout | Self::Silent => timed_out(),
            Self::Tls(detail) | Self::Certificate(detail) => Unseen::Tls {
                detail: detail.clone(),
            },
            Self::Empty | Self::Cut(_) => Unseen::Unreachable {
                address: address.to_owned(),
                detail: self.detail(),
            },
            Self::Stranger(detail) => Unseen::WrongProtocol {
                detail: detail.clone(),
            },
        }
    }
}

/// The first words of a peer that speaks something else than `expected`.
pub(super) fn stranger(expected: &str, head: &[u8]) -> Trouble {
    /// The record type of a TLS alert (RFC 8446, 5.1).
    const TLS_ALERT: u8 = 0x15;
    let began = if head.first() == Some(&TLS_ALERT) {
        "it answered with a TLS alert: it wants TLS".to_owned()
    } else {
        let words = plain(&String::from_utf8_lossy(head), 60);
        format!("it began with {words:?}")
    };
    Trouble::Stranger(format!("{expected} was expected; {began}"))
}
