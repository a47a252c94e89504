//! What the database says → what a person can do about it.

use std::path::Path;

use super::open::ACQUIRE_TIMEOUT;
use crate::{app::StoreError, domain::text::Text};

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
        sqlx::Error::PoolTimedOut => StoreError::Unavailable {
            location,
            detail: unanswered(),
        },
        sqlx::Error::Database(database) => {
            let code = database.code().and_then(|code| code.parse::<u32>().ok());
            let primary = code.map(|code| code & PRIMARY_MASK);
            // On a full disk SQLite's companion files fail first, and all it says then is "I/O error"
            // or "unable to open database file".
            if matches!(primary, Some(IOERR | CANTOPEN)) && file.parent().is_some_and(is_full) {
                return StoreError::Full { location };
            }
            of_code(primary, database.message(), location)
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            damaged(location, &error.to_string())
        }
        _ => StoreError::Unavailable {
            location,
            detail: verbatim(&error.to_string()),
        },
    }
}

/// What a program said, which speaks one language.
fn verbatim(said: &str) -> Text {
    Text::new(said, said)
}

/// No connection within [`ACQUIRE_TIMEOUT`], and no word from the database why.
fn unanswered() -> Text {
    let seconds = ACQUIRE_TIMEOUT.as_secs();
    Text::new(
        format!(
            "it did not answer within {seconds} s; another process holds it, or the disk or the \
             machine is overloaded; try again"
        ),
        format!("{seconds} 秒内没有应答；可能被另一个进程占用，或磁盘、机器过载；请重试"),
    )
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
            detail: Text::new(
                "it is read-only; let the user who runs Handbell write the file and its directory, \
                 or set [store] directory in handbell.toml to another",
                "它是只读的；请让运行 Handbell 的用户可以写该文件及其目录，或在 handbell.toml 中\
                 把 [store] directory 改为别处",
            ),
        },
        Some(CANTOPEN) => StoreError::Unavailable {
            location,
            detail: Text::new(
                "permission denied, or the directory is gone; let the user who runs Handbell read \
                 and write the file and its directory",
                "没有权限，或目录已不存在；请让运行 Handbell 的用户可以读写该文件及其目录",
            ),
        },
        Some(CORRUPT | NOTADB) => damaged(location, message),
        Some(IOERR) => StoreError::Unavailable {
            location,
            detail: Text::new(
                format!(
                    "the disk did not do it ({message}); look whether it is full, over its quota or \
                     failing"
                ),
                format!("磁盘操作失败（{message}）；请检查磁盘是否已满、超出配额或出现故障"),
            ),
        },
        _ => StoreError::Unavailable {
            location,
            detail: verbatim(message),
        },
    }
}

/// The file is not what Handbell wrote.
pub(super) fn damaged(location: String, detail: &str) -> StoreError {
    StoreError::Corrupt {
        detail: Text::new(
            format!(
                "it is damaged or no database of Handbell ({detail}); move {location} and what \
                 stands beside it (-wal, -shm) aside, and Handbell makes a new one, or put a backup \
                 in its place"
            ),
            format!(
                "它已损坏，或不是 Handbell 的数据库（{detail}）；请把 {location} 及其旁边的文件\
                 （-wal、-shm）移走，Handbell 会新建一个，或用备份替换"
            ),
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
        std::io::ErrorKind::PermissionDenied => Text::new(
            "permission denied; let the user who runs Handbell write there, or set [store] \
             directory in handbell.toml to another",
            "没有权限；请让运行 Handbell 的用户可以写入，或在 handbell.toml 中把 [store] directory \
             改为别处",
        ),
        std::io::ErrorKind::ReadOnlyFilesystem => Text::new(
            "the file system is read-only; set [store] directory in handbell.toml to another",
            "文件系统是只读的；请在 handbell.toml 中把 [store] directory 改为别处",
        ),
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::AlreadyExists => Text::new(
            "a part of its path is a file, not a directory; set [store] directory in \
             handbell.toml to another",
            "其路径中有一部分是文件而不是目录；请在 handbell.toml 中把 [store] directory 改为别处",
        ),
        _ => verbatim(&error.to_string()),
    };
    StoreError::Unavailable { location, detail }
}
