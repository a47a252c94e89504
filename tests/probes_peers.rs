//! The probes of Redis against peers that refuse, hang, lie, drip or never end.

#![expect(clippy::expect_used, reason = "a test may fail")]

mod probes_common;

use std::{
    io::{Read, Write},
    net::TcpListener,
    time::{Duration, Instant},
};

use handbell::domain::diagnosis::Unseen;
use probes_common::{at, eyes, free_port, see, sight, text, unseen};

async fn state(server: handbell::config::RedisServer) -> String {
    let sighting = sight(&eyes(server), "redis.ping", &[]).await;
    text(&sighting, "state").to_owned()
}

/// A peer that does `act` with each connection, on a thread of its own.
fn peer(act: impl Fn(std::net::TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let act = std::sync::Arc::new(act);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = std::sync::Arc::clone(&act);
            std::thread::spawn(move || act(stream));
        }
    });
    port
}

#[tokio::test]
async fn a_port_where_nobody_listens_refuses() {
    let server = at("127.0.0.1", free_port());
    assert_eq!(state(server.clone()).await, "refused");
    assert!(matches!(
        unseen(&eyes(server), "redis.info").await,
        Unseen::Refused { .. }
    ));
}

#[tokio::test]
async fn a_name_without_address_is_unresolved() {
    let server = at("no-such-host.invalid", 6379);
    assert_eq!(state(server.clone()).await, "unresolved");
    let reason = unseen(&eyes(server), "redis.info").await;
    assert_eq!(
        reason,
        Unseen::Unresolved {
            host: "no-such-host.invalid".to_owned()
        }
    );
}

#[tokio::test]
async fn a_peer_that_accepts_and_is_silent_is_a_reply_timeout() {
    let port = peer(|stream| {
        std::thread::sleep(Duration::from_secs(30));
        drop(stream);
    });
    assert_eq!(state(at("127.0.0.1", port)).await, "reply-timeout");
}

#[tokio::test]
async fn a_peer_that_hangs_up_is_a_reset() {
    let port = peer(drop);
    assert_eq!(state(at("127.0.0.1", port)).await, "reset");
}

#[tokio::test]
async fn a_web_server_is_the_wrong_protocol() {
    let port = peer(|mut stream| {
        let mut asked = [0; 256];
        let _ = stream.read(&mut asked);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
    let ping = sight(&eyes(at("127.0.0.1", port)), "redis.ping", &[]).await;
    assert_eq!(text(&ping, "state"), "wrong-protocol");
    assert!(
        text(&ping, "detail").contains("HTTP/1.1 400"),
        "{}",
        text(&ping, "detail")
    );
}

#[tokio::test]
async fn a_peer_that_sends_one_byte_a_second_is_given_up_in_time() {
    let port = peer(|mut stream| {
        for byte in b"$100000\r\naaaaaaaaaaaaaaaaaaaa" {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    let began = Instant::now();
    assert_eq!(state(at("127.0.0.1", port)).await, "reply-timeout");
    assert!(began.elapsed() < probes_common::LATEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_without_end_is_cut_off() {
    for opening in [&b""[..], b"$104857600\r\n", b"+OK\r\n"] {
        let port = peer(move |mut stream| {
            let block = if opening.starts_with(b"+") {
                b"+OK\r\n".repeat(10_000)
            } else {
                vec![0xA7; 65_536]
            };
            let _ = stream.write_all(opening);
            // 100 MB, as fast as they are taken.
            for _ in 0..2_000 {
                if stream.write_all(&block).is_err() {
                    return;
                }
            }
        });
        let began = Instant::now();
        let state = state(at("127.0.0.1", port)).await;
        println!(
            "{:?}: {state} in {:?}",
            String::from_utf8_lossy(opening),
            began.elapsed()
        );
        assert!(began.elapsed() < probes_common::LATEST);
        let info = see(&eyes(at("127.0.0.1", port)), "redis.info", &[]).await;
        assert!(info.is_err(), "{info:?}");
    }
}
