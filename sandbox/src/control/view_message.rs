//! A message as one person sees it.

use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::{Path, Query, State};
use regex::{Captures, Regex};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::view::hex;
use super::{Refusal, Said, channel_of, message_of, person, sees_message};
use crate::clock::page_time;
use crate::ids::Id;
use crate::server::Shared;
use crate::validate::message::flag;
use crate::world::message::{State as Progress, file_path};
use crate::world::seed::APPLICATION;
use crate::world::{Message, World, mentions};

/// Characters of the excerpt of a message that is replied to.
const EXCERPT_CHARS: usize = 100;

/// The query of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(rename = "as")]
    who: Option<String>,
    limit: Option<usize>,
    before: Option<String>,
    after: Option<String>,
}

/// `GET /channels/{id}/messages`
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Said {
    let mut world = shared.world();
    world.sweep();
    let who = person(&world, page.who.as_deref())?.id;
    let channel = channel_of(&world, who, &id)?;
    let limit = page.limit.unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(Refusal::bad("`limit` is between 1 and 100."));
    }
    let (before, after) = (
        page.before.as_deref().and_then(Id::parse),
        page.after.as_deref().and_then(Id::parse),
    );
    let seen: Vec<Id> = in_channel(&world, who, channel)
        .filter(|id| {
            before.is_none_or(|before| *id < before) && after.is_none_or(|after| *id > after)
        })
        .collect();
    let more = seen.len() > limit;
    let skip = if after.is_some() {
        0
    } else {
        seen.len().saturating_sub(limit)
    };
    let messages: Vec<Value> = seen
        .iter()
        .skip(skip)
        .take(limit)
        .filter_map(|id| message_json(&world, who, *id))
        .collect();
    Ok(Json(json!({"messages": messages, "more": more})))
}

/// The messages of a channel that a person sees, oldest first.
pub(super) fn in_channel(world: &World, who: Id, channel: Id) -> impl Iterator<Item = Id> {
    let here = world
        .messages
        .values()
        .filter(move |one| one.channel == channel && one.only_for.is_none_or(|only| only == who));
    here.map(|one| one.id)
}

/// `GET /messages/{id}`
pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(query): Query<super::view::As>,
) -> Said {
    let mut world = shared.world();
    world.sweep();
    let who = person(&world, query.who.as_deref())?.id;
    let id = message_of(&world, who, &id)?;
    message_json(&world, who, id)
        .map(Json)
        .ok_or_else(|| Refusal::unknown("message"))
}

/// The message as a person sees it; `None` when they do not.
pub(super) fn message_json(world: &World, who: Id, id: Id) -> Option<Value> {
    let message = world
        .messages
        .get(&id)
        .filter(|_| sees_message(world, who, id))?;
    let author = world.people.get(&message.author);
    let suppressed = message.flags & flag::SUPPRESS_EMBEDS != 0;
    let embeds = if suppressed {
        json!([])
    } else {
        json!(message.embeds)
    };
    let state = match message.state {
        Progress::Sent => "sent",
        Progress::Thinking => "thinking",
        Progress::Failed => "failed",
    };
    Some(
        json!({"id": id, "channel_id": message.channel, "kind": kind(message), "state": state,
        "author": {"id": message.author, "name": author.map_or("deleted_user", |one| &one.name), "display_name": author.map_or("Deleted User", |one| one.shown_name()),
            "bot": author.is_some_and(|one| one.bot), "colour": author.and_then(|one| world.colour_of(one)).map(hex)},
        "at": page_time(message.at_ms), "edited_at": message.edited_ms.map(page_time), "content": message.content,
        "readable": readable(world, message), "resolved": resolved(world, message),
        "mentions": {"me": mentions_me(world, message, who), "users": message.mentioned.users, "roles": message.mentioned.roles, "everyone": message.mentioned.everyone},
        "embeds": embeds, "components": message.components, "attachments": attachments(message),
        "ephemeral": message.only_for.is_some(), "suppress_embeds": suppressed, "pinned": message.pinned, "reactions": reactions(world, message, who),
        "reply_to": reply_to(world, who, message), "command": command(world, message), "thread": thread(world, who, message),
        "mine": message.author == who, "interaction_id": message.interaction, "notice": message.notices.get(&who)}),
    )
}

fn kind(message: &Message) -> &'static str {
    match message.kind {
        _ if message.local => "notice",
        6 => "pinned",
        18 => "thread_created",
        19 => "reply",
        20 => "command",
        21 => "thread_starter",
        23 => "context",
        _ => "default",
    }
}

fn mentions_me(world: &World, message: &Message, who: Id) -> bool {
    let by_role = world.people.get(&who).is_some_and(|one| {
        one.roles
            .iter()
            .any(|role| message.mentioned.roles.contains(role))
    });
    message.mentioned.users.contains(&who) || message.mentioned.everyone || by_role
}

fn attachments(message: &Message) -> Value {
    let one = |file: &crate::world::Attachment| {
        json!({"id": file.id, "filename": file.filename, "size": file.size, "content_type": file.content_type, "url": file_path(file),
            "description": file.description, "width": file.dimensions.map(|(width, _)| width), "height": file.dimensions.map(|(_, height)| height)})
    };
    message.attachments.iter().map(one).collect()
}

fn reactions(world: &World, message: &Message, who: Id) -> Value {
    let one = |(emoji, people): (&String, &Vec<Id>)| {
        let names: Vec<&str> = people
            .iter()
            .filter_map(|id| world.people.get(id))
            .map(super::super::world::people::Person::shown_name)
            .collect();
        json!({"emoji": emoji, "count": people.len(), "me": people.contains(&who), "people": names})
    };
    message.reactions.iter().map(one).collect()
}

