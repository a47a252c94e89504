//! Why MySQL did not answer what was asked, each reason told apart.

use std::time::Duration;

use crate::{
    domain::diagnosis::Unseen,
    probes::{
        net::{Obstacle, Tap},
        seen::plain,
    },
};

/// Longest text of a server's error that is shown, in characters.
const SAID_CHARS: usize = 200;

/// An error that the server answered: its number and its text.
/// <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) number: u16,
    pub(super) text: String,
}

impl Said {
    /// Number and text in one line.
    pub(super) fn shown(&self) -> String {
        plain(&format!("{} {}", self.number, self.text), SAID_CHARS)
    }

    /// What kind of refusal it is. MariaDB has the same numbers up to 1900, and its own from 4000.
    pub(super) fn kind(&self) -> Refusal {
        match self.number {
            1045 if self.text.contains("using password: NO") => Refusal::NoPassword,
            1045 | 1698 => Refusal::AccessDenied,
            1049 => Refusal::UnknownDatabase,
            1044 => Refusal::DatabaseDenied,
            1040 => Refusal::TooManyConnections,
            1203 | 1226 => Refusal::UserConnections,
            1129 => Refusal::HostBlocked,
            1130 => Refusal::HostNotAllowed,
            1053 | 1077 | 1079 => Refusal::ShuttingDown,
            3032 => Refusal::OfflineMode,
            3159 => Refusal::TlsRequired,
            3118 | 4151 => Refusal::AccountLocked,
            1820 | 1862 => Refusal::PasswordExpired,
            1251 | 1524 | 2059 => Refusal::LoginMethod,
            1037 | 1038 | 1041 | 1135 => Refusal::OutOfResources,
            // Denied to a user who is in: privileges on databases, tables, columns, routines,
            // and the ones that SHOW wants.
            1142 | 1143 | 1227 | 1370 => Refusal::Forbidden,
            1317 | 1969 | 3024 => Refusal::TimeOver,
            1205 => Refusal::LockTimeOver,
            _ => Refusal::Other,
        }
    }
}

/// What a server refuses for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoPassword,
    AccessDenied,
    UnknownDatabase,
    DatabaseDenied,
    TooManyConnections,
    UserConnections,
    HostBlocked,
    HostNotAllowed,
    ShuttingDown,
    OfflineMode,
    TlsRequired,
    AccountLocked,
    PasswordExpired,
    LoginMethod,
    OutOfResources,
    Forbidden,
    TimeOver,
    LockTimeOver,
    Other,
}

impl Refusal {
    /// The word for it in `mysql.ping`.
    fn state(self) -> &'static str {
        match self {
            Self::NoPassword => "password-required",
            Self::AccessDenied => "access-denied",
            Self::UnknownDatabase => "unknown-database",
            Self::DatabaseDenied => "database-denied",
            Self::TooManyConnections => "too-many-connections",
            Self::UserConnections => "user-connections",
            Self::HostBlocked => "host-blocked",
            Self::HostNotAllowed => "host-not-allowed",
            Self::ShuttingDown => "shutting-down",
            Self::OfflineMode => "offline-mode",
            Self::TlsRequired => "tls-required",
            Self::AccountLocked => "account-locked",
            Self::PasswordExpired => "password-expired",
            Self::LoginMethod => "login-method",
            Self::OutOfResources => "out-of-resources",
            Self::Forbidden | Self::TimeOver | Self::LockTimeOver | Self::Other => "error",
        }
    }
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
    /// The peer is no MySQL.
    Stranger(String),
    /// The login wants something that this client can't give.
    Login(String),
    /// The password can't be read from where the configuration says.
    Secret(String),
    /// The answer was longer than a probe may read.
    TooMuch(String),
}

impl From<Obstacle> for Failure {
    fn from(obstacle: Obstacle) -> Self {
        Self::NoWay(obstacle)
    }
}

impl Failure {
    /// The failure behind an error of the client library, with what was heard of the peer.
    pub(super) fn of(error: &sqlx::Error, tap: &Tap) -> Self {
        if tap.endless() {
            return Self::Stranger("its answer has no end".to_owned());
        }
        match error {
            sqlx::Error::Database(said) => {
                let number = said
                    .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
                    .map_or(0, sqlx::mysql::MySqlDatabaseError::number);
                Self::Refused(Said {
                    number,
                    text: said.message().to_owned(),
                })
            }
            sqlx::Error::Io(error) => Self::Cut(plain(&error.to_string(), SAID_CHARS)),
            sqlx::Error::Tls(error) => Obstacle::Tls(plain(&error.to_string(), SAID_CHARS)).into(),
            // What the library says of logins that it can't do.
            sqlx::Error::Configuration(_) => Self::Login(
                "the user's login (caching_sha2_password or sha256_password) wants TLS, and the \
                 server offers none"
                    .to_owned(),
            ),
            sqlx::Error::Protocol(detail) if detail.contains("authentication plugin") => {
                Self::Login(plain(detail, SAID_CHARS))
            }
            other => Self::Stranger(plain(&other.to_string(), SAID_CHARS)),
        }
    }

    /// Whether the connection that it happened on may still be used.
    pub(super) fn leaves_connection(&self) -> bool {
        matches!(self, Self::Refused(said) if !matches!(said.kind(), Refusal::ShuttingDown))
    }

    /// Whether a kept connection had simply gone stale, so that a new one is worth a try.
    pub(super) fn is_stale(&self) -> bool {
        matches!(self, Self::Cut(_))
    }

    /// The word for it in `mysql.ping`.
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
            Self::Login(_) => "login-method",
            Self::Secret(_) | Self::TooMuch(_) => "error",
            Self::Refused(said) => said.kind().state(),
        }
    }

    /// What was said, in one line.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::NoWay(obstacle) => plain(&obstacle.to_string(), SAID_CHARS),
            Self::NoAnswer => "the connection was accepted and nothing was answered".to_owned(),
            Self::Cut(detail)
            | Self::Stranger(detail)
            | Self::Login(detail)
            | Self::Secret(detail)
            | Self::TooMuch(detail) => detail.clone(),
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
                detail: format!("MySQL was expected at {address}; {detail}"),
            },
            Self::Login(detail) | Self::TooMuch(detail) => Unseen::ServerSaid {
                detail: detail.clone(),
            },
            Self::Secret(detail) => Unseen::Secret {
                detail: detail.clone(),
            },
            Self::Refused(said) => match said.kind() {
                Refusal::NoPassword => Unseen::PasswordRequired,
                Refusal::AccessDenied => Unseen::WrongPassword,
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
