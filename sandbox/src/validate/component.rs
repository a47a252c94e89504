//! Buttons and selects, in rows. Source of the limits: Discord's reference, "Component Reference".

use serde_json::{Map, Value, json};

use super::read::{self, Object, field};
use crate::rest::error::Problems;

/// Rows of a message without the layout components.
pub(crate) const ROWS_MAX: usize = 5;
/// Buttons of a row.
pub(crate) const BUTTONS_MAX: usize = 5;
/// Options of a select.
pub(crate) const SELECT_OPTIONS_MAX: usize = 25;
/// Characters of a `custom_id`.
pub(crate) const CUSTOM_ID_MAX_CHARS: usize = 100;
/// Characters of a button's label.
pub(crate) const LABEL_MAX_CHARS: usize = 80;
/// Characters of a select's placeholder.
pub(crate) const PLACEHOLDER_MAX_CHARS: usize = 150;
/// Characters of a select option's label, value and description.
pub(crate) const OPTION_MAX_CHARS: usize = 100;
/// Characters of a link button's address. Source: Discord's OpenAPI description.
const LINK_MAX_CHARS: usize = 512;

/// The numbers of component types that code names.
pub(crate) mod kind {
    pub(crate) const ROW: i64 = 1;
    pub(crate) const BUTTON: i64 = 2;
    pub(crate) const STRING_SELECT: i64 = 3;
    pub(crate) const TEXT_INPUT: i64 = 4;
    pub(crate) const USER_SELECT: i64 = 5;
    pub(crate) const ROLE_SELECT: i64 = 6;
    pub(crate) const MENTIONABLE_SELECT: i64 = 7;
    pub(crate) const CHANNEL_SELECT: i64 = 8;
    pub(crate) const SECTION: i64 = 9;
    pub(crate) const TEXT_DISPLAY: i64 = 10;
    pub(crate) const THUMBNAIL: i64 = 11;
    pub(crate) const GALLERY: i64 = 12;
    pub(crate) const FILE: i64 = 13;
    pub(crate) const SEPARATOR: i64 = 14;
    pub(crate) const CONTAINER: i64 = 17;
    pub(crate) const LABEL: i64 = 18;
}

/// What reading components has seen so far: for uniqueness and totals.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    custom_ids: Vec<String>,
    next_id: i64,
    /// Components altogether, nested ones too.
    pub(crate) count: usize,
    /// Characters of all text displays.
    pub(crate) text_chars: usize,
}

impl Seen {
    /// Begins a component: its number, its type and its id, as Discord fills it in.
    pub(crate) fn begin(
        &mut self,
        object: &Object,
        kind: i64,
        problems: &mut Problems,
    ) -> Map<String, Value> {
        self.count += 1;
        self.next_id += 1;
        let given =
            read::whole(object, "id", 0..=i64::from(i32::MAX), problems).filter(|id| *id != 0);
        let mut out = Map::new();
        out.insert("type".into(), json!(kind));
        out.insert("id".into(), json!(given.unwrap_or(self.next_id)));
        out
    }

    /// Reads a `custom_id`, which no other component of the message may have.
    pub(crate) fn custom_id(&mut self, object: &Object, problems: &mut Problems) -> String {
        let id = read::required_text(object, "custom_id", 1..=CUSTOM_ID_MAX_CHARS, problems);
        if self.custom_ids.contains(&id) {
            problems.at(
                "custom_id",
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            );
        }
        self.custom_ids.push(id.clone());
        id
    }
}

/// The type of a component, if it is one of those known here.
pub(crate) fn type_of(object: &Object, known: &[i64], problems: &mut Problems) -> Option<i64> {
    if field(object, "type").is_none() {
        read::missing("type", problems);
        return None;
    }
    read::one_of(object, "type", known, problems).filter(|kind| known.contains(kind))
}

/// The rows of a message without layout components.
pub(crate) fn rows(object: &Object, problems: &mut Problems) -> Vec<Value> {
    let items = read::list(object, "components", 0..=ROWS_MAX, problems);
    let mut seen = Seen::default();
    let rows = read::objects(items, "components", problems, |one, problems| {
        type_of(one, &[kind::ROW], problems)?;
        Some(row(one, &mut seen, problems))
    });
    rows.into_iter().flatten().collect()
}

/// One row of up to five buttons or a single select.
pub(crate) fn row(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::ROW, problems);
    let items = read::list(object, "components", 1..=BUTTONS_MAX, problems);
    if field(object, "components").is_none() {
        read::missing("components", problems);
    }
    let known = [
        kind::BUTTON,
        kind::STRING_SELECT,
        kind::USER_SELECT,
        kind::ROLE_SELECT,
        kind::MENTIONABLE_SELECT,
        kind::CHANNEL_SELECT,
    ];
    let mut selects = 0;
    let inner = read::objects(items, "components", problems, |one, problems| {
        let number = type_of(one, &known, problems)?;
        if number == kind::BUTTON {
            return Some(button(one, seen, problems));
        }
        selects += 1;
        Some(select(one, number, seen, problems))
    });
    if selects > 0 && items.len() > 1 {
        problems.at(
            "components",
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            "The specified component exceeds the maximum width",
        );
    }
    out.insert("components".into(), inner.into_iter().flatten().collect());
    Value::Object(out)
}

