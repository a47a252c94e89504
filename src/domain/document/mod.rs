//! TOML files that people write: typed, or answered with every mistake at once.
//!
//! [`parse`] reads a file into a serde type and holds it against the JSON Schema that the same type
//! generates, so that the editor's completion and the refusal can't disagree. Each [`Problem`]
//! knows file, line and column, shows the line with a caret, and says "did you mean".
//!
//! ```
//! # use handbell::domain::document::{self, Path};
//! #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Bell {
//!     /// How loud, 1 to 10.
//!     loudness: u8,
//! }
//! let bell = document::parse::<Bell>("bell.toml", "loudness = 3").unwrap();
//! assert_eq!(bell.value.loudness, 3);
//! let problem = bell.problem(&Path::root().key("loudness"), "too quiet");
//! assert_eq!((problem.line, problem.column), (1, 12));
//!
//! let problems = document::parse::<Bell>("bell.toml", "loudnes = 3").unwrap_err();
//! assert_eq!(problems[0].hint.as_deref(), Some("did you mean `loudness`?"));
//! ```

mod escape;
#[cfg(test)]
pub(crate) mod keywords;
mod path;
mod problem;
mod walk;

pub use path::Path;
pub use problem::{Level, Problem, Source, closest, did_you_mean, render, told};

use std::ops::Range;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::de::DeTable;

use path::Places;

/// Longest file that is read, in bytes: a page or a configuration file is a few kilobytes; what is
/// longer is no such file.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// A file that has been read into `T`, with the places of everything in it.
#[derive(Clone, Debug)]
pub struct Document<T> {
    /// What it says.
    pub value: T,
    source: Source,
    places: Places,
}

impl<T> Document<T> {
    /// The file's name and text.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The bytes of the value at `path`. For something that isn't there: of the nearest table or
    /// list around it. For a table under a header: of the header.
    #[must_use]
    pub fn span(&self, path: &Path) -> Range<usize> {
        self.places.value(path)
    }

    /// The bytes of the key at `path`; of the value where it has no key (an element of a list).
    #[must_use]
    pub fn key_span(&self, path: &Path) -> Range<usize> {
        self.places.key(path).unwrap_or_else(|| self.span(path))
    }

    /// The bytes of the file that mean the bytes `inner` of the text at `path`.
    #[must_use]
    pub fn span_within(&self, path: &Path, inner: Range<usize>) -> Range<usize> {
        let whole = self.span(path);
        let raw = self.source.text().get(whole.clone()).unwrap_or_default();
        let part = escape::locate(raw, inner);
        whole.start + part.start..whole.start + part.end
    }

    /// An error at the value at `path`.
    #[must_use]
    pub fn problem(&self, path: &Path, message: impl Into<String>) -> Problem {
        Problem::new(&self.source, self.span(path), message)
    }

    /// An error at the key at `path`.
    #[must_use]
    pub fn key_problem(&self, path: &Path, message: impl Into<String>) -> Problem {
        Problem::new(&self.source, self.key_span(path), message)
    }

    /// The same document with another value, for a second pass that turns raw into validated.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Document<U> {
        Document {
            value: convert(self.value),
            source: self.source,
            places: self.places,
        }
    }
}

/// Reads `text`, which came from `file`.
///
/// # Errors
/// Every mistake in it: all syntax errors; or else every unknown key, missing key, wrong type and
/// unknown word.
pub fn parse<T: DeserializeOwned + JsonSchema>(
    file: &str,
    text: &str,
) -> Result<Document<T>, Vec<Problem>> {
    let (document, problems) = parse_leniently(file, text);
    match document {
        Some(document) if problems.is_empty() => Ok(document),
        _ => Err(problems),
    }
}

/// Reads what can be read of `text`, so that its meaning can be checked although its form is wrong
/// somewhere: values of a wrong type and unknown keys are left out. There is a document when `T`
/// takes what is left; a type whose fields are all optional always does.
#[must_use]
pub fn parse_leniently<T: DeserializeOwned + JsonSchema>(
    file: &str,
    text: &str,
) -> (Option<Document<T>>, Vec<Problem>) {
    parse_against(file, text, &schema::<T>())
}

/// [`parse_leniently`] with the [`schema`] of `T` at hand, for whoever reads many of them.
#[must_use]
pub fn parse_against<T: DeserializeOwned>(
    file: &str,
    text: &str,
    schema: &serde_json::Value,
) -> (Option<Document<T>>, Vec<Problem>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Source::new(file, text);
    if text.len() > MAX_FILE_BYTES {
        let message = format!(
            "the file has {} bytes; at most {MAX_FILE_BYTES} are read",
            text.len()
        );
        return (
            None,
            vec![Problem::new(&Source::new(file, ""), 0..0, message)],
        );
    }
    let (mut tree, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return (None, syntax_problems(&source, &errors));
    }
    let places = Places::of(&tree);
    let mut problems = walk::check(schema, &source, tree.get_mut());
    match T::deserialize(toml::de::Deserializer::from(tree)) {
        Ok(value) => {
            let document = Document {
                value,
                source,
                places,
            };
            (Some(document), problems)
        }
        Err(error) => {
            // A consequence of what was already said, unless nothing was.
            if problems.is_empty() {
                let span = error.span().unwrap_or(0..0);
                problems.push(Problem::new(&source, span, sentence(error.message())));
            }
            (None, problems)
        }
    }
}

/// Reads `text`, which is known to be sound: what it says is not held against any schema.
/// `None` when it is not sound after all.
#[must_use]
pub fn parse_known<T: DeserializeOwned>(file: &str, text: &str) -> Option<Document<T>> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return None;
    }
    let places = Places::of(&tree);
    let value = T::deserialize(toml::de::Deserializer::from(tree)).ok()?;
    Some(Document {
        value,
        source: Source::new(file, text),
        places,
    })
}

/// The schema that [`parse`] holds a `T` against.
#[must_use]
pub fn schema<T: JsonSchema>() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

fn syntax_problems(source: &Source, errors: &[toml::de::Error]) -> Vec<Problem> {
    errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(0..0);
            Problem::new(
                source,
                span,
                format!("this is no TOML: {}", error.message()),
            )
        })
        .collect()
}

/// serde's messages begin small and end without a full stop, as ours do; only line breaks go.
fn sentence(message: &str) -> String {
    message.replace('\n', " ")
}

#[cfg(test)]
mod tests;
