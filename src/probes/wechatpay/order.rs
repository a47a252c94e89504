//! `wechatpay.order`: what WeChat Pay knows of one order.

use std::{fmt::Write, time::Duration};

use jiff::Timestamp;
use serde_json::Value as Json;
use tokio::time::Instant;

use super::{
    Merchants,
    client::{Client, Reply},
    state::{self, SIGNATURES, STATES},
};
use crate::{
    app::{Clock, SystemClock},
    config::Wechatpay,
    domain::{
        diagnosis::{ArgSpec, ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit, Unseen},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::{Seen, plain},
        spec::{flag, float, int, seconds, text},
        web::{Trouble, millis},
    },
};

/// The states of a trade (<https://pay.weixin.qq.com/doc/v3/merchant/4012791900>), and one for
/// what the page does not know yet.
pub(super) const TRADES: &[&str] = &[
    "SUCCESS",
    "REFUND",
    "NOTPAY",
    "CLOSED",
    "REVOKED",
    "USERPAYING",
    "PAYERROR",
    "OTHER",
];

/// Shortest and longest number of an order, in characters.
const NUMBER_CHARS: std::ops::RangeInclusive<usize> = 6..=32;

/// How many characters of a payment's number are told at either end.
const TRANSACTION_SHOWN: usize = 4;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "wechatpay.order",
    summary: "what WeChat Pay knows of one order, asked with a signed request, the answer's signature verified",
    targets: &[TargetKind::Wechatpay],
    args: &[ArgSpec {
        name: "order_no",
        kind: ArgType::Text,
        default: None,
        range: None,
        meaning: "the merchant's own number of the order (out_trade_no)",
    }],
    facts: &[
        text(
            "state",
            "ok when WeChat Pay knows the order, not-found when it says that it does not; else the first thing in the way: of the connection, of the keys (private-key, public-key), of the request (clock, sign-error, wrong-merchant, limited, system-error, rejected) or of the answer's signature (signature-invalid, signature-missing, unknown-signer); not-wechat when something else answered",
        )
        .one_of(STATES),
        text("trade_state", "the state of the payment; none without one").one_of(TRADES).optional(),
        text("trade_state_words", "WeChat Pay's own words for it").optional(),
        flag("paid", "the money has been paid, be it refunded since").optional(),
        text("success_time", "when it was paid").optional(),
        seconds("success_seconds_ago", "how long ago that was").optional(),
        int("amount_fen", Unit::None, "the order's amount in the currency's hundredths").optional(),
        text("amount", "the same for a reader").optional(),
        text("transaction", "the payment's number at WeChat Pay, its middle left out").optional(),
        text("order", "the order that was asked for"),
        int("http_status", Unit::None, "the status of the answer").optional(),
        text("code", "WeChat Pay's error code").optional(),
        text("signature", "what is known about the answer's signature").one_of(SIGNATURES),
        text("signer", "the key or certificate that the answer names").optional(),
        seconds("clock_ahead_seconds", "by how much this machine's clock is ahead of WeChat Pay's").optional(),
        float("answer_ms", Unit::Milliseconds, "the time until the answer was there").optional(),
        text("address", "where it looked"),
        text("detail", "what was said about the state; empty when all is well"),
    ],
    per_key: None,
};

/// A trade, as far as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trade {
    pub(super) state: Option<&'static str>,
    pub(super) words: Option<String>,
    pub(super) paid_at: Option<Timestamp>,
    pub(super) paid_text: Option<String>,
    pub(super) fen: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) transaction: Option<String>,
}

impl Trade {
    fn of(body: &Json) -> Self {
        let text = |pointer: &str| {
            let found = body.pointer(pointer)?.as_str()?;
            Some(plain(found, 100))
        };
        let state = text("/trade_state").map(|word| {
            let known = TRADES.iter().find(|known| **known == word);
            known.copied().unwrap_or("OTHER")
        });
        let paid_text = text("/success_time");
        Self {
            state,
            words: text("/trade_state_desc"),
            paid_at: paid_text.as_deref().and_then(|text| text.parse().ok()),
            paid_text,
            fen: body.pointer("/amount/total").and_then(Json::as_i64),
            currency: text("/amount/currency"),
            transaction: text("/transaction_id").map(|number| masked(&number)),
        }
    }

    /// Whether money has come, be it gone again.
    pub(super) fn is_paid(&self) -> bool {
        matches!(self.state, Some("SUCCESS" | "REFUND"))
    }

    fn amount(&self) -> Option<String> {
        let fen = self.fen?;
        let currency = self.currency.as_deref().unwrap_or("CNY");
        Some(format!("{}.{:02} {currency}", fen / 100, fen.abs() % 100))
    }
}

