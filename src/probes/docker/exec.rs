//! A program in a running container, for what only the inside can tell.
//!
//! The engine's interface for this is a POST, and what is started here only ever reads: the words
//! are constants of the probes, with paths from the configuration among them, and no shell is
//! between (<https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Exec>).

use http_body_util::BodyExt;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::{client::Engine, failure::Failure};
use crate::probes::seen::plain;

/// Length of a frame's header, in bytes (`ContainerAttach` in the engine's interface).
const HEADER: usize = 8;

/// Most that is kept of what a program says of its errors, in bytes.
const ERRORS_BYTES: usize = 64 * 1024;

/// Most that is told of why a program failed, in characters.
const WHY_CHARS: usize = 200;

/// What a program printed, and how it ended.
#[derive(Debug, Default)]
pub(in crate::probes) struct Said {
    /// Its exit code; none when it was not waited for to the end.
    pub(in crate::probes) code: Option<i64>,
    /// Its output.
    pub(in crate::probes) out: Vec<u8>,
    /// Its errors.
    pub(in crate::probes) err: Vec<u8>,
    /// There was more than was kept.
    pub(in crate::probes) cut: bool,
}

impl Said {
    /// Its errors as text.
    pub(in crate::probes) fn errors(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }

    /// Why it failed, in one line: what it said, or else how it ended.
    pub(in crate::probes) fn why(&self) -> String {
        let said = plain(self.errors().trim(), WHY_CHARS);
        match self.code {
            _ if !said.is_empty() => said,
            Some(code) => format!("the program that reads it ended with exit code {code}"),
            None => "the program that reads it did not end in time".to_owned(),
        }
    }

    /// Whether the container has no such program: exit code 126 or 127 and the runtime's words.
    pub(in crate::probes) fn is_not_there(&self) -> bool {
        let said = [&self.out[..], &self.err[..]].concat();
        matches!(self.code, Some(126 | 127)) && is_missing(&String::from_utf8_lossy(&said))
    }
}

/// What the runtime says when there is no such program; other failures to start one are those of a
/// container that ends at this moment.
fn is_missing(said: &str) -> bool {
    said.contains("executable file not found") || said.contains("no such file or directory")
}

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "Id")]
    id: String,
}

#[derive(Deserialize)]
struct Ended {
    #[serde(rename = "ExitCode")]
    code: Option<i64>,
}

/// Runs `words` in the container `name` until `end` and keeps at most `most` bytes of its output.
///
/// # Errors
/// The engine could not be asked, or the container does not run (status 409).
pub(super) async fn run(
    engine: &Engine,
    name: &str,
    words: &[&str],
    most: usize,
    end: Instant,
) -> Result<Said, Failure> {
    let work = async {
        let body = serde_json::json!({ "AttachStdout": true, "AttachStderr": true, "Cmd": words });
        let path = format!("/containers/{}/exec", super::encoded(name));
        let made: Made = engine.post_json(&path, &body).await?;
        let start = serde_json::json!({ "Detach": false, "Tty": false });
        let path = format!("/exec/{}/start", made.id);
        let mut stream = match engine.post(&path, &start).await {
            Ok(stream) => stream,
            // Some versions say in the answer, others in the stream, that there is no such program.
            Err(Failure::Said(_, message)) if is_missing(&message) => {
                return Ok(Said {
                    code: Some(127),
                    err: message.into_bytes(),
                    ..Said::default()
                });
            }
            Err(failure) => return Err(failure),
        };
        let mut said = Said::default();
        let mut frames = Frames::default();
        while let Some(frame) = stream.frame().await {
            let frame = frame.map_err(|error| Failure::in_chain(&error))?;
            if let Some(data) = frame.data_ref() {
                frames.take(data, most, &mut said);
            }
            if said.cut {
                return Ok(said);
            }
        }
        let ended: Ended = engine.get_json(&format!("/exec/{}/json", made.id)).await?;
        said.code = ended.code;
        Ok(said)
    };
    timeout_at(end, work)
        .await
        .unwrap_or(Err(Failure::TimedOut))
}

/// Where in the stream of frames the next byte belongs.
#[derive(Default)]
struct Frames {
    head: Vec<u8>,
    left: usize,
    errors: bool,
}

impl Frames {
    fn take(&mut self, data: &[u8], most: usize, said: &mut Said) {
        let mut rest = data;
        while !rest.is_empty() {
            if self.left == 0 {
                let (now, later) = rest.split_at(rest.len().min(HEADER - self.head.len()));
                self.head.extend(now);
                rest = later;
                if let [stream, _, _, _, a, b, c, d] = self.head[..] {
                    self.errors = stream == 2;
                    let length = u32::from_be_bytes([a, b, c, d]);
                    self.left = usize::try_from(length).unwrap_or(usize::MAX);
                    self.head.clear();
                }
                continue;
            }
            let (now, later) = rest.split_at(rest.len().min(self.left));
            self.left -= now.len();
            rest = later;
            if self.errors {
                let room = ERRORS_BYTES.saturating_sub(said.err.len());
                said.err.extend(now.iter().take(room));
            } else {
                let room = most.saturating_sub(said.out.len());
                said.cut |= now.len() > room;
                said.out.extend(now.iter().take(room));
            }
        }
    }
}
