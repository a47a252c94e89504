//! What the lab remembers between two runs: one JSON file in the state directory, behind a lock, so that two runs of
//! the lab never break and heal at the same time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{LabError, Result};
use crate::instance::Ports;
use crate::process::Process;
use crate::say;
use crate::service::Database;
use crate::settings::Settings;

/// How the servers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// As containers of a Docker engine.
    Docker,
    /// As plain child processes from Debian's packages.
    Processes,
}

impl Mode {
    /// The mode in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Docker => "containers",
            Self::Processes => "plain processes",
        }
    }
}

/// A lab that is up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// How its servers run.
    pub mode: Mode,
    /// Why it is this mode, in words.
    pub why: String,
    /// Which database it has.
    pub database: Database,
    /// Ports on 127.0.0.1.
    pub ports: Ports,
    /// The Docker daemon, when the lab itself started it.
    #[serde(default)]
    pub daemon: Option<Process>,
    /// The servers, in process mode. They stand in a file of their own.
    #[serde(skip)]
    pub servers: BTreeMap<String, Process>,
    /// Redis' own settings in good health (`CONFIG GET *`).
    #[serde(default)]
    pub healthy_config: BTreeMap<String, String>,
    /// The database in good health: settings, structure, seeded rows, users.
    #[serde(default)]
    pub healthy_database: BTreeMap<String, String>,
    /// The servers that a fault started with other arguments or another environment, in process mode.
    #[serde(default)]
    pub differing: Vec<String>,
    /// The fault that is in force, if any.
    #[serde(default)]
    pub broken: Option<Broken>,
}

/// A fault in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Broken {
    /// Its name.
    pub fault: String,
    /// Processes that keep it up.
    pub background: Vec<Process>,
}

/// The locked state directory. While this value lives, no other run of the lab works on the same instance.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    /// `None` for whoever works beside the one that has the lock.
    lock: Option<File>,
}

impl Store {
    /// Makes the state directory (readable by its owner alone: it may hold a token) and waits for its lock.
    ///
    /// # Errors
    /// When the directory cannot be made or locked.
    pub fn open(settings: &Settings) -> Result<Self> {
        let directory = settings.state_dir.clone();
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .map_err(LabError::file("make", &directory))?;
        let path = directory.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(LabError::file("open", &path))?;
        if lock.try_lock().is_err() {
            say::progress(format!(
                "Another handbell-lab works on this lab ({}); waiting for it …",
                path.display()
            ));
            lock.lock().map_err(LabError::file("lock", &path))?;
        }
        Ok(Self {
            directory,
            lock: Some(lock),
        })
    }

    /// The state directory beside whoever has its lock. What is saved through it are the servers alone.
    #[must_use]
    pub fn beside(settings: &Settings) -> Self {
        Self {
            directory: settings.state_dir.clone(),
            lock: None,
        }
    }

    /// A look at the state without waiting for the lock; the file is always whole.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn peek(settings: &Settings) -> Result<Option<State>> {
        read(&settings.state_dir.join("lab.json"))
    }

    /// The directory itself.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn file(&self) -> PathBuf {
        self.directory.join("lab.json")
    }

    /// The state, or `None` when no lab is up.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn load(&self) -> Result<Option<State>> {
        let Some(mut state) = read::<State>(&self.file())? else {
            return Ok(None);
        };
        if let Some(servers) = read(&self.servers())? {
            state.servers = servers;
        }
        Ok(Some(state))
    }

    /// The servers alone, which a fault that goes on starts and stops, too.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn reload_servers(&self, state: &mut State) -> Result<()> {
        if let Some(servers) = read(&self.servers())? {
            state.servers = servers;
        }
        Ok(())
    }

    fn servers(&self) -> PathBuf {
        self.directory.join("servers.json")
    }

    /// Writes the state, whole or not at all.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn save(&self, state: &State) -> Result<()> {
        let servers = serde_json::to_vec_pretty(&state.servers).unwrap_or_default();
        write_private(&self.servers(), &servers)?;
        if self.lock.is_none() {
            return Ok(());
        }
        let json = serde_json::to_vec_pretty(state).unwrap_or_default();
        write_private(&self.file(), &json)
    }

    /// Forgets the lab.
    ///
    /// # Errors
    /// When the file cannot be deleted.
    pub fn forget(&self) -> Result<()> {
        for path in [self.file(), self.servers()] {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(LabError::file("delete", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Writes a file that its owner alone may read, by way of a second one, so that a reader sees the old or the new.
///
/// # Errors
/// When the file or its directory cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let next = path.with_extension("next");
    let _ = std::fs::remove_file(&next);
    let mut file = File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&next)
        .map_err(LabError::file("write", &next))?;
    file.write_all(content)
        .map_err(LabError::file("write", &next))?;
    std::fs::rename(&next, path).map_err(LabError::file("write", path))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LabError::file("read", path)(error)),
    };
    let wrong = |error: serde_json::Error| LabError::Content {
        path: path.to_path_buf(),
        why: format!(
            "is not a state of this lab ({error}); stop the lab's servers and delete the file"
        ),
    };
    serde_json::from_str(&text).map(Some).map_err(wrong)
}
