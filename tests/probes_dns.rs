//! `dns.lookup` against name servers of the test's own: right, disagreeing, failing, silent, lying.

#![expect(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod probes_common;

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::Instant,
};

use handbell::{
    config::{Targets, UrlTarget},
    domain::diagnosis::{Blind, Sighting, Value},
    probes::Probes,
};
use probes_common::{LATEST, free_port, int, none, see, sight, text, truth};

/// What a name server does with each question.
#[derive(Clone)]
enum Does {
    /// Answers A with these and AAAA with nothing.
    Has(Vec<Ipv4Addr>),
    /// The same behind a canonical name.
    Alias(Vec<Ipv4Addr>),
    /// Answers with this code.
    Code(u8),
    /// Sends bytes that are no DNS.
    Rubbish,
    /// Answers another question first.
    OtherFirst(Ipv4Addr),
    /// Says nothing.
    Silent,
}

/// Labels with their lengths.
fn encoded(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.') {
        out.push(u8::try_from(label.len()).expect("a short label"));
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}

/// A name that is the question's, by its place in the message (RFC 1035, 4.1.4).
const ASKED: [u8; 2] = [0xC0, 12];

/// The answer to a question, byte by byte as RFC 1035 has it.
fn reply(asked: &[u8], does: &Does) -> Vec<Vec<u8>> {
    let question = &asked[12..];
    let end = question.iter().position(|byte| *byte == 0).expect("a root") + 5;
    let question = &question[..end];
    let is_a = question[end - 3] == 1;
    let message = |code: u8, id: &[u8], records: Vec<Vec<u8>>| {
        let mut out = id.to_vec();
        out.extend([0x81, 0x80 | code, 0, 1]);
        out.extend(u16::try_from(records.len()).expect("few").to_be_bytes());
        out.extend([0, 0, 0, 0]);
        out.extend(question);
        out.extend(records.concat());
        out
    };
    let record = |name: &[u8], kind: u8, ttl: u8, data: &[u8]| {
        let mut out = name.to_vec();
        out.extend([
            0,
            kind,
            0,
            1,
            0,
            0,
            0,
            ttl,
            0,
            u8::try_from(data.len()).expect("short"),
        ]);
        out.extend(data);
        out
    };
    let id = &asked[..2];
    match does {
        Does::Has(addresses) if is_a => {
            let records = addresses
                .iter()
                .map(|it| record(&ASKED, 1, 60, &it.octets()));
            vec![message(0, id, records.collect())]
        }
        Does::Alias(addresses) => {
            let target = encoded("edge.cdn.test");
            let mut records = vec![record(&ASKED, 5, 30, &target)];
            if is_a {
                records.extend(
                    addresses
                        .iter()
                        .map(|it| record(&target, 1, 20, &it.octets())),
                );
            }
            vec![message(0, id, records)]
        }
        Does::OtherFirst(address) if is_a => vec![
            message(
                0,
                &[id[0] ^ 0xFF, id[1]],
                vec![record(&ASKED, 1, 60, &[6, 6, 6, 6])],
            ),
            message(0, id, vec![record(&ASKED, 1, 60, &address.octets())]),
        ],
        Does::Has(_) | Does::OtherFirst(_) => vec![message(0, id, Vec::new())],
        Does::Code(code) => vec![message(*code, id, Vec::new())],
        Does::Rubbish => vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()],
        Does::Silent => Vec::new(),
    }
}

fn server(does: Does) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = socket.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut space = [0; 1_024];
        while let Ok((read, from)) = socket.recv_from(&mut space) {
            for answer in reply(&space[..read], &does) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    address
}

fn target(resolvers: Vec<SocketAddr>) -> UrlTarget {
    UrlTarget {
        url: "https://api.mall.com/health".to_owned(),
        connect: None,
        tls: None,
        resolvers,
        addresses: Vec::new(),
    }
}

fn eyes(target: UrlTarget) -> Probes {
    let mut targets = Targets::default();
    targets.url.insert("cache".parse().expect("an id"), target);
    Probes::new(targets)
}

async fn lookup(servers: &[Does]) -> Sighting {
    let servers = servers.iter().cloned().map(server).collect();
    let began = Instant::now();
    let seen = sight(&eyes(target(servers)), "dns.lookup", &[]).await;
    assert!(began.elapsed() < LATEST, "{:?}", began.elapsed());
    seen
}

fn list(sighting: &Sighting, fact: &str) -> Vec<String> {
    match &sighting.facts[fact] {
        Value::List(values) => values.iter().map(ToString::to_string).collect(),
        other => panic!("{fact} is {other:?}"),
    }
}

const ONE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const TWO: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 11);

