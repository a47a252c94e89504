//! One connection to one server: connect, log in, ask.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt, StreamExt};
use secrecy::ExposeSecret;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _,
    mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode},
};
use tokio::time::{Instant, timeout_at};

use super::{
    carrier::Carrier,
    failure::{Failure, Refusal},
    flavour::Version,
    rows::{Row, Rows},
};
use crate::{
    config::{MysqlServer, ServerAddress, TlsFiles},
    probes::net::{Tap, host_port},
};

/// Most rows of one answer that are read. Our own choice: ten thousand connections are many.
pub(super) const MOST_ROWS: usize = 10_000;

/// Longest answer that is kept, in bytes of text.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// How long the server lets a statement of ours wait for a lock, in seconds; its least.
const LOCK_WAIT_SECONDS: u32 = 1;

/// A connection with a login. Dropping it cuts the connection.
pub(super) struct Session {
    connection: MySqlConnection,
    carrier: Carrier,
    pub(super) version: Version,
    /// Whether TLS protects it.
    pub(super) over_tls: bool,
}

/// Where a server listens, as the reader knows it.
pub(super) fn address_of(server: &MysqlServer) -> String {
    match &server.address {
        ServerAddress::Tcp { host, port } => host_port(host, *port),
        ServerAddress::Unix(path) => path.display().to_string(),
    }
}

/// How long each part of connecting took, as far as it came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    /// Until the server had greeted.
    pub(super) greeted: Option<Duration>,
    /// Until it had let us in.
    pub(super) logged_in: Option<Duration>,
}

/// The way in which a login is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cover {
    /// The configuration's TLS files decide.
    Verified,
    /// TLS without knowing the server, as MySQL's own clients do unless told otherwise.
    Encrypted,
    Plain,
}

impl Session {
    /// Connects to `server` and logs in, until `end`; `steps` is told how far it came.
    ///
    /// # Errors
    /// What stood in the way.
    pub(super) async fn open(
        server: &MysqlServer,
        end: Instant,
        steps: &mut Steps,
    ) -> Result<Self, Failure> {
        let began = Instant::now();
        let carrier = Carrier::open(server, end).await?;
        steps.greeted = Some(began.elapsed());
        let offers_tls = carrier.greeting.offers_tls;
        let cover = match &server.tls {
            Some(_) => Cover::Verified,
            None if offers_tls && !is_local(&server.address) => Cover::Encrypted,
            None => Cover::Plain,
        };
        let mut opened = Self::log_in(carrier, server, cover, end).await;
        // A login that must not go over the wire as it is: the server says so, or the library
        // has no other way (caching_sha2_password, the first time after the server's start).
        if let (Cover::Plain, true, Err(failure)) = (cover, offers_tls, &opened)
            && wants_cover(failure)
        {
            let carrier = Carrier::open(server, end).await?;
            opened = Self::log_in(carrier, server, Cover::Encrypted, end).await;
        }
        let mut session = opened?;
        steps.logged_in = Some(began.elapsed());
        session.settle(end).await?;
        Ok(session)
    }

    async fn log_in(
        carrier: Carrier,
        server: &MysqlServer,
        cover: Cover,
        end: Instant,
    ) -> Result<Self, Failure> {
        let mut options = MySqlConnectOptions::new()
            .socket(&carrier.socket)
            .username(&server.username)
            // What the library would set by itself is set with all the rest, in one statement.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None)
            .set_names(false)
            .statement_cache_capacity(1)
            .disable_statement_logging();
        if let ServerAddress::Tcp { host, .. } = &server.address {
            options = options.host(host);
        }
        if let Some(secret) = &server.password {
            let password = secret.read().map_err(|error| Failure::Secret(error.0))?;
            options = options.password(password.expose_secret());
        }
        if let Some(database) = &server.database {
            options = options.database(database);
        }
        options = covered(options, cover, server.tls.as_ref());
        let tap = carrier.tap.clone();
        let connection = heard(options.connect(), &tap, end).await?;
        Ok(Self {
            connection,
            version: Version::parse(&carrier.greeting.version),
            over_tls: cover != Cover::Plain && carrier.greeting.offers_tls,
            carrier,
        })
    }

