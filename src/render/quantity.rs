//! Facts with their units, for people.

use crate::domain::{diagnosis::Value, text::Lang};

/// A length of time in milliseconds, for people: `12 ms`, `1.4 s`, `3 min 20 s`.
#[must_use]
pub fn duration(ms: u64, lang: Lang) -> String {
    let (milli, second, minute, hour, day) = match lang {
        Lang::En => (" ms", " s", " min", " h", " d"),
        Lang::Zh => (" 毫秒", " 秒", " 分", " 小时", " 天"),
    };
    let two = |big: u64, big_unit: &str, small: u64, small_unit: &str| {
        if small == 0 {
            format!("{big}{big_unit}")
        } else {
            format!("{big}{big_unit} {small}{small_unit}")
        }
    };
    let s = ms / 1000;
    match s {
        0 => format!("{ms}{milli}"),
        1..=59 if ms.is_multiple_of(1000) => format!("{s}{second}"),
        1..=59 => format!("{s}.{}{second}", ms % 1000 / 100),
        60..=3599 => two(s / 60, minute, s % 60, second),
        3600..=86_399 => two(s / 3600, hour, s % 3600 / 60, minute),
        _ => two(s / 86_400, day, s % 86_400 / 3600, hour),
    }
}

/// Bytes in the binary units that Redis and Docker use.
fn bytes(count: i64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let size = count.unsigned_abs();
    if size < 1024 {
        return format!("{count} B");
    }
    let mut unit = 0;
    let mut scale = 1024_u64;
    while size / scale >= 1024 && unit + 1 < UNITS.len() {
        scale *= 1024;
        unit += 1;
    }
    let tenths = u128::from(size) * 10 / u128::from(scale);
    let sign = if count < 0 { "-" } else { "" };
    format!("{sign}{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// The value of the fact `name` with its unit, which is the last part of its name
/// (`used_memory_bytes`, `latency_ms`), for people.
#[must_use]
pub fn fact(name: &str, value: &Value, lang: Lang) -> String {
    let whole = |value: &Value| match value {
        Value::Int(number) => Some(*number),
        _ => None,
    };
    let unit = name
        .trim_end_matches("_ago")
        .rsplit('_')
        .next()
        .unwrap_or_default();
    match (unit, value) {
        (_, Value::None) => word(lang, "none", "无"),
        (_, Value::Bool(true)) => word(lang, "yes", "是"),
        (_, Value::Bool(false)) => word(lang, "no", "否"),
        ("bytes", Value::Int(number)) => bytes(*number),
        ("ms" | "seconds", _) => match whole(value).and_then(|n| u64::try_from(n).ok()) {
            Some(number) if unit == "ms" => duration(number, lang),
            Some(number) => duration(number.saturating_mul(1000), lang),
            None => format!("{} {}", plain(value), if unit == "ms" { "ms" } else { "s" }),
        },
        ("us", Value::Int(number)) => match u64::try_from(*number) {
            Ok(number) if number >= 1000 => duration(number / 1000, lang),
            _ => format!("{number} µs"),
        },
        ("percent", _) => format!("{} %", plain(value)),
        ("second", _) if name.ends_with("_per_second") => format!("{} /s", plain(value)),
        _ => plain(value),
    }
}

fn word(lang: Lang, en: &str, zh: &str) -> String {
    match lang {
        Lang::En => en.to_owned(),
        Lang::Zh => zh.to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Float(number) => {
            let text = format!("{number:.2}");
            text.strip_suffix(".00").unwrap_or(&text).to_owned()
        }
        Value::Text(text) if text.is_empty() => "\"\"".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_from_the_name() {
        let en = |name: &str, value: Value| fact(name, &value, Lang::En);
        assert_eq!(en("used_memory_bytes", Value::Int(67_108_864)), "64.0 MiB");
        assert_eq!(en("used_memory_bytes", Value::Int(512)), "512 B");
        assert_eq!(en("latency_ms", Value::Int(12)), "12 ms");
        assert_eq!(en("uptime_seconds", Value::Int(7260)), "2 h 1 min");
        assert_eq!(en("evicted_per_second", Value::Float(3.5)), "3.50 /s");
        assert_eq!(en("memory_percent", Value::Float(97.0)), "97 %");
        assert_eq!(
            en("maxmemory_policy", Value::from("noeviction")),
            "noeviction"
        );
        assert_eq!(fact("oom_killed", &Value::Bool(true), Lang::Zh), "是");
    }

    #[test]
    fn the_largest_numbers_are_said_too() {
        assert_eq!(bytes(i64::MAX), "8191.9 PiB");
        assert_eq!(duration(u64::MAX, Lang::En), "213503982334 d 14 h");
        assert_eq!(duration(59_999, Lang::En), "59.9 s");
    }
}
