//! How payloads travel: text, whole compressed packets, or one zlib stream over the connection.

use axum::extract::ws::Message;
use flate2::{Compress, Compression, FlushCompress};
use serde_json::Value;

/// Payloads below this many bytes are sent as text when the client asked for payload compression.
const PACKET_MIN_BYTES: usize = 1_024;
/// Room that the compressor gets at a time, in bytes.
const CHUNK_BYTES: usize = 16 * 1024;

/// The way of one connection.
pub(crate) struct Codec {
    stream: Option<Compress>,
    packets: bool,
}

impl Codec {
    /// Text, or a zlib stream when the connection's address asked for one.
    pub(crate) fn new(zlib_stream: bool) -> Self {
        Self {
            stream: zlib_stream.then(|| Compress::new(Compression::fast(), true)),
            packets: false,
        }
    }

    /// The client asked for compressed packets in IDENTIFY; over a zlib stream that means nothing.
    pub(crate) fn compress_packets(&mut self) {
        self.packets = self.stream.is_none();
    }

    /// The word of the page's interface.
    pub(crate) fn word(&self) -> &'static str {
        match (&self.stream, self.packets) {
            (Some(_), _) => "zlib-stream",
            (None, true) => "payload",
            (None, false) => "none",
        }
    }

    /// Writes a payload.
    pub(crate) fn encode(&mut self, payload: &Value) -> Message {
        let text = payload.to_string();
        if let Some(stream) = self.stream.as_mut() {
            return Message::Binary(pump(stream, text.as_bytes(), FlushCompress::Sync).into());
        }
        if self.packets && text.len() >= PACKET_MIN_BYTES {
            let mut whole = Compress::new(Compression::fast(), true);
            return Message::Binary(
                pump(&mut whole, text.as_bytes(), FlushCompress::Finish).into(),
            );
        }
        Message::Text(text.into())
    }
}

/// Compresses all of `input` and flushes.
fn pump(stream: &mut Compress, input: &[u8], flush: FlushCompress) -> Vec<u8> {
    let start = stream.total_in();
    let mut out = Vec::new();
    loop {
        out.reserve(CHUNK_BYTES);
        let taken = usize::try_from(stream.total_in() - start).unwrap_or(usize::MAX);
        let rest = input.get(taken..).unwrap_or_default();
        let status = stream.compress_vec(rest, &mut out, flush);
        let all_in =
            usize::try_from(stream.total_in() - start).is_ok_and(|taken| taken >= input.len());
        // Room left over means that nothing is held back.
        if status.is_err() || (all_in && out.len() < out.capacity()) {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;
    use serde_json::json;

    use super::*;

    fn binary(message: Message) -> Vec<u8> {
        match message {
            Message::Binary(bytes) => bytes.to_vec(),
            other => panic!("not binary: {other:?}"),
        }
    }

    #[test]
    fn a_large_packet_is_one_zlib_stream_of_its_own() {
        let mut codec = Codec::new(false);
        codec.compress_packets();
        let payload = json!({"d": (0..20_000).map(|n: u32| n.wrapping_mul(2_654_435_761)).collect::<Vec<_>>()});
        let mut text = String::new();
        ZlibDecoder::new(&binary(codec.encode(&payload))[..])
            .read_to_string(&mut text)
            .expect("whole");
        assert_eq!(text, payload.to_string());
        assert!(matches!(codec.encode(&json!({"op": 11})), Message::Text(_)));
    }

    #[test]
    fn a_stream_carries_on_over_messages_and_each_ends_in_a_flush() {
        let mut codec = Codec::new(true);
        let (first, second) = (json!({"a": "x".repeat(50_000)}), json!({"b": 2}));
        let (one, two) = (binary(codec.encode(&first)), binary(codec.encode(&second)));
        assert!(one.ends_with(&[0, 0, 0xff, 0xff]) && two.ends_with(&[0, 0, 0xff, 0xff]));
        let mut inflate = flate2::Decompress::new(true);
        for (bytes, payload) in [(one, first), (two, second)] {
            let mut out = Vec::with_capacity(200_000);
            inflate
                .decompress_vec(&bytes, &mut out, flate2::FlushDecompress::Sync)
                .expect("a good stream");
            assert_eq!(String::from_utf8(out).expect("text"), payload.to_string());
        }
    }
}
