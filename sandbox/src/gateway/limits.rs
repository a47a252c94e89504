//! What a client may send. Source: Discord's reference, "Gateway", rate limiting and sending events.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Payloads that a client may send in a window.
pub(crate) const SENDS: usize = 120;
/// The window.
pub(crate) const WINDOW: Duration = Duration::from_mins(1);
/// Bytes of a payload from the client.
pub(crate) const PAYLOAD_MAX_BYTES: usize = 4_096;

/// The sends of one connection within the window.
#[derive(Debug, Default)]
pub(crate) struct Sends {
    at: VecDeque<Instant>,
}

impl Sends {
    /// Counts one; `false` when it is one too many.
    pub(crate) fn count(&mut self, now: Instant) -> bool {
        while self
            .at
            .front()
            .is_some_and(|first| now.duration_since(*first) >= WINDOW)
        {
            self.at.pop_front();
        }
        self.at.push_back(now);
        self.at.len() <= SENDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_121st_within_a_minute_is_one_too_many() {
        let (mut sends, start) = (Sends::default(), Instant::now());
        assert!((0..SENDS).all(|_| sends.count(start)));
        assert!(!sends.count(start + Duration::from_secs(59)));
        let mut later = Sends::default();
        assert!((0..SENDS).all(|_| later.count(start)));
        assert!(later.count(start + WINDOW));
    }
}
