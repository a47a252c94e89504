use serde_json::{Value, json};

use super::*;

fn refusal(body: &Value) -> Value {
    let mut problems = Problems::default();
    command(body.as_object().expect("an object"), None, &mut problems);
    problems
        .finish()
        .map_or_else(|error| error.body["errors"].clone(), |()| Value::Null)
}

#[test]
fn a_command_with_groups_and_translations_is_taken() {
    let body = json!({"name": "remediate", "description": "Carry out a remedy", "name_localizations": {"zh-CN": "修复"},
        "options": [{"type": 2, "name": "redis", "description": "Redis", "options": [
            {"type": 1, "name": "purge-cache", "description": "Purge", "options": [
                {"type": 3, "name": "pattern", "description": "Which keys", "required": true, "autocomplete": true},
                {"type": 4, "name": "limit", "description": "How many", "min_value": 1, "max_value": 10}]}]}]});
    assert_eq!(refusal(&body), Value::Null);
}

#[test]
fn each_mistake_is_named_at_its_place() {
    let cases = [
        (
            json!({"name": "Upper", "description": "x"}),
            "/name",
            "APPLICATION_COMMAND_INVALID_NAME",
        ),
        (
            json!({"name": "two words", "description": "x"}),
            "/name",
            "STRING_TYPE_REGEX",
        ),
        (
            json!({"name": "a", "description": "x".repeat(101)}),
            "/description",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (json!({"name": "a"}), "/description", "BASE_TYPE_REQUIRED"),
        (
            json!({"name": "a", "description": "x", "name_localizations": {"xx": "b"}}),
            "/name_localizations/xx",
            "ENUM_TYPE_COERCE",
        ),
        (
            json!({"name": "a", "description": "x", "options": [{"type": 3, "name": "b", "description": "x"}, {"type": 3, "name": "c", "description": "x", "required": true}]}),
            "/options/1",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (
            json!({"name": "a", "description": "x", "options": [{"type": 3, "name": "b", "description": "x"}, {"type": 1, "name": "c", "description": "x"}]}),
            "/options",
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
        ),
        (
            json!({"name": "a", "description": "x", "options": [{"type": 3, "name": "b", "description": "x", "choices": [{"name": "n", "value": ""}]}]}),
            "/options/0/choices/0/value",
            "BASE_TYPE_BAD_LENGTH",
        ),
    ];
    for (body, place, code) in cases {
        let errors = refusal(&body);
        assert_eq!(
            errors.pointer(&format!("{place}/_errors/0/code")),
            Some(&json!(code)),
            "{body}\n{errors}"
        );
    }
}

#[test]
fn the_longest_translation_counts_towards_the_8000() {
    let option = |index: usize, length: usize| {
        json!({"type": 3, "name": format!("o{index:02}"), "description": "x", "description_localizations": {"zh-CN": "字".repeat(length)},
            "choices": (0..2).map(|n| json!({"name": format!("{n}{}", "n".repeat(98)), "value": "v".repeat(100)})).collect::<Vec<_>>()})
    };
    let with = |count: usize| json!({"name": "big", "description": "x", "options": (0..count).map(|index| option(index, 100)).collect::<Vec<_>>()});
    assert_eq!(refusal(&with(15)), Value::Null);
    assert_eq!(
        refusal(&with(16))["_errors"][0]["code"],
        "APPLICATION_COMMAND_TOO_LARGE"
    );
}