#[tokio::test]
async fn servers_that_agree() {
    let seen = lookup(&[Does::Has(vec![ONE]), Does::Has(vec![ONE])]).await;
    assert_eq!(text(&seen, "state"), "ok", "{seen:?}");
    assert!(truth(&seen, "agree") && none(&seen, "disagreement"));
    assert_eq!(list(&seen, "addresses"), ["203.0.113.10"]);
    assert_eq!(
        (int(&seen, "resolved_count"), int(&seen, "ttl_seconds")),
        (2, 60)
    );
    assert!(none(&seen, "as_expected") && none(&seen, "canonical"));
    // Parts of many addresses, and a delivery network's other ones: no disagreement.
    let seen = lookup(&[Does::Has(vec![ONE, TWO]), Does::Has(vec![TWO])]).await;
    assert!(truth(&seen, "agree"));
    let seen = lookup(&[Does::Alias(vec![ONE]), Does::Alias(vec![TWO])]).await;
    assert!(truth(&seen, "agree"), "{seen:?}");
    assert_eq!(
        (text(&seen, "canonical"), int(&seen, "ttl_seconds")),
        ("edge.cdn.test", 20)
    );
    // An answer to another question is not taken.
    let seen = lookup(&[Does::OtherFirst(ONE)]).await;
    assert_eq!(list(&seen, "addresses"), ["203.0.113.10"]);
}

#[tokio::test]
async fn servers_that_do_not() {
    let seen = lookup(&[Does::Has(vec![ONE]), Does::Has(vec![TWO])]).await;
    assert!(!truth(&seen, "agree"));
    assert!(
        text(&seen, "disagreement").contains("203.0.113.11"),
        "{seen:?}"
    );
    let seen = lookup(&[Does::Has(vec![ONE]), Does::Code(3)]).await;
    assert_eq!(text(&seen, "state"), "ok");
    assert!(!truth(&seen, "agree") && text(&seen, "disagreement").contains("NXDOMAIN"));
    // One that fails says nothing about the name.
    for (does, words) in [
        (Does::Code(2), "SERVFAIL"),
        (Does::Code(5), "REFUSED"),
        (Does::Silent, "no answer in time"),
    ] {
        let seen = lookup(&[Does::Has(vec![ONE]), does]).await;
        assert!(truth(&seen, "agree"), "{seen:?}");
        assert_eq!(int(&seen, "failed_count"), 1);
        assert!(text(&seen, "failing").contains(words), "{seen:?}");
    }
}

#[tokio::test]
async fn every_way_to_have_no_address() {
    for (does, state) in [
        (Does::Code(3), "nxdomain"),
        (Does::Has(Vec::new()), "no-address"),
        (Does::Code(2), "servfail"),
        (Does::Code(5), "refused"),
        (Does::Code(4), "error"),
        (Does::Rubbish, "malformed"),
        (Does::Silent, "timeout"),
    ] {
        let seen = lookup(&[does]).await;
        assert_eq!(text(&seen, "state"), state, "{seen:?}");
        assert!(!text(&seen, "detail").is_empty());
        assert_eq!(int(&seen, "resolved_count"), 0);
    }
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let seen = sight(&eyes(target(vec![nobody])), "dns.lookup", &[]).await;
    assert_eq!(text(&seen, "state"), "unreachable", "{seen:?}");
}

#[tokio::test]
async fn expected_addresses_and_names_that_are_none() {
    let servers = vec![server(Does::Has(vec![TWO]))];
    let expecting = |address| UrlTarget {
        addresses: vec![address],
        ..target(servers.clone())
    };
    let seen = sight(&eyes(expecting(ONE.into())), "dns.lookup", &[]).await;
    assert!(!truth(&seen, "as_expected"));
    assert_eq!(list(&seen, "unexpected"), ["203.0.113.11"]);
    let seen = sight(&eyes(expecting(TWO.into())), "dns.lookup", &[]).await;
    assert!(truth(&seen, "as_expected"));
    for not_a_name in [
        UrlTarget {
            url: "http://127.0.0.1:8000/".to_owned(),
            ..target(Vec::new())
        },
        UrlTarget {
            connect: Some(("127.0.0.1".to_owned(), 1)),
            ..target(Vec::new())
        },
    ] {
        let seen = see(&eyes(not_a_name), "dns.lookup", &[]).await;
        assert!(matches!(seen, Err(Blind::NotApplicable(_))));
    }
    // The system's own way: this machine's hosts file knows itself.
    let own = UrlTarget {
        url: "http://localhost/".to_owned(),
        ..target(Vec::new())
    };
    let seen = sight(&eyes(own), "dns.lookup", &[]).await;
    assert_eq!(text(&seen, "state"), "ok", "{seen:?}");
    assert!(list(&seen, "addresses").contains(&"127.0.0.1".to_owned()));
}
