//! The page in a real browser: people who talk, silence, a sandbox that goes away, and the panels.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod browser_support;
mod page_support;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use browser_support::{ENTER, in_browser};
use handbell_sandbox::{Options, Sandbox};
use page_support::{Stage, be};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const WINDOW: (u32, u32) = (1280, 800);
const MESSAGE: &str = ".main article.message";

#[tokio::test(flavor = "multi_thread")]
async fn people_talk_reply_edit_mention_and_open_threads() {
    in_browser("page-talk", WINDOW, |browser| async move {
        let stage = Stage::set().await;
        be(&browser, &stage, "bob").await;
        browser.keys("**Look** @ali").await;
        browser.see(".suggest-item", "alice").await;
        browser.keys(ENTER).await;
        browser
            .keys("||hidden|| `code` <b>no</b> 98\\.3 \\*plain\\*")
            .await;
        browser.keys(ENTER).await;
        browser.see(MESSAGE, "Look @alice").await;
        browser.see(MESSAGE, "<b>no</b> 98.3 *plain*").await;
        assert_eq!(browser.count(".main .message strong", "Look").await, 1);

        be(&browser, &stage, "alice").await;
        browser
            .see(".main article.message-mentions-me", "Look @alice")
            .await;
        browser.focus(".main article[data-author=bob]").await;
        browser
            .press(
                ".main article[data-author=bob] .message-toolbar [aria-label=Reply]",
                "",
            )
            .await;
        browser.see(".composer-context", "Replying to bob").await;
        browser.keys("on it").await;
        browser.keys(ENTER).await;
        browser
            .see(".main article[data-author=alice] .message-context", "@bob")
            .await;
        browser.keys("\u{e013}").await;
        browser.see(".edit-box", "Esc").await;
        browser.keys(" now").await;
        browser.keys(ENTER).await;
        browser.see(MESSAGE, "on it now").await;
        browser.see(".main .edited", "(edited)").await;

        // A message command, from the message's menu.
        browser.focus(".main article[data-author=bob]").await;
        browser
            .press(
                ".main article[data-author=bob] .message-toolbar [aria-label=More]",
                "",
            )
            .await;
        browser.press(".menu-item", "Note it").await;
        browser
            .see(".main article.message-ephemeral", "Noted what was said: ")
            .await;

        // A thread on bob's message.
        browser.focus(".main article[data-author=bob]").await;
        browser
            .press(
                ".main article[data-author=bob] .message-toolbar [aria-label='Create thread']",
                "",
            )
            .await;
        browser.see(".dialog h2", "New thread").await;
        browser
            .script("document.querySelector('.dialog input').select()", vec![])
            .await;
        browser.keys("cache trouble").await;
        browser.keys(ENTER).await;
        browser.see("#thread-panel h2", "cache trouble").await;
        browser.see(".channel-thread", "cache trouble").await;
        browser
            .see("#thread-panel .intro", "beginning of the thread")
            .await;
        browser.focus("#thread-panel .composer-input").await;
        browser.keys("first").await;
        browser.keys(ENTER).await;
        browser.see("#thread-panel article.message", "first").await;

        // Somebody who looks elsewhere sees that there is something new, and that it is for them.
        let tab = browser
            .new_tab(&format!(
                "{}/{}",
                stage.page("bob"),
                stage.sandbox.ready().channels["ops"]
            ))
            .await;
        browser.see(".main .main-head h2", "ops").await;
        stage
            .say("alice", "incidents", "<@1000000000000000403> please look")
            .await;
        browser.see(".channel-unread", "incidents").await;
        browser.see(".channel-unread .count", "1").await;
        browser.press(".channel", "incidents").await;
        browser
            .see(".main article.message-mentions-me", "please look")
            .await;
        browser.see(".divider-new", "New").await;
        browser.see_gone(".channel-unread", "incidents").await;
        tab.close().await;
        stage.strike().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_and_a_lost_sandbox_are_said() {
    in_browser("page-silence", WINDOW, |browser| async move {
        let stage = Stage::set().await;
        be(&browser, &stage, "alice").await;
        browser.keys("/silent").await;
        browser.see(".suggest-item", "/silent").await;
        browser.keys(ENTER).await;
        browser.see(".command-chip", "silent").await;
        browser.keys(ENTER).await;
        browser.see(".message-pending", "Sending /silent").await;
        browser
            .see(
                ".main article.message-ephemeral",
                "The application did not respond",
            )
            .await;
        browser.see_gone(".main .timeline-pending", "Sending").await;

        // The faults of Discord, from the panel.
        browser.press("[data-tool=faults]", "Discord faults").await;
        browser
            .see(".aside", "None. This Discord behaves well.")
            .await;
        browser.press("[data-act='start slow']", "Start").await;
        browser.see(".active-faults", "Slow answers").await;
        browser.press("[data-kind=slow] .icon-button", "").await;
        browser
            .see(".aside", "None. This Discord behaves well.")
            .await;

        // The sandbox goes away and comes back at the same address.
        let address = stage.address();
        stage.strike().await;
        browser
            .see(
                ".banner",
                "The connection to the sandbox is lost. Reconnecting…",
            )
            .await;
        let again = Sandbox::start(Options {
            listen: address,
            ..Options::default()
        })
        .await
        .expect("the port is free again");
        browser.see_gone(".banner", "").await;
        browser.press("[data-tool=members]", "Members").await;
        browser
            .see(".member-bot[data-connected=false]", "Not connected")
            .await;
        again.stop().await;
    })
    .await;
}

/// A stand-in for the lab's control interface: two faults, of which one applies.
async fn lab() -> (String, Arc<Mutex<bool>>) {
    async fn faults(State(broken): State<Arc<Mutex<bool>>>) -> Json<Value> {
        let broken = *broken.lock().expect("nobody panicked with it");
        Json(json!([
            {"name": "redis-stopped", "title": {"en": "Redis is stopped", "zh": "Redis 已停止"}, "applies": true, "why_not": null, "broken": broken},
            {"name": "redis-paused", "title": {"en": "Redis is paused", "zh": "Redis 被暂停"}, "applies": false, "why_not": "There is no container here.", "broken": false},
        ]))
    }
    async fn act(
        State(broken): State<Arc<Mutex<bool>>>,
        Path((what, name)): Path<(String, String)>,
    ) -> Json<Value> {
        *broken.lock().expect("nobody panicked with it") = what == "break";
        Json(json!({"ok": true, "said": format!("{name}: done, {what}")}))
    }
    let broken = Arc::new(Mutex::new(false));
    let router = Router::new()
        .route("/faults", get(faults))
        .route("/{what}/{name}", post(act))
        .with_state(Arc::clone(&broken));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), broken)
}

#[tokio::test(flavor = "multi_thread")]
async fn things_are_broken_and_healed_from_the_page_when_a_lab_is_attached() {
    in_browser("page-lab", WINDOW, |browser| async move {
        let (address, broken) = lab().await;
        let sandbox = Sandbox::start(Options {
            lab: Some(address),
            ..Options::default()
        })
        .await
        .expect("a sandbox starts");
        let page = sandbox.ready().page.clone();
        browser.open(&format!("{page}#/alice")).await;
        browser.press("[data-tool=lab]", "Break something").await;
        browser
            .see(
                ".fault[data-fault=redis-stopped][data-state=whole]",
                "Redis is stopped",
            )
            .await;
        browser
            .see(
                ".fault[data-fault=redis-paused][data-state=absent]",
                "There is no container here.",
            )
            .await;
        assert_eq!(
            browser
                .count(".fault[data-fault=redis-paused] .button:disabled", "Break")
                .await,
            1
        );
        browser
            .press(".fault[data-fault=redis-stopped] .button", "Break")
            .await;
        browser
            .see(
                ".fault[data-state=broken] .fault-said",
                "redis-stopped: done, break",
            )
            .await;
        assert!(*broken.lock().expect("nobody panicked with it"));
        browser
            .press(".fault[data-fault=redis-stopped] .button", "Heal")
            .await;
        browser
            .see(
                ".fault[data-fault=redis-stopped][data-state=whole]",
                "done, heal",
            )
            .await;
        browser.open(&format!("{page}#/hua")).await;
        browser.see(".fault", "Redis 已停止").await;
        sandbox.stop().await;

        // Without a lab there is no such panel.
        let bare = Sandbox::start(Options::default())
            .await
            .expect("a sandbox starts");
        browser.open(&bare.ready().page).await;
        browser.see("[data-tool=faults]", "Discord faults").await;
        assert_eq!(browser.count("[data-tool=lab]", "").await, 0);
        bare.stop().await;
    })
    .await;
}