fn reply_to(world: &World, who: Id, message: &Message) -> Value {
    let Some((_, id)) = message
        .reference
        .filter(|_| matches!(message.kind, 6 | 19 | 21))
    else {
        return Value::Null;
    };
    match world
        .messages
        .get(&id)
        .filter(|_| sees_message(world, who, id))
    {
        None => json!({"id": id, "author": null, "excerpt": "", "deleted": true}),
        Some(other) => {
            let author = world
                .people
                .get(&other.author)
                .map_or("Deleted User", |one| one.shown_name());
            let excerpt: String = readable(world, other).chars().take(EXCERPT_CHARS).collect();
            json!({"id": id, "author": author, "excerpt": excerpt, "deleted": false})
        }
    }
}

fn command(world: &World, message: &Message) -> Value {
    let Some((name, id)) = &message.command else {
        return Value::Null;
    };
    let person = world.people.get(id);
    json!({"name": name, "person": {"id": id, "name": person.map(|one| &one.name), "display_name": person.map(super::super::world::people::Person::shown_name)}})
}

fn thread(world: &World, who: Id, message: &Message) -> Value {
    let found = message
        .thread
        .filter(|id| world.sees(who, *id))
        .and_then(|id| world.channels.get(&id));
    found.map_or(Value::Null, |channel| {
        let thread = channel.thread.as_ref();
        json!({"id": channel.id, "name": channel.name, "message_count": thread.map(|one| one.message_count), "archived": thread.is_some_and(|one| one.archived)})
    })
}

/// All texts of a message in the order in which a person reads them, as they were sent.
fn raw_texts(message: &Message) -> Vec<String> {
    let mut out = vec![message.content.clone()];
    for embed in message
        .embeds
        .iter()
        .filter(|_| message.flags & flag::SUPPRESS_EMBEDS == 0)
    {
        let mut take = |pointer: &str| {
            out.extend(
                embed
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
        };
        for pointer in ["/author/name", "/title", "/description"] {
            take(pointer);
        }
        for index in 0..embed["fields"].as_array().map_or(0, Vec::len) {
            take(&format!("/fields/{index}/name"));
            take(&format!("/fields/{index}/value"));
        }
        take("/footer/text");
    }
    for component in &message.components {
        component_texts(component, &mut out);
    }
    out.extend(message.attachments.iter().map(|file| file.filename.clone()));
    out.retain(|text| !text.is_empty());
    out
}

fn component_texts(component: &Value, out: &mut Vec<String>) {
    for key in ["content", "label", "placeholder"] {
        out.extend(component[key].as_str().map(str::to_owned));
    }
    for option in component["options"].as_array().into_iter().flatten() {
        out.extend(option["label"].as_str().map(str::to_owned));
    }
    for inner in component["components"].as_array().into_iter().flatten() {
        component_texts(inner, out);
    }
    if component["accessory"].is_object() {
        component_texts(&component["accessory"], out);
    }
}

#[expect(
    clippy::expect_used,
    reason = "a constant pattern; a test of the front door uses it"
)]
static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"<(@!?|@&|#|t:)(-?\d{1,20})(:[tTdDfFR])?>").expect("the pattern of tokens")
});

/// What a person reads, as plain text.
pub(super) fn readable(world: &World, message: &Message) -> String {
    let replace = |found: &Captures<'_>| {
        let (sigil, number) = (
            found.get(1).map_or("", |one| one.as_str()),
            found.get(2).map_or("", |one| one.as_str()),
        );
        let id = Id::parse(number);
        match sigil {
            "t:" => number
                .parse::<i64>()
                .map(|seconds| page_time(seconds.saturating_mul(1_000)))
                .unwrap_or_default(),
            "@&" => format!(
                "@{}",
                id.and_then(|id| world.roles.get(&id))
                    .map_or("deleted-role", |role| &role.name)
            ),
            "#" => format!(
                "#{}",
                id.and_then(|id| world.channels.get(&id))
                    .map_or("unknown", |channel| &channel.name)
            ),
            _ => format!(
                "@{}",
                id.and_then(|id| world.people.get(&id))
                    .map_or("unknown-user", |one| one.shown_name())
            ),
        }
    };
    TOKENS
        .replace_all(&raw_texts(message).join("\n"), replace)
        .into_owned()
}

/// Names for everything that the texts mention.
fn resolved(world: &World, message: &Message) -> Value {
    let named = mentions::named(&raw_texts(message).join("\n"));
    let users: Map<String, Value> = named
        .users
        .iter()
        .filter_map(|id| Some((id.to_string(), json!(world.people.get(id)?.shown_name()))))
        .collect();
    let roles: Map<String, Value> = named
        .roles
        .iter()
        .filter_map(|id| world.roles.get(id))
        .map(|role| {
            (
                role.id.to_string(),
                json!({"name": role.name, "colour": (role.colour != 0).then(|| hex(role.colour))}),
            )
        })
        .collect();
    let channels: Map<String, Value> = named
        .channels
        .iter()
        .filter_map(|id| Some((id.to_string(), json!(world.channels.get(id)?.name))))
        .collect();
    json!({"users": users, "roles": roles, "channels": channels})
}

/// Whether a message is the bot's.
pub(super) fn is_the_bots(message: &Message) -> bool {
    message.author == APPLICATION
}
