//! The steps that Redis alone knows.

use std::time::Duration;

use redis::Pipeline;

use crate::error::{LabError, Result};
use crate::lab::{Lab, World};
use crate::link::Link;
use crate::service::Service;
use crate::step::Step;

/// What Redis is called in `compose.yaml`.
const REDIS: &str = Service::RedisMaster.key();

/// How many commands go out at once. Small, so that no batch is a slow command of its own.
const BATCH: u32 = 500;

/// How long a server that was just started may take until it can be connected to.
const REACH_LIMIT: Duration = Duration::from_secs(5);

/// How often it is tried meanwhile.
const REACH_EVERY: Duration = Duration::from_millis(50);

/// What is written in place of saved data: not the magic word of an RDB file.
const RUBBISH: &[u8] = b"this is not a Redis database\n";

impl Lab {
    pub(crate) async fn redis_step(&self, step: &Step) -> Result<()> {
        match step {
            Step::Redis { command, breaks } => {
                let answer = self.reach().await?.command(command).await;
                if *breaks { Ok(()) } else { answer.map(|_| ()) }
            }
            Step::Configure { settings } => {
                let mut words = vec!["CONFIG".to_owned(), "SET".to_owned()];
                words.extend(
                    settings
                        .iter()
                        .flat_map(|(key, value)| [key.clone(), value.clone()]),
                );
                self.reach().await?.command(&words).await.map(|_| ())
            }
            Step::Fill {
                prefix,
                keys,
                value_bytes,
                until_it_fails,
            } => {
                let filled = self
                    .fill(prefix, *keys, *value_bytes, *until_it_fails)
                    .await;
                if *until_it_fails { Ok(()) } else { filled }
            }
            Step::Thin {
                prefix,
                keys,
                keep_every,
            } => self.thin(prefix, *keys, *keep_every).await,
            Step::SpoilData {} => self.spoil_data().await,
            Step::CorruptData {} => self.corrupt_data().await,
            _ => Ok(()), // the others are no steps of Redis alone
        }
    }

    /// Connects to a Redis that may just have been started.
    async fn reach(&self) -> Result<Link> {
        let place = self.place()?;
        let deadline = tokio::time::Instant::now() + REACH_LIMIT;
        loop {
            match place.link().await {
                Ok(link) => return Ok(link),
                Err(error) if tokio::time::Instant::now() > deadline => return Err(error),
                Err(_) => tokio::time::sleep(REACH_EVERY).await,
            }
        }
    }

    async fn fill(
        &self,
        prefix: &str,
        keys: u32,
        value_bytes: u32,
        until_it_fails: bool,
    ) -> Result<()> {
        let mut link = self.reach().await?;
        let value = "x".repeat(usize::try_from(value_bytes).unwrap_or_default());
        for first in (0..keys).step_by(usize::try_from(BATCH).unwrap_or(1)) {
            let numbers = first..keys.min(first + BATCH);
            let count = numbers.len();
            let mut pipeline = Pipeline::with_capacity(count);
            for number in numbers {
                pipeline
                    .cmd("SET")
                    .arg(format!("{prefix}:{number}"))
                    .arg(&value)
                    .ignore();
            }
            let refused = link.many(&pipeline, count).await?;
            if refused > 0 && until_it_fails {
                return Ok(());
            }
            if refused > 0 {
                return Err(LabError::Refused(format!(
                    "Redis refused {refused} of {count} writes of {prefix}"
                )));
            }
        }
        Ok(())
    }

    async fn thin(&self, prefix: &str, keys: u32, keep_every: u32) -> Result<()> {
        let mut link = self.reach().await?;
        for first in (0..keys).step_by(usize::try_from(BATCH).unwrap_or(1)) {
            let mut pipeline = Pipeline::new();
            let numbers: Vec<u32> = (first..keys.min(first + BATCH))
                .filter(|n| !n.is_multiple_of(keep_every.max(1)))
                .collect();
            for number in &numbers {
                pipeline
                    .cmd("DEL")
                    .arg(format!("{prefix}:{number}"))
                    .ignore();
            }
            link.many(&pipeline, numbers.len()).await?;
        }
        Ok(())
    }

    /// In a container Redis is no super-user, so taking the permission to write is enough; as a plain process it may
    /// be one, which no permission stops, and the directory itself goes.
    async fn spoil_data(&self) -> Result<()> {
        match &self.world {
            World::Docker(containers) => {
                containers
                    .run_as_root(REDIS, &["chmod", "0555", "/data"])
                    .await
            }
            World::Processes(processes) => processes.clear_data(Service::RedisMaster),
        }
    }

    async fn corrupt_data(&self) -> Result<()> {
        match &self.world {
            World::Docker(containers) => {
                containers
                    .put_file(REDIS, "/data", "dump.rdb", RUBBISH)
                    .await
            }
            World::Processes(processes) => {
                let path = processes.data(Service::RedisMaster).join("dump.rdb");
                std::fs::write(&path, RUBBISH).map_err(LabError::file("write", &path))
            }
        }
    }
}
