//! The program as a shell or a test of another crate starts it: the ready line, the comparison of traffic, the end.
#![expect(clippy::expect_used, reason = "a test breaks off in words")]

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use handbell_sandbox::Ready;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const PROGRAM: &str = env!("CARGO_BIN_EXE_handbell-sandbox");

async fn start(arguments: &[&str]) -> (Child, Ready) {
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = tokio::time::timeout(Duration::from_secs(20), lines.next_line())
        .await
        .expect("it is ready in time")
        .expect("a line")
        .expect("a line");
    (child, serde_json::from_str(&line).expect("the ready line"))
}

async fn output(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM)
        .args(arguments)
        .output()
        .await
        .expect("the program runs");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[tokio::test]
async fn it_tells_where_it_is_and_stops_when_asked() {
    let place = tempfile::tempdir().expect("a directory");
    let path = |name: &str| place.path().join(name).to_string_lossy().into_owned();
    std::fs::write(path("token"), "planted-token\n").expect("written");
    let (ready_file, token_file, ca_dir) = (path("ready.json"), path("token"), path("ca"));
    let arguments = [
        "--ready-file",
        &ready_file,
        "--token-file",
        &token_file,
        "--ca-dir",
        &ca_dir,
    ];
    let (mut child, ready) = start(&arguments).await;
    let written: Value =
        serde_json::from_slice(&std::fs::read(&ready_file).expect("the file")).expect("JSON");
    assert_eq!(written, serde_json::to_value(&ready).expect("JSON"));
    assert_eq!(ready.token, "planted-token");
    assert_eq!(ready.ca_file, Path::new(&ca_dir).join("ca.pem"));
    assert_eq!(ready.people["ming"].locale, "zh-CN");
    let page = reqwest::get(&ready.page).await.expect("the page");
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(
        reqwest::get(format!("{}../../Cargo.toml", ready.page))
            .await
            .expect("an answer")
            .status()
            .is_client_error()
    );

    if let Some(openapi) = support::openapi() {
        let api = format!("{}/users/@me", ready.rest);
        let me = reqwest::Client::new()
            .get(api)
            .header("Authorization", "Bot planted-token");
        assert_eq!(me.send().await.expect("an answer").status(), 200);
        let openapi = openapi.to_string_lossy().into_owned();
        let (code, said) = output(&[
            "check-traffic",
            "--sandbox",
            &ready.page,
            "--openapi",
            &openapi,
        ])
        .await;
        assert_eq!(
            (code, said.trim()),
            (Some(0), "1 exchanges compared, 0 skipped, 0 problems")
        );
    }

    let id = child.id().expect("it runs").to_string();
    let stopped = Command::new("kill")
        .args(["-TERM", &id])
        .status()
        .await
        .expect("a signal");
    assert!(stopped.success());
    let end = tokio::time::timeout(Duration::from_secs(10), child.wait())
        .await
        .expect("it stops");
    assert_eq!(end.expect("a status").code(), Some(0));
}

#[tokio::test]
async fn wrong_use_is_answered_with_a_sentence() {
    let (code, said) = output(&["--listen", "0.0.0.0:0"]).await;
    assert_eq!(code, Some(2));
    assert!(said.contains("loopback only"), "{said}");
    let (code, said) = output(&["--token-file", "/nonexistent"]).await;
    assert_eq!(code, Some(2));
    assert!(
        said.contains("cannot read the token from /nonexistent"),
        "{said}"
    );
    let (code, said) = output(&[
        "check-traffic",
        "--sandbox",
        "http://127.0.0.1:1",
        "--openapi",
        "/nonexistent",
    ])
    .await;
    assert_eq!(code, Some(2));
    assert!(
        said.contains("cannot read the OpenAPI description"),
        "{said}"
    );
}
