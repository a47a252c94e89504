//! The sandbox's limits against `twilight-validate`'s: what one takes the other takes, at the limit and one beyond.

mod support;

use serde_json::{Value, json};
use support::Town;
use twilight_model::application::command::Command;
use twilight_model::channel::message::{Component, Embed};
use twilight_validate::{command, component, embed, message};

/// Whether the sandbox takes a message.
async fn takes_message(town: &Town, body: Value) -> bool {
    town.post("clock", json!({"advance_ms": 6_000})).await;
    let (status, _, answer) = town
        .rest(
            "POST",
            &format!("/channels/{}/messages", town.channel("ops")),
            body,
        )
        .await;
    assert!(
        status == 200 || (status == 400 && answer["code"] == 50_035),
        "{status} {answer}"
    );
    status == 200
}

async fn takes_command(town: &Town, body: &Value) -> bool {
    town.post("clock", json!({"advance_ms": 6_000})).await;
    let path = format!(
        "/applications/{}/guilds/{}/commands",
        town.sandbox.ready().application_id,
        town.guild()
    );
    let (status, _, answer) = town.rest("PUT", &path, json!([body])).await;
    assert!(
        status == 200 || (status == 400 && answer["code"] == 50_035),
        "{status} {answer}"
    );
    status == 200
}

fn text(length: usize) -> String {
    "字".repeat(length)
}

#[tokio::test]
async fn contents_and_embeds() {
    let town = Town::start().await;
    for length in [2_000, 2_001] {
        assert_eq!(
            takes_message(&town, json!({"content": text(length)})).await,
            message::content(text(length)).is_ok(),
            "content of {length}"
        );
    }
    let field = |name: usize, value: usize| json!({"name": text(name), "value": text(value), "inline": false});
    let embeds = [
        json!({"title": text(256)}),
        json!({"title": text(257)}),
        json!({"description": text(4_096)}),
        json!({"description": text(4_097)}),
        json!({"fields": vec![field(1, 1); 25]}),
        json!({"fields": vec![field(1, 1); 26]}),
        json!({"fields": [field(256, 1_024)]}),
        json!({"fields": [field(257, 1)]}),
        json!({"fields": [field(1, 1_025)]}),
        json!({"footer": {"text": text(2_048)}}),
        json!({"footer": {"text": text(2_049)}}),
        json!({"author": {"name": text(256)}}),
        json!({"author": {"name": text(257)}}),
        json!({"title": "x", "color": 0x00ff_ffff}),
        json!({"title": "x", "color": 0x0100_0000}),
        json!({"description": text(4_000), "footer": {"text": text(2_000)}}),
        json!({"description": text(4_001), "footer": {"text": text(2_000)}}),
    ];
    for one in embeds {
        let mut whole = json!({"type": "rich", "fields": []});
        whole
            .as_object_mut()
            .expect("an object")
            .extend(one.as_object().expect("an object").clone());
        let theirs: Embed = serde_json::from_value(whole).expect("an embed");
        assert_eq!(
            takes_message(&town, json!({"embeds": [one]})).await,
            embed::embed(&theirs).is_ok(),
            "{}",
            &one.to_string().chars().take(80).collect::<String>()
        );
    }
}

