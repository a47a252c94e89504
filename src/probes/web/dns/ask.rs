//! One DNS server is asked for one name.

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hickory_resolver::proto::{
    op::{Message, MessageType, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::{Instant, timeout_at},
};

/// Largest answer over UDP that is taken, in bytes; whoever sends more is cut and says so.
const UDP_BYTES: usize = 4_096;

/// How often a question is sent over UDP, which may lose it, until it counts as not answered.
const ATTEMPTS: u32 = 3;

/// How many records of one answer are looked at.
const RECORDS: usize = 64;

/// What one server says about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// It has these addresses.
    Addresses(Records),
    /// There is no such name (RFC 1035, 4.1.1: name error).
    NoSuchName,
    /// The name is there, an address is not (RFC 2308, 2.2).
    NoAddress,
    /// The server could not find out.
    ServFail,
    /// The server would not say.
    Refused,
    /// Another error of the server.
    Error(String),
    /// Nothing listens there, or there is no way.
    Unreachable(String),
    /// What came is no DNS.
    Garbage,
    /// Nothing came in time.
    Silent,
}

/// The records of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) addresses: BTreeSet<IpAddr>,
    /// The name that the asked one stands for at last.
    pub(super) canonical: Option<String>,
    /// How long the answer may be kept, in seconds: the least of all its records.
    pub(super) ttl: Option<u32>,
}

impl Reply {
    /// The word for it.
    pub(super) fn state(&self) -> &'static str {
        match self {
            Self::Addresses(_) => "ok",
            Self::NoSuchName => "nxdomain",
            Self::NoAddress => "no-address",
            Self::ServFail => "servfail",
            Self::Refused => "refused",
            Self::Error(_) => "error",
            Self::Unreachable(_) => "unreachable",
            Self::Garbage => "malformed",
            Self::Silent => "timeout",
        }
    }

    /// The answer for a reader.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Addresses(records) => {
                let mut shown: Vec<String> =
                    records.addresses.iter().map(ToString::to_string).collect();
                if let Some(canonical) = &records.canonical {
                    shown.push(format!("as {canonical}"));
                }
                if let Some(ttl) = records.ttl {
                    shown.push(format!("TTL {ttl} s"));
                }
                shown.join(", ")
            }
            Self::NoSuchName => "NXDOMAIN".to_owned(),
            Self::NoAddress => "no address (NOERROR, no data)".to_owned(),
            Self::ServFail => "SERVFAIL".to_owned(),
            Self::Refused => "REFUSED".to_owned(),
            Self::Error(said) => said.clone(),
            Self::Unreachable(detail) => format!("not reachable: {detail}"),
            Self::Garbage => "what it answers is no DNS".to_owned(),
            Self::Silent => "no answer in time".to_owned(),
        }
    }

    /// Whether it is an answer about the name and no failure to give one.
    pub(super) fn is_definite(&self) -> bool {
        matches!(
            self,
            Self::Addresses(_) | Self::NoSuchName | Self::NoAddress
        )
    }

    /// The answers for addresses of both kinds as one.
    fn merged(v4: Self, v6: Self) -> Self {
        match (v4, v6) {
            (Self::Addresses(mut one), Self::Addresses(other)) => {
                one.addresses.extend(other.addresses);
                one.canonical = one.canonical.or(other.canonical);
                one.ttl = one.ttl.into_iter().chain(other.ttl).min();
                Self::Addresses(one)
            }
            (found @ Self::Addresses(_), _) | (_, found @ Self::Addresses(_)) => found,
            (Self::NoAddress, other) | (other, _) => other,
        }
    }
}

/// Asks `server` for the addresses of `host` until `end`.
pub(super) async fn ask(server: SocketAddr, host: &str, end: Instant) -> (Reply, Duration) {
    let began = Instant::now();
    let Ok(mut name) = Name::from_utf8(host) else {
        return (Reply::NoSuchName, Duration::ZERO);
    };
    name.set_fqdn(true);
    let (v4, v6) = tokio::join!(
        one(server, &name, RecordType::A, end),
        one(server, &name, RecordType::AAAA, end),
    );
    (Reply::merged(v4, v6), began.elapsed())
}

