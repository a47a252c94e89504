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
