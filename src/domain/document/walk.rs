//! A TOML tree against a JSON Schema: every unknown key, missing key, wrong type and unknown word.
//!
//! It understands what schemars generates from serde types (`$ref`, `properties`, `required`,
//! `additionalProperties`, `items`, `enum`, `const`, `anyOf`, `oneOf`, `minimum`, `maximum`), with
//! places in the file, which no general validator has. What is wrong is also taken out of the tree,
//! so that the rest can be read; elements of lists keep their positions.

use std::ops::Range;

use serde_json::Value as Schema;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Problem, Source, did_you_mean};

/// How deep `$ref` may lead to `$ref`: our types have no chains at all.
const MAX_REFERENCES: usize = 8;

pub(super) fn check(schema: &Schema, source: &Source, tree: &mut DeTable<'_>) -> Vec<Problem> {
    let mut walker = Walker {
        root: schema,
        source,
        problems: Vec::new(),
    };
    walker.table(tree, 0..0, schema, "the file");
    walker.problems
}

struct Walker<'a> {
    root: &'a Schema,
    source: &'a Source,
    problems: Vec<Problem>,
}

impl<'a> Walker<'a> {
    fn say(&mut self, span: Range<usize>, message: String, hint: Option<String>) {
        self.problems
            .push(Problem::new(self.source, span, message).maybe_hint(hint));
    }

