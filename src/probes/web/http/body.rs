//! What is looked for in a body.

use indexmap::IndexMap;
use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;

use crate::probes::seen::{LINE_CHARS, Seen, plain};

/// How large a compiled pattern may be, in bytes. The regex crate takes time linear in the text
/// whatever the pattern is (<https://docs.rs/regex/latest/regex/#untrusted-input>).
const PATTERN_BYTES: usize = 1024 * 1024;

enum Wanted<'a> {
    Matches(Regex),
    /// A JSON pointer.
    At(&'a str),
}

/// What a page expects of a body, by name.
pub(super) struct Expectations<'a> {
    wanted: Vec<(&'a str, Wanted<'a>)>,
}

impl<'a> Expectations<'a> {
    /// Compiles `patterns`.
    ///
    /// # Errors
    /// The name of one that can't be.
    pub(super) fn new(patterns: Option<&'a IndexMap<String, String>>) -> Result<Self, &'a str> {
        let wanted = patterns.into_iter().flatten().map(|(name, pattern)| {
            if pattern.starts_with('/') {
                return Ok((name.as_str(), Wanted::At(pattern)));
            }
            let built = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build();
            built
                .map(|regex| (name.as_str(), Wanted::Matches(regex)))
                .map_err(|_| name.as_str())
        });
        Ok(Self {
            wanted: wanted.collect::<Result<_, _>>()?,
        })
    }

    /// Tells what is in `body`; of no answer nothing is.
    pub(super) fn tell(&self, seen: &mut Seen, body: Option<&[u8]>) {
        let text = body.map(String::from_utf8_lossy).unwrap_or_default();
        let points = self
            .wanted
            .iter()
            .any(|(_, wanted)| matches!(wanted, Wanted::At(_)));
        let json: Option<Json> = points.then(|| serde_json::from_str(&text).ok()).flatten();
        for (name, wanted) in &self.wanted {
            let found = match wanted {
                Wanted::Matches(regex) => regex
                    .captures(&text)
                    .and_then(|found| found.get(1).or_else(|| found.get(0)))
                    .map(|found| found.as_str().to_owned()),
                Wanted::At(pointer) => json
                    .as_ref()
                    .and_then(|json| json.pointer(pointer))
                    .map(told),
            };
            let found = found.map(|text| plain(&text, LINE_CHARS));
            let number = found
                .as_deref()
                .and_then(|text| text.trim().parse::<f64>().ok())
                .filter(|number| number.is_finite());
            seen.fact(&format!("{name}_found"), found.is_some())
                .fact(&format!("{name}_number"), number)
                .fact(&format!("{name}_text"), found);
        }
    }
}

/// A value as a text: strings without quotes, all else as JSON has it.
fn told(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
