//! The files of a message: everything that it has no room for, within Discord's limit.

use std::sync::Arc;

use serde_json::Value;

use super::limits;
use crate::{
    domain::text::Lang,
    render::{self, cut_chars},
};

const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// To how many characters each text of a report is cut so that its JSON fits, one after the other.
const SHORTER: [usize; 5] = [8_192, 2_048, 512, 128, 32];

/// A file to attach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    /// Its media type.
    pub(super) kind: &'static str,
    pub(super) text: String,
}

/// Files, and whether they have everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) all: Vec<File>,
    pub(super) whole: bool,
}

/// What can go with a message as files; they are made only when they go.
#[derive(Clone)]
pub(super) struct Attachable {
    make: Arc<dyn Fn() -> Files + Send + Sync>,
    /// A command line that shows all of it.
    pub(super) elsewhere: String,
    /// Whether they go in any case, or only when the message has no room.
    pub(super) always: bool,
}

impl Attachable {
    /// Everything that the record `number` with `report` saw, as Markdown and as JSON.
    pub(super) fn evidence(report: Value, number: i64, lang: Lang, limit: usize) -> Self {
        let elsewhere = format!("handbell history {number}");
        let at = elsewhere.clone();
        Self {
            make: Arc::new(move || evidence(&report, number, lang, limit, &at)),
            elsewhere,
            always: false,
        }
    }

    /// The page `id` of the handbook, whose text is `markdown`.
    pub(super) fn page(id: &str, markdown: String, lang: Lang, limit: usize) -> Self {
        let elsewhere = format!("handbell handbook show {id}");
        let (at, name) = (elsewhere.clone(), format!("{id}.md"));
        Self {
            make: Arc::new(move || {
                let limit = limit.min(limits::FILE_BYTES);
                let text = cut_text(&markdown, limit, &at, lang);
                let whole = text == markdown;
                let file = File {
                    name: name.clone(),
                    kind: MARKDOWN,
                    text,
                };
                Files {
                    all: vec![file],
                    whole,
                }
            }),
            elsewhere,
            always: false,
        }
    }

    /// The same, in any case.
    pub(super) fn always(mut self) -> Self {
        self.always = true;
        self
    }

    /// The files.
    pub(super) fn files(&self) -> Files {
        (self.make)()
    }
}

/// Both files of a report within `limit` bytes together: what doesn't fit is cut, and says so.
fn evidence(report: &Value, number: i64, lang: Lang, limit: usize, elsewhere: &str) -> Files {
    let limit = limit.min(limits::FILE_BYTES);
    let markdown = render::evidence(report, number, lang);
    let (json, json_whole) = json_within(report, limit - markdown.len().min(limit / 2), elsewhere);
    let room = limit - json.as_ref().map_or(0, String::len);
    let whole = json_whole && markdown.len() <= room;
    let mut all = vec![File {
        name: format!("evidence-{number}.md"),
        kind: MARKDOWN,
        text: cut_text(&markdown, room, elsewhere, lang),
    }];
    all.extend(json.map(|text| File {
        name: format!("evidence-{number}.json"),
        kind: "application/json",
        text,
    }));
    Files { all, whole }
}

/// `report` as JSON within `room` bytes, and whether that is all of it: set for people, else without
/// spaces, else with its texts cut, else without facts, which it says under `shortened`; `None` when
/// nothing helps.
fn json_within(report: &Value, room: usize, elsewhere: &str) -> (Option<String>, bool) {
    let pretty = serde_json::to_string_pretty(report).unwrap_or_default();
    if pretty.len() <= room {
        return (Some(pretty), true);
    }
    let dense = report.to_string();
    if dense.len() <= room {
        return (Some(dense), true);
    }
    let noted = |mut short: Value, what: &str| {
        if let Some(fields) = short.as_object_mut() {
            let note = format!("{what} to fit into a message; `{elsewhere}` has everything");
            fields.insert("shortened".to_owned(), note.into());
        }
        Some(short.to_string()).filter(|text| text.len() <= room)
    };
    let mut short = report.clone();
    let cut = SHORTER.into_iter().find_map(|chars| {
        shorten(&mut short, chars);
        noted(
            short.clone(),
            &format!("texts are cut to {chars} characters"),
        )
    });
    let short = cut.or_else(|| {
        let checks = short["checks"].as_array_mut();
        for check in checks
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
        {
            check.remove("facts");
            check.remove("evidence");
        }
        noted(short, "facts and evidence are left out, texts are cut,")
    });
    (short, false)
}

fn shorten(value: &mut Value, chars: usize) {
    match value {
        Value::String(text) => *text = cut_chars(text, chars),
        Value::Array(values) => values.iter_mut().for_each(|one| shorten(one, chars)),
        Value::Object(fields) => fields.values_mut().for_each(|one| shorten(one, chars)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The first lines of `text` that fit into `room` bytes; the cut is said in the last one.
fn cut_text(text: &str, room: usize, elsewhere: &str, lang: Lang) -> String {
    if text.len() <= room {
        return text.to_owned();
    }
    let note = match lang {
        Lang::En => format!(
            "\n\n--- cut here to fit into a message: {} bytes in all; `{elsewhere}` has everything\n",
            text.len()
        ),
        Lang::Zh => format!(
            "\n\n--- 此处截断以符合消息大小限制：全文共 {} 字节，完整内容见 `{elsewhere}`\n",
            text.len()
        ),
    };
    let kept = text.floor_char_boundary(room.saturating_sub(note.len()));
    let kept = text.get(..kept).unwrap_or_default();
    // A whole line, unless the text is one long one.
    let kept = match kept.rsplit_once('\n') {
        Some((lines, rest)) if lines.len() > rest.len() => lines,
        _ => kept,
    };
    format!("{kept}{note}")
}

#[cfg(test)]
#[path = "attach_tests.rs"]
mod tests;
