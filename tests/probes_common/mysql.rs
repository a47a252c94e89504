//! A real MariaDB, or another MySQL server, on a free port; looks at it through the front door.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use handbell::{
    app::Look,
    config::{MysqlServer, Secret, ServerAddress, Targets},
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        handbook::{ArgValue, Args},
    },
    probes::Probes,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, mysql::MySqlConnection};
use tempfile::TempDir;

use super::{DEADLINE, free_port, see_within};

/// The password of the account `handbell`.
pub(crate) const PASSWORD: &str = "planted-hunter2-secret";

/// The program of the server that is tested: MariaDB's, unless another is asked for.
fn program() -> &'static str {
    ["/usr/sbin/mariadbd", "/usr/sbin/mysqld"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("MariaDB must be installed (Debian: mariadb-server)")
}

/// An empty data directory; made once for each test program, since it takes seconds.
fn template() -> &'static TempDir {
    static TEMPLATE: OnceLock<TempDir> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let dir = TempDir::new().expect("a directory");
        let done = Command::new("mariadb-install-db")
            .arg("--no-defaults")
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", dir.path().join("data").display()))
            .args(as_user())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "mariadb-install-db"
        );
        dir
    })
}

/// Root must say that it means it.
fn as_user() -> Vec<&'static str> {
    if rustix_is_root() {
        vec!["--user=root"]
    } else {
        Vec::new()
    }
}

fn rustix_is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|self_| self_.uid() == 0)
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(done.is_ok_and(|status| status.success()), "cp -a");
}

/// A real MariaDB in a directory of its own; it ends with its value.
pub(crate) struct Db {
    child: Child,
    pub(crate) dir: TempDir,
    pub(crate) port: u16,
}

impl Db {
    /// A server with these settings beside the usual ones, and the account `handbell`.
    pub(crate) async fn start(settings: &[&str]) -> Self {
        let dir = TempDir::new().expect("a directory");
        copy(&template().path().join("data"), dir.path());
        let init = format!(
            "CREATE USER handbell@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT SELECT, PROCESS, BINLOG MONITOR, REPLICA MONITOR ON *.* TO handbell@'127.0.0.1';\n\
             CREATE USER stranger@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
             CREATE USER boss@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL ON *.* TO boss@'127.0.0.1' WITH GRANT OPTION;\n\
             CREATE DATABASE mall;\n"
        );
        std::fs::write(dir.path().join("init.sql"), init).expect("a file");
        let port = free_port();
        let mut server = Self {
            child: Self::spawn(&dir, port, settings, true),
            dir,
            port,
        };
        server.wait().await;
        server
    }

