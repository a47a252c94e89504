//! The mall as plain processes, for machines where Docker cannot run: the same configurations and the same programs,
//! started from Debian's packages in the state directory.

mod database;
mod front;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::compose::Compose;
use crate::error::{LabError, Result};
use crate::instance::{self, Ports};
use crate::process::{Process, find_program};
use crate::service::{Database, Service};
use crate::settings::Settings;
use crate::state::State;

/// Redis' configuration, relative to `lab/`: the file that the image holds too.
const REDIS_CONF: &str = "images/redis/redis.conf";

/// The plain processes of one instance.
#[derive(Debug, Clone)]
pub struct Processes {
    settings: Settings,
    compose: Compose,
    ports: Ports,
}

/// What a fault changes of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Other {
    /// More arguments at the end of its command.
    pub arguments: Vec<String>,
    /// Other environment variables.
    pub environment: BTreeMap<String, String>,
}

impl Processes {
    /// The processes that live in this state directory.
    ///
    /// # Errors
    /// When `compose.yaml`, whose settings they share, cannot be read.
    pub fn new(settings: &Settings, database: Database, ports: &Ports) -> Result<Self> {
        Ok(Self {
            settings: settings.clone(),
            compose: instance::read(settings, database)?,
            ports: ports.clone(),
        })
    }

    /// The directory of a service's data.
    #[must_use]
    pub fn data(&self, service: Service) -> PathBuf {
        self.settings.state_dir.join(format!("{service}-data"))
    }

    /// Where a service's output goes.
    #[must_use]
    pub fn log(&self, service: Service) -> PathBuf {
        self.settings.state_dir.join(format!("{service}.log"))
    }

    /// Starts a service.
    ///
    /// # Errors
    /// When its program is not installed or cannot be started.
    pub async fn start(&self, state: &mut State, service: Service, other: &Other) -> Result<()> {
        let mut command = match service {
            Service::RedisMaster => self.redis()?,
            Service::MysqlMaster => self.database().await?,
            Service::Nginx => self.nginx()?,
            Service::Wechatpay | Service::Dns | Service::Backend => self.python(service)?,
        };
        command
            .args(&other.arguments)
            .envs(&other.environment)
            .current_dir(&self.settings.state_dir);
        let server = Process::spawn(service.key(), command, &self.log(service))?;
        state.servers.insert(service.key().to_owned(), server);
        state.differing.retain(|name| name != service.key());
        if *other != Other::default() {
            state.differing.push(service.key().to_owned());
        }
        Ok(())
    }

    fn port(&self, service: Service) -> u16 {
        instance::port(&self.ports, service)
    }

    fn redis(&self) -> Result<Command> {
        let program = need("redis-server", "redis-server")?;
        let data = self.data(Service::RedisMaster);
        std::fs::create_dir_all(&data).map_err(LabError::file("make", &data))?;
        let port = self.port(Service::RedisMaster).to_string();
        let mut command = Command::new(program);
        command
            .arg(self.settings.lab_dir.join(REDIS_CONF))
            .args(["--bind", "127.0.0.1", "--port", &port, "--dir"])
            .arg(&data);
        Ok(command)
    }

    /// A program in Python, with the environment that `compose.yaml` gives it.
    fn python(&self, service: Service) -> Result<Command> {
        let program = need("python3", "python3")?; // Debian's, whose packages it needs
        let described = self.compose.services.get(service.key());
        let described =
            described.ok_or_else(|| LabError::Refused(format!("compose.yaml has no {service}")))?;
        let app = self
            .settings
            .lab_dir
            .join(&described.build.context)
            .join("app.py");
        let mut command = Command::new(program);
        command
            .arg("-u")
            .arg(app)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("HOST", "127.0.0.1");
        if service == Service::Dns {
            let zones = self.data(service);
            std::fs::create_dir_all(&zones).map_err(LabError::file("make", &zones))?;
            for name in ["server-1.zone", "server-2.zone"] {
                let from = self
                    .settings
                    .lab_dir
                    .join(&described.build.context)
                    .join(name);
                let to = zones.join(name);
                if !to.is_file() {
                    std::fs::copy(&from, &to).map_err(LabError::file("copy", &from))?;
                }
            }
            command.env("ZONES", zones);
        }
        for (name, value) in &described.environment {
            command.env(
                name,
                self.here(service, name, value, &described.environment),
            );
        }
        Ok(command)
    }

    /// A setting of a container as it is for a plain process: a secret is its file, another service is a port of
    /// 127.0.0.1.
    fn here(
        &self,
        service: Service,
        name: &str,
        value: &str,
        all: &BTreeMap<String, String>,
    ) -> String {
        if name == "PORT" {
            return self.port(service).to_string();
        }
        if name == "PORTS" {
            let ports = value.split(',').filter_map(|port| port.parse().ok());
            let ports: Vec<String> = ports
                .map(|port| self.published(service, port).to_string())
                .collect();
            return ports.join(",");
        }
        let by_name = |key: &str| Service::ALL.into_iter().find(|other| other.key() == key);
        if name.ends_with("_HOST") && by_name(value).is_some() {
            return "127.0.0.1".to_owned();
        }
        let host = name
            .strip_suffix("_PORT")
            .and_then(|stem| all.get(&format!("{stem}_HOST")));
        if let Some(other) = host.and_then(|host| by_name(host)) {
            return self.port(other).to_string();
        }
        self.translated(value)
    }

    /// Part of a file of a container as it is in the file of a plain process.
    #[must_use]
    pub fn here_in(&self, text: &str) -> String {
        self.translated(text)
    }

    /// A text in which paths and addresses of containers are replaced by those of plain processes.
    fn translated(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // The longest first: one key may begin another.
        let mut secrets: Vec<_> = self.compose.secrets.iter().collect();
        secrets.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
        for (key, secret) in secrets {
            let file = self.settings.lab_dir.join(&secret.file);
            text = text.replace(&format!("/run/secrets/{key}"), &file.display().to_string());
        }
        for service in Service::ALL {
            let Some(described) = self.compose.services.get(service.key()) else {
                continue;
            };
            for port in &described.ports {
                let here = format!("127.0.0.1:{}", self.published(service, port.container));
                text = text.replace(&format!("{service}:{}", port.container), &here);
            }
        }
        text
    }

    fn published(&self, service: Service, container: u16) -> u16 {
        match instance::port_of(&self.ports, service, container) {
            0 => self.port(service),
            port => port,
        }
    }

    /// Deletes a service's data.
    ///
    /// # Errors
    /// When the directory cannot be deleted.
    pub fn clear_data(&self, service: Service) -> Result<()> {
        remove_directory(&self.data(service))
    }

    /// Deletes a stopped service's logs, and with them Nginx' whole directory.
    ///
    /// # Errors
    /// When one cannot be deleted.
    pub fn clear_logs(&self, service: Service) -> Result<()> {
        let mut logs = vec![self.log(service)];
        match service {
            Service::MysqlMaster => logs.push(self.slow_log()),
            Service::Nginx => remove_directory(&self.nginx_directory())?,
            _ => {}
        }
        for log in logs {
            match std::fs::remove_file(&log) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(LabError::file("delete", &log)(error));
                }
                _ => {}
            }
        }
        Ok(())
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
