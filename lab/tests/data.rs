//! What the lab's files say, held against each other.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use handbell_lab::compose::Compose;
use handbell_lab::fault::{self, Expected, Fault, Way};
use handbell_lab::service::{Database, Service};
use handbell_lab::state::Mode;

const CONTAINERS: Way = Way {
    mode: Mode::Docker,
    database: Database::Mysql,
};

const PROCESSES: Way = Way {
    mode: Mode::Processes,
    database: Database::Mariadb,
};

/// The causes that the Redis page of the handbook must tell apart.
const CAUSES: [&str; 19] = [
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
    "redis.writes-refused",
    "redis.cpu-throttled",
];

fn lab_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn faults() -> Vec<Fault> {
    fault::read_all(lab_dir()).expect("the faults")
}

fn faults_of_redis() -> Vec<Fault> {
    let mut faults = faults();
    faults.retain(|fault| fault.runbooks().any(|runbook| runbook == "redis"));
    faults
}

fn causes(fault: &Fault, way: Way) -> Vec<String> {
    match fault.expected(way) {
        Expected::Healthy => Vec::new(),
        Expected::First(cause) => vec![cause],
        Expected::All(causes) => causes,
    }
}

#[test]
fn every_cause_has_a_fault_and_no_fault_expects_another() {
    let faults = faults_of_redis();
    let expected: BTreeSet<String> = faults
        .iter()
        .flat_map(|fault| causes(fault, CONTAINERS))
        .filter(|cause| cause.starts_with("redis."))
        .collect();
    assert_eq!(expected, BTreeSet::from(CAUSES.map(str::to_owned)));
}

#[test]
fn near_misses_are_expected_to_be_healthy() {
    for fault in faults() {
        let is_near_miss = fault.name.starts_with("near-");
        assert_eq!(
            is_near_miss,
            fault.expected(CONTAINERS) == Expected::Healthy,
            "{}",
            fault.name
        );
    }
}

#[test]
fn most_faults_make_sense_without_docker() {
    let faults = faults_of_redis();
    let there = faults
        .iter()
        .filter(|fault| fault.why_not(PROCESSES).is_none());
    let causes: BTreeSet<String> = there.flat_map(|fault| causes(fault, PROCESSES)).collect();
    let only_containers = [
        "container-missing",
        "container-stopped",
        "oom-killed",
        "restart-loop",
        "container-paused",
        "cpu-throttled",
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
fn the_passwords_of_the_database_are_the_same_everywhere() {
    let read = |name: &str| std::fs::read_to_string(lab_dir().join(name)).expect("a file");
    let password = |name: &str| read(name).trim().to_owned();
    let root = format!("IDENTIFIED BY '{}'", password("config/mysql-root.password"));
    assert!(read("sql/lab-users.sql").contains(&root));
    for dockerfile in ["sql/mysql.Dockerfile", "sql/mariadb.Dockerfile"] {
        let text = read(dockerfile);
        for (place, file) in [
            ("{{MALL_PASSWORD}}", "config/mysql-mall.password"),
            ("{{HANDBELL_PASSWORD}}", "config/mysql.password"),
        ] {
            assert!(
                text.contains(&format!("s/{place}/{}/", password(file))),
                "{dockerfile}"
            );
        }
    }
}

#[test]
fn the_configuration_names_what_compose_describes() {
    let compose = compose();
    let text =
        std::fs::read_to_string(lab_dir().join("config/targets.toml")).expect("targets.toml");
    let targets: toml::Table = text.parse().expect("TOML");
    for (kind, name, service) in [
        ("redis", "cache", Service::RedisMaster),
        ("mysql", "db", Service::MysqlMaster),
        ("service", "backend", Service::Backend),
        ("nginx", "web", Service::Nginx),
    ] {
        let target = &targets[kind][name];
        let described = &compose.services[service.key()];
        assert_eq!(
            target["container"]["name"].as_str(),
            Some(described.container_name.as_str())
        );
        if let Some(address) = target.get("address") {
            let port = described.ports[0].host;
            assert_eq!(address.as_str(), Some(format!("127.0.0.1:{port}").as_str()));
            let password = target["password"]["file"].as_str().expect("a file");
            assert!(lab_dir().join("config").join(password).is_file());
        }
    }
    let ports: Vec<u16> = compose.services["nginx"]
        .ports
        .iter()
        .map(|port| port.host)
        .collect();
    assert_eq!(
        targets["url"]["api"]["connect"].as_str(),
        Some(format!("127.0.0.1:{}", ports[1]).as_str())
    );
}

fn compose() -> Compose {
    Compose::read(&lab_dir().join("compose.yaml"), &BTreeMap::new()).expect("compose.yaml")
}

#[test]
fn the_database_is_a_variable() {
    let mysql = compose();
    assert_eq!(
        mysql.services["mysql-master"].build.dockerfile,
        "mysql.Dockerfile"
    );
    let variables = BTreeMap::from([("DATABASE".to_owned(), "mariadb".to_owned())]);
    let mariadb = Compose::read(&lab_dir().join("compose.yaml"), &variables).expect("compose.yaml");
    let described = &mariadb.services["mysql-master"];
    assert_eq!(described.build.dockerfile, "mariadb.Dockerfile");
    assert_eq!(described.image, "mall/mariadb-master:lab");
    assert_eq!(mariadb.volumes["mysql-data"].name, "mall_mariadb_data");
}

#[test]
fn what_others_depend_on_comes_up_first() {
    let compose = compose();
    let order = compose.in_order();
    assert_eq!(order.len(), Service::ALL.len());
    for (name, service) in &compose.services {
        let place = |wanted: &str| order.iter().position(|name| *name == wanted);
        for needed in service.depends_on.keys() {
            assert!(place(needed) < place(name), "{name} after {needed}");
        }
    }
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
fn a_fault_expects_a_cause_or_health() {
    let error = refusal("redis-stopped.toml", "redis.container-stopped", "stopped");
    assert!(
        error.contains("neither \"healthy\" nor a cause such as redis.hung"),
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
