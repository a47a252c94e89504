//! People, roles and channels: made, changed, removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Refusal, Said, ok, person, view};
use crate::ids::Id;
use crate::permissions::{self, Overwrite};
use crate::server::Shared;
use crate::validate::command::LOCALES;
use crate::world::seed::{APPLICATION, CATEGORY, GUILD, OWNER};
use crate::world::threads::NAME_MAX_CHARS;
use crate::world::{Change, Channel, ChannelKind, Person, Role, World};

/// What a person is to be.
#[derive(Debug, Deserialize)]
pub(super) struct PersonSpec {
    name: Option<String>,
    display_name: Option<String>,
    locale: Option<String>,
    roles: Option<Vec<String>>,
}

fn role_ids(world: &World, names: &[String]) -> Result<Vec<Id>, Refusal> {
    let one = |name: &String| {
        world
            .find_role(name)
            .filter(|role| role.id != GUILD)
            .map(|role| role.id)
            .ok_or_else(|| Refusal::bad(format!("There is no role {name:?}.")))
    };
    names.iter().map(one).collect()
}

fn check_locale(locale: &str) -> Result<(), Refusal> {
    if LOCALES.contains(&locale) {
        Ok(())
    } else {
        Err(Refusal::bad(format!(
            "Discord's clients have no locale {locale:?}."
        )))
    }
}

fn tell_people(world: &mut World, who: Id, event: &'static str) {
    if let Some(mut member) = world.member_json(who) {
        if let Some(body) = member.as_object_mut() {
            body.insert("guild_id".into(), json!(GUILD));
        }
        world.dispatch(event, member);
    }
    world.feed.push(Change::People);
    for channel in world.channels.keys().copied().collect::<Vec<_>>() {
        world.feed.push(Change::Channel(channel));
    }
    world.feed.push(Change::Commands);
}

/// `POST /people`
pub(super) async fn create_person(
    State(shared): State<Arc<Shared>>,
    Body(spec): Body<PersonSpec>,
) -> Said {
    let mut world = shared.world();
    let name = spec.name.unwrap_or_default().trim().to_lowercase();
    let good = (2..=32).contains(&name.chars().count())
        && name
            .chars()
            .all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || "._".contains(one));
    if !good || Id::parse(&name).is_some() {
        return Err(Refusal::bad(
            "A name has 2 to 32 characters: small letters, digits, `.` and `_`.",
        ));
    }
    if world.people.values().any(|one| one.name == name) {
        return Err(Refusal::bad(format!("There is a {name:?} already.")));
    }
    let locale = spec.locale.unwrap_or_else(|| "en-US".to_owned());
    check_locale(&locale)?;
    let roles = role_ids(&world, &spec.roles.unwrap_or_default())?;
    let (id, joined_ms) = (world.next_id(), world.now_ms());
    world.people.insert(
        id,
        Person {
            id,
            name,
            display_name: spec.display_name,
            locale,
            roles,
            bot: false,
            nick: None,
            joined_ms,
        },
    );
    tell_people(&mut world, id, "GUILD_MEMBER_ADD");
    answer(&world, id)
}

fn answer(world: &World, id: Id) -> Said {
    world
        .people
        .get(&id)
        .map(|one| Json(view::person_json(world, one)))
        .ok_or_else(|| Refusal::unknown("person"))
}

/// `PATCH /people/{who}`
pub(super) async fn edit_person(
    State(shared): State<Arc<Shared>>,
    Path(who): Path<String>,
    Body(spec): Body<PersonSpec>,
) -> Said {
    let mut world = shared.world();
    let id = person(&world, Some(&who))?.id;
    if let Some(locale) = &spec.locale {
        check_locale(locale)?;
    }
    let roles = spec
        .roles
        .as_deref()
        .map(|names| role_ids(&world, names))
        .transpose()?;
    if let Some(one) = world.people.get_mut(&id) {
        one.locale = spec.locale.unwrap_or_else(|| one.locale.clone());
        one.display_name = spec.display_name.or(one.display_name.take());
        one.roles = roles.unwrap_or_else(|| one.roles.clone());
    }
    tell_people(&mut world, id, "GUILD_MEMBER_UPDATE");
    answer(&world, id)
}

