//! The local Discord as a child process.

use std::{
    process::{Command, Stdio},
    sync::Once,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{PATIENCE, Person, Process, binaries, openapi};

/// The local Discord.
pub struct Sandbox {
    /// What its ready file says (docs/sandbox.md).
    pub ready: Value,
    base: String,
    client: reqwest::Client,
    _process: Process,
    _directory: tempfile::TempDir,
}

/// Builds the sandbox's binary once for each test program; cargo does nothing when it is fresh.
fn build() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "handbell-sandbox"]);
        cargo.args(["--bin", "handbell-sandbox"]);
        if binaries().ends_with("release") {
            cargo.arg("--release");
        }
        let status = cargo
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo, to build the sandbox");
        assert!(
            status.success(),
            "the sandbox can't be built: see cargo's messages above"
        );
    });
}

impl Sandbox {
    /// Starts one and waits until it listens.
    pub async fn start() -> Self {
        build();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let ready_file = directory.path().join("ready.json");
        let mut command = Command::new(binaries().join("handbell-sandbox"));
        command
            .arg("--ready-file")
            .arg(&ready_file)
            .arg("--ca-dir")
            .arg(directory.path())
            .stdout(Stdio::null());
        if let Some(openapi) = openapi() {
            command.arg("--openapi").arg(openapi);
        }
        let mut process = Process::start("handbell-sandbox", &mut command);
        let end = Instant::now() + PATIENCE;
        let ready: Value = loop {
            let text = std::fs::read_to_string(&ready_file).unwrap_or_default();
            if let Ok(ready) = serde_json::from_str(&text) {
                break ready;
            }
            assert!(process.runs(), "the sandbox has ended before it was ready");
            assert!(Instant::now() < end, "the sandbox is not ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let page = ready["page"].as_str().expect("an address");
        Self {
            base: page.trim_end_matches('/').to_owned(),
            client: reqwest::Client::new(),
            ready,
            _process: process,
            _directory: directory,
        }
    }

    /// One of the people: `alice` (operator), `ming` (operator, Chinese), `bob` (approver), `hua`
    /// (viewer, Chinese), `carol` (no role), `dave` (admin).
    pub fn person(&self, name: &str) -> Person<'_> {
        Person::new(self, name, "ops")
    }

    /// The id of the channel `name`.
    pub fn channel(&self, name: &str) -> String {
        self.ready["channels"][name]
            .as_str()
            .expect("a channel")
            .to_owned()
    }

    /// GET a path under `/sandbox`.
    pub async fn get(&self, path: &str) -> Value {
        let response = self
            .client
            .get(format!("{}/sandbox{path}", self.base))
            .send()
            .await;
        self.read(path, response).await
    }

    /// POST to a path under `/sandbox`; a refusal fails the test.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, value) = self.try_post(path, body).await;
        assert!(status == 200, "{path}: {status} {value}");
        value
    }

    /// POST to a path under `/sandbox`: status and body.
    pub async fn try_post(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/sandbox{path}", self.base);
        let response = self
            .client
            .post(url)
            .json(&body)
            .send()
            .await
            .expect("the sandbox");
        let status = response.status().as_u16();
        (status, response.json().await.expect("JSON"))
    }

    async fn read(&self, path: &str, response: reqwest::Result<reqwest::Response>) -> Value {
        let response = response.unwrap_or_else(|error| panic!("{path}: {error}"));
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    /// The bytes of an attached file.
    pub async fn download(&self, url: &str) -> String {
        let url = if url.starts_with('/') {
            format!("{}{url}", self.base)
        } else {
            url.to_owned()
        };
        let response = self.client.get(url).send().await.expect("the sandbox");
        assert!(response.status().is_success(), "{}", response.status());
        response.text().await.expect("text")
    }

    /// Breaks something (docs/sandbox.md, "Faults and the clock"); gives the fault's id.
    pub async fn fault(&self, fault: Value) -> String {
        let set = self.post("/faults", fault).await;
        set["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Ends every fault.
    pub async fn heal(&self) {
        let url = format!("{}/sandbox/faults", self.base);
        let response = self.client.delete(url).send().await.expect("the sandbox");
        assert!(response.status().is_success());
    }

    /// Lets time pass for Discord.
    pub async fn advance(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).expect("a length of time");
        self.post("/clock", json!({"advance_ms": ms})).await;
    }

    /// REST requests of the bot so far.
    pub async fn traffic(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut since = 0;
        loop {
            let page = self
                .get(&format!("/traffic?since={since}&limit=1000"))
                .await;
            let records = page["records"].as_array().expect("records").clone();
            if records.is_empty() {
                return all;
            }
            all.extend(records);
            since = page["next"].as_u64().expect("a number");
        }
    }

    /// Forgets the requests so far.
    pub async fn forget_traffic(&self) {
        let url = format!("{}/sandbox/traffic", self.base);
        self.client.delete(url).send().await.expect("the sandbox");
    }

    /// Requests so far whose method and route match.
    pub async fn requests(&self, method: &str, route_part: &str) -> Vec<Value> {
        let all = self.traffic().await;
        all.into_iter()
            .filter(|one| one["method"] == method)
            .filter(|one| {
                one["path"]
                    .as_str()
                    .is_some_and(|path| path.contains(route_part))
            })
            .collect()
    }

    /// Compares everything that was said with Discord's `OpenAPI` description, when that is at hand.
    pub async fn check_traffic(&self) {
        if super::environment("HANDBELL_DISCORD_OPENAPI").is_none() {
            return;
        }
        let checked = self.get("/traffic/check").await;
        let problems = checked["problems"].as_array().expect("problems");
        assert!(
            problems.is_empty(),
            "Discord's description disagrees: {problems:#?}"
        );
        assert!(
            checked["checked"].as_u64() > Some(0),
            "nothing was compared"
        );
    }
}
