//! The lab's small parts: reading Compose's notation, the tar archive, processes, the score's sums, the interface's guard.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use handbell_lab::compose::{Bytes, Compose, Mount, Port, Span};
use handbell_lab::control;
use handbell_lab::process::Process;
use handbell_lab::score::{Calm, Row, summary, wrong};
use handbell_lab::settings::{Given, Settings};
use handbell_lab::tar;

#[test]
fn compose_notation_is_read_strictly() {
    assert_eq!(
        Span::try_from("500ms".to_owned()),
        Ok(Span(Duration::from_millis(500)))
    );
    assert_eq!(
        Span::try_from("2m".to_owned()),
        Ok(Span(Duration::from_mins(2)))
    );
    assert!(Span::try_from("soon".to_owned()).is_err());
    assert_eq!(Bytes::try_from("48m".to_owned()), Ok(Bytes(48 << 20)));
    assert_eq!(Bytes::try_from("512".to_owned()), Ok(Bytes(512)));
    assert!(Bytes::try_from("48 MB".to_owned()).is_err());
    let port = Port::try_from("127.0.0.1:16379:6379".to_owned()).expect("a port");
    assert_eq!((port.host, port.container), (16379, 6379));
    assert!(
        Port::try_from("6379".to_owned())
            .is_err_and(|error| error.contains("ADDRESS:HOST_PORT:CONTAINER_PORT"))
    );
    assert!(Mount::try_from("redis-data:data".to_owned()).is_err());
}

#[test]
fn a_compose_file_that_the_lab_would_not_follow_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("compose.yaml");
    let good = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("compose.yaml"))
        .expect("compose.yaml");
    for (from, to, said) in [
        (
            "    restart: unless-stopped\n",
            "    restart: unless-stopped\n    privileged: true\n",
            "privileged",
        ),
        (
            "      - redis-data:/data",
            "      - other:/data",
            "names \"other\", which the file does not define",
        ),
        (
            "mem_limit: 512m",
            "mem_limit: much",
            "not a number of bytes",
        ),
    ] {
        std::fs::write(&path, good.replacen(from, to, 1)).expect("written");
        let error = Compose::read(&path, &std::collections::BTreeMap::new())
            .expect_err("a refusal")
            .to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn the_archive_is_one_that_tar_reads() {
    let directory = tempfile::tempdir().expect("a directory");
    let entry = |path: &str, content: &str| tar::Entry {
        path: path.to_owned(),
        mode: 0o640,
        owner: 0,
        content: content.into(),
    };
    let archive = tar::pack(&[entry("a.txt", "first"), entry("b.txt", &"x".repeat(513))]);
    assert_eq!(archive.len() % 512, 0);
    let path = directory.path().join("it.tar");
    std::fs::write(&path, archive).expect("written");
    let listing = Command::new("tar")
        .args(["--verbose", "--list", "--file"])
        .arg(&path)
        .output()
        .expect("tar runs");
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    assert!(
        listing.contains("-rw-r-----") && listing.contains("513") && listing.contains("b.txt"),
        "{listing}"
    );
}

#[tokio::test]
async fn a_process_is_stopped_even_while_it_is_frozen_and_never_mistaken_for_another() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = Command::new("sleep");
    command.arg("600");
    let process = Process::spawn("sleep", command, &directory.path().join("log")).expect("started");
    assert!(process.runs());
    let other = Process {
        started: process.started + 1,
        ..process.clone()
    };
    assert!(
        !other.runs(),
        "the same id with another start time is another process"
    );
    other.kill().await.expect("nothing to do");
    assert!(process.runs());
    process
        .signal(rustix::process::Signal::STOP)
        .expect("frozen");
    process.stop().await.expect("stopped");
    assert!(!process.runs());
}

fn row(expected: &str, got: &str, after: Option<&str>) -> Row {
    Row {
        fault: "some".to_owned(),
        runbook: "redis".to_owned(),
        expected: expected.to_owned(),
        got: got.to_owned(),
        right: expected == got,
        took: Some(Duration::from_millis(20)),
        after: after.map(str::to_owned),
        said: vec!["root_causes: redis.evicting, evictions, cache: 12 keys a second".to_owned()],
    }
}

