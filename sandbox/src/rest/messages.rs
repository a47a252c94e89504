//! Messages: read, sent, edited, deleted.

use serde_json::{Value, json};

use super::error::{ApiError, Code, Problems};
use super::{Answer, Call, Reply};
use crate::ids::Id;
use crate::permissions::bit;
use crate::validate::message::{self, Draft, flag};
use crate::validate::read;
use crate::world::seed::{APPLICATION, GUILD};
use crate::world::{Message, World};

/// Messages of one page of a list.
const LIST_MAX: usize = 100;
/// Milliseconds within which a nonce that is enforced names the same message ("a few minutes", says Discord's reference).
const NONCE_MS: i64 = 5 * 60 * 1_000;
/// Milliseconds (14 days) after which messages cannot be deleted in bulk.
const BULK_DELETE_MS: i64 = 14 * 24 * 60 * 60 * 1_000;

/// `GET /channels/{id}/messages`
pub(crate) fn list(call: &mut Call<'_>, channel: &str) -> Answer {
    let channel = call.channel(channel)?;
    let limit = call.limit(50, LIST_MAX)?;
    if !call
        .world
        .may(APPLICATION, channel, bit::READ_MESSAGE_HISTORY)
    {
        return Ok(Reply::json(Vec::<Value>::new()));
    }
    let known = call
        .world
        .messages
        .values()
        .filter(|one| one.channel == channel && !one.local && one.only_for.is_none());
    let ids: Vec<Id> = known.map(|one| one.id).collect();
    let page = page(
        &ids,
        call.query_id("before"),
        call.query_id("after"),
        call.query_id("around"),
        limit,
    );
    Ok(Reply::json(
        page.into_iter()
            .filter_map(|id| call.world.message_json(id, true))
            .collect::<Vec<_>>(),
    ))
}

/// One page of ascending `ids`, newest first.
fn page(
    ids: &[Id],
    before: Option<Id>,
    after: Option<Id>,
    around: Option<Id>,
    limit: usize,
) -> Vec<Id> {
    let mut chosen: Vec<Id> = match (before, after, around) {
        (_, _, Some(middle)) => {
            let split = ids.partition_point(|id| *id < middle);
            let start = split.saturating_sub(limit / 2);
            ids.iter().skip(start).take(limit).copied().collect()
        }
        (_, Some(after), None) => ids
            .iter()
            .filter(|id| **id > after)
            .take(limit)
            .copied()
            .collect(),
        (before, None, None) => {
            let older = ids
                .iter()
                .filter(|id| before.is_none_or(|before| **id < before));
            let older: Vec<Id> = older.copied().collect();
            older.into_iter().rev().take(limit).collect()
        }
    };
    chosen.sort_unstable_by(|a, b| b.cmp(a));
    chosen
}

/// `GET /channels/{id}/messages/{message}`
pub(crate) fn one(call: &mut Call<'_>, channel: &str, id: &str) -> Answer {
    let (channel, id) = call.message(channel, id)?;
    call.need(channel, bit::READ_MESSAGE_HISTORY)?;
    reply(call.world, id)
}

fn reply(world: &World, id: Id) -> Answer {
    world
        .message_json(id, true)
        .map(Reply::json)
        .ok_or_else(|| Code::UnknownMessage.into())
}

/// `POST /channels/{id}/messages`
pub(crate) fn create(call: &mut Call<'_>, channel: &str) -> Answer {
    let channel = call.channel(channel)?;
    let draft = read_draft(call, false)?;
    call.need(channel, call.world.send_permission(channel))?;
    if !draft.uploads.is_empty() {
        call.need(channel, bit::ATTACH_FILES)?;
    }
    if draft
        .embeds
        .as_ref()
        .is_some_and(|embeds| !embeds.is_empty())
    {
        call.need(channel, bit::EMBED_LINKS)?;
    }
    if draft.is_empty() {
        return Err(Code::EmptyMessage.into());
    }
    writable(call.world, channel)?;
    if let Some(same) = same_nonce(call.world, channel, &draft) {
        return reply(call.world, same);
    }
    let id = send(call.world, channel, APPLICATION, draft)?;
    let mut answer = reply(call.world, id)?;
    let nonce = call
        .world
        .messages
        .get(&id)
        .and_then(|message| message.nonce.clone());
    if let (Some(Value::Object(body)), Some(nonce)) = (answer.body.as_mut(), nonce) {
        body.insert("nonce".into(), nonce);
    }
    Ok(answer)
}

/// That a channel takes messages: no category, and no locked thread unless the bot manages threads.
fn writable(world: &World, channel: Id) -> Result<(), ApiError> {
    let place = world.channels.get(&channel).ok_or(Code::UnknownChannel)?;
    if place.type_number() == 4 {
        return Err(Code::NotInThisKindOfChannel.into());
    }
    match &place.thread {
        Some(thread) if thread.locked && !world.may(APPLICATION, channel, bit::MANAGE_THREADS) => {
            Err(Code::ThreadLocked.into())
        }
        Some(thread) if thread.archived && thread.locked => Err(Code::ThreadArchived.into()),
        _ => Ok(()),
    }
}

fn same_nonce(world: &World, channel: Id, draft: &Draft) -> Option<Id> {
    let nonce = draft.nonce.as_ref().filter(|_| draft.enforce_nonce)?;
    let now = world.now_ms();
    let same = |one: &&Message| {
        one.channel == channel
            && one.author == APPLICATION
            && one.nonce.as_ref() == Some(nonce)
            && now - one.at_ms < NONCE_MS
    };
    world.messages.values().rev().find(same).map(|one| one.id)
}

