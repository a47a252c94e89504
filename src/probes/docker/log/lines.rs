//! A log's bytes as lines, of which the newest are kept.
//!
//! The engine sends frames: one byte for the stream, three zeros, the length in four, then the
//! payload (<https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach>);
//! a container with a terminal sends its output as it is. With timestamps each frame, and there
//! each line, begins with one and a blank.

use std::collections::VecDeque;

use jiff::Timestamp;

/// The most that is kept of one line, in bytes.
const LINE_BYTES: usize = 8 * 1024;

/// The length of a frame's header, in bytes.
const HEADER: usize = 8;

/// The longest timestamp, in bytes: `2026-11-22T20:15:00.123456789+00:00`.
const STAMP_BYTES: usize = 40;

/// One line.
pub(in crate::probes) struct Line {
    /// When it was written.
    pub(in crate::probes) at: Option<Timestamp>,
    bytes: Vec<u8>,
}

impl Line {
    /// Its text, bytes that are no text replaced.
    pub(in crate::probes) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// The newest lines of a log.
pub(in crate::probes) struct Lines {
    most: usize,
    most_bytes: usize,
    kept: VecDeque<Line>,
    kept_bytes: usize,
    open: Option<Line>,
    shape: Shape,
    /// Bytes that have been taken, timestamps and frames included.
    pub(in crate::probes) bytes: usize,
    /// Reading was stopped before the end.
    pub(in crate::probes) overflowed: bool,
    /// Lines were cut or have gone.
    pub(in crate::probes) truncated: bool,
    /// Something is no text.
    pub(in crate::probes) binary: bool,
}

/// Where in the stream the next byte belongs.
enum Shape {
    /// Into a frame's header.
    Header(Vec<u8>),
    /// Into a frame: bytes left of it, and its timestamp until the blank has come.
    Frame(usize, Option<Vec<u8>>),
    /// There are no frames; a line's timestamp until the blank has come.
    Plain(Option<Vec<u8>>),
}

impl Lines {
    /// At most `most` lines, of at most `most_bytes` together.
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        Self {
            most,
            most_bytes,
            kept: VecDeque::new(),
            kept_bytes: 0,
            open: None,
            shape: Shape::Header(Vec::new()),
            bytes: 0,
            overflowed: false,
            truncated: false,
            binary: false,
        }
    }

    /// The lines, the oldest first.
    pub(in crate::probes) fn iter(&self) -> impl Iterator<Item = &Line> {
        self.kept.iter()
    }

    /// Takes what has come.
    pub(super) fn take(&mut self, data: &[u8]) {
        self.bytes += data.len();
        let mut rest = data;
        while let Some(first) = rest.first() {
            // Whatever is neither header nor timestamp goes in one piece.
            let piece = match &mut self.shape {
                Shape::Frame(left, None) => {
                    let size = rest.len().min(*left);
                    *left -= size;
                    if *left == 0 {
                        self.shape = Shape::Header(Vec::new());
                    }
                    size
                }
                Shape::Plain(None) => rest
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(rest.len()),
                _ => 0,
            };
            if piece == 0 {
                self.step(*first);
                rest = rest.get(1..).unwrap_or_default();
            } else {
                let (now, later) = rest.split_at(piece);
                self.push_all(now);
                rest = later;
            }
        }
    }

    /// Takes bytes of lines.
    fn push_all(&mut self, bytes: &[u8]) {
        let mut parts = bytes.split(|byte| *byte == b'\n');
        if let Some(first) = parts.next() {
            self.extend(first);
        }
        for part in parts {
            self.end_line();
            self.extend(part);
        }
    }

    fn extend(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let line = self.open.get_or_insert_with(Line::empty);
        let room = LINE_BYTES.saturating_sub(line.bytes.len());
        line.bytes.extend(bytes.iter().take(room));
        self.truncated |= bytes.len() > room;
    }

