//! `wechatpay.ready`: would WeChat Pay answer this merchant now, and could the answer be believed?
//!
//! It asks for an order that there is not: whoever is told so has the right keys on both sides.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Merchants,
    client::Client,
    keys::{Keys, Unfit, same_serial},
    order::{target, tell},
    state::{self, SIGNATURES, STATES},
};
use crate::{
    app::{Clock, SystemClock},
    config::{Wechatpay, WechatpayTrust},
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        seen::Seen,
        spec::{count, flag, float, int, seconds, text},
        web::moment,
    },
};

/// A number that no shop gives to an order.
const NO_ORDER: &str = "handbell-readiness-check";

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "wechatpay.ready",
    summary: "whether the keys fit and WeChat Pay answers: it asks for an order that there is not",
    targets: &[TargetKind::Wechatpay],
    args: &[],
    facts: &[
        text("state", "ok when the merchant's signature was accepted and the answer's verified; else the first thing in the way, as for wechatpay.order")
            .one_of(STATES),
        text("mode", "how answers are verified").one_of(&["public-key", "certificate"]).setting(),
        flag("keys_readable", "both key files hold what they should"),
        int("key_bits", Unit::Count, "the size of the merchant's key").optional(),
        flag("serial_matches", "the certificate's own number is the configured one; none in public-key mode, or when none is configured").optional(),
        int("certificate_days_left", Unit::Count, "whole days until the configured platform certificate ends; none in public-key mode").optional(),
        text("certificate_ends", "when that is, UTC").setting().optional(),
        count("listed", "platform certificates that WeChat Pay lists; 0 when they were not asked for (no API v3 key, or public-key mode)"),
        flag("listed_is_configured", "the configured certificate is among them; none when none were listed").optional(),
        text("listing", "why they could not be listed; none when they were, or were not asked for").optional(),
        int("http_status", Unit::None, "the status of the answer").optional(),
        text("code", "WeChat Pay's error code; ORDER_NOT_EXIST when all is well").optional(),
        text("signature", "what is known about the answer's signature").one_of(SIGNATURES),
        text("signer", "the key or certificate that the answer names").setting().optional(),
        seconds("clock_ahead_seconds", "by how much this machine's clock is ahead of WeChat Pay's").optional(),
        float("answer_ms", Unit::Milliseconds, "the time until the answer was there").optional(),
        text("address", "where it looked"),
        text("detail", "what was said about the state; empty when all is well"),
    ],
    per_key: None,
};

/// Looks at the readiness of `merchant`.
///
/// # Errors
/// A file of the configuration's TLS can't be used.
pub(super) async fn look(
    merchants: &Merchants,
    merchant: &Wechatpay,
    patience: Duration,
) -> Result<Sighting, Blind> {
    let end = Instant::now() + patience;
    let keys = match Keys::read(merchant) {
        Ok(keys) => keys,
        Err(unfit) => return Ok(without_keys(merchant, &unfit)),
    };
    let client = merchants.client(merchant, &keys, patience).await?;
    let path = target(merchant, NO_ORDER);
    let (outcome, listed) = tokio::join!(client.get(&path, end), listed(&client, end));
    let mut state = state::of(&outcome);
    // The order that there is not was not found: as it should be.
    let well = matches!(state, "ok" | "not-found");
    if well {
        state = "ok";
    }
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} as merchant {}: {state}",
        client.site.address(),
        merchant.merchant_id
    ));
    tell(&mut seen, &client, &outcome);
    if well {
        seen.fact("detail", "");
    }
    seen.fact("state", state)
        .fact("mode", mode(merchant))
        .fact("keys_readable", true)
        .fact("key_bits", i64::from(keys.bits()));
    certificates(&mut seen, merchant, &keys, listed.as_ref());
    Ok(seen.done())
}

/// The serial numbers of the listed certificates; none when there is no reason to ask.
async fn listed(client: &Client<'_>, end: Instant) -> Option<Result<Vec<String>, String>> {
    let by_certificate = matches!(client.merchant.trust, WechatpayTrust::Certificate { .. });
    if !by_certificate || client.merchant.api_v3_key.is_none() {
        return None;
    }
    let listed = client.certificates(end).await;
    Some(listed.map(|all| all.into_iter().map(|it| it.serial).collect()))
}

fn certificates(
    seen: &mut Seen,
    merchant: &Wechatpay,
    keys: &Keys,
    listed: Option<&Result<Vec<String>, String>>,
) {
    let now = SystemClock.now().as_second();
    let certificate = keys.signatory.certificate.as_ref();
    let configured = match &merchant.trust {
        WechatpayTrust::Certificate { serial, .. } => serial.as_deref(),
        WechatpayTrust::PublicKey { .. } => None,
    };
    let matches = configured.map(|serial| same_serial(serial, &keys.signatory.serial));
    let listing = listed.and_then(|it| it.as_ref().err());
    let known = listed.and_then(|it| it.as_ref().ok());
    if let Some(certificate) = certificate {
        seen.line(format!("platform certificate: {}", certificate.line()));
    }
    if let Some(why) = listing {
        seen.line(why);
    }
    seen.fact("serial_matches", matches)
        .fact(
            "certificate_days_left",
            certificate.and_then(|it| it.days_left(now)),
        )
        .fact("certificate_ends", certificate.map(|it| moment(it.ends)))
        .fact("listed", known.map_or(0, Vec::len))
        .fact(
            "listed_is_configured",
            known.map(|all| all.iter().any(|it| same_serial(it, &keys.signatory.serial))),
        )
        .fact("listing", listing.cloned());
}

fn mode(merchant: &Wechatpay) -> &'static str {
    match merchant.trust {
        WechatpayTrust::PublicKey { .. } => "public-key",
        WechatpayTrust::Certificate { .. } => "certificate",
    }
}

fn without_keys(merchant: &Wechatpay, unfit: &Unfit) -> Sighting {
    let mut seen = Seen::new(&SPEC);
    seen.line(unfit.said());
    seen.fact(
        "state",
        match unfit {
            Unfit::Private(_) => "private-key",
            Unfit::Public(_) => "public-key",
        },
    )
    .fact("mode", mode(merchant))
    .fact("keys_readable", false)
    .fact("listed", 0)
    .fact("signature", "not-checked")
    .fact(
        "address",
        super::client::site(merchant).map_or_else(String::new, |site| site.address()),
    )
    .fact("detail", unfit.said());
    seen.done()
}
