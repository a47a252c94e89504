//! The lab's own connection to its Redis: short-lived, with deadlines, so that a server which a fault has hung cannot
//! hang the lab.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo,
    Value,
};

use crate::error::{LabError, Result};

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long an ordinary answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Where a Redis is and how to log in.
#[derive(Clone)]
pub struct Place {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// The password, as `lab/config/redis.password` has it.
    pub password: String,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Place(127.0.0.1:{})", self.port)
    }
}

impl Place {
    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn error(&self, doing: impl Into<String>) -> impl FnOnce(redis::RedisError) -> LabError {
        let (address, doing) = (self.address(), doing.into());
        move |source| LabError::Redis {
            address,
            doing,
            source: Box::new(source),
        }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses the password, or does not answer in time.
    pub async fn connect(&self, answer_limit: Duration) -> Result<Link> {
        let info = ConnectionAddr::Tcp("127.0.0.1".to_owned(), self.port)
            .into_connection_info()
            .map_err(self.error("be addressed"))?
            .set_redis_settings(
                RedisConnectionInfo::default()
                    .set_password(&self.password)
                    .set_skip_set_lib_name(),
            );
        let client = Client::open(info).map_err(self.error("be addressed"))?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(answer_limit));
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(self.error("be connected to"))?;
        Ok(Link {
            place: self.clone(),
            connection,
        })
    }

    /// Connects with the usual deadline.
    ///
    /// # Errors
    /// As [`Place::connect`].
    pub async fn link(&self) -> Result<Link> {
        self.connect(ANSWER_LIMIT).await
    }
}

/// A connection that is logged in.
#[derive(Clone)]
pub struct Link {
    place: Place,
    connection: MultiplexedConnection,
}

impl Link {
    /// Sends one command.
    ///
    /// # Errors
    /// When the server answers with an error or not in time. The error names the command's first word alone, because
    /// the others may be a password.
    pub async fn command<S: AsRef<str>>(&mut self, words: &[S]) -> Result<Value> {
        let mut command = Cmd::new();
        for word in words {
            command.arg(word.as_ref());
        }
        let name = words.first().map_or("nothing", AsRef::as_ref).to_owned();
        self.send(&command, &name).await
    }

    /// Sends a prepared command.
    ///
    /// # Errors
    /// As [`Link::command`].
    pub async fn send(&mut self, command: &Cmd, name: &str) -> Result<Value> {
        self.connection
            .send_packed_command(command)
            .await
            .map_err(self.place.error(format!("carry out {name}")))
    }

    /// Sends many commands at once and counts those that the server refused.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn many(&mut self, pipeline: &redis::Pipeline, commands: usize) -> Result<usize> {
        let answers = self
            .connection
            .send_packed_commands(pipeline, 0, commands)
            .await
            .map_err(self.place.error("carry out many commands"))?;
        Ok(answers
            .iter()
            .filter(|answer| matches!(answer, Value::ServerError(_)))
            .count())
    }

    /// All settings of the server.
    ///
    /// # Errors
    /// As [`Link::command`].
    pub async fn config(&mut self) -> Result<BTreeMap<String, String>> {
        let answer = self.command(&["CONFIG", "GET", "*"]).await?;
        redis::from_redis_value(answer).map_err(|error| LabError::Redis {
            address: self.place.address(),
            doing: "say its settings".to_owned(),
            source: Box::new(error.into()),
        })
    }

    /// The fields of `INFO everything`, as text.
    ///
    /// # Errors
    /// As [`Link::command`].
    pub async fn info(&mut self) -> Result<BTreeMap<String, String>> {
        let answer = self.command(&["INFO", "everything"]).await?;
        let text = match answer {
            Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Value::VerbatimString { text, .. } => text,
            _ => String::new(),
        };
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        Ok(fields
            .map(|(key, value)| (key.to_owned(), value.trim_end().to_owned()))
            .collect())
    }
}
