//! The little of a JavaScript file that must be understood: keys with plain values, comments left
//! out, and in which blocks they stand.

/// A key with its plain value, and the names of the blocks around it, the outermost first; those of
/// an assignment to a member (`config.release.KEY = …`) are the names before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) value: Plain,
    pub(super) blocks: Vec<String>,
}

/// A plain value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Text(String),
    Number(i64),
    Truth(bool),
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

/// The settings of `script`, in their order.
pub(super) fn settings(script: &str) -> Vec<Setting> {
    let tokens = tokens(script);
    let mut found = Vec::new();
    let mut blocks: Vec<String> = Vec::new();
    for (n, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('{') => blocks.push(label(&tokens, n)),
            Token::Sign('}') => {
                blocks.pop();
            }
            Token::Word(key) | Token::Text(key) => {
                let assigned = matches!(tokens.get(n + 1), Some(Token::Sign(':' | '=')));
                if let (true, Some(value)) = (assigned, tokens.get(n + 2).and_then(plain)) {
                    found.push(Setting {
                        key: key.clone(),
                        value,
                        blocks: [blocks.clone(), owners(&tokens, n)].concat(),
                    });
                }
            }
            Token::Sign(_) => {}
        }
    }
    found
}

/// The name in front of a block: `release: {`, `const config = {`; empty where there is none.
fn label(tokens: &[Token], at: usize) -> String {
    let before = |back: usize| at.checked_sub(back).and_then(|n| tokens.get(n));
    match (before(1), before(2)) {
        (Some(Token::Sign(':' | '=')), Some(Token::Word(name) | Token::Text(name))) => name.clone(),
        _ => String::new(),
    }
}

/// The names before a member: `config` and `release` of `config.release.KEY`.
fn owners(tokens: &[Token], at: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut n = at;
    while n >= 2
        && let (Some(Token::Word(name)), Some(Token::Sign('.'))) =
            (tokens.get(n - 2), tokens.get(n - 1))
    {
        names.insert(0, name.clone());
        n -= 2;
    }
    names
}

fn plain(token: &Token) -> Option<Plain> {
    match token {
        Token::Text(text) => Some(Plain::Text(text.clone())),
        Token::Word(word) => match word.as_str() {
            "true" => Some(Plain::Truth(true)),
            "false" => Some(Plain::Truth(false)),
            word => word.replace('_', "").parse().ok().map(Plain::Number),
        },
        Token::Sign(_) => None,
    }
}

fn tokens(script: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.next_if_eq(&'/').is_some() => {
                while chars.next_if(|c| *c != '\n').is_some() {}
            }
            '/' if chars.next_if_eq(&'*').is_some() => {
                let mut last = ' ';
                for c in chars.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            '\'' | '"' | '`' => tokens.push(Token::Text(quoted(&mut chars, c))),
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| is_word(*c)) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
            c if c.is_whitespace() => {}
            c => tokens.push(Token::Sign(c)),
        }
    }
    tokens
}

fn quoted(chars: &mut impl Iterator<Item = char>, end: char) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        if c == end {
            break;
        }
        if c == '\\' {
            text.extend(chars.next());
        } else {
            text.push(c);
        }
    }
    text
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
