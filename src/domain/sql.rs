//! SQL as far as it must be understood: what a page may ask a database, and how a statement is
//! shown without its values.
//!
//! - [`Query`]: one reading statement with named placeholders, or why it may not be asked
//! - [`without_values`]: a statement with `?` in the place of every literal

use std::ops::Range;

/// Longest query of a page, in bytes. Our own choice: one screen.
pub const QUERY_BYTES: usize = 4_096;

/// One piece of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A keyword, a function's or an unquoted thing's name.
    Word,
    /// A name in backticks.
    Quoted,
    /// A text in single or double quotes.
    Text,
    Number,
    /// `:name`.
    Placeholder,
    Comment,
    Space,
    /// Any other character.
    Sign,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    kind: Kind,
    at: Range<usize>,
}

/// Cuts `sql` into pieces; what is not ended runs to the end.
fn tokens(sql: &str) -> Vec<Token> {
    let chars: Vec<(usize, char)> = sql.char_indices().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut n = 0;
    while n < chars.len() {
        let (kind, length) = piece(&chars, n, tokens.last());
        let from = chars.get(n).map_or(sql.len(), |(at, _)| *at);
        n += length.max(1);
        let to = chars.get(n).map_or(sql.len(), |(at, _)| *at);
        tokens.push(Token { kind, at: from..to });
    }
    tokens
}

/// What begins at character `n`, and how many characters it has.
fn piece(chars: &[(usize, char)], n: usize, before: Option<&Token>) -> (Kind, usize) {
    let at = |n: usize| chars.get(n).map_or('\0', |(_, c)| *c);
    let run = |from: usize, fits: fn(char) -> bool| {
        chars
            .get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(|(_, c)| fits(*c))
            .count()
    };
    match (at(n), at(n + 1)) {
        (c, _) if c.is_whitespace() => (Kind::Space, run(n, char::is_whitespace)),
        ('#', _) => (Kind::Comment, run(n, |c| c != '\n')),
        ('-', '-') if at(n + 2).is_whitespace() || n + 2 >= chars.len() => {
            (Kind::Comment, run(n, |c| c != '\n'))
        }
        ('/', '*') => {
            let rest = chars.get(n + 2..).unwrap_or_default();
            let end = rest
                .windows(2)
                .position(|two| two[0].1 == '*' && two[1].1 == '/');
            (Kind::Comment, end.map_or(chars.len() - n, |end| end + 4))
        }
        (quote @ ('\'' | '"' | '`'), _) => {
            let kind = if quote == '`' {
                Kind::Quoted
            } else {
                Kind::Text
            };
            (kind, quoted(chars, n, quote))
        }
        ('0', 'x' | 'X' | 'b' | 'B') => (Kind::Number, 2 + run(n + 2, |c| c.is_ascii_hexdigit())),
        ('x' | 'X' | 'b' | 'B' | 'n' | 'N', '\'') => (Kind::Text, 1 + quoted(chars, n + 1, '\'')),
        (c, _) if c.is_ascii_digit() => (Kind::Number, number(chars, n)),
        ('.', c) if c.is_ascii_digit() && !is_name(before) => (Kind::Number, number(chars, n)),
        (':', c) if c.is_ascii_alphabetic() || c == '_' => {
            (Kind::Placeholder, 1 + run(n + 1, is_word))
        }
        (c, _) if is_word(c) => (Kind::Word, run(n, is_word)),
        _ => (Kind::Sign, 1),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn is_name(token: Option<&Token>) -> bool {
    token.is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted))
}

/// The length of a quoted piece: a doubled quote and one behind a backslash belong to it.
fn quoted(chars: &[(usize, char)], from: usize, quote: char) -> usize {
    let mut n = from + 1;
    while let Some((_, c)) = chars.get(n) {
        if *c == '\\' && quote != '`' {
            n += 2;
        } else if *c == quote {
            n += 1;
            if chars.get(n).is_none_or(|(_, c)| *c != quote) {
                return n - from;
            }
            n += 1;
        } else {
            n += 1;
        }
    }
    chars.len() - from
}

/// The length of a number: digits, one point, an exponent. A word that begins with digits is one
/// number, too: nothing of it is shown.
fn number(chars: &[(usize, char)], from: usize) -> usize {
    let mut n = from;
    while let Some((_, c)) = chars.get(n) {
        let exponent = n > from
            && matches!(c, '+' | '-')
            && chars
                .get(n - 1)
                .is_some_and(|(_, c)| matches!(c, 'e' | 'E'));
        if c.is_ascii_alphanumeric() || *c == '.' || *c == '_' || exponent {
            n += 1;
        } else {
            break;
        }
    }
    n - from
}

fn cut<'s>(sql: &'s str, token: &Token) -> &'s str {
    sql.get(token.at.clone()).unwrap_or_default()
}

