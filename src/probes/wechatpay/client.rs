//! One signed question to WeChat Pay and its verified answer.

use std::time::Duration;

use hyper::Method;
use jiff::{Timestamp, fmt::rfc2822};
use openssl::ssl::SslContext;
use reqwest::Url;
use serde_json::Value as Json;
use tokio::time::Instant;

use super::keys::{Keys, Signatory, same_serial, unseal};
use crate::{
    app::{Clock, SystemClock},
    config::{Wechatpay, WechatpayTrust},
    probes::{
        net::Obstacle,
        seen::plain,
        web::{Answer, BodyEnd, Question, Scheme, Site, Times, Trouble, Trust, arrive, ask, shake},
    },
};

/// How much of an answer is read, in bytes. An order has under 2 KiB, a list of certificates
/// some 10 KiB.
const ANSWER_BYTES: usize = 256 * 1024;

/// How old a signature may be, in seconds; WeChat Pay asks for five minutes on both sides
/// (<https://pay.weixin.qq.com/doc/v3/merchant/4013053249>).
pub(super) const SKEW_S: i64 = 300;

/// Where the platform's certificates are listed.
const CERTIFICATES: &str = "/v3/certificates";

/// Longest message of WeChat Pay that is told, in characters.
const MESSAGE_CHARS: usize = 160;

/// What is known about the signature of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signed {
    /// WeChat Pay has signed it.
    Valid,
    /// The signature is another's, or of something else.
    Invalid,
    /// There is none.
    Missing,
    /// It was made with a key that is not configured.
    UnknownSigner,
    /// It is right and too old or from the future.
    Stale,
}

impl Signed {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Missing => "missing",
            Self::UnknownSigner => "unknown-signer",
            Self::Stale => "stale",
        }
    }
}

/// What WeChat Pay said.
pub(super) struct Reply {
    pub(super) status: u16,
    /// Its error code, such as `ORDER_NOT_EXIST`.
    pub(super) code: Option<String>,
    /// Its words.
    pub(super) message: Option<String>,
    /// The body; null when it is no JSON.
    pub(super) body: Json,
    pub(super) signed: Signed,
    /// By whom, as the answer says.
    pub(super) signer: Option<String>,
    /// By how many seconds our clock is ahead of WeChat Pay's.
    pub(super) ahead: Option<i64>,
    pub(super) took: Duration,
    timestamp: Option<i64>,
    raw: Answer,
}

/// A merchant that asks.
pub(super) struct Client<'a> {
    pub(super) merchant: &'a Wechatpay,
    pub(super) keys: &'a Keys,
    pub(super) site: Site,
    context: SslContext,
}

/// Where the API of `merchant` is; `None` when its URL can't be taken apart, which the
/// configuration does not let through.
pub(super) fn site(merchant: &Wechatpay) -> Option<Site> {
    let url = Url::parse(&merchant.url).ok()?;
    let tls = merchant.tls.clone().unwrap_or_default();
    Site::at(&url, merchant.connect.clone(), tls)
}

impl<'a> Client<'a> {
    /// A client with the keys of `merchant`.
    ///
    /// # Errors
    /// A file of its TLS can't be used.
    pub(super) async fn new(
        merchant: &'a Wechatpay,
        keys: &'a Keys,
        site: Site,
        trust: &Trust,
    ) -> Result<Self, Obstacle> {
        let context = trust.context(&site.tls).await?;
        Ok(Self {
            merchant,
            keys,
            site,
            context,
        })
    }

