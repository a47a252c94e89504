//! The neutral form of what a person reads: every medium is made from it.

use super::clean::{clean_block, clean_line};
use crate::domain::text::Lang;

/// How it looks at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Healthy.
    Good,
    /// Not yet broken.
    Warning,
    /// Broken.
    Bad,
    /// It could not be looked at.
    Unclear,
    /// Neither good nor bad.
    Neutral,
}

impl Tone {
    /// A sign that is told apart without colours.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Good => "🟢",
            Self::Warning => "🟡",
            Self::Bad => "🔴",
            Self::Unclear => "⚪",
            Self::Neutral => "🔔",
        }
    }
}

/// How a span is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// Heavier than the rest.
    Strong,
    /// A name that a machine uses.
    Code,
    /// Lighter than the rest.
    Dim,
}

/// Text of one style. Media escape it: no span can format or mention anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// How it is set.
    pub style: Style,
    /// The text: one line, no control or invisible characters.
    pub text: String,
}

/// One line of text; media wrap it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Whether it is an entry of a list.
    pub bullet: bool,
    /// Its spans.
    pub spans: Vec<Span>,
}

impl Line {
    /// A line without anything on it yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An entry of a list.
    #[must_use]
    pub fn bullet() -> Self {
        Self {
            bullet: true,
            spans: Vec::new(),
        }
    }

    /// The same line with `text` in `style` at its end.
    #[must_use]
    pub fn span(mut self, style: Style, text: &str) -> Self {
        self.spans.push(Span {
            style,
            text: clean_line(text),
        });
        self
    }

    /// The same line with plain `text` at its end.
    #[must_use]
    pub fn plain(self, text: &str) -> Self {
        self.span(Style::Plain, text)
    }

    /// The same line with heavier `text` at its end.
    #[must_use]
    pub fn strong(self, text: &str) -> Self {
        self.span(Style::Strong, text)
    }

    /// The same line with a machine's name at its end.
    #[must_use]
    pub fn code(self, text: &str) -> Self {
        self.span(Style::Code, text)
    }

    /// The same line with lighter `text` at its end.
    #[must_use]
    pub fn dim(self, text: &str) -> Self {
        self.span(Style::Dim, text)
    }

    /// The text without any style.
    #[must_use]
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A line of text.
    Line(Line),
    /// Lines as a machine wrote them, set in a fixed width.
    Block(Vec<String>),
}

impl Item {
    /// Lines as a machine wrote them, made harmless.
    #[must_use]
    pub fn block<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Block(lines.into_iter().map(clean_block).collect())
    }
}

impl From<Line> for Item {
    fn from(line: Line) -> Self {
        Self::Line(line)
    }
}

/// What a section is about; a medium without room drops the last kinds first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SectionKind {
    /// The answer itself.
    Lead,
    /// What shows it.
    Evidence,
    /// What to do.
    Remedies,
    /// What differs from the last healthy run.
    Changed,
    /// What follows from it.
    Consequences,
    /// What could not be looked at.
    Unknown,
    /// What was not run.
    LeftOut,
    /// What only a person can see.
    Manual,
    /// What there is nothing to look at.
    NotApplicable,
    /// What is well.
    Healthy,
}

/// A part of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub kind: SectionKind,
    /// Its heading; empty for the lead.
    pub heading: String,
    /// What it says.
    pub items: Vec<Item>,
}

/// What a person reads, before it has the form of a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The language of its words.
    pub lang: Lang,
    /// The title.
    pub title: String,
    /// How it looks at a glance.
    pub tone: Tone,
    /// Its parts, the most telling first.
    pub sections: Vec<Section>,
    /// Small print, joined by the medium.
    pub footer: Vec<String>,
    /// Whether evidence was left out for the sake of brevity.
    pub abridged: bool,
}

impl Card {
    /// A card of one short answer.
    #[must_use]
    pub fn note(lang: Lang, tone: Tone, title: &str, lines: Vec<Line>) -> Self {
        Self {
            lang,
            title: clean_line(title),
            tone,
            sections: vec![Section {
                kind: SectionKind::Lead,
                heading: String::new(),
                items: lines.into_iter().map(Item::Line).collect(),
            }],
            footer: Vec::new(),
            abridged: false,
        }
    }

    /// The same card with the number under which the diagnosis is recorded.
    #[must_use]
    pub fn recorded_as(mut self, number: i64) -> Self {
        self.footer.push(match self.lang {
            Lang::En => format!("record {number}"),
            Lang::Zh => format!("记录 {number}"),
        });
        self
    }
}
