//! The bot's life in the process: start, signals, end.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    assemble_with,
    signals::{Reloads, Stops},
    store,
};
use crate::{
    app::StoreError,
    config::Config,
    discord::{self, DiscordError},
    domain::{handbook::Handbook, ids::RunbookId, redact::Redactor},
};

/// Why the bot does not run (any more).
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// What can't be recorded is not done, so there is nothing to serve.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Discord.
    #[error("{0}")]
    Discord(#[from] DiscordError),
}

/// Serves Discord until SIGTERM or SIGINT; a second signal ends at once. `redactor` is the log's own.
///
/// # Errors
/// What keeps the bot from running, which no waiting would mend.
pub async fn serve(
    config: &Config,
    handbook: Handbook,
    redactor: Redactor,
) -> Result<(), ServeError> {
    let mut stops = Stops::listen();
    let mut reloads = Reloads::listen();
    let shutdown = CancellationToken::new();
    // Read at once, so that a missing token is said before anything else is tried.
    config.discord.token.read().map_err(DiscordError::from)?;
    let house = assemble_with(config, handbook, store(config), redactor);
    house.store.open().await?;
    announce(config, &house.gate.handbook());
    let serving = discord::serve(
        config.discord.clone(),
        config.general.timezone.clone(),
        Arc::clone(&house.gate),
        shutdown.clone(),
    );
    let mut serving = std::pin::pin!(serving);
    let ended = loop {
        tokio::select! {
            ended = &mut serving => break ended,
            () = reloads.next() => {
                let gate = Arc::clone(&house.gate);
                // Reading and compiling takes a while; what runs must not wait for it.
                let done = tokio::task::spawn_blocking(move || gate.reload()).await;
                if let Err(error) = done {
                    tracing::error!(%error, "the pages could not be read again");
                }
            }
            stop = stops.next() => {
                if shutdown.is_cancelled() {
                    tracing::warn!(signal = stop.word(), "told again: ending at once");
                    break Ok(());
                }
                tracing::info!(signal = stop.word(), "told to stop");
                shutdown.cancel();
            }
        }
    };
    house.store.close().await;
    tracing::info!("ended");
    Ok(ended?)
}

/// The first line of the log: what runs, with what.
fn announce(config: &Config, handbook: &Handbook) {
    let directory = config
        .directory
        .as_ref()
        .map_or("built-in defaults".to_owned(), |path| {
            path.display().to_string()
        });
    let pages: Vec<&str> = handbook.pages.keys().map(RunbookId::as_str).collect();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        config = directory,
        store = %config.store.directory.display(),
        pages = pages.join(" "),
        targets = config.targets.count(),
        guilds = config.discord.guilds.len(),
        "handbell serves"
    );
}
