//! A line without what differs from one to the next: its time, its numbers, its ids.

/// Longest line that is put in shape, in characters.
const CHARS: usize = 300;

/// Fewest hexadecimal digits in a row that are an id and no word.
const HEX: usize = 8;

/// Words that mark a line as one of an error, as loggers write levels and runtimes write ends.
const ERRORS: [&str; 9] = [
    "error",
    "fatal",
    "critical",
    "crit",
    "emerg",
    "alert",
    "panic",
    "exception",
    "traceback",
];

/// `line` with `#` in the place of every number and `*` in that of every id.
pub(super) fn of(line: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in line.trim().chars().take(CHARS).chain([' ']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        put(&mut out, &mut word);
        let blank = c.is_whitespace();
        if blank && out.ends_with(' ') {
            continue;
        }
        out.push(if blank { ' ' } else { c });
    }
    squeeze(out.trim())
}

fn put(out: &mut String, word: &mut String) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let runs = word
        .as_bytes()
        .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
        .filter(|run| run.first().is_some_and(u8::is_ascii_digit))
        .count();
    let hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let of_uuid = hex && word.len() == 4 && out.ends_with("*-");
    if of_uuid || (digits > 0 && hex && word.len() >= HEX && digits < word.len()) || runs > 1 {
        out.push('*');
    } else if digits == 0 {
        out.push_str(word);
    } else if digits == word.len() {
        out.push('#');
    } else {
        // A name with a number in it (`backend1`, `15ms`): the number goes, the name stays.
        let mut last = false;
        for c in word.chars() {
            if c.is_ascii_digit() {
                if !last {
                    out.push('#');
                }
            } else {
                out.push(c);
            }
            last = c.is_ascii_digit();
        }
    }
    word.clear();
}

/// Times, addresses and the like are one `#` and not many.
fn squeeze(shape: &str) -> String {
    let mut out = String::with_capacity(shape.len());
    let mut chars = shape.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        if !matches!(c, '#' | '*') {
            continue;
        }
        loop {
            let mut ahead = chars.clone();
            let joint = ahead.next().is_some_and(|c| "-:./,+T".contains(c));
            if joint && matches!(ahead.next(), Some('#' | '*')) {
                chars.next();
                chars.next();
            } else {
                break;
            }
        }
    }
    out
}

/// Whether a line tells of an error.
pub(super) fn is_error(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    ERRORS.iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let before = lower.as_bytes().get(at.wrapping_sub(1));
            // `no_error`, `error_log` and `terror` are none; `ValueError` and `Exception:` are.
            let alone = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
            let original = line.as_bytes().get(at).is_some_and(u8::is_ascii_uppercase);
            let after = lower.get(at + word.len()..).unwrap_or_default();
            let after = after.strip_prefix('s').unwrap_or(after);
            let ends = after
                .bytes()
                .next()
                .is_none_or(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'=')));
            (alone || original) && ends
        })
    })
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
