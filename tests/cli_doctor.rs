//! `handbell doctor` and a wrong token, against a local Discord.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own helpers; a failure is a panic"
)]

mod binary;
mod support;

use binary::{Home, nobody};
use serde_json::{Value, json};
use support::Sandbox;

/// A configuration of the bot of `sandbox`, with the guild and channels given.
fn home(sandbox: &Sandbox, guilds: &[&str], channels: &[&str]) -> Home {
    let ready = |key: &str| sandbox.ready[key].as_str().expect("a text").to_owned();
    let home = Home::with_redis(nobody());
    home.write("token", &ready("token"));
    home.write(
        "handbell.toml",
        &format!(
            "[store]\ndirectory = \"../state\"\n[discord]\ntoken = {{ file = \"token\" }}\nguilds = {guilds:?}\nchannels = {channels:?}\n\
             [discord.endpoint]\naddress = \"{}\"\nca = \"{}\"\ngateway = \"{}\"\n",
            ready("rest_tls"),
            ready("ca_file"),
            ready("gateway"),
        ),
    );
    home
}

/// What doctor says of Discord.
fn discord(home: &Home) -> Vec<Value> {
    let said = home.run(&["doctor", "--json"]);
    let token = std::fs::read_to_string(home.config().join("token")).expect("there");
    assert!(!said.out.contains(&token) && !said.err.contains(&token));
    let all = said.json()["checkups"].as_array().expect("a list").clone();
    all.into_iter()
        .filter(|one| one["area"] == "discord")
        .collect()
}

#[track_caller]
fn one<'a>(all: &'a [Value], subject: &str) -> &'a Value {
    all.iter()
        .find(|one| {
            one["subject"]
                .as_str()
                .is_some_and(|it| it.contains(subject))
        })
        .unwrap_or_else(|| panic!("nothing is said of {subject}: {all:#?}"))
}

#[track_caller]
fn says(one: &Value, state: &str, part: &str) {
    assert_eq!(one["state"], state, "{one:#}");
    let text = format!("{} {}", one["say"], one["mend"]);
    assert!(text.contains(part), "{part:?} is not in {one:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_is_walked_from_the_token_to_each_channel() {
    let sandbox = Sandbox::start().await;
    let guild = sandbox.ready["guild_id"].as_str().expect("an id");
    let incidents = sandbox.channel("incidents");
    let general = sandbox.channel("general");
    let home = home(&sandbox, &[guild, "99"], &[&incidents, &general, "98"]);
    let all = discord(&home);
    says(one(&all, "token"), "sound", "handbell");
    says(one(&all, "application"), "sound", "Handbell");
    says(one(&all, "gateway"), "sound", "takes connections");
    says(one(&all, guild), "notice", "no command is registered yet");
    says(
        one(&all, "guild 99"),
        "wrong",
        "https://discord.com/oauth2/authorize?client_id=",
    );
    says(one(&all, &incidents), "sound", "every permission");
    says(one(&all, "channel 98"), "wrong", "View Channel");

    sandbox
        .fault(json!({"kind": "lose_permissions", "permissions": ["SEND_MESSAGES"], "channel_id": null}))
        .await;
    sandbox.heal().await;
    let everyone = json!({"allow": [], "deny": ["ATTACH_FILES", "EMBED_LINKS"]});
    put(
        &sandbox,
        &format!("/channels/{incidents}/permissions/{guild}"),
        &everyone,
    )
    .await;
    let bot = sandbox.ready["application_id"].as_str().expect("an id");
    let me = json!({"allow": ["EMBED_LINKS"], "deny": []});
    put(
        &sandbox,
        &format!("/channels/{incidents}/permissions/{bot}"),
        &me,
    )
    .await;
    let all = discord(&home);
    says(
        one(&all, &incidents),
        "wrong",
        "the bot lacks Attach Files\"",
    );
    says(one(&all, &general), "sound", "every permission");

    home.write(
        "token",
        "MTAwMDAwMDAwMDAwMDAwMDAwMQ.839f1c.not-the-token-that-discord-knows",
    );
    let all = discord(&home);
    assert_eq!(
        all.len(),
        1,
        "no other question with a wrong token: {all:#?}"
    );
    says(&all[0], "wrong", "Reset Token");
    home.run(&["serve"])
        .ended(2)
        .says("401")
        .says("Reset Token");
}

async fn put(sandbox: &Sandbox, path: &str, body: &Value) {
    let page = sandbox.ready["page"].as_str().expect("an address");
    let url = format!("{}/sandbox{path}", page.trim_end_matches('/'));
    let answer = reqwest::Client::new()
        .put(url)
        .json(body)
        .send()
        .await
        .expect("the sandbox");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discord_that_is_not_there_is_said_with_its_address() {
    let sandbox = Sandbox::start().await;
    let home = home(&sandbox, &[], &[]);
    let address = sandbox.ready["rest_tls"]
        .as_str()
        .expect("an address")
        .to_owned();
    let text = std::fs::read_to_string(home.config().join("handbell.toml")).expect("there");
    let gone = nobody().to_string();
    home.write("handbell.toml", &text.replace(&address, &gone));
    let all = discord(&home);
    says(one(&all, "connection"), "wrong", &gone);
    let all = {
        home.write("handbell.toml", &text);
        discord(&home)
    };
    says(one(&all, "guilds"), "wrong", "[discord] guilds");
    says(one(&all, "channels"), "notice", "[discord] channels");
}