#[test]
fn the_score_counts_wrong_causes_and_false_alarms() {
    let right = row("redis.hung", "redis.hung", None);
    let (words, perfect) = summary(
        &[right.clone(), row("healthy", "healthy", None)],
        &Calm::default(),
    );
    assert!(
        perfect && words.starts_with("2 of 2 right (100.0 %), 0 false alarms"),
        "{words}"
    );
    let (words, perfect) = summary(
        &[right.clone(), row("healthy", "redis.evicting", None)],
        &Calm::default(),
    );
    assert!(
        !perfect && words.starts_with("1 of 2 right (50.0 %), 1 false alarms"),
        "{words}"
    );
    let (words, perfect) = summary(
        &[row("redis.hung", "redis.hung", Some("redis.evicting"))],
        &Calm::default(),
    );
    assert!(!perfect && words.contains("1 false alarms"), "{words}");
    let calm = Calm {
        asked: 20,
        alarms: vec!["redis: redis.evicting".to_owned()],
        said: Vec::new(),
    };
    let (words, perfect) = summary(std::slice::from_ref(&right), &calm);
    assert!(!perfect && words.contains("1 false alarms"), "{words}");
    assert_eq!(
        wrong(std::slice::from_ref(&right), &calm),
        ["healthy, under light load, asked redis: redis.evicting"]
    );
    let lines = wrong(
        &[right, row("redis.hung", "redis.evicting", None)],
        &Calm::default(),
    );
    assert_eq!(
        lines.len(),
        2,
        "what was right is not told again: {lines:?}"
    );
    assert!(
        lines[0].contains("WRONG") && lines[1].ends_with("12 keys a second"),
        "{lines:?}"
    );
    assert!(
        !summary(&[], &Calm::default()).1,
        "nothing scored is not a full score"
    );
}

fn settings(state: &Path) -> Settings {
    Settings::decide(Given {
        state: Some(state.to_owned()),
        home: Some(state.to_owned()),
        instance: Some("guard".to_owned()),
        ..Given::default()
    })
    .expect("settings")
}

#[tokio::test]
async fn the_interface_lists_the_faults_and_refuses_pages_from_elsewhere() {
    let directory = tempfile::tempdir().expect("a directory");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = control::router(settings(directory.path()));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let client = reqwest::Client::new();
    let url = format!("http://{address}/faults");
    let faults: serde_json::Value = client
        .get(&url)
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let first = &faults[0];
    assert!(
        first["title"]["zh"].is_string() && first["broken"] == false,
        "{first}"
    );
    assert_eq!(
        (&first["applies"], first["why_not"].is_string()),
        (&serde_json::Value::from(false), true)
    );

    let broken = client
        .post(format!("http://{address}/break/redis-stopped"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(broken.status(), 409);
    let said: serde_json::Value = broken.json().await.expect("JSON");
    assert_eq!(said["ok"], false);
    assert!(
        said["said"]
            .as_str()
            .is_some_and(|words| words.contains("the lab is not up")),
        "{said}"
    );

    for (header, value) in [("origin", "https://example.org"), ("host", "example.org")] {
        let refused = client
            .get(&url)
            .header(header, value)
            .send()
            .await
            .expect("an answer");
        assert_eq!(refused.status(), 403, "{header}");
    }
    server.abort();
}

#[test]
fn an_instance_has_a_name_that_a_container_can_have() {
    let given = |name: &str| Given {
        instance: Some(name.to_owned()),
        home: Some("/".into()),
        ..Given::default()
    };
    for name in ["", "Mall", "a b", "../etc"] {
        let error = Settings::decide(given(name))
            .expect_err("a refusal")
            .to_string();
        assert!(error.contains("1 to 20 of a-z and 0-9"), "{error}");
    }
    assert!(Settings::decide(given("other2")).is_ok());
}
