//! Kept connections, two for each server.
//!
//! A connection answers one question at a time, so a look takes one, asks, and gives it back. One
//! on which anything went wrong is dropped: a hung server costs each look its own patience, and
//! the next diagnosis nothing. When a connection can't be opened, all looks that were waiting for
//! it then get that answer: a server counts connections that break off (`max_connect_errors`) and
//! shuts a host out for them, and a doctor must not make the patient worse.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex as Now, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex, Semaphore},
    time::{Instant, sleep, timeout_at},
};

use super::{
    failure::{Failure, Refusal, Said},
    flavour::Version,
    rows::{Row, Rows},
    session::{Session, Steps, address_of, end_of},
};
use crate::{
    config::MysqlServer,
    domain::{
        diagnosis::{Blind, Unseen},
        ids::TargetId,
    },
};

/// Connections to one server at the same time. Our own choice: enough that a slow look does not
/// hold up all others, and few beside the connections of those whom the server is there for.
const CONNECTIONS: usize = 2;

/// How long a kept connection may have been silent before it is asked whether it still lives,
/// instead of trusted. Our own choice: well under the time after which routers forget a
/// connection (RFC 5382 asks them for two hours and four minutes, many do it after five).
const TRUSTED_FOR: Duration = Duration::from_secs(30);

/// How many of our own connections are remembered by their number; a server gives none twice while it runs.
const REMEMBERED: usize = 64;

/// Numbers that are further apart than this one were not given at the same time.
const FAR: u64 = 64;

/// How long that question may take before the connection is given up.
const STILL_THERE: Duration = Duration::from_millis(500);

/// How long an open connection is asked whether the server still answers anybody.
const OTHERS: Duration = Duration::from_millis(150);

/// How long a look that was turned away waits for a connection that another look got: the server let one in and not the
/// next, and this one is as good.
const LEFT_OVER: Duration = Duration::from_millis(250);

/// How often it sees whether there is one.
const SEES_EVERY: Duration = Duration::from_millis(5);

/// One server's connections.
struct Place {
    free: Semaphore,
    idle: Now<Vec<(Session, Instant)>>,
    /// The numbers of the connections that were opened of late, as the server counts them.
    numbers: Now<VecDeque<u64>>,
    /// Why the last try to open one failed, and when.
    failed: Mutex<Option<(Instant, Failure)>>,
    /// When it last answered a question.
    answered: Now<Option<Instant>>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            free: Semaphore::new(CONNECTIONS),
            idle: Now::default(),
            numbers: Now::default(),
            failed: Mutex::default(),
            answered: Now::default(),
        }
    }
}

impl Place {
    fn idle<T>(&self, act: impl FnOnce(&mut Vec<(Session, Instant)>) -> T) -> T {
        act(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Kept connections by target.
#[derive(Default)]
pub(in crate::probes) struct Pool {
    places: HashMap<TargetId, Place>,
}

impl Pool {
    /// A pool for `targets`; nothing is opened yet.
    pub(in crate::probes) fn new<'a>(targets: impl Iterator<Item = &'a TargetId>) -> Self {
        Self {
            places: targets
                .map(|target| (target.clone(), Place::default()))
                .collect(),
        }
    }

    /// The server `target` as one look may use it, which must end within `patience`; none when
    /// the pool does not know it.
    pub(super) fn link<'a>(
        &'a self,
        target: &TargetId,
        server: &'a MysqlServer,
        patience: Duration,
    ) -> Option<Link<'a>> {
        Some(Link {
            place: self.places.get(target)?,
            server,
            patience,
            began: Instant::now(),
            end: end_of(patience),
        })
    }
}

/// One look's use of a server.
pub(super) struct Link<'a> {
    place: &'a Place,
    pub(super) server: &'a MysqlServer,
    patience: Duration,
    began: Instant,
    pub(super) end: Instant,
}

