//! What the walker does not know: a schema with such a keyword would be published and not kept.

use serde_json::Value as Schema;

/// Keywords that the walker follows.
const FOLLOWED: &[&str] = &[
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "items",
    "maximum",
    "minimum",
    "oneOf",
    "properties",
    "required",
    "type",
];

/// Keywords that ask nothing of a value (`format` only tells a date from a text, which it follows).
const REMARKS: &[&str] = &[
    "$schema",
    "default",
    "definitions",
    "description",
    "format",
    "title",
];

/// Every place of `schema` that the walker would not keep, as a sentence.
pub(crate) fn not_kept(schema: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, "#", &mut found);
    found
}

fn walk(schema: &Schema, at: &str, found: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else {
        // `true` takes everything, `false` nothing; a missing keyword is `null`.
        if !schema.is_boolean() {
            found.push(format!("{at} is no schema"));
        }
        return;
    };
    for (keyword, value) in keywords {
        let at = format!("{at}/{keyword}");
        match keyword.as_str() {
            "properties" | "definitions" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    walk(inner, &format!("{at}/{name}"), found);
                }
            }
            "items" | "additionalProperties" => walk(value, &at, found),
            "anyOf" | "oneOf" | "allOf" => {
                let listed: Vec<_> = value.as_array().into_iter().flatten().collect();
                if keyword == "allOf" && listed.len() != 1 {
                    found.push(format!("{at} joins {} schemas, not one", listed.len()));
                }
                for (n, inner) in listed.into_iter().enumerate() {
                    walk(inner, &format!("{at}/{n}"), found);
                }
            }
            "const" if !value.is_string() => found.push(format!("{at} is no text")),
            "enum" => {
                let texts = value
                    .as_array()
                    .is_some_and(|all| all.iter().all(Schema::is_string));
                if !texts {
                    found.push(format!("{at} lists more than texts"));
                }
            }
            known if FOLLOWED.contains(&known) || REMARKS.contains(&known) => {}
            _ => found.push(format!("{at} is not known")),
        }
    }
}

#[test]
fn what_is_not_known_is_found() {
    let planted = serde_json::json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "pattern": "^a" },
            "sizes": { "items": { "exclusiveMinimum": 3 } },
            "either": { "allOf": [{}, {}] },
            "mode": { "enum": ["fast", 3] },
        },
        "definitions": { "Never": { "const": 3 } },
        "if": {},
    });
    let mut found = not_kept(&planted);
    found.sort();
    assert_eq!(
        found,
        [
            "#/definitions/Never/const is no text",
            "#/if is not known",
            "#/properties/either/allOf joins 2 schemas, not one",
            "#/properties/mode/enum lists more than texts",
            "#/properties/name/pattern is not known",
            "#/properties/sizes/items/exclusiveMinimum is not known",
        ]
    );
}

#[test]
fn all_of_a_page_is_kept() {
    let schema = crate::domain::handbook::schema();
    assert_eq!(not_kept(&schema), Vec::<String>::new());
}
