//! Carrying out the steps of a fault.

use std::time::Duration;

use redis::Pipeline;
use rustix::process::Signal;

use crate::background;
use crate::compose::{Bytes, Restart};
use crate::docker::{Changes, Containers};
use crate::error::{LabError, Result};
use crate::fault::Step;
use crate::instance::REDIS;
use crate::lab::{Lab, World};
use crate::link::Link;
use crate::process::Process;

/// How many commands go out at once. Small, so that no batch is a slow command of its own.
const BATCH: u32 = 500;

/// How long a server that was just started may take until it can be connected to.
const REACH_LIMIT: Duration = Duration::from_secs(5);

/// How often it is tried meanwhile.
const REACH_EVERY: Duration = Duration::from_millis(50);

/// What is written in place of saved data: not the magic word of an RDB file.
const RUBBISH: &[u8] = b"this is not a Redis database\n";

impl Lab {
    /// Carries out steps in their order.
    ///
    /// # Errors
    /// When one fails.
    pub async fn carry_out(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            self.step(step).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Stop {} => self.end(Ending::Stop).await,
            Step::Kill {} => self.end(Ending::Kill).await,
            Step::Start {} => self.start_redis(&[]).await,
            Step::Freeze {} => self.signal("SIGSTOP", Signal::STOP).await,
            Step::Thaw {} => self.signal("SIGCONT", Signal::CONT).await,
            Step::Pause {} => self.containers()?.pause(REDIS).await,
            Step::Unpause {} => self.containers()?.unpause(REDIS).await,
            Step::Remove {} => self.containers()?.remove(REDIS).await,
            Step::Disconnect {} => self.containers()?.disconnect(REDIS).await,
            Step::Recreate {
                memory,
                restart,
                arguments,
                unpublished,
                data_limit,
            } => {
                self.recreate(changes(
                    *memory,
                    *restart,
                    arguments,
                    *unpublished,
                    *data_limit,
                ))
                .await
            }
            Step::Renew {} => self.renew_redis().await,
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
            Step::Background { job } => {
                let place = self.place()?;
                let Some(broken) = &mut self.state.broken else {
                    return Err(LabError::Refused(
                        "only a fault starts processes in the background".to_owned(),
                    ));
                };
                let process =
                    background::start(&self.settings, &place, job, broken.background.len())?;
                broken.background.push(process);
                self.store.save(&self.state)
            }
        }
    }

    fn containers(&self) -> Result<&Containers> {
        match &self.world {
            World::Docker(containers) => Ok(containers),
            World::Processes(_) => Err(LabError::Refused("this step needs a container".to_owned())),
        }
    }

    fn server(&self) -> Result<&Process> {
        let server = self.state.servers.get(REDIS);
        server.ok_or_else(|| LabError::Refused("Redis was never started".to_owned()))
    }

    async fn end(&self, ending: Ending) -> Result<()> {
        match (&self.world, ending) {
            (World::Docker(containers), Ending::Stop) => containers.stop(REDIS).await,
            (World::Docker(containers), Ending::Kill) => containers.signal(REDIS, "SIGKILL").await,
            (World::Processes(_), Ending::Stop) => self.server()?.stop().await,
            (World::Processes(_), Ending::Kill) => self.server()?.kill().await,
        }
    }

    async fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        match &self.world {
            World::Docker(containers) => containers.signal(REDIS, name).await,
            World::Processes(_) => self.server()?.signal(signal),
        }
    }

    async fn start_redis(&mut self, arguments: &[String]) -> Result<()> {
        match &self.world {
            World::Docker(containers) => containers.start(REDIS).await,
            World::Processes(processes) => {
                let processes = processes.clone();
                processes.start_redis(&mut self.state, arguments)?;
                self.store.save(&self.state)
            }
        }
    }

    async fn recreate(&mut self, changes: Changes) -> Result<()> {
        if let World::Docker(containers) = &self.world {
            containers.remove(REDIS).await?;
            containers.create(REDIS, &changes).await?;
        } else {
            self.end(Ending::Kill).await?;
            self.start_redis(&changes.arguments).await?;
        }
        Ok(())
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
            World::Processes(processes) => processes.clear_data(),
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
                let path = processes.data().join("dump.rdb");
                std::fs::write(&path, RUBBISH).map_err(LabError::file("write", &path))
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Stop,
    Kill,
}

fn changes(
    memory: Option<Bytes>,
    restart: Option<Restart>,
    arguments: &[String],
    unpublished: bool,
    data_limit: Option<Bytes>,
) -> Changes {
    Changes {
        memory,
        restart,
        arguments: arguments.to_vec(),
        unpublished,
        data_limit,
    }
}
