use super::*;

/// A greeting of MariaDB 10.11, as it came from one.
fn mariadb() -> Vec<u8> {
    let mut body = vec![10];
    body.extend(b"5.5.5-10.11.6-MariaDB-0+deb12u1\0");
    body.extend(7_u32.to_le_bytes());
    body.extend(b"abcdefgh\0");
    body.extend(0xf7fe_u16.to_le_bytes());
    body.push(45);
    body.extend(2_u16.to_le_bytes());
    body.extend(0x81ff_u16.to_le_bytes());
    body.push(21);
    body.extend([0; 6]);
    body.extend(29_u32.to_le_bytes());
    body.extend(b"ijklmnopqrst\0");
    body.extend(b"mysql_native_password\0");
    body
}

fn packet(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    let mut packet = vec![length[0], length[1], length[2], 0];
    packet.extend(body);
    packet
}

#[tokio::test]
async fn a_greeting_tells_version_and_number() {
    let sent = packet(&mariadb());
    let heard = greeting(&mut sent.as_slice()).await.unwrap();
    assert_eq!(heard.version, "10.11.6-MariaDB-0+deb12u1");
    assert_eq!(heard.connection_id, 7);
    assert_eq!(heard.packet, sent);
    assert!(!heard.offers_tls);
}

#[tokio::test]
async fn a_greeting_that_ends_early_is_none_and_never_panics() {
    let body = mariadb();
    for length in 1..body.len() {
        let cut = packet(&body[..length]);
        let heard = greeting(&mut cut.as_slice()).await;
        assert!(
            heard.is_err(),
            "{length} of {} bytes: {heard:?}",
            body.len()
        );
    }
}

#[tokio::test]
async fn errors_in_the_place_of_a_greeting_have_number_and_text() {
    for body in [
        &b"\xff\x10\x04Too many connections"[..],
        b"\xff\x10\x04#08004Too many connections",
    ] {
        let heard = greeting(&mut packet(body).as_slice()).await;
        assert_eq!(
            heard,
            Err(Failure::Refused(Said {
                number: 1040,
                text: "Too many connections".to_owned()
            }))
        );
    }
}

#[tokio::test]
async fn other_protocols_are_strangers() {
    for said in [
        &b"SSH-2.0-OpenSSH_9.2p1\r\n"[..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
        b"+OK POP3\r\n",
        b"-DENIED Redis is running in protected mode\r\n",
        b"\0\0\0\0",
    ] {
        let heard = greeting(&mut &*said).await;
        assert!(matches!(heard, Err(Failure::Stranger(_))), "{heard:?}");
    }
}
