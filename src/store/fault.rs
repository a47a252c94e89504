//! What the database says → what a person can do about it.

use std::path::Path;

use crate::app::StoreError;

// SQLite's primary result codes (https://www.sqlite.org/rescode.html).
const PERM: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;

/// An extended code keeps its primary code in the low byte.
const PRIMARY_MASK: u32 = 0xff;

/// `error` of the database `file` in the words of the port.
pub(super) fn of_sqlx(error: &sqlx::Error, file: &Path) -> StoreError {
    let location = file.display().to_string();
    match error {
        sqlx::Error::PoolTimedOut => StoreError::Locked { location },
        sqlx::Error::Database(database) => {
            let code = database.code().and_then(|code| code.parse::<u32>().ok());
            let primary = code.map(|code| code & PRIMARY_MASK);
            // On a full disk SQLite's shared memory fails first, and all it says then is "I/O error".
            if primary == Some(IOERR) && file.parent().is_some_and(is_full) {
                return StoreError::Full { location };
            }
            of_code(primary, database.message(), location)
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            damaged(location, &error.to_string())
        }
        _ => StoreError::Unavailable {
            location,
            detail: error.to_string(),
        },
    }
}

/// Whether `directory` takes no more: tried with a file of its own, which is removed again.
fn is_full(directory: &Path) -> bool {
    use std::io::Write;
    /// What SQLite needs to begin: one piece of shared memory and some pages.
    const TRIED_BYTES: usize = 64 * 1024;
    let path = directory.join(format!(".space-{}", std::process::id()));
    let Ok(mut file) = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
    else {
        return false;
    };
    let written = file
        .write_all(&vec![0; TRIED_BYTES])
        .and_then(|()| file.sync_all());
    drop(file);
    let _ = std::fs::remove_file(&path);
    written.is_err_and(|error| matches!(of_io(&error, &path), StoreError::Full { .. }))
}

fn of_code(code: Option<u32>, message: &str, location: String) -> StoreError {
    match code {
        Some(BUSY | LOCKED) => StoreError::Locked { location },
        Some(FULL) => StoreError::Full { location },
        Some(READONLY | PERM) => StoreError::Unavailable {
            location,
            detail: "it is read-only; let the user who runs Handbell write the file and its \
                     directory, or set [store] directory in handbell.toml to another"
                .to_owned(),
        },
        Some(CANTOPEN) => StoreError::Unavailable {
            location,
            detail: "permission denied, or the directory is gone; let the user who runs Handbell \
                     read and write the file and its directory"
                .to_owned(),
        },
        Some(CORRUPT | NOTADB) => damaged(location, message),
        Some(IOERR) => StoreError::Unavailable {
            location,
            detail: format!(
                "the disk did not do it ({message}); look whether it is full, over its quota or failing"
            ),
        },
        _ => StoreError::Unavailable {
            location,
            detail: message.to_owned(),
        },
    }
}

/// The file is not what Handbell wrote.
pub(super) fn damaged(location: String, detail: &str) -> StoreError {
    StoreError::Corrupt {
        detail: format!(
            "it is damaged or no database of Handbell ({detail}); move {location} and what \
             stands beside it (-wal, -shm) aside, and Handbell makes a new one, or put a backup in \
             its place"
        ),
        location,
    }
}

/// `error` of the file system, met while the state directory or the file was made.
pub(super) fn of_io(error: &std::io::Error, path: &Path) -> StoreError {
    let location = path.display().to_string();
    let detail = match error.kind() {
        std::io::ErrorKind::StorageFull
        | std::io::ErrorKind::QuotaExceeded
        | std::io::ErrorKind::FileTooLarge => {
            return StoreError::Full { location };
        }
        std::io::ErrorKind::PermissionDenied => {
            "permission denied; let the user who runs Handbell write there, or set [store] \
             directory in handbell.toml to another"
                .to_owned()
        }
        std::io::ErrorKind::ReadOnlyFilesystem => {
            "the file system is read-only; set [store] directory in handbell.toml to another"
                .to_owned()
        }
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::AlreadyExists => {
            "a part of its path is a file, not a directory; set [store] directory in \
             handbell.toml to another"
                .to_owned()
        }
        _ => error.to_string(),
    };
    StoreError::Unavailable { location, detail }
}
