//! One connection to one server: connect, log in, ask.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Pipeline, RedisConnectionInfo, Value, aio::MultiplexedConnection,
};
use secrecy::ExposeSecret;
use tokio::{
    task::AbortHandle,
    time::{Instant, timeout_at},
};

use super::failure::{Failure, Said};
use crate::{
    config::{RedisServer, ServerAddress},
    probes::net::{self, Guarded, Obstacle, Stream, Tap, host_port},
};

/// The name under which Handbell's connections stand in `CLIENT LIST`.
pub(super) const CLIENT_NAME: &str = "handbell";

/// What became of the configured password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Auth {
    /// None is configured.
    None,
    /// The server took it.
    Accepted,
    /// The server lets everybody in.
    NotWanted,
}

/// A connection with a login. Clones share it.
#[derive(Clone)]
pub(super) struct Session {
    connection: MultiplexedConnection,
    tap: Tap,
    /// Something went wrong on it: it is not to be used again.
    spoiled: Arc<AtomicBool>,
    /// Ends the task that carries the connection when the last clone goes.
    _carrier: Arc<Carrier>,
}

struct Carrier(AbortHandle);

impl Drop for Carrier {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where a server listens, as the reader knows it.
pub(super) fn address_of(server: &RedisServer) -> String {
    match &server.address {
        ServerAddress::Tcp { host, port } => host_port(host, *port),
        ServerAddress::Unix(path) => path.display().to_string(),
    }
}

/// The parts of an answer.
pub(super) type Answers = Vec<Result<Value, Said>>;

impl Session {
    /// Connects until `end`, without a login yet.
    pub(super) async fn connect(server: &RedisServer, end: Instant) -> Result<Self, Failure> {
        match &server.address {
            ServerAddress::Unix(path) => Self::over_unix(path, end).await,
            ServerAddress::Tcp { host, port } => {
                let stream = net::tcp(host, *port, end).await?;
                match &server.tls {
                    None => Self::over(stream, end).await,
                    Some(files) => {
                        let secured = net::secure(host, files, stream, end).await?;
                        Self::over(secured, end).await
                    }
                }
            }
        }
    }

    async fn over_unix(path: &Path, end: Instant) -> Result<Self, Failure> {
        Self::over(net::unix(path, end).await?, end).await
    }

    async fn over<S: Stream + 'static>(stream: S, end: Instant) -> Result<Self, Failure> {
        let (stream, tap) = Guarded::new(stream);
        // The login is our own, so that each of its answers is seen; the client adds nothing.
        let info = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(&info, stream, config);
        match timeout_at(end, made).await {
            Ok(Ok((connection, driver))) => Ok(Self {
                connection,
                tap,
                spoiled: Arc::default(),
                _carrier: Arc::new(Carrier(tokio::spawn(driver).abort_handle())),
            }),
            Ok(Err(error)) => Err(Failure::of(&error, &tap)),
            Err(_) => Err(Obstacle::TimedOut.into()),
        }
    }

    /// Logs in, chooses the database, and gives the connection its name.
    ///
    /// # Errors
    /// The server refused the password or the database, or there was no answer until `end`.
    pub(super) async fn log_in(&self, server: &RedisServer, end: Instant) -> Result<Auth, Failure> {
        let mut questions = Pipeline::new();
        if let Some(secret) = &server.password {
            let password = secret.read().map_err(|error| Failure::Secret(error.0))?;
            let auth = questions.cmd("AUTH");
            if let Some(user) = &server.username {
                auth.arg(user);
            }
            auth.arg(password.expose_secret());
        }
        if server.database != 0 {
            questions.cmd("SELECT").arg(server.database);
        }
        questions.cmd("CLIENT").arg("SETNAME").arg(CLIENT_NAME);
        let mut answers = self.ask(&questions, end).await?.into_iter();
        let auth = match (&server.password, answers.next()) {
            (None, first) => {
                // What was answered first belongs to SELECT then.
                if server.database != 0 {
                    first.transpose().map_err(Failure::Refused)?;
                }
                return Ok(Auth::None);
            }
            (Some(_), Some(Err(said))) if said.password_not_wanted() => Auth::NotWanted,
            (Some(_), Some(Err(said))) => return Err(Failure::Refused(said)),
            (Some(_), _) => Auth::Accepted,
        };
        if server.database != 0 {
            answers.next().transpose().map_err(Failure::Refused)?;
        }
        // A user who may not name the connection may still look.
        Ok(auth)
    }

    /// Asks all of `questions` at once and waits until `end`. Errors of the server stand where
    /// their answers would.
    ///
    /// # Errors
    /// There is no answer to be had on this connection.
    pub(super) async fn ask(&self, questions: &Pipeline, end: Instant) -> Result<Answers, Failure> {
        let mut connection = self.connection.clone();
        let asked = connection.send_packed_commands(questions, 0, questions.len());
        let failure = match timeout_at(end, asked).await {
            Ok(Ok(answers)) => return Ok(answers.into_iter().map(told).collect()),
            Ok(Err(error)) => Failure::of(&error, &self.tap),
            Err(_) => Failure::NoAnswer,
        };
        if !failure.leaves_connection() {
            self.spoiled.store(true, Ordering::Relaxed);
        }
        Err(failure)
    }

    /// Whether something went wrong on it before.
    pub(super) fn is_spoiled(&self) -> bool {
        self.spoiled.load(Ordering::Relaxed)
    }

    /// Asks one question.
    ///
    /// # Errors
    /// As [`Session::ask`], and the server's own error.
    pub(super) async fn ask_one(&self, words: &[&str], end: Instant) -> Result<Value, Failure> {
        let mut questions = Pipeline::new();
        question(&mut questions, words);
        let answer = self.ask(&questions, end).await?.into_iter().next();
        answer.unwrap_or(Ok(Value::Nil)).map_err(Failure::Refused)
    }
}

/// Adds one command, word by word.
pub(super) fn question(questions: &mut Pipeline, words: &[&str]) {
    let mut words = words.iter();
    if let Some(name) = words.next() {
        let command = questions.cmd(name);
        for word in words {
            command.arg(*word);
        }
    }
}

fn told(answer: Value) -> Result<Value, Said> {
    match answer {
        Value::ServerError(error) => Err(Said::of(&error)),
        other => Ok(other),
    }
}

/// When a look that may take `patience` from now must have ended.
pub(super) fn end_of(patience: Duration) -> Instant {
    Instant::now() + patience
}
