//! The first packet of a MySQL server: a greeting, or the error with which it turns a client away.
//!
//! It is read before the client library sees it, since it tells what the library would take for
//! silence: a peer that speaks another protocol.
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>

use tokio::io::{AsyncRead, AsyncReadExt};

use super::failure::{Failure, Said};
use crate::probes::seen::plain;

/// Longest first packet, in bytes: a greeting has about a hundred, an error message at most 512
/// (`MYSQL_ERRMSG_SIZE`).
const FIRST_PACKET_BYTES: usize = 1_024;

/// The bytes before each packet: three of length, one of sequence.
const HEADER_BYTES: usize = 4;

/// Version 10 of the greeting; all servers since 1998 send it.
const PROTOCOL: u8 = 10;

/// The first byte of an error.
const ERROR: u8 = 0xff;

/// The capability of TLS (`CLIENT_SSL`).
const CAPABLE_OF_TLS: u16 = 0x0800;

/// What a server says of itself before anybody logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// The packet as it came, header and all.
    pub(super) packet: Vec<u8>,
    /// The version, without the `5.5.5-` that MariaDB puts before its own for old replicas.
    pub(super) version: String,
    /// The connection's number in the processlist.
    pub(super) connection_id: u64,
    /// Whether it offers TLS.
    pub(super) offers_tls: bool,
}

/// Reads the first packet of `peer`.
///
/// # Errors
/// The peer is no MySQL, turns the client away, or closes.
pub(super) async fn greeting<S: AsyncRead + Unpin>(peer: &mut S) -> Result<Greeting, Failure> {
    let mut header = [0; HEADER_BYTES];
    let mut had = 0;
    while had < HEADER_BYTES {
        let Some(room) = header.get_mut(had..) else {
            break;
        };
        match peer.read(room).await {
            Ok(0) | Err(_) if had == 0 => return Err(Failure::Cut(closed())),
            Ok(0) | Err(_) => return Err(stranger(header.get(..had).unwrap_or_default())),
            Ok(read) => had += read,
        }
    }
    let length =
        usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
    if length == 0 || length > FIRST_PACKET_BYTES {
        let mut shown = header.to_vec();
        let mut more = [0; 64];
        if let Ok(read) = peer.read(&mut more).await {
            shown.extend(more.iter().take(read));
        }
        return Err(stranger(&shown));
    }
    let mut body = vec![0; length];
    if peer.read_exact(&mut body).await.is_err() {
        return Err(Failure::Cut(closed()));
    }
    if body.first() == Some(&ERROR) {
        return Err(Failure::Refused(turned_away(&body)));
    }
    let mut packet = header.to_vec();
    packet.extend(&body);
    parse(&body, packet).ok_or_else(|| stranger(&body))
}

fn closed() -> String {
    "it closed the connection instead of a greeting".to_owned()
}

/// `ERR_Packet` before the capabilities are agreed on: number and text, and since MySQL 5.1 a
/// state between them after `#`.
fn turned_away(body: &[u8]) -> Said {
    let number = match body.get(1..3) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    };
    let text = body.get(3..).unwrap_or_default();
    let text = match text.first() {
        Some(b'#') => text.get(6..).unwrap_or_default(),
        _ => text,
    };
    Said {
        number,
        text: String::from_utf8_lossy(text).into_owned(),
    }
}

/// `HandshakeV10`. Every field up to the last is looked for, so that the library, which trusts
/// lengths, never gets a greeting that ends early.
fn parse(body: &[u8], packet: Vec<u8>) -> Option<Greeting> {
    /// From the connection's number to the end of the second part of the salt: 4 number, 8 salt,
    /// 1 zero, 2 capabilities, 1 collation, 2 status, 2 capabilities, 1 length, 10 reserved,
    /// 13 salt.
    const AFTER_VERSION: usize = 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10 + 13;
    let (&protocol, rest) = body.split_first()?;
    if protocol != PROTOCOL {
        return None;
    }
    let end = rest.iter().position(|byte| *byte == 0)?;
    let version = std::str::from_utf8(rest.get(..end)?).ok()?;
    let rest = rest.get(end + 1..)?;
    // After the salt stands the name of the login's kind, ended by a zero.
    let salt = usize::from(*rest.get(20)?).saturating_sub(9).max(12) + 1;
    let plugin = rest.get(AFTER_VERSION - 13 + salt..)?;
    if !version.starts_with(|c: char| c.is_ascii_digit()) || !plugin.contains(&0) {
        return None;
    }
    let number: [u8; 4] = rest.get(..4)?.try_into().ok()?;
    let capabilities: [u8; 2] = rest.get(13..15)?.try_into().ok()?;
    Some(Greeting {
        packet,
        version: version.strip_prefix("5.5.5-").unwrap_or(version).to_owned(),
        connection_id: u64::from(u32::from_le_bytes(number)),
        offers_tls: u16::from_le_bytes(capabilities) & CAPABLE_OF_TLS != 0,
    })
}

fn stranger(head: &[u8]) -> Failure {
    const TLS_ALERT: u8 = 0x15;
    if head.first() == Some(&TLS_ALERT) {
        return Failure::Stranger("it began with a TLS alert".to_owned());
    }
    let shown = plain(&String::from_utf8_lossy(head), 40);
    Failure::Stranger(format!("it began with {shown:?}"))
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
