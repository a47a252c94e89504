use serde_json::json;

use super::*;
use crate::validate::layout;

fn refusal(components: &Value, v2: bool) -> Value {
    let mut problems = Problems::default();
    let body = json!({"components": components});
    let object = body.as_object().expect("an object");
    if v2 {
        layout::components(object, &mut problems)
    } else {
        rows(object, &mut problems)
    };
    problems
        .finish()
        .map_or_else(|error| error.body["errors"].clone(), |()| Value::Null)
}

fn button_of(custom_id: &str) -> Value {
    json!({"type": 2, "style": 1, "label": "Go", "custom_id": custom_id})
}

#[test]
fn rows_hold_five_buttons_or_one_select() {
    let five: Vec<_> = (0..5).map(|n| button_of(&n.to_string())).collect();
    assert_eq!(
        refusal(&json!([{"type": 1, "components": five}]), false),
        Value::Null
    );
    let six: Vec<_> = (0..6).map(|n| button_of(&n.to_string())).collect();
    assert_eq!(
        refusal(&json!([{"type": 1, "components": six}]), false)["components"]["0"]["components"]["_errors"]
            [0]["code"],
        "BASE_TYPE_BAD_LENGTH"
    );
    let select = json!({"type": 5, "custom_id": "who"});
    assert_eq!(
        refusal(
            &json!([{"type": 1, "components": [select, button_of("x")]}]),
            false
        )["components"]["0"]["components"]["_errors"][0]["code"],
        "COMPONENT_LAYOUT_WIDTH_EXCEEDED"
    );
}

#[test]
fn a_custom_id_stands_once_and_a_link_has_none() {
    let twice = json!([{"type": 1, "components": [button_of("a"), button_of("a")]}]);
    assert_eq!(
        refusal(&twice, false)["components"]["0"]["components"]["1"]["custom_id"]["_errors"][0]["code"],
        "COMPONENT_CUSTOM_ID_DUPLICATED"
    );
    let link = json!([{"type": 1, "components": [{"type": 2, "style": 5, "label": "x", "url": "javascript:alert(1)"}]}]);
    assert_ne!(refusal(&link, false), Value::Null);
}

#[test]
fn layout_components_have_their_own_totals() {
    let text = json!({"type": 10, "content": "x".repeat(2_000)});
    assert_eq!(
        refusal(&json!([{"type": 17, "components": [text, text]}]), true),
        Value::Null
    );
    assert_ne!(
        refusal(&json!([text, text, {"type": 10, "content": "y"}]), true),
        Value::Null
    );
    assert_ne!(
        refusal(&json!([{"type": 10, "content": "a"}]), false),
        Value::Null,
        "a text display needs the flag"
    );
}
