//! Modals: title, inputs in rows or labels. Source: Discord's reference, "Component Reference" and "Modals".

use serde_json::{Value, json};

use super::component::{self, CUSTOM_ID_MAX_CHARS, Seen, kind};
use super::layout;
use super::read::{self, Object, field};
use crate::rest::error::Problems;

/// Characters of a modal's title, and of an input's label.
pub(crate) const TITLE_MAX_CHARS: usize = 45;
/// Rows or labels of a modal.
pub(crate) const INPUTS_MAX: usize = 5;
/// Characters that a person can type into one input.
pub(crate) const INPUT_MAX_CHARS: i64 = 4_000;
/// Characters of an input's placeholder.
const PLACEHOLDER_MAX_CHARS: usize = 100;
/// Characters of a label's description.
const LABEL_DESCRIPTION_MAX_CHARS: usize = 100;

/// Reads the `data` of a callback of type 9 into `{custom_id, title, components}`.
pub(crate) fn modal(object: &Object, problems: &mut Problems) -> Value {
    let custom_id = read::required_text(object, "custom_id", 1..=CUSTOM_ID_MAX_CHARS, problems);
    let title = read::required_text(object, "title", 1..=TITLE_MAX_CHARS, problems);
    if field(object, "components").is_none() {
        read::missing("components", problems);
    }
    let items = read::list(object, "components", 1..=INPUTS_MAX, problems);
    let mut seen = Seen::default();
    let inner =
        read::objects(
            items,
            "components",
            problems,
            |one, problems| match component::type_of(
                one,
                &[kind::ROW, kind::TEXT_DISPLAY, kind::LABEL],
                problems,
            )? {
                kind::ROW => Some(row(one, &mut seen, problems)),
                kind::LABEL => Some(label(one, &mut seen, problems)),
                _ => Some(layout::text_display(one, &mut seen, problems)),
            },
        );
    json!({"custom_id": custom_id, "title": title, "components": inner.into_iter().flatten().collect::<Vec<_>>()})
}

fn row(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::ROW, problems);
    let items = read::list(object, "components", 1..=1, problems);
    let inner = read::objects(items, "components", problems, |one, problems| {
        component::type_of(one, &[kind::TEXT_INPUT], problems)?;
        Some(text_input(one, true, seen, problems))
    });
    out.insert("components".into(), inner.into_iter().flatten().collect());
    Value::Object(out)
}

fn label(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::LABEL, problems);
    out.insert(
        "label".into(),
        json!(read::required_text(
            object,
            "label",
            1..=TITLE_MAX_CHARS,
            problems
        )),
    );
    out.insert(
        "description".into(),
        json!(read::text(
            object,
            "description",
            0..=LABEL_DESCRIPTION_MAX_CHARS,
            problems
        )),
    );
    let Some(inner) = field(object, "component").and_then(Value::as_object) else {
        read::missing("component", problems);
        return Value::Object(out);
    };
    let known = [
        kind::TEXT_INPUT,
        kind::STRING_SELECT,
        kind::USER_SELECT,
        kind::ROLE_SELECT,
        kind::MENTIONABLE_SELECT,
        kind::CHANNEL_SELECT,
    ];
    let made = problems.within("component", |problems| {
        match component::type_of(inner, &known, problems)? {
            kind::TEXT_INPUT => Some(text_input(inner, false, seen, problems)),
            number => {
                let mut made = component::select(inner, number, seen, problems);
                if let Some(select) = made.as_object_mut() {
                    select.insert(
                        "required".into(),
                        json!(read::flag(inner, "required", problems).unwrap_or(true)),
                    );
                }
                Some(made)
            }
        }
    });
    out.insert("component".into(), made.unwrap_or(Value::Null));
    Value::Object(out)
}

fn text_input(object: &Object, labelled: bool, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::TEXT_INPUT, problems);
    out.insert("custom_id".into(), json!(seen.custom_id(object, problems)));
    if field(object, "style").is_none() {
        read::missing("style", problems);
    }
    out.insert(
        "style".into(),
        json!(read::one_of(object, "style", &[1, 2], problems).unwrap_or(1)),
    );
    if labelled {
        out.insert(
            "label".into(),
            json!(read::required_text(
                object,
                "label",
                1..=TITLE_MAX_CHARS,
                problems
            )),
        );
    }
    let min = read::whole(object, "min_length", 0..=INPUT_MAX_CHARS, problems);
    let max = read::whole(object, "max_length", 1..=INPUT_MAX_CHARS, problems);
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        problems.at(
            "min_length",
            "TEXT_INPUT_COMPONENT_INVALID_MIN_LENGTH",
            "min_length cannot be greater than max_length",
        );
    }
    out.insert("min_length".into(), json!(min));
    out.insert("max_length".into(), json!(max));
    out.insert(
        "required".into(),
        json!(read::flag(object, "required", problems).unwrap_or(true)),
    );
    let longest = usize::try_from(max.unwrap_or(INPUT_MAX_CHARS)).unwrap_or(usize::MAX);
    for (key, limit) in [("value", longest), ("placeholder", PLACEHOLDER_MAX_CHARS)] {
        if let Some(text) = read::text(object, key, 0..=limit, problems) {
            out.insert(key.into(), json!(text));
        }
    }
    Value::Object(out)
}
