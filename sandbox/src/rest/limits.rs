//! Rate limits: buckets per route and major parameter, the global limit, and the ban for too many invalid requests.
//!
//! Source: Discord's reference, "Rate Limits". Discord publishes no numbers for its routes; those here are the sandbox's own, of the size
//! that bots see in practice, so that a client has to read the headers as it must on Discord.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};

/// Requests a second over all routes that are not about interactions.
const GLOBAL_A_SECOND: usize = 50;
/// A second in milliseconds.
const SECOND_MS: i64 = 1_000;
/// Invalid requests (401, 403, 429) before a ban, and the time in which they count.
const INVALID_MAX: usize = 10_000;
/// Ten minutes in milliseconds.
const INVALID_WINDOW_MS: i64 = 10 * 60 * 1_000;
/// Buckets that are kept before the finished ones are cleared.
const BUCKETS_MAX: usize = 2_048;

#[derive(Clone, Copy, Debug)]
struct Window {
    ends_ms: i64,
    used: u32,
}

/// All counters.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    buckets: HashMap<String, Window>,
    global: VecDeque<i64>,
    invalid: VecDeque<i64>,
}

/// What the headers say.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_ms: i64,
    pub(crate) reset_after_ms: i64,
    pub(crate) bucket: String,
}

/// Why a request is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limited {
    /// The route's own limit.
    Route,
    /// The limit over all routes.
    Global { retry_ms: i64 },
    /// Too many invalid requests: banned at the edge.
    Banned { retry_ms: i64 },
}

/// How many requests in how many milliseconds a route takes; `None` is unlimited.
fn quota(method: &str, route: &str) -> Option<(u32, i64)> {
    if route.starts_with("/interactions/") || route == "/gateway" {
        return None;
    }
    Some(match (method, route) {
        (
            "POST" | "PATCH",
            "/channels/{channel_id}/messages" | "/channels/{channel_id}/messages/{message_id}",
        ) => (5, 5_000),
        (_, route) if route.starts_with("/webhooks/") => (5, 2_000),
        ("POST", route) if route.ends_with("/threads") => (10, 10_000),
        (_, route) if route.contains("/reactions/") => (1, 250),
        ("PUT" | "POST" | "PATCH" | "DELETE", route) if route.starts_with("/applications/") => {
            (5, 5_000)
        }
        ("PATCH" | "DELETE", "/channels/{channel_id}") => (5, 10_000),
        _ => (20, 1_000),
    })
}

/// Whether the global limit leaves a route out. Source: "Interaction endpoints are not bound to the bot's Global Rate Limit."
fn beyond_global(route: &str) -> bool {
    route.starts_with("/interactions/") || route.starts_with("/webhooks/")
}

impl RateLimits {
    /// Counts a request. Gives the standing of its bucket, and whether the request is turned away.
    pub(crate) fn count(
        &mut self,
        method: &str,
        route: &str,
        major: &str,
        now_ms: i64,
    ) -> (Option<Standing>, Option<Limited>) {
        if let Some(retry_ms) = self.banned(now_ms) {
            return (None, Some(Limited::Banned { retry_ms }));
        }
        if !beyond_global(route)
            && let Some(retry_ms) = self.over_global(now_ms)
        {
            return (None, Some(Limited::Global { retry_ms }));
        }
        let Some((limit, window_ms)) = quota(method, route) else {
            return (None, None);
        };
        if self.buckets.len() > BUCKETS_MAX {
            self.buckets.retain(|_, window| window.ends_ms > now_ms);
        }
        let window = self
            .buckets
            .entry(format!("{method} {route} {major}"))
            .or_insert(Window {
                ends_ms: now_ms + window_ms,
                used: 0,
            });
        if window.ends_ms <= now_ms {
            *window = Window {
                ends_ms: now_ms + window_ms,
                used: 0,
            };
        }
        let limited = window.used >= limit;
        if !limited {
            window.used += 1;
        }
        let standing = Standing {
            limit,
            remaining: limit - window.used,
            reset_ms: window.ends_ms,
            reset_after_ms: window.ends_ms - now_ms,
            bucket: bucket_name(method, route),
        };
        (Some(standing), limited.then_some(Limited::Route))
    }

