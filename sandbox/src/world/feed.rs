//! What changed, for the event streams of the page: a short memory, and a bell that wakes whoever waits.

use std::collections::VecDeque;

use tokio::sync::watch;

use crate::ids::Id;

/// Changes that are kept for a stream that reconnects.
pub(crate) const KEPT: usize = 1_000;

/// One change. What a person sees of it is worked out when it is sent.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Message(Id),
    Edit(Id),
    Deleted {
        id: Id,
        channel: Id,
        only_for: Option<Id>,
    },
    Typing {
        channel: Id,
        person: Id,
    },
    Channel(Id),
    ChannelGone {
        id: Id,
        parent: Option<Id>,
    },
    Interaction(Id),
    Modal(Id),
    Commands,
    People,
    Bot,
    Faults,
    Reset,
}

/// The memory and the bell.
pub(crate) struct Feed {
    changes: VecDeque<(u64, Change)>,
    bell: watch::Sender<u64>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            changes: VecDeque::new(),
            bell: watch::Sender::new(0),
        }
    }
}

impl Feed {
    /// Notes a change and wakes who waits.
    pub(crate) fn push(&mut self, change: Change) {
        let number = *self.bell.borrow() + 1;
        if self.changes.len() >= KEPT {
            self.changes.pop_front();
        }
        self.changes.push_back((number, change));
        self.bell.send_replace(number);
    }

    /// The number of the last change.
    pub(crate) fn last(&self) -> u64 {
        *self.bell.borrow()
    }

    /// A receiver that wakes at every change.
    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// What came after `number`, or `None` when that is not remembered any more.
    pub(crate) fn after(&self, number: u64) -> Option<Vec<(u64, Change)>> {
        let oldest = self
            .changes
            .front()
            .map_or(self.last() + 1, |(first, _)| *first);
        if number + 1 < oldest || number > self.last() {
            return None;
        }
        Some(
            self.changes
                .iter()
                .filter(|(one, _)| *one > number)
                .cloned()
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_told_as_long_as_it_is_remembered() {
        let mut feed = Feed::default();
        assert_eq!(feed.after(0).map(|all| all.len()), Some(0));
        for _ in 0..KEPT + 5 {
            feed.push(Change::Commands);
        }
        assert_eq!(feed.after(KEPT as u64).map(|all| all.len()), Some(5));
        assert!(feed.after(2).is_none(), "too long ago");
        assert!(feed.after(u64::MAX - 1).is_none(), "of another run");
    }
}
