//! The database as a plain process: MariaDB from Debian's package. Its first data is made once and kept in the cache
//! directory, so that a new database is a copy.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{Processes, need, remove_directory};
use crate::error::{LabError, Result};
use crate::job::SqlUser;
use crate::lab::secret;
use crate::process::Process;
use crate::say;
use crate::service::Service;
use crate::sql::Door;

/// The files that a database is made from, relative to `lab/`, in their order.
const STATEMENTS: [&str; 4] = ["schema.sql", "seed.sql", "users.sql", "lab-users.sql"];

/// Where they are.
const DIRECTORY: &str = "sql";

/// How long a database that is being made may take until it can be connected to.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long all statements of one file may take.
const SEED_LIMIT: Duration = Duration::from_mins(3);

/// How often it is tried meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Processes {
    /// Where the slow log is.
    #[must_use]
    pub fn slow_log(&self) -> PathBuf {
        self.settings.state_dir.join("mysql-slow.log")
    }

    pub(super) async fn database(&self) -> Result<Command> {
        let data = self.data(Service::MysqlMaster);
        if !data.is_dir() {
            let first = self.first_data().await?;
            let next = data.with_extension("next");
            remove_directory(&next)?;
            copy_directory(&first, &next)?;
            std::fs::rename(&next, &data).map_err(LabError::file("write", &data))?;
        }
        self.mariadbd(&data, &["--bind-address=127.0.0.1"])
    }

    fn mariadbd(&self, data: &Path, more: &[&str]) -> Result<Command> {
        let mut command = Command::new(need("mariadbd", "mariadb-server")?);
        let file = |name: &str| data.join(name).display().to_string();
        command
            .arg(format!("--defaults-file={}", self.conf().display()))
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", file("s")))
            .arg(format!("--pid-file={}", file("mysqld.pid")))
            .arg(format!("--port={}", self.port(Service::MysqlMaster)))
            .arg(format!(
                "--slow-query-log-file={}",
                self.slow_log().display()
            ))
            .args(more);
        if rustix::process::getuid().is_root() {
            command.arg("--user=root"); // else it refuses to run
        }
        Ok(command)
    }

    fn conf(&self) -> PathBuf {
        self.settings.lab_dir.join(DIRECTORY).join("mall.cnf")
    }

    fn statements(&self) -> Result<Vec<String>> {
        let passwords = [
            ("{{MALL_PASSWORD}}", SqlUser::Mall),
            ("{{HANDBELL_PASSWORD}}", SqlUser::Handbell),
        ];
        let mut texts = Vec::new();
        for name in STATEMENTS {
            let path = self.settings.lab_dir.join(DIRECTORY).join(name);
            let mut text = std::fs::read_to_string(&path).map_err(LabError::file("read", &path))?;
            for (place, user) in passwords {
                let password = secret(&self.settings, user.password_file())?;
                text = text.replace(place, &password);
            }
            texts.push(text);
        }
        Ok(texts)
    }

    /// The data of a new database; made where the cache has none of today's files.
    async fn first_data(&self) -> Result<PathBuf> {
        let statements = self.statements()?;
        let conf = self.conf();
        let settings = std::fs::read(&conf).map_err(LabError::file("read", &conf))?;
        let mut hash = Sha256::new_with_prefix(settings);
        for text in &statements {
            hash.update(text);
        }
        let name = format!("mariadb-data-{}", hex::encode(hash.finalize()));
        let kept = self
            .settings
            .cache_dir
            .join(name.get(..29).unwrap_or(&name));
        if kept.is_dir() {
            return Ok(kept);
        }
        std::fs::create_dir_all(&self.settings.cache_dir)
            .map_err(LabError::file("make", &self.settings.cache_dir))?;
        let work = tempfile::Builder::new()
            .prefix("data-")
            .tempdir_in(&self.settings.cache_dir)
            .map_err(LabError::file(
                "make a directory in",
                &self.settings.cache_dir,
            ))?;
        let data = work.path().join("data");
        say::during(
            "Making the database's first data (once)",
            self.make_data(&data, &statements),
        )
        .await?;
        if !kept.is_dir() {
            std::fs::rename(&data, &kept).map_err(LabError::file("write", &kept))?;
        }
        Ok(kept)
    }

    async fn make_data(&self, data: &Path, statements: &[String]) -> Result<()> {
        let log = self.settings.state_dir.join("mysql-install.log");
        let mut install =
            tokio::process::Command::new(need("mariadb-install-db", "mariadb-server")?);
        let output = std::fs::File::create(&log).map_err(LabError::file("write", &log))?;
        let errors = output.try_clone().map_err(LabError::file("write", &log))?;
        install
            .arg(format!("--defaults-file={}", self.conf().display()))
            .arg(format!("--datadir={}", data.display()))
            .args(["--skip-test-db", "--auth-root-authentication-method=normal"])
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true);
        if rustix::process::getuid().is_root() {
            install.arg("--user=root");
        }
        let status = install
            .status()
            .await
            .map_err(|error| failed(&error.to_string(), &log))?;
        if !status.success() {
            return Err(failed(&status.to_string(), &log));
        }
        let command = self.mariadbd(data, &["--skip-networking"])?;
        let server = Process::spawn("mariadbd", command, &log)?;
        let filled = fill(&data.join("s"), &server, statements, &log).await;
        server.stop().await?;
        filled?;
        for item in std::fs::read_dir(data).map_err(LabError::file("read", data))? {
            let path = item.map_err(LabError::file("read", data))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("mall-bin.") || name == "s" {
                std::fs::remove_file(&path).map_err(LabError::file("delete", &path))?;
            }
        }
        let _ = std::fs::remove_file(self.slow_log()); // seeding is slow and says nothing about the mall
        Ok(())
    }
}

async fn fill(socket: &Path, server: &Process, statements: &[String], log: &Path) -> Result<()> {
    let deadline = tokio::time::Instant::now() + START_LIMIT;
    let door = Door::socket(socket);
    let mut sql = loop {
        match door.open().await {
            Ok(sql) => break sql,
            Err(error) if tokio::time::Instant::now() > deadline || !server.runs() => {
                return Err(failed(&error.to_string(), log));
            }
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    };
    for text in statements {
        sql.run_within(text, SEED_LIMIT).await?;
    }
    sql.close().await;
    Ok(())
}

fn failed(how: &str, log: &Path) -> LabError {
    LabError::Program {
        program: "mariadb".to_owned(),
        why: format!(
            "could not make its first data ({how}); what it said stands in {}",
            log.display()
        ),
    }
}

/// Copies a directory of plain files and directories.
fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).map_err(LabError::file("make", to))?;
    for item in std::fs::read_dir(from).map_err(LabError::file("read", from))? {
        let item = item.map_err(LabError::file("read", from))?;
        let (path, target) = (item.path(), to.join(item.file_name()));
        if path.is_dir() {
            copy_directory(&path, &target)?;
        } else {
            std::fs::copy(&path, &target).map_err(LabError::file("copy", &path))?;
        }
    }
    Ok(())
}
