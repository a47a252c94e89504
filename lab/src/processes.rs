//! The mall as plain processes, for machines where Docker cannot run: the same Redis configuration and the same
//! backend, started from Debian's packages in the state directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{LabError, Result};
use crate::instance::{BACKEND, REDIS};
use crate::process::{Process, find_program};
use crate::settings::Settings;
use crate::state::State;

/// Redis' configuration, relative to `lab/`: the file that the image holds too.
const REDIS_CONF: &str = "images/redis/redis.conf";

/// The backend, relative to `lab/`.
const BACKEND_APP: &str = "images/backend/app.py";

/// The password file, relative to `lab/`.
pub const PASSWORD_FILE: &str = "config/redis.password";

/// The plain processes of one instance.
#[derive(Debug, Clone)]
pub struct Processes {
    settings: Settings,
}

impl Processes {
    /// The processes that live in this state directory.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Redis' data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.settings.state_dir.join("redis-data")
    }

    /// Where Redis' output goes.
    #[must_use]
    pub fn log(&self, service: &str) -> PathBuf {
        self.settings.state_dir.join(format!("{service}.log"))
    }

    /// Starts Redis, with more arguments at the end of its command.
    ///
    /// # Errors
    /// When it is not installed or cannot be started.
    pub fn start_redis(&self, state: &mut State, arguments: &[String]) -> Result<()> {
        let program = need("redis-server", "redis-server")?;
        let data = self.data();
        std::fs::create_dir_all(&data).map_err(LabError::file("make", &data))?;
        let port = state
            .ports
            .get(REDIS)
            .copied()
            .unwrap_or_default()
            .to_string();
        let mut command = Command::new(program);
        command
            .arg(self.settings.lab_dir.join(REDIS_CONF))
            .args(["--bind", "127.0.0.1", "--port", &port, "--dir"])
            .arg(&data)
            .args(arguments)
            .current_dir(&self.settings.state_dir);
        let server = Process::spawn(REDIS, command, &self.log(REDIS))?;
        state.servers.insert(REDIS.to_owned(), server);
        Ok(())
    }

    /// Starts the backend.
    ///
    /// # Errors
    /// When Python is not installed or the backend cannot be started.
    pub fn start_backend(&self, state: &mut State) -> Result<()> {
        let program = need("python3", "python3")?;
        let port = |service: &str| {
            state
                .ports
                .get(service)
                .copied()
                .unwrap_or_default()
                .to_string()
        };
        let mut command = Command::new(program);
        command
            .arg("-u")
            .arg(self.settings.lab_dir.join(BACKEND_APP))
            .env("HOST", "127.0.0.1")
            .env("PORT", port(BACKEND))
            .env("REDIS_HOST", "127.0.0.1")
            .env("REDIS_PORT", port(REDIS))
            .env(
                "REDIS_PASSWORD_FILE",
                self.settings.lab_dir.join(PASSWORD_FILE),
            )
            .current_dir(&self.settings.state_dir);
        let server = Process::spawn(BACKEND, command, &self.log(BACKEND))?;
        state.servers.insert(BACKEND.to_owned(), server);
        Ok(())
    }

    /// Deletes Redis' data.
    ///
    /// # Errors
    /// When the directory cannot be deleted.
    pub fn clear_data(&self) -> Result<()> {
        remove_directory(&self.data())
    }
}

/// Deletes a directory with everything in it; one that is not there is no error.
///
/// # Errors
/// When it cannot be deleted.
pub fn remove_directory(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LabError::file("delete", path)(error))
        }
        _ => Ok(()),
    }
}

fn need(program: &str, package: &str) -> Result<PathBuf> {
    find_program(program).ok_or_else(|| LabError::Program {
        program: program.to_owned(),
        why: format!(
            "is not installed; `lab/install.sh processes` installs Debian's package {package}"
        ),
    })
}
