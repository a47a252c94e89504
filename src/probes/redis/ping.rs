//! `redis.ping`: can a new client come in, log in, be answered, and write?

use std::time::Duration;

use redis::{Pipeline, Value};
use tokio::time::Instant;

use super::{
    failure::{Failure, Refusal},
    info::InfoText,
    session::{Auth, Session, address_of, end_of, question},
};
use crate::{
    config::RedisServer,
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit, Unseen},
    probes::{
        seen::{LINE_CHARS, Seen, plain},
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
    "password-required",
    "wrong-password",
    "forbidden",
    "loading",
    "misconf",
    "busy",
    "max-clients",
    "readonly",
    "oom",
    "masterdown",
    "protected-mode",
    "tls",
    "wrong-protocol",
    "socket-permission",
    "socket-missing",
    "error",
];

/// What became of the configured password.
pub(super) const AUTHS: &[&str] = &[
    "not-configured",
    "accepted",
    "not-wanted",
    "required",
    "refused",
    "not-tried",
];

/// What the server says to a write that is queued and discarded.
pub(super) const WRITES: &[&str] = &[
    "ok",
    "oom",
    "misconf",
    "readonly",
    "no-replicas",
    "forbidden",
    "refused",
    "not-tried",
];

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.ping",
    summary: "whether a new client can connect, log in, is answered, and could write",
    targets: &[TargetKind::Redis],
    args: &[],
    facts: &[
        text(
            "state",
            "the first thing in a new client's way; ok when there is none. It is oom, misconf or readonly also when PING is answered and only writes are refused",
        )
        .one_of(STATES),
        flag("connected", "a connection came about (the port or socket accepts)"),
        flag("answered", "the server answered something in its own protocol, be it an error"),
        text("auth", "what became of the configured password; not-wanted means that the server lets everybody in")
            .one_of(AUTHS),
        text(
            "writes",
            "what the server says to a write that is queued in MULTI and discarded, never carried out",
        )
        .one_of(WRITES),
        float("connect_ms", Unit::Milliseconds, "the time to connect, with the TLS handshake").optional(),
        float("latency_ms", Unit::Milliseconds, "the time from PING to its answer").optional(),
        float("loading_percent", Unit::Percent, "how much of the dataset is loaded, while it loads").optional(),
        seconds("loading_eta_seconds", "the server's own estimate until it is loaded").optional(),
        text("address", "where it looked: host and port, or the socket's path"),
        text("detail", "what the server or the operating system said; empty when all is well"),
    ],
    per_key: None,
};

/// What one ping has found out so far.
struct Ping {
    address: String,
    connected: Option<Duration>,
    answered: Option<Duration>,
    auth: &'static str,
    writes: &'static str,
    loading: Option<(f64, i64)>,
    trouble: Option<Failure>,
}

/// Looks at `server` as a new client does, always over a connection of its own: a kept one
/// would still be served when nobody else can come in.
///
/// # Errors
/// Only when the password can't be read; whatever the server or the network does is a sighting.
pub(super) async fn look(server: &RedisServer, patience: Duration) -> Result<Sighting, Blind> {
    let mut ping = Ping {
        address: address_of(server),
        connected: None,
        answered: None,
        auth: if server.password.is_some() {
            "not-tried"
        } else {
            "not-configured"
        },
        writes: "not-tried",
        loading: None,
        trouble: None,
    };
    match ping.run(server, end_of(patience)).await {
        Ok(()) => {}
        Err(Failure::Secret(detail)) => return Err(Unseen::Secret { detail }.into()),
        Err(failure) => {
            match failure.state() {
                "password-required" => ping.auth = "required",
                "wrong-password" => ping.auth = "refused",
                _ => {}
            }
            ping.trouble = Some(failure);
        }
    }
    Ok(ping.sighting())
}

