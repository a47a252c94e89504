//! From bytes of a text's meaning to bytes of its TOML form, which may have escapes in it.

use std::ops::Range;

/// The bytes of `raw` (a TOML string with its quotes) that mean the bytes `inner` of the text.
/// The whole of it when it isn't a string or the form can't be followed.
pub(super) fn locate(raw: &str, inner: Range<usize>) -> Range<usize> {
    let bounds = boundaries(raw);
    match (bounds.get(inner.start), bounds.get(inner.end)) {
        (Some(start), Some(end)) => *start..*end,
        (Some(start), None) => *start..raw.len().max(*start),
        _ => 0..raw.len(),
    }
}

/// For each byte of the meaning, and its end, where it begins in the form.
fn boundaries(raw: &str) -> Vec<usize> {
    let quotes = ["\"\"\"", "'''", "\"", "'"];
    let Some(quote) = quotes.into_iter().find(|quote| {
        raw.starts_with(quote) && raw.len() >= 2 * quote.len() && raw.ends_with(quote)
    }) else {
        return Vec::new();
    };
    let literal = quote.starts_with('\'');
    let end = raw.len() - quote.len();
    let mut at = quote.len();
    if quote.len() == 3 {
        // A line break right after the opening quotes means nothing.
        let after = raw.get(at..).unwrap_or_default();
        at += match after {
            _ if after.starts_with("\r\n") => 2,
            _ if after.starts_with('\n') => 1,
            _ => 0,
        };
    }
    let mut bounds = Vec::with_capacity(raw.len());
    while at < end {
        let Some(c) = raw.get(at..).and_then(|rest| rest.chars().next()) else {
            break;
        };
        let (length, means) = if c == '\\' && !literal {
            escape(raw.get(at + 1..end).unwrap_or_default())
        } else {
            (c.len_utf8(), c.len_utf8())
        };
        if c == '\\' && !literal {
            bounds.extend(std::iter::repeat_n(at, means));
        } else {
            bounds.extend(at..at + means);
        }
        at += length;
    }
    bounds.push(end);
    bounds
}

/// How many bytes the escape takes, with its backslash, and how many it means.
fn escape(after: &str) -> (usize, usize) {
    let digits = match after.chars().next() {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(c) if c.is_whitespace() => {
            let blanks: usize = after
                .chars()
                .take_while(|c| c.is_whitespace())
                .map(char::len_utf8)
                .sum();
            return (1 + blanks, 0);
        }
        Some(c) => return (1 + c.len_utf8(), 1),
        None => return (1, 0),
    };
    let means = after
        .get(1..=digits)
        .and_then(|hex| u32::from_str_radix(hex, 16).ok())
        .and_then(char::from_u32)
        .map_or(0, char::len_utf8);
    (2 + digits, means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn holds(raw: &str, part: &str) {
        let table: toml::Table = toml::from_str(&format!("a = {raw}")).unwrap();
        let text = table["a"].as_str().unwrap();
        let start = text.find("used").unwrap();
        let found = raw.get(locate(raw, start..start + 4));
        assert_eq!(found, Some(part), "{raw}");
    }

    #[test]
    fn a_word_is_found_whatever_the_quotes() {
        for raw in [
            r#""used""#,
            "'used'",
            r#""a\tused b""#,
            r#""\u7f13\U00007f13\x41 used""#,
            "\"\"\"\nused\"\"\"",
            "'''\r\nused'''",
            "\"\"\"a \\\n   used\"\"\"",
            "\"缓存 \\\"used\\\"\"",
        ] {
            holds(raw, "used");
        }
        holds(r#""\u0075sed""#, r"\u0075sed");
    }

    #[test]
    fn what_is_no_string_is_marked_whole() {
        assert_eq!(locate("123", 0..1), 0..3);
        assert_eq!(locate("\"ab\"", 1..9), 2..4);
    }
}
