//! What the lab's files say, held against each other.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use handbell_lab::compose::Compose;
use handbell_lab::fault::{self, Fault};
use handbell_lab::state::Mode;

/// The causes that the Redis page of the handbook must tell apart.
const CAUSES: [&str; 17] = [
    "redis.container-missing",
    "redis.container-stopped",
    "redis.oom-killed",
    "redis.restart-loop",
    "redis.container-paused",
    "redis.unreachable",
    "redis.auth-failed",
    "redis.password-not-enforced",
    "redis.loading",
    "redis.memory-exhausted",
    "redis.evicting",
    "redis.fragmented",
    "redis.too-many-clients",
    "redis.slow-command",
    "redis.persistence-failing",
    "redis.replica-link-down",
    "redis.hung",
];

fn lab_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn faults() -> Vec<Fault> {
    fault::read_all(lab_dir()).expect("the faults")
}

#[test]
fn every_cause_has_a_fault_and_no_fault_expects_another() {
    let faults = faults();
    let expected: BTreeSet<&str> = faults
        .iter()
        .filter_map(|fault| fault.expected(Mode::Docker))
        .collect();
    assert_eq!(expected, BTreeSet::from(CAUSES));
}

#[test]
fn near_misses_are_expected_to_be_healthy() {
    for fault in faults() {
        let is_near_miss = fault.name.starts_with("near-");
        assert_eq!(
            is_near_miss,
            fault.expected(Mode::Docker).is_none(),
            "{}",
            fault.name
        );
    }
}

#[test]
fn most_faults_make_sense_without_docker() {
    let faults = faults();
    let there = faults
        .iter()
        .filter(|fault| fault.why_not(Mode::Processes).is_none());
    let causes: BTreeSet<&str> = there
        .filter_map(|fault| fault.expected(Mode::Processes))
        .collect();
    let only_containers = [
        "container-missing",
        "container-stopped",
        "oom-killed",
        "restart-loop",
        "container-paused",
    ];
    for cause in CAUSES {
        let needs_container = only_containers
            .iter()
            .any(|name| cause == format!("redis.{name}"));
        assert_eq!(!needs_container, causes.contains(cause), "{cause}");
    }
}

#[test]
fn the_password_is_the_same_in_both_places() {
    let password =
        std::fs::read_to_string(lab_dir().join("config/redis.password")).expect("the password");
    let conf =
        std::fs::read_to_string(lab_dir().join("images/redis/redis.conf")).expect("redis.conf");
    assert!(
        conf.lines()
            .any(|line| line == format!("requirepass {}", password.trim()))
    );
}

#[test]
fn the_configuration_names_what_compose_describes() {
    let compose = Compose::read(&lab_dir().join("compose.yaml")).expect("compose.yaml");
    let redis = &compose.services["redis-master"];
    let text =
        std::fs::read_to_string(lab_dir().join("config/targets.toml")).expect("targets.toml");
    let targets: toml::Table = text.parse().expect("TOML");
    let cache = &targets["redis"]["cache"];
    assert_eq!(
        cache["container"]["name"].as_str(),
        Some(redis.container_name.as_str())
    );
    assert_eq!(
        cache["address"].as_str(),
        Some(format!("127.0.0.1:{}", redis.ports[0].host).as_str())
    );
    assert!(
        lab_dir()
            .join("config")
            .join(cache["password"]["file"].as_str().expect("a file"))
            .is_file()
    );
}

#[test]
fn what_others_depend_on_comes_up_first() {
    let compose = Compose::read(&lab_dir().join("compose.yaml")).expect("compose.yaml");
    assert_eq!(compose.in_order(), ["redis-master", "backend-1"]);
}

/// A fault file with one line replaced must be refused in words that name the file.
fn refusal(name: &str, from: &str, to: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("faults")).expect("faults/");
    let good =
        std::fs::read_to_string(lab_dir().join("faults/redis-stopped.toml")).expect("a fault");
    assert!(good.contains(from), "{from:?} stands in the file");
    std::fs::write(
        directory.path().join("faults").join(name),
        good.replace(from, to),
    )
    .expect("written");
    let error = fault::read_all(directory.path())
        .expect_err("a refusal")
        .to_string();
    assert!(error.contains(name), "{error}");
    error
}

#[test]
fn a_fault_is_called_like_its_file() {
    assert!(
        refusal("other.toml", "redis-stopped", "redis-stopped")
            .contains("the file is called other.toml")
    );
}

#[test]
fn an_unknown_step_is_refused_with_its_line() {
    let error = refusal(
        "redis-stopped.toml",
        "{ do = \"stop\" }",
        "{ do = \"shell\" }",
    );
    assert!(
        error.contains("unknown variant `shell`") && error.contains("line 5"),
        "{error}"
    );
}

#[test]
fn a_fault_expects_a_cause_of_its_own_runbook() {
    let error = refusal(
        "redis-stopped.toml",
        "redis.container-stopped",
        "mysql.down",
    );
    assert!(
        error.contains("neither \"healthy\" nor a cause of \"redis\""),
        "{error}"
    );
}

#[test]
fn a_step_on_a_container_makes_no_sense_without_one() {
    let error = refusal(
        "redis-stopped.toml",
        "{ do = \"stop\" }",
        "{ do = \"pause\" }",
    );
    assert!(error.contains("needs a container"), "{error}");
}

#[test]
fn an_unknown_fault_is_answered_with_those_that_there_are() {
    let error = fault::find(&faults(), "redis-stoped")
        .expect_err("a refusal")
        .to_string();
    assert!(
        error.starts_with("there is no fault \"redis-stoped\"") && error.contains("redis-stopped"),
        "{error}"
    );
}
