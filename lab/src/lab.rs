//! One lab, whichever way it runs: up, down, and back to how it is described.

use std::collections::BTreeMap;

use crate::docker::Containers;
use crate::engine::{self, Engine};
use crate::error::{LabError, Result};
use crate::instance::{self, Ports};
use crate::job::SqlUser;
use crate::link::Place;
use crate::process::Process;
use crate::processes::{Processes, remove_directory};
use crate::say;
use crate::service::{Database, Service};
use crate::settings::Settings;
use crate::sql::Door;
use crate::state::{Mode, State, Store};

/// The password of Redis, relative to `lab/`.
pub const REDIS_PASSWORD: &str = "config/redis.password";

/// How the servers are reached.
#[derive(Debug)]
pub enum World {
    /// As containers.
    Docker(Box<Containers>),
    /// As plain processes.
    Processes(Box<Processes>),
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
    pub async fn up(settings: &Settings, wish: Wish, database: Option<Database>) -> Result<Self> {
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
            if let Some(wanted) = database.filter(|wanted| *wanted != state.database) {
                return Err(LabError::Refused(format!(
                    "the lab is up with {}, not with {}; take it down first (handbell-lab down)",
                    state.database.words(),
                    wanted.words()
                )));
            }
            let mut lab = Self::with_state(settings, store, state).await?;
            lab.raise().await?;
            return Ok(lab);
        }
        let (state, world) = match Self::choose(settings, wish).await? {
            Ok(engine) => {
                let database = database.unwrap_or(Database::Mysql);
                let ports = ports_of_containers(settings, database)?;
                let why = match engine.daemon {
                    Some(_) => "no Docker engine answered, so the lab started one",
                    None => "a Docker engine answers",
                };
                let mut state = new_state(Mode::Docker, why, database, ports);
                let world = containers(settings, &state, engine.docker)?;
                state.daemon = engine.daemon;
                (state, world)
            }
            Err(why) => {
                let database = database.unwrap_or(Database::Mariadb);
                if database == Database::Mysql {
                    return Err(LabError::Refused(
                        "plain processes come from Debian's stable packages, which have MariaDB and no MySQL; \
                         MySQL runs as a container"
                            .to_owned(),
                    ));
                }
                let ports = instance::free_ports(&instance::read(settings, database)?)?;
                let processes = Processes::new(settings, database, &ports)?;
                let state = new_state(Mode::Processes, &why, database, ports);
                (state, World::Processes(Box::new(processes)))
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

    /// The lab that is up, beside whoever works on it: for a fault that goes on. What it starts stands in a file of its
    /// own (see [`crate::state::Store::beside`]).
    ///
    /// # Errors
    /// As [`Lab::open`].
    pub(crate) async fn beside(settings: &Settings) -> Result<Self> {
        let store = Store::beside(settings);
        let Some(state) = store.load()? else {
            return Err(LabError::Refused("the lab is not up".to_owned()));
        };
        Self::with_state(settings, store, state).await
    }

    async fn with_state(settings: &Settings, store: Store, mut state: State) -> Result<Self> {
        let world = match state.mode {
            Mode::Processes => World::Processes(Box::new(Processes::new(
                settings,
                state.database,
                &state.ports,
            )?)),
            Mode::Docker => {
                let engine = Engine::reach_or_start(settings).await?;
                state.daemon = engine.daemon.or(state.daemon);
                store.save(&state)?;
                containers(settings, &state, engine.docker)?
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
                    let compose = instance::compose(settings, state.database, &state.ports)?;
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
        for service in Service::ALL.into_iter().rev() {
            if let Some(server) = state.servers.get(service.key()) {
                server.stop().await?;
            }
        }
        engine::stop_own(settings).await?;
        for service in Service::ALL {
            remove_directory(&settings.state_dir.join(format!("{service}-data")))?;
        }
        remove_directory(&settings.state_dir.join("nginx"))?;
        store.forget()?;
        Ok(true)
    }

    /// Where Redis is.
    ///
    /// # Errors
    /// When the password file cannot be read.
    pub fn place(&self) -> Result<Place> {
        Ok(Place {
            port: self.port(Service::RedisMaster),
            password: secret(&self.settings, REDIS_PASSWORD)?,
        })
    }

    /// The way into the database, as its root.
    ///
    /// # Errors
    /// When the password file cannot be read.
    pub fn door(&self) -> Result<Door> {
        self.door_of(SqlUser::Root)
    }

    /// The way into the database of one of its users.
    ///
    /// # Errors
    /// When the password file cannot be read.
    pub fn door_of(&self, user: SqlUser) -> Result<Door> {
        let password = secret(&self.settings, user.password_file())?;
        let port = self.port(Service::MysqlMaster);
        Ok(Door::tcp(port, user.name(), &password))
    }

    /// A service's port on 127.0.0.1.
    #[must_use]
    pub fn port(&self, service: Service) -> u16 {
        instance::port(&self.state.ports, service)
    }
}

fn containers(settings: &Settings, state: &State, docker: bollard::Docker) -> Result<World> {
    let compose = instance::compose(settings, state.database, &state.ports)?;
    let containers = Containers::new(docker, compose, settings.clone());
    Ok(World::Docker(Box::new(containers)))
}

/// The first line of a file with a password.
pub(crate) fn secret(settings: &Settings, file: &str) -> Result<String> {
    let path = settings.lab_dir.join(file);
    let text = std::fs::read_to_string(&path).map_err(LabError::file("read", &path))?;
    Ok(text.trim_end().to_owned())
}

/// The mall has the ports that everybody knows; another instance has free ones.
fn ports_of_containers(settings: &Settings, database: Database) -> Result<Ports> {
    let compose = instance::read(settings, database)?;
    if settings.is_the_mall() {
        Ok(instance::fixed_ports(&compose))
    } else {
        instance::free_ports(&compose)
    }
}

fn new_state(mode: Mode, why: &str, database: Database, ports: Ports) -> State {
    State {
        mode,
        why: why.to_owned(),
        database,
        ports,
        daemon: None,
        servers: BTreeMap::new(),
        healthy_config: BTreeMap::new(),
        healthy_database: BTreeMap::new(),
        differing: Vec::new(),
        broken: None,
    }
}
