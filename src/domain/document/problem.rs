//! A mistake in a file, and how a person reads it.

use std::{ops::Range, sync::Arc};

use annotate_snippets::{AnnotationKind, Group, Level as Title, Renderer, Snippet};

/// A file's name and text; cheap to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
}

impl Source {
    /// The text `text` of the file `name`.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// The file's name, as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It works and could be better.
    Warning,
    /// It can't be used.
    Error,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// The file's name, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it: "did you mean …".
    pub hint: Option<String>,
    line_text: String,
    caret: Range<usize>,
}

impl Problem {
    /// An error at the bytes `span` of `source`; a span over several lines is marked to the end of
    /// its first one.
    #[must_use]
    pub fn new(source: &Source, span: Range<usize>, message: impl Into<String>) -> Self {
        let place = Place::of(&source.text, &span);
        Self {
            level: Level::Error,
            file: source.name.to_string(),
            line: place.line,
            column: place.column,
            message: message.into(),
            hint: None,
            line_text: mask(place.text),
            caret: place.caret,
        }
    }

    /// An error of a file as a whole, as when it can't be read.
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self::new(&Source::new(file, ""), 0..0, message)
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a hint, if there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.level = Level::Warning;
        self
    }

    /// The same, showing `line` in place of the file's own line: one whose secrets are covered,
    /// byte for byte.
    #[must_use]
    pub fn with_line(mut self, line: String) -> Self {
        if !self.line_text.is_empty() {
            self.caret = floor(&line, self.caret.start)..floor(&line, self.caret.end);
            self.line_text = line;
        }
        self
    }

    /// The problem as a person reads it: sentence, place, the line with a caret, hint.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let level = match self.level {
            Level::Error => Title::ERROR,
            Level::Warning => Title::WARNING,
        };
        let title = level.primary_title(self.message.as_str());
        let mut group = if self.line_text.is_empty() && self.caret.is_empty() && self.line == 1 {
            Group::with_title(title).element(annotate_snippets::Origin::path(self.file.as_str()))
        } else {
            title.element(
                Snippet::source(self.line_text.as_str())
                    .line_start(self.line)
                    .path(self.file.as_str())
                    .annotation(AnnotationKind::Primary.span(self.caret.clone())),
            )
        };
        if let Some(hint) = &self.hint {
            group = group.element(Title::HELP.message(hint.as_str()));
        }
        renderer.render(&[group])
    }
}

impl std::fmt::Display for Problem {
    /// One line: `redis.toml:14:9: error: … (did you mean …?)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        let Self {
            file,
            line,
            column,
            message,
            ..
        } = self;
        write!(f, "{file}:{line}:{column}: {level}: {message}")?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// The problems as sentences with line and column, at most `most` of them, and how many more there are.
#[must_use]
pub fn told(problems: &[Problem], most: usize) -> Vec<String> {
    let told = problems.iter().take(most).map(|problem| {
        let hint = problem
            .hint
            .as_ref()
            .map_or(String::new(), |hint| format!(" ({hint})"));
        format!(
            "{}:{}:{}: {}{hint}",
            problem.file, problem.line, problem.column, problem.message
        )
    });
    let more = problems.len().saturating_sub(most);
    let rest = (more > 0).then(|| format!("… +{more}"));
    told.chain(rest).collect()
}

/// All problems, each with a blank line after it, and a summary; nothing for no problem.
#[must_use]
pub fn render(problems: &[Problem], colour: bool) -> String {
    let mut text = String::new();
    for problem in problems {
        text.push_str(&problem.render(colour));
        text.push_str("\n\n");
    }
    let count = |level| problems.iter().filter(|p| p.level == level).count();
    let parts: Vec<String> = [(Level::Error, "error"), (Level::Warning, "warning")]
        .into_iter()
        .filter_map(|(level, word)| match count(level) {
            0 => None,
            1 => Some(format!("1 {word}")),
            n => Some(format!("{n} {word}s")),
        })
        .collect();
    if !parts.is_empty() {
        text.push_str(&parts.join(", "));
        text.push('\n');
    }
    text
}

struct Place<'a> {
    line: usize,
    column: usize,
    text: &'a str,
    caret: Range<usize>,
}

impl<'a> Place<'a> {
    fn of(text: &'a str, span: &Range<usize>) -> Self {
        let start = floor(text, span.start);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let line = text.get(line_start..).unwrap_or_default();
        let line = line.split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let from = (start - line_start).min(line.len());
        let to = floor(text, span.end).max(start) - line_start;
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            text: line,
            caret: from..to.clamp(from, line.len()),
        }
    }
}

/// The nearest start of a character at or before byte `n`.
fn floor(text: &str, n: usize) -> usize {
    let mut n = n.min(text.len());
    while !text.is_char_boundary(n) {
        n -= 1;
    }
    n
}

/// Words in a key that say that its value is a secret, which must not be shown although it stands
/// where it shouldn't.
const SECRET_WORDS: [&str; 3] = ["password", "token", "secret"];

/// The line with a secret's characters covered, byte for byte, so that the caret still fits.
fn mask(line: &str) -> String {
    let Some((key, value)) = line.split_once('=') else {
        return line.to_owned();
    };
    let key_lower = key.to_ascii_lowercase();
    // A reference to a secret, `{ env = "…" }` or `{ file = "…" }`, is no secret.
    let reference = value.trim_start().starts_with('{');
    if reference || !SECRET_WORDS.iter().any(|word| key_lower.contains(word)) {
        return line.to_owned();
    }
    let covered: String = value
        .chars()
        .map(|c| {
            if c.is_whitespace() {
                c.to_string()
            } else {
                "*".repeat(c.len_utf8())
            }
        })
        .collect();
    format!("{key}={covered}")
}

/// The word of `known` that `typed` most likely was meant to be, if any is near enough: at most a
/// third of its characters differ, or it begins with what was typed.
#[must_use]
pub fn closest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Fewer characters are the beginning of too much.
    const LEAST_PREFIX: usize = 4;
    let fold = |word: &str| word.to_lowercase().replace('_', "-");
    let folded = fold(typed);
    let length = folded.chars().count();
    known
        .into_iter()
        .filter_map(|word| {
            let other = fold(word);
            let longer = other.chars().count();
            let distance = strsim::damerau_levenshtein(&folded, &other);
            if distance <= longer.max(length) / 3 {
                Some((distance, word))
            } else if length >= LEAST_PREFIX && other.starts_with(&folded) {
                // Further away than any slip of the finger, the shortest first.
                Some((longer.max(length), word))
            } else {
                None
            }
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// "did you mean …?", or the words there are when they are few.
#[must_use]
pub fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    /// More than this many words are no help.
    const FEW: usize = 8;
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(word) = closest(typed, known.iter().copied()) {
        return Some(format!("did you mean `{word}`?"));
    }
    match known.as_slice() {
        [] => None,
        [only] => Some(format!("there is only `{only}`")),
        few if few.len() <= FEW => Some(format!("there are: {}", few.join(", "))),
        _ => None,
    }
}
