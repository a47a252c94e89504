//! The guild as a person sees it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Said, channel_of, person};
use crate::clock::page_time;
use crate::ids::Id;
use crate::permissions::{self, bit};
use crate::server::Shared;
use crate::world::seed::{APPLICATION, GUILD, GUILD_LOCALE, GUILD_NAME, OWNER};
use crate::world::{Person, Role, World};

/// `?as=`
#[derive(Debug, Deserialize)]
pub(super) struct As {
    #[serde(rename = "as")]
    pub(super) who: Option<String>,
}

/// `GET /state`
pub(super) async fn state(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let lab = shared.lab.is_some();
    Json(state_json(&shared.world(), lab))
}

pub(super) fn state_json(world: &World, lab: bool) -> Value {
    json!({"guild": {"id": GUILD, "name": GUILD_NAME, "owner_id": OWNER, "preferred_locale": GUILD_LOCALE}, "bot": bot_json(world),
        "people": people_json(world), "roles": roles_json(world), "lab": lab, "now": page_time(world.now_ms()), "build": env!("CARGO_PKG_VERSION")})
}

pub(super) fn bot_json(world: &World) -> Value {
    let bot = world.people.get(&APPLICATION);
    let colour = bot.and_then(|bot| world.colour_of(bot));
    json!({"id": APPLICATION, "name": bot.map_or("Handbell", Person::shown_name), "colour": colour.map(hex), "connected": world.gateway.connected(), "commands": world.commands.all.len()})
}

pub(super) fn hex(colour: u32) -> String {
    format!("#{colour:06x}")
}

pub(super) fn people_json(world: &World) -> Value {
    world
        .people
        .values()
        .filter(|person| !person.bot)
        .map(|person| person_json(world, person))
        .collect()
}

pub(super) fn person_json(world: &World, person: &Person) -> Value {
    let names: Vec<&str> = person
        .roles
        .iter()
        .filter_map(|id| world.roles.get(id))
        .map(|role| role.name.as_str())
        .collect();
    json!({"id": person.id, "name": person.name, "display_name": person.shown_name(), "roles": names, "role_ids": person.roles,
        "locale": person.locale, "colour": world.colour_of(person).map(hex), "owner": person.id == OWNER})
}

pub(super) fn roles_json(world: &World) -> Value {
    let mut roles: Vec<&Role> = world.roles.values().collect();
    roles.sort_by_key(|role| std::cmp::Reverse(role.position));
    roles.into_iter().map(role_json).collect()
}

pub(super) fn role_json(role: &Role) -> Value {
    json!({"id": role.id, "name": role.name, "colour": (role.colour != 0).then(|| hex(role.colour)), "position": role.position,
        "mentionable": role.mentionable, "permissions": permissions::names(role.permissions), "managed": role.managed})
}

/// `GET /channels`
pub(super) async fn channels(State(shared): State<Arc<Shared>>, Query(query): Query<As>) -> Said {
    let mut world = shared.world();
    world.sweep();
    let who = person(&world, query.who.as_deref())?.id;
    let list: Vec<Value> = in_order(&world)
        .into_iter()
        .filter_map(|id| channel_json(&world, who, id))
        .collect();
    Ok(Json(json!({"channels": list})))
}

/// Channels in the order of the list: each category with its channels, each channel with its threads.
fn in_order(world: &World) -> Vec<Id> {
    fn below(world: &World, parent: Option<Id>, out: &mut Vec<Id>) {
        let mut children: Vec<_> = world
            .channels
            .values()
            .filter(|channel| channel.parent == parent)
            .collect();
        // Channels without a category stand above the categories.
        children.sort_by_key(|channel| (channel.type_number() == 4, channel.position, channel.id));
        for child in children {
            out.push(child.id);
            below(world, Some(child.id), out);
        }
    }
    let mut out = Vec::with_capacity(world.channels.len());
    below(world, None, &mut out);
    out
}

pub(super) fn channel_json(world: &World, who: Id, id: Id) -> Option<Value> {
    let channel = world.channels.get(&id).filter(|_| world.sees(who, id))?;
    let may = |bits| world.may(who, id, bits);
    let thread = channel.thread.as_ref();
    let locked = thread.is_some_and(|thread| thread.locked);
    let can_send = channel.type_number() != 4
        && may(world.send_permission(id))
        && (!locked || may(bit::MANAGE_THREADS));
    Some(
        json!({"id": id, "type": channel.type_word(), "name": channel.name, "topic": channel.topic, "parent_id": channel.parent,
        "position": channel.position, "can_send": can_send, "can_use_commands": can_send && may(bit::USE_APPLICATION_COMMANDS),
        "can_open_threads": thread.is_none() && channel.type_number() != 4 && may(bit::CREATE_PUBLIC_THREADS),
        "archived": thread.is_some_and(|thread| thread.archived), "locked": locked,
        "joined": thread.is_some_and(|thread| thread.members.contains_key(&who)), "owner_id": thread.map(|thread| thread.owner),
        "message_count": thread.map_or(0, |thread| thread.message_count), "member_count": thread.map_or(0, |thread| thread.members.len()),
        "starter_message_id": thread.and_then(|thread| thread.starter), "last_message_id": channel.last_message}),
    )
}

/// `GET /channels/{id}/members`
pub(super) async fn members(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(query): Query<As>,
) -> Said {
    let world = shared.world();
    let who = person(&world, query.who.as_deref())?.id;
    let channel = channel_of(&world, who, &id)?;
    let seeing = world
        .people
        .values()
        .filter(|one| world.sees(one.id, channel));
    let list: Vec<Value> = seeing.map(|one| json!({"id": one.id, "name": one.name, "display_name": one.shown_name(), "bot": one.bot})).collect();
    Ok(Json(json!({"people": list})))
}
