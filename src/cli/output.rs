//! The two streams of the command line: answers on the standard output, everything else on the
//! standard error. Both refuse to be broken by a reader that has gone away.

use std::io::{self, IsTerminal, Write};

use super::args::Colour;
use crate::{
    config,
    domain::{
        document::{self, Problem},
        redact::Redactor,
        text::Lang,
    },
};

/// Where a command writes.
#[derive(Debug)]
pub struct Output {
    /// Whether the standard output takes colours.
    pub colour: bool,
    /// Whether the standard error takes colours.
    pub error_colour: bool,
    /// Whether a live progress can be shown on the standard error.
    pub live: bool,
    /// Columns of the terminal; 0 in a pipe, where nothing is wrapped.
    pub width: usize,
    /// Cleans what is said about errors; the secrets of the configuration join it when it is read.
    redactor: Redactor,
}

impl Output {
    /// The process's own streams.
    #[must_use]
    pub fn new(colour: Colour) -> Self {
        let wanted = |terminal: bool| match colour {
            Colour::Auto => terminal && config::colour_wanted(),
            Colour::Always => true,
            Colour::Never => false,
        };
        let terminal = io::stderr().is_terminal();
        Self {
            colour: wanted(io::stdout().is_terminal()),
            error_colour: wanted(terminal),
            live: terminal && config::terminal_is_able(),
            width: columns(),
            redactor: Redactor::default(),
        }
    }

    /// From now on the secrets that `redactor` knows are cut out of errors, too.
    pub fn redact_with(&mut self, redactor: Redactor) {
        self.redactor = redactor;
    }

    /// What cleans errors: its clones share what it learns.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        self.redactor.clone()
    }

    /// An answer: as it is, one line break at its end.
    pub fn say(&self, text: &str) {
        write_line(&mut io::stdout().lock(), text);
    }

    /// An answer without anything added.
    pub fn raw(&self, bytes: &[u8]) {
        // A reader that has gone away (`| head`) wants no more; that is no error.
        let mut out = io::stdout().lock();
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }

    /// JSON, indented for people on a terminal, one line in a pipe.
    pub fn json(&self, value: &serde_json::Value) {
        let text = if io::stdout().is_terminal() {
            format!("{value:#}")
        } else {
            value.to_string()
        };
        self.say(&text);
    }

    /// Something for the person, beside the answer.
    pub fn note(&self, text: &str) {
        write_line(&mut io::stderr().lock(), &self.redactor.clean(text));
    }

    /// Mistakes in files, each with its place.
    pub fn problems(&self, problems: &[Problem]) {
        self.note(&document::render(problems, self.error_colour));
    }

    /// What went wrong.
    pub fn error(&self, text: &str) {
        let text = self.redactor.clean(text);
        let mark = if self.error_colour {
            "\u{1b}[1;31merror:\u{1b}[0m"
        } else {
            "error:"
        };
        write_line(&mut io::stderr().lock(), &format!("{mark} {text}"));
    }
}

fn columns() -> usize {
    if !io::stdout().is_terminal() {
        return 0;
    }
    terminal_size::terminal_size_of(io::stdout()).map_or(0, |(width, _)| usize::from(width.0))
}

fn write_line(stream: &mut impl Write, text: &str) {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(stream, "{text}{end}").and_then(|()| stream.flush());
}

/// The language to print in: asked for, else the locale's, else the configuration's.
#[must_use]
pub(super) fn language(asked: Option<super::args::Language>, configured: Lang) -> Lang {
    asked
        .map(Lang::from)
        .or_else(|| config::locale().map(|locale| Lang::of_locale(&locale)))
        .unwrap_or(configured)
}

/// A sentence made for chat without its marks for bold and code.
#[must_use]
pub(super) fn plain(text: &str) -> String {
    text.replace("**", "").replace('`', "")
}
