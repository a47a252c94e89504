//! Threads: opened, listed, joined.

use axum::http::Method;
use serde_json::{Value, json};

use super::error::{ApiError, Code, Problems};
use super::{Answer, Call, Reply};
use crate::ids::Id;
use crate::permissions::bit;
use crate::validate::read;
use crate::world::seed::APPLICATION;
use crate::world::threads::{
    AUTO_ARCHIVE_DEFAULT, AUTO_ARCHIVE_MINUTES, NAME_MAX_CHARS, NewThread,
};
use crate::world::{Channel, World};

/// `POST /channels/{id}/messages/{message}/threads`
pub(crate) fn on_message(call: &mut Call<'_>, channel: &str, message: &str) -> Answer {
    let (channel, message) = call.message(channel, message)?;
    let new = NewThread {
        message: Some(message),
        ..read_new(call, channel)?
    };
    call.need(channel, bit::CREATE_PUBLIC_THREADS)?;
    open(call, &new)
}

/// `POST /channels/{id}/threads`
pub(crate) fn alone(call: &mut Call<'_>, channel: &str) -> Answer {
    let channel = call.channel(channel)?;
    let mut problems = Problems::default();
    // Without a type Discord opens a private thread.
    let kind = read::one_of(call.object()?, "type", &[10, 11, 12], &mut problems).unwrap_or(12);
    problems.finish()?;
    let new = NewThread {
        private: kind == 12,
        ..read_new(call, channel)?
    };
    call.need(
        channel,
        if new.private {
            bit::CREATE_PRIVATE_THREADS
        } else {
            bit::CREATE_PUBLIC_THREADS
        },
    )?;
    open(call, &new)
}

fn read_new(call: &Call<'_>, channel: Id) -> Result<NewThread, ApiError> {
    let object = call.object()?;
    let mut problems = Problems::default();
    let new = NewThread {
        name: read::required_text(object, "name", 1..=NAME_MAX_CHARS, &mut problems),
        channel,
        message: None,
        private: false,
        owner: APPLICATION,
        auto_archive_minutes: read::one_of(
            object,
            "auto_archive_duration",
            &AUTO_ARCHIVE_MINUTES,
            &mut problems,
        )
        .unwrap_or(AUTO_ARCHIVE_DEFAULT),
        invitable: read::flag(object, "invitable", &mut problems).unwrap_or(true),
        slowmode_s: read::whole(
            object,
            "rate_limit_per_user",
            0..=super::channels::SLOWMODE_MAX_S,
            &mut problems,
        )
        .unwrap_or(0),
    };
    problems.finish()?;
    Ok(new)
}

fn open(call: &mut Call<'_>, new: &NewThread) -> Answer {
    let id = call.world.open_thread(new)?;
    call.world
        .channel_json(id)
        .map(Reply::created)
        .ok_or_else(|| Code::UnknownChannel.into())
}

fn list(world: &World, threads: &[Id]) -> Value {
    let members: Vec<Value> = threads
        .iter()
        .filter_map(|id| {
            let joined = world
                .channels
                .get(id)?
                .thread
                .as_ref()?
                .members
                .get(&APPLICATION)?;
            Some(World::thread_member_json(*id, APPLICATION, *joined))
        })
        .collect();
    let threads: Vec<Value> = threads
        .iter()
        .filter_map(|id| world.channel_json(*id))
        .collect();
    json!({"threads": threads, "members": members, "has_more": false})
}

fn matching(world: &World, wanted: impl Fn(&Channel) -> bool) -> Vec<Id> {
    let fits = world
        .channels
        .values()
        .filter(|channel| channel.thread.is_some() && wanted(channel));
    fits.map(|channel| channel.id)
        .filter(|id| world.sees(APPLICATION, *id))
        .collect()
}

/// `GET /guilds/{id}/threads/active`
pub(crate) fn active(world: &World) -> Reply {
    let open = matching(world, |channel| {
        channel
            .thread
            .as_ref()
            .is_some_and(|thread| !thread.archived)
    });
    Reply::json(list(world, &open))
}

/// `GET /channels/{id}/threads/archived/{public|private}`
pub(crate) fn archived(call: &mut Call<'_>, channel: &str, kind: &str) -> Answer {
    let private = match kind {
        "public" => false,
        "private" => true,
        _ => return Err(Code::NotFound.into()),
    };
    let channel = call.channel(channel)?;
    call.need(channel, bit::READ_MESSAGE_HISTORY)?;
    if private {
        call.need(channel, bit::MANAGE_THREADS)?;
    }
    let fits = |one: &Channel| {
        one.parent == Some(channel)
            && one
                .thread
                .as_ref()
                .is_some_and(|thread| thread.archived && thread.private == private)
    };
    let mut found = matching(call.world, fits);
    found.reverse();
    Ok(Reply::json(list(call.world, &found)))
}

/// Everything under `/channels/{id}/thread-members`.
pub(crate) fn members(
    call: &mut Call<'_>,
    method: &Method,
    channel: &str,
    rest: &[&str],
) -> Answer {
    let id = call.channel(channel)?;
    match (method.as_str(), rest) {
        ("GET", []) => {
            let members = call
                .world
                .channels
                .get(&id)
                .and_then(|one| one.thread.as_ref())
                .ok_or(Code::NotInThisKindOfChannel)?;
            let members = members
                .members
                .iter()
                .map(|(person, joined)| World::thread_member_json(id, *person, *joined));
            Ok(Reply::json(members.collect::<Vec<_>>()))
        }
        ("GET", [user]) => {
            let user = person(user)?;
            let joined = call
                .world
                .channels
                .get(&id)
                .and_then(|one| one.thread.as_ref())
                .and_then(|thread| thread.members.get(&user));
            joined
                .map(|joined| Reply::json(World::thread_member_json(id, user, *joined)))
                .ok_or_else(|| Code::UnknownMember.into())
        }
        ("PUT", [user]) => {
            let user = person(user)?;
            if !call.world.people.contains_key(&user) {
                return Err(Code::UnknownUser.into());
            }
            if user != APPLICATION {
                call.need(id, bit::SEND_MESSAGES_IN_THREADS)?;
            }
            call.world.join_thread(id, user)?;
            Ok(Reply::empty())
        }
        ("DELETE", [user]) => {
            let user = person(user)?;
            if user != APPLICATION {
                call.need(id, bit::MANAGE_THREADS)?;
            }
            call.world.leave_thread(id, user)?;
            Ok(Reply::empty())
        }
        _ => Err(Code::NotFound.into()),
    }
}

fn person(user: &str) -> Result<Id, ApiError> {
    if user == "@me" {
        return Ok(APPLICATION);
    }
    Id::parse(user).ok_or_else(|| super::not_a_snowflake("user_id", user))
}
