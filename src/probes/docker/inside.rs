//! What other probes may ask of a container.

use std::{collections::BTreeMap, time::Duration};

use bollard::models::ContainerInspectResponse;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    archive::{self, Entry, Stat},
    client::Engine,
    exec::{self, Said},
    failure::Failure,
    log::{self, Lines},
};
use crate::domain::diagnosis::Blind;

/// A container on an engine.
#[derive(Clone, Copy)]
pub(in crate::probes) struct Inside<'a> {
    pub(super) engine: &'a Engine,
    /// Its name.
    pub(in crate::probes) name: &'a str,
}

impl<'a> Inside<'a> {
    pub(super) fn new(engine: &'a Engine, name: &'a str) -> Self {
        Self { engine, name }
    }

    /// The container `name` on the same engine.
    pub(in crate::probes) fn beside<'b>(&self, name: &'b str) -> Inside<'b>
    where
        'a: 'b,
    {
        Inside {
            engine: self.engine,
            name,
        }
    }

    /// Whether addresses of its networks can be reached from here: its engine's socket is a file
    /// of this machine.
    pub(in crate::probes) fn is_here(&self) -> bool {
        self.engine.is_here()
    }

    /// What the engine says of it.
    ///
    /// # Errors
    /// The engine could not be asked, or has no such container.
    pub(in crate::probes) async fn inspect(
        &self,
        end: Instant,
    ) -> Result<ContainerInspectResponse, Failure> {
        let patience = end.saturating_duration_since(Instant::now());
        let name = self.name;
        self.engine
            .ask(patience, |docker| docker.inspect_container(name, None))
            .await
    }

    /// The answer of the engine to a GET of `path`.
    ///
    /// # Errors
    /// The engine could not be asked.
    pub(in crate::probes) async fn engine_json<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        end: Instant,
    ) -> Result<T, Failure> {
        tokio::time::timeout_at(end, self.engine.get_json(path))
            .await
            .unwrap_or(Err(Failure::TimedOut))
    }

    /// Runs a program that only reads; at most `most` bytes of its output are kept.
    ///
    /// # Errors
    /// The engine could not be asked, or the container does not run (status 409).
    pub(in crate::probes) async fn exec(
        &self,
        words: &[&str],
        most: usize,
        end: Instant,
    ) -> Result<Said, Failure> {
        exec::run(self.engine, self.name, words, most, end).await
    }

    /// What a path is; none when there is no such path.
    ///
    /// # Errors
    /// The engine could not be asked.
    pub(in crate::probes) async fn stat(
        &self,
        path: &str,
        end: Instant,
    ) -> Result<Option<Stat>, Failure> {
        archive::stat(self.engine, self.name, path, end).await
    }

    /// The files at and below a path, from an archive of at most `most` bytes; none when there is
    /// no such path. The flag says that there was more.
    ///
    /// # Errors
    /// The engine could not be asked.
    pub(in crate::probes) async fn files(
        &self,
        path: &str,
        most: usize,
        end: Instant,
    ) -> Result<Option<(BTreeMap<String, Entry>, bool)>, Failure> {
        archive::files(self.engine, self.name, path, most, end).await
    }

    /// The newest lines of what it prints: at most `lines`, younger than `within` (zero: of any
    /// age), from at most `bytes`.
    ///
    /// # Errors
    /// The engine could not be asked, or keeps no log that can be read.
    pub(in crate::probes) async fn printed(
        &self,
        lines: usize,
        bytes: usize,
        within: Duration,
        now: Timestamp,
        end: Instant,
    ) -> Result<Lines, Failure> {
        let wanted = log::Wanted {
            lines: i64::try_from(lines).unwrap_or(i64::MAX),
            read_bytes: bytes,
            kept_bytes: bytes,
            within,
            now,
            end,
        };
        log::newest(self.engine, self.name, &wanted).await
    }

    /// Why a probe could not look.
    pub(in crate::probes) fn blind(&self, failure: &Failure, patience: Duration) -> Blind {
        Blind::Unknown(failure.unseen(self.engine.address(), self.name, patience))
    }
}
