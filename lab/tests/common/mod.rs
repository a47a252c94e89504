//! What the lab's tests share: an instance of the lab of their own, reached through the real program.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "each test binary uses a part of it, and a test fails by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A lab that no one else uses, with its state in a temporary directory; down at the end, whatever happens.
pub(crate) struct Instance {
    name: String,
    state: tempfile::TempDir,
}

impl Instance {
    /// Nothing is up yet. Instances of two tests need different names.
    pub(crate) fn new(name: &str) -> Self {
        let state = tempfile::tempdir().expect("a directory");
        Self {
            name: format!("{name}{}", std::process::id()),
            state,
        }
    }

    /// What containers and volumes are called after.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The state directory.
    pub(crate) fn state(&self) -> &Path {
        self.state.path()
    }

    /// Runs `handbell-lab` on this instance.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_handbell-lab"))
            .args(["--instance", &self.name, "--state"])
            .arg(self.state.path())
            .args(arguments)
            .output()
            .expect("handbell-lab runs")
    }

    /// The same; it must succeed. Gives what it said on standard output.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success(),
            "{arguments:?} failed ({}):\n{out}\n{err}",
            output.status
        );
        out
    }

    /// The same; it must fail. Gives what it said on standard error.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?}:\n{out}\n{err}"
        );
        err
    }

    /// What the lab remembers.
    pub(crate) fn lab_json(&self) -> Value {
        let text = std::fs::read(self.state.path().join("lab.json")).expect("lab.json");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// The port of its Redis.
    pub(crate) fn redis_port(&self) -> u16 {
        self.port("redis-master")
    }

    /// The port of a service.
    pub(crate) fn port(&self, service: &str) -> u16 {
        let port = self.lab_json()["ports"][service].as_u64().expect("a port");
        u16::try_from(port).expect("a port")
    }

    /// A page of the mall, through Nginx, with the lab's authority trusted and no other.
    pub(crate) fn page(&self, path: &str) -> String {
        let ca = std::fs::read(self.state.path().join("keys/mall-ca.pem")).expect("the authority");
        let ca = reqwest::Certificate::from_pem(&ca).expect("a certificate");
        let url = format!("https://api.mall.com:{}{path}", self.port("nginx:443"));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let client = reqwest::Client::builder()
                .tls_certs_only([ca])
                .resolve("api.mall.com", ([127, 0, 0, 1], 0).into())
                .no_proxy()
                .build()
                .expect("a client");
            let answer = client.get(&url).send().await.expect("an answer");
            answer.text().await.expect("a body")
        })
    }

    /// A command on its Redis, as its clients would send it.
    pub(crate) fn redis(&self, words: &[&str]) -> redis::RedisResult<String> {
        let password = include_str!("../../config/redis.password").trim();
        let url = format!("redis://:{password}@127.0.0.1:{}/", self.redis_port());
        let limit = std::time::Duration::from_secs(2);
        let mut connection = redis::Client::open(url)?.get_connection_with_timeout(limit)?;
        connection.set_read_timeout(Some(limit))?;
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        let value: redis::Value = command.query(&mut connection)?;
        Ok(match value {
            redis::Value::Int(number) => number.to_string(),
            other => redis::from_redis_value::<String>(other)?,
        })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let output = self.run(&["down"]);
        if !output.status.success() {
            eprintln!(
                "the lab of a test could not be taken down: {}",
                text(&output.stderr)
            );
        }
    }
}

/// Bytes as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Says that a test did not run, and why; with CI=true that is a failure.
pub(crate) fn did_not_run(what: &str, why: &str) {
    println!("NOT RUN: {what}: {why}");
    #[allow(
        clippy::disallowed_methods,
        reason = "a test has no configuration to read it from"
    )]
    let ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(
        !ci,
        "{what} did not run, which is a failure with CI=true: {why}"
    );
}

/// A program that is built beside the lab's own, such as `handbell`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_handbell-lab")).with_file_name(name);
    path.is_file().then_some(path)
}
