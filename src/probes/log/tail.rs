//! A file of this machine, read from its end.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Instant,
};

use jiff::Timestamp;

/// How much is read at a time, in bytes.
const BLOCK: u64 = 256 * 1024;

/// What was read of a file.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Its last bytes.
    pub(super) data: Vec<u8>,
    /// These are all bytes that it has.
    pub(super) whole: bool,
    /// Its size, in bytes.
    pub(super) size: u64,
    /// When it was last written.
    pub(super) modified: Option<Timestamp>,
    /// It became shorter while it was read.
    pub(super) shrank: bool,
}

/// Why there is nothing.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// There is no such file.
    Missing,
    /// Handbell's user may not read it.
    Permission,
    /// It is a directory, a pipe, a device.
    NoFile(&'static str),
    /// The operating system refused otherwise.
    Other(String),
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            io::ErrorKind::PermissionDenied => Self::Permission,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// The last `most` bytes of `path`, or fewer: reading goes back in blocks until `enough` says of
/// what is there that nothing older is wanted, or until `end`.
///
/// # Errors
/// The file can't be read.
pub(super) fn read(
    path: &Path,
    most: u64,
    end: Instant,
    enough: impl Fn(&[u8], Option<Timestamp>) -> bool,
) -> Result<Tail, Obstacle> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        // A pipe would wait for a writer as soon as it is opened.
        let what = if about.is_dir() {
            "a directory"
        } else {
            "no regular file"
        };
        return Err(Obstacle::NoFile(what));
    }
    let mut file = File::open(path)?;
    let about = file.metadata()?;
    let modified = about.modified().ok().and_then(|at| at.try_into().ok());
    let mut tail = Tail {
        size: about.len(),
        modified,
        ..Tail::default()
    };
    let mut from = tail.size;
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    let mut read = 0;
    while from > 0 && read < most && Instant::now() < end {
        let length = BLOCK.min(from).min(most - read);
        from -= length;
        file.seek(SeekFrom::Start(from))?;
        let mut block = Vec::new();
        (&mut file).take(length).read_to_end(&mut block)?;
        // Somebody has emptied it under our eyes: what is left counts.
        tail.shrank |= (block.len() as u64) < length;
        read += length;
        let old = from > 0 && enough(&block, modified);
        blocks.push(block);
        if old {
            break;
        }
    }
    tail.whole = from == 0;
    tail.data = blocks.into_iter().rev().flatten().collect();
    Ok(tail)
}

/// The file that `path` was renamed to when it was rotated, where logrotate's usual name for it is
/// there (`error.log.1`) and it is not compressed.
pub(super) fn rotated(path: &Path) -> Option<PathBuf> {
    let mut name = path.file_name()?.to_owned();
    name.push(".1");
    let older = path.with_file_name(name);
    older.is_file().then_some(older)
}
