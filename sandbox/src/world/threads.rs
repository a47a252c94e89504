//! Threads: opened, archived, joined, left.
//! Source of the limits: Discord's reference, "Threads" and the resources of channels.

use indexmap::IndexMap;
use serde_json::json;

use super::feed::Change;
use super::message::Message;
use super::seed::{APPLICATION, GUILD};
use super::{Channel, ChannelKind, Thread, World};
use crate::ids::Id;
use crate::rest::error::{ApiError, Code};

/// Minutes after which a quiet thread may be archived.
pub(crate) const AUTO_ARCHIVE_MINUTES: [i64; 4] = [60, 1_440, 4_320, 10_080];
/// Minutes where nothing is said. Source: Discord's default for a new channel.
pub(crate) const AUTO_ARCHIVE_DEFAULT: i64 = 4_320;
/// Characters of the name of a thread or channel.
pub(crate) const NAME_MAX_CHARS: usize = 100;
/// Active threads of a guild.
const ACTIVE_MAX: usize = 1_000;
/// Members of a thread.
const MEMBERS_MAX: usize = 1_000;

/// What a new thread is to be.
#[derive(Debug)]
pub(crate) struct NewThread {
    pub(crate) name: String,
    pub(crate) channel: Id,
    /// The message that it hangs on.
    pub(crate) message: Option<Id>,
    pub(crate) private: bool,
    pub(crate) owner: Id,
    pub(crate) auto_archive_minutes: i64,
    pub(crate) invitable: bool,
    pub(crate) slowmode_s: i64,
}

impl World {
    /// Opens a thread and tells everyone. Permissions are the caller's business.
    ///
    /// # Errors
    /// 10008, 160004, 50024, 160006.
    pub(crate) fn open_thread(&mut self, new: &NewThread) -> Result<Id, ApiError> {
        let kind = self
            .channels
            .get(&new.channel)
            .map(|channel| channel.kind)
            .ok_or(Code::UnknownChannel)?;
        if !matches!(kind, ChannelKind::Text | ChannelKind::Announcement) {
            return Err(Code::NotInThisKindOfChannel.into());
        }
        if let Some(message) = new.message {
            let found = self
                .messages
                .get(&message)
                .filter(|one| one.channel == new.channel && !one.local && one.only_for.is_none());
            if found.ok_or(Code::UnknownMessage)?.thread.is_some() {
                return Err(Code::ThreadExists.into());
            }
        }
        let active = |one: &&Channel| one.thread.as_ref().is_some_and(|thread| !thread.archived);
        if self.channels.values().filter(active).count() >= ACTIVE_MAX {
            return Err(Code::TooManyThreads.into());
        }
        let now = self.now_ms();
        // A thread on a message has that message's id, as on Discord.
        let id = new.message.unwrap_or_else(|| self.next_id());
        let mut channel = Channel::new(
            id,
            &new.name,
            ChannelKind::Thread,
            Some(new.channel),
            0,
            now,
        );
        channel.slowmode_s = new.slowmode_s;
        channel.thread = Some(Thread {
            private: new.private,
            owner: new.owner,
            archived: false,
            locked: false,
            invitable: new.invitable,
            auto_archive_minutes: new.auto_archive_minutes,
            archive_ms: now,
            active_ms: now,
            members: IndexMap::from([(new.owner, now)]),
            message_count: 0,
            total_sent: 0,
            starter: new.message,
        });
        self.channels.insert(id, channel);
        self.tell_thread_created(id);
        self.place_thread_messages(new, id, now);
        Ok(id)
    }

    fn tell_thread_created(&mut self, id: Id) {
        if self.sees(APPLICATION, id)
            && let Some(mut payload) = self.channel_json(id)
        {
            if let Some(body) = payload.as_object_mut() {
                body.insert("newly_created".into(), json!(true));
            }
            self.dispatch("THREAD_CREATE", payload);
        }
        self.feed.push(Change::Channel(id));
    }

