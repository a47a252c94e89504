//! Files of a container, running or not, as the engine hands them out: a tar archive.
//!
//! The engine sends files from their beginning, so this is for what is small (a configuration);
//! the tail of a log is read by a program in the container.
//! <https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerArchive>

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::{client::Engine, encoded, failure::Failure};

/// Size of a block of a tar archive, in bytes (POSIX.1-1988, ustar).
const BLOCK: usize = 512;

/// The header in which the engine tells what a path is.
const STAT: &str = "X-Docker-Container-Path-Stat";

/// Go's mark of a directory and of a symbolic link in a file's mode (package io/fs).
const DIRECTORY: u32 = 1 << 31;
const LINK: u32 = 1 << 27;

/// What a path in a container is.
#[derive(Clone, Debug)]
pub(in crate::probes) struct Stat {
    /// Its size, in bytes.
    pub(in crate::probes) size: u64,
    /// When it was last written.
    pub(in crate::probes) modified: Option<Timestamp>,
    /// It is a directory.
    pub(in crate::probes) directory: bool,
    /// Where it leads when it is a symbolic link.
    pub(in crate::probes) link: Option<String>,
}

#[derive(Deserialize)]
struct RawStat {
    #[serde(default)]
    size: i64,
    #[serde(default)]
    mode: u32,
    #[serde(default)]
    mtime: String,
    #[serde(default, rename = "linkTarget")]
    link: String,
}

/// What `path` in the container `name` is; none when there is no such path.
///
/// # Errors
/// The engine could not be asked.
pub(super) async fn stat(
    engine: &Engine,
    name: &str,
    path: &str,
    end: Instant,
) -> Result<Option<Stat>, Failure> {
    let at = place(name, path);
    let asked = timeout_at(end, engine.head(&at, STAT)).await;
    let header = match asked.map_err(|_| Failure::TimedOut)? {
        Ok(header) => header,
        // A HEAD has no body, so the reason is in the status alone; whether the container is
        // there was seen before.
        Err(Failure::Stranger(_) | Failure::NoContainer | Failure::Said(404, _)) => {
            return Ok(None);
        }
        Err(failure) => return Err(failure),
    };
    let raw: Option<RawStat> = header
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|json| serde_json::from_slice(&json).ok());
    let raw = raw.ok_or_else(|| Failure::Stranger("it does not tell what a path is".to_owned()))?;
    Ok(Some(Stat {
        size: u64::try_from(raw.size).unwrap_or(0),
        modified: raw.mtime.parse().ok(),
        directory: raw.mode & DIRECTORY != 0,
        link: Some(raw.link).filter(|link| raw.mode & LINK != 0 && !link.is_empty()),
    }))
}

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probes) enum Entry {
    /// Its content.
    File(Vec<u8>),
    /// Where a link leads.
    Link(String),
}

/// The files at and below `path` by their absolute paths, at most `most` bytes of archive; the
/// flag says that there was more. None when there is no such path.
///
/// # Errors
/// The engine could not be asked.
pub(super) async fn files(
    engine: &Engine,
    name: &str,
    path: &str,
    most: usize,
    end: Instant,
) -> Result<Option<(BTreeMap<String, Entry>, bool)>, Failure> {
    let work = async {
        let mut body = match engine.open(&place(name, path)).await {
            Ok(body) => body,
            Err(Failure::Said(404, _) | Failure::Stranger(_)) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let mut data = Vec::new();
        let mut cut = false;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Failure::in_chain(&error))?;
            if let Some(new) = frame.data_ref() {
                data.extend_from_slice(new);
            }
            if data.len() > most {
                cut = true;
                break;
            }
        }
        let parent = path.trim_end_matches('/').rsplit_once('/');
        let parent = parent.map_or("", |(parent, _)| parent);
        Ok(Some((unpack(&data, parent), cut)))
    };
    timeout_at(end, work)
        .await
        .unwrap_or(Err(Failure::TimedOut))
}

fn place(name: &str, path: &str) -> String {
    format!(
        "/containers/{}/archive?path={}",
        encoded(name),
        encoded(path)
    )
}

/// The entries of a tar archive below `parent`; what can't be read ends it.
fn unpack(data: &[u8], parent: &str) -> BTreeMap<String, Entry> {
    let mut found = BTreeMap::new();
    let mut rest = data;
    let mut long_name: Option<String> = None;
    let mut long_link: Option<String> = None;
    while let Some(head) = rest.get(..BLOCK) {
        if head.iter().all(|byte| *byte == 0) {
            break;
        }
        let Some(size) = octal(field(head, 124, 12)) else {
            break;
        };
        let blocks = size.div_ceil(BLOCK).saturating_mul(BLOCK);
        let Some(body) = rest.get(BLOCK..BLOCK.saturating_add(size)) else {
            break;
        };
        match head.get(156) {
            // GNU's long names, and POSIX's extended headers.
            Some(b'L') => long_name = Some(text(body)),
            Some(b'K') => long_link = Some(text(body)),
            Some(b'x') => {
                for (key, value) in extended(body) {
                    match key.as_str() {
                        "path" => long_name = Some(value),
                        "linkpath" => long_link = Some(value),
                        _ => {}
                    }
                }
            }
            kind => {
                let name = long_name.take().unwrap_or_else(|| name_of(head));
                let link = long_link
                    .take()
                    .unwrap_or_else(|| text(field(head, 157, 100)));
                let path = format!("{parent}/{}", name.trim_matches('/'));
                match kind {
                    Some(b'0' | 0) => {
                        found.insert(path, Entry::File(body.to_vec()));
                    }
                    Some(b'2') => {
                        found.insert(path, Entry::Link(link));
                    }
                    _ => {}
                }
            }
        }
        rest = rest.get(BLOCK + blocks..).unwrap_or_default();
    }
    found
}

fn field(head: &[u8], from: usize, length: usize) -> &[u8] {
    head.get(from..from + length).unwrap_or_default()
}

fn text(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

fn name_of(head: &[u8]) -> String {
    let (name, prefix) = (text(field(head, 0, 100)), text(field(head, 345, 155)));
    let ustar = field(head, 257, 6) == b"ustar\0";
    if ustar && !prefix.is_empty() {
        format!("{prefix}/{name}")
    } else {
        name
    }
}

fn octal(bytes: &[u8]) -> Option<usize> {
    usize::from_str_radix(text(bytes).trim(), 8).ok()
}

/// `length key=value\n`, one after the other (POSIX.1-2001, pax).
fn extended(body: &[u8]) -> Vec<(String, String)> {
    String::from_utf8_lossy(body)
        .lines()
        .filter_map(|line| {
            let (key, value) = line.split_once(' ')?.1.split_once('=')?;
            Some((key.to_owned(), value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
