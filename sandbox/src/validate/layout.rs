//! The layout components ("Components V2"): texts, sections, galleries, files, separators, containers.
//! Source: Discord's reference, "Component Reference".

use serde_json::{Map, Value, json};

use super::component::{self, Seen, kind};
use super::read::{self, Object, field};
use crate::rest::error::Problems;

/// Components of a message altogether, nested ones too.
pub(crate) const TOTAL_MAX: usize = 40;
/// Characters of all text displays of a message.
pub(crate) const TEXT_MAX_CHARS: usize = 4_000;
/// Pictures of a gallery.
const GALLERY_MAX: usize = 10;
/// Text displays of a section.
const SECTION_TEXTS_MAX: usize = 3;
/// Characters of a description of a picture.
const MEDIA_DESCRIPTION_MAX_CHARS: usize = 1_024;

/// The components of a message whose flag `IS_COMPONENTS_V2` is set.
pub(crate) fn components(object: &Object, problems: &mut Problems) -> Vec<Value> {
    let items = read::list(object, "components", 0..=TOTAL_MAX, problems);
    let mut seen = Seen::default();
    let known = [
        kind::ROW,
        kind::SECTION,
        kind::TEXT_DISPLAY,
        kind::GALLERY,
        kind::FILE,
        kind::SEPARATOR,
        kind::CONTAINER,
    ];
    let found = read::objects(items, "components", problems, |one, problems| {
        let number = component::type_of(one, &known, problems)?;
        Some(one_of(one, number, &mut seen, problems))
    });
    if seen.count > TOTAL_MAX {
        problems.at(
            "components",
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            format!("The maximum number of total components is {TOTAL_MAX}"),
        );
    }
    if seen.text_chars > TEXT_MAX_CHARS {
        problems.at(
            "components",
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            format!("Displayable text size exceeds maximum size of {TEXT_MAX_CHARS}"),
        );
    }
    found.into_iter().flatten().collect()
}

fn one_of(object: &Object, number: i64, seen: &mut Seen, problems: &mut Problems) -> Value {
    match number {
        kind::ROW => component::row(object, seen, problems),
        kind::TEXT_DISPLAY => text_display(object, seen, problems),
        kind::SECTION => section(object, seen, problems),
        kind::GALLERY => gallery(object, seen, problems),
        kind::FILE => file(object, seen, problems),
        kind::SEPARATOR => separator(object, seen, problems),
        _ => container(object, seen, problems),
    }
}

/// A text display, in messages and modals.
pub(crate) fn text_display(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::TEXT_DISPLAY, problems);
    let content = read::required_text(object, "content", 1..=TEXT_MAX_CHARS, problems);
    seen.text_chars += content.chars().count();
    out.insert("content".into(), json!(content));
    Value::Object(out)
}

fn section(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::SECTION, problems);
    let items = read::list(object, "components", 1..=SECTION_TEXTS_MAX, problems);
    let texts = read::objects(items, "components", problems, |one, problems| {
        component::type_of(one, &[kind::TEXT_DISPLAY], problems)?;
        Some(text_display(one, seen, problems))
    });
    out.insert("components".into(), texts.into_iter().flatten().collect());
    match field(object, "accessory").and_then(Value::as_object) {
        None => read::missing("accessory", problems),
        Some(inner) => {
            let made = problems.within("accessory", |problems| {
                match component::type_of(inner, &[kind::BUTTON, kind::THUMBNAIL], problems) {
                    Some(kind::BUTTON) => component::button(inner, seen, problems),
                    Some(_) => thumbnail(inner, seen, problems),
                    None => Value::Null,
                }
            });
            out.insert("accessory".into(), made);
        }
    }
    Value::Object(out)
}

fn media(object: &Object, key: &str, problems: &mut Problems) -> Value {
    let Some(inner) = field(object, key).and_then(Value::as_object) else {
        read::missing(key, problems);
        return Value::Null;
    };
    problems.within(key, |problems| {
        if field(inner, "url").is_none() {
            read::missing("url", problems);
        }
        let url = read::url(inner, "url", true, problems).unwrap_or_default();
        json!({"url": url, "proxy_url": url, "width": 0, "height": 0})
    })
}

fn described(object: &Object, out: &mut Map<String, Value>, problems: &mut Problems) {
    let description = read::text(
        object,
        "description",
        0..=MEDIA_DESCRIPTION_MAX_CHARS,
        problems,
    );
    out.insert("description".into(), json!(description));
    out.insert(
        "spoiler".into(),
        json!(read::flag(object, "spoiler", problems).unwrap_or(false)),
    );
}

fn thumbnail(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::THUMBNAIL, problems);
    out.insert("media".into(), media(object, "media", problems));
    described(object, &mut out, problems);
    Value::Object(out)
}

fn gallery(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::GALLERY, problems);
    let items = read::list(object, "items", 1..=GALLERY_MAX, problems);
    let pictures = read::objects(items, "items", problems, |one, problems| {
        let mut made = Map::new();
        made.insert("media".into(), media(one, "media", problems));
        described(one, &mut made, problems);
        Value::Object(made)
    });
    out.insert("items".into(), Value::Array(pictures));
    Value::Object(out)
}

fn file(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::FILE, problems);
    out.insert("file".into(), media(object, "file", problems));
    out.insert("name".into(), Value::Null);
    out.insert("size".into(), Value::Null);
    out.insert(
        "spoiler".into(),
        json!(read::flag(object, "spoiler", problems).unwrap_or(false)),
    );
    Value::Object(out)
}

fn separator(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::SEPARATOR, problems);
    out.insert(
        "divider".into(),
        json!(read::flag(object, "divider", problems).unwrap_or(true)),
    );
    out.insert(
        "spacing".into(),
        json!(read::one_of(object, "spacing", &[1, 2], problems).unwrap_or(1)),
    );
    Value::Object(out)
}

fn container(object: &Object, seen: &mut Seen, problems: &mut Problems) -> Value {
    let mut out = seen.begin(object, kind::CONTAINER, problems);
    out.insert(
        "accent_color".into(),
        json!(read::whole(
            object,
            "accent_color",
            0..=0xff_ff_ff,
            problems
        )),
    );
    out.insert(
        "spoiler".into(),
        json!(read::flag(object, "spoiler", problems).unwrap_or(false)),
    );
    let items = read::list(object, "components", 1..=TOTAL_MAX, problems);
    let known = [
        kind::ROW,
        kind::SECTION,
        kind::TEXT_DISPLAY,
        kind::GALLERY,
        kind::FILE,
        kind::SEPARATOR,
    ];
    let inner = read::objects(items, "components", problems, |one, problems| {
        let number = component::type_of(one, &known, problems)?;
        Some(one_of(one, number, seen, problems))
    });
    out.insert("components".into(), inner.into_iter().flatten().collect());
    Value::Object(out)
}
