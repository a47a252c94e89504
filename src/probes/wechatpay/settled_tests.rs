use std::time::Duration;

use super::{Here, Trade, judged};
use crate::app::{Clock, SystemClock};

const GRACE: Duration = Duration::from_secs(30);

#[expect(
    clippy::unnecessary_wraps,
    reason = "in the shape in which it is compared"
)]
fn here(paid: bool, closed: bool) -> Option<Here> {
    Some(Here {
        order_no: "M1".to_owned(),
        paid,
        closed,
        fen: Some(100),
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "in the shape in which it is compared"
)]
fn there(state: &'static str, seconds_ago: i64) -> Option<Trade> {
    let paid = matches!(state, "SUCCESS" | "REFUND");
    let at = jiff::Timestamp::from_second(SystemClock.now().as_second() - seconds_ago);
    Some(Trade {
        state: Some(state),
        paid_at: at.ok().filter(|_| paid),
        fen: Some(100),
        ..Trade::default()
    })
}

#[test]
fn both_sides_are_compared() {
    for (ours, theirs, agreement) in [
        (here(false, false), there("SUCCESS", 600), "paid-there-only"),
        (here(false, false), there("SUCCESS", 2), "just-paid"),
        (
            here(false, true),
            there("SUCCESS", 600),
            "paid-but-closed-here",
        ),
        (here(true, false), there("SUCCESS", 600), "both-paid"),
        (here(true, false), there("NOTPAY", 0), "paid-here-only"),
        (here(true, false), None, "paid-here-only"),
        (here(true, false), there("REFUND", 600), "refunded"),
        (here(false, false), there("NOTPAY", 0), "not-paid"),
        (here(false, false), None, "not-paid"),
        (here(false, true), there("CLOSED", 0), "not-paid"),
        (None, there("SUCCESS", 600), "unknown-here"),
        (None, there("NOTPAY", 0), "not-paid"),
        (None, None, "unknown"),
    ] {
        assert_eq!(judged(ours.as_ref(), theirs.as_ref(), GRACE), agreement);
    }
    let mut cheap = there("SUCCESS", 600);
    if let Some(trade) = &mut cheap {
        trade.fen = Some(1);
    }
    let ours = here(true, false);
    assert_eq!(
        judged(ours.as_ref(), cheap.as_ref(), GRACE),
        "amount-differs"
    );
}