/// A button: with a `custom_id` (styles 1 to 4) or with a link (style 5).
pub(crate) fn button(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::BUTTON, problems);
    if field(object, "style").is_none() {
        read::missing("style", problems);
    }
    let style = read::one_of(object, "style", &[1, 2, 3, 4, 5], problems).unwrap_or(1);
    out.insert("style".into(), json!(style));
    if style == 5 {
        if field(object, "url").is_none() {
            problems.at("url", "BUTTON_COMPONENT_URL_REQUIRED", "A url is required");
        } else if let Some(url) = read::url(object, "url", false, problems) {
            read::length_of("url", url.chars().count(), 0..=LINK_MAX_CHARS, problems);
            out.insert("url".into(), json!(url));
        }
        if field(object, "custom_id").is_some() {
            problems.at(
                "custom_id",
                "BUTTON_COMPONENT_CUSTOM_ID_AND_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            );
        }
    } else if field(object, "custom_id").is_none() {
        problems.at(
            "custom_id",
            "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED",
            "A custom id is required",
        );
    } else {
        out.insert("custom_id".into(), json!(seen.custom_id(object, problems)));
    }
    if let Some(label) =
        read::text(object, "label", 0..=LABEL_MAX_CHARS, problems).filter(|label| !label.is_empty())
    {
        out.insert("label".into(), json!(label));
    }
    emoji(object, &mut out, problems);
    if !out.contains_key("label") && !out.contains_key("emoji") {
        problems.at(
            "label",
            "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED",
            "A label or emoji is required",
        );
    }
    disabled(object, &mut out, problems);
    Value::Object(out)
}

fn disabled(object: &Object, out: &mut Map<String, Value>, problems: &mut Problems) {
    if read::flag(object, "disabled", problems) == Some(true) {
        out.insert("disabled".into(), json!(true));
    }
}

fn emoji(object: &Object, out: &mut Map<String, Value>, problems: &mut Problems) {
    match field(object, "emoji") {
        Some(Value::Object(inner)) => {
            let name = read::text(inner, "name", 0..=32, problems);
            let id = problems.within("emoji", |problems| read::id(inner, "id", problems));
            if name.is_none() && id.is_none() {
                problems.at("emoji", "BUTTON_COMPONENT_INVALID_EMOJI", "Invalid emoji");
                return;
            }
            let mut made = Map::new();
            made.insert("name".into(), json!(name.unwrap_or_default()));
            if let Some(id) = id {
                made.insert("id".into(), json!(id));
            }
            out.insert("emoji".into(), Value::Object(made));
        }
        Some(_) => problems.at(
            "emoji",
            "MODEL_TYPE_CONVERT",
            "Only dictionaries may be used in a ModelType",
        ),
        None => {}
    }
}

/// A select of texts, people, roles, both or channels.
pub(crate) fn select(
    object: &Object,
    number: i64,
    seen: &mut Seen,
    problems: &mut Problems,
) -> Value {
    let mut out = seen.begin(object, number, problems);
    out.insert("custom_id".into(), json!(seen.custom_id(object, problems)));
    if let Some(text) = read::text(object, "placeholder", 0..=PLACEHOLDER_MAX_CHARS, problems) {
        out.insert("placeholder".into(), json!(text));
    }
    let min = read::whole(object, "min_values", 0..=25, problems).unwrap_or(1);
    let max = read::whole(object, "max_values", 1..=25, problems).unwrap_or(1);
    if min > max {
        problems.at(
            "min_values",
            "SELECT_COMPONENT_MIN_VALUES_GREATER_THAN_MAX",
            "min_values cannot be greater than max_values",
        );
    }
    out.insert("min_values".into(), json!(min));
    out.insert("max_values".into(), json!(max));
    disabled(object, &mut out, problems);
    if number == kind::STRING_SELECT {
        let options = select_options(object, problems);
        if usize::try_from(max).is_ok_and(|max| max > options.len()) {
            problems.at(
                "max_values",
                "SELECT_COMPONENT_MAX_VALUES_GREATER_THAN_OPTIONS",
                "max_values cannot be greater than the number of options",
            );
        }
        out.insert("options".into(), Value::Array(options));
        return Value::Object(out);
    }
    if let Some(Value::Array(values)) = field(object, "default_values") {
        out.insert("default_values".into(), json!(values));
    }
    if number == kind::CHANNEL_SELECT
        && let Some(Value::Array(types)) = field(object, "channel_types")
    {
        out.insert("channel_types".into(), json!(types));
    }
    Value::Object(out)
}

fn select_options(object: &Object, problems: &mut Problems) -> Vec<Value> {
    if field(object, "options").is_none() {
        read::missing("options", problems);
    }
    let items = read::list(object, "options", 1..=SELECT_OPTIONS_MAX, problems);
    let mut values: Vec<String> = Vec::new();
    read::objects(items, "options", problems, |one, problems| {
        let mut out = Map::new();
        out.insert(
            "label".into(),
            json!(read::required_text(
                one,
                "label",
                1..=OPTION_MAX_CHARS,
                problems
            )),
        );
        let value = read::required_text(one, "value", 1..=OPTION_MAX_CHARS, problems);
        if values.contains(&value) {
            problems.at(
                "value",
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            );
        }
        out.insert("value".into(), json!(value));
        values.push(value);
        if let Some(text) = read::text(one, "description", 0..=OPTION_MAX_CHARS, problems) {
            out.insert("description".into(), json!(text));
        }
        emoji(one, &mut out, problems);
        if read::flag(one, "default", problems) == Some(true) {
            out.insert("default".into(), json!(true));
        }
        Value::Object(out)
    })
}

#[cfg(test)]
#[path = "component_test.rs"]
mod tests;
