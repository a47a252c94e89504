use std::time::Duration;

use super::{Here, Pair, Trade, chosen, judged, sighting};
use crate::{
    app::{Clock, SystemClock},
    domain::diagnosis::Value,
};

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

#[test]
fn some_of_the_oldest_are_asked_about_too() {
    let all: Vec<String> = (100_000..100_020).map(|n| n.to_string()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let some = chosen(&all, 8);
    assert_eq!(some.len(), 8);
    assert_eq!(some[..6], all[..6]);
    assert_eq!(some[6..], all[18..]);
    assert_eq!(chosen(&all[..8], 8), all[..8]);
    assert_eq!(chosen(&all, 1), all[..1]);
    assert!(chosen(&["no number"], 8).is_empty());
}

#[test]
fn a_refund_that_the_shop_has_missed_is_told() {
    let pair = |order_no: &str, here| Pair {
        order_no: order_no.to_owned(),
        here,
        there: there("REFUND", 600),
        agreement: "refunded",
    };
    let pairs = [pair("M1", here(false, true)), pair("M2", here(true, false))];
    let facts = sighting(&pairs, 40).facts;
    assert_eq!(facts["refunded_paid_here"], Value::Int(1));
    assert_eq!(facts["refunded_paid_here_order"], Value::from("M2"));
    assert_eq!(facts["waiting"], Value::Int(40));
    assert_eq!(facts["compared"], Value::Int(2));
}