/// Sends a message as somebody.
///
/// # Errors
/// 50035 when it replies to nothing or names a file that is not there.
pub(crate) fn send(
    world: &mut World,
    channel: Id,
    author: Id,
    draft: Draft,
) -> Result<Id, ApiError> {
    let (id, now) = (world.next_id(), world.now_ms());
    let mut message = Message::new(id, channel, author, now);
    message.nonce.clone_from(&draft.nonce);
    message.tts = draft.tts;
    if let Some(reference) = draft.reference {
        let place = reference.channel.unwrap_or(channel);
        let found = world
            .messages
            .get(&reference.message)
            .is_some_and(|other| other.channel == place && !other.local && place == channel);
        if found {
            message.kind = 19;
            message.reference = Some((place, reference.message));
        } else if reference.must_exist {
            let mut problems = Problems::default();
            problems.at(
                "message_reference",
                "REPLIES_UNKNOWN_MESSAGE",
                "Unknown message",
            );
            problems.finish()?;
        }
    }
    world.fill(&mut message, draft)?;
    Ok(world.post(message))
}

fn read_draft(call: &mut Call<'_>, layout: bool) -> Result<Draft, ApiError> {
    let uploads = std::mem::take(&mut call.uploads);
    let mut problems = Problems::default();
    let draft = message::draft(call.object()?, uploads, layout, &mut problems);
    problems.finish()?;
    Ok(draft)
}

/// `PATCH /channels/{id}/messages/{message}`
pub(crate) fn edit(call: &mut Call<'_>, channel: &str, id: &str) -> Answer {
    let (channel, id) = call.message(channel, id)?;
    let message = call.world.messages.get(&id).ok_or(Code::UnknownMessage)?;
    let layout = message.flags & flag::COMPONENTS_V2 != 0;
    let (author, kind) = (message.author, message.kind);
    let thread = call
        .world
        .channels
        .get(&channel)
        .and_then(|place| place.thread.as_ref());
    if thread.is_some_and(|thread| thread.archived) {
        return Err(Code::ThreadArchived.into());
    }
    if author != APPLICATION {
        let only_flags = call.object()?.keys().all(|key| key == "flags");
        if !only_flags {
            return Err(Code::NotTheAuthor.into());
        }
        call.need(channel, bit::MANAGE_MESSAGES)?;
    }
    if matches!(kind, 6 | 18 | 21) {
        return Err(Code::SystemMessage.into());
    }
    let draft = read_draft(call, layout)?;
    call.world.edit_message(id, draft)?;
    reply(call.world, id)
}

/// `DELETE /channels/{id}/messages/{message}`
pub(crate) fn delete(call: &mut Call<'_>, channel: &str, id: &str) -> Answer {
    let (channel, id) = call.message(channel, id)?;
    let message = call.world.messages.get(&id).ok_or(Code::UnknownMessage)?;
    if message.kind == 21 {
        return Err(Code::SystemMessage.into());
    }
    if message.author != APPLICATION {
        call.need(channel, bit::MANAGE_MESSAGES)?;
    }
    call.world.delete_message(id)?;
    Ok(Reply::empty())
}

/// `POST /channels/{id}/messages/bulk-delete`
pub(crate) fn bulk_delete(call: &mut Call<'_>, channel: &str) -> Answer {
    let channel = call.channel(channel)?;
    call.need(channel, bit::MANAGE_MESSAGES)?;
    let mut problems = Problems::default();
    let ids: Vec<Id> = read::list(call.object()?, "messages", 0..=usize::MAX, &mut problems)
        .iter()
        .filter_map(Id::from_json)
        .collect();
    problems.finish()?;
    if !(2..=100).contains(&ids.len()) {
        return Err(Code::BulkDeleteCount.into());
    }
    let now = call.world.now_ms();
    let there = |id: &Id| {
        call.world
            .messages
            .get(id)
            .filter(|one| one.channel == channel && !one.local && one.only_for.is_none())
    };
    if ids
        .iter()
        .filter_map(there)
        .any(|one| now - one.at_ms > BULK_DELETE_MS)
    {
        return Err(Code::BulkDeleteTooOld.into());
    }
    let gone: Vec<Id> = ids.iter().filter_map(there).map(|one| one.id).collect();
    for id in &gone {
        call.world.forget_message(*id);
    }
    call.world.dispatch(
        "MESSAGE_DELETE_BULK",
        json!({"ids": gone, "channel_id": channel, "guild_id": GUILD}),
    );
    Ok(Reply::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_newest_first_whichever_way_they_are_asked_for() {
        let ids: Vec<Id> = (1..=10).map(Id::new).collect();
        let raw = |page: Vec<Id>| page.into_iter().map(Id::raw).collect::<Vec<_>>();
        assert_eq!(raw(page(&ids, None, None, None, 3)), [10, 9, 8]);
        assert_eq!(raw(page(&ids, Some(Id::new(5)), None, None, 2)), [4, 3]);
        assert_eq!(raw(page(&ids, None, Some(Id::new(5)), None, 2)), [7, 6]);
        assert_eq!(raw(page(&ids, None, None, Some(Id::new(5)), 3)), [6, 5, 4]);
    }
}
