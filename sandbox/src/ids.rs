//! Snowflakes: Discord's identifiers, which carry their own time of making.

use std::fmt;

use serde::{Serialize, Serializer};

/// Milliseconds between the Unix epoch and Discord's (2015-01-01T00:00:00Z).
/// Source: Discord's reference, "Snowflakes".
const DISCORD_EPOCH_MS: i64 = 1_420_070_400_000;
/// How far the time stands above worker, process and increment, in bits.
const TIME_SHIFT: u32 = 22;

/// A snowflake. In JSON it is a string, as Discord writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id(u64);

impl Id {
    /// An identifier that the sandbox fixes itself.
    pub(crate) const fn new(raw: u64) -> Self {
        Self(raw)
    }

    /// Reads a decimal snowflake; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        text.parse().ok().map(Self)
    }

    /// Reads a snowflake from JSON: a string, or the number that some clients send.
    pub(crate) fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::String(text) => Self::parse(text),
            serde_json::Value::Number(number) => number.as_u64().map(Self),
            _ => None,
        }
    }

    /// The bare number, for arithmetic on shards and colours of avatars.
    pub(crate) const fn raw(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Makes snowflakes that never repeat and never run backwards.
#[derive(Debug, Default)]
pub(crate) struct IdMaker {
    last: u64,
}

impl IdMaker {
    /// The next identifier at `now_ms` (Unix milliseconds).
    pub(crate) fn next(&mut self, now_ms: i64) -> Id {
        let since = u64::try_from(now_ms - DISCORD_EPOCH_MS).unwrap_or(0);
        self.last = (since << TIME_SHIFT).max(self.last + 1);
        Id(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_grow_even_within_one_millisecond() {
        let mut ids = IdMaker::default();
        let (first, second) = (ids.next(1_700_000_000_000), ids.next(1_700_000_000_000));
        assert!(first < second);
        assert!(
            ids.next(1_600_000_000_000) > second,
            "a clock that runs backwards must not repeat"
        );
    }

    #[test]
    fn only_decimal_digits_are_an_identifier() {
        assert_eq!(Id::parse("12"), Some(Id::new(12)));
        for bad in ["", "+12", "-1", "0x1", " 1", "99999999999999999999999"] {
            assert_eq!(Id::parse(bad), None, "{bad:?}");
        }
    }
}