    /// The starter message inside, or the notice "started a thread" outside.
    fn place_thread_messages(&mut self, new: &NewThread, thread: Id, now: i64) {
        if let Some(starter) = new.message {
            if let Some(message) = self.messages.get_mut(&starter) {
                message.thread = Some(thread);
            }
            self.edited(starter);
            let id = self.next_id();
            let inside = Message {
                kind: 21,
                reference: Some((new.channel, starter)),
                ..Message::new(id, thread, new.owner, now)
            };
            self.post(inside);
        } else if !new.private {
            let id = self.next_id();
            let notice = Message {
                kind: 18,
                content: new.name.clone(),
                thread: Some(thread),
                reference: Some((thread, thread)),
                ..Message::new(id, new.channel, new.owner, now)
            };
            self.post(notice);
        }
    }

    /// Adds somebody to a thread.
    ///
    /// # Errors
    /// 10003, 50024, 50083, 30033.
    pub(crate) fn join_thread(&mut self, thread_id: Id, person: Id) -> Result<(), ApiError> {
        let now = self.now_ms();
        let channel = self
            .channels
            .get_mut(&thread_id)
            .ok_or(Code::UnknownChannel)?;
        let thread = channel
            .thread
            .as_mut()
            .ok_or(Code::NotInThisKindOfChannel)?;
        if thread.archived {
            return Err(Code::ThreadArchived.into());
        }
        if thread.members.contains_key(&person) {
            return Ok(());
        }
        if thread.members.len() >= MEMBERS_MAX {
            return Err(Code::TooManyThreadMembers.into());
        }
        thread.members.insert(person, now);
        self.tell_members(thread_id, Some((person, now)), None);
        Ok(())
    }

    /// Takes somebody out of a thread.
    ///
    /// # Errors
    /// 10003, 50024, 50083, 10007.
    pub(crate) fn leave_thread(&mut self, thread_id: Id, person: Id) -> Result<(), ApiError> {
        let channel = self
            .channels
            .get_mut(&thread_id)
            .ok_or(Code::UnknownChannel)?;
        let thread = channel
            .thread
            .as_mut()
            .ok_or(Code::NotInThisKindOfChannel)?;
        if thread.archived {
            return Err(Code::ThreadArchived.into());
        }
        thread
            .members
            .shift_remove(&person)
            .ok_or(Code::UnknownMember)?;
        self.tell_members(thread_id, None, Some(person));
        Ok(())
    }

    fn tell_members(&mut self, thread: Id, added: Option<(Id, i64)>, removed: Option<Id>) {
        let count = self
            .channels
            .get(&thread)
            .and_then(|channel| channel.thread.as_ref())
            .map_or(0, |thread| thread.members.len());
        let mut data = json!({"id": thread, "guild_id": GUILD, "member_count": count});
        if let Some(body) = data.as_object_mut() {
            if let Some((person, at)) = added {
                let mut member = Self::thread_member_json(thread, person, at);
                if let Some(member) = member.as_object_mut() {
                    member.insert("member".into(), json!(self.member_json(person)));
                    member.insert("presence".into(), serde_json::Value::Null);
                }
                body.insert("added_members".into(), json!([member]));
            }
            if let Some(person) = removed {
                body.insert("removed_member_ids".into(), json!([person]));
            }
        }
        if self.sees(APPLICATION, thread) {
            self.dispatch("THREAD_MEMBERS_UPDATE", data);
        }
        self.feed.push(Change::Channel(thread));
    }

    /// Archives or opens a thread again.
    pub(crate) fn set_archived(&mut self, id: Id, archived: bool) {
        let now = self.now_ms();
        let Some(thread) = self
            .channels
            .get_mut(&id)
            .and_then(|channel| channel.thread.as_mut())
        else {
            return;
        };
        if thread.archived != archived {
            thread.archived = archived;
            thread.archive_ms = now;
            thread.active_ms = now;
        }
    }
}
