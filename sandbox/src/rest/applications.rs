//! Registering commands, globally or in the guild.

use axum::http::Method;
use serde_json::{Value, json};

use super::error::{ApiError, Code, Problems};
use super::{Answer, Call, Reply};
use crate::ids::Id;
use crate::validate::command::{self, CommandSpec};
use crate::validate::command_json::Translations;
use crate::validate::read::Object;
use crate::world::World;
use crate::world::commands::Command;
use crate::world::seed::{APPLICATION, GUILD};

/// Everything under `/applications/{id}`.
pub(crate) fn carry_out(
    call: &mut Call<'_>,
    method: &Method,
    application: &str,
    rest: &[&str],
) -> Answer {
    if application != "@me" && Id::parse(application) != Some(APPLICATION) {
        return Err(Code::UnknownApplication.into());
    }
    match (method.as_str(), rest) {
        (_, ["commands", rest @ ..]) => commands(call, method, None, rest),
        (_, ["guilds", guild, "commands", rest @ ..]) => {
            if Id::parse(guild) != Some(GUILD) {
                return Err(Code::MissingAccess.into());
            }
            commands(call, method, Some(GUILD), rest)
        }
        ("GET", ["emojis"]) => Ok(Reply::json(json!({"items": []}))),
        ("GET", ["entitlements" | "skus"]) => Ok(Reply::json(json!([]))),
        _ => Err(Code::NotFound.into()),
    }
}

fn commands(call: &mut Call<'_>, method: &Method, guild: Option<Id>, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("GET", []) => Ok(list(call, guild)),
        ("POST", []) => create(call, guild),
        ("PUT", []) => overwrite(call, guild),
        ("GET", ["permissions"]) if guild.is_some() => Ok(Reply::json(json!([]))),
        ("GET", [id, "permissions"]) if guild.is_some() => {
            known(call.world, guild, id)?;
            Err(Code::UnknownCommandPermissions.into())
        }
        ("GET", [id]) => {
            let command = known(call.world, guild, id)?;
            Ok(Reply::json(World::command_json(
                command,
                Translations::Full,
            )))
        }
        ("PATCH", [id]) => edit(call, guild, id),
        ("DELETE", [id]) => {
            let id = known(call.world, guild, id)?.id;
            call.world.commands.all.shift_remove(&id);
            call.world.feed.push(crate::world::Change::Commands);
            Ok(Reply::empty())
        }
        _ => Err(Code::NotFound.into()),
    }
}

fn known<'w>(world: &'w World, guild: Option<Id>, id: &str) -> Result<&'w Command, ApiError> {
    let command = Id::parse(id)
        .and_then(|id| world.commands.all.get(&id))
        .filter(|command| command.guild == guild);
    command.ok_or_else(|| Code::UnknownCommand.into())
}

fn list(call: &Call<'_>, guild: Option<Id>) -> Reply {
    let full = call
        .query
        .get("with_localizations")
        .is_some_and(|value| value == "true" || value == "1");
    let translations = if full {
        Translations::Full
    } else {
        Translations::Left
    };
    Reply::json(
        call.world
            .commands
            .of(guild)
            .map(|command| World::command_json(command, translations))
            .collect::<Vec<_>>(),
    )
}

fn one_json(world: &World, id: Id) -> Result<Value, ApiError> {
    let command = world.commands.all.get(&id).ok_or(Code::UnknownCommand)?;
    Ok(World::command_json(command, Translations::Full))
}

fn read(object: &Object, kind: Option<command::CommandKind>) -> Result<CommandSpec, ApiError> {
    let mut problems = Problems::default();
    let spec = command::command(object, kind, &mut problems);
    problems.finish().map(|()| spec)
}

fn create(call: &mut Call<'_>, guild: Option<Id>) -> Answer {
    let spec = read(call.object()?, None)?;
    let (id, fresh) = call.world.upsert_command(guild, spec)?;
    let body = one_json(call.world, id)?;
    Ok(if fresh {
        Reply::created(body)
    } else {
        Reply::json(body)
    })
}

fn overwrite(call: &mut Call<'_>, guild: Option<Id>) -> Answer {
    let Value::Array(items) = call.body else {
        let mut problems = Problems::default();
        problems.here(
            "LIST_TYPE_CONVERT",
            "Only iterables may be used in a ListType",
        );
        return problems.finish().map(|()| Reply::empty());
    };
    let mut problems = Problems::default();
    let mut specs: Vec<CommandSpec> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        problems.within(index, |problems| {
            let Some(object) = item.as_object() else {
                problems.here(
                    "MODEL_TYPE_CONVERT",
                    "Only dictionaries may be used in a ModelType",
                );
                return;
            };
            let spec = command::command(object, None, problems);
            if specs
                .iter()
                .any(|other| other.kind == spec.kind && other.name.base == spec.name.base)
            {
                problems.at(
                    "name",
                    "APPLICATION_COMMANDS_DUPLICATE_NAME",
                    "Application command names must be unique",
                );
            }
            specs.push(spec);
        });
    }
    problems.finish()?;
    let ids = call.world.overwrite_commands(guild, specs)?;
    let all: Result<Vec<Value>, ApiError> =
        ids.into_iter().map(|id| one_json(call.world, id)).collect();
    Ok(Reply::json(all?))
}

/// An edit is the command as it is with the given fields laid over it, read anew.
fn edit(call: &mut Call<'_>, guild: Option<Id>, id: &str) -> Answer {
    let command = known(call.world, guild, id)?;
    let (id, kind) = (command.id, command.spec.kind);
    let Value::Object(mut merged) = World::command_json(command, Translations::Full) else {
        return Err(Code::UnknownCommand.into());
    };
    for (key, value) in call.object()? {
        merged.insert(key.clone(), value.clone());
    }
    let spec = read(&merged, Some(kind))?;
    if call
        .world
        .commands
        .named(guild, &spec)
        .is_some_and(|other| other != id)
    {
        let mut problems = Problems::default();
        problems.at(
            "name",
            "APPLICATION_COMMANDS_DUPLICATE_NAME",
            "Application command names must be unique",
        );
        problems.finish()?;
    }
    call.world.change_command(id, spec);
    call.world.feed.push(crate::world::Change::Commands);
    Ok(Reply::json(one_json(call.world, id)?))
}
