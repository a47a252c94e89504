//! Channels and threads.

use indexmap::IndexMap;

use super::World;
use super::feed::Change;
use crate::ids::Id;
use crate::permissions::Overwrite;

/// What a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelKind {
    /// Type 4.
    Category,
    /// Type 0.
    Text,
    /// Type 5.
    #[expect(dead_code, reason = "part of the model; the guild has none yet")]
    Announcement,
    /// Type 11, or 12 when private.
    Thread,
}

/// A channel, category or thread.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: Id,
    pub(crate) kind: ChannelKind,
    pub(crate) name: String,
    pub(crate) topic: Option<String>,
    pub(crate) parent: Option<Id>,
    pub(crate) position: i64,
    pub(crate) overwrites: Vec<Overwrite>,
    pub(crate) last_message: Option<Id>,
    pub(crate) slowmode_s: i64,
    pub(crate) created_ms: i64,
    /// What only threads have.
    pub(crate) thread: Option<Thread>,
}

/// What a thread has beyond a channel.
#[expect(
    clippy::struct_excessive_bools,
    reason = "Discord's own flags, each on its own"
)]
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) private: bool,
    pub(crate) owner: Id,
    pub(crate) archived: bool,
    pub(crate) locked: bool,
    pub(crate) invitable: bool,
    pub(crate) auto_archive_minutes: i64,
    /// When it was last archived or unarchived, or made.
    pub(crate) archive_ms: i64,
    /// When somebody last wrote.
    pub(crate) active_ms: i64,
    /// When each member joined.
    pub(crate) members: IndexMap<Id, i64>,
    pub(crate) message_count: i64,
    pub(crate) total_sent: i64,
    /// The message that it hangs on.
    pub(crate) starter: Option<Id>,
}

impl Channel {
    /// A channel without overwrites or messages.
    pub(crate) fn new(
        id: Id,
        name: &str,
        kind: ChannelKind,
        parent: Option<Id>,
        position: i64,
        now_ms: i64,
    ) -> Self {
        Self {
            id,
            kind,
            name: name.into(),
            topic: None,
            parent,
            position,
            overwrites: Vec::new(),
            last_message: None,
            slowmode_s: 0,
            created_ms: now_ms,
            thread: None,
        }
    }

    /// Discord's number of the type.
    pub(crate) fn type_number(&self) -> i64 {
        match (self.kind, &self.thread) {
            (ChannelKind::Category, _) => 4,
            (ChannelKind::Text, _) => 0,
            (ChannelKind::Announcement, _) => 5,
            (ChannelKind::Thread, Some(thread)) if thread.private => 12,
            (ChannelKind::Thread, _) => 11,
        }
    }

    /// The word of the page's interface.
    pub(crate) fn type_word(&self) -> &'static str {
        match self.type_number() {
            4 => "category",
            5 => "announcement",
            11 => "public_thread",
            12 => "private_thread",
            _ => "text",
        }
    }
}

impl World {
    /// Tells everyone of a new or changed channel.
    pub(crate) fn announce_channel(&mut self, id: Id, event: &'static str) {
        if self.sees(super::seed::APPLICATION, id)
            && let Some(payload) = self.channel_json(id)
        {
            self.dispatch(event, payload);
        }
        self.feed.push(Change::Channel(id));
    }

    /// Deletes a channel or thread with everything in it, and tells everyone.
    pub(crate) fn delete_channel(&mut self, id: Id) {
        let threads: Vec<Id> = self
            .channels
            .values()
            .filter(|one| one.thread.is_some() && one.parent == Some(id))
            .map(|one| one.id)
            .collect();
        for thread in threads {
            self.delete_channel(thread);
        }
        let payload = self.channel_json(id);
        let Some(channel) = self.channels.shift_remove(&id) else {
            return;
        };
        let gone: Vec<Id> = self
            .messages
            .values()
            .filter(|message| message.channel == id)
            .map(|message| message.id)
            .collect();
        for message in gone {
            self.forget_message(message);
        }
        for child in self
            .channels
            .values_mut()
            .filter(|one| one.parent == Some(id))
        {
            child.parent = None;
        }
        if channel.thread.is_some() {
            let data = serde_json::json!({"id": id, "guild_id": super::seed::GUILD, "parent_id": channel.parent, "type": channel.type_number()});
            self.dispatch("THREAD_DELETE", data);
        } else if let Some(payload) = payload {
            self.dispatch("CHANNEL_DELETE", payload);
        }
        self.feed.push(Change::ChannelGone {
            id,
            parent: channel.parent,
        });
    }
}
