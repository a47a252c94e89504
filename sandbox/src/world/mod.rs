//! The state of the local Discord: one guild, its people, channels, messages, commands and interactions.
//!
//! Everything is behind one lock and every change is synchronous, so that a request sees one moment and events leave in the
//! order in which things happened.

pub(crate) mod channel;
pub(crate) mod commands;
pub(crate) mod faults;
pub(crate) mod feed;
pub(crate) mod interaction;
pub(crate) mod interaction_json;
pub(crate) mod json;
pub(crate) mod mentions;
pub(crate) mod message;
pub(crate) mod message_json;
pub(crate) mod people;
pub(crate) mod respond;
pub(crate) mod seed;
pub(crate) mod sweep;
pub(crate) mod threads;

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::clock::Clock;
use crate::gateway::Gateway;
use crate::ids::{Id, IdMaker};
use crate::record::Recorder;
use crate::rest::limits::RateLimits;

pub(crate) use channel::{Channel, ChannelKind, Thread};
pub(crate) use feed::{Change, Feed};
pub(crate) use interaction::Interaction;
pub(crate) use message::{Attachment, Message};
pub(crate) use people::{Person, Role};

/// What the processes around need to know about the listeners, fixed at the start.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    /// `http://127.0.0.1:P`
    pub(crate) origin: String,
    /// `ws://127.0.0.1:P/gateway`
    pub(crate) gateway: String,
}

/// The whole state.
pub(crate) struct World {
    pub(crate) addresses: Addresses,
    /// The bot's token.
    pub(crate) token: String,
    pub(crate) clock: Clock,
    pub(crate) ids: IdMaker,
    pub(crate) roles: IndexMap<Id, Role>,
    pub(crate) people: IndexMap<Id, Person>,
    pub(crate) channels: IndexMap<Id, Channel>,
    pub(crate) messages: BTreeMap<Id, Message>,
    pub(crate) commands: commands::Commands,
    pub(crate) interactions: IndexMap<Id, Interaction>,
    pub(crate) gateway: Gateway,
    pub(crate) feed: Feed,
    pub(crate) faults: faults::Faults,
    pub(crate) limits: RateLimits,
    pub(crate) recorder: Recorder,
    /// Bytes of attachments that are kept.
    pub(crate) attachment_bytes: usize,
    /// Files by the id of their attachment.
    pub(crate) files: IndexMap<Id, message::StoredFile>,
    /// What clients are told in HELLO.
    pub(crate) heartbeat_ms: u64,
}

impl World {
    /// The sandbox as it is at the start.
    pub(crate) fn new(addresses: Addresses, token: String, heartbeat_ms: u64) -> Self {
        let clock = Clock::default();
        let now = clock.now_ms();
        Self {
            addresses,
            token,
            clock,
            ids: IdMaker::default(),
            roles: seed::roles(),
            people: seed::people(now),
            channels: seed::channels(now),
            messages: BTreeMap::new(),
            commands: commands::Commands::default(),
            interactions: IndexMap::new(),
            gateway: Gateway::default(),
            feed: Feed::default(),
            faults: faults::Faults::default(),
            limits: RateLimits::default(),
            recorder: Recorder::default(),
            attachment_bytes: 0,
            files: IndexMap::new(),
            heartbeat_ms,
        }
    }

    /// Unix milliseconds on the sandbox's clock.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// A new snowflake.
    pub(crate) fn next_id(&mut self) -> Id {
        let now = self.clock.now_ms();
        self.ids.next(now)
    }

    /// Back to the start; registered commands and gateway sessions stay.
    pub(crate) fn reset(&mut self) {
        self.faults.clear();
        self.clock.reset();
        let now = self.clock.now_ms();
        self.roles = seed::roles();
        self.people = seed::people(now);
        self.channels = seed::channels(now);
        self.messages.clear();
        self.files.clear();
        self.attachment_bytes = 0;
        self.interactions.clear();
        self.recorder.clear_traffic();
        self.recorder.clear_payloads();
        self.limits = RateLimits::default();
        self.announce_guild();
        self.feed.push(Change::Reset);
    }

    /// Sends `GUILD_CREATE` anew, after everything may have changed.
    pub(crate) fn announce_guild(&mut self) {
        let payload = self.guild_create_json();
        self.dispatch("GUILD_CREATE", payload);
    }

    /// Sends an event to every session that asked for its kind.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers build the payload for this alone"
    )]
    pub(crate) fn dispatch(&mut self, name: &'static str, data: serde_json::Value) -> bool {
        let silent = self.faults.gateway_silent();
        let at = self.now_ms();
        self.gateway
            .dispatch(name, &data, silent, at, &mut self.recorder)
    }
}