/// `DELETE /people/{who}`
pub(super) async fn delete_person(
    State(shared): State<Arc<Shared>>,
    Path(who): Path<String>,
) -> Said {
    let mut world = shared.world();
    let id = person(&world, Some(&who))?.id;
    if id == OWNER {
        return Err(Refusal::forbidden("The owner cannot leave the guild."));
    }
    let user = world.user_json(id);
    world.people.shift_remove(&id);
    world.dispatch(
        "GUILD_MEMBER_REMOVE",
        json!({"guild_id": GUILD, "user": user}),
    );
    world.feed.push(Change::People);
    Ok(ok())
}

/// What a role is to be.
#[derive(Debug, Deserialize)]
pub(super) struct RoleSpec {
    name: Option<String>,
    colour: Option<String>,
    permissions: Option<Vec<String>>,
    mentionable: Option<bool>,
}

fn colour(text: &str) -> Result<u32, Refusal> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
    digits
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or_else(|| Refusal::bad(format!("A colour is written #rrggbb, not {text:?}.")))
}

fn bits(names: &[String]) -> Result<u64, Refusal> {
    let one = |name: &String| {
        permissions::by_name(name)
            .ok_or_else(|| Refusal::bad(format!("There is no permission {name:?}.")))
    };
    names
        .iter()
        .try_fold(0, |bits, name| one(name).map(|bit| bits | bit))
}

fn apply(role: &mut Role, spec: RoleSpec) -> Result<(), Refusal> {
    if let Some(name) = spec.name {
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_MAX_CHARS {
            return Err(Refusal::bad(format!(
                "The name of a role has 1 to {NAME_MAX_CHARS} characters."
            )));
        }
        role.name = name;
    }
    if let Some(text) = spec.colour {
        role.colour = colour(&text)?;
    }
    if let Some(names) = spec.permissions {
        role.permissions = bits(&names)?;
    }
    role.mentionable = spec.mentionable.unwrap_or(role.mentionable);
    Ok(())
}

fn tell_role(world: &mut World, role: &Role, event: &'static str) -> Json<Value> {
    world.dispatch(
        event,
        json!({"guild_id": GUILD, "role": World::role_json(role)}),
    );
    world.feed.push(Change::People);
    for channel in world.channels.keys().copied().collect::<Vec<_>>() {
        world.feed.push(Change::Channel(channel));
    }
    Json(view::role_json(role))
}

/// `POST /roles`
pub(super) async fn create_role(
    State(shared): State<Arc<Shared>>,
    Body(spec): Body<RoleSpec>,
) -> Said {
    let mut world = shared.world();
    if spec.name.is_none() {
        return Err(Refusal::bad("`name` is missing."));
    }
    let id = world.next_id();
    let mut role = Role {
        id,
        name: String::new(),
        permissions: 0,
        position: 1,
        colour: 0,
        hoist: false,
        managed: false,
        mentionable: true,
        bot: None,
    };
    apply(&mut role, spec)?;
    for other in world.roles.values_mut().filter(|other| other.position >= 1) {
        other.position += 1;
    }
    world.roles.insert(id, role.clone());
    Ok(tell_role(&mut world, &role, "GUILD_ROLE_CREATE"))
}

fn editable(world: &World, which: &str) -> Result<Role, Refusal> {
    world
        .find_role(which)
        .cloned()
        .ok_or_else(|| Refusal::unknown("role"))
}

/// `PATCH /roles/{role}`
pub(super) async fn edit_role(
    State(shared): State<Arc<Shared>>,
    Path(which): Path<String>,
    Body(spec): Body<RoleSpec>,
) -> Said {
    let mut world = shared.world();
    let mut role = editable(&world, &which)?;
    apply(&mut role, spec)?;
    world.roles.insert(role.id, role.clone());
    Ok(tell_role(&mut world, &role, "GUILD_ROLE_UPDATE"))
}

/// `DELETE /roles/{role}`
pub(super) async fn delete_role(
    State(shared): State<Arc<Shared>>,
    Path(which): Path<String>,
) -> Said {
    let mut world = shared.world();
    let role = editable(&world, &which)?;
    if role.id == GUILD || role.managed {
        return Err(Refusal::forbidden("This role cannot be deleted."));
    }
    world.roles.shift_remove(&role.id);
    for one in world.people.values_mut() {
        one.roles.retain(|id| *id != role.id);
    }
    world.dispatch(
        "GUILD_ROLE_DELETE",
        json!({"guild_id": GUILD, "role_id": role.id}),
    );
    world.feed.push(Change::People);
    Ok(ok())
}

