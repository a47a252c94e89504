//! When a line of a log was written, in the forms that logs have.
//!
//! Known are RFC 3339 and what comes near to it (`2026-11-22 20:15:00,123`), nginx
//! (`2026/11/22 20:15:00`), the common log format (`22/Nov/2026:20:15:00 +0000`), RFC 3164
//! (`Nov 22 20:15:00`, at the beginning alone) and the seconds since 1970 of a JSON log
//! (`"ts":1763842500.1`). A form without a zone is in the zone of who wrote it: see [`Zone`].

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};

/// How far into a line a time is looked for, in bytes.
const FAR: usize = 160;

/// The keys under which JSON logs tell the seconds since 1970.
const EPOCH_KEYS: [&str; 4] = ["\"ts\":", "\"time\":", "\"timestamp\":", "\"@timestamp\":"];

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A zone is a multiple of this many seconds away from UTC (the IANA time zone database, today).
const QUARTER_S: i64 = 900;

/// The zones that are farthest from UTC, in seconds: UTC-12 and UTC+14.
const FARTHEST_S: (i64, i64) = (-12 * 3_600, 14 * 3_600);

/// How far the last line's time may be from the file's own, in seconds, for the difference to be
/// taken for a zone.
const SLACK_S: i64 = 120;

/// What a line says of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// With a zone.
    At(Timestamp),
    /// Without one.
    Local(DateTime),
}

/// How far the writer's clock is from UTC, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Zone(i64);

impl Zone {
    /// The zone in which `last`, the time of a file's last line, is the time at which the file
    /// was last `modified`; UTC when that gives none.
    pub(super) fn guess(last: When, modified: Option<Timestamp>) -> Self {
        let (When::Local(last), Some(modified)) = (last, modified) else {
            return Self::default();
        };
        let Some(as_utc) = Self::default().of(last) else {
            return Self::default();
        };
        let away = as_utc.as_second() - modified.as_second();
        let zone = (away + QUARTER_S / 2).div_euclid(QUARTER_S) * QUARTER_S;
        let fits = (away - zone).abs() <= SLACK_S && (FARTHEST_S.0..=FARTHEST_S.1).contains(&zone);
        Self(if fits { zone } else { 0 })
    }

    /// When that was.
    pub(super) fn resolve(self, when: When) -> Option<Timestamp> {
        match when {
            When::At(at) => Some(at),
            When::Local(local) => self.of(local),
        }
    }

    fn of(self, local: DateTime) -> Option<Timestamp> {
        let offset = Offset::from_seconds(i32::try_from(self.0).ok()?).ok()?;
        Some(local.to_zoned(TimeZone::fixed(offset)).ok()?.timestamp())
    }
}

/// The time in `line`, the first that is found; `year` is that of forms without one.
pub(super) fn find(line: &str, now: Timestamp) -> Option<When> {
    let bytes = line.as_bytes();
    if let Some(when) = syslog(bytes, now) {
        return Some(When::Local(when));
    }
    let far = bytes.len().min(FAR);
    for at in 0..far {
        let digit = bytes.get(at).is_some_and(u8::is_ascii_digit);
        let inside = at > 0 && bytes.get(at - 1).is_some_and(u8::is_ascii_digit);
        if !digit || inside {
            continue;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        if let Some(when) = dashed(rest).or_else(|| common(rest)) {
            return Some(when);
        }
    }
    epoch(line)
}

/// The digits `from..to` as a number.
fn number(bytes: &[u8], from: usize, to: usize) -> Option<i64> {
    let digits = bytes.get(from..to)?;
    digits
        .iter()
        .try_fold(0_i64, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + i64::from(byte - b'0'))
        })
        .filter(|_| !digits.is_empty())
}

fn small(bytes: &[u8], from: usize, to: usize) -> Option<i8> {
    i8::try_from(number(bytes, from, to)?).ok()
}

/// `hh:mm:ss` at `at`.
fn clock(bytes: &[u8], at: usize, nanos: i32) -> Option<Time> {
    let colons = bytes.get(at + 2) == Some(&b':') && bytes.get(at + 5) == Some(&b':');
    if !colons {
        return None;
    }
    // A leap second is the one before.
    let second = small(bytes, at + 6, at + 8)?.min(59);
    Time::new(
        small(bytes, at, at + 2)?,
        small(bytes, at + 3, at + 5)?,
        second,
        nanos,
    )
    .ok()
}

