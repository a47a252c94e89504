//! What came of asking WeChat Pay, each reason told apart.

use super::client::{Reply, SKEW_S, Signed};
use crate::probes::web::Trouble;

/// How far a question gets: the troubles of every site, and WeChat Pay's own.
pub(super) const STATES: &[&str] = &[
    "ok",
    "not-found",
    "unresolved",
    "resolve-timeout",
    "refused",
    "unreachable",
    "connect-timeout",
    "reset",
    "tls-timeout",
    "tls",
    "certificate",
    "reply-timeout",
    "empty",
    "wrong-protocol",
    "private-key",
    "public-key",
    "clock",
    "sign-error",
    "wrong-merchant",
    "limited",
    "system-error",
    "rejected",
    "signature-invalid",
    "signature-missing",
    "unknown-signer",
    "not-wechat",
];

/// What is known about the signature of an answer.
pub(super) const SIGNATURES: &[&str] = &[
    "valid",
    "invalid",
    "missing",
    "unknown-signer",
    "stale",
    "not-checked",
];

/// The word for what came of it. Error codes are those of
/// <https://pay.weixin.qq.com/doc/v3/merchant/4012791900> and of its page of common ones.
pub(super) fn of(outcome: &Result<Reply, Trouble>) -> &'static str {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(trouble) => return trouble.state(),
    };
    if !reply.body.is_object() {
        return if matches!(reply.status, 429) {
            "limited"
        } else if reply.status >= 500 {
            "system-error"
        } else {
            "not-wechat"
        };
    }
    let message = reply.message.as_deref().unwrap_or_default();
    let code = reply.code.as_deref().unwrap_or_default();
    if reply.status >= 400 {
        let skewed = reply.ahead.is_some_and(|ahead| ahead.abs() > SKEW_S);
        match code {
            _ if message.contains("timestamp") => return "clock",
            // WeChat Pay has signed it only when it knew who asks, so without a signature these
            // are as good as with one.
            "SIGN_ERROR" if skewed => return "clock",
            "SIGN_ERROR" => return "sign-error",
            _ if message.contains("Wechatpay-Serial") => return "unknown-signer",
            "FREQUENCY_LIMITED" | "RATELIMIT_EXCEEDED" | "FREQUENCY_LIMIT_EXCEED" => {
                return "limited";
            }
            "MCH_NOT_EXISTS" | "APPID_MCHID_NOT_MATCH" | "NO_AUTH" => return "wrong-merchant",
            // The question names the merchant and an order's number, and nothing else.
            _ if message.contains("mchid") || message.contains("商户号") => {
                return "wrong-merchant";
            }
            "SYSTEM_ERROR" | "BANK_ERROR" | "SYSTEMERROR" => return "system-error",
            _ if reply.status == 429 => return "limited",
            _ if reply.status == 401 => return "sign-error",
            _ if reply.status >= 500 => return "system-error",
            _ => {}
        }
    }
    match reply.signed {
        Signed::Valid => {}
        Signed::Invalid | Signed::Stale => return "signature-invalid",
        Signed::Missing => return "signature-missing",
        Signed::UnknownSigner => return "unknown-signer",
    }
    match (reply.status, code) {
        (200, _) => "ok",
        (_, "ORDER_NOT_EXIST" | "ORDERNOTEXIST") => "not-found",
        _ => "rejected",
    }
}

/// What was said about it; empty when all is well.
pub(super) fn detail(outcome: &Result<Reply, Trouble>) -> String {
    match outcome {
        Err(trouble) => trouble.detail(),
        Ok(reply) if of(outcome) == "ok" => {
            debug_assert_eq!(reply.status, 200);
            String::new()
        }
        Ok(reply) => match reply.signed {
            Signed::Valid | Signed::Missing if reply.status >= 400 => reply.shown(),
            Signed::Valid => reply.shown(),
            Signed::Missing => format!("{}, without a signature", reply.shown()),
            Signed::Invalid => format!("{}, with a signature that does not fit", reply.shown()),
            Signed::Stale => format!("{}, signed too long ago", reply.shown()),
            Signed::UnknownSigner => format!(
                "{}, signed with {}, which is not the configured key",
                reply.shown(),
                reply.signer.as_deref().unwrap_or("an unknown key")
            ),
        },
    }
}
