//! The demonstration from its command: what a newcomer types, reads and breaks, without Docker so that it runs anywhere.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{did_not_run, program};
use serde_json::{Value, json};

/// How long the demonstration may take until it invites, and a report until it is there.
const LIMIT: Duration = Duration::from_mins(1);

/// Everything that can be asked.
const PAGES: [&str; 11] = [
    "outage",
    "mysql",
    "redis",
    "slow-api",
    "payment",
    "oversell",
    "disk",
    "nginx",
    "miniprogram",
    "deadlock",
    "all",
];

/// What is broken from the page's panel, the page that is asked, and the cause that it names.
const FAULTS: [(&str, &str, &str); 4] = [
    ("redis-memory-full", "redis", "redis.memory-exhausted"),
    ("slow-missing-index", "slow-api", "mysql.missing-index"),
    ("nginx-upstream-wrong-port", "nginx", "nginx.upstream-wrong"),
    (
        "certificate-expired",
        "miniprogram",
        "tls.certificate-expired",
    ),
];

struct Demo {
    child: Child,
    page: String,
    _state: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        let state = tempfile::tempdir().expect("a directory");
        let mut child = Command::new(env!("CARGO_BIN_EXE_handbell-lab"))
            .args([
                "demo",
                "--without-docker",
                "--instance",
                "demotest",
                "--state",
            ])
            .arg(state.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut lines = lines.map_while(Result::ok);
        let page = lines
            .find_map(|line| {
                line.trim()
                    .strip_prefix("Open")
                    .map(|page| page.trim().to_owned())
            })
            .expect("the demonstration invites to a page");
        assert!(
            lines.any(|line| line.contains("break redis-memory-full")),
            "it says how to break"
        );
        Self {
            child,
            page,
            _state: state,
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.page);
        let answer = reqwest::Client::new()
            .post(url)
            .json(&body)
            .send()
            .await
            .expect("an answer");
        answer.json().await.expect("JSON")
    }

    /// Types `/diagnose` with a page and reads the channel until a report says `words`.
    async fn diagnose_until(&self, channel: &str, page: &str, words: &str) {
        let command = format!("diagnose {page}");
        let order = json!({"as": "alice", "channel_id": channel, "command": command, "options": {}, "wait_ms": 3000});
        let started = Instant::now();
        let mut seen = String::new();
        while started.elapsed() < LIMIT {
            self.post("sandbox/commands/invoke", order.clone()).await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let url = format!(
                "{}sandbox/channels/{channel}/messages?as=alice&limit=1",
                self.page
            );
            let list: Value = reqwest::get(url)
                .await
                .expect("an answer")
                .json()
                .await
                .expect("JSON");
            list["messages"][0]["readable"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut seen);
            if seen.contains(words) {
                return;
            }
        }
        assert!(
            seen.contains(words),
            "no report of {page} says {words:?}; the last one: {seen}"
        );
    }

    /// Stops it as a service manager does, and gives its exit code.
    fn stop(&mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        self.child.wait().ok()?.code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.stop();
        }
    }
}

#[tokio::test]
async fn a_newcomer_reads_breaks_and_reads_the_right_cause() {
    let what = "the demonstration from its command";
    for name in ["handbell", "handbell-sandbox"] {
        if program(name).is_none() {
            did_not_run(
                what,
                &format!("{name} is not built (cargo build --workspace --bins)"),
            );
            return;
        }
    }
    let mut demo = Demo::start();
    let channels: Value = reqwest::get(format!("{}sandbox/channels?as=alice", demo.page))
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let list = channels["channels"].as_array().expect("channels");
    let incidents = list
        .iter()
        .find(|channel| channel["name"] == "incidents")
        .expect("#incidents");
    let channel = incidents["id"].as_str().expect("an id");

    for page in PAGES {
        demo.diagnose_until(channel, page, "healthy").await;
    }
    for (fault, page, cause) in FAULTS {
        let broken = demo.post(&format!("lab/break/{fault}"), json!({})).await;
        assert_eq!(broken["ok"], true, "{broken}");
        demo.diagnose_until(channel, page, cause).await;
        demo.diagnose_until(channel, "all", cause).await;
        let healed = demo.post(&format!("lab/heal/{fault}"), json!({})).await;
        assert_eq!(healed["ok"], true, "{healed}");
    }
    demo.diagnose_until(channel, "all", "healthy").await;
    assert_eq!(demo.stop(), Some(0));
}
