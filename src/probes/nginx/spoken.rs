//! What a place that accepts connections speaks, where nginx is told to speak HTTP with it.

use native_tls::TlsConnector;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout_at},
};

use crate::probes::{net, seen::plain};

/// The least question in HTTP: it changes nothing, and has no header that other programs could
/// take for an order of their own.
const QUESTION: &[u8] = b"HEAD / HTTP/1.0\r\n\r\n";

/// How an answer in HTTP begins (RFC 9112, 4).
const ANSWER: &[u8] = b"HTTP/";

/// The statuses with which servers of HTTPS answer to HTTP: 400, and nginx's own before it is
/// turned into that (497).
const UNWELCOME: [&str; 2] = [" 400", " 497"];

/// Kind of a TLS record that tells of an alert (RFC 8446, 5.1).
const TLS_ALERT: u8 = 0x15;

/// What `host` and `port` speaks, when it is surely not HTTP in the clear; none when it is, or is
/// silent until `end`: a slow program is not judged here.
pub(super) async fn no_http(host: &str, port: u16, end: Instant) -> Option<String> {
    let mut stream = net::tcp(host, port, end).await.ok()?;
    timeout_at(end, stream.write_all(QUESTION))
        .await
        .ok()?
        .ok()?;
    let mut head = Vec::new();
    let mut chunk = [0; 64];
    let mut closed = false;
    while head.len() < ANSWER.len() + 16 && !closed {
        match timeout_at(end, stream.read(&mut chunk)).await {
            Ok(Ok(0) | Err(_)) => closed = true,
            Ok(Ok(read)) => head.extend(chunk.iter().take(read)),
            // Not even the beginning: it is slow, or waits for more.
            Err(_) if ANSWER.starts_with(&head) => return None,
            Err(_) => break,
        }
    }
    if head.first() == Some(&TLS_ALERT) {
        return Some("it speaks TLS, and is asked over http://".to_owned());
    }
    let text = String::from_utf8_lossy(&head);
    let spoken = head.starts_with(ANSWER);
    if spoken && !UNWELCOME.iter().any(|status| text.contains(status)) {
        return None;
    }
    if (spoken || head.is_empty()) && speaks_tls(host, port, end).await {
        return Some("it speaks TLS, and is asked over http://".to_owned());
    }
    (!spoken && !head.is_empty()).then(|| {
        format!(
            "it does not speak HTTP; it began with {:?}",
            plain(&text, 40)
        )
    })
}

/// Whether a handshake of TLS comes about, whoever it is with.
async fn speaks_tls(host: &str, port: u16, end: Instant) -> bool {
    let connector = TlsConnector::builder()
        .danger_accept_invalid_certs(true)
        .danger_accept_invalid_hostnames(true)
        .build();
    let (Ok(connector), Ok(stream)) = (connector, net::tcp(host, port, end).await) else {
        return false;
    };
    let connector = tokio_native_tls::TlsConnector::from(connector);
    let shaken = timeout_at(end, connector.connect(host, stream)).await;
    matches!(shaken, Ok(Ok(_)))
}
