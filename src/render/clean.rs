//! Text from outside, made harmless: no control characters, no terminal sequences, nothing
//! invisible, nothing that turns the direction of reading.

/// `text` as one line.
#[must_use]
pub fn clean_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text) {
        let c = if c == '\n' || c == '\t' { ' ' } else { c };
        if !(c == ' ' && out.ends_with(' ')) {
            out.push(c);
        }
    }
    if out.trim_end().len() + 1 < out.len() {
        out.truncate(out.trim_end().len());
    }
    out
}

/// One line of machine output: tabs become spaces, runs of spaces stay.
#[must_use]
pub fn clean_block(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in visible(line) {
        match c {
            '\n' => out.push(' '),
            '\t' => out.push_str("    "),
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// The last `count` lines of `text` that say something, each cut to `width` characters,
/// and whether anything was left out.
#[must_use]
pub fn last_lines(text: &str, count: usize, width: usize) -> (Vec<String>, bool) {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let mut short = lines.len() > count;
    let skip = lines.len().saturating_sub(count);
    let kept = lines
        .into_iter()
        .skip(skip)
        .map(|line| {
            let line = clean_block(line);
            let cut = cut_chars(&line, width);
            short |= cut.len() != line.len();
            cut
        })
        .collect();
    (kept, short)
}

/// `text`, at most `max` characters; a cut shows as `…`.
#[must_use]
pub fn cut_chars(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// The characters of `text` that a person can see, with line breaks and tabs.
fn visible(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            match chars.next()? {
                '\r' if chars.peek() == Some(&'\n') => {}
                '\r' => return Some('\n'),
                '\u{1b}' => skip_sequence(&mut chars),
                c @ ('\n' | '\t') => return Some(c),
                c if c.is_control() => return Some('\u{fffd}'),
                c if is_invisible(c) => {}
                c => return Some(c),
            }
        }
    })
}

/// Skips what follows an escape character: a control sequence (ECMA-48, 5.4), an operating system
/// command with its end (8.3.89), or one character.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            while let Some(c) = chars.next_if(|c| ('\u{20}'..='\u{7e}').contains(c)) {
                if ('@'..='~').contains(&c) {
                    break;
                }
            }
        }
        Some(']' | 'P' | '_' | '^' | 'X') => {
            while let Some(c) = chars.next_if(|c| *c != '\n') {
                if c == '\u{7}' {
                    break;
                }
                if c == '\u{1b}' {
                    chars.next_if(|c| *c == '\\');
                    break;
                }
            }
        }
        Some(c) if !c.is_control() => {
            chars.next();
        }
        _ => {}
    }
}

/// Characters without width that hide, join, or turn the direction of text (Unicode TR 36, 9, 51).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_and_invisible_characters_go() {
        assert_eq!(clean_line("\u{1b}[31mred\u{1b}[0m text"), "red text");
        assert_eq!(clean_line("\u{1b}]0;title\u{7}after"), "after");
        assert_eq!(clean_line("\u{1b}]8;;http://x\u{1b}\\link"), "link");
        assert_eq!(clean_line("a\u{202e}b\u{200b}c\u{2066}"), "abc");
        assert_eq!(clean_line("a\0b\u{9b}31m"), "a\u{fffd}b\u{fffd}31m");
        assert_eq!(clean_line("one\r\ntwo\tthree"), "one two three");
        assert_eq!(clean_line("中文 ok"), "中文 ok");
    }

    #[test]
    fn a_cut_is_said() {
        assert_eq!(cut_chars("abcdef", 4), "abc…");
        assert_eq!(cut_chars("abcd", 4), "abcd");
        let (lines, short) = last_lines("a\n\nb\nccccc\n", 2, 3);
        assert_eq!(lines, ["b", "cc…"]);
        assert!(short);
        assert!(!last_lines("a\n", 2, 3).1);
    }
}
