//! The command picker as a person sees it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Said, channel_of, person};
use crate::ids::Id;
use crate::permissions::bit;
use crate::server::Shared;
use crate::validate::command::{CommandKind, CommandOption};
use crate::world::World;
use crate::world::commands::Command;
use crate::world::seed::{APPLICATION, GUILD};

/// The query of the picker.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    #[serde(rename = "as")]
    who: Option<String>,
    channel_id: String,
}

/// One line of the picker: a command, or one of its subcommands.
pub(super) struct Line<'w> {
    pub(super) command: &'w Command,
    /// The groups and subcommand on the way, the last being what is carried out.
    pub(super) steps: Vec<&'w CommandOption>,
    /// The options of what is carried out.
    pub(super) options: &'w [CommandOption],
}

impl Line<'_> {
    /// The registered names.
    pub(super) fn path(&self) -> Vec<&str> {
        std::iter::once(self.command.spec.name.base.as_str())
            .chain(self.steps.iter().map(|step| step.name.base.as_str()))
            .collect()
    }
}

/// `GET /commands`
pub(super) async fn list(State(shared): State<Arc<Shared>>, Query(place): Query<Place>) -> Said {
    let world = shared.world();
    let one = person(&world, place.who.as_deref())?;
    let channel = channel_of(&world, one.id, &place.channel_id)?;
    let list: Vec<Value> = lines(&world, one.id, channel)
        .iter()
        .map(|line| line_json(line, &one.locale))
        .collect();
    Ok(Json(json!({"commands": list})))
}

/// Every line that a person may use in a channel.
pub(super) fn lines(world: &World, who: Id, channel: Id) -> Vec<Line<'_>> {
    let bits = world.permissions_in(who, channel);
    let can_use =
        bits & bit::USE_APPLICATION_COMMANDS != 0 && bits & world.send_permission(channel) != 0;
    // Commands need the bot's application in the guild, not its sight of the channel.
    let here = world.people.contains_key(&APPLICATION) && can_use;
    let usable = |command: &&Command| {
        here && !hidden(world, command) && allowed(command, bits) && in_guild(command)
    };
    let mut commands: Vec<&Command> = world.commands.all.values().filter(usable).collect();
    commands.sort_by(|a, b| a.spec.name.base.cmp(&b.spec.name.base));
    let mut out = Vec::new();
    for command in commands {
        branch(command, Vec::new(), &command.spec.options, &mut out);
    }
    out
}

/// A global command that a guild command of the same name and type stands before.
fn hidden(world: &World, command: &Command) -> bool {
    command.guild.is_none() && world.commands.named(Some(GUILD), &command.spec).is_some()
}

fn allowed(command: &Command, bits: u64) -> bool {
    let administrator = bits & bit::ADMINISTRATOR != 0;
    command
        .spec
        .default_member_permissions
        .is_none_or(|needed| administrator || (needed != 0 && bits & needed == needed))
}

fn in_guild(command: &Command) -> bool {
    command.guild.is_some()
        || command
            .spec
            .contexts
            .as_ref()
            .is_none_or(|contexts| contexts.contains(&0))
}

fn branch<'w>(
    command: &'w Command,
    steps: Vec<&'w CommandOption>,
    options: &'w [CommandOption],
    out: &mut Vec<Line<'w>>,
) {
    if !options.iter().any(|option| option.kind.is_branch()) {
        out.push(Line {
            command,
            steps,
            options,
        });
        return;
    }
    for option in options {
        let mut deeper = steps.clone();
        deeper.push(option);
        branch(command, deeper, &option.options, out);
    }
}

fn line_json(line: &Line<'_>, locale: &str) -> Value {
    let spec = &line.command.spec;
    let kind = match spec.kind {
        CommandKind::Chat => "chat",
        CommandKind::User => "user",
        CommandKind::Message => "message",
    };
    let names = std::iter::once(&spec.name).chain(line.steps.iter().map(|step| &step.name));
    let display: Vec<&str> = names.map(|name| name.in_locale(locale)).collect();
    let description = line
        .steps
        .last()
        .map_or(&spec.description, |step| &step.description);
    let options: Vec<Value> = line
        .options
        .iter()
        .map(|option| option_json(option, locale))
        .collect();
    json!({"command_id": line.command.id, "scope": if line.command.guild.is_some() { "guild" } else { "global" }, "type": kind, "path": line.path(), "display": display,
        "description": description.in_locale(locale), "application": {"id": APPLICATION, "name": "Handbell"}, "options": options})
}

fn option_json(option: &CommandOption, locale: &str) -> Value {
    let choices: Vec<Value> = option
        .choices
        .iter()
        .map(|choice| json!({"name": choice.name.in_locale(locale), "value": choice.value}))
        .collect();
    json!({"name": option.name.base, "display_name": option.name.in_locale(locale), "description": option.description.in_locale(locale),
        "type": option.kind.word(), "required": option.required, "autocomplete": option.autocomplete, "choices": choices,
        "min_value": option.min_value, "max_value": option.max_value, "min_length": option.min_length, "max_length": option.max_length,
        "channel_types": option.channel_types})
}