    fn resolve(&self, mut schema: &'a Schema) -> &'a Schema {
        for _ in 0..MAX_REFERENCES {
            if let Some(wrapped) = only_wrapped(schema) {
                schema = wrapped;
            } else if let Some(target) = schema["$ref"].as_str() {
                let pointer = target.trim_start_matches('#');
                schema = self.root.pointer(pointer).unwrap_or(&Schema::Null);
            } else {
                break;
            }
        }
        schema
    }

    /// Checks the table and takes out of it what is wrong.
    fn table(&mut self, table: &mut DeTable<'_>, at: Range<usize>, schema: &'a Schema, name: &str) {
        let schema = self.resolve(schema);
        let known = schema["properties"].as_object();
        let others = schema.get("additionalProperties");
        let mut wrong = Vec::new();
        for (key, value) in table.iter_mut() {
            let word: &str = key.get_ref();
            let inner = known.and_then(|known| known.get(word));
            let sound = match (inner, others) {
                (Some(inner), _) | (None, Some(inner @ Schema::Object(_))) => {
                    self.value(value, inner, word)
                }
                (None, Some(Schema::Bool(false))) => {
                    let names = known.into_iter().flat_map(|known| known.keys());
                    let hint = did_you_mean(word, names.map(String::as_str));
                    self.say(key.span(), format!("{name} has no key `{word}`"), hint);
                    false
                }
                (None, _) => true,
            };
            if !sound {
                wrong.push(word.to_owned());
            }
        }
        let required = schema["required"].as_array();
        for key in required.into_iter().flatten().filter_map(Schema::as_str) {
            if !table.contains_key(key) {
                let meaning = self.meaning(&schema["properties"][key]);
                let hint = meaning.map(|meaning| format!("{key}: {meaning}"));
                self.say(at.clone(), format!("{name} lacks the key `{key}`"), hint);
            }
        }
        for word in wrong {
            table.remove(word.as_str());
        }
    }

    /// Whether the value is fit to be read on.
    fn value(&mut self, value: &mut Spanned<DeValue<'_>>, schema: &'a Schema, name: &str) -> bool {
        let described = schema;
        let schema = self.resolve(schema);
        let span = value.span();
        let Some(form) = self.form_for(value.get_ref(), schema) else {
            let expected = self.expected(schema);
            let found = found(value.get_ref());
            let hint = self.date_hint(schema).or_else(|| {
                self.meaning(described)
                    .map(|meaning| format!("{name}: {meaning}"))
            });
            self.say(span, format!("`{name}` is {expected}, not {found}"), hint);
            return false;
        };
        match value.get_mut() {
            DeValue::Table(table) => {
                self.table(table, span, form, &format!("`{name}`"));
                true
            }
            DeValue::Array(array) => {
                let items = &form["items"];
                let mut sound = true;
                for element in array.iter_mut() {
                    // A table keeps its place in the list, without what is wrong in it.
                    sound &= items.is_null() || self.value(element, items, name);
                }
                sound
            }
            DeValue::String(text) => self.word(text, span, form, name),
            DeValue::Integer(number) => {
                let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
                self.number(number, span, form, name)
            }
            _ => true,
        }
    }

    fn word(&mut self, text: &str, span: Range<usize>, form: &'a Schema, name: &str) -> bool {
        let words = self.words(form);
        if words.is_empty() || words.contains(&text) {
            return true;
        }
        let hint = did_you_mean(text, words.iter().copied());
        self.say(span, format!("`{name}` can't be {text:?}"), hint);
        false
    }

    fn number(
        &mut self,
        number: Option<i64>,
        span: Range<usize>,
        form: &Schema,
        name: &str,
    ) -> bool {
        let bound = |key: &str| form[key].as_f64();
        #[expect(clippy::cast_precision_loss, reason = "bounds of our types are small")]
        let fits = number.is_some_and(|number| {
            bound("minimum").is_none_or(|least| number as f64 >= least)
                && bound("maximum").is_none_or(|most| number as f64 <= most)
        });
        if !fits {
            let range = match (bound("minimum"), bound("maximum")) {
                (Some(least), Some(most)) => format!("from {least} to {most}"),
                (Some(least), None) => format!("of at least {least}"),
                (None, Some(most)) => format!("of at most {most}"),
                (None, None) => "of at most 64 bits".to_owned(),
            };
            self.say(span, format!("`{name}` is a whole number {range}"), None);
        }
        fits
    }

    /// The alternatives of `anyOf` and `oneOf`, or the schema itself.
    fn alternatives(&self, schema: &'a Schema) -> Vec<&'a Schema> {
        let schema = self.resolve(schema);
        let listed = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
        match listed {
            Some(listed) => listed
                .iter()
                .flat_map(|inner| self.alternatives(inner))
                .collect(),
            None => vec![schema],
        }
    }

    /// The alternative that takes a value of this type; among several the one that knows most of a
    /// table's keys.
    fn form_for(&self, value: &DeValue<'_>, schema: &'a Schema) -> Option<&'a Schema> {
        let fitting = self
            .alternatives(schema)
            .into_iter()
            .filter(|form| takes(form, value));
        let words = self.words(schema);
        if !words.is_empty() && value.is_str() {
            // Words are checked against all alternatives together.
            return fitting
                .clone()
                .find(|form| is_free_text(form))
                .or(fitting.clone().next().map(|_| schema));
        }
        let known = |form: &Schema| {
            value.as_table().map_or(0, |table| {
                table
                    .keys()
                    .filter(|key| form["properties"].get(key.get_ref().as_ref()).is_some())
                    .count()
            })
        };
        // `max_by_key` would take the last among equals.
        fitting.reduce(|best, form| {
            if known(form) > known(best) {
                form
            } else {
                best
            }
        })
    }

    /// The words that a text may be; empty when it may be any.
    fn words(&self, schema: &'a Schema) -> Vec<&'a str> {
        let mut words = Vec::new();
        for form in self.alternatives(schema) {
            words.extend(form["const"].as_str());
            let listed = form["enum"].as_array().into_iter().flatten();
            words.extend(listed.filter_map(Schema::as_str));
        }
        words
    }

    fn expected(&self, schema: &'a Schema) -> String {
        let mut names: Vec<&str> = Vec::new();
        for form in self.alternatives(schema) {
            for name in types(form) {
                let name = match name {
                    "object" => "a table",
                    "array" => "a list",
                    "string" if form["format"] == "date" => "a date",
                    "string" => "a text",
                    "integer" => "a whole number",
                    "number" => "a number",
                    "boolean" => "true or false",
                    _ => continue,
                };
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names.join(" or ")
    }

    fn date_hint(&self, schema: &'a Schema) -> Option<String> {
        self.alternatives(schema)
            .iter()
            .any(|form| form["format"] == "date")
            .then(|| "a date stands without quotes: 2026-11-22".to_owned())
    }

    /// The first sentence of what the type's author wrote about it.
    fn meaning(&self, schema: &'a Schema) -> Option<String> {
        let text = schema["description"]
            .as_str()
            .or_else(|| self.resolve(schema)["description"].as_str())?;
        let first = text.split("\n\n").next().unwrap_or(text);
        Some(first.replace('\n', " ").trim_end_matches('.').to_owned())
    }
}

/// draft-07 wraps a described `$ref` in `allOf` of one.
fn only_wrapped(schema: &Schema) -> Option<&Schema> {
    match schema["allOf"].as_array()?.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

fn is_free_text(form: &Schema) -> bool {
    form["const"].is_null() && form["enum"].is_null()
}

fn types(form: &Schema) -> Vec<&str> {
    match &form["type"] {
        Schema::String(one) => vec![one],
        Schema::Array(several) => several.iter().filter_map(Schema::as_str).collect(),
        _ if form["const"].is_string() || form["enum"].is_array() => vec!["string"],
        _ => Vec::new(),
    }
}

fn takes(form: &Schema, value: &DeValue<'_>) -> bool {
    let types = types(form);
    if types.is_empty() {
        return true;
    }
    let date = form["format"] == "date";
    types.into_iter().any(|name| match value {
        DeValue::Table(_) => name == "object",
        DeValue::Array(_) => name == "array",
        DeValue::String(_) => name == "string" && !date,
        DeValue::Integer(_) => name == "integer" || name == "number",
        DeValue::Float(_) => name == "number",
        DeValue::Boolean(_) => name == "boolean",
        DeValue::Datetime(when) => {
            name == "string" && date && when.date.is_some() && when.time.is_none()
        }
    })
}

fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Table(_) => "a table",
        DeValue::Array(_) => "a list",
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date with a time",
    }
}
