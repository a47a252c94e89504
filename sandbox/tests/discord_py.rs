//! discord.py, a whole client that no one here wrote: it logs in, registers a command, receives an interaction and replies; what people
//! read is looked at. It is installed into a virtual environment under `target/` when it is not there yet.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test speaks and breaks off in words"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use support::Town;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Time for installing discord.py from a package index.
const INSTALL: Duration = Duration::from_mins(5);

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/discord_py")
}

async fn run(program: &Path, arguments: &[&str]) -> Result<(), String> {
    let told = format!("{} {}", program.display(), arguments.join(" "));
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(INSTALL, output)
        .await
        .map_err(|_| format!("{told}: took too long"))?
        .map_err(|error| format!("{told}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!(
            "{told}: {}",
            String::from_utf8_lossy(&output.stderr)
        ))
    }
}

/// The Python of an environment with discord.py.
async fn python() -> Result<PathBuf, String> {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("discord-py");
    let python = environment.join("bin/python");
    if run(
        &python,
        &[
            "-c",
            "import discord; assert discord.__version__ == '2.7.1'",
        ],
    )
    .await
    .is_ok()
    {
        return Ok(python);
    }
    let place = environment.to_string_lossy().into_owned();
    run(Path::new("python3"), &["-m", "venv", "--clear", &place]).await?;
    let requirements = here()
        .join("requirements.txt")
        .to_string_lossy()
        .into_owned();
    run(
        &python,
        &[
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            &requirements,
        ],
    )
    .await?;
    Ok(python)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test asks whether it may be left out"
)]
fn in_ci() -> bool {
    std::env::var("CI").as_deref() == Ok("true")
}

/// The bot and what it prints.
struct Bot {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Bot {
    async fn says(&mut self, wanted: &str) {
        let line = tokio::time::timeout(Duration::from_secs(20), self.lines.next_line()).await;
        let line = line
            .unwrap_or_else(|_| panic!("discord.py never says {wanted:?}"))
            .expect("its output");
        assert_eq!(line.as_deref(), Some(wanted));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_py_logs_in_registers_and_answers() {
    let python = match python().await {
        Ok(python) => python,
        Err(why) => {
            assert!(!in_ci(), "CI needs discord.py: {why}");
            println!("NOT RUN: the test with discord.py, which could not be installed: {why}");
            return;
        }
    };
    let town = Town::start().await;
    let place = tempfile::tempdir().expect("a directory");
    let ready = place.path().join("ready.json");
    std::fs::write(
        &ready,
        serde_json::to_string(town.sandbox.ready()).expect("JSON"),
    )
    .expect("written");
    let mut child = Command::new(python)
        .arg(here().join("bot.py"))
        .arg(&ready)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a bot");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut bot = Bot {
        _child: child,
        lines,
    };
    bot.says("ready handbell in Mall with 1 command and 3 channels")
        .await;

    let ops = town.channel("ops");
    town.post(
        &format!("channels/{ops}/messages"),
        json!({"as": "alice", "content": "good morning"}),
    )
    .await;
    bot.says("heard alice in ops").await;

    let asked = town
        .invoke("alice", "ops", "greet", json!({"whom": "ming", "times": 2}))
        .await;
    assert_eq!(asked["state"], "answered", "{asked}");
    bot.says("answered").await;
    let seen = town
        .reads("bob", "ops", "hello 小明\nHello\n@小明 x2")
        .await;
    assert_eq!(
        (seen["kind"].as_str(), seen["command"]["name"].as_str()),
        (Some("command"), Some("greet"))
    );
    let goodbye = town.reads("alice", "ops", "and goodbye").await;
    assert_eq!(goodbye["ephemeral"], true);
    assert!(
        town.messages("ops", "bob")
            .await
            .iter()
            .all(|message| message["id"] != goodbye["id"]),
        "only alice sees it"
    );
    let thread = town
        .messages("ops", "bob")
        .await
        .into_iter()
        .find(|message| message["kind"] == "thread_created")
        .expect("the thread's line");
    assert_eq!(thread["thread"]["name"], "greetings");

    let click = format!("messages/{}/click", goodbye["id"].as_str().expect("an id"));
    let clicked = town
        .post(
            &click,
            json!({"as": "alice", "custom_id": "ask", "wait_ms": 5_000}),
        )
        .await;
    let submit = format!("modals/{}/submit", clicked["id"].as_str().expect("an id"));
    let input = clicked["modal"]["inputs"][0]["custom_id"]
        .as_str()
        .expect("an input")
        .to_owned();
    town.post(
        &submit,
        json!({"as": "alice", "values": {input: "it is morning"}, "wait_ms": 5_000}),
    )
    .await;
    town.reads("bob", "ops", "because it is morning").await;

    town.post("faults", json!({"kind": "gateway_drop", "code": 4000}))
        .await;
    bot.says("resumed").await;
    town.hold_against_openapi().await;
}
