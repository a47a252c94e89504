//! The lab without Docker: up, broken, healed and down, through the real program, with a real Redis.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use common::{Instance, did_not_run};
use handbell_lab::process::find_program;

/// An instance with plain processes, or `None` where Redis or Python is not installed.
fn up(name: &str) -> Option<Instance> {
    for program in ["redis-server", "python3", "mariadbd", "nginx"] {
        if find_program(program).is_none() {
            did_not_run(name, &format!("{program} is not installed"));
            return None;
        }
    }
    let instance = Instance::new(name);
    let said = instance.ok(&["up", "--without-docker"]);
    assert!(
        said.contains("plain processes with MariaDB (--without-docker was given)"),
        "{said}"
    );
    Some(instance)
}

fn processes_of(instance: &Instance) -> Vec<i64> {
    let text = std::fs::read(instance.state().join("servers.json")).expect("servers.json");
    let state: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let servers = state.as_object().expect("servers").values();
    servers
        .map(|server| server["pid"].as_i64().expect("a pid"))
        .collect()
}

fn runs(pid: i64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn comes_up_uses_redis_and_leaves_nothing_behind() {
    let Some(instance) = up("plain") else { return };
    assert_eq!(instance.redis(&["PING"]).expect("an answer"), "PONG");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while instance
        .redis(&["EXISTS", "products:cache:all"])
        .expect("an answer")
        != "1"
    {
        assert!(
            std::time::Instant::now() < deadline,
            "the backend caches its products"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let config = std::fs::read_to_string(instance.state().join("config/targets.toml"))
        .expect("targets.toml");
    assert!(
        config.contains(&format!("127.0.0.1:{}", instance.redis_port())),
        "{config}"
    );
    assert!(!config.contains("container ="), "{config}");
    let mode = std::fs::metadata(instance.state().join("lab.json"))
        .expect("lab.json")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let pids = processes_of(&instance);
    assert!(pids.len() == 6 && pids.iter().all(|pid| runs(*pid)));
    assert!(instance.ok(&["down"]).contains("The lab is down."));
    assert!(pids.iter().all(|pid| !runs(*pid)));
    assert!(instance.ok(&["down"]).contains("was not up"));
}

#[test]
fn breaks_and_heals_to_exactly_what_it_was() {
    let Some(instance) = up("heal") else { return };
    let settings = instance
        .redis(&["CONFIG", "GET", "maxmemory"])
        .map_err(|_| ());
    instance.ok(&["break", "redis-memory-full"]);
    let refused = instance
        .redis(&["SET", "a", "b"])
        .expect_err("memory is full")
        .to_string();
    assert!(refused.contains("maxmemory"), "{refused}");
    let said = instance.refused(&["break", "redis-stopped"]);
    assert!(
        said.contains("redis-memory-full is in force already; heal it first"),
        "{said}"
    );
    assert!(
        instance
            .ok(&["status"])
            .contains("broken        redis-memory-full")
    );
    instance.ok(&["heal"]);
    assert_eq!(instance.redis(&["SET", "a", "b"]).expect("an answer"), "OK");
    assert_eq!(
        instance
            .redis(&["CONFIG", "GET", "maxmemory"])
            .map_err(|_| ()),
        settings
    );
    assert!(instance.ok(&["heal"]).contains("Nothing is broken."));
}

#[test]
fn a_fault_stays_after_break_has_returned_and_its_helper_goes_with_it() {
    let Some(instance) = up("stays") else { return };
    instance.ok(&["break", "redis-too-many-clients"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    // Redis says so and closes before it is asked anything, so a client may also see no more than the closing.
    let stream = TcpStream::connect(("127.0.0.1", instance.redis_port())).expect("connected");
    let mut refused = String::new();
    BufReader::new(stream)
        .read_line(&mut refused)
        .expect("a line");
    assert!(refused.contains("max number of clients"), "{refused}");
    let helper = instance.lab_json()["broken"]["background"][0]["pid"]
        .as_i64()
        .expect("a helper");
    assert!(runs(helper));
    instance.ok(&["heal"]);
    assert!(!runs(helper));
    assert_eq!(instance.redis(&["PING"]).expect("an answer"), "PONG");
}

/// A statement on its database, as root; the first column of the first row.
fn sql(instance: &Instance, query: &str) -> String {
    let port = instance.port("mysql-master");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let password = include_str!("../config/mysql-root.password").trim();
        let door = handbell_lab::sql::Door::tcp(port, "root", password);
        let mut sql = door.open().await.expect("connected");
        let rows = sql.text(query).await.expect("an answer");
        rows.concat().into_iter().next().unwrap_or_default()
    })
}

#[test]
fn the_whole_mall_answers_and_its_database_heals_to_what_it_was() {
    let Some(instance) = up("whole") else { return };
    let page = instance.page("/api/v1/products");
    assert!(page.contains("Product 1"), "{page}");
    let health = instance.page("/health");
    assert!(health.contains("\"status\": \"ok\""), "{health}");
    let indexes = "SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = 'mall'";
    let before = sql(&instance, indexes);

    instance.ok(&["break", "slow-missing-index"]);
    assert_ne!(sql(&instance, indexes), before);
    instance.ok(&["heal"]);
    assert_eq!(sql(&instance, indexes), before);
    assert_eq!(
        sql(
            &instance,
            "SELECT COUNT(*) FROM mall.orders WHERE id <= 300000"
        ),
        "300000"
    );

    let certificate = instance.state().join("keys/api.mall.com.pem");
    let good = std::fs::read(&certificate).expect("a certificate");
    instance.ok(&["break", "certificate-expired"]);
    assert_ne!(std::fs::read(&certificate).expect("a certificate"), good);
    instance.ok(&["heal"]);
    assert_eq!(std::fs::read(&certificate).expect("a certificate"), good);
    assert!(!instance.state().join("originals").exists());
}

#[test]
fn a_plain_process_cannot_be_mysql() {
    let instance = Instance::new("which");
    let said = instance.refused(&["up", "--without-docker", "--database", "mysql"]);
    assert!(said.contains("MySQL runs as a container"), "{said}");
}

#[test]
fn heals_a_server_that_is_gone() {
    let Some(instance) = up("gone") else { return };
    instance.ok(&["break", "redis-killed"]);
    assert!(instance.redis(&["PING"]).is_err());
    instance.ok(&["heal", "redis-killed"]);
    assert_eq!(instance.redis(&["PING"]).expect("an answer"), "PONG");
}

#[test]
fn refuses_what_makes_no_sense_without_a_container() {
    let Some(instance) = up("sense") else { return };
    let said = instance.refused(&["break", "redis-paused"]);
    assert!(
        said.contains("makes no sense here: there is no container to pause"),
        "{said}"
    );
    let said = instance.refused(&["up", "--require-docker"]);
    assert!(
        said.contains("the lab is up as plain processes; take it down first"),
        "{said}"
    );
    let list = instance.ok(&["list"]);
    assert!(
        list.contains("(not here: there is no container to pause)"),
        "{list}"
    );
    let list: serde_json::Value =
        serde_json::from_str(&instance.ok(&["list", "--json"])).expect("JSON");
    let stopped = list
        .as_array()
        .expect("a list")
        .iter()
        .find(|fault| fault["name"] == "redis-stopped")
        .expect("it");
    assert_eq!(stopped["expect"], "redis.unreachable");
}

#[test]
fn says_that_nothing_is_up() {
    let instance = Instance::new("none");
    assert!(
        instance
            .refused(&["break", "redis-stopped"])
            .contains("the lab is not up; bring it up with")
    );
    assert!(instance.refused(&["status"]).contains("the lab is not up"));
}
