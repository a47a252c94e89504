//! A sandbox with a scripted bot: what the page's tests talk to.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "each test that includes this file uses a part of it; tests fail by panicking and say what did not run"
)]

mod bot;

use std::net::SocketAddr;
use std::sync::Arc;

use handbell_sandbox::{Options, Sandbox};
use serenity::all::{ClientBuilder, GatewayIntents, ShardManager};
use serenity::http::{Http, HttpBuilder};
use tokio::task::JoinHandle;

use crate::browser_support::Browser;

/// A sandbox, and a bot that is connected to it.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    shards: Arc<ShardManager>,
    running: JoinHandle<()>,
}

impl Stage {
    /// Starts both and waits until the bot's commands are there.
    pub(crate) async fn set() -> Self {
        let sandbox = Sandbox::start(Options::default())
            .await
            .expect("a sandbox starts");
        let ready = sandbox.ready().clone();
        let authority =
            std::fs::read(&ready.ca_file).expect("the authority's certificate is there");
        let address: SocketAddr = ready.rest_tls.parse().expect("host and port");
        let client = serenity_client(&authority, address);
        let http: Http = HttpBuilder::new(&ready.token).client(client).build();
        let (registered, is_registered) = tokio::sync::oneshot::channel();
        let handler = bot::Scripted::new(registered);
        let mut client = ClientBuilder::new_with_http(http, GatewayIntents::GUILDS)
            .event_handler(handler)
            .await
            .expect("a client is made");
        client.ws_url.lock().await.clone_from(&ready.gateway);
        let shards = Arc::clone(&client.shard_manager);
        let running = tokio::spawn(async move { client.start().await.expect("the bot runs") });
        is_registered.await.expect("the bot registers its commands");
        Self {
            sandbox,
            shards,
            running,
        }
    }

    /// The page's address, as `person`.
    pub(crate) fn page(&self, person: &str) -> String {
        format!("{}#/{person}", self.sandbox.ready().page)
    }

    /// Where the page is listened on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.sandbox
            .ready()
            .page
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .parse()
            .expect("host and port")
    }

    /// A message by somebody who is not in the browser.
    pub(crate) async fn say(&self, person: &str, channel: &str, text: &str) {
        let ready = self.sandbox.ready();
        let address = format!(
            "{}sandbox/channels/{}/messages",
            ready.page, ready.channels[channel]
        );
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a plain client");
        let answer = client
            .post(address)
            .json(&serde_json::json!({"as": person, "content": text}))
            .send()
            .await
            .expect("the sandbox answers");
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }

    /// Ends the bot, then the sandbox.
    pub(crate) async fn strike(self) {
        self.shards.shutdown_all().await;
        self.running.abort();
        self.sandbox.stop().await;
    }
}

fn serenity_client(authority: &[u8], address: SocketAddr) -> reqwest::Client {
    let authority = reqwest::Certificate::from_pem(authority).expect("a certificate");
    reqwest::Client::builder()
        .resolve("discord.com", address)
        .tls_certs_merge([authority])
        .no_proxy()
        .build()
        .expect("a client for discord.com")
}

/// Opens the page as `person` and waits until it can be typed into.
pub(crate) async fn be(browser: &Browser, stage: &Stage, person: &str) {
    browser.open(&stage.page(person)).await;
    browser.see(".main .main-head h2", "incidents").await;
    browser
        .see(".member-bot[data-connected=true]", "Handbell")
        .await;
    browser.focus(".main .composer-input").await;
}
