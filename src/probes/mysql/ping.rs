//! `mysql.ping`: can a new client come in, log in, and is it answered?

use std::time::Duration;

use tokio::time::Instant;

use super::{
    failure::Failure,
    pool::Link,
    rows::{Row, is_yes},
    session::{Session, Steps, address_of},
};
use crate::{
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit, Unseen},
    probes::{
        seen::Seen,
        spec::{flag, float, seconds, text},
    },
};

/// How a new client fares, the first thing in its way.
pub(super) const STATES: &[&str] = &[
    "ok",
    "refused",
    "unresolved",
    "unreachable",
    "connect-timeout",
    "reply-timeout",
    "reset",
    "access-denied",
    "password-required",
    "unknown-database",
    "database-denied",
    "account-locked",
    "password-expired",
    "login-method",
    "too-many-connections",
    "user-connections",
    "host-blocked",
    "host-not-allowed",
    "shutting-down",
    "offline-mode",
    "out-of-resources",
    "tls-required",
    "tls",
    "wrong-protocol",
    "socket-permission",
    "socket-missing",
    "error",
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.ping",
    summary: "whether a new client can connect, log in and is answered; version, uptime, whether writes are taken",
    targets: &[TargetKind::Mysql],
    args: &[],
    facts: &[
        text("state", "the first thing in a new client's way; ok when there is none").one_of(STATES),
        flag("connected", "a connection came about (the port or socket accepts)"),
        flag("greeted", "the server sent its greeting, or an error in its place: it is MySQL and its listener works"),
        flag("answered", "it answered a question after the login"),
        flag("answers_others", "it answered on a connection that was open before, while this look waited in vain; none when this look did not").optional(),
        text("flavour", "who made it; none when it did not say").one_of(&["mysql", "mariadb"]).setting().optional(),
        text("version", "its version; none when it did not say").setting().optional(),
        text("server_id", "what tells this server from any other: server_uuid (MySQL), else host name and server_id").setting().optional(),
        text("user", "the account that the login was matched with").optional(),
        seconds("uptime_seconds", "since it started").optional(),
        float("connect_ms", Unit::Milliseconds, "the time until it had greeted").optional(),
        float("login_ms", Unit::Milliseconds, "the time until it had let us in, with the TLS handshake").optional(),
        float("latency_ms", Unit::Milliseconds, "the time that it took to answer one question").optional(),
        flag("read_only", "it takes no writes from ordinary users (read_only, super_read_only or innodb_read_only)").setting().optional(),
        flag("super_read_only", "nor from administrators (MySQL's super_read_only)").setting().optional(),
        flag("over_tls", "the connection was protected by TLS").optional(),
        text("address", "where it looked: host and port, or the socket's path"),
        text("detail", "what the server or the operating system said; empty when all is well"),
    ],
    per_key: None,
};

/// What stands in one row for what a ping asks beside PING itself.
const QUESTION: &str = "SELECT VERSION() AS version, CURRENT_USER() AS user, @@hostname AS host, \
     @@server_id AS number, @@global.read_only AS read_only, \
     @@global.innodb_read_only AS innodb_read_only";

/// What one ping has found out so far.
#[derive(Default)]
struct Ping {
    steps: Steps,
    answered: Option<Duration>,
    over_tls: Option<bool>,
    flavour: Option<&'static str>,
    row: Row,
    server_uuid: Option<String>,
    super_read_only: Option<bool>,
    uptime: Option<i64>,
    trouble: Option<Failure>,
    answers_others: Option<bool>,
}

/// Looks at the server as a new client does, always over a connection of its own: a kept one
/// would still be served when nobody else can come in. A good one is kept for other looks.
///
/// # Errors
/// Only when the password can't be read; whatever the server or the network does is a sighting.
pub(super) async fn look(link: &Link<'_>) -> Result<Sighting, Blind> {
    let mut ping = Ping::default();
    match ping.run(link).await {
        Ok(session) => link.keep(session).await,
        Err(Failure::Secret(detail)) => return Err(Unseen::Secret { detail }.into()),
        Err(failure) => {
            if failure == Failure::NoAnswer {
                ping.answers_others = Some(link.answers_others().await);
            }
            ping.trouble = Some(failure);
        }
    }
    Ok(ping.sighting(&address_of(link.server)))
}

impl Ping {
    async fn run(&mut self, link: &Link<'_>) -> Result<Session, Failure> {
        let mut session = Session::open(link.server, link.end, &mut self.steps).await?;
        link.note(&session);
        self.over_tls = Some(session.over_tls);
        self.flavour = Some(session.version.word());
        let asked = Instant::now();
        let rows = session.ask(QUESTION, link.end).await?;
        self.answered = Some(asked.elapsed());
        self.row = rows.into_iter().next().unwrap_or_default();
        let own = if session.version.is_mysql(5, 7) {
            "SELECT @@server_uuid AS id, @@global.super_read_only AS super_read_only"
        } else {
            "SELECT NULL AS id, NULL AS super_read_only"
        };
        match session.ask(own, link.end).await {
            Ok(rows) => {
                self.server_uuid = rows.first().and_then(|row| row.word("id"));
                self.super_read_only = rows.first().and_then(|row| row.yes("super_read_only"));
            }
            Err(Failure::Refused(_)) => {}
            Err(failure) => return Err(failure),
        }
        match session
            .ask("SHOW GLOBAL STATUS LIKE 'Uptime'", link.end)
            .await
        {
            Ok(rows) => self.uptime = rows.first().and_then(|row| row.int("value")),
            Err(Failure::Refused(_)) => {}
            Err(failure) => return Err(failure),
        }
        Ok(session)
    }

    fn sighting(self, address: &str) -> Sighting {
        let state = self.trouble.as_ref().map_or("ok", Failure::state);
        let detail = self
            .trouble
            .as_ref()
            .map(Failure::detail)
            .unwrap_or_default();
        let said = matches!(self.trouble, Some(Failure::Refused(_)));
        let greeted = said || self.steps.greeted.is_some();
        let connected = greeted
            || matches!(
                self.trouble,
                Some(Failure::NoAnswer | Failure::Stranger(_) | Failure::Cut(_))
            );
        let row = &self.row;
        let version = row.word("version");
        let mut seen = Seen::new(&SPEC);
        seen.line(match (&self.answered, &self.trouble, &version) {
            (Some(took), None, Some(version)) => format!(
                "{address}: {version} answered in {:.1} ms (logged in within {:.1} ms)",
                millis(*took),
                self.steps.logged_in.map_or(0.0, millis)
            ),
            _ => format!("{address}: {state}: {detail}"),
        });
        let read_only = row
            .text("read_only")
            .map(|text| is_yes(text) || row.yes("innodb_read_only") == Some(true));
        let id = self.server_uuid.clone().or_else(|| {
            let number = row.word("number")?;
            Some(format!("{} {number}", row.word("host")?))
        });
        seen.fact("state", state)
            .fact("connected", connected)
            .fact("greeted", greeted)
            .fact("answered", self.answered.is_some())
            .fact("answers_others", self.answers_others)
            .fact("flavour", self.flavour)
            .fact("version", version)
            .fact("server_id", id)
            .fact("user", row.word("user"))
            .fact("uptime_seconds", self.uptime)
            .fact("connect_ms", self.steps.greeted.map(millis))
            .fact("login_ms", self.steps.logged_in.map(millis))
            .fact("latency_ms", self.answered.map(millis))
            .fact("read_only", read_only)
            .fact("super_read_only", self.super_read_only)
            .fact("over_tls", self.over_tls)
            .fact("address", address)
            .fact("detail", detail);
        seen.done()
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
