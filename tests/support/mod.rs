//! What tests of the whole bot stand on: a real Redis, the local Discord, the real binary, and
//! people who type, click and read.
//!
//! Everything is a child process on a free port of the loopback interface, in a temporary
//! directory, and ends with the value that stands for it.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "shared by several test files, each of which uses a part; tests fail by panicking"
)]

mod bot;
pub mod person;
mod redis;
mod sandbox;

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

pub use bot::{Bot, Setup};
pub use person::Person;
pub use redis::{Hung, Redis};
pub use sandbox::Sandbox;

/// How long anything may take before a test gives up on it; a loaded machine is slow.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A child process that ends with this value.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts `command`; `name` is for the sentence when that fails.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name} can't be started: {error}"));
        Self { child }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as a service manager does.
    pub fn terminate(&self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .expect("the command kill");
        assert!(status.success(), "kill -TERM failed");
    }

    /// Waits until it has ended by itself; its exit code.
    pub fn ended(&mut self, within: Duration) -> Option<i32> {
        let end = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            assert!(
                Instant::now() < end,
                "the process still runs after {within:?}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The directory in which cargo has put the binaries.
pub fn binaries() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_handbell"))
        .parent()
        .expect("a directory")
}

/// A variable of the environment of the tests.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment where things are"
)]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Says that something did not run and why; where everything must run, that is a failure.
pub fn did_not_run(what: &str, why: &str) {
    println!("NOT RUN: {what}: {why}");
    eprintln!("NOT RUN: {what}: {why}");
    let everything_must_run = environment("CI").is_some_and(|ci| ci == "true");
    assert!(
        !everything_must_run,
        "with CI=true everything must run: {what}: {why}"
    );
}

/// Discord's `OpenAPI` description, when the environment names it.
pub fn openapi() -> Option<PathBuf> {
    let path = environment("HANDBELL_DISCORD_OPENAPI").map(PathBuf::from);
    if path.is_none() {
        did_not_run(
            "the comparison of all requests and answers with Discord's OpenAPI description",
            "HANDBELL_DISCORD_OPENAPI does not name the file",
        );
    }
    path
}

/// A port that nothing listens on now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
