//! `wechatpay.order` and `wechatpay.ready` against a stand-in that verifies requests and signs
//! answers by itself, from WeChat Pay's own description, and against peers that fail.

#![expect(clippy::expect_used, reason = "a test may fail")]

mod probes_common;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use handbell::{
    config::{Secret, Targets, TlsFiles, Wechatpay, WechatpayTrust},
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        handbook::ArgValue,
    },
    probes::Probes,
};
use openssl::{
    asn1::Asn1Time,
    base64::{decode_block, encode_block},
    bn::BigNum,
    hash::MessageDigest,
    pkey::{PKey, Private},
    rsa::Rsa,
    sign::{Signer, Verifier},
    symm::{Cipher, encrypt_aead},
    x509::{X509, X509NameBuilder},
};
use probes_common::{
    LATEST, free_port, int, none,
    peers::{answer, http, https, peer},
    see, sight, text,
    tls::{Authority, Wish},
    truth,
};
use tempfile::TempDir;

const ID: &str = "PUB_KEY_ID_0000000000000024101100397200000006";
const SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
const MERCHANT: &str = "1900009191";
const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";

/// Both sides' keys, and the files that a merchant has.
struct Office {
    dir: TempDir,
    merchant: PKey<Private>,
    platform: PKey<Private>,
    certificate: X509,
}

fn certificate(key: &PKey<Private>, serial: &str, days: u32) -> X509 {
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "Tenpay.com sign")
        .expect("a name");
    let name = name.build();
    let mut builder = X509::builder().expect("a certificate");
    builder.set_version(2).expect("a version");
    builder.set_subject_name(&name).expect("a subject");
    builder.set_issuer_name(&name).expect("an issuer");
    builder.set_pubkey(key).expect("a key");
    let number = BigNum::from_hex_str(serial)
        .expect("a number")
        .to_asn1_integer();
    builder
        .set_serial_number(&number.expect("a number"))
        .expect("a number");
    builder
        .set_not_before(&Asn1Time::days_from_now(0).expect("a time"))
        .expect("a time");
    builder
        .set_not_after(&Asn1Time::days_from_now(days).expect("a time"))
        .expect("a time");
    builder
        .sign(key, MessageDigest::sha256())
        .expect("a signature");
    builder.build()
}

