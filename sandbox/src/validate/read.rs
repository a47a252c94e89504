//! Reading fields of a JSON object with Discord's checks and Discord's words for what is wrong.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::ids::Id;
use crate::rest::error::Problems;

/// A JSON object as it came in.
pub(crate) type Object = Map<String, Value>;

/// The field, with `null` counted as absent.
pub(crate) fn field<'a>(object: &'a Object, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_null())
}

/// Notes that a field must be there.
pub(crate) fn missing(key: &str, problems: &mut Problems) {
    problems.at(key, "BASE_TYPE_REQUIRED", "This field is required");
}

/// A text within a range of characters. Absent gives `None` without complaint.
pub(crate) fn text(
    object: &Object,
    key: &str,
    length: RangeInclusive<usize>,
    problems: &mut Problems,
) -> Option<String> {
    let value = field(object, key)?;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => {
            problems.at(
                key,
                "STRING_TYPE_CONVERT",
                format!("Could not interpret \"{other}\" as string."),
            );
            return None;
        }
    };
    length_of(key, text.chars().count(), length, problems);
    Some(text)
}

/// A text that must be there.
pub(crate) fn required_text(
    object: &Object,
    key: &str,
    length: RangeInclusive<usize>,
    problems: &mut Problems,
) -> String {
    if field(object, key).is_none()
        || (field(object, key) == Some(&Value::String(String::new())) && *length.start() > 0)
    {
        missing(key, problems);
        return String::new();
    }
    text(object, key, length, problems).unwrap_or_default()
}

/// Complains where a length is outside its range, as Discord words it.
pub(crate) fn length_of(
    key: &str,
    length: usize,
    range: RangeInclusive<usize>,
    problems: &mut Problems,
) {
    if range.contains(&length) {
        return;
    }
    let (low, high) = (*range.start(), *range.end());
    if low == 0 {
        problems.at(
            key,
            "BASE_TYPE_MAX_LENGTH",
            format!("Must be {high} or fewer in length."),
        );
    } else {
        problems.at(
            key,
            "BASE_TYPE_BAD_LENGTH",
            format!("Must be between {low} and {high} in length."),
        );
    }
}

/// A whole number within a range.
pub(crate) fn whole(
    object: &Object,
    key: &str,
    range: RangeInclusive<i64>,
    problems: &mut Problems,
) -> Option<i64> {
    let value = field(object, key)?;
    let number = value
        .as_i64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    let Some(number) = number else {
        problems.at(
            key,
            "NUMBER_TYPE_COERCE",
            format!("Value \"{}\" is not int.", plain(value)),
        );
        return None;
    };
    if number < *range.start() {
        problems.at(
            key,
            "NUMBER_TYPE_MIN",
            format!(
                "int value should be greater than or equal to {}.",
                range.start()
            ),
        );
    } else if number > *range.end() {
        problems.at(
            key,
            "NUMBER_TYPE_MAX",
            format!("int value should be less than or equal to {}.", range.end()),
        );
    }
    Some(number)
}

/// A whole number out of a list of known ones.
pub(crate) fn one_of(
    object: &Object,
    key: &str,
    known: &[i64],
    problems: &mut Problems,
) -> Option<i64> {
    let number = whole(object, key, i64::MIN..=i64::MAX, problems)?;
    if !known.contains(&number) {
        let list: Vec<String> = known.iter().map(ToString::to_string).collect();
        problems.at(
            key,
            "BASE_TYPE_CHOICES",
            format!("Value must be one of {{{}}}.", list.join(", ")),
        );
    }
    Some(number)
}

/// A truth value.
pub(crate) fn flag(object: &Object, key: &str, problems: &mut Problems) -> Option<bool> {
    match field(object, key)? {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text == "true" || text == "false" => Some(text == "true"),
        _ => {
            problems.at(key, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.");
            None
        }
    }
}

/// A snowflake.
pub(crate) fn id(object: &Object, key: &str, problems: &mut Problems) -> Option<Id> {
    let value = field(object, key)?;
    let id = Id::from_json(value);
    if id.is_none() {
        problems.at(
            key,
            "NUMBER_TYPE_COERCE",
            format!("Value \"{}\" is not snowflake.", plain(value)),
        );
    }
    id
}

/// A list of at most (or between) so many; absent gives an empty one.
pub(crate) fn list<'a>(
    object: &'a Object,
    key: &str,
    length: RangeInclusive<usize>,
    problems: &mut Problems,
) -> &'a [Value] {
    match field(object, key) {
        None => &[],
        Some(Value::Array(items)) => {
            length_of(key, items.len(), length, problems);
            items
        }
        Some(_) => {
            problems.at(
                key,
                "LIST_TYPE_CONVERT",
                "Only iterables may be used in a ListType",
            );
            &[]
        }
    }
}

/// Reads every element of a list as an object with `read`, each at its index.
pub(crate) fn objects<T>(
    items: &[Value],
    key: &str,
    problems: &mut Problems,
    mut read: impl FnMut(&Object, &mut Problems) -> T,
) -> Vec<T> {
    problems.within(key, |problems| {
        let mut out = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            problems.within(index, |problems| match item {
                Value::Object(object) => out.push(read(object, problems)),
                _ => problems.here(
                    "MODEL_TYPE_CONVERT",
                    "Only dictionaries may be used in a ModelType",
                ),
            });
        }
        out
    })
}

/// An address that Discord would fetch or link: `http`, `https`, or with `attachment` the name of an attached file.
pub(crate) fn url(
    object: &Object,
    key: &str,
    attachment: bool,
    problems: &mut Problems,
) -> Option<String> {
    let url = text(object, key, 0..=MAX_URL_CHARS, problems)?;
    let scheme = url
        .split_once("://")
        .map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    match scheme {
        Some((scheme, rest))
            if (scheme == "http" || scheme == "https")
                && !rest.is_empty()
                && !url.contains(char::is_whitespace) =>
        {
            Some(url)
        }
        Some((scheme, rest)) if attachment && scheme == "attachment" && !rest.is_empty() => {
            Some(url)
        }
        Some((scheme, _)) => {
            let known = if attachment {
                "('http', 'https', 'attachment')"
            } else {
                "('http', 'https')"
            };
            problems.at(
                key,
                "URL_TYPE_INVALID_SCHEME",
                format!("Scheme \"{scheme}\" is not supported. Scheme must be one of {known}."),
            );
            None
        }
        None => {
            problems.at(key, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
            None
        }
    }
}

/// The longest URL, in characters. Source: Discord's OpenAPI description (`RichEmbed.url`).
pub(crate) const MAX_URL_CHARS: usize = 2_048;

/// A value as it stands between quotes in a sentence.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
