//! Embeds. Source of the limits: Discord's reference, "Embed Limits".

use serde_json::{Map, Value, json};

use super::read::{self, Object, field};
use crate::rest::error::Problems;

/// Embeds of a message.
pub(crate) const EMBEDS_MAX: usize = 10;
/// Characters over all embeds of a message.
pub(crate) const TOTAL_MAX_CHARS: usize = 6_000;
/// Characters of a title.
pub(crate) const TITLE_MAX_CHARS: usize = 256;
/// Characters of a description.
pub(crate) const DESCRIPTION_MAX_CHARS: usize = 4_096;
/// Fields of an embed.
pub(crate) const FIELDS_MAX: usize = 25;
/// Characters of a field's name.
pub(crate) const FIELD_NAME_MAX_CHARS: usize = 256;
/// Characters of a field's value.
pub(crate) const FIELD_VALUE_MAX_CHARS: usize = 1_024;
/// Characters of a footer.
pub(crate) const FOOTER_MAX_CHARS: usize = 2_048;
/// Characters of an author's name.
pub(crate) const AUTHOR_MAX_CHARS: usize = 256;
/// The largest colour.
const COLOUR_MAX: i64 = 0xff_ff_ff;

/// Reads the embeds of a message into the form in which Discord keeps them.
pub(crate) fn embeds(object: &Object, problems: &mut Problems) -> Vec<Value> {
    let items = read::list(object, "embeds", 0..=EMBEDS_MAX, problems);
    let mut total = 0;
    let found = read::objects(items, "embeds", problems, |one, problems| {
        embed(one, &mut total, problems)
    });
    if total > TOTAL_MAX_CHARS {
        problems.at(
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
            format!("Embed size exceeds maximum size of {TOTAL_MAX_CHARS}"),
        );
    }
    found
}

fn embed(object: &Object, total: &mut usize, problems: &mut Problems) -> Value {
    let mut out = Map::new();
    out.insert("type".into(), json!("rich"));
    let mut size = 0;
    for (key, max) in [
        ("title", TITLE_MAX_CHARS),
        ("description", DESCRIPTION_MAX_CHARS),
    ] {
        if let Some(text) = trimmed(object, key, 0..=max, problems) {
            size += text.chars().count();
            out.insert(key.into(), json!(text));
        }
    }
    if let Some(url) = read::url(object, "url", false, problems) {
        out.insert("url".into(), json!(url));
    }
    if let Some(colour) = read::whole(object, "color", 0..=COLOUR_MAX, problems) {
        out.insert("color".into(), json!(colour));
    }
    timestamp(object, &mut out, problems);
    for key in ["image", "thumbnail"] {
        nested(object, key, &mut out, problems, |inner, out, problems| {
            if field(inner, "url").is_none() {
                read::missing("url", problems);
            }
            if let Some(url) = read::url(inner, "url", true, problems) {
                out.insert("url".into(), json!(url));
            }
        });
    }
    named(
        object,
        ("footer", "text", FOOTER_MAX_CHARS),
        &mut out,
        &mut size,
        problems,
    );
    named(
        object,
        ("author", "name", AUTHOR_MAX_CHARS),
        &mut out,
        &mut size,
        problems,
    );
    let items = read::list(object, "fields", 0..=FIELDS_MAX, problems);
    let fields = read::objects(items, "fields", problems, |one, problems| {
        let name = required(one, "name", FIELD_NAME_MAX_CHARS, problems);
        let value = required(one, "value", FIELD_VALUE_MAX_CHARS, problems);
        size += name.chars().count() + value.chars().count();
        json!({"name": name, "value": value, "inline": read::flag(one, "inline", problems).unwrap_or(false)})
    });
    if !fields.is_empty() {
        out.insert("fields".into(), Value::Array(fields));
    }
    *total += size;
    if out.keys().all(|key| key == "type") {
        problems.at(
            "description",
            "BASE_TYPE_REQUIRED",
            "This field is required",
        );
    }
    Value::Object(out)
}