/// `2026-11-22T20:15:00.123Z` and its like.
fn dashed(bytes: &[u8]) -> Option<When> {
    let mark = *bytes.get(4)?;
    let fits = matches!(mark, b'-' | b'/')
        && bytes.get(7) == Some(&mark)
        && matches!(bytes.get(10), Some(b'T' | b't' | b' '));
    if !fits {
        return None;
    }
    let year = i16::try_from(number(bytes, 0, 4)?).ok()?;
    let date = Date::new(year, small(bytes, 5, 7)?, small(bytes, 8, 10)?).ok()?;
    let mut at = 19;
    let mut nanos = 0;
    if matches!(bytes.get(at), Some(b'.' | b','))
        && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    {
        let digits: Vec<u8> = bytes
            .iter()
            .skip(at + 1)
            .take_while(|byte| byte.is_ascii_digit())
            .copied()
            .collect();
        at += 1 + digits.len();
        for place in 0..9 {
            nanos = nanos * 10 + digits.get(place).map_or(0, |byte| i32::from(byte - b'0'));
        }
    }
    let local = date.to_datetime(clock(bytes, 11, nanos)?);
    Some(zoned(local, bytes.get(at..).unwrap_or_default()))
}

/// `22/Nov/2026:20:15:00 +0000`.
fn common(bytes: &[u8]) -> Option<When> {
    let fits =
        bytes.get(2) == Some(&b'/') && bytes.get(6) == Some(&b'/') && bytes.get(11) == Some(&b':');
    if !fits {
        return None;
    }
    let year = i16::try_from(number(bytes, 7, 11)?).ok()?;
    let date = Date::new(year, month(bytes.get(3..6)?)?, small(bytes, 0, 2)?).ok()?;
    let local = date.to_datetime(clock(bytes, 12, 0)?);
    Some(zoned(local, bytes.get(20..).unwrap_or_default()))
}

/// `Nov 22 20:15:00`, without a year: the last one that is not in the future.
fn syslog(bytes: &[u8], now: Timestamp) -> Option<DateTime> {
    let month = month(bytes.get(..3)?)?;
    let day = match (bytes.get(4)?, bytes.get(5)?) {
        (b' ', one @ b'1'..=b'9') => i8::try_from(one - b'0').ok()?,
        _ => small(bytes, 4, 6)?,
    };
    let time = clock(bytes, 7, 0)?;
    let today = Offset::UTC.to_datetime(now);
    let this = Date::new(today.year(), month, day).ok();
    let this = this.map(|date| date.to_datetime(time));
    // A day of grace for writers east of here.
    match this {
        Some(this) if this.date() <= today.date().tomorrow().ok()? => Some(this),
        _ => Some(
            Date::new(today.year() - 1, month, day)
                .ok()?
                .to_datetime(time),
        ),
    }
}

fn month(name: &[u8]) -> Option<i8> {
    let at = MONTHS.iter().position(|month| month.as_bytes() == name)?;
    i8::try_from(at + 1).ok()
}

/// `local` with the zone that `rest` begins with, if it does.
fn zoned(local: DateTime, rest: &[u8]) -> When {
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let away = match rest.first() {
        Some(b'Z' | b'z') => Some(0),
        _ if rest.starts_with(b"UTC") || rest.starts_with(b"GMT") => Some(0),
        Some(sign @ (b'+' | b'-')) => {
            let colon = usize::from(rest.get(3) == Some(&b':'));
            let hours = number(rest, 1, 3);
            let minutes = number(rest, 3 + colon, 5 + colon);
            hours.zip(minutes).map(|(hours, minutes)| {
                let away = hours * 3_600 + minutes * 60;
                if *sign == b'-' { -away } else { away }
            })
        }
        _ => None,
    };
    away.and_then(|away| Zone(away).of(local))
        .map_or(When::Local(local), When::At)
}

/// The seconds, or milliseconds, since 1970 under a key of a JSON log.
fn epoch(line: &str) -> Option<When> {
    let after = EPOCH_KEYS.iter().find_map(|key| {
        let (before, after) = line.split_once(key)?;
        (before.len() < FAR).then_some(after)
    })?;
    let digits: String = after
        .trim_start_matches([' ', '"'])
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let number: i64 = digits.parse().ok()?;
    let at = match digits.len() {
        10 => Timestamp::from_second(number),
        13 => Timestamp::from_millisecond(number),
        _ => return None,
    };
    at.ok().map(When::At)
}

#[cfg(test)]
#[path = "stamp_tests.rs"]
mod tests;