    /// There is nothing more: a line without its end is one, too.
    pub(super) fn close(&mut self) {
        if let Shape::Header(head) = &mut self.shape {
            let head = std::mem::take(head);
            self.shape = Shape::Plain(Some(Vec::new()));
            for byte in head {
                self.step(byte);
            }
        }
        self.end_line();
    }

    fn step(&mut self, byte: u8) {
        match &mut self.shape {
            Shape::Header(head) => {
                head.push(byte);
                if !may_be_header(head) {
                    let head = std::mem::take(head);
                    self.shape = Shape::Plain(Some(Vec::new()));
                    for byte in head {
                        self.step(byte);
                    }
                } else if let [_, _, _, _, a, b, c, d] = head[..] {
                    let length = u32::from_be_bytes([a, b, c, d]);
                    self.shape = frame(usize::try_from(length).unwrap_or(usize::MAX));
                }
            }
            Shape::Frame(left, stamp) => {
                *left -= 1;
                let over = *left == 0;
                let taken = stamped(stamp, byte);
                if over {
                    self.shape = Shape::Header(Vec::new());
                }
                self.put(taken);
            }
            Shape::Plain(stamp) => {
                let taken = stamped(stamp, byte);
                if byte == b'\n' {
                    *stamp = Some(Vec::new());
                }
                self.put(taken);
            }
        }
    }

    fn put(&mut self, taken: Taken) {
        match taken {
            Taken::Nothing => {}
            Taken::Stamp(at) => {
                self.open.get_or_insert_with(Line::empty).at = at;
            }
            Taken::Bytes(bytes) => self.push_all(&bytes),
        }
    }

    fn end_line(&mut self) {
        let Some(line) = self.open.take() else {
            return;
        };
        self.binary |= line.bytes.contains(&0) || std::str::from_utf8(whole(&line.bytes)).is_err();
        self.kept_bytes += line.bytes.len();
        self.kept.push_back(line);
        while self.kept.len() > self.most
            || (self.kept_bytes > self.most_bytes && self.kept.len() > 1)
        {
            if let Some(gone) = self.kept.pop_front() {
                self.kept_bytes -= gone.bytes.len();
                self.truncated = true;
            }
        }
    }
}

impl Line {
    fn empty() -> Self {
        Self {
            at: None,
            bytes: Vec::new(),
        }
    }
}

/// A cut line without the character that the cut went through.
fn whole(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => {
            bytes.get(..error.valid_up_to()).unwrap_or(bytes)
        }
        _ => bytes,
    }
}

fn frame(length: usize) -> Shape {
    match length {
        0 => Shape::Header(Vec::new()),
        length => Shape::Frame(length, Some(Vec::new())),
    }
}

fn may_be_header(head: &[u8]) -> bool {
    head.len() <= HEADER
        && head
            .iter()
            .take(4)
            .enumerate()
            .all(|(n, byte)| if n == 0 { *byte <= 2 } else { *byte == 0 })
}

enum Taken {
    Nothing,
    Stamp(Option<Timestamp>),
    Bytes(Vec<u8>),
}

/// A byte of a line that begins with a timestamp, which is collected in `stamp` until its blank.
fn stamped(stamp: &mut Option<Vec<u8>>, byte: u8) -> Taken {
    let Some(collected) = stamp else {
        return Taken::Bytes(vec![byte]);
    };
    if byte == b' ' {
        let parsed = std::str::from_utf8(collected)
            .ok()
            .and_then(|text| text.parse().ok());
        if parsed.is_some() {
            *stamp = None;
            return Taken::Stamp(parsed);
        }
    }
    collected.push(byte);
    // What is no timestamp belongs to the line.
    if byte == b' ' || byte == b'\n' || collected.len() > STAMP_BYTES {
        let bytes = std::mem::take(collected);
        *stamp = None;
        return Taken::Bytes(bytes);
    }
    Taken::Nothing
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
