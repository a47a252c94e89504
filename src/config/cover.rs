//! Lines of a configuration file as they may be shown beside an error.
//!
//! An error must show where it is, and a file of secrets' places may hold, by mistake, a secret
//! itself: under a key that is misspelt, in a line that is no TOML at all. So only what is known to
//! be harmless is shown: names of keys, punctuation, and the values of these keys.

/// Keys whose values may be shown.
const SHOWN: [&str; 40] = [
    "language",
    "timezone",
    "directory",
    "keep",
    "check_deadline",
    "run_deadline",
    "checks_per_target",
    "guilds",
    "channels",
    "endpoint",
    "address",
    "ca",
    "cert",
    "key",
    "gateway",
    "database",
    "username",
    "engine",
    "name",
    "discord",
    "discord_roles",
    "discord_users",
    "local_users",
    "people",
    "starts",
    "turn",
    "file",
    "tls",
    "container",
    "rotation",
    "config",
    "error_log",
    "program",
    "unit",
    "log",
    "resolvers",
    "addresses",
    "connect",
    "merchant_id",
    "serial",
];

/// Each line of `text`, with every character of what may not be shown covered, byte for byte, so
/// that places in the line stay the same.
pub(super) fn cover(text: &str) -> Vec<String> {
    let mut state = State::default();
    text.split('\n').map(|line| state.line(line)).collect()
}

/// What carries over from one line to the next.
#[derive(Default)]
struct State {
    /// Whether values are shown at this place.
    shown: bool,
    /// Open brackets of lists and inline tables.
    depth: usize,
    /// The three quotes that will end the text in which we are.
    within: Option<&'static str>,
}

impl State {
    fn line(&mut self, line: &str) -> String {
        let mut out = String::with_capacity(line.len());
        let mut rest = line;
        if self.within.is_none() && self.depth == 0 {
            self.shown = false;
            if is_header(line) {
                return line.to_owned();
            }
        }
        while !rest.is_empty() {
            rest = self.token(rest, &mut out);
        }
        out
    }

    /// Takes one token off `rest` and writes it, covered or not.
    fn token<'a>(&mut self, rest: &'a str, out: &mut String) -> &'a str {
        if let Some(quotes) = self.within {
            let end = rest.find(quotes).map(|n| n + quotes.len());
            if end.is_some() {
                self.within = None;
            }
            return self.value(rest, end.unwrap_or(rest.len()), out);
        }
        for quotes in ["\"\"\"", "'''"] {
            if rest.starts_with(quotes) {
                self.within = Some(quotes);
                return self.value(rest, quotes.len(), out);
            }
        }
        let first = rest.chars().next().unwrap_or(' ');
        match first {
            '"' | '\'' => {
                let length = quoted(rest, first);
                self.word(rest, length, out)
            }
            '#' => {
                // A comment may keep yesterday's password.
                out.push('#');
                cover_into(rest.get(1..).unwrap_or_default(), out);
                ""
            }
            '[' | '{' => {
                self.depth += 1;
                take(rest, 1, out)
            }
            ']' | '}' => {
                self.depth = self.depth.saturating_sub(1);
                take(rest, 1, out)
            }
            _ if first.is_whitespace() || matches!(first, ',' | '=') => {
                take(rest, first.len_utf8(), out)
            }
            _ => {
                let end = |c: char| c.is_whitespace() || "=,[]{}#\"'".contains(c);
                let length = rest.find(end).unwrap_or(rest.len());
                self.word(rest, length, out)
            }
        }
    }

    /// A key when `=` follows, a value otherwise.
    fn word<'a>(&mut self, rest: &'a str, length: usize, out: &mut String) -> &'a str {
        let (word, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let name = word.trim_matches(['"', '\'']);
        let last = name.rsplit('.').next().unwrap_or(name);
        if after.trim_start().starts_with('=') && is_key(name) {
            self.shown = SHOWN.contains(&last);
            return take(rest, length, out);
        }
        self.value(rest, length, out)
    }

    fn value<'a>(&self, rest: &'a str, length: usize, out: &mut String) -> &'a str {
        let (value, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if self.shown && !has_password(value) {
            return take(rest, length, out);
        }
        cover_into(value, out);
        after
    }
}

/// Whether this is an address with a user's password in it: `scheme://user:password@host`.
fn has_password(value: &str) -> bool {
    value.rsplit_once('@').is_some_and(|(before, _)| {
        let user = before.split_once("://").map_or(before, |(_, user)| user);
        user.contains(':')
    })
}

/// Whether this can be a key: short and plain. A pasted secret with `=` at its end is longer.
fn is_key(name: &str) -> bool {
    const LONGEST_KEY: usize = 40;
    !name.is_empty()
        && name.len() <= LONGEST_KEY
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b))
}

/// `[redis.cache]`, with a comment or not.
fn is_header(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('[')
        && line.ends_with(']')
        && line
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"[]._-\" ".contains(&b))
}

/// The bytes of a quoted text with both its quotes; to the end of the line when it has no end.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (n, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if c == quote => return n + 1,
            _ => {}
        }
    }
    rest.len()
}

fn take<'a>(rest: &'a str, length: usize, out: &mut String) -> &'a str {
    let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
    out.push_str(taken);
    after
}

fn cover_into(text: &str, out: &mut String) {
    for c in text.chars() {
        if c.is_whitespace() || c == '"' || c == '\'' {
            out.push(c);
        } else {
            out.push_str(&"*".repeat(c.len_utf8()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_harmless_is_shown() {
        for line in [
            "[redis.cache]",
            "address = \"127.0.0.1:6379\"",
            "container = { engine = \"engine\", name = \"mall\" }",
            "password = { file = \"redis.password\" }",
            "guilds = [\"123\", \"456\"]",
            "redis.cache.address = 'x'",
            "endpoint = \"ssh://ops@host:22\"",
            "check_deadlin = ",
        ] {
            assert_eq!(cover(line), [line]);
        }
    }

    #[test]
    fn whatever_may_be_a_secret_is_covered_and_nothing_moves() {
        for text in [
            "password = \"hunter2\"",
            "password = hunter2",
            "pasword = \"hunter2\"",
            "password \"hunter2\"",
            "password: hunter2",
            "address = \"redis://:hunter2@host\"",
            "hunter2",
            "hunter2=",
            "cache = { address = \"x\", password = \"hunter2\" }",
            "password = { env = \"hunter2\" }",
            "password = { value = \"hunter2\" }",
            "password = \"\"\"\nhunter2\n\"\"\"",
            "password = '''\n'hunter2' = 1",
            "address = \"x\" # hunter2",
            "address = \"x\" hunter2 = \"hunter2\"",
            "x = [\n\"hunter2\",\n]",
            "password = \"密码 hunter2\" oops",
            "[redis.password]\nvalue = \"hunter2\"",
        ] {
            let covered = cover(text);
            let lines: Vec<&str> = text.split('\n').collect();
            assert_eq!(covered.len(), lines.len());
            for (covered, line) in covered.iter().zip(lines) {
                assert_eq!(covered.len(), line.len(), "{line:?} moved: {covered:?}");
            }
            let all = covered.join("\n");
            let seen = all.replace("hunter2 =", "").replace("hunter2=", "");
            assert!(!seen.contains("hunter2"), "{text:?} shows {all:?}");
        }
    }
}
