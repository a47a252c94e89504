//! Reactions and pins.

use serde_json::{Value, json};

use super::error::Code;
use super::{Answer, Call, Reply};
use crate::clock::discord_time;
use crate::ids::Id;
use crate::permissions::bit;
use crate::world::seed::{APPLICATION, GUILD};
use crate::world::{Change, Message};

/// Pins of a channel. Source: Discord's error 30003 at the time of its documentation.
const PINS_MAX: usize = 50;
/// Kinds of reactions on a message. Source: Discord's error 30010.
const REACTIONS_MAX: usize = 20;

/// `PUT` and `DELETE /channels/{id}/messages/{message}/reactions/{emoji}/@me`
pub(crate) fn react(
    call: &mut Call<'_>,
    channel: &str,
    id: &str,
    emoji: &str,
    add: bool,
) -> Answer {
    let (channel, id) = call.message(channel, id)?;
    call.need(channel, bit::READ_MESSAGE_HISTORY)?;
    let Some(message) = call.world.messages.get_mut(&id) else {
        return Err(Code::UnknownMessage.into());
    };
    let fresh = !message.reactions.contains_key(emoji);
    if add {
        if emoji.is_empty()
            || emoji.is_ascii() && !emoji.contains(':')
            || fresh && message.reactions.len() >= REACTIONS_MAX
        {
            return Err(Code::UnknownEmoji.into());
        }
        let people = message.reactions.entry(emoji.to_owned()).or_default();
        if !people.contains(&APPLICATION) {
            people.push(APPLICATION);
        }
    } else if let Some(people) = message.reactions.get_mut(emoji) {
        people.retain(|one| *one != APPLICATION);
        if people.is_empty() {
            message.reactions.shift_remove(emoji);
        }
    }
    let event = if add {
        "MESSAGE_REACTION_ADD"
    } else {
        "MESSAGE_REACTION_REMOVE"
    };
    let mut data = json!({"user_id": APPLICATION, "channel_id": channel, "message_id": id, "guild_id": GUILD, "emoji": {"id": null, "name": emoji}, "burst": false, "type": 0});
    if let Some(body) = data.as_object_mut().filter(|_| add) {
        body.insert("member".into(), json!(call.world.member_json(APPLICATION)));
    }
    call.world.dispatch(event, data);
    call.world.feed.push(Change::Edit(id));
    Ok(Reply::empty())
}

/// `GET /channels/{id}/messages/{message}/reactions/{emoji}`
pub(crate) fn who(call: &mut Call<'_>, channel: &str, id: &str, emoji: &str) -> Answer {
    let (_, id) = call.message(channel, id)?;
    let people = call
        .world
        .messages
        .get(&id)
        .and_then(|message| message.reactions.get(emoji))
        .cloned()
        .unwrap_or_default();
    Ok(Reply::json(
        people
            .into_iter()
            .filter_map(|id| call.world.user_json(id))
            .collect::<Vec<_>>(),
    ))
}

fn pinned(call: &Call<'_>, channel: Id) -> Vec<Id> {
    let pinned = |one: &&Message| one.channel == channel && one.pinned;
    call.world
        .messages
        .values()
        .rev()
        .filter(pinned)
        .map(|one| one.id)
        .collect()
}

/// `GET /channels/{id}/messages/pins`
pub(crate) fn pins(call: &mut Call<'_>, channel: &str) -> Answer {
    let channel = call.channel(channel)?;
    let items: Vec<Value> = pinned(call, channel)
        .into_iter()
        .filter_map(|id| {
            let at = call.world.messages.get(&id)?.at_ms;
            Some(json!({"pinned_at": discord_time(at), "message": call.world.message_json(id, true)?}))
        })
        .collect();
    Ok(Reply::json(json!({"items": items, "has_more": false})))
}

/// `GET /channels/{id}/pins`, the older form.
pub(crate) fn pins_of_old(call: &mut Call<'_>, channel: &str) -> Answer {
    let channel = call.channel(channel)?;
    Ok(Reply::json(
        pinned(call, channel)
            .into_iter()
            .filter_map(|id| call.world.message_json(id, true))
            .collect::<Vec<_>>(),
    ))
}

/// `PUT` and `DELETE` of a pin.
pub(crate) fn pin(call: &mut Call<'_>, channel: &str, id: &str, on: bool) -> Answer {
    let (channel, id) = call.message(channel, id)?;
    call.need(channel, bit::PIN_MESSAGES)?;
    if on && pinned(call, channel).len() >= PINS_MAX {
        return Err(Code::TooManyPins.into());
    }
    let Some(message) = call.world.messages.get_mut(&id) else {
        return Err(Code::UnknownMessage.into());
    };
    let changed = message.pinned != on;
    message.pinned = on;
    if changed && on {
        let (notice, now) = (call.world.next_id(), call.world.now_ms());
        let notice = Message {
            kind: 6,
            reference: Some((channel, id)),
            ..Message::new(notice, channel, APPLICATION, now)
        };
        call.world.post(notice);
    }
    if changed {
        call.world.edited(id);
        let now = call.world.now_ms();
        call.world.dispatch("CHANNEL_PINS_UPDATE", json!({"guild_id": GUILD, "channel_id": channel, "last_pin_timestamp": on.then(|| discord_time(now))}));
    }
    Ok(Reply::empty())
}
