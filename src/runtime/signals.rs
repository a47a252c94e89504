//! Being told to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Who told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGINT: a person at the keyboard.
    Interrupt,
    /// SIGTERM: the service manager.
    Terminate,
}

impl Stop {
    /// The exit code that shells give a process that ended by this signal: 128 and its number.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    /// The signal's name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// Listens for both signals.
#[derive(Debug)]
pub struct Stops {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

impl Stops {
    /// Listens from now on. Where the system gives no such signal, that one never comes.
    #[must_use]
    pub fn listen() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Stop {
        let one = async |signal: &mut Option<Signal>| match signal {
            Some(signal) => {
                if signal.recv().await.is_none() {
                    std::future::pending::<()>().await;
                }
            }
            None => std::future::pending().await,
        };
        tokio::select! {
            () = one(&mut self.interrupt) => Stop::Interrupt,
            () = one(&mut self.terminate) => Stop::Terminate,
        }
    }
}

/// Being told to read the pages again (SIGHUP).
#[derive(Debug)]
pub struct Reloads(Option<Signal>);

impl Reloads {
    /// Listens from now on; SIGHUP no longer ends the process.
    #[must_use]
    pub fn listen() -> Self {
        Self(signal(SignalKind::hangup()).ok())
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        let heard = match &mut self.0 {
            Some(signal) => signal.recv().await.is_some(),
            None => false,
        };
        if !heard {
            std::future::pending::<()>().await;
        }
    }
}
