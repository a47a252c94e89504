//! What can go wrong in the lab. Every error is a sentence for the person at the terminal: what is wrong,
//! where, and how to mend it.

use std::path::PathBuf;
use std::time::Duration;

/// Everything that the lab can fail with.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A file or directory could not be read, written or locked.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was tried: "read", "write", "lock", …
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A file of the lab (`compose.yaml`, a fault, the state) does not say what it must.
    #[error("{}: {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong in it, with line and column where known.
        why: String,
    },
    /// No Docker engine answers, and none could be started.
    #[error("no Docker engine: {0}")]
    NoEngine(String),
    /// The Docker engine refused a call.
    #[error("Docker could not {doing}: {source}")]
    Docker {
        /// What was tried, as the end of "Docker could not …".
        doing: String,
        /// The engine's reason.
        source: Box<bollard::errors::Error>,
    },
    /// The lab's Redis refused a command or could not be reached.
    #[error("Redis at {address} could not {doing}: {source}")]
    Redis {
        /// Where it was looked for.
        address: String,
        /// What was tried.
        doing: String,
        /// The server's or the network's reason.
        source: Box<redis::RedisError>,
    },
    /// The lab's database refused a statement or could not be reached.
    #[error("the database at {address} could not {doing}: {source}")]
    Sql {
        /// Where it was looked for.
        address: String,
        /// What was tried.
        doing: String,
        /// The server's or the network's reason.
        source: Box<sqlx::Error>,
    },
    /// A program that the lab needs could not be run, or failed.
    #[error("{program} {why}")]
    Program {
        /// The program's name or path.
        program: String,
        /// What happened, and how to mend it.
        why: String,
    },
    /// Something did not become true in time.
    #[error("after {} s it is still not so that {what}; last seen: {seen}", waited.as_secs())]
    TooLate {
        /// What was waited for, as a clause.
        what: String,
        /// What was seen last.
        seen: String,
        /// How long it was waited.
        waited: Duration,
    },
    /// The request makes no sense now: nothing is up, an unknown fault, something else is broken.
    #[error("{0}")]
    Refused(String),
}

/// The lab's usual result.
pub type Result<T, E = LabError> = std::result::Result<T, E>;

impl LabError {
    /// Names the file of an I/O error: `.map_err(LabError::file("read", &path))`.
    pub fn file(
        doing: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }

    /// Says what Docker was asked to do: `.map_err(LabError::docker("start mall_redis_master"))`.
    pub fn docker(doing: impl Into<String>) -> impl FnOnce(bollard::errors::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Docker {
            doing,
            source: Box::new(source),
        }
    }

    /// Whether Docker said "no such thing" (HTTP 404).
    #[must_use]
    pub fn is_docker_not_found(&self) -> bool {
        self.docker_status() == Some(404)
    }

    /// The HTTP status of Docker's refusal, where there was one.
    #[must_use]
    pub fn docker_status(&self) -> Option<u16> {
        match self {
            Self::Docker { source, .. } => match source.as_ref() {
                bollard::errors::Error::DockerResponseServerError { status_code, .. } => {
                    Some(*status_code)
                }
                _ => None,
            },
            _ => None,
        }
    }
}