impl Link<'_> {
    /// Takes a connection for this look; it goes back when [`Held`] does.
    ///
    /// # Errors
    /// There is none to be had.
    pub(super) async fn hold(&self) -> Result<Held<'_>, Failure> {
        let Ok(Ok(permit)) = timeout_at(self.end, self.place.free.acquire()).await else {
            return Err(Failure::NoAnswer);
        };
        while let Some((mut session, used)) = self.place.idle(Vec::pop) {
            if used.elapsed() < TRUSTED_FOR || lives(&mut session, self.end).await {
                return Ok(self.held(session, permit, false));
            }
        }
        match self.open().await {
            Ok(session) => Ok(self.held(session, permit, true)),
            Err(failure) => match self.left_over(&failure).await {
                Some(session) => Ok(self.held(session, permit, false)),
                None => Err(failure),
            },
        }
    }

    /// A connection that another look was given, when this one was turned away since there are too many.
    async fn left_over(&self, failure: &Failure) -> Option<Session> {
        if !matches!(failure, Failure::Refused(said) if said.kind() == Refusal::TooManyConnections)
        {
            return None;
        }
        let turned_away = self
            .place
            .failed
            .lock()
            .await
            .as_ref()
            .map(|(when, _)| *when)?;
        let end = self.end.min(turned_away + LEFT_OVER);
        loop {
            if let Some((session, _)) = self.place.idle(Vec::pop) {
                return Some(session);
            }
            if Instant::now() >= end {
                return None;
            }
            sleep(SEES_EVERY).await;
        }
    }

    /// Whether the server answers on a connection that is open, while a new one is waited for in vain.
    pub(super) async fn answers_others(&self) -> bool {
        let answered = *self
            .place
            .answered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if answered.is_some_and(|when| when + self.patience / 2 >= self.end) {
            return true;
        }
        let Some((mut session, _)) = self.place.idle(Vec::pop) else {
            return false;
        };
        let answers = lives(&mut session, Instant::now() + OTHERS).await;
        if answers {
            self.keep(session).await;
        }
        answers
    }

    fn held<'l>(
        &'l self,
        session: Session,
        permit: tokio::sync::SemaphorePermit<'l>,
        fresh: bool,
    ) -> Held<'l> {
        Held {
            place: self.place,
            version: session.version.clone(),
            session: Some(session),
            end: self.end,
            fresh,
            _permit: permit,
        }
    }

    async fn open(&self) -> Result<Session, Failure> {
        // One opens while the others that need one wait for what comes of it.
        let Ok(mut failed) = timeout_at(self.end, self.place.failed.lock()).await else {
            return Err(Failure::NoAnswer);
        };
        if let Some((when, failure)) = failed.as_ref()
            && *when >= self.began
        {
            return Err(failure.clone());
        }
        let opened = Session::open(self.server, self.end, &mut Steps::default()).await;
        *failed = match &opened {
            Ok(session) => {
                self.note(session);
                None
            }
            Err(failure) => Some((Instant::now(), failure.clone())),
        };
        opened
    }

    /// Keeps a connection that a look has opened by itself.
    pub(super) async fn keep(&self, session: Session) {
        let spare = self.place.idle(|idle| {
            if idle.len() < CONNECTIONS {
                idle.push((session, Instant::now()));
                None
            } else {
                Some(session)
            }
        });
        if let Some(session) = spare {
            session.close().await;
        }
    }

    /// Asks one question over a kept connection; once more over a new one when the kept one turns
    /// out to have been cut meanwhile.
    ///
    /// # Errors
    /// There is no answer to be had.
    pub(super) async fn ask(&self, sql: &str) -> Result<Rows, Failure> {
        loop {
            let mut held = self.hold().await?;
            match held.ask(sql).await {
                Err(failure) if !held.fresh && failure.is_stale() => {}
                answered => return answered,
            }
        }
    }

    /// A connection that has just proven that it lives, for several questions in a row.
    ///
    /// # Errors
    /// There is none to be had.
    pub(super) async fn alive(&self) -> Result<Held<'_>, Blind> {
        loop {
            let held = self.hold().await;
            let mut held = held.map_err(|failure| self.blind(&failure))?;
            if held.fresh {
                return Ok(held);
            }
            match held.ask("DO 0").await {
                Err(failure) if failure.is_stale() => {}
                Err(failure) if !failure.leaves_connection() => return Err(self.blind(&failure)),
                _ => return Ok(held),
            }
        }
    }

    /// The reason for the reader why this look saw nothing.
    pub(super) fn blind(&self, failure: &Failure) -> Blind {
        let reason: Unseen = failure.unseen(&address_of(self.server), self.patience);
        Blind::Unknown(reason)
    }

    /// Remembers that a connection is this program's own.
    pub(super) fn note(&self, session: &Session) {
        let mut numbers = self
            .place
            .numbers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // A server counts upwards from its start: this one has begun anew, and the old numbers are others' now. Two
        // that were opened at the same time may be noted in either order.
        let far = session.number().saturating_add(FAR);
        if numbers.iter().any(|known| *known > far) {
            numbers.clear();
        }
        numbers.push_back(session.number());
        if numbers.len() > REMEMBERED {
            numbers.pop_front();
        }
    }

    /// The connections that are this program's own: nobody wants to read of them.
    pub(super) fn own(&self) -> Own {
        let numbers = self
            .place
            .numbers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Own {
            user: self.server.username.clone(),
            numbers: numbers.iter().copied().collect(),
        }
    }
}

