//! What the tests of the probes share: real servers on free ports, and looks through the front door.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test binary uses a part of it"
)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test may fail")]

pub(crate) mod docker;
pub(crate) mod mysql;
pub(crate) mod peers;
pub(crate) mod tls;

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use handbell::{
    app::{Look, Prober},
    config::{RedisServer, Secret, ServerAddress, Targets},
    domain::{
        diagnosis::{Blind, Sighting, Unseen, Value},
        handbook::{ArgValue, Args},
    },
    probes::{Probes, mismatches},
};
use tempfile::TempDir;

/// The deadline of a look in these tests.
pub(crate) const DEADLINE: Duration = Duration::from_secs(2);

/// When a look of [`DEADLINE`] that ends by itself must have ended: far enough beyond its patience that
/// a busy machine is not taken for a probe that hangs, and far below any peer that never answers.
pub(crate) const LATEST: Duration = Duration::from_secs(6);

/// How long [`eventually`] waits.
const EVENTUALLY: Duration = Duration::from_secs(20);

/// Looks again and again with `look` until what it gives `holds`; gives the last one, which the test
/// then asserts on.
pub(crate) async fn eventually<T>(
    mut look: impl AsyncFnMut() -> T,
    holds: impl Fn(&T) -> bool,
) -> T {
    let began = Instant::now();
    loop {
        let seen = look().await;
        if holds(&seen) || began.elapsed() > EVENTUALLY {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A port on which nobody listens at this moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// A real Redis server in a directory of its own; it ends with its value.
pub(crate) struct Redis {
    child: Child,
    pub(crate) dir: TempDir,
    pub(crate) port: u16,
}

impl Redis {
    /// A server with these settings beside the usual ones.
    pub(crate) fn start(settings: &[&str]) -> Self {
        for _ in 0..5 {
            let mut server = Self::spawn(settings);
            if server.listens() {
                return server;
            }
        }
        panic!("redis-server ends at once on five ports: {settings:?}");
    }

    /// The same, without waiting until it listens.
    pub(crate) fn spawn(settings: &[&str]) -> Self {
        let dir = TempDir::new().expect("a directory");
        Self::spawn_in(dir, settings)
    }

    /// The same in `dir`.
    pub(crate) fn spawn_in(dir: TempDir, settings: &[&str]) -> Self {
        let port = free_port();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--daemonize", "no", "--dir"])
            .arg(dir.path())
            .args(["--enable-debug-command", "yes"])
            .args(["--enable-protected-configs", "yes"])
            .args(settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server must be installed (Debian: redis-server)");
        Self { child, dir, port }
    }

    /// Waits until it listens; `false` when it has ended instead, since somebody else took the port.
    fn listens(&mut self) -> bool {
        let began = Instant::now();
        loop {
            let open = std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            if self.child.try_wait().expect("a child").is_some() {
                return false;
            }
            if open {
                return true;
            }
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "redis-server does not listen"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal by its process id.
    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill")
            .args(["-s", name, &self.pid().to_string()])
            .status();
        assert!(done.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    /// A client's connection, as `user:password@` says.
    pub(crate) async fn client(&self, login: &str) -> redis::aio::MultiplexedConnection {
        let url = format!("redis://{login}127.0.0.1:{}/", self.port);
        let client = redis::Client::open(url).expect("an address");
        let patient = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        client
            .get_multiplexed_async_connection_with_config(&patient)
            .await
            .expect("a connection")
    }

    /// Gives one command and returns its answer.
    pub(crate) async fn command(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let mut client = self.client("").await;
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        command.query_async(&mut client).await
    }

    /// This server as a target.
    pub(crate) fn target(&self) -> RedisServer {
        at("127.0.0.1", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server at a host and port, as a target.
pub(crate) fn at(host: &str, port: u16) -> RedisServer {
    RedisServer {
        address: ServerAddress::Tcp {
            host: host.to_owned(),
            port,
        },
        username: None,
        password: None,
        database: 0,
        tls: None,
        container: None,
    }
}

/// The same at a unix socket.
pub(crate) fn at_socket(path: impl Into<PathBuf>) -> RedisServer {
    RedisServer {
        address: ServerAddress::Unix(path.into()),
        ..at("", 0)
    }
}

/// The same with a password, which lies in a file in `dir`.
pub(crate) fn with_password(mut server: RedisServer, dir: &TempDir, password: &str) -> RedisServer {
    let path = dir.path().join("handbell.password");
    std::fs::write(&path, format!("{password}\n")).expect("a file");
    server.password = Some(Secret::File { path });
    server
}

/// Targets with this server as `cache`.
pub(crate) fn targets(server: RedisServer) -> Targets {
    let mut targets = Targets::default();
    targets
        .redis
        .insert("cache".parse().expect("an id"), server);
    targets
}

/// Eyes for this server as `cache`.
pub(crate) fn eyes(server: RedisServer) -> Probes {
    Probes::new(targets(server))
}

/// A look at `cache`.
pub(crate) fn look(probe: &str, args: &[(&str, ArgValue)]) -> Look {
    let args: Args = args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    Look {
        probe: probe.to_owned(),
        target: "cache".parse().expect("an id"),
        args,
        deadline: DEADLINE,
    }
}

/// Looks at `cache`; what is seen must be what the probe declares.
pub(crate) async fn see(
    eyes: &Probes,
    probe: &str,
    args: &[(&str, ArgValue)],
) -> Result<Sighting, Blind> {
    see_within(eyes, &look(probe, args)).await
}

/// The same for a look that has its own deadline.
pub(crate) async fn see_within(eyes: &Probes, look: &Look) -> Result<Sighting, Blind> {
    let seen = eyes.look(look).await;
    let probe = look.probe.as_str();
    if let Ok(sighting) = &seen {
        let spec = eyes.catalog().get(probe).expect("a probe of this name");
        assert_eq!(mismatches(spec, &sighting.facts), Vec::<String>::new());
        assert!(
            sighting.evidence.chars().count() <= 3_000,
            "evidence without bounds"
        );
        assert!(
            !sighting
                .evidence
                .chars()
                .any(|c| c.is_control() && c != '\n'),
            "control characters in the evidence"
        );
    }
    seen
}

/// Looks and must see something.
pub(crate) async fn sight(eyes: &Probes, probe: &str, args: &[(&str, ArgValue)]) -> Sighting {
    match see(eyes, probe, args).await {
        Ok(sighting) => sighting,
        Err(blind) => panic!("{probe} saw nothing: {blind:?}"),
    }
}

/// Looks and must not be able to, for a reason.
pub(crate) async fn unseen(eyes: &Probes, probe: &str) -> Unseen {
    match see(eyes, probe, &[]).await {
        Err(Blind::Unknown(reason)) => reason,
        other => panic!("{probe} should not have been able to look: {other:?}"),
    }
}

/// A fact as a text.
pub(crate) fn text<'a>(sighting: &'a Sighting, fact: &str) -> &'a str {
    match &sighting.facts[fact] {
        Value::Text(text) => text,
        other => panic!("{fact} is {other:?}"),
    }
}

/// A fact as a whole number.
pub(crate) fn int(sighting: &Sighting, fact: &str) -> i64 {
    match &sighting.facts[fact] {
        Value::Int(number) => *number,
        other => panic!("{fact} is {other:?}"),
    }
}

/// A fact as a number.
pub(crate) fn float(sighting: &Sighting, fact: &str) -> f64 {
    match &sighting.facts[fact] {
        Value::Float(number) => *number,
        other => panic!("{fact} is {other:?}"),
    }
}

/// A fact as a truth.
pub(crate) fn truth(sighting: &Sighting, fact: &str) -> bool {
    match &sighting.facts[fact] {
        Value::Bool(truth) => *truth,
        other => panic!("{fact} is {other:?}"),
    }
}

/// Whether a fact is none.
pub(crate) fn none(sighting: &Sighting, fact: &str) -> bool {
    sighting.facts[fact] == Value::None
}

/// Makes `to` a program with the content of `from`. Another program writes it: a file that this
/// process writes stands open in every child that another test starts meanwhile, and what is open for
/// writing can't be run (`ETXTBSY`).
pub(crate) fn program_from(from: &std::path::Path, to: &std::path::Path) {
    let done = Command::new("install")
        .args(["-m", "755"])
        .args([from, to])
        .status();
    assert!(done.is_ok_and(|status| status.success()), "a program");
}

/// Says visibly that something was not tested, and fails where everything must be.
#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "what did not run must be seen, and is a failure with CI=true"
)]
pub(crate) fn not_run(what: &str) {
    println!("NOT RUN: {what}");
    let strict = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!strict, "with CI=true this must run: {what}");
}