    /// Asks for `target` (path and query) until `end`; a signature of somebody who is not
    /// configured is held against the certificates that WeChat Pay lists, where they can be read.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn get(&self, target: &str, end: Instant) -> Result<Reply, Trouble> {
        let mut reply = self.once(target, end).await?;
        if reply.signed == Signed::UnknownSigner
            && let Ok(listed) = self.certificates(end).await
            && let Some(signatory) = listed.iter().find(|it| {
                reply
                    .signer
                    .as_deref()
                    .is_some_and(|name| same_serial(name, &it.serial))
            })
        {
            reply.signed = match judged(&reply, signatory) {
                // It is WeChat Pay's, and whoever relies on the configured one must be told.
                Signed::Valid => Signed::UnknownSigner,
                other => other,
            };
        }
        Ok(reply)
    }

    /// The certificates that WeChat Pay lists, opened with the API v3 key.
    ///
    /// # Errors
    /// There is no API v3 key, no answer, or it is not what it should be; a sentence.
    pub(super) async fn certificates(&self, end: Instant) -> Result<Vec<Signatory>, String> {
        let Some(key) = &self.merchant.api_v3_key else {
            return Err("no API v3 key is configured".to_owned());
        };
        let reply = self
            .once(CERTIFICATES, end)
            .await
            .map_err(|trouble| trouble.detail())?;
        if reply.status != 200 {
            return Err(reply.shown());
        }
        let listed = reply.body.pointer("/data").and_then(Json::as_array);
        let mut opened = Vec::new();
        for one in listed.into_iter().flatten() {
            let text = |name: &str| {
                one.pointer(&format!("/encrypt_certificate/{name}"))
                    .and_then(Json::as_str)
                    .unwrap_or_default()
            };
            let (nonce, associated) = (text("nonce"), text("associated_data"));
            let pem = unseal(key, nonce, associated, text("ciphertext"))?;
            opened.extend(Signatory::of_certificate(&pem));
        }
        let signer = reply.signer.as_deref().unwrap_or_default();
        let known = opened.iter().find(|it| same_serial(&it.serial, signer));
        match known.map_or(reply.signed, |it| judged(&reply, it)) {
            Signed::Valid => Ok(opened),
            other => Err(format!("the list's signature is {}", other.word())),
        }
    }

    async fn once(&self, target: &str, end: Instant) -> Result<Reply, Trouble> {
        let sent = SystemClock.now().as_second();
        let signing = |_| Trouble::Tls("the request can't be signed".to_owned());
        let authorization = self
            .keys
            .authorization(self.merchant, target, sent)
            .map_err(signing)?;
        let mut headers = vec![
            ("authorization", authorization),
            ("accept", "application/json".to_owned()),
        ];
        if let WechatpayTrust::PublicKey { id, .. } = &self.merchant.trust {
            // With this the answer is signed with the key of this id
            // (https://pay.weixin.qq.com/doc/v3/merchant/4012154180).
            headers.push(("wechatpay-serial", id.clone()));
        }
        let authority = self.site.authority();
        let question = Question {
            method: Method::GET,
            host: &authority,
            path: target,
            headers: &headers,
            most_bytes: ANSWER_BYTES,
        };
        let began = Instant::now();
        let mut times = Times::default();
        let arrival = arrive(&self.site, &mut times, end).await?;
        let answer = if self.site.scheme == Scheme::Https {
            let shaken = shake(&self.context, &self.site.host, arrival.stream, end).await?;
            if let Some(trouble) = shaken.1.trouble() {
                return Err(trouble);
            }
            ask(shaken.0, &question, end).await?
        } else {
            ask(arrival.stream, &question, end).await?
        };
        match answer.body_end {
            BodyEnd::Whole => Ok(self.reply(answer, began.elapsed())),
            BodyEnd::TimedOut => Err(Trouble::Silent),
            BodyEnd::Cut => Err(Trouble::Cut("in the middle of the answer".to_owned())),
            BodyEnd::TooLong => Err(Trouble::Stranger(
                "an answer of WeChat Pay was expected; it has no end".to_owned(),
            )),
        }
    }

    fn reply(&self, answer: Answer, took: Duration) -> Reply {
        let now = SystemClock.now().as_second();
        let body: Json = serde_json::from_slice(&answer.body).unwrap_or(Json::Null);
        let text = |name: &str| {
            let found = body.get(name)?.as_str()?;
            Some(plain(found, MESSAGE_CHARS))
        };
        let timestamp = answer
            .header("wechatpay-timestamp")
            .and_then(|text| text.parse::<i64>().ok());
        let date = answer.header("date").and_then(|text| moment(&text));
        let mut reply = Reply {
            status: answer.status,
            code: text("code"),
            message: text("message"),
            signed: Signed::Missing,
            signer: answer.header("wechatpay-serial"),
            // The server's own clock; a signature made long ago says nothing about it.
            ahead: date.or(timestamp).map(|theirs| now - theirs),
            took,
            timestamp,
            body,
            raw: answer,
        };
        reply.signed = judged(&reply, &self.keys.signatory);
        reply
    }
}

impl Reply {
    /// Status, code and words in one line.
    pub(super) fn shown(&self) -> String {
        let mut shown = format!("HTTP {}", self.status);
        for part in [&self.code, &self.message].into_iter().flatten() {
            shown.push(' ');
            shown.push_str(part);
        }
        shown
    }
}

fn judged(reply: &Reply, signatory: &Signatory) -> Signed {
    let header = |name: &str| reply.raw.header(name);
    let (Some(signature), Some(nonce), Some(timestamp), Some(signer)) = (
        // A base64 of 256 bytes has 344 characters, more than a line that is shown may have.
        reply.raw.headers.get("wechatpay-signature"),
        header("wechatpay-nonce"),
        reply.timestamp,
        &reply.signer,
    ) else {
        return Signed::Missing;
    };
    let known = same_serial(signer, &signatory.serial);
    if !known {
        return Signed::UnknownSigner;
    }
    let signature = signature.to_str().unwrap_or_default();
    let timestamp_text = timestamp.to_string();
    if !signatory.signed(&timestamp_text, &nonce, &reply.raw.body, signature) {
        return Signed::Invalid;
    }
    // Against the server's own clock: ours may be wrong, which is told apart.
    let now = SystemClock.now().as_second() - reply.ahead.unwrap_or(0);
    if (now - timestamp).abs() > SKEW_S {
        return Signed::Stale;
    }
    Signed::Valid
}

fn moment(text: &str) -> Option<i64> {
    let parsed: Timestamp = rfc2822::parse(text).ok()?.timestamp();
    Some(parsed.as_second())
}
