//! Why an engine did not answer what was asked, each reason told apart.

use std::{error::Error, io, time::Duration};

use bollard::errors::Error as BollardError;

use crate::{
    domain::diagnosis::Unseen,
    probes::{net::Obstacle, seen::plain},
};

/// Longest text of an engine's error that is shown, in characters.
const SAID_CHARS: usize = 200;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probes) enum Failure {
    /// There is no connection.
    NoWay(Obstacle),
    /// No answer in time.
    TimedOut,
    /// The connection was cut before the answer was complete.
    Cut(String),
    /// The peer is no Docker engine.
    Stranger(String),
    /// The engine has no container of this name.
    NoContainer,
    /// The engine refused, with its own words.
    Said(u16, String),
}

impl From<BollardError> for Failure {
    fn from(error: BollardError) -> Self {
        match &error {
            BollardError::DockerResponseServerError {
                status_code,
                message,
            } => Self::answered(*status_code, message),
            BollardError::RequestTimeoutError => Self::TimedOut,
            BollardError::JsonDataError { .. } | BollardError::JsonSerdeError { .. } => {
                Self::Stranger("its answer is not what an engine answers".to_owned())
            }
            _ => Self::in_chain(&error),
        }
    }
}

impl Failure {
    /// What an answer other than success means.
    pub(super) fn answered(status: u16, message: &str) -> Self {
        let message = plain(message, SAID_CHARS);
        if status == 404 && message.contains("No such container") {
            Self::NoContainer
        } else if message.starts_with('<') || (status == 404 && !message.contains("container")) {
            Self::Stranger(format!("it answered with HTTP status {status}"))
        } else {
            Self::Said(status, message)
        }
    }

    /// The failure in an error or in what lies behind it.
    pub(super) fn in_chain(error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        let mut last = error;
        while let Some(error) = next {
            if let Some(obstacle) = error.downcast_ref::<Obstacle>() {
                return Self::NoWay(obstacle.clone());
            }
            if let Some(io) = error.downcast_ref::<io::Error>() {
                // `source` of an io::Error skips the error that it carries.
                let carried = io
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<Obstacle>());
                if let Some(obstacle) = carried {
                    return Self::NoWay(obstacle.clone());
                }
                if io.kind() == io::ErrorKind::Other {
                    return Self::Stranger(plain(&io.to_string(), SAID_CHARS));
                }
            }
            if let Some(http) = error.downcast_ref::<hyper::Error>() {
                if http.is_parse() {
                    return Self::Stranger(format!("it does not speak HTTP ({http})"));
                }
                if http.is_timeout() {
                    return Self::TimedOut;
                }
            }
            last = error;
            next = error.source();
        }
        Self::Cut(plain(&last.to_string(), SAID_CHARS))
    }

    /// The word for it in `docker.engine`.
    pub(super) fn state(&self) -> &'static str {
        match self {
            Self::NoWay(obstacle) => match obstacle {
                Obstacle::Refused => "refused",
                Obstacle::Unresolved(_) => "unresolved",
                Obstacle::Unreachable(_) => "unreachable",
                Obstacle::TimedOut => "timed-out",
                Obstacle::SocketMissing => "socket-missing",
                Obstacle::SocketPermission => "permission-denied",
                Obstacle::Reset(_) => "reset",
                Obstacle::Tls(_) | Obstacle::FileMissing(_) | Obstacle::FilePermission(_) => "tls",
                Obstacle::Ssh(_) => "ssh",
            },
            Self::TimedOut => "timed-out",
            Self::Cut(_) => "reset",
            Self::Stranger(_) => "wrong-protocol",
            Self::NoContainer | Self::Said(..) => "error",
        }
    }

    /// What was said, in one line.
    pub(in crate::probes) fn detail(&self) -> String {
        match self {
            Self::NoWay(obstacle) => plain(&obstacle.to_string(), SAID_CHARS),
            Self::TimedOut => "no answer in time".to_owned(),
            Self::Cut(detail) | Self::Stranger(detail) => detail.clone(),
            Self::NoContainer => "no such container".to_owned(),
            Self::Said(status, message) => format!("{message} (status {status})"),
        }
    }

    /// The reason for a probe that could not look at `container` at `address` within `patience`.
    pub(super) fn unseen(&self, address: &str, container: &str, patience: Duration) -> Unseen {
        match self {
            Self::NoWay(obstacle) => obstacle.unseen(address, patience),
            Self::TimedOut => Unseen::TimedOut {
                after_ms: u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
            },
            Self::Cut(detail) => Unseen::Unreachable {
                address: address.to_owned(),
                detail: detail.clone(),
            },
            Self::Stranger(detail) => Unseen::WrongProtocol {
                detail: format!("a Docker engine was expected at {address}; {detail}"),
            },
            Self::NoContainer => Unseen::NoSuchContainer {
                name: container.to_owned(),
            },
            Self::Said(..) => Unseen::ServerSaid {
                detail: self.detail(),
            },
        }
    }
}
