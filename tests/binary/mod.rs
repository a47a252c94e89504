//! The real binary, in a home of its own.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test's helper: each test file uses its own part of it, and a failure is a panic"
)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A home directory with a configuration.
pub struct Home {
    pub dir: tempfile::TempDir,
}

/// What a run has come to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Home {
    /// A configuration of `files`.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let home = Self {
            dir: tempfile::tempdir().expect("a directory"),
        };
        // Other users of a test must be able to pass through.
        std::fs::set_permissions(home.dir.path(), std::fs::Permissions::from_mode(0o755))
            .expect("opened");
        std::fs::create_dir_all(home.config()).expect("made");
        home.write("handbell.toml", "[store]\ndirectory = \"../state\"\n");
        for (name, text) in files {
            home.write(name, text);
        }
        home
    }

    /// One with a Redis at `address`, and no container.
    pub fn with_redis(address: SocketAddr) -> Self {
        Self::new(&[("targets.toml", &targets(address))])
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.config().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub fn database(&self) -> PathBuf {
        self.state().join("handbell.sqlite")
    }

    /// `handbell --config … args`, with nothing of this process's environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handbell"));
        command
            .env_clear()
            .env("HOME", self.dir.path())
            .env("TZ", "UTC")
            .arg("--config")
            .arg(self.config())
            .args(args)
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args))
    }
}

/// Runs `command` to its end.
pub fn finish(mut command: Command) -> Ran {
    let began = Instant::now();
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the binary starts");
    Ran {
        code: status.code(),
        out: String::from_utf8(stdout).expect("UTF-8"),
        err: String::from_utf8(stderr).expect("UTF-8"),
        took: began.elapsed(),
    }
}

impl Ran {
    /// Fails unless the run ended with `code`.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn says(self, part: &str) -> Self {
        let said = self.out.contains(part) || self.err.contains(part);
        assert!(said, "{part:?} is not in {self:#?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// `targets.toml` with one Redis.
pub fn targets(address: SocketAddr) -> String {
    format!(
        "[docker.engine]\nendpoint = \"unix:///nowhere/docker.sock\"\n[redis.cache]\naddress = \"{address}\"\n"
    )
}

/// An address at which nothing listens.
pub fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

/// A server that accepts and never says a word.
pub fn mute() -> SocketAddr {
    serve(|_| None)
}

/// A server that answers everything with `line`.
pub fn saying(line: &'static str) -> SocketAddr {
    serve(move |_| Some(line.as_bytes().to_vec()))
}

/// A server that answers each piece of what it reads by `answer`; `None` says nothing.
pub fn serve(
    answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync + Clone + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let answer = answer.clone();
            thread::spawn(move || {
                let mut buffer = vec![0; 65_536];
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    if let Some(reply) = answer(&buffer[..read])
                        && stream.write_all(&reply).is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Says visibly that a test did not run; with `CI=true` that is a failure.
pub fn not_run(test: &str, why: &str) {
    println!("NOT RUN: {test}: {why}");
    eprintln!("NOT RUN: {test}: {why}");
    assert_ne!(
        std::env::var("CI").as_deref(),
        Ok("true"),
        "{test} must run in CI: {why}"
    );
}

/// The mode of `path`.
pub fn mode(path: &Path) -> u32 {
    std::fs::metadata(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .permissions()
        .mode()
        & 0o777
}
