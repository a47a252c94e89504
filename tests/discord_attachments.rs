//! What a message has no room for goes along as files; what can't go along is said.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::fmt::Write as _;

use serde_json::{Value, json};
use support::{Bot, Redis, Sandbox, Setup, person::text};

/// The names of a message's files with what they hold.
async fn files(sandbox: &Sandbox, message: &Value) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for file in message["attachments"].as_array().unwrap() {
        let name = file["filename"].as_str().unwrap().to_owned();
        let content = sandbox.download(file["url"].as_str().unwrap()).await;
        all.push((name, content));
    }
    all
}

/// A page whose report an embed has room for and a text has not.
fn wordy(redis: &Redis) -> Setup {
    let mut page = String::from(
        "[runbook]\nid = \"wordy\"\nsection = \"9.9\"\ntitle = { en = \"Wordy\", zh = \"冗长\" }\n\
         symptom = { en = \"Something\", zh = \"某事\" }\nseverity = \"P3\"\nowner = \"ops\"\nreviewed = 2026-11-01\n",
    );
    let (en, zh) = ("it goes on and on ".repeat(50), "说来话长，".repeat(180));
    for n in 0..3 {
        let _ = write!(
            page,
            "[[check]]\nid = \"c{n}\"\ntitle = {{ en = \"Check {n}\", zh = \"检查 {n}\" }}\nprobe = \"redis.ping\"\ntarget = \"cache\"\n\
             [[check.rule]]\nwhen = \"state != 'ok'\"\nverdict = \"ok\"\nsay = {{ en = \"fine\", zh = \"正常\" }}\n\
             [[check.rule]]\nwhen = \"true\"\nverdict = \"warning\"\ncause = \"wordy.c{n}\"\nsay = {{ en = \"{en}\", zh = \"{zh}\" }}\n"
        );
    }
    let mut setup = Setup::redis(redis.port);
    setup.pages.push(("wordy.toml".to_owned(), page));
    setup
}

async fn lose(sandbox: &Sandbox, permissions: &[&str]) {
    sandbox
        .fault(json!({"kind": "lose_permissions", "permissions": permissions}))
        .await;
}

#[tokio::test]
async fn without_embeds_a_report_is_text_and_the_whole_of_it_a_file() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &wordy(&redis)).await;
    let alice = sandbox.person("alice");
    let whole = alice.asks("diagnose wordy").await;
    assert_eq!(whole["attachments"], json!([]), "an embed has room");
    lose(&sandbox, &["EMBED_LINKS"]).await;
    let report = alice.asks("diagnose wordy").await;
    let said = text(&report);
    assert_eq!(report["embeds"], json!([]), "{report}");
    assert!(
        said.contains("shortened; the attached file has everything"),
        "{said}"
    );
    let files = files(&sandbox, &report).await;
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["evidence-2.md", "evidence-2.json"]);
    assert!(files[0].1.contains("wordy.c2"), "{}", files[0].1);

    lose(&sandbox, &["ATTACH_FILES"]).await;
    let report = alice.asks("diagnose wordy").await;
    let said = text(&report);
    assert_eq!(report["attachments"], json!([]));
    assert!(
        said.contains("shortened; handbell history 3 has everything"),
        "{said}"
    );
    assert!(said.contains("lacks the permission Attach Files"), "{said}");
    assert!(!said.contains("the attached file"), "{said}");
    let ming = sandbox.person("ming");
    let said = text(&ming.asks("diagnose wordy").await);
    assert!(
        said.contains("内容已截短，完整内容见 handbell history 4"),
        "{said}"
    );
    assert!(said.contains("缺少“附加文件”权限"), "{said}");
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn files_over_the_limit_are_cut_and_say_so() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    let alice = sandbox.person("alice");
    let report = alice.asks("diagnose redis").await;
    let pressed = alice.presses(&report, "Evidence").await;
    let whole = files(&sandbox, &alice.reads_reply(&pressed).await).await;
    let bytes = |files: &[(String, String)]| files.iter().map(|(_, it)| it.len()).sum::<usize>();
    let limit = bytes(&whole) * 4 / 10;
    sandbox
        .fault(json!({"kind": "small_attachments", "bytes": limit}))
        .await;
    let pressed = alice.presses(&report, "Evidence").await;
    let evidence = alice.reads_reply(&pressed).await;
    let files = files(&sandbox, &evidence).await;
    assert_eq!(files.len(), 2, "{evidence}");
    assert!(bytes(&files) <= limit, "{} > {limit}", bytes(&files));
    let (markdown, json) = (&files[0].1, &files[1].1);
    assert!(
        markdown.contains("cut here to fit into a message"),
        "{markdown}"
    );
    assert!(
        markdown.contains("`handbell history 1` has everything"),
        "{markdown}"
    );
    let json: Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(json["checks"][2]["id"], "ping", "{json}");

    // Files that turn out to be too large in spite of what the interaction said.
    let report = alice.asks("diagnose redis").await;
    let refused = json!({"kind": "refuse", "method": "PATCH", "route": "/messages/@original$", "code": 40005});
    sandbox.fault(refused).await;
    let pressed = alice.presses(&report, "Evidence").await;
    let evidence = alice.reads_reply(&pressed).await;
    assert_eq!(evidence["attachments"], json!([]));
    let said = text(&evidence);
    assert!(
        said.contains("Discord takes no files of this size here"),
        "{said}"
    );
    assert!(said.contains("record 2"), "{said}");
    sandbox.check_traffic().await;
}

#[tokio::test]
async fn what_has_no_file_promises_none() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &wordy(&redis)).await;
    let alice = sandbox.person("alice");
    for _ in 0..20 {
        alice.asks("diagnose wordy").await;
    }
    lose(&sandbox, &["EMBED_LINKS"]).await;
    let said = text(&alice.asks("history").await);
    assert!(said.contains("shortened"), "{said}");
    assert!(!said.contains("attached"), "{said}");
    let said = text(&alice.asks("help").await);
    assert!(
        !said.contains("shortened") && !said.contains("attached"),
        "{said}"
    );
}