    fn over_global(&mut self, now_ms: i64) -> Option<i64> {
        while self
            .global
            .front()
            .is_some_and(|at| now_ms - at >= SECOND_MS)
        {
            self.global.pop_front();
        }
        if self.global.len() >= GLOBAL_A_SECOND {
            return self.global.front().map(|first| first + SECOND_MS - now_ms);
        }
        self.global.push_back(now_ms);
        None
    }

    fn banned(&mut self, now_ms: i64) -> Option<i64> {
        while self
            .invalid
            .front()
            .is_some_and(|at| now_ms - at >= INVALID_WINDOW_MS)
        {
            self.invalid.pop_front();
        }
        (self.invalid.len() >= INVALID_MAX).then(|| {
            self.invalid
                .front()
                .map_or(0, |first| first + INVALID_WINDOW_MS - now_ms)
        })
    }

    /// Notes an answer that counts as invalid.
    pub(crate) fn invalid(&mut self, now_ms: i64) {
        if self.invalid.len() < INVALID_MAX {
            self.invalid.push_back(now_ms);
        }
    }
}

/// An opaque name for a bucket, as the header carries it (FNV-1a over method and route).
fn bucket_name(method: &str, route: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in method.bytes().chain(route.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// The body of a 429.
pub(crate) fn body(retry_after_ms: i64, global: bool) -> Value {
    json!({"message": "You are being rate limited.", "code": 0, "retry_after": seconds(retry_after_ms), "global": global})
}

/// Milliseconds as seconds with a fraction.
pub(crate) fn seconds(ms: i64) -> f64 {
    f64::from(i32::try_from(ms).unwrap_or(i32::MAX)) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: &str = "/channels/{channel_id}/messages";

    #[test]
    fn a_bucket_is_per_channel_and_opens_again() {
        let mut limits = RateLimits::default();
        for left in (0..5).rev() {
            let (standing, limited) = limits.count("POST", ROUTE, "1", 0);
            assert_eq!(
                (standing.map(|one| one.remaining), limited),
                (Some(left), None)
            );
        }
        assert_eq!(
            limits.count("POST", ROUTE, "1", 4_999).1,
            Some(Limited::Route)
        );
        assert_eq!(
            limits.count("POST", ROUTE, "2", 4_999).1,
            None,
            "another channel"
        );
        assert_eq!(
            limits.count("POST", ROUTE, "1", 5_000).1,
            None,
            "the window is over"
        );
    }

    #[test]
    fn the_51st_request_of_a_second_waits_but_callbacks_do_not() {
        let mut limits = RateLimits::default();
        for channel in 0..GLOBAL_A_SECOND {
            assert_eq!(limits.count("POST", ROUTE, &channel.to_string(), 0).1, None);
        }
        assert_eq!(
            limits.count("POST", ROUTE, "x", 400).1,
            Some(Limited::Global { retry_ms: 600 })
        );
        assert_eq!(
            limits
                .count(
                    "POST",
                    "/interactions/{interaction_id}/{interaction_token}/callback",
                    "",
                    400
                )
                .1,
            None
        );
    }

    #[test]
    fn ten_thousand_invalid_requests_are_a_ban() {
        let mut limits = RateLimits::default();
        for _ in 0..INVALID_MAX {
            limits.invalid(0);
        }
        assert!(matches!(
            limits.count("GET", "/users/@me", "", 1).1,
            Some(Limited::Banned { .. })
        ));
        assert_eq!(
            limits.count("GET", "/users/@me", "", INVALID_WINDOW_MS).1,
            None
        );
    }
}
