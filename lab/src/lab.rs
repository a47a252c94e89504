//! One lab, whichever way it runs: up, down, and the operations on its Redis that faults are made of.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::compose::Compose;
use crate::config_dir;
use crate::docker::{Changes, Containers};
use crate::engine::{self, Engine};
use crate::error::{LabError, Result};
use crate::images;
use crate::instance::{self, BACKEND, REDIS};
use crate::link::Place;
use crate::process::Process;
use crate::processes::{PASSWORD_FILE, Processes};
use crate::say;
use crate::settings::Settings;
use crate::state::{Mode, State, Store};

/// How long a started Redis may take until it answers.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How the servers are reached.
#[derive(Debug)]
pub enum World {
    /// As containers.
    Docker(Box<Containers>),
    /// As plain processes.
    Processes(Processes),
}

/// A lab that is up, with its state locked.
#[derive(Debug)]
pub struct Lab {
    /// Where things are.
    pub settings: Settings,
    /// The locked state directory.
    pub store: Store,
    /// What is remembered.
    pub state: State,
    /// The servers.
    pub world: World,
}

/// Which way the caller wants the servers to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// As containers where Docker can run, else as processes.
    Whatever,
    /// As containers or not at all.
    Docker,
    /// As processes.
    Processes,
}

impl Lab {
    /// Brings the lab up, or finds it up already and mends what is not as it should be.
    ///
    /// # Errors
    /// When neither way works, or the way that was wished for does not.
    pub async fn up(settings: &Settings, wish: Wish) -> Result<Self> {
        let store = Store::open(settings)?;
        if let Some(state) = store.load()? {
            if (wish, state.mode) == (Wish::Docker, Mode::Processes)
                || (wish, state.mode) == (Wish::Processes, Mode::Docker)
            {
                return Err(LabError::Refused(format!(
                    "the lab is up as {}; take it down first (handbell-lab down)",
                    state.mode.words()
                )));
            }
            let mut lab = Self::with_state(settings, store, state).await?;
            lab.raise().await?;
            return Ok(lab);
        }
        let compose = Compose::read(&settings.lab_dir.join("compose.yaml"))?;
        let (state, world) = match Self::choose(settings, wish).await? {
            Ok(engine) => {
                let ports = ports_of_containers(settings, &compose)?;
                let compose = instance::rename(compose, settings, &ports);
                let why = match engine.daemon {
                    Some(_) => "no Docker engine answered, so the lab started one",
                    None => "a Docker engine answers",
                };
                let mut state = new_state(Mode::Docker, why, ports);
                state.daemon = engine.daemon;
                (
                    state,
                    World::Docker(Box::new(Containers::new(
                        engine.docker,
                        compose,
                        settings.clone(),
                    ))),
                )
            }
            Err(why) => {
                let state = new_state(Mode::Processes, &why, instance::free_ports(&compose)?);
                (state, World::Processes(Processes::new(settings.clone())))
            }
        };
        store.save(&state)?;
        let mut lab = Self {
            settings: settings.clone(),
            store,
            state,
            world,
        };
        lab.raise().await?;
        Ok(lab)
    }

