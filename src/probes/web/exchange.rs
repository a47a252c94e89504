//! One question in HTTP/1.1 and its answer, bounded in time and size, each part timed.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::{
    HeaderMap, Method, Request,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{ACCEPT, CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{
    task::AbortHandle,
    time::{Instant, timeout_at},
};

use super::trouble::{Trouble, stranger};
use crate::probes::{
    net::{Guarded, Stream, Tap},
    seen::plain,
};

/// Longest head of an answer, in bytes. Our own choice: four times what Nginx lets an upstream
/// send unless told otherwise (`proxy_buffer_size`, 8 KiB).
const HEAD_BYTES: usize = 32 * 1024;

/// As whom we ask.
const AGENT: &str = concat!("handbell/", env!("CARGO_PKG_VERSION"));

/// What is asked.
pub(in crate::probes) struct Question<'a> {
    pub(in crate::probes) method: Method,
    /// The `Host` header.
    pub(in crate::probes) host: &'a str,
    /// Path and query.
    pub(in crate::probes) path: &'a str,
    /// More headers.
    pub(in crate::probes) headers: &'a [(&'static str, String)],
    /// How much of the body is read, in bytes.
    pub(in crate::probes) most_bytes: usize,
}

/// How the body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probes) enum BodyEnd {
    /// It came whole.
    Whole,
    /// There was more than is read.
    TooLong,
    /// The connection ended before it did.
    Cut,
    /// It was not there in time.
    TimedOut,
}

/// What was answered.
pub(in crate::probes) struct Answer {
    pub(in crate::probes) status: u16,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub(in crate::probes) version: &'static str,
    pub(in crate::probes) headers: HeaderMap,
    pub(in crate::probes) body: Vec<u8>,
    pub(in crate::probes) body_end: BodyEnd,
    /// From the question to the first byte of the answer.
    pub(in crate::probes) first_byte: Duration,
    /// From there to the end of the body, or until it was given up.
    pub(in crate::probes) rest: Duration,
}

impl Answer {
    /// The header `name` as one plain line.
    pub(in crate::probes) fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(plain(&String::from_utf8_lossy(value.as_bytes()), 200))
    }
}

/// Ends the task that carries the connection with the look.
struct Carrier(AbortHandle);

impl Drop for Carrier {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks over `stream` and waits until `end`.
///
/// # Errors
/// There is no answer. A body that is cut or late is an answer still.
pub(in crate::probes) async fn ask<S: Stream + 'static>(
    stream: S,
    question: &Question<'_>,
    end: Instant,
) -> Result<Answer, Trouble> {
    let (stream, tap) = Guarded::new(stream);
    let request = request(question)?;
    let opened = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(stream));
    let (mut sender, connection) = match timeout_at(end, opened).await {
        Ok(opened) => opened.map_err(|error| failed(&error, &tap))?,
        Err(_) => return Err(Trouble::Silent),
    };
    let _carrier = Carrier(tokio::spawn(connection).abort_handle());
    let asked = Instant::now();
    let answered = match timeout_at(end, sender.send_request(request)).await {
        Ok(answered) => answered.map_err(|error| failed(&error, &tap))?,
        // Something came, and it was no end of a head.
        Err(_) if is_strange(&tap.head()) => return Err(stranger("HTTP", &tap.head())),
        Err(_) => return Err(Trouble::Silent),
    };
    let first = tap.first_at().unwrap_or_else(Instant::now);
    let (head, incoming) = answered.into_parts();
    let (body, body_end) = read(incoming, question.most_bytes, end).await;
    Ok(Answer {
        status: head.status.as_u16(),
        version: if head.version == hyper::Version::HTTP_10 {
            "HTTP/1.0"
        } else {
            "HTTP/1.1"
        },
        headers: head.headers,
        body,
        body_end,
        first_byte: first.saturating_duration_since(asked),
        rest: first.elapsed(),
    })
}

fn request(question: &Question<'_>) -> Result<Request<Empty<Bytes>>, Trouble> {
    // The configuration and the linter let nothing through that is no header and no path.
    let wrong = |what: &str| Trouble::Stranger(format!("{what} can't be sent over HTTP"));
    let mut request = Request::builder()
        .method(question.method.clone())
        .uri(question.path)
        .header(HOST, question.host)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|_| wrong(question.path))?;
    for (name, value) in question.headers {
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong(name))?;
        value.set_sensitive(*name == "authorization");
        request
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

async fn read(mut incoming: Incoming, most: usize, end: Instant) -> (Vec<u8>, BodyEnd) {
    let mut body = Vec::new();
    loop {
        match timeout_at(end, incoming.frame()).await {
            Ok(Some(Ok(frame))) => {
                let Some(data) = frame.data_ref() else {
                    continue;
                };
                let room = most.saturating_sub(body.len());
                body.extend(data.iter().take(room));
                if data.len() > room {
                    return (body, BodyEnd::TooLong);
                }
            }
            Ok(Some(Err(_))) => return (body, BodyEnd::Cut),
            Ok(None) => return (body, BodyEnd::Whole),
            Err(_) => return (body, BodyEnd::TimedOut),
        }
    }
}

fn failed(error: &hyper::Error, tap: &Tap) -> Trouble {
    let head = tap.head();
    if tap.endless() || is_strange(&head) {
        return stranger("HTTP", &head);
    }
    if head.is_empty() {
        // Not a byte: a clean end is silence, everything else a cut.
        return if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            Trouble::Empty
        } else {
            Trouble::Cut(in_chain(error))
        };
    }
    if error.is_incomplete_message() || error.is_closed() {
        return Trouble::Cut("it was closed in the middle of the answer's head".to_owned());
    }
    if error.is_parse() || error.is_parse_too_large() {
        return Trouble::Stranger(format!(
            "HTTP was expected; the head of the answer can't be read ({})",
            in_chain(error)
        ));
    }
    Trouble::Cut(in_chain(error))
}

/// Whether these first words are none of HTTP.
fn is_strange(head: &[u8]) -> bool {
    const BEGINNING: &[u8] = b"HTTP/1.";
    let compared = head.len().min(BEGINNING.len());
    head.get(..compared) != BEGINNING.get(..compared)
}

/// The innermost reason.
fn in_chain(error: &hyper::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