    fn spawn(dir: &TempDir, port: u16, settings: &[&str], init: bool) -> Child {
        let at = |name: &str| dir.path().join(name).display().to_string();
        let mut command = Command::new(program());
        command
            .arg("--no-defaults")
            .args(as_user())
            .arg(format!("--datadir={}", at("data")))
            .arg(format!("--socket={}", at("db.sock")))
            .arg(format!("--pid-file={}", at("db.pid")))
            .arg(format!("--port={port}"))
            .args(["--bind-address=127.0.0.1", "--skip-name-resolve"])
            .args([
                "--innodb-buffer-pool-size=32M",
                "--innodb-log-file-size=16M",
            ])
            .args(settings)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at("error.log")).expect("a file"));
        if init {
            command.arg(format!("--init-file={}", at("init.sql")));
        }
        command.spawn().expect("the server starts")
    }

    async fn wait(&mut self) {
        let began = Instant::now();
        while self.try_client("boss").await.is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "the server does not listen: {}",
                std::fs::read_to_string(self.dir.path().join("error.log")).unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Sends it a signal by its process id.
    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(done.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    /// Ends it in good order and starts it again with its data; it counts connections anew.
    pub(crate) async fn restart(&mut self) {
        self.signal("TERM");
        let _ = self.child.wait();
        self.child = Self::spawn(&self.dir, self.port, &[], false);
        self.wait().await;
    }

    pub(crate) async fn try_client(&self, user: &str) -> Result<MySqlConnection, sqlx::Error> {
        let options = sqlx::mysql::MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(self.port)
            .username(user)
            .password(PASSWORD)
            .ssl_mode(sqlx::mysql::MySqlSslMode::Disabled);
        MySqlConnection::connect_with(&options).await
    }

    /// A client's connection, with every privilege.
    pub(crate) async fn client(&self) -> MySqlConnection {
        self.try_client("boss").await.expect("a connection")
    }

    /// A connection of an account without privileges.
    pub(crate) async fn stranger(&self) -> MySqlConnection {
        self.try_client("stranger").await.expect("a connection")
    }

    /// Carries out statements, one after the other.
    pub(crate) async fn run(&self, statements: &[&str]) {
        let mut client = self.client().await;
        for statement in statements {
            run(&mut client, statement).await;
        }
        let _ = client.close().await;
    }

    /// This server as a target.
    pub(crate) fn target(&self) -> MysqlServer {
        self.target_of("handbell", PASSWORD)
    }

    /// The same with another login.
    pub(crate) fn target_of(&self, user: &str, password: &str) -> MysqlServer {
        let path = self
            .dir
            .path()
            .join(format!("{user}-{}.password", password.len()));
        std::fs::write(&path, format!("{password}\n")).expect("a file");
        MysqlServer {
            username: user.to_owned(),
            password: Some(Secret::File { path }),
            ..at(self.port)
        }
    }

    /// Its unix socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("db.sock")
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Carries out one statement.
pub(crate) async fn run(client: &mut MySqlConnection, statement: &str) {
    let done = client
        .execute(sqlx::raw_sql(AssertSqlSafe(statement.to_owned())))
        .await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// The number of a client's connection.
pub(crate) async fn number(client: &mut MySqlConnection) -> u64 {
    let row = client.fetch_one("SELECT CONNECTION_ID()").await;
    row.expect("a number").get_unchecked(0)
}

/// A server at a port, as a target.
pub(crate) fn at(port: u16) -> MysqlServer {
    MysqlServer {
        address: ServerAddress::Tcp {
            host: "127.0.0.1".to_owned(),
            port,
        },
        username: "handbell".to_owned(),
        password: None,
        database: None,
        tls: None,
        container: None,
    }
}

/// Eyes for this server as `db`.
pub(crate) fn db_eyes(server: MysqlServer) -> Probes {
    let mut targets = Targets::default();
    targets.mysql.insert("db".parse().expect("an id"), server);
    Probes::new(targets)
}

/// A look at `db`.
pub(crate) fn db_look(probe: &str, args: &[(&str, ArgValue)]) -> Look {
    let args: Args = args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    Look {
        probe: probe.to_owned(),
        target: "db".parse().expect("an id"),
        args,
        deadline: DEADLINE,
    }
}

/// Looks at `db` and must see something; twice as patient as other looks, since a server that was just started on
/// a busy machine may take its time.
pub(crate) async fn db_sight(eyes: &Probes, probe: &str, args: &[(&str, ArgValue)]) -> Sighting {
    let look = Look {
        deadline: 2 * DEADLINE,
        ..db_look(probe, args)
    };
    match see_within(eyes, &look).await {
        Ok(sighting) => sighting,
        Err(blind) => panic!("{probe} saw nothing: {blind:?}"),
    }
}

/// Looks and must not be able to, for a reason.
pub(crate) async fn db_unseen(eyes: &Probes, probe: &str, args: &[(&str, ArgValue)]) -> Unseen {
    match see_within(eyes, &db_look(probe, args)).await {
        Err(Blind::Unknown(reason)) => reason,
        other => panic!("{probe} should not have been able to look: {other:?}"),
    }
}
