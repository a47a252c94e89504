//! Programs of this machine, as argument vectors: never a shell, bounded in time and bytes.

use std::{io, path::Path, process::Stdio};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::{Instant, timeout_at},
};

/// Most that is kept of what a program says of its errors, in bytes.
const ERRORS_BYTES: u64 = 16 * 1024;

/// What a program printed, and how it ended.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Its exit code; none when a signal ended it, or when it was not waited for.
    pub(super) code: Option<i32>,
    /// Its output.
    pub(super) out: Vec<u8>,
    /// Its errors.
    pub(super) err: Vec<u8>,
    /// There was more output than was kept, or the time was up; it was ended then.
    pub(super) cut: bool,
    /// The time was up.
    pub(super) timed_out: bool,
}

impl Done {
    /// Its output as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Its errors as text.
    pub(super) fn errors(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }
}

/// Why a program did not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoRun {
    /// There is none of this name.
    #[error("there is no program {0}")]
    Missing(String),
    /// The operating system refused.
    #[error("{0} can't be started: {1}")]
    Refused(String, io::Error),
}

/// Runs `program` with `words` until `end`, and keeps at most `most` bytes of its output. Its
/// messages are asked for in the language of programs.
///
/// # Errors
/// It could not be started.
pub(super) async fn program(
    program: &Path,
    words: &[&str],
    most: usize,
    end: Instant,
) -> Result<Done, NoRun> {
    let mut command = Command::new(program);
    command.args(words);
    run(command, most, end).await
}

/// The same for a command that is put together already.
///
/// # Errors
/// It could not be started.
pub(super) async fn run(mut command: Command, most: usize, end: Instant) -> Result<Done, NoRun> {
    command
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| {
        let name = command
            .as_std()
            .get_program()
            .to_string_lossy()
            .into_owned();
        match error.kind() {
            io::ErrorKind::NotFound => NoRun::Missing(name),
            _ => NoRun::Refused(name, error),
        }
    })?;
    let mut done = Done::default();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let read = async {
        tokio::join!(
            keep(out, most, &mut done.out),
            keep(err, ERRORS_BYTES, &mut done.err)
        )
    };
    if let Ok((out_whole, _)) = timeout_at(end, read).await {
        done.cut = !out_whole;
    } else {
        (done.cut, done.timed_out) = (true, true);
    }
    if done.cut {
        // It is ended with this value: its output is of no more use.
        return Ok(done);
    }
    match timeout_at(end, child.wait()).await {
        Ok(Ok(status)) => done.code = status.code(),
        _ => done.timed_out = true,
    }
    Ok(done)
}

/// Reads `from` into `into`, at most `most` bytes; says whether that was all.
async fn keep(from: Option<impl AsyncRead + Unpin>, most: u64, into: &mut Vec<u8>) -> bool {
    let Some(from) = from else {
        return true;
    };
    let _ = from.take(most + 1).read_to_end(into).await;
    let whole = into.len() as u64 <= most;
    into.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    whole
}
