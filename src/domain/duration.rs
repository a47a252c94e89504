//! Lengths of time as people write them in files: `500ms`, `5s`, `1m30s`, `2h`, `7d`.

use std::{fmt::Write, time::Duration};

/// Longest length of time that a file may name: a year.
pub const MAX: Duration = Duration::from_hours(365 * 24);

/// Units, from the longest to the shortest, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Why a text is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no length of time: write a whole number and a unit, as in 500ms, 5s, 1m30s, 2h or 7d"
)]
pub struct BadDuration(pub String);

/// Reads a length of time: whole numbers with the units `ms s m h d`, longest unit first.
///
/// # Errors
/// Anything else, and more than [`MAX`].
pub fn parse(text: &str) -> Result<Duration, BadDuration> {
    let bad = || BadDuration(text.to_owned());
    let mut rest = text;
    let mut total = 0u64;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits).ok_or_else(bad)?;
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at_checked(letters).ok_or_else(bad)?;
        let (_, unit_ms) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(bad)?;
        if *unit_ms >= last_unit {
            return Err(bad());
        }
        last_unit = *unit_ms;
        let number: u64 = number.parse().map_err(|_| bad())?;
        let part = number.checked_mul(*unit_ms).ok_or_else(bad)?;
        total = total.checked_add(part).ok_or_else(bad)?;
        rest = after;
    }
    let duration = Duration::from_millis(total);
    if text.is_empty() || duration > MAX {
        return Err(bad());
    }
    Ok(duration)
}

/// Writes a length of time so that [`parse`] reads it back, to the millisecond.
#[must_use]
pub fn write(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, unit_ms) in UNITS {
        if rest >= unit_ms {
            // Writing to a String can't fail.
            let _ = write!(text, "{}{unit}", rest / unit_ms);
            rest %= unit_ms;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_and_written_back() {
        for text in ["500ms", "5s", "1m30s", "2h", "7d", "1d2h3m4s5ms"] {
            assert_eq!(write(parse(text).unwrap()), text);
        }
        assert_eq!(parse("90s").unwrap(), Duration::from_secs(90));
        for bad in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "5s5m",
            "5sec",
            "5s5s",
            "400d",
            "１s",
            "99999999999999999999s",
        ] {
            assert!(parse(bad).is_err(), "{bad:?} passed");
        }
    }
}
