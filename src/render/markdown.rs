//! Card → Markdown for a file, and the escapes that it needs.

use std::fmt::Write as _;

use super::{Card, Item, Line, Style};
use crate::domain::text::Lang;

/// `card` as a Markdown document.
#[must_use]
pub fn markdown(card: &Card) -> String {
    let mut out = format!("# {} {}\n", card.tone.sign(), escape(&card.title));
    for section in &card.sections {
        if !section.heading.is_empty() {
            let _ = writeln!(out, "\n## {}", escape(&section.heading));
        }
        let mut after_bullet = false;
        for item in &section.items {
            match item {
                Item::Line(line) if line.bullet => {
                    out.push_str(if after_bullet { "- " } else { "\n- " });
                    out.push_str(&inline(line));
                    out.push('\n');
                    after_bullet = true;
                }
                Item::Line(line) => {
                    out.push('\n');
                    out.push_str(&inline(line));
                    out.push('\n');
                    after_bullet = false;
                }
                Item::Block(lines) => {
                    out.push('\n');
                    out.push_str(&fenced(lines));
                    after_bullet = false;
                }
            }
        }
    }
    if !card.footer.is_empty() {
        let joined = card.footer.join(" · ");
        let _ = writeln!(out, "\n---\n\n{}", escape(&joined));
    }
    if card.abridged {
        out.push_str(match card.lang {
            Lang::En => "\nThis is an abridgement; the evidence file has everything.\n",
            Lang::Zh => "\n此处为摘要；完整内容见证据文件。\n",
        });
    }
    out
}

fn inline(line: &Line) -> String {
    line.spans
        .iter()
        .map(|span| match span.style {
            Style::Plain | Style::Dim => escape(&span.text),
            Style::Strong => wrapped("**", &span.text),
            Style::Code => code(&span.text),
        })
        .collect()
}

/// Emphasis can't begin or end with a space.
fn wrapped(mark: &str, text: &str) -> String {
    let inner = text.trim();
    if inner.is_empty() {
        return text.to_owned();
    }
    let escaped = escape(inner);
    text.replacen(inner, &format!("{mark}{escaped}{mark}"), 1)
}

/// A code span whose fence is longer than any run of backticks in it.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    if fence.len() == 1 {
        format!("`{text}`")
    } else {
        format!("{fence} {text} {fence}")
    }
}

/// Lines in a code block whose fence is longer than any run of backticks in them.
pub(super) fn fenced<S: AsRef<str>>(lines: &[S]) -> String {
    let longest = lines.iter().map(|line| longest_run(line.as_ref())).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    let mut out = format!("{fence}text\n");
    for line in lines {
        out.push_str(line.as_ref());
        out.push('\n');
    }
    out.push_str(&fence);
    out.push('\n');
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// `text` so that nothing in it formats (a backslash before punctuation, as section 2.4 of the `CommonMark` specification has it).
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (n, c) in text.chars().enumerate() {
        let at_start = n == 0 && matches!(c, '-' | '+' | '=' | '.' | ')');
        if at_start
            || matches!(
                c,
                '\\' | '`'
                    | '*'
                    | '_'
                    | '{'
                    | '}'
                    | '['
                    | ']'
                    | '<'
                    | '>'
                    | '#'
                    | '|'
                    | '~'
                    | '@'
                    | '&'
            )
        {
            out.push('\\');
        }
        out.push(c);
    }
    out.replace("://", ":\\//")
}
