//! The lab's own connection to its database, as root: short-lived, with deadlines, so that a server which a fault has
//! hung cannot hang the lab.

use std::path::Path;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode};
use sqlx::{AssertSqlSafe, Connection, Row};

use crate::error::{LabError, Result};

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// How long an ordinary statement may take.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// How to get into a database.
#[derive(Clone)]
pub struct Door {
    options: MySqlConnectOptions,
    address: String,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Door({})", self.address)
    }
}

impl Door {
    /// By its port on 127.0.0.1.
    #[must_use]
    pub fn tcp(port: u16, user: &str, password: &str) -> Self {
        Self {
            options: MySqlConnectOptions::new()
                .host("127.0.0.1")
                .port(port)
                .username(user)
                .password(password)
                .ssl_mode(MySqlSslMode::Preferred),
            address: format!("127.0.0.1:{port}"),
        }
    }

    /// By its socket, as the root of a database without passwords.
    #[must_use]
    pub fn socket(path: &Path) -> Self {
        Self {
            options: MySqlConnectOptions::new()
                .socket(path)
                .username("root")
                .ssl_mode(MySqlSslMode::Disabled),
            address: path.display().to_string(),
        }
    }

    fn error(&self, doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> LabError {
        let (address, doing) = (self.address.clone(), doing.into());
        move |source| LabError::Sql {
            address,
            doing,
            source: Box::new(source),
        }
    }

    fn late(&self, doing: &str, waited: Duration) -> LabError {
        LabError::TooLate {
            what: format!("the database at {} has {doing}", self.address),
            seen: "no answer".to_owned(),
            waited,
        }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or does not answer in time.
    pub async fn open(&self) -> Result<Sql> {
        let connecting = MySqlConnection::connect_with(&self.options);
        let connection = tokio::time::timeout(CONNECT_LIMIT, connecting)
            .await
            .map_err(|_| self.late("taken a connection", CONNECT_LIMIT))?
            .map_err(self.error("be connected to"))?;
        Ok(Sql {
            door: self.clone(),
            connection,
        })
    }
}

/// A connection that is logged in.
#[derive(Debug)]
pub struct Sql {
    door: Door,
    connection: MySqlConnection,
}

impl Sql {
    /// Carries out statements, with `;` between them.
    ///
    /// # Errors
    /// When the server refuses one or does not answer in time.
    pub async fn run(&mut self, statements: &str) -> Result<()> {
        self.run_within(statements, ANSWER_LIMIT).await
    }

    /// The same, with another deadline.
    ///
    /// # Errors
    /// As [`Sql::run`].
    pub async fn run_within(&mut self, statements: &str, limit: Duration) -> Result<()> {
        let doing = || format!("carry out {}", beginning(statements));
        let query = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        tokio::time::timeout(limit, query.execute(&mut self.connection))
            .await
            .map_err(|_| self.door.late("answered", limit))?
            .map(|_| ())
            .map_err(self.door.error(doing()))
    }

    /// The rows of a query.
    ///
    /// # Errors
    /// As [`Sql::run`].
    pub async fn rows(&mut self, query: &str) -> Result<Vec<MySqlRow>> {
        let doing = || format!("carry out {}", beginning(query));
        let asked = sqlx::raw_sql(AssertSqlSafe(query.to_owned()));
        tokio::time::timeout(ANSWER_LIMIT, asked.fetch_all(&mut self.connection))
            .await
            .map_err(|_| self.door.late("answered", ANSWER_LIMIT))?
            .map_err(self.door.error(doing()))
    }

    /// The rows of a query as text, column by column; NULL is `NULL`.
    ///
    /// # Errors
    /// As [`Sql::run`].
    pub async fn text(&mut self, query: &str) -> Result<Vec<Vec<String>>> {
        let rows = self.rows(query).await?;
        Ok(rows.iter().map(words).collect())
    }

    /// Closes in good order.
    pub async fn close(self) {
        let _ = self.connection.close().await;
    }
}

/// Every column as text, whatever its type.
fn words(row: &MySqlRow) -> Vec<String> {
    (0..row.len())
        .map(
            |column| match row.try_get_unchecked::<Option<Vec<u8>>, _>(column) {
                Ok(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
                Ok(None) => "NULL".to_owned(),
                Err(error) => format!("({error})"),
            },
        )
        .collect()
}

/// Enough of a statement to recognise it.
fn beginning(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(80).collect();
    if cut.len() < line.len() {
        format!("{cut} …")
    } else {
        cut
    }
}
