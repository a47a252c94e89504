//! Channels: read, changed, deleted; their permissions; the typing indicator.

use serde_json::{Value, json};

use super::error::{ApiError, Code, Problems};
use super::{Answer, Call, Reply};
use crate::ids::Id;
use crate::permissions::{Overwrite, bit};
use crate::validate::read;
use crate::world::seed::{APPLICATION, GUILD};
use crate::world::threads::{AUTO_ARCHIVE_MINUTES, NAME_MAX_CHARS};
use crate::world::{Change, World};

/// Characters of a topic.
const TOPIC_MAX_CHARS: usize = 1_024;
/// The slowest slow mode, in seconds (six hours).
pub(crate) const SLOWMODE_MAX_S: i64 = 21_600;

/// `GET /channels/{id}`
pub(crate) fn one(call: &mut Call<'_>, id: &str) -> Answer {
    let id = call.channel(id)?;
    call.world
        .channel_json(id)
        .map(Reply::json)
        .ok_or_else(|| Code::UnknownChannel.into())
}

/// What an edit sets.
#[derive(Default)]
struct Changes {
    name: Option<String>,
    /// An empty text takes the topic away.
    topic: Option<String>,
    archived: Option<bool>,
    locked: Option<bool>,
    invitable: Option<bool>,
    auto_archive: Option<i64>,
    slowmode_s: Option<i64>,
}

fn read_changes(call: &Call<'_>) -> Result<Changes, ApiError> {
    let object = call.object()?;
    let mut problems = Problems::default();
    let changes = Changes {
        name: read::text(object, "name", 1..=NAME_MAX_CHARS, &mut problems),
        topic: object.contains_key("topic").then(|| {
            read::text(object, "topic", 0..=TOPIC_MAX_CHARS, &mut problems).unwrap_or_default()
        }),
        archived: read::flag(object, "archived", &mut problems),
        locked: read::flag(object, "locked", &mut problems),
        invitable: read::flag(object, "invitable", &mut problems),
        auto_archive: read::one_of(
            object,
            "auto_archive_duration",
            &AUTO_ARCHIVE_MINUTES,
            &mut problems,
        ),
        slowmode_s: read::whole(
            object,
            "rate_limit_per_user",
            0..=SLOWMODE_MAX_S,
            &mut problems,
        ),
    };
    problems.finish()?;
    Ok(changes)
}

/// `PATCH /channels/{id}`
pub(crate) fn edit(call: &mut Call<'_>, id: &str) -> Answer {
    let id = call.channel(id)?;
    let changes = read_changes(call)?;
    let thread = call
        .world
        .channels
        .get(&id)
        .and_then(|channel| channel.thread.as_ref());
    let event = match thread {
        None => {
            call.need(id, bit::MANAGE_CHANNELS)?;
            "CHANNEL_UPDATE"
        }
        Some(thread) => {
            let own = thread.owner == APPLICATION;
            let only_opens = changes.archived == Some(false)
                && changes.locked.is_none()
                && changes.name.is_none();
            let manages = call.world.may(APPLICATION, id, bit::MANAGE_THREADS);
            if thread.archived && (changes.archived != Some(false)) {
                return Err(Code::ThreadArchived.into());
            }
            if thread.locked && !manages {
                return Err(Code::MissingPermissions.into());
            }
            let allowed = manages
                || (own && changes.locked.is_none())
                || (only_opens
                    && call
                        .world
                        .may(APPLICATION, id, bit::SEND_MESSAGES_IN_THREADS));
            if !allowed {
                return Err(Code::MissingPermissions.into());
            }
            "THREAD_UPDATE"
        }
    };
    apply(call.world, id, changes);
    call.world.announce_channel(id, event);
    call.world
        .channel_json(id)
        .map(Reply::json)
        .ok_or_else(|| Code::UnknownChannel.into())
}

