use serde_json::json;

use super::*;

fn command_of(data: serde_json::Value) -> Result<Asked, Undecoded> {
    command(&serde_json::from_value(data).expect("Discord's own form"))
}

#[test]
fn a_page_and_its_typed_options_become_a_request() {
    let asked = command_of(
        json!({"id": "1", "name": "diagnose", "type": 1, "options": [
        {"name": "redis", "type": 1, "options": [
            {"name": "slow_ms", "type": 4, "value": 250},
            {"name": "deep", "type": 5, "value": true},
            {"name": "pattern", "type": 3, "value": "a b"}]}]}),
    );
    let params = [("slow_ms", "250"), ("deep", "true"), ("pattern", "a b")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
    let runbook = "redis".to_owned();
    assert_eq!(
        asked,
        Ok(Asked::Request(Request::Diagnose { runbook, params }))
    );
}

#[test]
fn history_and_help_are_known() {
    let asked = command_of(json!({"id": "1", "name": "history", "type": 1,
        "options": [{"name": "runbook", "type": 3, "value": "redis"}]}));
    let runbook = Some("redis".to_owned());
    let limit = HISTORY_ROWS;
    assert_eq!(
        asked,
        Ok(Asked::Request(Request::History { runbook, limit }))
    );
    let asked = command_of(json!({"id": "1", "name": "help", "type": 1}));
    assert_eq!(asked, Ok(Asked::Help));
}

#[test]
fn what_is_no_longer_known_is_answered_in_words() {
    for data in [
        json!({"id": "1", "name": "remediate", "type": 1}),
        json!({"id": "1", "name": "diagnose", "type": 1}),
    ] {
        let undecoded = command_of(data).expect_err("nothing to do");
        assert!(undecoded.say().en.contains("Type / again"));
        assert!(undecoded.say().zh.contains("请重新输入 /"));
    }
}

#[test]
fn component_ids_carry_all_that_a_restarted_bot_needs() {
    let button = ComponentInteractionDataKind::Button;
    let id = RecordId(i64::MAX);
    assert_eq!(component(&again_id(id), &button), Ok(Asked::Again(id)));
    assert_eq!(
        component(&evidence_id(id), &button),
        Ok(Asked::Evidence(id))
    );
    assert!(again_id(id).len() <= 100 && evidence_id(id).len() <= 100);
    let select = |values: &[&str]| ComponentInteractionDataKind::StringSelect {
        values: values.iter().map(ToString::to_string).collect(),
    };
    let chosen = component(&records_id(), &select(&["7"]));
    assert_eq!(chosen, Ok(Asked::Evidence(RecordId(7))));
    for id in [
        "",
        "hb1",
        "hb1:again:",
        "hb1:again:x",
        "hb0:again:1",
        "hb1:records",
        "other",
    ] {
        assert_eq!(
            component(id, &button),
            Err(Undecoded::UnknownComponent),
            "{id}"
        );
    }
    let none = component(&records_id(), &select(&[]));
    assert_eq!(none, Err(Undecoded::UnknownComponent));
}
