//! Labs side by side see what the others do to the machine: a full disk is everybody's. Whoever breaks the machine itself
//! is alone with it meanwhile.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{LabError, Result};
use crate::settings::Settings;

/// How often one looks whether the machine is free.
const LOOK: Duration = Duration::from_millis(100);

/// A part in the machine, until it is dropped.
#[derive(Debug)]
pub struct Part(#[expect(dead_code, reason = "the lock goes with the file")] File);

/// Waits for a part in the machine: beside others who leave it as it is, or alone.
///
/// # Errors
/// When the file of the lock cannot be made or locked.
pub async fn take(settings: &Settings, alone: bool) -> Result<Part> {
    let (path, file) = open(settings)?;
    // Somebody who waits to be alone comes in before those who would only stay.
    if !alone {
        tokio::time::sleep(2 * LOOK).await;
    }
    loop {
        let locked = if alone {
            file.try_lock()
        } else {
            file.try_lock_shared()
        };
        match locked {
            Ok(()) => return Ok(Part(file)),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOOK).await,
            Err(TryLockError::Error(error)) => return Err(LabError::file("lock", &path)(error)),
        }
    }
}

fn open(settings: &Settings) -> Result<(PathBuf, File)> {
    let directory = &settings.cache_dir;
    std::fs::create_dir_all(directory).map_err(LabError::file("make", directory))?;
    let path = directory.join("machine.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(LabError::file("open", &path))?;
    Ok((path, file))
}
