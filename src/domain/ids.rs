//! Names that have passed their grammar once and need not be checked again.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest id, in characters: Discord's limit for a command or option name,
/// which a runbook's id becomes.
pub const MAX_ID_CHARS: usize = 32;

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Nothing at all.
    #[error("is empty")]
    Empty,
    /// Longer than its limit.
    #[error("has {0} characters; at most {1} are allowed")]
    TooLong(usize, usize),
    /// A character outside the grammar.
    #[error("{0:?} is not kebab-case: lower-case letters and digits, joined by single hyphens")]
    NotKebab(String),
    /// A cause without its page.
    #[error("{0:?} is not of the form page.cause, as in redis.memory-exhausted")]
    NotCause(String),
    /// A part of a page without its page.
    #[error("{0:?} is not of the form page/check, as in redis/ping")]
    NotPart(String),
}

fn kebab(text: &str) -> bool {
    !text.is_empty()
        && text.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let check: fn(&str) -> Result<(), BadId> = $check;
                check(text).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn plain(text: &str) -> Result<(), BadId> {
    let length = text.chars().count();
    if text.is_empty() {
        Err(BadId::Empty)
    } else if length > MAX_ID_CHARS {
        Err(BadId::TooLong(length, MAX_ID_CHARS))
    } else if kebab(text) {
        Ok(())
    } else {
        Err(BadId::NotKebab(text.to_owned()))
    }
}

/// Longest cause, in characters: a page's id, a dot, and a name of twice that.
pub const MAX_CAUSE_CHARS: usize = 96;

fn cause(text: &str) -> Result<(), BadId> {
    let length = text.chars().count();
    if text.is_empty() {
        return Err(BadId::Empty);
    }
    if length > MAX_CAUSE_CHARS {
        return Err(BadId::TooLong(length, MAX_CAUSE_CHARS));
    }
    match text.split_once('.') {
        Some((page, name)) if kebab(page) && kebab(name) => Ok(()),
        _ => Err(BadId::NotCause(text.to_owned())),
    }
}

id!(
    /// A page of the handbook: `redis`.
    RunbookId,
    plain
);
id!(
    /// A check of a page: `memory`.
    CheckId,
    plain
);
id!(
    /// A remedy of a page: `purge-cache`.
    RemedyId,
    plain
);
id!(
    /// A target named in the configuration: `cache`.
    TargetId,
    plain
);
id!(
    /// A person or a rotation named in `oncall.toml`: `alice`, `primary`.
    PersonId,
    plain
);
id!(
    /// A cause, page and name: `redis.memory-exhausted`.
    CauseId,
    cause
);

macro_rules! part {
    ($(#[$doc:meta])* $name:ident, $id:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// The page.
            pub page: RunbookId,
            /// The id, unique on that page.
            pub id: $id,
        }

        impl $name {
            /// As it is called in a report of `home`: the page is named where it is another.
            #[must_use]
            pub fn seen_from(&self, home: &str) -> String {
                if self.page.as_str() == home {
                    self.id.to_string()
                } else {
                    self.to_string()
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}/{}", self.page, self.id)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let (page, id) = text
                    .split_once('/')
                    .ok_or_else(|| BadId::NotPart(text.to_owned()))?;
                Ok(Self {
                    page: page.parse()?,
                    id: id.parse()?,
                })
            }
        }
    };
}

part!(
    /// A check of some page: `redis/ping`.
    CheckRef,
    CheckId
);
part!(
    /// A remedy of some page: `redis/restart-redis`.
    RemedyRef,
    RemedyId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kebab_case_and_bounded() {
        assert!("slow-api".parse::<RunbookId>().is_ok());
        for bad in [
            "",
            "Slow",
            "a--b",
            "-a",
            "a-",
            "a_b",
            "a.b",
            "réd",
            &"a".repeat(33),
        ] {
            assert!(bad.parse::<RunbookId>().is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn a_cause_has_a_page_and_a_name() {
        assert!("redis.memory-exhausted".parse::<CauseId>().is_ok());
        for bad in ["", "redis", "redis.", ".x", "redis.a.b", "Redis.x"] {
            assert!(bad.parse::<CauseId>().is_err(), "{bad:?} passed");
        }
    }
}
