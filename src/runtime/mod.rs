//! Start-up wiring, signals, telemetry: the only place that names concrete adapters.

use std::{io, sync::Arc};

use tokio::runtime::{Builder, Runtime};

pub mod doctor;
mod eyes;
mod secrets;
mod serve;
pub mod signals;
pub mod telemetry;

use crate::{
    app::{Diagnosis, Gate, Limits, SystemClock},
    config::Config,
    domain::{
        diagnosis::Catalog,
        document::Problem,
        handbook::{ALL_PAGES, Handbook, KnownPage},
        redact::Redactor,
    },
    store::SqliteStore,
};

pub use crate::discord::permissions::{NEEDED, invitation};
use eyes::Eyes;
pub use serve::{ServeError, serve};

/// Threads of a one-shot command: one drives the checks, one opens the store meanwhile. More would
/// only cost their start.
const ONE_SHOT_THREADS: usize = 2;

/// Threads of the bot: it waits for the network nearly all the time, and each thread costs memory.
const SERVER_THREADS: usize = 2;

/// The gate with everything behind it.
pub struct House {
    /// THE one way in.
    pub gate: Arc<Gate>,
    /// What is remembered.
    pub store: Arc<SqliteStore>,
}

/// Cuts every secret that `config` names out of whatever is shown. A secret that can't be read
/// can't be shown either. What changes later it learns from [`assemble_with`]'s eyes.
#[must_use]
pub fn redactor(config: &Config) -> Redactor {
    use secrecy::ExposeSecret;
    let secrets: Vec<_> = config
        .secrets()
        .filter_map(|secret| secret.read().ok())
        .collect();
    Redactor::new(secrets.iter().map(ExposeSecret::expose_secret))
}

/// The store of `config`; nothing is opened yet.
#[must_use]
pub fn store(config: &Config) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::new(&config.store.directory, config.store.keep))
}

/// Every probe there is.
#[must_use]
pub fn catalog() -> &'static Catalog {
    crate::probes::catalog()
}

/// The handbook of `config`'s pages, all of them.
///
/// # Errors
/// Every mistake of every page.
pub fn whole_handbook(config: &Config) -> Result<Handbook, Vec<Problem>> {
    let pages = config.pages.iter().map(|page| (&page.file, &page.text));
    match Handbook::load(pages, catalog()) {
        Ok(handbook) if config.unreadable_pages.is_empty() => Ok(handbook),
        Ok(_) => Err(config.unreadable_pages.clone()),
        Err(mut problems) => {
            problems.extend(config.unreadable_pages.iter().cloned());
            Err(problems)
        }
    }
}

/// The handbook of `config`'s pages, without those that have mistakes; they are told in
/// [`Handbook::broken`].
#[must_use]
pub fn handbook(config: &Config) -> Handbook {
    let pages = config.pages.iter().map(|page| (&page.file, &page.text));
    let unreadable = config.unreadable_pages.iter().cloned();
    Handbook::load_sound(pages, unreadable, catalog(), None)
}

/// As much of the handbook as a run of the page `id`, or of all pages, needs. Where all pages are the built-in ones, which
/// are known to be sound, only that page is read and those from which it borrows; else all are, and
/// held against all rules.
#[must_use]
pub fn handbook_for(config: &Config, id: &str) -> Handbook {
    let known: Option<Vec<KnownPage>> = config
        .pages
        .iter()
        .map(|page| {
            page.built_in
                .then(|| (page.file.clone(), page.text.clone()))
        })
        .collect();
    match known.and_then(|pages| match id {
        ALL_PAGES => Handbook::all_known(&pages, catalog()),
        id => Handbook::of_known(pages, id, catalog()),
    }) {
        Some(handbook) if config.unreadable_pages.is_empty() => handbook,
        _ => handbook(config),
    }
}

/// A configuration's directory: its pages beside the built-in ones, and its targets.
struct Directory {
    path: Option<std::path::PathBuf>,
    eyes: Arc<Eyes>,
}

impl crate::app::Pages for Directory {
    fn renew_targets(&self) -> crate::app::Targets {
        use crate::app::Targets;
        // Without a directory there is nothing that could have changed.
        let Some(path) = &self.path else {
            return Targets::Same;
        };
        match crate::config::load(Some(path)) {
            Ok(config) if self.eyes.renew(&config) => Targets::Renewed(config.targets.count()),
            Ok(_) => Targets::Same,
            Err(errors) => Targets::Kept(errors.problems().to_vec()),
        }
    }

    fn read(&self) -> (Vec<(String, String)>, Vec<Problem>) {
        let (pages, unreadable) = crate::config::read_pages(self.path.as_deref());
        let texts = pages
            .into_iter()
            .map(|page| (page.file, page.text.into_owned()));
        (texts.collect(), unreadable)
    }
}

/// Puts the parts together. Nothing is opened or connected yet.
#[must_use]
pub fn assemble(config: &Config, handbook: Handbook, store: Arc<SqliteStore>) -> House {
    assemble_with(config, handbook, store, redactor(config))
}

/// The same with the `redactor` that cleans the log, too: it learns secrets that change.
#[must_use]
pub fn assemble_with(
    config: &Config,
    handbook: Handbook,
    store: Arc<SqliteStore>,
    redactor: Redactor,
) -> House {
    let limits = Limits {
        check_deadline: config.diagnosis.check_deadline,
        run_deadline: config.diagnosis.run_deadline,
        checks_per_target: config.diagnosis.checks_per_target,
    };
    let eyes = Arc::new(Eyes::new(config, redactor.clone()));
    let gate = Gate::new(
        config.access.clone(),
        handbook,
        Diagnosis::new(Arc::clone(&eyes) as _, limits),
        Arc::clone(&store) as _,
        Arc::new(SystemClock),
        redactor,
        config.general.timezone.clone(),
        Box::new(Directory {
            path: config.directory.clone(),
            eyes,
        }),
    );
    House {
        gate: Arc::new(gate),
        store,
    }
}

/// Leaves `house` to the system, which takes back all of it when the process ends. Closing the store
/// in order would fold its log into the file and wait for the disk twice; what is recorded stands in
/// the log, where the next process finds it, and which is folded when it has grown.
///
/// Goes with [`leave_threads`]: a store that is merely dropped closes on a thread of its own, which
/// the end of the process cuts off anywhere.
pub fn leave(house: House) {
    std::mem::forget(house);
}

/// Leaves `threads` to the system, with whatever still runs on them: a look that hangs in the system's
/// resolver must not keep the terminal waiting, and a connection on its way back to the store's pool
/// must not be dropped ([`leave`] says why).
pub fn leave_threads(threads: Runtime) {
    std::mem::forget(threads);
}

/// The threads for the bot.
///
/// # Errors
/// The system gives no threads.
pub fn long_running() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(SERVER_THREADS)
        .enable_all()
        .build()
}

/// The threads for a command that does one thing and ends.
///
/// # Errors
/// The system gives no threads.
pub fn one_shot() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(ONE_SHOT_THREADS)
        .enable_all()
        .build()
}