fn apply(world: &mut World, id: Id, changes: Changes) {
    if let Some(archived) = changes.archived {
        world.set_archived(id, archived);
    }
    let Some(channel) = world.channels.get_mut(&id) else {
        return;
    };
    if let Some(name) = changes.name {
        channel.name = name;
    }
    if let Some(topic) = changes.topic {
        channel.topic = Some(topic).filter(|topic| !topic.is_empty());
    }
    if let Some(slowmode) = changes.slowmode_s {
        channel.slowmode_s = slowmode;
    }
    if let Some(thread) = channel.thread.as_mut() {
        thread.locked = changes.locked.unwrap_or(thread.locked);
        thread.invitable = changes.invitable.unwrap_or(thread.invitable);
        thread.auto_archive_minutes = changes.auto_archive.unwrap_or(thread.auto_archive_minutes);
    }
}

/// `DELETE /channels/{id}`
pub(crate) fn delete(call: &mut Call<'_>, id: &str) -> Answer {
    let id = call.channel(id)?;
    let thread = call
        .world
        .channels
        .get(&id)
        .is_some_and(|channel| channel.thread.is_some());
    call.need(
        id,
        if thread {
            bit::MANAGE_THREADS
        } else {
            bit::MANAGE_CHANNELS
        },
    )?;
    let body = call.world.channel_json(id).ok_or(Code::UnknownChannel)?;
    call.world.delete_channel(id);
    Ok(Reply::json(body))
}

/// `PUT /channels/{id}/permissions/{overwrite}`
pub(crate) fn set_overwrite(call: &mut Call<'_>, channel: &str, id: &str) -> Answer {
    let channel = call.channel(channel)?;
    call.need(channel, bit::MANAGE_ROLES)?;
    let id = Id::parse(id).ok_or_else(|| super::not_a_snowflake("overwrite_id", id))?;
    let object = call.object()?;
    let bits = |key: &str| {
        object
            .get(key)
            .and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
            .unwrap_or(0)
    };
    let person = object.get("type").and_then(Value::as_i64) == Some(1);
    let overwrite = Overwrite {
        id,
        person,
        allow: bits("allow"),
        deny: bits("deny"),
    };
    call.world.set_overwrite(channel, overwrite);
    Ok(Reply::empty())
}

/// `DELETE /channels/{id}/permissions/{overwrite}`
pub(crate) fn delete_overwrite(call: &mut Call<'_>, channel: &str, id: &str) -> Answer {
    let channel = call.channel(channel)?;
    call.need(channel, bit::MANAGE_ROLES)?;
    let id = Id::parse(id).ok_or(Code::UnknownOverwrite)?;
    let known = call
        .world
        .channels
        .get(&channel)
        .is_some_and(|channel| channel.overwrites.iter().any(|one| one.id == id));
    if !known {
        return Err(Code::UnknownOverwrite.into());
    }
    call.world.set_overwrite(
        channel,
        Overwrite {
            id,
            person: false,
            allow: 0,
            deny: 0,
        },
    );
    Ok(Reply::empty())
}

impl World {
    /// Sets an overwrite; one without bits is removed.
    pub(crate) fn set_overwrite(&mut self, channel: Id, overwrite: Overwrite) {
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.overwrites.retain(|one| one.id != overwrite.id);
            if overwrite.allow != 0 || overwrite.deny != 0 {
                channel.overwrites.push(overwrite);
            }
        }
        self.announce_channel(channel, "CHANNEL_UPDATE");
        self.feed.push(Change::Commands);
    }
}

/// `POST /channels/{id}/typing`
pub(crate) fn typing(call: &mut Call<'_>, id: &str) -> Answer {
    let id = call.channel(id)?;
    call.need(id, call.world.send_permission(id))?;
    call.world.tell_typing(id, APPLICATION);
    Ok(Reply::empty())
}

impl World {
    /// Tells everyone that somebody is typing.
    pub(crate) fn tell_typing(&mut self, channel: Id, person: Id) {
        let now = self.now_ms() / 1_000;
        let data = json!({"channel_id": channel, "guild_id": GUILD, "user_id": person, "timestamp": now, "member": self.member_json(person)});
        if self.sees(APPLICATION, channel) {
            self.dispatch("TYPING_START", data);
        }
        self.feed.push(Change::Typing { channel, person });
    }
}
