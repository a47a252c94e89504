//! The demonstration: the lab, a local Discord and the bot, from one command, until Ctrl-C.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use crate::config_dir::Sandbox;
use crate::error::{LabError, Result};
use crate::lab::{Lab, Wish};
use crate::say;
use crate::service::Database;
use crate::settings::Settings;
use crate::stage::Stage;

/// Runs the demonstration until Ctrl-C, SIGTERM, or the end of one of its programs.
///
/// # Errors
/// When something does not start, or one of the programs ends by itself. Everything that was started is stopped first.
pub async fn run(
    settings: &Settings,
    wish: Wish,
    database: Option<Database>,
    page_port: u16,
) -> Result<()> {
    let mut stop = Stop::new()?;
    // Asked for before anything runs: a missing program is said at once.
    settings.program("handbell")?;
    settings.program("handbell-sandbox")?;
    let was_up = crate::state::Store::peek(settings)?.is_some();
    let mut stage = Stage::new()?;
    let outcome = tokio::select! {
        outcome = play(settings, (wish, database), page_port, &mut stage) => outcome,
        name = stop.comes() => {
            say::progress(format!("\n{name}: stopping …"));
            Ok(())
        }
    };
    let cleaned = stage.clear().await;
    if was_up {
        say::progress("The lab was up before, so it stays up (`handbell-lab down` takes it down).");
    } else {
        say::during("Taking the lab down", Lab::down(settings)).await?;
    }
    say::progress("Everything that was started is stopped.");
    outcome.and(cleaned)
}

async fn play(
    settings: &Settings,
    (wish, database): (Wish, Option<Database>),
    page_port: u16,
    cast: &mut Stage,
) -> Result<()> {
    let state = Lab::up(settings, wish, database).await?.state;
    say::out(format!(
        "The lab runs as {}: {}.",
        state.mode.words(),
        state.why
    ));
    let (sandbox, config) = cast.set(settings, &state, page_port).await?;
    say::out(invitation(settings, &sandbox, &config));
    let ended = cast.one_ends().await;
    Err(ended)
}

/// What the person reads when everything is up.
fn invitation(settings: &Settings, sandbox: &Sandbox, config: &Path) -> String {
    let own = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("handbell-lab"));
    let instance = if settings.is_the_mall() {
        String::new()
    } else {
        format!(" --instance {}", settings.instance)
    };
    let mut text = String::new();
    let _ = writeln!(text, "\n  Open        {}", sandbox.page);
    let _ = writeln!(text, "  and type    /diagnose all");
    let _ = writeln!(
        text,
        "  Break it    from the page's panel, or: {} break redis-memory-full{instance}",
        own.display()
    );
    let _ = writeln!(
        text,
        "  and heal    from the panel, or: {} heal{instance}",
        own.display()
    );
    let _ = writeln!(
        text,
        "  In a shell  {} --config {} diagnose all",
        own.with_file_name("handbell").display(),
        config.display()
    );
    let _ = write!(text, "\nCtrl-C stops everything.");
    text
}

/// The signals that end the demonstration.
pub struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Stop {
    /// Begins to listen; from now on the signals end nothing by themselves.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn new() -> Result<Self> {
        let listen =
            |kind| signal(kind).map_err(LabError::file("listen for", Path::new("signals")));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for one of them and gives its name.
    pub async fn comes(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl-C",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "The terminal is gone",
        }
    }
}
