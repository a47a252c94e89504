//! One kept connection for each server.
//!
//! The client multiplexes, so looks at the same server share it: their questions and answers are
//! interleaved and none waits for another's answer. A connection on which anything went wrong is
//! dropped, so that a hung server costs each look its own patience and the next one nothing.

use std::{collections::HashMap, time::Duration};

use redis::{Pipeline, Value};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::{
    failure::Failure,
    session::{Answers, Session, address_of, end_of},
};
use crate::{
    config::RedisServer,
    domain::{
        diagnosis::{Blind, Unseen},
        ids::TargetId,
    },
};

/// How long a kept connection may have been silent before it is asked whether it still lives,
/// instead of trusted. Our own choice: well under the time after which routers forget a
/// connection (RFC 5382 asks them for two hours and four minutes, many do it after five).
const TRUSTED_FOR: Duration = Duration::from_secs(30);

/// How long that question may take before the connection is given up. A server that is merely
/// slow is then asked over a new connection, with all the patience that is left.
const STILL_THERE: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Kept {
    session: Option<(Session, Instant)>,
}

/// Kept connections by target.
#[derive(Default)]
pub(in crate::probes) struct Pool {
    kept: HashMap<TargetId, Mutex<Kept>>,
}

impl Pool {
    /// A pool for `targets`; nothing is opened yet.
    pub(in crate::probes) fn new<'a>(targets: impl Iterator<Item = &'a TargetId>) -> Self {
        Self {
            kept: targets
                .map(|target| (target.clone(), Mutex::default()))
                .collect(),
        }
    }

    /// The server `target` as one look may use it, which must end within `patience`.
    pub(super) fn link<'a>(
        &'a self,
        target: &'a TargetId,
        server: &'a RedisServer,
        patience: Duration,
    ) -> Link<'a> {
        Link {
            pool: self,
            target,
            server,
            patience,
            end: end_of(patience),
        }
    }

    /// A connection to the server, and whether it is new.
    async fn session(
        &self,
        target: &TargetId,
        server: &RedisServer,
        end: Instant,
    ) -> Result<(Session, bool), Failure> {
        let Some(place) = self.kept.get(target) else {
            return Ok((open(server, end).await?, true));
        };
        // While one look opens the connection the others wait for it, each until its own end.
        let Ok(mut kept) = timeout_at(end, place.lock()).await else {
            return Err(Failure::NoAnswer);
        };
        if let Some((session, used)) = &mut kept.session
            && !session.is_spoiled()
            && (used.elapsed() < TRUSTED_FOR || lives(session, end).await)
        {
            *used = Instant::now();
            return Ok((session.clone(), false));
        }
        kept.session = None;
        let session = open(server, end).await?;
        kept.session = Some((session.clone(), Instant::now()));
        Ok((session, true))
    }
}

async fn open(server: &RedisServer, end: Instant) -> Result<Session, Failure> {
    let session = Session::connect(server, end).await?;
    session.log_in(server, end).await?;
    Ok(session)
}

async fn lives(session: &Session, end: Instant) -> bool {
    let soon = end.min(Instant::now() + STILL_THERE);
    match session.ask_one(&["PING"], soon).await {
        Ok(_) => true,
        Err(failure) => failure.leaves_connection(),
    }
}

/// One look's use of a server.
pub(super) struct Link<'a> {
    pool: &'a Pool,
    target: &'a TargetId,
    pub(super) server: &'a RedisServer,
    patience: Duration,
    pub(super) end: Instant,
}

impl Link<'_> {
    /// Asks all of `questions` over the kept connection; once more over a new one when the kept
    /// one turns out to have been cut meanwhile.
    ///
    /// # Errors
    /// There is no answer to be had.
    pub(super) async fn ask(&self, questions: &Pipeline) -> Result<Answers, Failure> {
        loop {
            let (session, fresh) = self
                .pool
                .session(self.target, self.server, self.end)
                .await?;
            match session.ask(questions, self.end).await {
                Err(failure) if !fresh && failure.is_stale() => {}
                answered => return answered,
            }
        }
    }

    /// Asks one question.
    ///
    /// # Errors
    /// As [`Link::ask`], and the server's own error.
    pub(super) async fn ask_one(&self, words: &[&str]) -> Result<Value, Failure> {
        let mut questions = Pipeline::new();
        super::session::question(&mut questions, words);
        let answer = self.ask(&questions).await?.into_iter().next();
        answer.unwrap_or(Ok(Value::Nil)).map_err(Failure::Refused)
    }

    /// The reason for the reader why this look saw nothing.
    pub(super) fn blind(&self, failure: &Failure) -> Blind {
        let reason: Unseen = failure.unseen(&address_of(self.server), self.patience);
        Blind::Unknown(reason)
    }
}