async fn one(server: SocketAddr, name: &Name, kind: RecordType, end: Instant) -> Reply {
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(name.clone(), kind));
    let Ok(bytes) = question.to_vec() else {
        return Reply::NoSuchName;
    };
    match over_udp(server, &question, &bytes, end).await {
        Ok(answer) if answer.metadata.truncation => {
            match timeout_at(end, over_tcp(server, &bytes)).await {
                Ok(Some(whole)) if answers(&whole, &question) => told(&whole, kind),
                // A part is better than nothing.
                _ => told(&answer, kind),
            }
        }
        Ok(answer) => told(&answer, kind),
        Err(reply) => reply,
    }
}

async fn over_udp(
    server: SocketAddr,
    question: &Message,
    bytes: &[u8],
    end: Instant,
) -> Result<Message, Reply> {
    let unreachable = |error: std::io::Error| Reply::Unreachable(error.to_string());
    let own: SocketAddr = if server.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(own).await.map_err(unreachable)?;
    // Connected, so that answers of others are dropped and a closed port is told.
    socket.connect(server).await.map_err(unreachable)?;
    let mut space = vec![0; UDP_BYTES];
    let mut silence = Reply::Silent;
    for attempt in 0..ATTEMPTS {
        socket.send(bytes).await.map_err(|error| refused(&error))?;
        let left = end.saturating_duration_since(Instant::now());
        let until = Instant::now() + left / (ATTEMPTS - attempt);
        loop {
            match timeout_at(until, socket.recv(&mut space)).await {
                Ok(Ok(read)) => match Message::from_vec(space.get(..read).unwrap_or_default()) {
                    Ok(answer) if answers(&answer, question) => return Ok(answer),
                    // Late, forged, or no DNS at all: the true answer may come still.
                    _ => silence = Reply::Garbage,
                },
                Ok(Err(error)) => return Err(refused(&error)),
                Err(_) => break,
            }
        }
    }
    Err(silence)
}

fn refused(error: &std::io::Error) -> Reply {
    Reply::Unreachable(if error.kind() == ErrorKind::ConnectionRefused {
        "nothing listens there".to_owned()
    } else {
        error.to_string()
    })
}

/// The same over TCP, where answers have no limit but their length's two bytes (RFC 1035, 4.2.2).
async fn over_tcp(server: SocketAddr, bytes: &[u8]) -> Option<Message> {
    let mut stream = TcpStream::connect(server).await.ok()?;
    let length = u16::try_from(bytes.len()).ok()?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend(bytes);
    stream.write_all(&framed).await.ok()?;
    let mut answer = vec![0; usize::from(stream.read_u16().await.ok()?)];
    stream.read_exact(&mut answer).await.ok()?;
    Message::from_vec(&answer).ok()
}

/// Whether `answer` is one to `question` (RFC 5452, 9.1).
fn answers(answer: &Message, question: &Message) -> bool {
    let same = match (answer.queries.first(), question.queries.first()) {
        (Some(theirs), Some(ours)) => {
            theirs.query_type() == ours.query_type()
                && theirs.name().to_lowercase() == ours.name().to_lowercase()
        }
        // Servers that fail may leave the question out.
        (None, _) => answer.metadata.response_code != ResponseCode::NoError,
        _ => false,
    };
    answer.metadata.id == question.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && same
}

fn told(answer: &Message, kind: RecordType) -> Reply {
    match answer.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => return Reply::NoSuchName,
        ResponseCode::ServFail => return Reply::ServFail,
        ResponseCode::Refused => return Reply::Refused,
        other => return Reply::Error(format!("error {}: {other}", u16::from(other))),
    }
    let mut records = Records::default();
    for record in answer.answers.iter().take(RECORDS) {
        match &record.data {
            RData::A(address) if kind == RecordType::A => {
                records.addresses.insert(IpAddr::V4(address.0));
            }
            RData::AAAA(address) if kind == RecordType::AAAA => {
                records.addresses.insert(IpAddr::V6(address.0));
            }
            RData::CNAME(name) => {
                let name = name.0.to_utf8();
                records.canonical = Some(name.trim_end_matches('.').to_owned());
            }
            _ => continue,
        }
        records.ttl = records.ttl.into_iter().chain([record.ttl]).min();
    }
    if records.addresses.is_empty() {
        Reply::NoAddress
    } else {
        Reply::Addresses(records)
    }
}
