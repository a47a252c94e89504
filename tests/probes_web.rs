//! `http.get`, `tls.certificate` and `tcp.connect` against real servers on this machine, and
//! against peers that refuse, hang, lie, drip or never end.

#![expect(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod probes_common;

use std::{
    io::{Read, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use handbell::{
    config::{Targets, TlsFiles, UrlTarget},
    domain::{
        diagnosis::{Blind, Sighting, Unseen, Value},
        handbook::ArgValue,
    },
    probes::Probes,
};
use indexmap::IndexMap;
use openssl::ssl::SslVersion;
use probes_common::{
    LATEST, float, free_port, int, none,
    peers::{Full, answer, head, http, https, https_up_to, peer},
    see, sight, text,
    tls::{Authority, Wish},
    truth,
};
use tempfile::TempDir;

/// A URL as the target `cache`.
fn url(url: &str) -> UrlTarget {
    UrlTarget {
        url: url.to_owned(),
        connect: None,
        tls: None,
        resolvers: Vec::new(),
        addresses: Vec::new(),
    }
}

/// The mall's address, led to a port of this machine.
fn mall(port: u16, tls: TlsFiles) -> UrlTarget {
    UrlTarget {
        connect: Some(("127.0.0.1".to_owned(), port)),
        tls: Some(tls),
        ..url("https://api.mall.com/health")
    }
}

fn eyes(target: UrlTarget) -> Probes {
    let mut targets = Targets::default();
    targets.url.insert("cache".parse().expect("an id"), target);
    Probes::new(targets)
}

async fn get(target: UrlTarget, args: &[(&str, ArgValue)]) -> Sighting {
    sight(&eyes(target), "http.get", args).await
}

async fn certificate(target: UrlTarget) -> Sighting {
    sight(&eyes(target), "tls.certificate", &[]).await
}

fn list(sighting: &Sighting, fact: &str) -> Vec<String> {
    match &sighting.facts[fact] {
        Value::List(values) => values.iter().map(ToString::to_string).collect(),
        other => panic!("{fact} is {other:?}"),
    }
}

fn words(text: &str) -> ArgValue {
    ArgValue::Text(text.to_owned())
}

fn patterns(wanted: &[(&str, &str)]) -> ArgValue {
    let wanted = wanted
        .iter()
        .map(|(name, pattern)| ((*name).to_owned(), (*pattern).to_owned()));
    ArgValue::Patterns(wanted.collect::<IndexMap<_, _>>())
}

/// A web server without TLS, which answers whatever it does not understand at once.
fn in_the_clear() -> u16 {
    peer(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(answer("400 Bad Request", "", "plain").as_bytes());
        sleep(Duration::from_secs(3));
    })
}

#[tokio::test]
async fn an_answer_is_described() {
    let port = http(|asked| {
        assert!(
            asked.starts_with("GET /api/v1/products?page=1 HTTP/1.1\r\n"),
            "{asked}"
        );
        assert!(asked.to_lowercase().contains("host: shop.test:"), "{asked}");
        answer(
            "200 OK",
            "Server: nginx/1.24\r\nContent-Type: application/json\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            r#"{"status":"ok","stock":17,"items":[{"id":"SKU-1"}]}"#,
        )
    });
    let target = UrlTarget {
        connect: Some(("127.0.0.1".to_owned(), port)),
        ..url("http://shop.test:8000/api/v1/products?page=1")
    };
    let wanted = patterns(&[
        ("status", "/status"),
        ("stock", "/stock"),
        ("sku", r#""id":"([^"]+)""#),
        ("missing", "/none/of/it"),
    ]);
    let seen = get(target, &[("patterns", wanted)]).await;
    assert_eq!(text(&seen, "state"), "ok", "{seen:?}");
    assert_eq!(int(&seen, "status"), 200);
    assert_eq!(text(&seen, "http_version"), "HTTP/1.1");
    assert_eq!(text(&seen, "server"), "nginx/1.24");
    assert_eq!(text(&seen, "content_type"), "application/json");
    assert_eq!(int(&seen, "body_bytes"), 51);
    assert!(int(&seen, "clock_ahead_seconds") > 900_000_000);
    assert!(none(&seen, "dns_ms") && none(&seen, "tls_ms"));
    assert!(float(&seen, "connect_ms") >= 0.0 && float(&seen, "total_ms") < 1_000.0);
    assert_eq!(text(&seen, "status_text"), "ok");
    assert!((float(&seen, "stock_number") - 17.0).abs() < f64::EPSILON);
    assert_eq!(text(&seen, "sku_text"), "SKU-1");
    assert!(!truth(&seen, "missing_found") && none(&seen, "missing_text"));
    assert_eq!(text(&seen, "url"), "http://shop.test:8000/api/v1/products");
    assert!(!seen.evidence.contains("page=1"), "{}", seen.evidence);
}

#[tokio::test]
async fn the_time_is_split() {
    let port = peer(|mut stream| {
        head(&mut stream);
        sleep(Duration::from_millis(150));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
        sleep(Duration::from_millis(250));
        let _ = stream.write_all(b"cd");
    });
    let seen = get(url(&format!("http://localhost:{port}/")), &[]).await;
    assert_eq!(text(&seen, "state"), "ok", "{seen:?}");
    assert!(float(&seen, "dns_ms") >= 0.0);
    let first = float(&seen, "first_byte_ms");
    let body = float(&seen, "body_ms");
    assert!((140.0..240.0).contains(&first), "{first}");
    assert!((240.0..400.0).contains(&body), "{body}");
    assert!(float(&seen, "total_ms") >= first + body);
}

/// A server that answers the first, the second, … request after these many milliseconds, and counts them.
fn as_slow_as(pauses: &'static [u64], later: &'static str) -> (u16, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let port = http(move |_| {
        let nth = count.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(pauses.get(nth).copied().unwrap_or(0)));
        answer(if nth == 0 { "200 OK" } else { later }, "", "")
    });
    (port, asked)
}

#[tokio::test]
async fn one_slow_answer_is_asked_for_again() {
    let slow = |ms| [("again_from_ms", ArgValue::Int(ms))];
    let at = |port: u16| url(&format!("http://127.0.0.1:{port}/"));

    let (port, asked) = as_slow_as(&[400, 0], "200 OK");
    let seen = get(at(port), &slow(300)).await;
    assert!(float(&seen, "total_ms") < 300.0, "{seen:?}");
    assert!(float(&seen, "slow_once_ms") >= 400.0, "{seen:?}");
    assert!(seen.evidence.contains("asked a second time"), "{seen:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);

    let (port, asked) = as_slow_as(&[400, 500], "200 OK");
    let seen = get(at(port), &slow(300)).await;
    assert!(float(&seen, "total_ms") >= 400.0, "{seen:?}");
    assert!(none(&seen, "slow_once_ms"), "{seen:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2, "twice and no more");

    // Quick, or nobody wants to know: once.
    for (pauses, from) in [(&[0][..], 300), (&[400], 0)] {
        let (port, asked) = as_slow_as(pauses, "200 OK");
        let seen = get(at(port), &slow(from)).await;
        assert!(none(&seen, "slow_once_ms"), "{seen:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    // An error that the second request shows is told, and a second that gets no answer takes nothing away.
    let (port, _) = as_slow_as(&[400, 0], "500 Internal Server Error");
    assert_eq!(int(&get(at(port), &slow(300)).await, "status"), 500);
    let (port, asked) = as_slow_as(&[400, 60_000], "200 OK");
    let seen = get(at(port), &slow(300)).await;
    assert_eq!(int(&seen, "status"), 200, "{seen:?}");
    assert!(float(&seen, "total_ms") >= 400.0, "{seen:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn statuses_redirects_and_methods() {
    let port = http(|asked| match asked.split(' ').nth(1) {
        Some("/old") => answer("301 Moved Permanently", "Location: /new\r\n", ""),
        Some("/new") => answer("302 Found", "Location: /newest\r\n", ""),
        Some("/loop") => answer("302 Found", "Location: /loop\r\n", ""),
        Some("/busy") => answer("429 Too Many Requests", "Retry-After: 30\r\n", "slow down"),
        Some("/head") => {
            assert!(asked.starts_with("HEAD "));
            "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
        }
        _ => answer("200 OK", "", "here"),
    });
    let at = |path: &str| url(&format!("http://127.0.0.1:{port}{path}"));
    let seen = get(at("/old"), &[]).await;
    assert_eq!((text(&seen, "state"), int(&seen, "status")), ("ok", 301));
    assert_eq!(text(&seen, "location"), "/new");
    assert_eq!(int(&seen, "redirects"), 0);

    let seen = get(at("/old"), &[("follow", ArgValue::Int(3))]).await;
    assert_eq!((text(&seen, "state"), int(&seen, "status")), ("ok", 200));
    assert_eq!(int(&seen, "redirects"), 2);
    assert!(text(&seen, "url").ends_with("/newest"));

    let seen = get(at("/loop"), &[("follow", ArgValue::Int(2))]).await;
    assert_eq!(text(&seen, "state"), "too-many-redirects");

    let seen = get(at("/busy"), &[]).await;
    assert_eq!(int(&seen, "status"), 429);
    assert_eq!(int(&seen, "retry_after_seconds"), 30);
    assert!(seen.evidence.contains("slow down"));

    let seen = get(
        at("/"),
        &[("method", words("HEAD")), ("path", words("/head"))],
    )
    .await;
    assert_eq!(int(&seen, "status"), 204);
    let refused = see(&eyes(at("/")), "http.get", &[("method", words("DELETE"))]).await;
    assert!(matches!(
        refused,
        Err(Blind::Unknown(Unseen::Broken { .. }))
    ));
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_apart() {
    let full = Full::new();
    let silent = peer(|stream| {
        sleep(Duration::from_secs(20));
        drop(stream);
    });
    let cases: Vec<(&str, String)> = vec![
        ("refused", format!("http://127.0.0.1:{}/", free_port())),
        ("unresolved", "http://no-such-host.invalid/".to_owned()),
        (
            "connect-timeout",
            format!("http://127.0.0.1:{}/", full.port),
        ),
        ("reply-timeout", format!("http://127.0.0.1:{silent}/")),
        ("tls-timeout", format!("https://127.0.0.1:{silent}/")),
        (
            "empty",
            format!(
                "http://127.0.0.1:{}/",
                peer(|mut stream| {
                    head(&mut stream);
                })
            ),
        ),
        ("reset", format!("https://127.0.0.1:{}/", peer(drop))),
        (
            "wrong-protocol",
            format!(
                "http://127.0.0.1:{}/",
                peer(|mut stream| {
                    let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
                    sleep(Duration::from_secs(3));
                })
            ),
        ),
        (
            "wrong-protocol",
            format!("https://127.0.0.1:{}/", in_the_clear()),
        ),
        (
            "reset",
            format!(
                "http://127.0.0.1:{}/",
                peer(|mut stream| {
                    head(&mut stream);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConte");
                })
            ),
        ),
        (
            "body-cut",
            format!(
                "http://127.0.0.1:{}/",
                peer(|mut stream| {
                    head(&mut stream);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
                })
            ),
        ),
        (
            "body-timeout",
            format!(
                "http://127.0.0.1:{}/",
                peer(|mut stream| {
                    head(&mut stream);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
                    for _ in 0..30 {
                        if stream.write_all(b"a").is_err() {
                            return;
                        }
                        sleep(Duration::from_secs(1));
                    }
                })
            ),
        ),
    ];
    for (expected, at) in cases {
        let began = Instant::now();
        let seen = get(url(&at), &[]).await;
        assert_eq!(
            text(&seen, "state"),
            expected,
            "{at}: {}",
            text(&seen, "detail")
        );
        assert!(began.elapsed() < LATEST, "{at} took {:?}", began.elapsed());
        assert!(!text(&seen, "detail").is_empty(), "{at}");
        assert_eq!(
            truth(&seen, "answered"),
            matches!(expected, "body-cut" | "body-timeout"),
            "{at}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_is_cut_off() {
    /// What the buffers of both ends can hold beside what is read, and more.
    const MOST_BYTES: usize = 32 << 20;
    static SENT_BYTES: AtomicUsize = AtomicUsize::new(0);
    let port = peer(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        let block = vec![b'x'; 65_536];
        while stream.write_all(&block).is_ok() {
            SENT_BYTES.fetch_add(block.len(), Ordering::SeqCst);
        }
    });
    let seen = get(url(&format!("http://127.0.0.1:{port}/")), &[]).await;
    assert_eq!(text(&seen, "state"), "ok");
    assert!(truth(&seen, "body_truncated"));
    assert_eq!(int(&seen, "body_bytes"), 262_144);
    let sent = SENT_BYTES.load(Ordering::SeqCst);
    assert!(sent < MOST_BYTES, "{sent} bytes were taken");

    let port = peer(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-More: and more of it\r\n").is_ok() {}
    });
    let seen = get(url(&format!("http://127.0.0.1:{port}/")), &[]).await;
    assert_eq!(text(&seen, "state"), "wrong-protocol", "{seen:?}");
}

#[tokio::test]
async fn a_certificate_that_stands_up() {
    let dir = TempDir::new().expect("a directory");
    let authority = Authority::new(dir.path(), "Mall CA");
    let paper = authority.issue(
        "good",
        &Wish {
            names: &["api.mall.com", "*.mall.com", "127.0.0.1"],
            ..Wish::default()
        },
    );
    let port = https(&paper, |_| answer("200 OK", "", "ok"));
    let seen = certificate(mall(port, authority.trusting())).await;
    assert_eq!(text(&seen, "state"), "ok", "{seen:?}");
    assert_eq!(text(&seen, "problem"), "none", "{seen:?}");
    assert!(truth(&seen, "verified") && truth(&seen, "trusted") && truth(&seen, "name_matches"));
    assert!((89..=90).contains(&int(&seen, "days_left")));
    assert_eq!(text(&seen, "subject"), "api.mall.com");
    assert_eq!(text(&seen, "issuer"), "Mall CA");
    assert_eq!(
        list(&seen, "names"),
        ["api.mall.com", "*.mall.com", "127.0.0.1"]
    );
    assert_eq!(text(&seen, "protocol"), "TLSv1.2");
    assert!(float(&seen, "handshake_ms") > 0.0);

    let seen = get(mall(port, authority.trusting()), &[]).await;
    assert_eq!(text(&seen, "state"), "ok", "{seen:?}");
    assert!(float(&seen, "tls_ms") > 0.0);
    // Without TLS there is no certificate to speak of.
    let seen = certificate(url("http://api.mall.com/")).await;
    assert_eq!(text(&seen, "state"), "not-https");
    assert!(!truth(&seen, "is_https") && none(&seen, "verified"));
}

#[tokio::test]
async fn a_renewed_certificate_differs_in_what_is_compared() {
    let dir = TempDir::new().expect("a directory");
    let authority = Authority::new(dir.path(), "A proper authority");
    let mut all = Vec::new();
    for (file, days) in [("old", 9), ("new", 90)] {
        let wish = Wish {
            days: (-1, days),
            ..Wish::default()
        };
        let paper = authority.issue(file, &wish);
        let port = https(&paper, |_| answer("200 OK", "", "fine"));
        all.push(certificate(mall(port, authority.trusting())).await);
    }
    for (fact, same) in [("serial", false), ("ends", false), ("issuer", true)] {
        let (before, after) = (&all[0].facts[fact], &all[1].facts[fact]);
        assert_eq!(before == after, same, "{fact}: {before} {after}");
    }
}

#[expect(clippy::too_many_lines, reason = "one table of faults")]
#[tokio::test]
async fn each_fault_of_a_certificate_is_told_and_the_answer_behind_it_seen() {
    let dir = TempDir::new().expect("a directory");
    let authority = Authority::new(dir.path(), "Mall CA");
    let stranger = Authority::new(dir.path(), "Stranger CA");
    let usual = Wish::default;
    let cases = [
        (
            "expired",
            authority.issue(
                "a",
                &Wish {
                    days: (-90, -2),
                    ..usual()
                },
            ),
        ),
        (
            "not-yet-valid",
            authority.issue(
                "b",
                &Wish {
                    days: (2, 90),
                    ..usual()
                },
            ),
        ),
        (
            "name-mismatch",
            authority.issue(
                "c",
                &Wish {
                    names: &["www.mall.com"],
                    ..usual()
                },
            ),
        ),
        (
            "self-signed",
            authority.issue(
                "d",
                &Wish {
                    self_signed: true,
                    ..usual()
                },
            ),
        ),
        ("untrusted", stranger.issue("e", &usual())),
        (
            "incomplete-chain",
            stranger.issue(
                "f",
                &Wish {
                    tells_issuer: true,
                    ..usual()
                },
            ),
        ),
    ];
    for (problem, paper) in cases {
        let port = https(&paper, |_| answer("502 Bad Gateway", "", "upstream"));
        let seen = certificate(mall(port, authority.trusting())).await;
        assert_eq!(text(&seen, "state"), "ok", "{problem}: {seen:?}");
        assert_eq!(text(&seen, "problem"), problem, "{seen:?}");
        assert_eq!(list(&seen, "problems").len(), 1, "{seen:?}");
        assert!(!truth(&seen, "verified"));
        assert_eq!(truth(&seen, "expired"), problem == "expired");
        assert_eq!(truth(&seen, "name_matches"), problem != "name-mismatch");
        assert!(!text(&seen, "subject").is_empty() && !list(&seen, "chain").is_empty());
        if problem == "expired" {
            assert!(int(&seen, "days_left") <= -2);
        }
        let seen = get(mall(port, authority.trusting()), &[]).await;
        assert_eq!(text(&seen, "state"), "certificate");
        assert_eq!(text(&seen, "certificate_problem"), problem);
        assert_eq!(int(&seen, "status"), 502);
    }
    // Two at once: both are there.
    let paper = authority.issue(
        "g",
        &Wish {
            names: &["www.mall.com"],
            days: (-9, -1),
            ..usual()
        },
    );
    let port = https(&paper, |_| String::new());
    let seen = certificate(mall(port, authority.trusting())).await;
    assert!(
        truth(&seen, "expired") && !truth(&seen, "name_matches"),
        "{seen:?}"
    );
    // By number there is no name to match but the address among them.
    let paper = authority.issue(
        "h",
        &Wish {
            names: &["127.0.0.1"],
            ..usual()
        },
    );
    let port = https(&paper, |_| String::new());
    let target = UrlTarget {
        tls: Some(authority.trusting()),
        ..url(&format!("https://127.0.0.1:{port}/"))
    };
    assert_eq!(text(&certificate(target).await, "problem"), "none");
}

#[tokio::test]
async fn old_protocols_and_missing_files_are_told() {
    let dir = TempDir::new().expect("a directory");
    let authority = Authority::new(dir.path(), "Mall CA");
    let paper = authority.issue("old", &Wish::default());
    let port = https_up_to(&paper, SslVersion::TLS1_1, |_| String::new());
    let seen = certificate(mall(port, authority.trusting())).await;
    assert_eq!(text(&seen, "state"), "ok", "{}", text(&seen, "detail"));
    assert_eq!(text(&seen, "protocol"), "TLSv1.1");

    let missing = TlsFiles {
        ca: Some(dir.path().join("none.pem")),
        ..TlsFiles::default()
    };
    for probe in ["tls.certificate", "http.get"] {
        let seen = see(&eyes(mall(port, missing.clone())), probe, &[]).await;
        let path = dir.path().join("none.pem").display().to_string();
        assert_eq!(seen, Err(Blind::Unknown(Unseen::NoSuchPath { path })));
    }
}

#[tokio::test]
async fn certificates_of_peers_that_fail() {
    let silent = peer(|stream| {
        sleep(Duration::from_secs(20));
        drop(stream);
    });
    let half = peer(|mut stream| {
        let _ = stream.write_all(&[0x16, 3, 3, 0]);
        sleep(Duration::from_secs(20));
    });
    let garbage = peer(|mut stream| {
        let _ = stream.write_all(&[0xA7; 4_000]);
        sleep(Duration::from_secs(5));
    });
    for (expected, port) in [
        ("refused", free_port()),
        ("tls-timeout", silent),
        ("tls-timeout", half),
        ("reset", peer(drop)),
        ("wrong-protocol", garbage),
        ("wrong-protocol", in_the_clear()),
    ] {
        let began = Instant::now();
        let seen = certificate(url(&format!("https://127.0.0.1:{port}/"))).await;
        assert_eq!(text(&seen, "state"), expected, "{}", text(&seen, "detail"));
        assert!(began.elapsed() < LATEST, "{expected}");
    }
}

#[tokio::test]
async fn connections() {
    let full = Full::new();
    let greeting = peer(|mut stream| {
        let _ = stream.write_all(b"220 mail.test ESMTP\r\nmore");
        sleep(Duration::from_secs(3));
    });
    let connect = async |port: u16, listen: &str| {
        let listen = listen.parse::<jiff::SignedDuration>().expect("a time");
        let listen = ArgValue::Duration(Duration::try_from(listen).expect("a time"));
        let target = url(&format!("tcp://127.0.0.1:{port}"));
        sight(&eyes(target), "tcp.connect", &[("listen", listen)]).await
    };
    let seen = connect(greeting, "1s").await;
    assert_eq!(text(&seen, "state"), "ok");
    assert!(text(&seen, "banner").starts_with("220 mail.test ESMTP"));
    assert!(float(&seen, "connect_ms") >= 0.0);
    let seen = connect(greeting, "0s").await;
    assert!(none(&seen, "banner") && !truth(&seen, "closed_at_once"));
    assert!(truth(&connect(peer(drop), "1s").await, "closed_at_once"));
    assert_eq!(text(&connect(free_port(), "0s").await, "state"), "refused");
    let began = Instant::now();
    assert_eq!(
        text(&connect(full.port, "0s").await, "state"),
        "connect-timeout"
    );
    assert!(began.elapsed() < LATEST);
    let endless = peer(|mut stream| while stream.write_all(&[b'z'; 4096]).is_ok() {});
    let seen = connect(endless, "1s").await;
    assert!(text(&seen, "banner").chars().count() <= 120);
    // A port is no web page.
    let seen = see(&eyes(url("tcp://127.0.0.1:1")), "http.get", &[]).await;
    assert!(matches!(seen, Err(Blind::NotApplicable(_))));
}

#[tokio::test]
async fn a_look_asks_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let port = http(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        answer("500 Internal Server Error", "", "no")
    });
    get(url(&format!("http://127.0.0.1:{port}/")), &[]).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
