//! The gateway: sessions with their numbered events, which outlive the connections that carry them.
//!
//! Source: Discord's reference, "Gateway" and "Gateway Events".

pub(crate) mod codec;
pub(crate) mod connection;
pub(crate) mod identify;
pub(crate) mod limits;

use std::collections::VecDeque;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::record::Recorder;

/// Events that a session keeps for a RESUME.
const REPLAY_MAX: usize = 2_000;
/// Payloads that may wait for a slow client before it is cut off.
pub(crate) const OUTBOX_MAX: usize = 4_096;
/// Sessions that are kept; the oldest without a connection goes first.
const SESSIONS_MAX: usize = 32;
/// IDENTIFYs a day. Source: Discord's reference, "Session Start Limit".
pub(crate) const IDENTIFIES_A_DAY: u32 = 1_000;

/// The bits of intents.
pub(crate) mod intent {
    pub(crate) const GUILDS: u64 = 1 << 0;
    pub(crate) const GUILD_MEMBERS: u64 = 1 << 1;
    pub(crate) const GUILD_PRESENCES: u64 = 1 << 8;
    pub(crate) const GUILD_MESSAGES: u64 = 1 << 9;
    pub(crate) const GUILD_MESSAGE_REACTIONS: u64 = 1 << 10;
    pub(crate) const GUILD_MESSAGE_TYPING: u64 = 1 << 11;
    pub(crate) const MESSAGE_CONTENT: u64 = 1 << 15;
    /// Those that an application must be granted; the sandbox's is granted none.
    pub(crate) const PRIVILEGED: u64 = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT;
    /// Every bit that has a meaning: 0 to 16, 20, 21, 24, 25.
    pub(crate) const KNOWN: u64 = 0x1_ffff | 1 << 20 | 1 << 21 | 1 << 24 | 1 << 25;
}

/// The intent that an event needs; 0 for those that always come.
fn needed(name: &str) -> u64 {
    match name {
        "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK" => {
            intent::GUILD_MESSAGES
        }
        "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE" => intent::GUILD_MESSAGE_REACTIONS,
        "TYPING_START" => intent::GUILD_MESSAGE_TYPING,
        "GUILD_MEMBER_ADD" | "GUILD_MEMBER_REMOVE" | "GUILD_MEMBER_UPDATE" => intent::GUILD_MEMBERS,
        "INTERACTION_CREATE" | "READY" | "RESUMED" => 0,
        _ => intent::GUILDS,
    }
}

/// What a connection is told to do.
#[derive(Debug)]
pub(crate) enum Out {
    /// Send this.
    Payload(Arc<Value>),
    /// Close with a code.
    Close(u16, &'static str),
    /// Cut the connection without a word.
    Cut,
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) intents: u64,
    pub(crate) sequence: u64,
    /// The last one that was handed to a connection.
    sent: u64,
    replay: VecDeque<(u64, Arc<Value>)>,
    outbox: Option<mpsc::Sender<Out>>,
    pub(crate) compression: &'static str,
    pub(crate) properties: Value,
    pub(crate) shard: Value,
    pub(crate) resumes: u32,
    pub(crate) resumable: bool,
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Gateway {
    sessions: IndexMap<String, Session>,
    /// When each IDENTIFY of the last day came.
    pub(crate) identifies: VecDeque<i64>,
}

impl Session {
    /// A session that nothing was sent to.
    pub(crate) fn new(id: String, intents: u64, properties: Value, shard: Value) -> Self {
        Self {
            id,
            intents,
            sequence: 0,
            sent: 0,
            replay: VecDeque::new(),
            outbox: None,
            compression: "none",
            properties,
            shard,
            resumes: 0,
            resumable: true,
        }
    }

    /// Whether a connection carries it now.
    pub(crate) fn connected(&self) -> bool {
        self.outbox
            .as_ref()
            .is_some_and(|outbox| !outbox.is_closed())
    }