/// `sql` in one line with `?` for every text and number, without comments; several `?` with
/// commas between them become `?, …`, so that a list of a thousand ids is short.
#[must_use]
pub fn without_values(sql: &str) -> String {
    let mut out = String::new();
    for token in tokens(sql) {
        match token.kind {
            Kind::Comment | Kind::Space => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            Kind::Text | Kind::Number => {
                let list = out.trim_end().strip_suffix(',').map(str::trim_end);
                match list {
                    Some(list) if list.ends_with("?, …") => out.truncate(list.len()),
                    Some(list) if list.ends_with('?') => {
                        out.truncate(list.len());
                        out.push_str(", …");
                    }
                    _ => out.push('?'),
                }
            }
            _ => out.push_str(cut(sql, &token)),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Why a statement may not stand in a page, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The bytes of the statement that are meant.
    pub at: Range<usize>,
    /// What is wrong, for the page's author.
    pub why: String,
}

/// A reading statement with named placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The statement with `?` for each placeholder, as a server prepares it.
    pub sql: String,
    /// The names of the placeholders, in the order of their places; one may stand there twice.
    pub names: Vec<String>,
}

/// Words that no reading statement has: they write or lock. (What begins with another word than
/// `SELECT` or `WITH` is refused as such.) The server is asked in a read-only transaction
/// besides; this tells the author at once.
const FORBIDDEN: &[&str] = &[
    "delete",
    "insert",
    "into",
    "lock",
    "procedure",
    "replace",
    "update",
];

/// Those of them that are harmless as functions: `REPLACE(name, 'a', 'b')`.
const ALSO_FUNCTIONS: &[&str] = &["insert", "replace"];

/// Functions that wait, lock, count up, or reach out of the database.
const FORBIDDEN_FUNCTIONS: &[&str] = &[
    "benchmark",
    "get_lock",
    "load_file",
    "master_pos_wait",
    "nextval",
    "release_all_locks",
    "release_lock",
    "setval",
    "sleep",
    "source_pos_wait",
    "sys_eval",
    "sys_exec",
    "wait_for_executed_gtid_set",
];

impl Query {
    /// Reads `sql`: one `SELECT` (or `WITH … SELECT`) without comments and variables.
    ///
    /// # Errors
    /// What is refused, and where.
    pub fn parse(sql: &str) -> Result<Self, Refused> {
        let refuse = |at: Range<usize>, why: &str| {
            Err(Refused {
                at,
                why: why.to_owned(),
            })
        };
        if sql.len() > QUERY_BYTES {
            let why = format!("{} bytes; a query has at most {QUERY_BYTES}", sql.len());
            return refuse(0..sql.len(), &why);
        }
        let tokens: Vec<Token> = tokens(sql)
            .into_iter()
            .filter(|token| token.kind != Kind::Space)
            .collect();
        let first = tokens
            .first()
            .map(|token| cut(sql, token).to_ascii_lowercase());
        if !matches!(first.as_deref(), Some("select" | "with")) {
            let at = tokens.first().map_or(0..0, |token| token.at.clone());
            return refuse(at, "a query is one SELECT statement, and nothing else");
        }
        let mut query = Self {
            sql: String::new(),
            names: Vec::new(),
        };
        let (mut written, mut selects) = (0, false);
        for (n, token) in tokens.iter().enumerate() {
            let text = cut(sql, token);
            let next = tokens.get(n + 1).map(|token| cut(sql, token));
            match (token.kind, text) {
                (Kind::Comment, _) => {
                    return refuse(
                        token.at.clone(),
                        "a query has no comments: servers carry some of them out",
                    );
                }
                (Kind::Sign, ";") => {
                    return refuse(token.at.clone(), "a query is one statement, without `;`");
                }
                (Kind::Sign, "@") => {
                    return refuse(token.at.clone(), "a query has no variables (`@`)");
                }
                (Kind::Sign, "?") => {
                    return refuse(
                        token.at.clone(),
                        "a placeholder has a name: `:order_no`, with its value under `params`",
                    );
                }
                (Kind::Text | Kind::Quoted, _) if !is_ended(text) => {
                    return refuse(token.at.clone(), "the quote is not closed");
                }
                (Kind::Word, word) => {
                    let word = word.to_ascii_lowercase();
                    selects |= word == "select";
                    let before = n.checked_sub(1).and_then(|n| tokens.get(n));
                    let before = before.map(|token| cut(sql, token).to_ascii_lowercase());
                    let forbidden = if next == Some("(") && before.as_deref() != Some("as") {
                        FORBIDDEN_FUNCTIONS.contains(&word.as_str())
                            || FORBIDDEN.contains(&word.as_str())
                                && !ALSO_FUNCTIONS.contains(&word.as_str())
                    } else {
                        FORBIDDEN.contains(&word.as_str()) && before.as_deref() != Some(".")
                            || word == "share" && before.as_deref() == Some("for")
                    };
                    if forbidden {
                        let why = format!(
                            "`{}` has no place in a query that only reads; a column of that name \
                             stands in backticks",
                            word.to_ascii_uppercase()
                        );
                        return refuse(token.at.clone(), &why);
                    }
                }
                (Kind::Placeholder, name) => {
                    query
                        .sql
                        .push_str(sql.get(written..token.at.start).unwrap_or_default());
                    query.sql.push('?');
                    written = token.at.end;
                    query.names.push(name.trim_start_matches(':').to_owned());
                }
                _ => {}
            }
        }
        if !selects {
            return refuse(
                0..sql.len(),
                "a query is one SELECT statement, and nothing else",
            );
        }
        query.sql.push_str(sql.get(written..).unwrap_or_default());
        Ok(query)
    }
}

fn is_ended(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.find(|c| matches!(c, '\'' | '"' | '`'));
    first.is_some() && chars.next_back() == first
}

#[cfg(test)]
#[path = "sql_tests.rs"]
mod tests;
