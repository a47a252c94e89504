//! A look at a server from outside, byte by byte (RESP2, <https://redis.io/docs/latest/develop/reference/protocol-spec/>):
//! what a port does and how a server answers when it is not well. A client library would hide just that.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::condition::PortState;
use crate::link::Place;

/// How long a connection or an answer may take before it counts as not coming.
const LIMIT: Duration = Duration::from_millis(700);

/// The longest line of an answer that is read, in bytes.
const LINE_BYTES: u64 = 64 * 1024;

/// A connection that speaks no more than lines.
#[derive(Debug)]
pub struct Raw {
    stream: BufReader<TcpStream>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The connection was refused.
    Refused,
    /// It was taken, and closed before an answer.
    Closed,
    /// It was taken, and nothing came in time.
    Silent,
}

impl NoAnswer {
    /// The behaviour of the port that this shows.
    #[must_use]
    pub fn port(&self) -> PortState {
        match self {
            Self::Refused => PortState::Refused,
            Self::Closed => PortState::Closed,
            Self::Silent => PortState::Silent,
        }
    }
}

impl Raw {
    /// Connects, without a word.
    ///
    /// # Errors
    /// When the connection is refused or does not come.
    pub async fn open(place: &Place) -> Result<Self, NoAnswer> {
        Self::at(place.port).await
    }

    async fn at(port: u16) -> Result<Self, NoAnswer> {
        match tokio::time::timeout(LIMIT, TcpStream::connect(("127.0.0.1", port))).await {
            Ok(Ok(stream)) => Ok(Self {
                stream: BufReader::new(stream),
            }),
            Ok(Err(_)) => Err(NoAnswer::Refused),
            Err(_) => Err(NoAnswer::Silent),
        }
    }

    /// Sends a command and reads the first line of its answer, without the line's end.
    ///
    /// # Errors
    /// When none comes within `limit`.
    pub async fn ask<S: AsRef<str>>(
        &mut self,
        words: &[S],
        limit: Duration,
    ) -> Result<String, NoAnswer> {
        match tokio::time::timeout(limit, self.exchange(words)).await {
            Ok(Ok(line)) if !line.is_empty() => Ok(line),
            Ok(_) => Err(NoAnswer::Closed),
            Err(_) => Err(NoAnswer::Silent),
        }
    }

    async fn exchange<S: AsRef<str>>(&mut self, words: &[S]) -> std::io::Result<String> {
        let mut message = format!("*{}\r\n", words.len());
        for word in words {
            let word = word.as_ref();
            message.extend(["$", &word.len().to_string(), "\r\n", word, "\r\n"]);
        }
        self.stream.write_all(message.as_bytes()).await?;
        let mut line = Vec::new();
        tokio::io::AsyncReadExt::take(&mut self.stream, LINE_BYTES)
            .read_until(b'\n', &mut line)
            .await?;
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Whether a connection is taken and kept for a moment (a name server says nothing by itself).
    ///
    /// # Errors
    /// When it is refused or closed at once.
    pub async fn connected(port: u16) -> Result<(), NoAnswer> {
        match Self::at(port).await?.first_byte().await {
            Err(NoAnswer::Silent) | Ok(()) => Ok(()),
            other => other,
        }
    }

    /// Whether a server greets, as a database does.
    ///
    /// # Errors
    /// When it does not.
    pub async fn greeting(port: u16) -> Result<(), NoAnswer> {
        Self::at(port).await?.first_byte().await
    }

    /// Whether something answers a line of HTTP; a server of HTTPS answers it too, with a refusal.
    ///
    /// # Errors
    /// When nothing does.
    pub async fn http(port: u16) -> Result<(), NoAnswer> {
        let mut raw = Self::at(port).await?;
        let sent = raw.stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
        sent.map_err(|_| NoAnswer::Closed)?;
        raw.first_byte().await
    }

    async fn first_byte(&mut self) -> Result<(), NoAnswer> {
        match tokio::time::timeout(LIMIT, self.stream.fill_buf()).await {
            Ok(Ok(bytes)) if !bytes.is_empty() => Ok(()),
            Ok(_) => Err(NoAnswer::Closed),
            Err(_) => Err(NoAnswer::Silent),
        }
    }

    /// Logs in and sends one command; gives the first answer that is an error, or else the command's.
    ///
    /// # Errors
    /// When none comes.
    pub async fn answer(place: &Place, words: &[String]) -> Result<String, NoAnswer> {
        let mut raw = Self::open(place).await?;
        let login = raw.ask(&["AUTH", &place.password], LIMIT).await?;
        let answer = if login.starts_with('-') {
            login
        } else {
            raw.ask(words, LIMIT).await?
        };
        Ok(answer
            .trim_start_matches(['-', '+', ':', '$', '*'])
            .to_owned())
    }
}
