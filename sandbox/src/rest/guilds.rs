//! The guild: itself, its channels, roles and members.

use axum::http::Method;
use serde_json::{Value, json};

use super::error::{ApiError, Code};
use super::{Answer, Call, Reply};
use crate::ids::Id;
use crate::permissions::bit;
use crate::world::seed::{APPLICATION, GUILD};
use crate::world::{Change, World};

/// Members that a page of the list holds at most. Source: Discord's reference, "List Guild Members".
const MEMBERS_MAX: usize = 1_000;

/// Everything under `/guilds/{id}`.
pub(crate) fn carry_out(
    call: &mut Call<'_>,
    method: &Method,
    guild: &str,
    rest: &[&str],
) -> Answer {
    let id = Id::parse(guild).ok_or_else(|| super::not_a_snowflake("guild_id", guild))?;
    if id != GUILD || call.world.faults.outage() {
        return Err(Code::UnknownGuild.into());
    }
    match (method.as_str(), rest) {
        ("GET", []) => {
            let counts = call
                .query
                .get("with_counts")
                .is_some_and(|value| value == "true");
            Ok(Reply::json(call.world.guild_json(counts)))
        }
        ("GET", ["channels"]) => Ok(channels(call.world)),
        ("GET", ["roles"]) => Ok(Reply::json(call.world.roles_json())),
        ("GET", ["roles", role]) => {
            let role = Id::parse(role).and_then(|id| call.world.roles.get(&id));
            role.map(|role| Reply::json(World::role_json(role)))
                .ok_or_else(|| Code::UnknownRole.into())
        }
        ("GET", ["members"]) => members(call),
        ("GET", ["members", "search"]) => search(call),
        ("GET", ["members", user]) => member(call.world, user),
        ("PUT" | "DELETE", ["members", user, "roles", role]) => {
            set_role(call.world, user, role, method == Method::PUT)
        }
        ("PATCH", ["members", "@me"]) => rename(call),
        ("GET", ["threads", "active"]) => Ok(super::threads::active(call.world)),
        ("GET", ["emojis" | "stickers" | "webhooks" | "invites" | "integrations"]) => {
            Ok(Reply::json(json!([])))
        }
        _ => Err(Code::NotFound.into()),
    }
}

/// Every channel, without threads. Discord lists those that the bot cannot see, too.
fn channels(world: &World) -> Reply {
    let plain = world
        .channels
        .values()
        .filter(|channel| channel.thread.is_none());
    Reply::json(
        plain
            .filter_map(|channel| world.channel_json(channel.id))
            .collect::<Vec<_>>(),
    )
}

fn members(call: &mut Call<'_>) -> Answer {
    // Listing members takes the privileged intent, which the application was not granted.
    call.limit(1, MEMBERS_MAX)?;
    Err(Code::MissingAccess.into())
}

fn search(call: &mut Call<'_>) -> Answer {
    let limit = call.limit(1, MEMBERS_MAX)?;
    let prefix = call
        .query
        .get("query")
        .map(|text| text.to_lowercase())
        .unwrap_or_default();
    let hit = |name: &str| name.to_lowercase().starts_with(&prefix);
    let people = call
        .world
        .people
        .values()
        .filter(|person| hit(&person.name) || hit(person.shown_name()))
        .take(limit);
    Ok(Reply::json(
        people
            .filter_map(|person| call.world.member_json(person.id))
            .collect::<Vec<_>>(),
    ))
}

fn member(world: &World, user: &str) -> Answer {
    let id = Id::parse(user).ok_or_else(|| super::not_a_snowflake("user_id", user))?;
    world
        .member_json(id)
        .map(Reply::json)
        .ok_or_else(|| Code::UnknownMember.into())
}

fn set_role(world: &mut World, user: &str, role: &str, has: bool) -> Answer {
    let (Some(user), Some(role)) = (Id::parse(user), Id::parse(role)) else {
        return Err(Code::UnknownMember.into());
    };
    let position = world.roles.get(&role).ok_or(Code::UnknownRole)?.position;
    let own = world.people.get(&APPLICATION).map_or(0, |bot| {
        bot.roles
            .iter()
            .filter_map(|id| world.roles.get(id))
            .map(|role| role.position)
            .max()
            .unwrap_or(0)
    });
    if world.guild_permissions(APPLICATION) & bit::MANAGE_ROLES == 0 || position >= own {
        return Err(Code::MissingPermissions.into());
    }
    let person = world.people.get_mut(&user).ok_or(Code::UnknownMember)?;
    person.roles.retain(|one| *one != role);
    if has {
        person.roles.push(role);
    }
    world.feed.push(Change::People);
    Ok(Reply::empty())
}

fn rename(call: &mut Call<'_>) -> Answer {
    let nick = call
        .object()?
        .get("nick")
        .and_then(Value::as_str)
        .map(str::to_owned);
    if call.world.guild_permissions(APPLICATION) & bit::CHANGE_NICKNAME == 0 {
        return Err(Code::MissingPermissions.into());
    }
    if let Some(bot) = call.world.people.get_mut(&APPLICATION) {
        bot.nick = nick.filter(|nick| !nick.is_empty());
    }
    call.world.feed.push(Change::People);
    let mut own = call
        .world
        .member_json(APPLICATION)
        .ok_or(ApiError::from(Code::UnknownMember))?;
    if let Some(body) = own.as_object_mut() {
        body.insert(
            "permissions".into(),
            json!(call.world.guild_permissions(APPLICATION).to_string()),
        );
    }
    Ok(Reply::json(own))
}
