//! The lab as containers: labels as Compose gives them, faults that need an engine, and nothing left behind.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::collections::HashMap;

use bollard::Docker;
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder};
use common::{Instance, did_not_run, text};

/// An instance as containers, or `None` where Docker cannot run.
fn up(name: &str) -> Option<Instance> {
    let instance = Instance::new(name);
    let output = instance.run(&["up", "--require-docker"]);
    if output.status.success() {
        return Some(instance);
    }
    let why = text(&output.stderr);
    assert!(
        why.contains("no Docker engine"),
        "an engine answers, and the lab does not come up: {why}"
    );
    did_not_run(name, &why);
    None
}

async fn engine() -> Docker {
    let docker = Docker::connect_with_local_defaults().expect("an engine");
    docker
        .negotiate_version()
        .await
        .expect("an engine that answers")
}

async fn inspect(container: &str) -> ContainerInspectResponse {
    engine()
        .await
        .inspect_container(container, None::<InspectContainerOptions>)
        .await
        .expect("a container")
}

#[tokio::test]
async fn comes_up_labelled_as_compose_does_and_leaves_nothing_behind() {
    let Some(instance) = up("labels") else { return };
    assert_eq!(instance.redis(&["PING"]).expect("an answer"), "PONG");
    let redis = inspect(&format!("{}_redis_master", instance.name())).await;
    let labels = redis
        .config
        .and_then(|config| config.labels)
        .expect("labels");
    let wanted = [
        ("com.docker.compose.project", instance.name()),
        ("com.docker.compose.service", "redis-master"),
        ("com.docker.compose.container-number", "1"),
        ("com.docker.compose.oneoff", "False"),
    ];
    for (key, value) in wanted {
        assert_eq!(labels.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert_eq!(labels["com.docker.compose.config-hash"].len(), 64);

    instance.ok(&["down"]);
    let filters = HashMap::from([(
        "label",
        vec![format!("com.docker.compose.project={}", instance.name())],
    )]);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    assert!(
        engine()
            .await
            .list_containers(Some(options))
            .await
            .expect("a list")
            .is_empty()
    );
}

#[tokio::test]
async fn a_fault_of_the_engine_takes_hold_and_heals() {
    let Some(instance) = up("engine") else { return };
    let container = format!("{}_redis_master", instance.name());
    instance.ok(&["break", "redis-oom-killed"]);
    let state = inspect(&container).await.state.expect("a state");
    assert_eq!((state.oom_killed, state.exit_code), (Some(true), Some(137)));
    instance.ok(&["heal"]);
    assert_eq!(
        inspect(&container)
            .await
            .state
            .and_then(|state| state.oom_killed),
        Some(false)
    );

    instance.ok(&["break", "redis-paused"]);
    assert_eq!(
        inspect(&container)
            .await
            .state
            .and_then(|state| state.paused),
        Some(true)
    );
    instance.ok(&["heal"]);
    assert_eq!(instance.redis(&["PING"]).expect("an answer"), "PONG");
}

#[tokio::test]
async fn up_mends_what_somebody_removed_by_hand() {
    let Some(instance) = up("mends") else { return };
    let container = format!("{}_redis_master", instance.name());
    let options = bollard::query_parameters::RemoveContainerOptionsBuilder::default()
        .force(true)
        .build();
    engine()
        .await
        .remove_container(&container, Some(options))
        .await
        .expect("removed");
    instance.ok(&["up"]);
    assert_eq!(instance.redis(&["PING"]).expect("an answer"), "PONG");
}
