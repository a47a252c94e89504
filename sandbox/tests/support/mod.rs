//! What the tests of the sandbox share: a running sandbox, a person's hands and eyes, and a serenity client pointed at it.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "each test file uses its own part of this; a test speaks and breaks off in words"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use handbell_sandbox::openapi::Description;
use handbell_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use serenity::all::{
    ApplicationId, ClientBuilder, EventHandler, GatewayIntents, Http, HttpBuilder,
};

/// A running sandbox with everything a test does to it.
pub(crate) struct Town {
    pub(crate) sandbox: Sandbox,
    client: reqwest::Client,
}

impl Town {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self {
            sandbox: Sandbox::start(options).await.expect("the sandbox starts"),
            client: reqwest::Client::new(),
        }
    }

    pub(crate) fn channel(&self, name: &str) -> String {
        self.sandbox.ready().channels[name].clone()
    }

    pub(crate) fn guild(&self) -> String {
        self.sandbox.ready().guild_id.clone()
    }

    /// A request to the interface for people; gives status and body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}sandbox/{path}", self.sandbox.ready().page);
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.client.request(method, url);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the sandbox answers");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// As [`Town::ask`], for what must be right.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, Value::Null).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask("POST", path, body.clone()).await;
        assert_eq!(status, 200, "POST {path} {body}: {answer}");
        answer
    }

    /// A REST request as the bot, without a client library; gives status, headers and body.
    pub(crate) async fn rest(
        &self,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, reqwest::header::HeaderMap, Value) {
        let ready = self.sandbox.ready();
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self
            .client
            .request(method, format!("{}{path}", ready.rest))
            .header("Authorization", format!("Bot {}", ready.token));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the sandbox answers");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.expect("a body");
        (
            status,
            headers,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// The messages of a channel as a person sees them.
    pub(crate) async fn messages(&self, channel: &str, who: &str) -> Vec<Value> {
        let page = self
            .get(&format!(
                "channels/{}/messages?as={who}",
                self.channel(channel)
            ))
            .await;
        page["messages"].as_array().expect("a list").clone()
    }

    /// Waits until a person reads something.
    pub(crate) async fn reads(&self, who: &str, channel: &str, part: &str) -> Value {
        let base = format!(
            "{}sandbox/channels/{}/messages/wait",
            self.sandbox.ready().page,
            self.channel(channel)
        );
        let query = [("as", who), ("contains", part), ("timeout_ms", "10000")];
        let url = reqwest::Url::parse_with_params(&base, query).expect("an address");
        let answer = self.client.get(url).send().await.expect("an answer");
        let status = answer.status();
        let body: Value = answer.json().await.expect("JSON");
        assert!(
            status.is_success(),
            "{who} never reads {part:?} in #{channel}: {body}"
        );
        body["message"].clone()
    }

    /// Uses a command and waits until it has settled.
    pub(crate) async fn invoke(
        &self,
        who: &str,
        channel: &str,
        command: &str,
        options: Value,
    ) -> Value {
        let body = json!({"as": who, "channel_id": self.channel(channel), "command": command, "options": options, "wait_ms": 8_000});
        self.post("commands/invoke", body).await
    }

    /// Waits until the bot's session is there and it has registered so many commands.
    pub(crate) async fn bot_is_ready(&self, commands: u64) {
        for _ in 0..400 {
            let bot = self.get("state").await["bot"].clone();
            if bot["connected"] == true && bot["commands"].as_u64() >= Some(commands) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the bot did not come up: {}", self.get("state").await);
    }

    /// Compares everything recorded with Discord's description, or says visibly that this did not happen.
    #[expect(clippy::unused_async, reason = "called like everything else here")]
    pub(crate) async fn hold_against_openapi(&self) {
        let Some(path) = openapi() else { return };
        let description =
            Description::read(&path).expect("HANDBELL_DISCORD_OPENAPI names Discord's description");
        let outcome = description.check(&self.sandbox.traffic());
        assert!(outcome.checked > 0, "nothing was compared");
        assert!(
            outcome.problems.is_empty(),
            "{}",
            outcome
                .problems
                .iter()
                .map(|one| format!("{one:?}"))
                .collect::<Vec<_>>()
                .join(
                    "
"
                )
        );
    }
}

/// Discord's OpenAPI description, or a visible sentence that the comparison does not run.
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads where the description is"
)]
pub(crate) fn openapi() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("HANDBELL_DISCORD_OPENAPI").filter(|path| !path.is_empty())
    {
        return Some(PathBuf::from(path));
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "CI must set HANDBELL_DISCORD_OPENAPI"
    );
    println!(
        "NOT RUN: the comparison with Discord's OpenAPI description; HANDBELL_DISCORD_OPENAPI does not name one."
    );
    None
}

/// serenity's HTTP, reaching the sandbox through TLS as discord.com.
pub(crate) fn http(sandbox: &Sandbox) -> Http {
    let ready = sandbox.ready();
    let address: SocketAddr = ready.rest_tls.parse().expect("an address");
    let pem = std::fs::read(&ready.ca_file).expect("the authority's certificate");
    let client = reqwest::Client::builder()
        .resolve("discord.com", address)
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).expect("PEM")])
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a client");
    let application: u64 = ready.application_id.parse().expect("an id");
    HttpBuilder::new(&ready.token)
        .client(client)
        .application_id(ApplicationId::new(application))
        .build()
}

/// A running serenity bot; it is stopped when this is dropped.
pub(crate) struct Bot {
    pub(crate) http: Arc<Http>,
    task: tokio::task::JoinHandle<()>,
}

impl Bot {
    pub(crate) async fn start(town: &Town, handler: impl EventHandler + 'static) -> Self {
        Self::with_intents(
            town,
            handler,
            GatewayIntents::GUILDS | GatewayIntents::GUILD_MESSAGES,
        )
        .await
    }

    pub(crate) async fn with_intents(
        town: &Town,
        handler: impl EventHandler + 'static,
        intents: GatewayIntents,
    ) -> Self {
        let mut client = ClientBuilder::new_with_http(http(&town.sandbox), intents)
            .event_handler(handler)
            .await
            .expect("a client");
        assert_eq!(
            *client.ws_url.lock().await,
            town.sandbox.ready().gateway,
            "GET /gateway names the sandbox's gateway"
        );
        let http = Arc::clone(&client.http);
        let task = tokio::spawn(async move {
            if let Err(error) = client.start().await {
                println!("the serenity client ended: {error}");
            }
        });
        Self { http, task }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.task.abort();
    }
}
