//! Containers on the machine's engine, and targets that name them.

use std::process::Command;

use handbell::{
    config::{ContainerRef, DockerEngine, Endpoint, RedisServer, Targets},
    probes::Probes,
};

use super::{at, not_run};

/// The machine's engine.
pub(crate) const SOCKET: &str = "/var/run/docker.sock";

/// The image of the containers: the lab's.
pub(crate) const IMAGE: &str = "redis:7.0-bookworm";

/// A container of this test alone; it goes with its value.
pub(crate) struct Container {
    pub(crate) name: String,
}

/// Runs Docker's own command line.
pub(crate) fn docker(words: &[&str]) -> String {
    let done = Command::new("docker")
        .args(words)
        .output()
        .expect("the docker command line");
    assert!(
        done.status.success(),
        "docker {words:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

/// Whether there is an engine with the image that these tests use.
pub(crate) fn engine_is_there() -> bool {
    let found = Command::new("docker")
        .args(["image", "inspect", IMAGE])
        .output();
    let there = found.is_ok_and(|done| done.status.success());
    if !there {
        not_run(
            "the probes of Docker: no engine answers here, or it has no image redis:7.0-bookworm (make lab-up builds it)",
        );
    }
    there
}

impl Container {
    /// Makes one and starts it.
    pub(crate) fn run(what: &str, options: &[&str], command: &[&str]) -> Self {
        Self::make("run", what, &[&["-d"], options].concat(), command)
    }

    /// Makes one with `docker create` or `docker run`.
    pub(crate) fn make(verb: &str, what: &str, options: &[&str], command: &[&str]) -> Self {
        let name = format!("handbell-probes-{what}-{}", std::process::id());
        let mut words = vec![verb, "--name", &name];
        words.extend(options);
        words.push(IMAGE);
        words.extend(command);
        docker(&words);
        Self { name }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["rm", "-f", "-v", &self.name])
            .output();
    }
}

fn engine_at(endpoint: Endpoint) -> DockerEngine {
    DockerEngine { endpoint }
}

/// Targets with this container on the engine at `endpoint`.
pub(crate) fn targets(container: &str, server: RedisServer, endpoint: Endpoint) -> Targets {
    let mut targets = super::targets(RedisServer {
        container: Some(ContainerRef {
            engine: "engine".parse().expect("an id"),
            name: container.to_owned(),
        }),
        ..server
    });
    targets
        .docker
        .insert("engine".parse().expect("an id"), engine_at(endpoint));
    targets
}

/// Eyes for this container on the machine's engine.
pub(crate) fn eyes(container: &str) -> Probes {
    Probes::new(targets(
        container,
        at("127.0.0.1", 1),
        Endpoint::Unix(SOCKET.into()),
    ))
}
