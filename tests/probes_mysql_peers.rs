//! The probes of MySQL against peers that refuse, hang, lie, drip or never end, told in both languages.

#![expect(clippy::expect_used, reason = "a test may fail")]

mod probes_common;

use std::{
    io::Write,
    net::TcpListener,
    time::{Duration, Instant},
};

use handbell::domain::diagnosis::Unseen;
use probes_common::{
    free_port,
    mysql::{at, db_eyes, db_sight, db_unseen},
    text,
};

async fn state(port: u16) -> String {
    let sighting = db_sight(&db_eyes(at(port)), "mysql.ping", &[]).await;
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

/// A peer that says `words` and stays.
fn says(words: &'static [u8]) -> u16 {
    peer(move |mut stream| {
        let _ = stream.write_all(words);
        std::thread::sleep(Duration::from_secs(30));
    })
}

#[tokio::test]
async fn each_way_to_fail_has_its_own_word() {
    assert_eq!(state(free_port()).await, "refused");
    assert_eq!(state(peer(drop)).await, "reset");
    assert_eq!(
        state(says(b"SSH-2.0-OpenSSH_9.2p1\r\n")).await,
        "wrong-protocol"
    );
    assert_eq!(
        state(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await,
        "wrong-protocol"
    );
    assert_eq!(
        state(says(b"\x17\0\0\0\xff\x10\x04Too many connections")).await,
        "too-many-connections"
    );
    let blocked = b"\x1b\0\0\0\xff\x69\x04Host '10.0.0.1' is blocked";
    assert_eq!(state(says(blocked)).await, "host-blocked");
    assert_eq!(
        state(says(b"\x0b\0\0\0\xff\x6a\x04not here")).await,
        "host-not-allowed"
    );
}

#[tokio::test]
async fn a_silent_and_a_dripping_peer_are_given_up_in_time() {
    let silent = peer(|stream| {
        std::thread::sleep(Duration::from_secs(30));
        drop(stream);
    });
    let dripping = peer(|mut stream| {
        for byte in b"\x50\0\0\0\x0a8.0.36" {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    for port in [silent, dripping] {
        let began = Instant::now();
        assert_eq!(state(port).await, "reply-timeout");
        assert!(began.elapsed() < probes_common::LATEST);
    }
    let reason = db_unseen(&db_eyes(at(silent)), "mysql.variables", &[]).await;
    assert!(matches!(reason, Unseen::TimedOut { .. }), "{reason:?}");
    let said = reason.say();
    assert!(said.en.contains("timed out") && said.zh.contains("超时"));
}

/// A greeting as a server sends it, and then a lie in the place of each answer.
#[tokio::test]
async fn a_peer_that_lies_after_its_greeting_is_no_mysql() {
    let mut body = b"\x0a8.0.36\0\x07\0\0\0abcdefgh\0\xff\xf7\x2d\x02\0\xff\xdf\x15".to_vec();
    body.extend([0; 10]);
    body.extend(b"ijklmnopqrst\0mysql_native_password\0");
    // Without TLS among the capabilities.
    let place = body
        .windows(2)
        .position(|two| two == b"\xff\xf7")
        .expect("capabilities");
    body[place + 1] = 0xf7 & !0x08;
    let length = u8::try_from(body.len()).expect("a short greeting");
    for lie in [
        &b"\x01\0\0\x02\xfe"[..],
        b"\x02\0\0\x02\x01\x04",
        b"\x01\0\0\x02\x42",
        b"\xff\xff\xff\x02\0\0",
    ] {
        let mut words = vec![length, 0, 0, 0];
        words.extend(&body);
        let port = peer(move |mut stream| {
            let _ = stream.write_all(&words);
            let _ = stream.write_all(lie);
            std::thread::sleep(Duration::from_secs(30));
        });
        let began = Instant::now();
        let state = state(port).await;
        assert!(began.elapsed() < probes_common::LATEST);
        assert!(
            ["wrong-protocol", "reply-timeout", "reset", "login-method"].contains(&state.as_str()),
            "{lie:?}: {state}"
        );
    }
}
