//! How a probe puts together what it saw.

use crate::domain::diagnosis::{FactSpec, FactType, Facts, ProbeSpec, Sighting, Value};

/// Longest evidence of one look, in characters: about a screen of a terminal, and it fits the
/// description of one embed (4096, Discord's documented limit).
pub(super) const EVIDENCE_CHARS: usize = 3_000;

/// Longest line of evidence and longest text of a fact, in characters.
pub(super) const LINE_CHARS: usize = 300;

/// A sighting in the making.
pub(super) struct Seen {
    spec: &'static ProbeSpec,
    facts: Facts,
    evidence: String,
}

impl Seen {
    /// Nothing seen yet by the probe of `spec`.
    pub(super) fn new(spec: &'static ProbeSpec) -> Self {
        Self {
            spec,
            facts: Facts::new(),
            evidence: String::new(),
        }
    }

    /// The fact `name` is `value`. Texts from outside are made plain and cut.
    pub(super) fn fact(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.facts.insert(name.to_owned(), tidy(value.into()));
        self
    }

    /// One more line of evidence, as long as there is room.
    pub(super) fn line(&mut self, line: impl AsRef<str>) -> &mut Self {
        let line = plain(line.as_ref(), LINE_CHARS);
        if self.evidence.chars().count() + line.chars().count() < EVIDENCE_CHARS {
            if !self.evidence.is_empty() {
                self.evidence.push('\n');
            }
            self.evidence.push_str(&line);
        }
        self
    }

    /// The sighting, complete: an optional fact that was not told is none.
    pub(super) fn done(mut self) -> Sighting {
        for fact in self.spec.facts {
            if fact.optional && !self.facts.contains_key(fact.name) {
                self.facts.insert(fact.name.to_owned(), Value::None);
            }
        }
        let sighting = Sighting {
            facts: self.facts,
            evidence: self.evidence,
        };
        debug_assert_eq!(mismatches(self.spec, &sighting.facts), Vec::<String>::new());
        sighting
    }
}

/// Where `facts` differ from what the probe of `spec` has declared: missing, of another type, a
/// text outside the known ones, or not declared at all.
#[must_use]
pub fn mismatches(spec: &ProbeSpec, facts: &Facts) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for fact in spec.facts {
        match facts.get(fact.name) {
            None => found.push(format!("{}: {} is missing", spec.name, fact.name)),
            Some(value) if !fits(fact, value) => {
                found.push(format!("{}: {} can't be {value:?}", spec.name, fact.name));
            }
            Some(_) => {}
        }
    }
    for (name, value) in facts {
        if spec.facts.iter().any(|fact| fact.name == name) {
            continue;
        }
        // Columns have the types that the page tells.
        if spec.per_key.is_some_and(|per_key| per_key.facts.is_empty()) {
            continue;
        }
        let made = spec.per_key.and_then(|per_key| {
            let longest = per_key
                .facts
                .iter()
                .chain(per_key.groups)
                .filter(|fact| name.ends_with(fact.name));
            longest.max_by_key(|fact| fact.name.len())
        });
        match made {
            Some(fact) if fits(fact, value) => {}
            Some(_) => found.push(format!("{}: {name} can't be {value:?}", spec.name)),
            None => found.push(format!("{}: {name} is not declared", spec.name)),
        }
    }
    found
}

fn fits(fact: &FactSpec, value: &Value) -> bool {
    match (fact.kind, value) {
        (_, Value::None) => fact.optional,
        (FactType::Bool, Value::Bool(_)) | (FactType::Int, Value::Int(_)) => true,
        (FactType::Float, Value::Float(number)) => number.is_finite(),
        (FactType::Text, Value::Text(text)) => {
            fact.values.is_empty() || fact.values.contains(&text.as_str())
        }
        (FactType::TextList, Value::List(values)) => {
            values.iter().all(|value| matches!(value, Value::Text(_)))
        }
        _ => false,
    }
}

fn tidy(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(plain(&text, LINE_CHARS)),
        Value::List(values) => Value::List(values.into_iter().map(tidy).collect()),
        // Nothing that was measured is infinite or no number.
        Value::Float(number) if !number.is_finite() => Value::Float(0.0),
        other => other,
    }
}

/// `text` in one line: escape sequences of terminals and control characters gone, cut to `most`
/// characters with the cut shown.
pub(super) fn plain(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let c = match c {
            '\u{1b}' => {
                skip_escape(&mut chars);
                continue;
            }
            '\t' | '\n' | '\r' => ' ',
            c if c.is_control() || is_invisible(c) => continue,
            c => c,
        };
        if count == most {
            out.pop();
            out.push('…');
            return out;
        }
        out.push(c);
        count += 1;
    }
    out.trim_end().to_owned()
}

/// Characters that turn or hide what follows (Unicode's bidirectional controls and its like).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What follows ESC: `[` parameters letter (CSI, ECMA-48 5.4), `]` … BEL or ESC (OSC), or one letter.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => {
            for c in chars.by_ref() {
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    break;
                }
            }
        }
        Some(']') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "seen_tests.rs"]
mod tests;
