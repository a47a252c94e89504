//! The page in a real browser, with a scripted bot behind it: what a person does and what a person sees.

mod browser_support;
mod page_support;

use browser_support::{BACKSPACE, Browser, DOWN, ENTER, ESCAPE, TAB, in_browser};
use page_support::{Stage, be};
use serde_json::json;

const WINDOW: (u32, u32) = (1280, 800);
const COMPOSER: &str = ".main .composer";
const MESSAGE: &str = ".main article.message";

/// `/check redis target:cache`, with the keyboard alone.
async fn ask_for_a_report(browser: &Browser) {
    browser.keys("/check redis").await;
    browser
        .see(".suggest-item[aria-selected=true]", "/check redis")
        .await;
    browser.keys(ENTER).await;
    browser.see(".suggest-item", "sessions").await;
    browser.keys("cac").await;
    browser.see_gone(".suggest-item", "sessions").await;
    browser.see(".suggest-item", "cache").await;
    browser.keys(ENTER).await;
    browser.see(".pill[data-option=target]", "cache").await;
    browser.keys(ENTER).await;
    browser.see(MESSAGE, "Redis is full").await;
}

/// “/” lists what there is, typing narrows it, arrows move and Esc closes.
async fn the_picker_lists_and_filters(browser: &Browser) {
    browser
        .see(".sandbox-line", "local sandbox, not Discord")
        .await;
    browser.keys("/").await;
    for line in ["/check redis", "/check mysql", "/silent", "Look at a Redis"] {
        browser.see(".suggest-item", line).await;
    }
    browser
        .see(".suggest-item .option-hint.required", "target")
        .await;
    browser.keys("mysql").await;
    browser.see_gone(".suggest-item", "/check redis").await;
    browser.keys(&BACKSPACE.repeat(5)).await;
    browser.see(".suggest-item", "/silent").await;
    browser.keys(DOWN).await;
    browser
        .see(".suggest-item[aria-selected=true]", "/check mysql")
        .await;
    browser.keys(ESCAPE).await;
    browser.see_gone(".suggest", "/check").await;
    browser.keys(BACKSPACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_found_filled_in_and_sent_with_the_keyboard_alone() {
    in_browser("page-command", WINDOW, |browser| async move {
        let stage = Stage::set().await;
        be(&browser, &stage, "alice").await;
        the_picker_lists_and_filters(&browser).await;

        // The required option stands there at once, and nothing is sent without it.
        browser.keys("/check redis ").await;
        browser.see(".command-chip", "check redis").await;
        browser
            .see(".pill-required[data-option=target]", "target")
            .await;
        browser.see(".suggest-head", "Which server").await;
        browser.see(".suggest-item", "queue").await;
        browser.keys(ESCAPE).await;
        browser.keys(ENTER).await;
        browser
            .see(".form-problem", "This option is required.")
            .await;
        browser.keys("ses").await;
        browser
            .see(".suggest-item[aria-selected=true]", "sessions")
            .await;
        browser.keys(TAB).await;

        // An optional integer with bounds.
        browser.see(".suggest-item", "minutes").await;
        browser.see(".suggest-item", "whole number, 1 to 60").await;
        browser.keys("min").await;
        browser.keys(ENTER).await;
        browser.keys("99").await;
        browser
            .see(".suggest-head", "This must be at most 60.")
            .await;
        browser.keys(ENTER).await;
        browser
            .see(".form-problem", "minutes: This must be at most 60.")
            .await;
        browser.keys(&BACKSPACE.repeat(2)).await;
        browser.keys("15").await;
        browser.see_gone(".form-problem", "at most").await;
        browser.keys(TAB).await;
        browser.keys("dep").await;
        browser.keys(ENTER).await;
        browser.see(".suggest-item", "thorough").await;
        browser.keys("thor").await;
        browser.keys(ENTER).await;
        browser.keys(ENTER).await;

        // Thinking, then the card, in the same message.
        browser.see(MESSAGE, "thinking").await;
        browser
            .see(".main .embed .embed-title", "Redis is full")
            .await;
        browser.see_gone(MESSAGE, "thinking").await;
        browser
            .see(".main .embed", "target=sessions minutes=15 depth=t")
            .await;
        browser
            .see(".main .embed-field", "63.9 MiB of 64 MiB")
            .await;
        browser
            .see(".main .message-context", "alice used /check redis")
            .await;
        browser
            .see(".main .attachment", "line 6: used_memory_bytes")
            .await;
        assert_eq!(
            browser.count(".main .attachment", "line 7:").await,
            0,
            "a long file is folded"
        );
        browser
            .press(".main .attachment-more", "Show all 12 lines")
            .await;
        browser.see(".main .attachment", "line 12:").await;

        // What comes from outside is text.
        browser
            .see(".main .embed", "<img src=x onerror=alert(1)>")
            .await;
        assert_eq!(browser.count(".main .embed img", "").await, 0);
        assert_eq!(
            browser
                .script(
                    "return document.querySelectorAll('.main .embed a').length",
                    vec![]
                )
                .await,
            json!(0),
            "javascript: is no link"
        );
        stage.strike().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buttons_forms_and_selects_answer_and_only_their_reader_sees_an_ephemeral_reply() {
    in_browser("page-form", WINDOW, |browser| async move {
        let stage = Stage::set().await;
        be(&browser, &stage, "alice").await;
        ask_for_a_report(&browser).await;
        assert_eq!(
            browser
                .count(".main .button-danger:disabled", "Purge")
                .await,
            1
        );
        browser.press(".main .button", "Run again").await;
        browser
            .see(".main article.message-mentions-me", "Ran again for @alice")
            .await;

        browser.press(".main .button", "Add a note").await;
        browser.see(".dialog h2", "A note").await;
        browser.keys("why").await;
        browser.keys(ENTER).await;
        browser
            .see(".dialog .field-problem", "at least 5 characters")
            .await;
        browser.keys(" not, it is full").await;
        browser.keys(ENTER).await;
        browser.see_gone(".dialog", "").await;
        browser
            .see(
                ".main article.message-ephemeral",
                "Noted: why not, it is full",
            )
            .await;
        browser
            .see(".main article.message-ephemeral", "Only you can see this")
            .await;

        let tab = browser.new_tab(&stage.page("bob")).await;
        browser.see(".main .embed", "Redis is full").await;
        assert_eq!(
            browser.count("body", "Noted:").await,
            0,
            "bob reads what is for alice"
        );
        tab.close().await;

        browser
            .press(".main .message-ephemeral .link-button", "Dismiss message")
            .await;
        browser.see_gone(MESSAGE, "Noted:").await;

        browser.press(".main .select", "Severity").await;
        browser.see(".option", "The shop is down").await;
        browser.keys(DOWN).await;
        browser.keys(ENTER).await;
        browser.see(MESSAGE, "Chosen in severity: 1").await;
        stage.strike().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_reads_another_language_and_is_refused_in_it() {
    in_browser("page-person", WINDOW, |browser| async move {
        let stage = Stage::set().await;
        be(&browser, &stage, "alice").await;
        browser.press("[data-role=person]", "alice").await;
        browser.press(".menu-item", "小华").await;
        browser.see("[data-role=person]", "小华").await;
        browser.see(".sandbox-line", "这是本地沙箱").await;
        assert!(browser.script("return location.hash", vec![]).await.as_str().is_some_and(|hash| hash.starts_with("#/hua/")));
        browser.see(COMPOSER, "").await;
        browser.focus(".main .composer-input").await;
        browser.keys("/检查").await;
        browser.see(".suggest-item", "/检查 redis").await;
        browser.see(".suggest-item", "查看 Redis").await;
        browser.keys(ENTER).await;
        browser.see(".pill", "目标").await;
        browser.see(".suggest-item", "cache").await;
        browser.keys(ENTER).await;
        browser.keys("cache").await;
        browser.see(".suggest-item[aria-selected=true]", "cache").await;
        browser.keys(ENTER).await;
        browser.keys(ENTER).await;
        browser.see(".main article.message-ephemeral", "需要 operator 角色。").await;
        browser.see(".main article.message-ephemeral", "只有你能看到此消息").await;

        // The same person in English.
        browser.press("[data-role=language]", "").await;
        browser.press(".menu-item", "English").await;
        browser.see(".sandbox-line", "local sandbox, not Discord").await;
        browser.see(".user-role", "viewer").await;

        // Both languages say everything.
        let missing = browser.script("return Promise.all([import('/js/words-en.js'), import('/js/words-zh.js')]).then(([{en}, {zh}]) => [
            ...Object.keys(en).filter((key) => !key.endsWith('.one') && !(key in zh)), ...Object.keys(zh).filter((key) => !(key in en)),
            ...Object.keys(zh).filter((key) => (zh[key].match(/{\\w+}/g) ?? []).sort().join() !== (en[key].match(/{\\w+}/g) ?? []).sort().join())])", vec![]).await;
        assert_eq!(missing, json!([]), "words that one language lacks, or with other placeholders");
        stage.strike().await;
    })
    .await;
}
