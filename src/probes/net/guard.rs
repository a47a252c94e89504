//! A stream that remembers how its peer began and stops one that never ends.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// How much of the peer's first words is kept, in bytes: enough for the error with which Redis
/// turns a client away before it has asked, and to recognise another protocol.
const HEAD_BYTES: usize = 512;

/// The most that a peer may send after we last asked something, in bytes. Our own choice: the
/// longest honest answer is a `CLIENT LIST` of 10 000 clients (Redis's default maximum), about 4 MB.
const ANSWER_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Debug, Default)]
struct Heard {
    head: Vec<u8>,
    since_asked: u64,
    endless: bool,
    first_at: Option<Instant>,
}

/// What a [`Guarded`] stream has heard; it can be asked after the stream is gone.
#[derive(Clone, Debug, Default)]
pub(in crate::probes) struct Tap {
    heard: Arc<Mutex<Heard>>,
}

impl Tap {
    /// The peer's first words.
    pub(in crate::probes) fn head(&self) -> Vec<u8> {
        self.with(|heard| heard.head.clone())
    }

    /// Whether the peer was cut off because it would not end.
    pub(in crate::probes) fn endless(&self) -> bool {
        self.with(|heard| heard.endless)
    }

    /// When the peer was first heard.
    pub(in crate::probes) fn first_at(&self) -> Option<Instant> {
        self.with(|heard| heard.first_at)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Heard) -> T) -> T {
        look(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn asked(&self) {
        self.with(|heard| heard.since_asked = 0);
    }

    /// Takes note of `bytes`; says whether that was too much.
    fn note(&self, bytes: &[u8]) -> bool {
        self.with(|heard| {
            if !bytes.is_empty() && heard.first_at.is_none() {
                heard.first_at = Some(Instant::now());
            }
            let room = HEAD_BYTES.saturating_sub(heard.head.len());
            heard.head.extend(bytes.iter().take(room));
            heard.since_asked += bytes.len() as u64;
            heard.endless |= heard.since_asked > ANSWER_BYTES;
            heard.endless
        })
    }
}

/// A stream with a [`Tap`].
#[derive(Debug)]
pub(in crate::probes) struct Guarded<S> {
    inner: S,
    tap: Tap,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guarded<S> {
    /// `inner`, heard by the tap.
    pub(in crate::probes) fn new(inner: S) -> (Self, Tap) {
        let tap = Tap::default();
        (
            Self {
                inner,
                tap: tap.clone(),
            },
            tap,
        )
    }

    /// A peer that closes says why before it does: when writing fails, what it said is still
    /// there to be read.
    fn last_words(&mut self, context: &mut Context<'_>) {
        let mut space = [0; HEAD_BYTES];
        let mut buffer = ReadBuf::new(&mut space);
        if let Poll::Ready(Ok(())) = Pin::new(&mut self.inner).poll_read(context, &mut buffer) {
            self.tap.note(buffer.filled());
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = polled
            && let Some(new) = buffer.filled().get(before..)
            && self.tap.note(new)
        {
            return Poll::Ready(Err(io::Error::other("the peer's answer has no end")));
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.tap.asked();
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        if let Poll::Ready(Err(_)) = polled {
            self.last_words(context);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