/// Discord cuts white space at both ends before it counts.
fn trimmed(
    object: &Object,
    key: &str,
    length: std::ops::RangeInclusive<usize>,
    problems: &mut Problems,
) -> Option<String> {
    let text = read::text(object, key, length, problems)?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn required(object: &Object, key: &str, max: usize, problems: &mut Problems) -> String {
    let text = trimmed(object, key, 0..=max, problems);
    if text.is_none() {
        read::missing(key, problems);
    }
    text.unwrap_or_default()
}

fn timestamp(object: &Object, out: &mut Map<String, Value>, problems: &mut Problems) {
    let Some(text) = read::text(object, "timestamp", 0..=64, problems) else {
        return;
    };
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => {
            out.insert(
                "timestamp".into(),
                json!(crate::clock::discord_time(at.as_millisecond())),
            );
        }
        Err(_) => problems.at(
            "timestamp",
            "DATE_TIME_TYPE_PARSE",
            format!("Could not parse {text}. Should be ISO8601."),
        ),
    }
}

fn nested(
    object: &Object,
    key: &str,
    out: &mut Map<String, Value>,
    problems: &mut Problems,
    read: impl FnOnce(&Object, &mut Map<String, Value>, &mut Problems),
) {
    match field(object, key) {
        None => {}
        Some(Value::Object(inner)) => {
            let mut made = Map::new();
            problems.within(key, |problems| read(inner, &mut made, problems));
            out.insert(key.into(), Value::Object(made));
        }
        Some(_) => problems.at(
            key,
            "MODEL_TYPE_CONVERT",
            "Only dictionaries may be used in a ModelType",
        ),
    }
}

fn named(
    object: &Object,
    (key, text_key, max): (&str, &str, usize),
    out: &mut Map<String, Value>,
    size: &mut usize,
    problems: &mut Problems,
) {
    nested(object, key, out, problems, |inner, made, problems| {
        let text = required(inner, text_key, max, problems);
        *size += text.chars().count();
        made.insert(text_key.into(), json!(text));
        for (key, attachment) in [("icon_url", true), ("url", false)] {
            if let Some(url) = read::url(inner, key, attachment, problems) {
                made.insert(key.into(), json!(url));
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(embeds_value: &Value) -> Value {
        let mut problems = Problems::default();
        let body = json!({"embeds": embeds_value});
        embeds(body.as_object().expect("an object"), &mut problems);
        problems
            .finish()
            .map_or_else(|error| error.body["errors"].clone(), |()| Value::Null)
    }

    #[test]
    fn limits_are_counted_in_characters_and_at_their_place() {
        assert_eq!(refusal(&json!([{"title": "字".repeat(256)}])), Value::Null);
        assert_eq!(
            refusal(&json!([{"title": "字".repeat(257)}]))["embeds"]["0"]["title"]["_errors"][0]["code"],
            "BASE_TYPE_MAX_LENGTH"
        );
        assert_eq!(
            refusal(&json!([{"fields": [{"name": " ", "value": "v"}]}]))["embeds"]["0"]["fields"]["0"]
                ["name"]["_errors"][0]["code"],
            "BASE_TYPE_REQUIRED"
        );
        assert_eq!(
            refusal(&json!([{"color": 0x0100_0000}]))["embeds"]["0"]["color"]["_errors"][0]["code"],
            "NUMBER_TYPE_MAX"
        );
    }

    #[test]
    fn the_6000_are_over_all_embeds_together() {
        let one = json!({"description": "x".repeat(3_000)});
        assert_eq!(refusal(&json!([one, one])), Value::Null);
        assert_eq!(
            refusal(&json!([one, one, {"title": "x"}]))["embeds"]["_errors"][0]["code"],
            "MAX_EMBED_SIZE_EXCEEDED"
        );
    }
}
