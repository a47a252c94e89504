//! Text for Discord, so that nothing from outside formats, links or mentions.

use crate::render::{Line, Span, Style};

/// `text` as Discord shows it literally. A backslash before punctuation makes it plain, which also
/// breaks mentions (`<@1>`, `@everyone`), custom emoji, timestamps and bare links.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut leading_digits = true;
    for (n, c) in text.chars().enumerate() {
        let line_start = n == 0 && matches!(c, '-' | '+');
        let numbered = leading_digits && n > 0 && matches!(c, '.' | ')');
        leading_digits &= c.is_ascii_digit();
        let always = matches!(
            c,
            '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '[' | ']' | '#' | '@'
        );
        if always || line_start || numbered {
            out.push('\\');
        }
        out.push(c);
    }
    out.replace("://", ":\\//")
}

/// A machine's name in the form of code, or escaped where code can't hold it.
pub(super) fn code(text: &str) -> String {
    if text.trim().is_empty() {
        String::new()
    } else if text.contains('`') {
        escape(text)
    } else {
        format!("`{text}`")
    }
}

/// One span.
pub(super) fn span(span: &Span) -> String {
    match span.style {
        Style::Plain | Style::Dim => escape(&span.text),
        Style::Code => code(&span.text),
        Style::Strong => {
            let inner = span.text.trim();
            if inner.is_empty() {
                span.text.clone()
            } else {
                span.text
                    .replacen(inner, &format!("**{}**", escape(inner)), 1)
            }
        }
    }
}

/// One line, with its bullet.
pub(super) fn line(line: &Line) -> String {
    let mut out = String::from(if line.bullet { "• " } else { "" });
    out.extend(line.spans.iter().map(span));
    out
}

/// Lines of machine output in a code block; nothing in them can close it.
pub(super) fn block(lines: &[String]) -> String {
    let mut out = String::from("```\n");
    for line in lines {
        // U+02CB looks like a backtick; the attached file has the original.
        out.push_str(&line.replace("```", "\u{2cb}\u{2cb}\u{2cb}"));
        out.push('\n');
    }
    out.push_str("```");
    // A line that ends in backticks could join those of the fence.
    out.replace("`\n```", "\u{2cb}\n```")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_formats_or_mentions() {
        assert_eq!(escape("@everyone <@1> <#2>"), r"\@everyone \<\@1\> \<\#2\>");
        assert_eq!(
            escape("**x** _y_ ~~z~~ ||s||"),
            r"\*\*x\*\* \_y\_ \~\~z\~\~ \|\|s\|\|"
        );
        assert_eq!(escape("https://evil.example/x"), r"https:\//evil.example/x");
        assert_eq!(escape("[a](http://b)"), r"\[a\](http:\//b)");
        assert_eq!(escape("# h"), r"\# h");
        assert_eq!(escape("- x - y"), r"\- x - y");
        assert_eq!(escape("12. x 3."), r"12\. x 3.");
        assert_eq!(escape("内存已满"), "内存已满");
    }

    #[test]
    fn nothing_closes_a_block() {
        let text = block(&["```".into(), "@everyone `".into()]);
        assert_eq!(text.matches("```").count(), 2, "{text}");
        assert!(text.starts_with("```\n") && text.ends_with("\n```"));
        assert!(!text.contains("`\n```"), "{text}");
        assert_eq!(code("a`b"), r"a\`b");
    }
}