    /// An engine, or the reason why there is none.
    async fn choose(settings: &Settings, wish: Wish) -> Result<Result<Engine, String>> {
        if wish == Wish::Processes {
            return Ok(Err("--without-docker was given".to_owned()));
        }
        match Engine::reach_or_start(settings).await {
            Ok(engine) => Ok(Ok(engine)),
            Err(error) if wish == Wish::Docker => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// The lab that is up.
    ///
    /// # Errors
    /// When none is, or its engine does not answer.
    pub async fn open(settings: &Settings) -> Result<Self> {
        let store = Store::open(settings)?;
        let Some(state) = store.load()? else {
            return Err(LabError::Refused(
                "the lab is not up; bring it up with `handbell-lab up`".to_owned(),
            ));
        };
        Self::with_state(settings, store, state).await
    }

    async fn with_state(settings: &Settings, store: Store, mut state: State) -> Result<Self> {
        let world = match state.mode {
            Mode::Processes => World::Processes(Processes::new(settings.clone())),
            Mode::Docker => {
                let engine = Engine::reach_or_start(settings).await?;
                state.daemon = engine.daemon.or(state.daemon);
                store.save(&state)?;
                let compose = Compose::read(&settings.lab_dir.join("compose.yaml"))?;
                let compose = instance::rename(compose, settings, &state.ports);
                World::Docker(Box::new(Containers::new(
                    engine.docker,
                    compose,
                    settings.clone(),
                )))
            }
        };
        Ok(Self {
            settings: settings.clone(),
            store,
            state,
            world,
        })
    }

    /// Takes everything down: servers, background processes, data, and the Docker daemon where the lab started it.
    /// Returns `false` when nothing was up.
    ///
    /// # Errors
    /// When something does not stop.
    pub async fn down(settings: &Settings) -> Result<bool> {
        let store = Store::open(settings)?;
        let Some(state) = store.load()? else {
            return engine::stop_own(settings).await;
        };
        for process in state.broken.iter().flat_map(|broken| &broken.background) {
            process.kill().await?;
        }
        if state.mode == Mode::Docker {
            match engine::reach(&settings.docker_host).await {
                Ok(docker) => {
                    let compose = Compose::read(&settings.lab_dir.join("compose.yaml"))?;
                    let compose = instance::rename(compose, settings, &state.ports);
                    Containers::new(docker, compose, settings.clone())
                        .remove_all()
                        .await?;
                }
                Err(why) if state.daemon.as_ref().is_some_and(Process::runs) => {
                    return Err(LabError::NoEngine(why));
                }
                Err(why) => say::progress(format!(
                    "{why}; its containers stay as they are until it runs again"
                )),
            }
        }
        for server in state.servers.values() {
            server.stop().await?;
        }
        engine::stop_own(settings).await?;
        Processes::new(settings.clone()).clear_data()?;
        store.forget()?;
        Ok(true)
    }

    /// Where Redis is.
    ///
    /// # Errors
    /// When the password file cannot be read.
    pub fn place(&self) -> Result<Place> {
        let path = self.settings.lab_dir.join(PASSWORD_FILE);
        let password = std::fs::read_to_string(&path).map_err(LabError::file("read", &path))?;
        let port = self.state.ports.get(REDIS).copied().unwrap_or_default();
        Ok(Place {
            port,
            password: password.trim_end().to_owned(),
        })
    }

    /// Makes what is missing and mends what is not as described, until both servers are well.
    async fn raise(&mut self) -> Result<()> {
        match &self.world {
            World::Docker(containers) => {
                for service in containers.compose().services.values() {
                    images::ensure(&self.settings, containers.docker(), service).await?;
                }
            }
            World::Processes(_) => say::progress(format!(
                "Redis and the backend run as plain processes: {}.",
                self.state.why
            )),
        }
        if self.state.broken.is_none() {
            self.put_right().await?;
        }
        config_dir::write(&self.settings, &self.state)?;
        self.store.save(&self.state)
    }

    /// Makes Redis and the backend as they are described, keeping what is so already, and remembers Redis' settings.
    ///
    /// # Errors
    /// When a server does not become well.
    pub async fn put_right(&mut self) -> Result<()> {
        match &self.world {
            World::Docker(containers) => {
                containers.make_ground().await?;
                for name in [REDIS, BACKEND] {
                    if !containers.is_as_described(name).await? {
                        containers.remove(name).await?;
                        containers.create(name, &Changes::default()).await?;
                        if name == REDIS {
                            self.state.healthy_config.clear(); // its settings may be new ones
                        }
                    }
                    containers.wait_healthy(name).await?;
                }
            }
            World::Processes(processes) => {
                let processes = processes.clone();
                let runs =
                    |state: &State, name: &str| state.servers.get(name).is_some_and(Process::runs);
                if !runs(&self.state, REDIS) {
                    processes.start_redis(&mut self.state, &[])?;
                    self.state.healthy_config.clear();
                }
                if !runs(&self.state, BACKEND) {
                    processes.start_backend(&mut self.state)?;
                }
                self.store.save(&self.state)?;
            }
        }
        self.wait_for_redis().await?;
        if self.state.healthy_config.is_empty() {
            self.state.healthy_config = self.place()?.link().await?.config().await?;
        }
        self.store.save(&self.state)
    }

    /// Begins again with a new Redis without data: the surest way back to health.
    ///
    /// # Errors
    /// When a server does not become well.
    pub async fn renew_redis(&mut self) -> Result<()> {
        match &self.world {
            World::Docker(containers) => {
                containers.remove(REDIS).await?;
                containers.remove_volumes(REDIS).await?;
            }
            World::Processes(processes) => {
                if let Some(server) = self.state.servers.get(REDIS) {
                    server.kill().await?;
                }
                processes.clear_data()?;
            }
        }
        self.put_right().await
    }

    /// Waits until Redis answers PING with PONG.
    ///
    /// # Errors
    /// When it does not within 20 seconds.
    pub async fn wait_for_redis(&self) -> Result<()> {
        let place = self.place()?;
        let deadline = tokio::time::Instant::now() + ANSWER_LIMIT;
        loop {
            let seen = match place.connect(Duration::from_secs(1)).await {
                Ok(mut link) => match link.command(&["PING"]).await {
                    Ok(redis::Value::SimpleString(word)) if word == "PONG" => return Ok(()),
                    Ok(other) => format!("{other:?}"),
                    Err(error) => error.to_string(),
                },
                Err(error) => error.to_string(),
            };
            if let (World::Processes(processes), Some(server)) =
                (&self.world, self.state.servers.get(REDIS))
                && !server.runs()
            {
                let log = processes.log(REDIS);
                let why = format!(
                    "ended at once; what it said stands at the end of {}",
                    log.display()
                );
                return Err(LabError::Program {
                    program: "redis-server".to_owned(),
                    why,
                });
            }
            if tokio::time::Instant::now() > deadline {
                let what = format!("Redis at {} answers PING", place.address());
                return Err(LabError::TooLate {
                    what,
                    seen,
                    waited: ANSWER_LIMIT,
                });
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

/// The mall has the ports that everybody knows; another instance has free ones.
fn ports_of_containers(settings: &Settings, compose: &Compose) -> Result<BTreeMap<String, u16>> {
    if settings.is_the_mall() {
        Ok(instance::fixed_ports(compose))
    } else {
        instance::free_ports(compose)
    }
}

fn new_state(mode: Mode, why: &str, ports: BTreeMap<String, u16>) -> State {
    State {
        mode,
        why: why.to_owned(),
        ports,
        daemon: None,
        servers: BTreeMap::new(),
        healthy_config: BTreeMap::new(),
        broken: None,
    }
}