/// Which connections are this program's own.
pub(super) struct Own {
    user: String,
    numbers: Vec<u64>,
}

impl Own {
    /// Whether a connection with this number may be one of them.
    pub(super) fn may_be(&self, number: u64) -> bool {
        self.numbers.contains(&number)
    }

    /// Whether the connection of this number and user is one of them. The number alone does not say: since it was given,
    /// the server may have begun to count anew.
    pub(super) fn is(&self, number: u64, user: &str) -> bool {
        self.may_be(number) && self.user == user
    }
}

async fn lives(session: &mut Session, end: Instant) -> bool {
    let soon = end.min(Instant::now() + STILL_THERE);
    match session.ask("DO 0", soon).await {
        Ok(_) => true,
        Err(failure) => failure.leaves_connection(),
    }
}

/// A connection that one look has for itself.
pub(super) struct Held<'a> {
    place: &'a Place,
    session: Option<Session>,
    /// Which server it is.
    pub(super) version: Version,
    end: Instant,
    fresh: bool,
    _permit: tokio::sync::SemaphorePermit<'a>,
}

impl Held<'_> {
    /// Asks one question.
    ///
    /// # Errors
    /// The server's error, or there is no answer to be had on this connection.
    pub(super) async fn ask(&mut self, sql: &str) -> Result<Rows, Failure> {
        let Some(session) = &mut self.session else {
            return Err(Failure::Cut("the connection is gone".to_owned()));
        };
        let answer = session.ask(sql, self.end).await;
        match &answer {
            Err(failure) if !failure.leaves_connection() => self.session = None,
            _ => {
                *self
                    .place
                    .answered
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
        }
        answer
    }

    /// Asks something that the server may refuse: then what it said stands in the answer's place.
    ///
    /// # Errors
    /// There is no answer to be had on this connection.
    pub(super) async fn try_ask(&mut self, sql: &str) -> Result<Result<Rows, Said>, Failure> {
        match self.ask(sql).await {
            Ok(rows) => Ok(Ok(rows)),
            Err(Failure::Refused(said)) if said.kind() != Refusal::ShuttingDown => Ok(Err(said)),
            Err(failure) => Err(failure),
        }
    }

    /// The first row of an answer that always has one.
    ///
    /// # Errors
    /// As [`Held::ask`].
    pub(super) async fn row(&mut self, sql: &str) -> Result<Row, Failure> {
        Ok(self.ask(sql).await?.into_iter().next().unwrap_or_default())
    }

    /// The connection itself, for statements with bound values.
    pub(super) fn session(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }

    /// Something went wrong on the connection: it is not to be used again.
    pub(super) fn spoil(&mut self) {
        self.session = None;
    }

    /// The connection's number in the processlist.
    pub(super) fn number(&self) -> u64 {
        self.session.as_ref().map_or(0, Session::number)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.place.idle(|idle| idle.push((session, Instant::now())));
        }
    }
}
