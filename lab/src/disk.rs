//! A small disk of the lab's own: ext4 in a file of the state directory, mounted there. Filling it harms nobody.

use std::path::{Path, PathBuf};

use crate::base::run_as_root;
use crate::compose::Bytes;
use crate::error::{LabError, Result};
use crate::lab::Lab;
use crate::process::find_program;

/// The largest disk that a fault may ask for, in bytes.
const MOST_BYTES: u64 = 512 << 20;

/// What is written at a time, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

impl Lab {
    /// Where the disk is mounted.
    #[must_use]
    pub fn disk(&self) -> PathBuf {
        self.settings.state_dir.join("disk")
    }

    fn disk_file(&self) -> PathBuf {
        self.settings.state_dir.join("disk.ext4")
    }

    pub(crate) async fn make_disk(&self, size: Bytes, full: u8, inodes_full: u8) -> Result<()> {
        self.remove_disk().await?;
        let (file, mount, log) = (self.disk_file(), self.disk(), self.disk_log());
        let bytes = size.0.min(MOST_BYTES);
        std::fs::create_dir_all(&mount).map_err(LabError::file("make", &mount))?;
        let made = std::fs::File::create(&file).map_err(LabError::file("write", &file))?;
        made.set_len(bytes)
            .map_err(LabError::file("write", &file))?;
        drop(made);
        let path = file.display().to_string();
        let at = mount.display().to_string();
        // No part of it is kept for root, so that full is full for everybody.
        run_as_root(
            &program("mkfs.ext4")?,
            &["-q", "-F", "-m", "0", &path],
            &log,
        )
        .await?;
        run_as_root(&program("mount")?, &["-o", "loop", &path, &at], &log).await?;
        run_as_root(&program("chmod")?, &["0777", &at], &log).await?;
        use_bytes(&mount, full)?;
        use_inodes(&mount, inodes_full)
    }

    fn disk_log(&self) -> PathBuf {
        self.settings.state_dir.join("disk.log")
    }

    /// Takes the disk away, if there is one.
    ///
    /// # Errors
    /// When it cannot be unmounted.
    pub(crate) async fn remove_disk(&self) -> Result<()> {
        let (file, mount) = (self.disk_file(), self.disk());
        if !file.exists() {
            return Ok(());
        }
        let at = mount.display().to_string();
        let mounted = std::fs::read_to_string("/proc/self/mounts")
            .is_ok_and(|mounts| mounts.contains(&format!(" {at} ")));
        if mounted {
            run_as_root(&program("umount")?, &[&at], &self.disk_log()).await?;
        }
        std::fs::remove_file(&file).map_err(LabError::file("delete", &file))?;
        let _ = std::fs::remove_dir(&mount);
        Ok(())
    }
}

fn program(name: &str) -> Result<PathBuf> {
    find_program(name).ok_or_else(|| LabError::Program {
        program: name.to_owned(),
        why: "is not installed".to_owned(),
    })
}

/// Writes until so much of the disk is in use.
fn use_bytes(mount: &Path, percent: u8) -> Result<()> {
    use std::io::Write;
    let path = mount.join("filler");
    let mut file = std::fs::File::create(&path).map_err(LabError::file("write", &path))?;
    let chunk = vec![b'x'; CHUNK_BYTES];
    loop {
        let seen = rustix::fs::statvfs(mount)
            .map_err(|error| LabError::file("look at", mount)(error.into()))?;
        let used = seen.f_blocks.saturating_sub(seen.f_bavail);
        if used * 100 >= seen.f_blocks * u64::from(percent.min(100)) {
            return Ok(());
        }
        if file
            .write_all(&chunk)
            .and_then(|()| file.sync_data())
            .is_err()
        {
            return Ok(()); // full is what was wanted
        }
    }
}

/// Makes files until so many of the inodes are in use.
fn use_inodes(mount: &Path, percent: u8) -> Result<()> {
    let seen = rustix::fs::statvfs(mount)
        .map_err(|error| LabError::file("look at", mount)(error.into()))?;
    let wanted = seen.f_files * u64::from(percent.min(100)) / 100;
    let directory = mount.join("small");
    if wanted == 0 || std::fs::create_dir_all(&directory).is_err() {
        return Ok(());
    }
    for number in 0..wanted {
        if std::fs::File::create(directory.join(number.to_string())).is_err() {
            break; // used up is what was wanted
        }
    }
    Ok(())
}
