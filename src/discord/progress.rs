//! The reply while a diagnosis runs: at most one edit a second, never two at once.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{deliver::Reply, words};
use crate::app::Progress;

/// News that may wait to be shown; older news is worth nothing, so few are enough.
pub(super) const CAPACITY: usize = 64;
/// Nothing is shown before this: most runs have ended by then, and one edit is enough for them.
const FIRST_AFTER: Duration = Duration::from_millis(800);
/// The least time between two edits.
const EVERY: Duration = Duration::from_secs(1);
/// How long the report waits for an edit that is on its way.
const GRACE: Duration = Duration::from_millis(1_500);

/// Shows in `reply` how far the run of so many checks is, until `news` ends.
pub(super) async fn follow(
    reply: &Reply,
    run: Option<(String, usize)>,
    mut news: mpsc::Receiver<Progress>,
) {
    let Some((name, total)) = run else {
        while news.recv().await.is_some() {}
        return;
    };
    let mut latest: Option<Progress> = None;
    let mut next = Instant::now() + FIRST_AFTER;
    let mut shown = None;
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            got = news.recv() => match got {
                Some(progress) => latest = Some(progress),
                None => return,
            },
            () = sleep_until(next), if open => {
                next = Instant::now() + EVERY;
                let line = words::progress(&name, total, latest.as_ref(), reply.lang);
                if shown.as_ref() != Some(&line) {
                    open = show(reply, &line, &mut latest, &mut news).await;
                    next = next.max(Instant::now() + EVERY / 4);
                    shown = Some(line);
                }
            }
        }
    }
}

/// Shows `line`; meanwhile news is taken in. Gives whether the reply can still be edited.
async fn show(
    reply: &Reply,
    line: &str,
    latest: &mut Option<Progress>,
    news: &mut mpsc::Receiver<Progress>,
) -> bool {
    let edit = reply.progress(line);
    tokio::pin!(edit);
    loop {
        tokio::select! {
            open = &mut edit => return open,
            got = news.recv() => match got {
                Some(progress) => *latest = Some(progress),
                None => {
                    return timeout(GRACE, edit).await.unwrap_or_else(|_| {
                        reply.unsettle();
                        false
                    });
                }
            },
        }
    }
}
