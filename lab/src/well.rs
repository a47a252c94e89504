//! How the mall is put right: every service as it is described, and answering as it does in good health.

use std::time::Duration;

use crate::config_dir;
use crate::docker::Changes;
use crate::error::{LabError, Result};
use crate::images;
use crate::keys::Keys;
use crate::lab::{Lab, World};
use crate::process::Process;
use crate::processes::Other;
use crate::say;
use crate::service::Service;

/// How long a started server may take until it answers.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How long a server may take to answer where nobody waits for it to become well.
const GLANCE: Duration = Duration::from_secs(2);

impl Lab {
    /// Makes what is missing and mends what is not as described, until all servers are well.
    pub(crate) async fn raise(&mut self) -> Result<()> {
        Keys::of(&self.settings.state_dir).ensure()?;
        if self.state.broken.is_none() {
            self.lay_out_files()?;
        }
        match &self.world {
            World::Docker(containers) => {
                for service in containers.compose().services.values() {
                    images::ensure(&self.settings, containers.docker(), service).await?;
                }
            }
            World::Processes(_) => say::progress(format!(
                "The mall runs as plain processes: {}.",
                self.state.why
            )),
        }
        if self.state.broken.is_none() {
            self.put_right().await?;
        }
        config_dir::write(&self.settings, &self.state)?;
        self.store.save(&self.state)
    }

    /// Makes every service as it is described, keeping what is so already, and remembers how they are in good health.
    ///
    /// # Errors
    /// When a server does not become well.
    pub async fn put_right(&mut self) -> Result<()> {
        if let World::Docker(containers) = &self.world {
            containers.make_ground().await?;
        }
        for service in Service::ALL {
            self.put_one_right(service).await?;
        }
        for service in Service::ALL {
            self.wait_until_well(service).await?;
        }
        if self.state.healthy_config.is_empty() {
            self.state.healthy_config = self.place()?.link().await?.config().await?;
        }
        if self.state.healthy_database.is_empty() {
            self.state.healthy_database = self.facts_of_database().await?;
        }
        self.store.save(&self.state)
    }

    pub(crate) async fn put_one_right(&mut self, service: Service) -> Result<()> {
        let name = service.key();
        let missing = match &self.world {
            World::Docker(containers) => !containers.is_as_described(name).await?,
            World::Processes(_) => !self.state.servers.get(name).is_some_and(Process::runs),
        };
        if !missing {
            return Ok(());
        }
        match service {
            // Its settings may be new ones.
            Service::RedisMaster => self.state.healthy_config.clear(),
            Service::MysqlMaster => self.state.healthy_database.clear(),
            _ => {}
        }
        match &self.world {
            World::Docker(containers) => {
                for needed in containers.service(name)?.depends_on.keys() {
                    containers.wait_healthy(needed).await?;
                }
                containers.remove(name).await?;
                containers.create(name, &Changes::default()).await
            }
            World::Processes(processes) => {
                let processes = processes.clone();
                for needed in needs(service) {
                    self.wait_until_well(*needed).await?;
                }
                let started = processes
                    .start(&mut self.state, service, &Other::default())
                    .await;
                self.store.save(&self.state)?;
                started
            }
        }
    }

    /// Begins again with a new server without data: the surest way back to health.
    ///
    /// # Errors
    /// When a server does not become well.
    pub async fn renew(&mut self, service: Service) -> Result<()> {
        self.clear(service).await?;
        self.put_right().await
    }

    /// Takes a server away with its data.
    ///
    /// # Errors
    /// When it does not go.
    pub async fn clear(&self, service: Service) -> Result<()> {
        let name = service.key();
        match &self.world {
            World::Docker(containers) => {
                // Ended in good order, a client leaves no aborted connections behind in the database.
                if service == Service::Backend
                    && matches!(containers.state(name).await, Ok(Some((state, _))) if state.running == Some(true))
                {
                    let _ = containers.stop(name).await;
                }
                containers.remove(name).await?;
                containers.remove_volumes(name).await
            }
            World::Processes(processes) => {
                if let Some(server) = self.state.servers.get(name) {
                    if service == Service::Backend {
                        server.stop().await?;
                    }
                    server.kill().await?;
                }
                processes.clear_data(service)?;
                processes.clear_logs(service)
            }
        }
    }

    /// Waits until a service answers as it does in good health.
    ///
    /// # Errors
    /// When it does not within half a minute.
    pub async fn wait_until_well(&self, service: Service) -> Result<()> {
        if let World::Docker(containers) = &self.world {
            containers.wait_healthy(service.key()).await?;
        }
        let deadline = tokio::time::Instant::now() + ANSWER_LIMIT;
        loop {
            let seen = match self.answers(service).await {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            };
            if let (World::Processes(processes), Some(server)) =
                (&self.world, self.state.servers.get(service.key()))
                && !server.runs()
            {
                let log = processes.log(service);
                let why = format!(
                    "ended at once; what it said stands at the end of {}",
                    log.display()
                );
                return Err(LabError::Program {
                    program: service.key().to_owned(),
                    why,
                });
            }
            if tokio::time::Instant::now() > deadline {
                return Err(LabError::TooLate {
                    what: format!("{service} at 127.0.0.1:{} answers", self.port(service)),
                    seen,
                    waited: ANSWER_LIMIT,
                });
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Whether a service answers at this moment.
    pub(crate) async fn is_well(&self, service: Service) -> bool {
        let answered = tokio::time::timeout(GLANCE, self.answers(service)).await;
        matches!(answered, Ok(Ok(())))
    }

    /// Asks a service what it must be able to answer.
    async fn answers(&self, service: Service) -> Result<()> {
        match service {
            Service::RedisMaster => {
                let mut link = self.place()?.connect(Duration::from_secs(1)).await?;
                match link.command(&["PING"]).await? {
                    redis::Value::SimpleString(word) if word == "PONG" => Ok(()),
                    other => Err(LabError::Refused(format!("{other:?}"))),
                }
            }
            Service::MysqlMaster => {
                let mut sql = self.door()?.open().await?;
                sql.run("SELECT 1").await?;
                sql.close().await;
                Ok(())
            }
            Service::Wechatpay | Service::Dns | Service::Backend | Service::Nginx => {
                let address = ("127.0.0.1", self.port(service));
                let connected = tokio::net::TcpStream::connect(address).await;
                connected
                    .map(|_| ())
                    .map_err(|error| LabError::Refused(error.to_string()))
            }
        }
    }
}

/// What must answer before a plain process is started.
fn needs(service: Service) -> &'static [Service] {
    match service {
        Service::Backend => &[Service::MysqlMaster, Service::RedisMaster],
        Service::Nginx => &[Service::Backend],
        Service::MysqlMaster | Service::RedisMaster | Service::Wechatpay | Service::Dns => &[],
    }
}
