//! The whole way in a real browser: somebody types in the page of the local Discord, the real bot looks at a real
//! Redis, and the answer is read on the screen.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

#[path = "../sandbox/tests/browser_support/mod.rs"]
mod browser_support;
mod support;

use serde_json::json;

use browser_support::{Browser, ENTER, ESCAPE, in_browser, program};
use support::{Bot, Redis, Sandbox, Setup, did_not_run};

const WINDOW: (u32, u32) = (1280, 800);
const REPORT: &str = ".main article.message:last-of-type .embed";
const LAST: &str = ".main article.message:last-of-type";

/// The page as `person` in #incidents, with the bot connected.
async fn be(browser: &Browser, sandbox: &Sandbox, person: &str) {
    let page = sandbox.ready["page"].as_str().expect("an address");
    browser
        .open(&format!(
            "{page}#/{person}/{}",
            sandbox.channel("incidents")
        ))
        .await;
    browser.see(".main .main-head h2", "incidents").await;
    browser.see(".member-bot[data-connected=true]", "").await;
}

/// Types the command and sends it, with the keyboard.
async fn diagnose_redis(browser: &Browser, typed: &str) {
    browser.focus(".main .composer-input").await;
    browser.keys(typed).await;
    browser
        .see(".suggest-item[aria-selected=true]", typed)
        .await;
    browser.keys(ENTER).await;
    browser
        .see(".command-chip", typed.trim_start_matches('/'))
        .await;
    // The list of optional options is in the way of nothing.
    browser.keys(ENTER).await;
    browser.see_gone(".command-chip", "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cause_is_read_in_the_page_before_and_after_redis_breaks() {
    if program(&["redis-server"]).is_none() {
        did_not_run(
            "the browser against the bot and a real Redis",
            "redis-server is not in PATH (Debian: redis-server)",
        );
        return;
    }
    in_browser("browser-diagnose", WINDOW, |browser| async move {
        let mut redis = Redis::start();
        let sandbox = Sandbox::start().await;
        let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;

        be(&browser, &sandbox, "alice").await;
        diagnose_redis(&browser, "/diagnose redis").await;
        browser.see(LAST, "alice used /diagnose redis").await;
        browser.see(REPORT, "healthy").await;
        browser.see_gone(LAST, "thinking").await;

        redis.stop();
        diagnose_redis(&browser, "/diagnose redis").await;
        browser.see(REPORT, "redis.unreachable").await;
        browser.see(REPORT, &redis.port.to_string()).await;

        // In Chinese, by somebody else.
        be(&browser, &sandbox, "ming").await;
        browser.see(".sandbox-line", "这是本地沙箱").await;
        diagnose_redis(&browser, "/诊断 redis").await;
        browser.see(LAST, "小明 使用了").await;
        browser.see(REPORT, "没有进程监听").await;
        browser.see(REPORT, "redis.unreachable").await;

        redis.resume();
        diagnose_redis(&browser, "/诊断 redis").await;
        browser.see(REPORT, "正常").await;
        browser.see_gone(REPORT, "redis.unreachable").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_diagnose_is_refused_in_words_that_nobody_else_sees() {
    if program(&["redis-server"]).is_none() {
        did_not_run(
            "refusals in the browser",
            "redis-server is not in PATH (Debian: redis-server)",
        );
        return;
    }
    in_browser("browser-refusal", WINDOW, |browser| async move {
        let redis = Redis::start();
        let sandbox = Sandbox::start().await;
        let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;

        be(&browser, &sandbox, "hua").await;
        diagnose_redis(&browser, "/诊断 redis").await;
        browser
            .see(".main article.message-ephemeral", "operator")
            .await;
        browser
            .see(".main article.message-ephemeral", "只有你能看到此消息")
            .await;

        be(&browser, &sandbox, "carol").await;
        assert_eq!(
            browser.count(".main article.message", "").await,
            0,
            "carol reads what is for hua"
        );
        diagnose_redis(&browser, "/diagnose redis").await;
        browser
            .see(".main article.message-ephemeral", "operator")
            .await;
        browser
            .see(".main article.message-ephemeral", "Only you can see this")
            .await;

        // With the role it works at once: given in the page, by a menu on the member.
        browser.press(".member[data-person=carol]", "carol").await;
        browser
            .press(".menu-item[data-item=operator]", "operator")
            .await;
        browser.see(".member-group", "operator · 3").await;
        browser.keys(ESCAPE).await;
        diagnose_redis(&browser, "/diagnose redis").await;
        browser.see(REPORT, "healthy").await;
    })
    .await;
}

/// Takes the pictures of the README anew, from a real report on a real Redis that is really full:
/// `cargo test --test browser -- --ignored take_the_pictures`. See docs/sandbox.md.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes docs/images; run it when the page or the report has changed"]
async fn take_the_pictures() {
    in_browser("browser-pictures", WINDOW, |browser| async move {
        let redis = Redis::start();
        fill(&redis);
        let sandbox = Sandbox::start().await;
        let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
        let shots = [
            (
                "en",
                "alice",
                "/diagnose redis",
                "Carts are not saved any more, since a few minutes ago.",
            ),
            (
                "zh",
                "ming",
                "/诊断 redis",
                "购物车保存不了，从几分钟前开始。",
            ),
        ];
        for (language, person, typed, complaint) in shots {
            sandbox.post("/reset", json!({})).await;
            let channel = sandbox.channel("incidents");
            let said = json!({"as": "carol", "content": complaint});
            sandbox
                .post(&format!("/channels/{channel}/messages"), said)
                .await;
            be(&browser, &sandbox, person).await;
            diagnose_redis(&browser, typed).await;
            browser.see(REPORT, "redis.memory-exhausted").await;
            browser.see_gone(LAST, "…").await;
            let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/images");
            std::fs::create_dir_all(picture).expect("docs/images");
            let file = format!("{picture}/page-{language}.png");
            std::fs::write(file, browser.screenshot().await).expect("the picture is written");
        }
    })
    .await;
}

/// Fills Redis to its brim, with a policy that lets nothing go.
fn fill(redis: &Redis) {
    redis.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    redis.command(&["CONFIG", "SET", "maxmemory", "64mb"]);
    let value = "x".repeat(512 * 1024);
    let full = (0..1000).any(|number| {
        let key = format!("mall:cart:{number}");
        redis.command(&["SET", &key, &value]).starts_with("-OOM")
    });
    assert!(full, "Redis takes more than it may");
}
