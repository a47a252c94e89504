//! First responses go before everything else.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::timeout,
};

/// First responses on their way at the same time. Our own choice: each needs a connection, a new
/// connection costs a TLS handshake, and reusing one costs nothing; when two hundred people press
/// at once these many connections, each used again and again, are faster than two hundred new ones.
const AT_ONCE: usize = 24;
/// When those are slow, nobody waits longer than this for one of them to end.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long other work lets first responses go before it. Then it goes on all the same: a Discord
/// that doesn't answer must not stop it.
const COURTESY: Duration = Duration::from_millis(800);

/// Counts the first responses that are on their way.
pub(super) struct Firsts {
    places: Semaphore,
    count: AtomicUsize,
    none: Notify,
}

/// One of them; counted until it is dropped.
pub(super) struct First<'a> {
    firsts: &'a Firsts,
    place: Option<SemaphorePermit<'a>>,
}

impl Firsts {
    pub(super) fn new() -> Self {
        Self {
            places: Semaphore::new(AT_ONCE),
            count: AtomicUsize::new(0),
            none: Notify::new(),
        }
    }

    /// One more begins.
    pub(super) async fn enter(&self) -> First<'_> {
        self.count.fetch_add(1, Ordering::SeqCst);
        let mut first = First {
            firsts: self,
            place: None,
        };
        if let Ok(Ok(place)) = timeout(PATIENCE, self.places.acquire()).await {
            first.place = Some(place);
        }
        first
    }

    /// Waits until none is on its way.
    pub(super) async fn quiet(&self) {
        let quiet = async {
            loop {
                let changed = self.none.notified();
                if self.count.load(Ordering::SeqCst) == 0 {
                    return;
                }
                changed.await;
            }
        };
        let _ = timeout(COURTESY, quiet).await;
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        drop(self.place.take());
        if self.firsts.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.firsts.none.notify_waiters();
        }
    }
}
