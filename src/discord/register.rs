//! Commands in a guild: only what changed is written, what is no longer there is removed.

use serenity::{
    http::Http,
    model::{application::Command, id::GuildId},
};

use super::{
    error::{Failure, classify, describe},
    spec::CommandSpec,
};

/// What was done in one guild.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Registered {
    written: Vec<String>,
    removed: Vec<String>,
    unchanged: usize,
}

/// What came of a guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its commands are in place.
    Done,
    /// Discord did not answer; trying again can help.
    Later,
    /// The bot may not write there, unless somebody invites it.
    Refused,
}

/// Brings the commands of `guild` to `wanted`.
///
/// Failures are logged in words, per guild: a guild that the bot was not invited to must not keep
/// it from serving the others.
pub(super) async fn register(http: &Http, guild: GuildId, wanted: &[CommandSpec]) -> Fate {
    match bring(http, guild, wanted).await {
        Ok(done) => {
            tracing::info!(
                guild = guild.get(),
                written = done.written.join(" "),
                removed = done.removed.join(" "),
                unchanged = done.unchanged,
                "the commands of the guild are in place"
            );
            Fate::Done
        }
        Err(error) => {
            let mend = match classify(&error) {
                Failure::Forbidden | Failure::Gone => {
                    "invite the bot into this guild with the scopes bot and applications.commands; `handbell init` prints the link; the commands are written as soon as it has joined"
                }
                Failure::Passing => "it is tried again when Discord answers",
                _ => "`handbell doctor` looks closer",
            };
            tracing::error!(
                guild = guild.get(),
                error = describe(&error),
                "the commands of the guild can't be written; {mend}"
            );
            match classify(&error) {
                Failure::Passing => Fate::Later,
                _ => Fate::Refused,
            }
        }
    }
}

async fn bring(
    http: &Http,
    guild: GuildId,
    wanted: &[CommandSpec],
) -> serenity::Result<Registered> {
    let there = http.get_guild_commands_with_localizations(guild).await?;
    let plan = plan(&there, wanted);
    let mut done = Registered {
        unchanged: wanted.len() - plan.write.len(),
        ..Registered::default()
    };
    // Removal first: names are limited in number.
    for command in plan.remove {
        http.delete_guild_command(guild, command.id).await?;
        done.removed.push(command.name.clone());
    }
    for spec in plan.write {
        http.create_guild_command(guild, spec).await?;
        done.written.push(spec.name.clone());
    }
    Ok(done)
}

/// What must be written and what removed.
struct Plan<'a> {
    write: Vec<&'a CommandSpec>,
    remove: Vec<&'a Command>,
}

fn plan<'a>(there: &'a [Command], wanted: &'a [CommandSpec]) -> Plan<'a> {
    let known: Vec<(CommandSpec, &Command)> = there
        .iter()
        .map(|command| (CommandSpec::from(command), command))
        .collect();
    Plan {
        write: wanted
            .iter()
            .filter(|spec| known.iter().all(|(known, _)| known != *spec))
            .collect(),
        remove: known
            .iter()
            .filter(|(known, _)| {
                wanted
                    .iter()
                    .all(|spec| spec.name != known.name || spec.kind != known.kind)
            })
            .map(|(_, command)| *command)
            .collect(),
    }
}

#[cfg(test)]
#[path = "register_tests.rs"]
mod tests;
