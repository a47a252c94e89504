//! What was said between bot and Discord, kept for tests and for looking at, within bounds.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::clock::page_time;

/// Records that are kept of each kind.
const KEPT: usize = 4_096;
/// Bytes that are kept of each kind (64 MiB), measured as JSON text.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// A bounded list whose entries are numbered from 0.
#[derive(Debug, Default)]
struct Log {
    entries: VecDeque<(u64, usize, Value)>,
    next: u64,
    bytes: usize,
    dropped: u64,
}

impl Log {
    fn push(&mut self, mut entry: Value) {
        let number = self.next;
        self.next += 1;
        if let Some(body) = entry.as_object_mut() {
            body.insert("seq".into(), json!(number));
        }
        let size = rough_size(&entry);
        self.bytes += size;
        self.entries.push_back((number, size, entry));
        while self.entries.len() > KEPT || (self.bytes > KEPT_BYTES && self.entries.len() > 1) {
            if let Some((_, size, _)) = self.entries.pop_front() {
                self.bytes -= size;
                self.dropped += 1;
            }
        }
    }

    fn since(&self, since: u64, limit: usize) -> Vec<Value> {
        self.entries
            .iter()
            .filter(|(number, _, _)| *number >= since)
            .take(limit)
            .map(|(_, _, entry)| entry.clone())
            .collect()
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
        self.dropped = 0;
    }
}

/// The size of a value without writing it out.
fn rough_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(list) => list.iter().map(rough_size).sum::<usize>() + 2,
        Value::Object(map) => {
            map.iter()
                .map(|(key, inner)| key.len() + 4 + rough_size(inner))
                .sum::<usize>()
                + 2
        }
        _ => 5,
    }
}

/// Traffic over REST, and payloads of the gateway.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    traffic: Log,
    payloads: Log,
}

impl Recorder {
    /// Keeps a request with its answer.
    pub(crate) fn exchange(&mut self, record: Value) {
        self.traffic.push(record);
    }

    /// Keeps a payload. Tokens are struck out here, so that no caller can forget it.
    pub(crate) fn payload(
        &mut self,
        session: Option<&str>,
        direction: &str,
        payload: &Value,
        at_ms: i64,
    ) {
        let mut payload = payload.clone();
        if let Some(token) = payload
            .pointer_mut("/d/token")
            .filter(|_| direction == "in")
        {
            *token = json!("…");
        }
        self.payloads.push(json!({"seq": 0, "at": page_time(at_ms), "session": session, "direction": direction, "payload": payload}));
    }

    /// Records of traffic from a number on.
    pub(crate) fn traffic_json(&self, since: u64, limit: usize) -> Value {
        json!({"records": self.traffic.since(since, limit), "next": self.traffic.next, "dropped": self.traffic.dropped})
    }

    /// All kept records of traffic.
    pub(crate) fn traffic(&self) -> Vec<Value> {
        self.traffic.since(0, usize::MAX)
    }

    /// Payloads from a number on: the list, the next number, how many were dropped.
    pub(crate) fn payloads(&self, since: u64, limit: usize) -> (Vec<Value>, u64, u64) {
        (
            self.payloads.since(since, limit),
            self.payloads.next,
            self.payloads.dropped,
        )
    }

    /// Forgets traffic.
    pub(crate) fn clear_traffic(&mut self) {
        self.traffic.clear();
    }

    /// Forgets payloads.
    pub(crate) fn clear_payloads(&mut self) {
        self.payloads.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_numbered_through() {
        let mut recorder = Recorder::default();
        for _ in 0..KEPT + 3 {
            recorder.exchange(json!({"seq": 0}));
        }
        let all = recorder.traffic_json(0, 10);
        assert_eq!(all["dropped"], 3);
        assert_eq!(all["records"][0]["seq"], 3);
        assert_eq!(all["next"], json!(KEPT + 3));
    }

    #[test]
    fn the_token_of_an_identify_is_struck_out() {
        let mut recorder = Recorder::default();
        recorder.payload(None, "in", &json!({"op": 2, "d": {"token": "secret"}}), 0);
        assert!(!format!("{:?}", recorder.payloads(0, 1)).contains("secret"));
    }
}