/// What a channel is to be.
#[derive(Debug, Deserialize)]
pub(super) struct ChannelSpec {
    name: Option<String>,
    topic: Option<String>,
    parent_id: Option<String>,
}

fn channel_name(name: &str) -> Result<String, Refusal> {
    let name = name
        .trim()
        .trim_start_matches('#')
        .to_lowercase()
        .replace(char::is_whitespace, "-");
    if name.is_empty() || name.chars().count() > NAME_MAX_CHARS {
        return Err(Refusal::bad(format!(
            "The name of a channel has 1 to {NAME_MAX_CHARS} characters."
        )));
    }
    Ok(name)
}

/// `POST /channels`
pub(super) async fn create_channel(
    State(shared): State<Arc<Shared>>,
    Body(spec): Body<ChannelSpec>,
) -> Said {
    let mut world = shared.world();
    let name = channel_name(&spec.name.unwrap_or_default())?;
    let parent = spec
        .parent_id
        .as_deref()
        .and_then(Id::parse)
        .unwrap_or(CATEGORY);
    let parent = world
        .channels
        .get(&parent)
        .filter(|one| one.type_number() == 4)
        .map(|one| one.id);
    let (id, now) = (world.next_id(), world.now_ms());
    let position = i64::try_from(world.channels.len()).unwrap_or(i64::MAX);
    let mut channel = Channel::new(id, &name, ChannelKind::Text, parent, position, now);
    channel.topic = spec.topic;
    world.channels.insert(id, channel);
    world.announce_channel(id, "CHANNEL_CREATE");
    view::channel_json(&world, OWNER, id)
        .map(Json)
        .ok_or_else(|| Refusal::unknown("channel"))
}

/// `PATCH /channels/{id}`
pub(super) async fn edit_channel(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(spec): Body<ChannelSpec>,
) -> Said {
    let mut world = shared.world();
    let id = Id::parse(&id)
        .filter(|id| world.channels.contains_key(id))
        .ok_or_else(|| Refusal::unknown("channel"))?;
    let name = spec.name.as_deref().map(channel_name).transpose()?;
    let mut event = "CHANNEL_UPDATE";
    if let Some(channel) = world.channels.get_mut(&id) {
        channel.name = name.unwrap_or_else(|| channel.name.clone());
        channel.topic = spec.topic.or(channel.topic.take());
        if channel.thread.is_some() {
            event = "THREAD_UPDATE";
        }
    }
    world.announce_channel(id, event);
    view::channel_json(&world, OWNER, id)
        .map(Json)
        .ok_or_else(|| Refusal::unknown("channel"))
}

/// `DELETE /channels/{id}`
pub(super) async fn delete_channel(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Said {
    let mut world = shared.world();
    let id = Id::parse(&id)
        .filter(|id| world.channels.contains_key(id))
        .ok_or_else(|| Refusal::unknown("channel"))?;
    world.delete_channel(id);
    Ok(ok())
}

/// An overwrite.
#[derive(Debug, Deserialize)]
pub(super) struct OverwriteSpec {
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    deny: Vec<String>,
}

/// `PUT /channels/{id}/permissions/{whom}`
pub(super) async fn set_permissions(
    State(shared): State<Arc<Shared>>,
    Path((id, whom)): Path<(String, String)>,
    Body(spec): Body<OverwriteSpec>,
) -> Said {
    let mut world = shared.world();
    let channel = Id::parse(&id)
        .filter(|id| world.channels.contains_key(id))
        .ok_or_else(|| Refusal::unknown("channel"))?;
    let bot = (Id::parse(&whom) == Some(APPLICATION)).then_some(APPLICATION);
    let (id, is_person) = match world.find_role(&whom) {
        Some(role) => (role.id, false),
        None => (
            bot.map_or_else(|| person(&world, Some(&whom)).map(|one| one.id), Ok)?,
            true,
        ),
    };
    let overwrite = Overwrite {
        id,
        person: is_person,
        allow: bits(&spec.allow)?,
        deny: bits(&spec.deny)?,
    };
    world.set_overwrite(channel, overwrite);
    Ok(ok())
}

/// `POST /reset`
pub(super) async fn reset(State(shared): State<Arc<Shared>>) -> Said {
    shared.world().reset();
    Ok(ok())
}