/// The path and query of the question about `order_no`.
pub(super) fn target(merchant: &Wechatpay, order_no: &str) -> String {
    let mut path = "/v3/pay/transactions/out-trade-no/".to_owned();
    for byte in order_no.bytes() {
        // What is signed is what is sent, so nothing may be left for others to encode.
        if byte.is_ascii_alphanumeric() || b"_-.*".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    let _ = write!(path, "?mchid={}", merchant.merchant_id);
    path
}

/// Whether WeChat Pay would take this as an order's number.
pub(super) fn is_number(text: &str) -> bool {
    NUMBER_CHARS.contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte))
}

/// Looks at one order of `merchant`.
///
/// # Errors
/// The page gives no number of an order, or a file of the configuration can't be used.
pub(super) async fn look(
    merchants: &Merchants,
    merchant: &Wechatpay,
    args: &Args,
    patience: Duration,
) -> Result<Sighting, Blind> {
    let order_no = Given::new(&SPEC, args).text("order_no");
    if !is_number(order_no) {
        return Err(Blind::Unknown(Unseen::Broken {
            reference: format!(
                "wechatpay.order, {}: no number of an order",
                plain(order_no, 40)
            ),
        }));
    }
    let end = Instant::now() + patience;
    let keys = super::keys::Keys::read(merchant).map_err(|unfit| Blind::Unknown(unfit.unseen()))?;
    let client = merchants.client(merchant, &keys, patience).await?;
    let outcome = client.get(&target(merchant, order_no), end).await;
    Ok(sighting(&client, order_no, &outcome))
}

fn sighting(client: &Client<'_>, order_no: &str, outcome: &Result<Reply, Trouble>) -> Sighting {
    let state = state::of(outcome);
    let trade = trade(outcome);
    let now = SystemClock.now().as_second();
    let mut seen = Seen::new(&SPEC);
    let address = client.site.address();
    let shown = trade.state.unwrap_or(state);
    seen.line(format!("order {order_no} at {address}: {shown}"));
    if let Some(words) = &trade.words {
        seen.line(format!("WeChat Pay says: {words}"));
    }
    if let (Some(amount), Some(at)) = (trade.amount(), &trade.paid_text) {
        seen.line(format!("{amount}, paid at {at}"));
    }
    seen.fact("state", state)
        .fact("trade_state", trade.state)
        .fact("trade_state_words", trade.words.clone())
        .fact("paid", trade.state.map(|_| trade.is_paid()))
        .fact("success_time", trade.paid_text.clone())
        .fact(
            "success_seconds_ago",
            trade.paid_at.map(|at| (now - at.as_second()).max(0)),
        )
        .fact("amount_fen", trade.fen)
        .fact("amount", trade.amount())
        .fact("transaction", trade.transaction.clone())
        .fact("order", order_no);
    tell(&mut seen, client, outcome);
    seen.done()
}

/// The trade of an answer that can be believed; nothing of any other.
pub(super) fn trade(outcome: &Result<Reply, Trouble>) -> Trade {
    match outcome {
        Ok(reply) if state::of(outcome) == "ok" => Trade::of(&reply.body),
        _ => Trade::default(),
    }
}

/// What every answer is described by.
pub(super) fn tell(seen: &mut Seen, client: &Client<'_>, outcome: &Result<Reply, Trouble>) {
    let reply = outcome.as_ref().ok();
    let detail = state::detail(outcome);
    if !detail.is_empty() {
        seen.line(&detail);
    }
    if let Some(reply) = reply {
        seen.line(format!(
            "HTTP {} in {:.1} ms, signature {}",
            reply.status,
            millis(reply.took),
            reply.signed.word()
        ));
    }
    seen.fact("http_status", reply.map(|it| i64::from(it.status)))
        .fact("code", reply.and_then(|it| it.code.clone()))
        .fact(
            "signature",
            reply.map_or("not-checked", |it| it.signed.word()),
        )
        .fact("signer", reply.and_then(|it| it.signer.clone()))
        .fact("clock_ahead_seconds", reply.and_then(|it| it.ahead))
        .fact("answer_ms", reply.map(|it| millis(it.took)))
        .fact("address", client.site.address())
        .fact("detail", detail);
}

/// A number without its middle.
fn masked(number: &str) -> String {
    let chars: Vec<char> = number.chars().collect();
    if chars.len() <= 3 * TRANSACTION_SHOWN {
        return "…".to_owned();
    }
    let first: String = chars.iter().take(TRANSACTION_SHOWN).collect();
    let last: String = chars.iter().skip(chars.len() - TRANSACTION_SHOWN).collect();
    format!("{first}…{last}")
}