    /// Numbers an event and hands it on, unless the gateway is silent.
    fn push(&mut self, name: &str, data: &Value, silent: bool) -> Arc<Value> {
        self.sequence += 1;
        let payload = Arc::new(json!({"op": 0, "t": name, "s": self.sequence, "d": data}));
        if self.replay.len() >= REPLAY_MAX {
            self.replay.pop_front();
        }
        self.replay.push_back((self.sequence, Arc::clone(&payload)));
        if !silent {
            self.flush();
        }
        payload
    }

    /// Hands on what is waiting.
    pub(crate) fn flush(&mut self) {
        let waiting = self.replay.iter().filter(|(number, _)| *number > self.sent);
        let waiting: Vec<_> = waiting.cloned().collect();
        for (number, payload) in waiting {
            if !self.hand(Out::Payload(payload)) {
                return;
            }
            self.sent = number;
        }
    }

    /// Hands one thing to the connection; a client that does not read is cut off.
    pub(crate) fn hand(&mut self, out: Out) -> bool {
        let taken = self
            .outbox
            .as_ref()
            .is_some_and(|outbox| outbox.try_send(out).is_ok());
        if !taken {
            self.outbox = None;
        }
        taken
    }

    /// Whether everything after `sequence` is still there to be sent again.
    pub(crate) fn can_replay(&self, sequence: u64) -> bool {
        let oldest = self
            .replay
            .front()
            .map_or(self.sequence + 1, |(number, _)| *number);
        self.resumable && sequence <= self.sequence && sequence + 1 >= oldest
    }

    /// Carries on over a new connection after `sequence`.
    pub(crate) fn resume(&mut self, outbox: mpsc::Sender<Out>, sequence: u64) {
        self.outbox = Some(outbox);
        self.sent = sequence;
        self.resumes += 1;
        self.flush();
    }
}

impl Gateway {
    /// Sends an event to the sessions that asked for its kind; tells whether a live connection took it.
    pub(crate) fn dispatch(
        &mut self,
        name: &'static str,
        data: &Value,
        silent: bool,
        at_ms: i64,
        recorder: &mut Recorder,
    ) -> bool {
        let need = needed(name);
        let mut delivered = false;
        for session in self
            .sessions
            .values_mut()
            .filter(|session| need == 0 || session.intents & need != 0)
        {
            let payload = session.push(name, data, silent);
            let live = session.connected() && !silent;
            delivered |= live;
            if live {
                recorder.payload(Some(&session.id), "out", &payload, at_ms);
            }
        }
        delivered
    }

    /// Adds a session with its connection; the oldest that nobody carries makes room.
    pub(crate) fn add(&mut self, mut session: Session, outbox: mpsc::Sender<Out>) {
        session.outbox = Some(outbox);
        if self.sessions.len() >= SESSIONS_MAX
            && let Some(old) = self
                .sessions
                .values()
                .position(|session| !session.connected())
        {
            self.sessions.shift_remove_index(old);
        }
        self.sessions.insert(session.id.clone(), session);
    }

    /// A session by its id.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.get_mut(id)
    }

    /// Every session.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.sessions.values_mut()
    }

    /// Whether any connection is live.
    pub(crate) fn connected(&self) -> bool {
        self.sessions.values().any(Session::connected)
    }

    /// The connection of a session has ended.
    pub(crate) fn lost(&mut self, id: &str, keep: bool) {
        if keep {
            if let Some(session) = self
                .sessions
                .get_mut(id)
                .filter(|session| !session.connected())
            {
                session.outbox = None;
            }
        } else {
            self.sessions.shift_remove(id);
        }
    }

    /// The sessions, for the page's interface.
    pub(crate) fn json(&self) -> Value {
        let one = |session: &Session| {
            json!({"id": session.id, "connected": session.connected(), "intents": session.intents, "sequence": session.sequence,
                "compression": session.compression, "properties": session.properties, "shard": session.shard, "resumes": session.resumes})
        };
        self.sessions.values().map(one).collect()
    }
}