impl Office {
    fn new() -> Self {
        let key = || PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
        let (merchant, platform) = (key(), key());
        let dir = TempDir::new().expect("a directory");
        let certificate = certificate(&platform, SERIAL, 30);
        let put =
            |name: &str, bytes: Vec<u8>| fs::write(dir.path().join(name), bytes).expect("a file");
        put(
            "apiclient_key.pem",
            merchant.private_key_to_pem_pkcs8().expect("a key"),
        );
        put("pub_key.pem", platform.public_key_to_pem().expect("a key"));
        put("platform.pem", certificate.to_pem().expect("a certificate"));
        put("api_v3_key", API_V3_KEY.as_bytes().to_vec());
        put(
            "other_key.pem",
            key().private_key_to_pem_pkcs8().expect("a key"),
        );
        put(
            "rubbish.pem",
            b"-----BEGIN PRIVATE KEY-----\nPLANTED-SECRET-4711\n-----END PRIVATE KEY-----\n"
                .to_vec(),
        );
        Self {
            dir,
            merchant,
            platform,
            certificate,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn target(&self, port: u16) -> Wechatpay {
        Wechatpay {
            url: format!("http://127.0.0.1:{port}"),
            connect: None,
            tls: None,
            merchant_id: MERCHANT.to_owned(),
            serial: "3775B6A45ACD588826D15E583A95F5DD00000000".to_owned(),
            private_key: Secret::File {
                path: self.path("apiclient_key.pem"),
            },
            trust: WechatpayTrust::PublicKey {
                id: ID.to_owned(),
                file: self.path("pub_key.pem"),
            },
            api_v3_key: None,
        }
    }

    fn by_certificate(&self, port: u16) -> Wechatpay {
        Wechatpay {
            trust: WechatpayTrust::Certificate {
                serial: Some(SERIAL.to_owned()),
                file: self.path("platform.pem"),
            },
            ..self.target(port)
        }
    }
}

fn eyes(merchant: Wechatpay) -> Probes {
    let mut targets = Targets::default();
    targets
        .wechatpay
        .insert("cache".parse().expect("an id"), merchant);
    Probes::new(targets)
}

async fn order(merchant: Wechatpay, number: &str) -> Sighting {
    let number = ArgValue::Text(number.to_owned());
    sight(&eyes(merchant), "wechatpay.order", &[("order_no", number)]).await
}

async fn ready(merchant: Wechatpay) -> Sighting {
    sight(&eyes(merchant), "wechatpay.ready", &[]).await
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_secs()
}

/// What the stand-in does wrong.
#[derive(Clone, Default)]
struct Mischief {
    signature: &'static str,
    signer: Option<&'static str>,
    timestamp_off: i64,
    date: &'static str,
}

/// A field of the Authorization header.
fn field(asked: &str, name: &str) -> String {
    let line = asked
        .lines()
        .find(|line| line.to_lowercase().starts_with("authorization:"));
    let line = line.expect("an Authorization header");
    assert!(line.contains("WECHATPAY2-SHA256-RSA2048 "), "{line}");
    let after = line.split_once(&format!("{name}=\"")).expect(name).1;
    after.split_once('"').expect("a quote").0.to_owned()
}

/// WeChat Pay as it describes itself: five lines are signed by the merchant, three by itself.
fn stand_in(
    office: &Arc<Office>,
    mischief: &Mischief,
) -> impl Fn(&str) -> String + Send + Sync + use<> {
    let office = Arc::clone(office);
    let mischief = mischief.clone();
    move |asked| {
        let target = asked.split(' ').nth(1).expect("a target").to_owned();
        let message = format!(
            "GET\n{target}\n{}\n{}\n\n",
            field(asked, "timestamp"),
            field(asked, "nonce_str")
        );
        assert_eq!(field(asked, "mchid"), MERCHANT);
        assert!(!field(asked, "serial_no").is_empty());
        let mut verifier =
            Verifier::new(MessageDigest::sha256(), &office.merchant).expect("a verifier");
        verifier.update(message.as_bytes()).expect("a message");
        let signature = decode_block(&field(asked, "signature")).expect("base64");
        let sound = verifier.verify(&signature).expect("an answer");
        let asked_by_id = asked
            .to_lowercase()
            .contains(&format!("wechatpay-serial: {}", ID.to_lowercase()));
        let (status, body) = if sound {
            page(&office, &target)
        } else {
            (
                "401 Unauthorized",
                r#"{"code":"SIGN_ERROR","message":"错误的签名，验签失败"}"#.to_owned(),
            )
        };
        let stamp = i64::try_from(now()).expect("a time") + mischief.timestamp_off;
        let nonce = "c5ac7061fccab6bf3e254dcf98995b8c";
        let mut signer = Signer::new(MessageDigest::sha256(), &office.platform).expect("a signer");
        let own = format!(
            "{stamp}\n{nonce}\n{body}{}\n",
            if mischief.signature == "wrong" {
                "x"
            } else {
                ""
            }
        );
        signer.update(own.as_bytes()).expect("a message");
        let signature = encode_block(&signer.sign_to_vec().expect("a signature"));
        let who = mischief
            .signer
            .unwrap_or(if asked_by_id { ID } else { SERIAL });
        let mut headers = format!("Content-Type: application/json\r\n{}", mischief.date);
        if mischief.signature != "missing" && (sound || mischief.signature == "always") {
            headers = format!(
                "{headers}Wechatpay-Timestamp: {stamp}\r\nWechatpay-Nonce: {nonce}\r\nWechatpay-Serial: {who}\r\nWechatpay-Signature: {signature}\r\n"
            );
        }
        answer(status, &headers, &body)
    }
}

fn page(office: &Office, target: &str) -> (&'static str, String) {
    if target == "/v3/certificates" {
        let (key, nonce) = (API_V3_KEY.as_bytes(), b"61f9c719728a");
        let mut tag = [0; 16];
        let pem = office.certificate.to_pem().expect("a certificate");
        let mut sealed = encrypt_aead(
            Cipher::aes_256_gcm(),
            key,
            Some(nonce),
            b"certificate",
            &pem,
            &mut tag,
        )
        .expect("sealed");
        sealed.extend(tag);
        return (
            "200 OK",
            format!(
                r#"{{"data":[{{"serial_no":"{SERIAL}","encrypt_certificate":{{"algorithm":"AEAD_AES_256_GCM","nonce":"61f9c719728a","associated_data":"certificate","ciphertext":"{}"}}}}]}}"#,
                encode_block(&sealed)
            ),
        );
    }
    let rest = target
        .strip_prefix("/v3/pay/transactions/out-trade-no/")
        .expect("an order");
    let (number, query) = rest.split_once('?').expect("a query");
    assert_eq!(query, format!("mchid={MERCHANT}"));
    let trade = |state: &str, more: &str| {
        (
            "200 OK",
            format!(
                r#"{{"mchid":"{MERCHANT}","out_trade_no":"{number}","trade_state":"{state}","trade_state_desc":"描述"{more}}}"#
            ),
        )
    };
    match number {
        "PAID-0001" | "PAID%7C0001" => trade("SUCCESS", r#","transaction_id":"4200002345202611220000012345","success_time":"2026-11-22T10:00:00+08:00","amount":{"total":8805,"currency":"CNY"},"payer":{"openid":"o-secret-payer"}"#),
        "REFUND-01" => trade("REFUND", ""),
        "WAIT-0001" => trade("NOTPAY", ""),
        "CLOSED-01" => trade("CLOSED", ""),
        "LIMIT-001" => ("429 Too Many Requests", r#"{"code":"FREQUENCY_LIMITED","message":"频率超限"}"#.to_owned()),
        "SYSTEM-01" => ("500 Internal Server Error", r#"{"code":"SYSTEM_ERROR","message":"系统异常"}"#.to_owned()),
        "NOAUTH-01" => ("403 Forbidden", r#"{"code":"NO_AUTH","message":"商户无权限"}"#.to_owned()),
        "MCHID-001" => ("400 Bad Request", r#"{"code":"PARAM_ERROR","message":"mchid 与签名商户不一致"}"#.to_owned()),
        "CLOCK-001" => ("401 Unauthorized", r#"{"code":"INVALID_REQUEST","message":"Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"}"#.to_owned()),
        "PARAM-001" => ("400 Bad Request", r#"{"code":"PARAM_ERROR","message":"参数错误"}"#.to_owned()),
        _ => ("404 Not Found", r#"{"code":"ORDER_NOT_EXIST","message":"订单不存在"}"#.to_owned()),
    }
}

#[tokio::test]
async fn a_paid_order_is_described_in_both_modes() {
    let office = Arc::new(Office::new());
    let port = http(stand_in(&office, &Mischief::default()));
    for merchant in [office.target(port), office.by_certificate(port)] {
        let seen = order(merchant.clone(), "PAID-0001").await;
        assert_eq!(text(&seen, "state"), "ok", "{seen:?}");
        assert_eq!(text(&seen, "trade_state"), "SUCCESS");
        assert!(truth(&seen, "paid"));
        assert_eq!(int(&seen, "amount_fen"), 8805);
        assert_eq!(text(&seen, "amount"), "88.05 CNY");
        assert_eq!(text(&seen, "transaction"), "4200…2345");
        assert_eq!(text(&seen, "signature"), "valid");
        assert!(!format!("{seen:?}").contains("o-secret-payer"));
        assert!(!format!("{seen:?}").contains("4200002345202611220000012345"));
        // A number with a bar is encoded, and signed as it is sent.
        assert_eq!(
            text(&order(merchant, "PAID|0001").await, "trade_state"),
            "SUCCESS"
        );
    }
    // Over TLS with an authority of its own, at another address than the name's.
    let authority = Authority::new(office.dir.path(), "Mall CA");
    let paper = authority.issue(
        "wx",
        &Wish {
            names: &["api.mch.weixin.qq.com"],
            ..Wish::default()
        },
    );
    let port = https(&paper, stand_in(&office, &Mischief::default()));
    let secured = |tls: Option<TlsFiles>| Wechatpay {
        url: "https://api.mch.weixin.qq.com".to_owned(),
        connect: Some(("127.0.0.1".to_owned(), port)),
        tls,
        ..office.target(port)
    };
    assert_eq!(
        text(
            &order(secured(Some(authority.trusting())), "WAIT-0001").await,
            "trade_state"
        ),
        "NOTPAY"
    );
    // Nothing is sent to whoever can't show who they are.
    assert_eq!(
        text(&order(secured(None), "WAIT-0001").await, "state"),
        "certificate"
    );
}

#[tokio::test]
async fn what_wechat_pay_says_is_told_apart() {
    let office = Arc::new(Office::new());
    let port = http(stand_in(&office, &Mischief::default()));
    for (number, state, code) in [
        ("UNKNOWN-01", "not-found", "ORDER_NOT_EXIST"),
        ("LIMIT-001", "limited", "FREQUENCY_LIMITED"),
        ("SYSTEM-01", "system-error", "SYSTEM_ERROR"),
        ("NOAUTH-01", "wrong-merchant", "NO_AUTH"),
        ("MCHID-001", "wrong-merchant", "PARAM_ERROR"),
        ("CLOCK-001", "clock", "INVALID_REQUEST"),
        ("PARAM-001", "rejected", "PARAM_ERROR"),
    ] {
        let seen = order(office.target(port), number).await;
        assert_eq!(
            (text(&seen, "state"), text(&seen, "code")),
            (state, code),
            "{seen:?}"
        );
        assert!(none(&seen, "paid") && !text(&seen, "detail").is_empty());
    }
    for (number, state, paid) in [
        ("WAIT-0001", "NOTPAY", false),
        ("CLOSED-01", "CLOSED", false),
        ("REFUND-01", "REFUND", true),
    ] {
        let seen = order(office.target(port), number).await;
        assert_eq!(
            (text(&seen, "trade_state"), truth(&seen, "paid")),
            (state, paid)
        );
    }
    // Another merchant's key.
    let stranger = Wechatpay {
        private_key: Secret::File {
            path: office.path("other_key.pem"),
        },
        ..office.target(port)
    };
    assert_eq!(
        text(&order(stranger.clone(), "PAID-0001").await, "state"),
        "sign-error"
    );
    assert_eq!(text(&ready(stranger.clone()).await, "state"), "sign-error");
    // The same answer, while the clocks are ten minutes apart.
    let late = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let port = http(stand_in(
        &office,
        &Mischief {
            date: late,
            ..Mischief::default()
        },
    ));
    let skewed = ready(Wechatpay {
        url: format!("http://127.0.0.1:{port}"),
        ..stranger
    })
    .await;
    assert_eq!(text(&skewed, "state"), "clock");
    assert!(int(&skewed, "clock_ahead_seconds") > 900_000_000);
}

#[tokio::test]
async fn answers_that_can_not_be_believed_are_not() {
    let office = Arc::new(Office::new());
    for (mischief, state, signature) in [
        (
            Mischief {
                signature: "wrong",
                ..Mischief::default()
            },
            "signature-invalid",
            "invalid",
        ),
        (
            Mischief {
                signature: "missing",
                ..Mischief::default()
            },
            "signature-missing",
            "missing",
        ),
        (
            Mischief {
                timestamp_off: -700,
                ..Mischief::default()
            },
            "signature-invalid",
            "invalid-or-stale",
        ),
        (
            Mischief {
                signer: Some("PUB_KEY_ID_9"),
                ..Mischief::default()
            },
            "unknown-signer",
            "unknown-signer",
        ),
    ] {
        let dated = mischief.timestamp_off != 0;
        let port = http(stand_in(&office, &mischief));
        let seen = order(office.target(port), "PAID-0001").await;
        if dated {
            // Without a Date header the signature's time is all there is to tell the clock by.
            // Between the stand-in's look at the clock and ours a second may begin.
            assert!((700..=710).contains(&int(&seen, "clock_ahead_seconds")));
            continue;
        }
        assert_eq!(
            (text(&seen, "state"), text(&seen, "signature")),
            (state, signature),
            "{seen:?}"
        );
        assert!(
            none(&seen, "paid") && none(&seen, "trade_state"),
            "{seen:?}"
        );
        assert_eq!(text(&ready(office.target(port)).await, "state"), state);
    }
    // What is no WeChat Pay at all.
    let port = http(|_| answer("200 OK", "", "<html>welcome to the hotel</html>"));
    assert_eq!(
        text(&ready(office.target(port)).await, "state"),
        "not-wechat"
    );
}

#[tokio::test]
async fn readiness_and_the_platforms_certificates() {
    let office = Arc::new(Office::new());
    let port = http(stand_in(&office, &Mischief::default()));
    let seen = ready(office.target(port)).await;
    assert_eq!(text(&seen, "state"), "ok", "{seen:?}");
    assert_eq!(
        (text(&seen, "mode"), int(&seen, "key_bits")),
        ("public-key", 2048)
    );
    assert!(none(&seen, "certificate_days_left") && none(&seen, "serial_matches"));

    let listing = Wechatpay {
        api_v3_key: Some(Secret::File {
            path: office.path("api_v3_key"),
        }),
        ..office.by_certificate(port)
    };
    let seen = ready(listing.clone()).await;
    assert_eq!(text(&seen, "state"), "ok", "{seen:?}");
    assert!((29..=30).contains(&int(&seen, "certificate_days_left")));
    assert!(truth(&seen, "serial_matches") && truth(&seen, "listed_is_configured"));
    assert_eq!(int(&seen, "listed"), 1);

    // An older certificate is configured than the one that WeChat Pay signs with now.
    let old = certificate(&office.platform, "00AA", 3);
    fs::write(office.path("old.pem"), old.to_pem().expect("a certificate")).expect("a file");
    let outdated = Wechatpay {
        trust: WechatpayTrust::Certificate {
            serial: None,
            file: office.path("old.pem"),
        },
        ..listing.clone()
    };
    let seen = ready(outdated).await;
    assert_eq!(text(&seen, "state"), "unknown-signer", "{seen:?}");
    assert!(!truth(&seen, "listed_is_configured"));

    // Another API v3 key.
    fs::write(office.path("wrong_v3"), "f".repeat(32)).expect("a file");
    let wrong = Wechatpay {
        api_v3_key: Some(Secret::File {
            path: office.path("wrong_v3"),
        }),
        ..listing
    };
    let seen = ready(wrong).await;
    assert!(
        text(&seen, "listing").contains("can't be decrypted"),
        "{seen:?}"
    );
    assert!(!format!("{seen:?}").contains(&"f".repeat(32)));
}

#[tokio::test]
async fn keys_that_are_none_are_told_without_their_words() {
    let office = Arc::new(Office::new());
    let port = http(stand_in(&office, &Mischief::default()));
    let with = |name: &str| Wechatpay {
        private_key: Secret::File {
            path: office.path(name),
        },
        ..office.target(port)
    };
    for (name, said) in [
        ("rubbish.pem", "holds no private RSA key"),
        ("none.pem", "does not exist"),
        ("pub_key.pem", "holds no private RSA key"),
    ] {
        let seen = ready(with(name)).await;
        assert_eq!(text(&seen, "state"), "private-key");
        assert!(text(&seen, "detail").contains(said), "{seen:?}");
        assert!(!format!("{seen:?}").contains("PLANTED-SECRET"));
        let number = ArgValue::Text("PAID-0001".to_owned());
        let unseen = see(
            &eyes(with(name)),
            "wechatpay.order",
            &[("order_no", number)],
        )
        .await;
        assert!(matches!(
            &unseen,
            Err(Blind::Unknown(Unseen::Secret { .. }))
        ));
        assert!(!format!("{unseen:?}").contains("PLANTED-SECRET"));
    }
    let rubbish = |path: &Path| Wechatpay {
        trust: WechatpayTrust::PublicKey {
            id: ID.to_owned(),
            file: path.to_owned(),
        },
        ..office.target(port)
    };
    assert_eq!(
        text(&ready(rubbish(&office.path("api_v3_key"))).await, "state"),
        "public-key"
    );
    // Whatever goes wrong on the way, neither key nor header is told.
    let heard: Arc<Mutex<String>> = Arc::default();
    let ear = Arc::clone(&heard);
    let port = http(move |asked| {
        asked.clone_into(&mut ear.lock().expect("a lock"));
        String::from("rubbish\r\n")
    });
    let seen = order(office.target(port), "PAID-0001").await;
    assert_eq!(text(&seen, "state"), "wrong-protocol");
    let signature = field(&heard.lock().expect("a lock"), "signature");
    assert!(!format!("{seen:?}").contains(&signature));
}

#[tokio::test]
async fn peers_that_fail_are_told_apart_in_time() {
    let office = Office::new();
    let silent = peer(|stream| {
        sleep(Duration::from_secs(20));
        drop(stream);
    });
    let slow = http(|_| {
        sleep(Duration::from_secs(20));
        String::new()
    });
    for (state, port) in [
        ("refused", free_port()),
        ("reply-timeout", silent),
        ("reply-timeout", slow),
        ("reset", peer(drop)),
        (
            "system-error",
            http(|_| answer("502 Bad Gateway", "", "<html>bad gateway</html>")),
        ),
        ("limited", http(|_| answer("429 Too Many Requests", "", ""))),
    ] {
        let began = Instant::now();
        let seen = ready(office.target(port)).await;
        let got = text(&seen, "state");
        assert!(
            got == state || (state == "reset" && got == "empty"),
            "{state}: {seen:?}"
        );
        assert!(
            began.elapsed() < LATEST,
            "{state} took {:?}",
            began.elapsed()
        );
        assert!(!text(&seen, "detail").is_empty());
    }
}
