//! Talking to the terminal: results go to standard output, progress to standard error. Nothing else in the
//! lab prints. A broken pipe is no error: whoever closed it wants no more lines.

use std::io::Write;
use std::time::Duration;

/// One line of result on standard output.
pub fn out(line: impl AsRef<str>) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{}", line.as_ref()).and_then(|()| stdout.flush());
}

/// One line of progress or complaint on standard error.
pub fn progress(line: impl AsRef<str>) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "{}", line.as_ref());
}

/// How often [`during`] says that work still goes on.
const STILL_EVERY: Duration = Duration::from_secs(10);

/// Runs long work under a heading, and says every ten seconds that it still goes on.
pub async fn during<T>(heading: &str, work: impl Future<Output = T>) -> T {
    progress(format!("{heading} …"));
    let started = tokio::time::Instant::now();
    let mut tick = tokio::time::interval_at(started + STILL_EVERY, STILL_EVERY);
    tokio::pin!(work);
    loop {
        tokio::select! {
            result = &mut work => return result,
            _ = tick.tick() => progress(format!("  still at it after {} s: {heading}", started.elapsed().as_secs())),
        }
    }
}
