//! How much one person may have running at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::domain::access::Actor;

/// Diagnoses that one person may have running at once. Our own choice: three let somebody compare
/// pages, and a stuck key on a keyboard can't flood a sick server.
pub const RUNS_PER_ACTOR: usize = 3;

/// Counts the runs of each actor.
#[derive(Clone, Debug, Default)]
pub(super) struct PerActor {
    running: Arc<Mutex<HashMap<String, usize>>>,
}

/// One run; counted until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    who: String,
    running: Arc<Mutex<HashMap<String, usize>>>,
}

impl PerActor {
    /// One more run of `actor`, or `None` when there are [`RUNS_PER_ACTOR`] already.
    pub(super) fn enter(&self, actor: &Actor) -> Option<Turn> {
        let who = match actor {
            Actor::Discord { user, .. } => format!("discord:{user}"),
            Actor::Local { user } => format!("local:{user}"),
        };
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(who.clone()).or_insert(0);
        if *count >= RUNS_PER_ACTOR {
            return None;
        }
        *count += 1;
        Some(Turn {
            who,
            running: Arc::clone(&self.running),
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.who);
            }
        }
    }
}
