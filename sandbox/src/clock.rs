//! The sandbox's clock: the machine's time plus what tests have jumped ahead.

use jiff::Timestamp;

/// A clock that can be moved forward.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead_ms: i64,
}

impl Clock {
    /// Unix milliseconds now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the sandbox reads the machine's time"
    )]
    pub(crate) fn now_ms(&self) -> i64 {
        Timestamp::now()
            .as_millisecond()
            .saturating_add(self.ahead_ms)
    }

    /// Jumps forward; a clock never goes back.
    pub(crate) fn advance(&mut self, by_ms: u64) {
        self.ahead_ms = self
            .ahead_ms
            .saturating_add(i64::try_from(by_ms).unwrap_or(i64::MAX));
    }

    /// Back to the machine's time.
    pub(crate) fn reset(&mut self) {
        self.ahead_ms = 0;
    }
}

/// Discord's way of writing a time: microseconds and a numeric offset.
pub(crate) fn discord_time(ms: i64) -> String {
    write_time(ms, "%Y-%m-%dT%H:%M:%S%.6f+00:00")
}

/// The way of the page's interface: milliseconds and `Z`.
pub(crate) fn page_time(ms: i64) -> String {
    write_time(ms, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

fn write_time(ms: i64, pattern: &str) -> String {
    Timestamp::from_millisecond(ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime(pattern)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_discord_and_the_page_expect_them() {
        assert_eq!(
            discord_time(1_700_000_000_123),
            "2023-11-14T22:13:20.123000+00:00"
        );
        assert_eq!(page_time(1_700_000_000_000), "2023-11-14T22:13:20.000Z");
    }
}
