use serde_json::{Value, json};

use super::*;
use crate::{
    discord::commands,
    domain::{
        handbook::{Handbook, Param, ParamType, ParamValue, Runbook, Severity},
        text::Text,
    },
};

fn page(id: &str, params: Vec<Param>) -> Runbook {
    Runbook {
        id: id.parse().expect("an id"),
        section: "2.3".into(),
        title: Text::new("Redis connection failure", "Redis 连接失败"),
        symptom: Text::new("Slow pages ".repeat(30), "页面变慢"),
        severity: Severity::P1,
        owner: "ops".into(),
        reviewed: "2026-11-22".parse().expect("a date"),
        alerts: Vec::new(),
        params,
        checks: Vec::new(),
        looks: Vec::new(),
        borrowed: Vec::new(),
        remedies: Vec::new(),
        prevent: Vec::new(),
        causes: indexmap::IndexMap::default(),
        manual: Vec::new(),
        text_hash: "0".into(),
        hash: "0".into(),
    }
}

fn every_kind() -> Vec<Param> {
    let param = |name: &str, kind, default| Param {
        name: name.into(),
        kind,
        default,
        say: Text::new("what it means", "含义"),
    };
    let bounds = ParamType::Int {
        min: i64::MIN,
        max: 500,
    };
    let words = ParamType::Choice(vec![("fast".into(), Text::new("Fast", "快"))]);
    let text = ParamType::Text {
        pattern: None,
        max_chars: 40,
    };
    vec![
        param("slow_ms", bounds, Some(ParamValue::Int(100))),
        param("mode", words, Some(ParamValue::Text("fast".into()))),
        param("deep", ParamType::Bool, Some(ParamValue::Bool(false))),
        param("pattern", text, None),
    ]
}

fn handbook(pages: Vec<Runbook>) -> Handbook {
    Handbook::of(pages.into_iter().map(Into::into))
}

/// What Discord gives back for what was written: more fields, numbers as floats, another order.
fn as_stored(spec: &CommandSpec, id: u64) -> Command {
    fn relax(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for key in ["min_value", "max_value"] {
                    if let Some(number) = map.get(key).and_then(Value::as_f64) {
                        map.insert(key.into(), json!(number));
                    }
                }
                map.values_mut().for_each(relax);
                if map.contains_key("description") {
                    map.entry("required").or_insert(json!(false));
                    map.entry("name_localizations").or_insert(Value::Null);
                }
            }
            Value::Array(all) => all.iter_mut().for_each(relax),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(spec).expect("JSON");
    relax(&mut value);
    let more = json!({"id": id.to_string(), "application_id": "1", "guild_id": "2", "version": "3",
        "default_member_permissions": null, "dm_permission": true, "nsfw": false,
        "integration_types": [0], "contexts": null});
    let map = value.as_object_mut().expect("an object");
    map.extend(more.as_object().expect("an object").clone());
    serde_json::from_value(value).expect("Discord's own form")
}

#[test]
fn options_are_typed_bounded_and_in_both_languages() {
    let made = commands(&handbook(vec![page("redis", every_kind())]));
    let diagnose = serde_json::to_value(&made[0]).expect("JSON");
    assert_eq!(diagnose["name_localizations"]["zh-CN"], "诊断");
    assert_eq!(diagnose["name_localizations"]["zh-TW"], "診斷");
    let redis = &diagnose["options"][0];
    assert_eq!(
        (&redis["type"], &redis["name"]),
        (&json!(1), &json!("redis"))
    );
    assert!(
        redis["description"]
            .as_str()
            .is_some_and(|text| text.chars().count() <= 100)
    );
    assert_eq!(
        redis["description_localizations"]["zh-CN"],
        "Redis 连接失败：页面变慢"
    );
    let options = redis["options"].as_array().expect("options");
    assert_eq!(options[0]["name"], "pattern", "required options come first");
    assert_eq!(
        (&options[0]["required"], &options[0]["max_length"]),
        (&json!(true), &json!(40))
    );
    assert_eq!(options[1]["min_value"], json!(-(1_i64 << 53)));
    assert_eq!(options[1]["max_value"], json!(500));
    assert_eq!(options[1]["description"], "what it means (default 100)");
    assert_eq!(
        options[2]["choices"][0]["name_localizations"]["zh-CN"],
        "快"
    );
    assert_eq!(options[3]["type"], 5);
    let names: Vec<&str> = made.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["diagnose", "patrol", "handbook", "history", "help"]);
    assert!(made[3].options[0].autocomplete);
}

#[test]
fn discord_s_own_validation_agrees_with_the_commands() {
    let pages = (0..30)
        .map(|n| page(&format!("page-{n}"), every_kind()))
        .collect();
    for spec in commands(&handbook(pages)) {
        let value = json!({"application_id": "1", "version": "1", "id": "1",
            "default_member_permissions": null});
        let mut all = serde_json::to_value(&spec).expect("JSON");
        all.as_object_mut()
            .expect("an object")
            .extend(value.as_object().expect("an object").clone());
        assert!(spec.options.len() <= 25);
        twilight_validate::command::chat_input_name(&spec.name).expect("a name");
        for name in spec.name_localizations.values() {
            twilight_validate::command::chat_input_name(name).expect("a name");
        }
        twilight_validate::command::description(&spec.description).expect("a description");
    }
}

#[test]
fn only_what_changed_is_written_and_what_is_gone_is_removed() {
    let old = commands(&handbook(vec![page("redis", every_kind())]));
    let there: Vec<Command> = old
        .iter()
        .zip(1..)
        .map(|(s, id)| as_stored(s, id))
        .collect();
    let same = plan(&there, &old);
    assert!(same.write.is_empty() && same.remove.is_empty());

    let mut params = every_kind();
    params.truncate(1);
    let new = commands(&handbook(vec![page("redis", params)]));
    let changed = plan(&there, &new);
    let names: Vec<&str> = changed.write.iter().map(|spec| spec.name()).collect();
    assert_eq!(names, ["diagnose"]);
    assert!(changed.remove.is_empty());

    let none = commands(&Handbook::default());
    let gone = plan(&there, &none);
    assert!(gone.write.is_empty());
    let names: Vec<&str> = gone.remove.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["diagnose"]);
}