impl Ping {
    async fn run(&mut self, server: &RedisServer, end: Instant) -> Result<(), Failure> {
        let began = Instant::now();
        let session = Session::connect(server, end).await?;
        self.connected = Some(began.elapsed());
        match session.log_in(server, end).await? {
            Auth::None => {}
            Auth::Accepted => self.auth = "accepted",
            Auth::NotWanted => self.auth = "not-wanted",
        }
        let asked = Instant::now();
        let answer = session.ask_one(&["PING"], end).await;
        match &answer {
            Ok(Value::SimpleString(word)) if word == "PONG" => {
                self.answered = Some(asked.elapsed());
            }
            Ok(other) => {
                let detail = format!("it answered PING with {other:?}");
                return Err(Failure::Stranger(plain(&detail, LINE_CHARS)));
            }
            Err(Failure::Refused(_)) => self.answered = Some(asked.elapsed()),
            Err(_) => {}
        }
        if let Err(Failure::Refused(said)) = &answer
            && said.kind() == Refusal::Loading
        {
            self.loading = loading(&session, end).await;
        }
        answer?;
        self.try_write(&session, end).await
    }

    /// Queues a write in a transaction and discards it: the server refuses what it would refuse
    /// to anybody (OOM, MISCONF, READONLY, NOREPLICAS) when the command is queued, and nothing
    /// is carried out (<https://redis.io/docs/latest/develop/using-commands/transactions/>).
    /// Should a proxy not know transactions, `SETRANGE` of nothing still changes nothing
    /// (<https://redis.io/docs/latest/commands/setrange/>).
    async fn try_write(&mut self, session: &Session, end: Instant) -> Result<(), Failure> {
        let mut questions = Pipeline::new();
        question(&mut questions, &["MULTI"]);
        question(
            &mut questions,
            &["SETRANGE", "handbell:write-check", "0", ""],
        );
        question(&mut questions, &["DISCARD"]);
        let answers = session.ask(&questions, end).await?;
        match answers.into_iter().take(2).collect::<Result<Vec<_>, _>>() {
            Ok(_) => self.writes = "ok",
            Err(said) => {
                self.writes = match said.kind() {
                    Refusal::Oom => "oom",
                    Refusal::Misconf => "misconf",
                    Refusal::ReadOnly => "readonly",
                    Refusal::NoReplicas => "no-replicas",
                    Refusal::Forbidden => "forbidden",
                    _ => "refused",
                };
                if matches!(
                    said.kind(),
                    Refusal::Oom | Refusal::Misconf | Refusal::ReadOnly
                ) {
                    return Err(Failure::Refused(said));
                }
            }
        }
        Ok(())
    }

    fn sighting(self) -> Sighting {
        let state = self.trouble.as_ref().map_or("ok", Failure::state);
        let detail = self
            .trouble
            .as_ref()
            .map(Failure::detail)
            .unwrap_or_default();
        let answered = self.answered.is_some() || matches!(self.trouble, Some(Failure::Refused(_)));
        let connected = answered || self.connected.is_some();
        let mut seen = Seen::new(&SPEC);
        seen.line(match (&self.answered, &self.trouble) {
            (Some(took), None) => format!(
                "{}: PONG in {:.1} ms (connected in {:.1} ms)",
                self.address,
                millis(*took),
                self.connected.map_or(0.0, millis)
            ),
            _ => format!("{}: {state}: {detail}", self.address),
        });
        seen.fact("state", state)
            .fact("connected", connected)
            .fact("answered", answered)
            .fact("auth", self.auth)
            .fact("writes", self.writes)
            .fact("connect_ms", self.connected.map(millis))
            .fact("latency_ms", self.answered.map(millis))
            .fact("loading_percent", self.loading.map(|(percent, _)| percent))
            .fact("loading_eta_seconds", self.loading.map(|(_, eta)| eta))
            .fact("address", self.address)
            .fact("detail", detail);
        seen.done()
    }
}

/// How far loading is; INFO is answered meanwhile.
async fn loading(session: &Session, end: Instant) -> Option<(f64, i64)> {
    let info = InfoText::of(session.ask_one(&["INFO", "persistence"], end).await.ok()?);
    Some((
        info.float("loading_loaded_perc")?,
        info.int("loading_eta_seconds")?,
    ))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