#[tokio::test]
async fn components() {
    let town = Town::start().await;
    let button = |id: &str, label: usize| json!({"type": 2, "style": 1, "custom_id": id, "label": text(label)});
    let row = |inner: Vec<Value>| json!({"type": 1, "components": inner});
    let options = |count: usize, label: usize| {
        (0..count)
            .map(|n| json!({"label": text(label), "value": n.to_string()}))
            .collect::<Vec<_>>()
    };
    let select = |count: usize, label: usize, placeholder: usize| json!({"type": 3, "custom_id": "s", "options": options(count, label), "placeholder": text(placeholder)});
    let rows = [
        row(vec![button("a", 80)]),
        row(vec![button("a", 81)]),
        row(vec![button(&"c".repeat(100), 1)]),
        row(vec![button(&"c".repeat(101), 1)]),
        row((0..5).map(|n| button(&n.to_string(), 1)).collect()),
        row((0..6).map(|n| button(&n.to_string(), 1)).collect()),
        row(vec![select(25, 100, 150)]),
        row(vec![select(26, 1, 1)]),
        row(vec![select(1, 101, 1)]),
        row(vec![select(1, 1, 151)]),
    ];
    for one in rows {
        let theirs: Component = serde_json::from_value(one.clone()).expect("a component");
        assert_eq!(
            takes_message(&town, json!({"content": "x", "components": [one]})).await,
            component::component_v1(&theirs).is_ok(),
            "{}",
            one.to_string().chars().take(80).collect::<String>()
        );
    }
    for count in [5, 6] {
        let rows: Vec<Value> = (0..count)
            .map(|n| row(vec![button(&n.to_string(), 1)]))
            .collect();
        let theirs: Vec<Component> = serde_json::from_value(json!(rows)).expect("components");
        assert_eq!(
            takes_message(&town, json!({"content": "x", "components": rows})).await,
            message::components(&theirs, false).is_ok(),
            "{count} rows"
        );
    }
}

#[tokio::test]
async fn commands() {
    let town = Town::start().await;
    let option = |name: &str, more: Value| {
        let mut one = json!({"type": 3, "name": name, "description": "d"});
        one.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        one
    };
    let choices = |count: usize, length: usize| {
        (0..count)
            .map(|n| json!({"name": format!("{n}"), "value": "v".repeat(length)}))
            .collect::<Vec<_>>()
    };
    let numbered = |count: usize| {
        (0..count)
            .map(|n| option(&format!("o{n}"), json!({})))
            .collect::<Vec<_>>()
    };
    let named = |name: String| json!({"name": name, "description": "d"});
    let with = |options: Vec<Value>| json!({"name": "a", "description": "d", "options": options});
    let cases = [
        named("a".repeat(32)),
        named("a".repeat(33)),
        named("Upper".to_owned()),
        named("two words".to_owned()),
        named("诊断".to_owned()),
        named("a-b_c".to_owned()),
        json!({"name": "a", "description": text(100)}),
        json!({"name": "a", "description": text(101)}),
        with(numbered(25)),
        with(numbered(26)),
        with(vec![option("Upper", json!({}))]),
        with(vec![option("a", json!({})), option("a", json!({}))]),
        with(vec![option("a", json!({"choices": choices(25, 1)}))]),
        with(vec![option("a", json!({"choices": choices(26, 1)}))]),
        with(vec![option("a", json!({"choices": choices(1, 100)}))]),
        with(vec![option("a", json!({"choices": choices(1, 101)}))]),
        with(vec![
            option("a", json!({})),
            option("b", json!({"required": true})),
        ]),
    ];
    for body in cases {
        let mut whole = json!({"type": 1, "version": "1", "options": []});
        whole
            .as_object_mut()
            .expect("an object")
            .extend(body.as_object().expect("an object").clone());
        let theirs: Command = serde_json::from_value(whole).expect("a command");
        // Its functions leave the number of choices to the caller, who has the constant.
        let choices = theirs
            .options
            .iter()
            .map(|one| one.choices.as_ref().map_or(0, Vec::len));
        let agreed = command::command(&theirs).is_ok()
            && command::options(&theirs.options).is_ok()
            && theirs
                .options
                .iter()
                .all(|one| command::option(one).is_ok())
            && choices.max().unwrap_or(0) <= command::CHOICES_LIMIT;
        assert_eq!(
            takes_command(&town, &body).await,
            agreed,
            "{}",
            body.to_string().chars().take(120).collect::<String>()
        );
    }
    // twilight-validate's total of 4,000 is an old one; Discord's reference says 8,000 today, and so does the sandbox.
    assert_eq!(command::COMMAND_TOTAL_LENGTH, 4_000);
}
