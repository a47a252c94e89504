//! Secrets that change while the process runs are cut out of what it shows, too, the old ones beside
//! the new.

use std::{
    os::unix::fs::MetadataExt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use secrecy::ExposeSecret;

use crate::{
    app::{Look, Prober},
    config::{Config, Secret},
    domain::{
        diagnosis::{Blind, Catalog, Sighting},
        redact::Redactor,
    },
};

/// What tells a file's content from what it was: inode, size in bytes, and when its status changed
/// (seconds and nanoseconds), which no writer can leave as it was.
type Stamp = (u64, u64, i64, i64);

/// Eyes that read a secret anew at every look, as the probes do, with a redactor that learns it first.
pub(super) struct Vigilant {
    eyes: Arc<dyn Prober>,
    secrets: Vec<Secret>,
    redactor: Redactor,
    /// The files of the secrets as they were last read, in the order of `secrets`.
    seen: Mutex<Vec<Option<Stamp>>>,
}

impl Vigilant {
    /// `eyes` for `config`, whose secrets `redactor` learns whenever they change.
    pub(super) fn new(eyes: Arc<dyn Prober>, config: &Config, redactor: Redactor) -> Self {
        let secrets: Vec<Secret> = config.secrets().cloned().collect();
        let seen = Mutex::new(vec![None; secrets.len()]);
        Self {
            eyes,
            secrets,
            redactor,
            seen,
        }
    }

    /// Reads again what has changed. The environment of a process can't.
    fn learn(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (secret, seen) in self.secrets.iter().zip(seen.iter_mut()) {
            let Secret::File { path } = secret else {
                continue;
            };
            let stamp = std::fs::metadata(path)
                .ok()
                .map(|it| (it.ino(), it.size(), it.ctime(), it.ctime_nsec()));
            if stamp.is_none() || stamp == *seen {
                continue;
            }
            // One that can't be read can't be shown, and is tried again at the next look.
            if let Ok(value) = secret.read() {
                self.redactor.learn([value.expose_secret()]);
                *seen = stamp;
            }
        }
    }
}

#[async_trait]
impl Prober for Vigilant {
    fn catalog(&self) -> &Catalog {
        self.eyes.catalog()
    }

    async fn look(&self, look: &Look) -> Result<Sighting, Blind> {
        self.learn();
        let seen = self.eyes.look(look).await;
        // The probe may have read one that was written after the look began.
        self.learn();
        seen
    }
}
