//! Answers of Redis as plain values.

use redis::Value;

/// The text of an answer, bytes that are no text replaced.
pub(super) fn text_of(answer: Value) -> Option<String> {
    match answer {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        Value::Okay => Some("OK".to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Double(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The whole number of an answer.
pub(super) fn int_of(answer: &Value) -> Option<i64> {
    match answer {
        Value::Int(number) => Some(*number),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        Value::SimpleString(text) => text.parse().ok(),
        _ => None,
    }
}

/// The parts of an answer of several; nothing for one that is none.
pub(super) fn list_of(answer: Value) -> Vec<Value> {
    match answer {
        Value::Array(parts) | Value::Set(parts) => parts,
        Value::Map(pairs) => pairs.into_iter().flat_map(|(k, v)| [k, v]).collect(),
        _ => Vec::new(),
    }
}

/// The server's own time (`TIME`: seconds and microseconds), in seconds.
pub(super) fn seconds_of_time(answer: Value) -> Option<i64> {
    list_of(answer).first().and_then(int_of)
}

/// Bytes for a reader: `1.5 MB`.
pub(super) fn bytes_shown(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{amount:.1} {}", UNITS[unit])
    }
}

/// `part` of `whole` in percent; none of nothing.
pub(super) fn percent(part: i64, whole: i64) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a percentage needs no more than 53 bits"
    )]
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}