    /// The settings of our own session: nothing can be written, nothing waits or runs for long.
    /// A server that refuses them (a proxy) is asked without.
    async fn settle(&mut self, end: Instant) -> Result<(), Failure> {
        let read_only = self.version.read_only_setting();
        let limit = self.version.usual_time_limit();
        let sql = format!(
            "SET NAMES utf8mb4, autocommit = 1, {read_only} = 1, {limit}, \
             lock_wait_timeout = {LOCK_WAIT_SECONDS}"
        );
        match self.ask(&sql, end).await {
            Ok(_) | Err(Failure::Refused(_)) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// The connection's number in the processlist.
    pub(super) fn number(&self) -> u64 {
        self.carrier.greeting.connection_id
    }

    /// What was heard of the server.
    pub(super) fn tap(&self) -> &Tap {
        &self.carrier.tap
    }

    /// The library's connection, for statements with bound values.
    pub(super) fn connection(&mut self) -> &mut MySqlConnection {
        &mut self.connection
    }

    /// Asks `sql` and waits until `end`. It is our own text; values go through
    /// [`Session::connection`].
    ///
    /// # Errors
    /// The server's error, or there is no answer to be had on this connection.
    pub(super) async fn ask(&mut self, sql: &str, end: Instant) -> Result<Rows, Failure> {
        let tap = self.carrier.tap.clone();
        let connection = &mut self.connection;
        let reading = async {
            let mut rows = Rows::new();
            let mut bytes = 0;
            let sql = AssertSqlSafe(sql.to_owned());
            let mut stream = sqlx::raw_sql(sql).fetch(connection);
            while let Some(row) = stream.next().await {
                let row = Row::of(&row?, rows.first());
                bytes += row.bytes();
                if rows.len() == MOST_ROWS || bytes > ANSWER_BYTES {
                    return Ok(Err(Failure::TooMuch(format!(
                        "the answer is longer than {MOST_ROWS} rows or {ANSWER_BYTES} bytes"
                    ))));
                }
                rows.push(row);
            }
            Ok(Ok(rows))
        };
        heard(reading, &tap, end).await?
    }

    /// Says goodbye, so that the server does not count an aborted client.
    pub(super) async fn close(self) {
        const GOODBYE: Duration = Duration::from_millis(200);
        let _ = timeout_at(Instant::now() + GOODBYE, self.connection.close()).await;
    }
}

/// Waits for `work` of the client library until `end`. The library trusts the lengths that a peer
/// tells; should a lie end in a panic, it is the peer's failure and not ours.
pub(super) async fn heard<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
    tap: &Tap,
    end: Instant,
) -> Result<T, Failure> {
    match timeout_at(end, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => Err(Failure::of(&error, tap)),
        Ok(Err(_)) => Err(Failure::Stranger(
            "its answer contradicts itself".to_owned(),
        )),
        Err(_) => Err(Failure::NoAnswer),
    }
}

fn covered(
    options: MySqlConnectOptions,
    cover: Cover,
    files: Option<&TlsFiles>,
) -> MySqlConnectOptions {
    let mut options = options.ssl_mode(match cover {
        Cover::Plain => MySqlSslMode::Disabled,
        Cover::Encrypted => MySqlSslMode::Required,
        Cover::Verified => MySqlSslMode::VerifyIdentity,
    });
    if let Some(files) = files {
        if let Some(ca) = &files.ca {
            options = options.ssl_ca(ca);
        }
        if let (Some(cert), Some(key)) = (&files.cert, &files.key) {
            options = options.ssl_client_cert(cert).ssl_client_key(key);
        }
    }
    options
}

/// Whether TLS could help where the plain login failed.
fn wants_cover(failure: &Failure) -> bool {
    match failure {
        Failure::Login(_) => true,
        Failure::Refused(said) => said.kind() == Refusal::TlsRequired,
        _ => false,
    }
}

/// Whether what is sent there never leaves this machine.
pub(super) fn is_local(address: &ServerAddress) -> bool {
    match address {
        ServerAddress::Unix(_) => true,
        ServerAddress::Tcp { host, .. } => {
            host == "localhost"
                || host
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
    }
}

/// When a look that may take `patience` from now must have ended.
pub(super) fn end_of(patience: Duration) -> Instant {
    Instant::now() + patience
}
