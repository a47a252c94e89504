//! The probes behind the gate, which may be given other targets while the bot runs.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use secrecy::ExposeSecret;

use super::secrets::Vigilant;
use crate::{
    app::{Look, Prober},
    config::{Config, Targets},
    domain::{
        diagnosis::{Blind, Catalog, Sighting},
        redact::Redactor,
    },
    probes::Probes,
};

/// The probes as they look now.
pub(super) struct Eyes {
    now: RwLock<Now>,
    redactor: Redactor,
}

struct Now {
    targets: Targets,
    prober: Arc<Vigilant>,
}

impl Now {
    fn of(config: &Config, redactor: &Redactor) -> Self {
        let probes = Arc::new(Probes::new(config.targets.clone()));
        Self {
            targets: config.targets.clone(),
            prober: Arc::new(Vigilant::new(probes, config, redactor.clone())),
        }
    }
}

impl Eyes {
    /// Eyes for the targets of `config`; `redactor` learns their secrets whenever they change.
    pub(super) fn new(config: &Config, redactor: Redactor) -> Self {
        Self {
            now: RwLock::new(Now::of(config, &redactor)),
            redactor,
        }
    }

    /// Looks at the targets of `config` from now on, and says whether they are others. A look under way ends as it
    /// began.
    pub(super) fn renew(&self, config: &Config) -> bool {
        let same = |now: &Now| now.targets == config.targets;
        if same(&self.now.read().unwrap_or_else(PoisonError::into_inner)) {
            return false;
        }
        for secret in config.secrets().filter_map(|secret| secret.read().ok()) {
            self.redactor.learn([secret.expose_secret()]);
        }
        let next = Now::of(config, &self.redactor);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = next;
        true
    }

    fn prober(&self) -> Arc<Vigilant> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&now.prober)
    }
}

#[async_trait]
impl Prober for Eyes {
    fn catalog(&self) -> &Catalog {
        super::catalog()
    }

    async fn look(&self, look: &Look) -> Result<Sighting, Blind> {
        self.prober().look(look).await
    }
}
