//! Registered commands.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::World;
use super::feed::Change;
use super::seed::{APPLICATION, GUILD};
use crate::ids::Id;
use crate::rest::error::{ApiError, Code};
use crate::validate::command::{CommandKind, CommandSpec};
use crate::validate::command_json::{self, Translations};

/// Chat commands in one scope.
pub(crate) const CHAT_MAX: usize = 100;
/// Commands of the menu of a person, and as many of that of a message, in one scope.
/// Source: Discord's reference, "Application Commands", registering.
pub(crate) const MENU_MAX: usize = 15;
/// New commands a day in one scope.
pub(crate) const CREATES_A_DAY: u32 = 200;
/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A registered command.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) id: Id,
    /// `None` for a global command.
    pub(crate) guild: Option<Id>,
    pub(crate) version: Id,
    pub(crate) spec: CommandSpec,
}

/// All commands, and how many were made today.
#[derive(Default)]
pub(crate) struct Commands {
    pub(crate) all: IndexMap<Id, Command>,
    created: Vec<(Option<Id>, i64)>,
}

impl Commands {
    /// The commands of a scope.
    pub(crate) fn of(&self, guild: Option<Id>) -> impl Iterator<Item = &Command> {
        self.all
            .values()
            .filter(move |command| command.guild == guild)
    }

    /// The command of that name and type in a scope.
    pub(crate) fn named(&self, guild: Option<Id>, spec: &CommandSpec) -> Option<Id> {
        self.of(guild)
            .find(|command| {
                command.spec.kind == spec.kind && command.spec.name.base == spec.name.base
            })
            .map(|command| command.id)
    }
}

/// How many of a kind a scope may hold.
const fn most(kind: CommandKind) -> usize {
    match kind {
        CommandKind::Chat => CHAT_MAX,
        CommandKind::User | CommandKind::Message => MENU_MAX,
    }
}

impl World {
    /// Registers one command, replacing the one of the same name and type; tells whether it is new.
    ///
    /// # Errors
    /// 30032 and 30034.
    pub(crate) fn upsert_command(
        &mut self,
        guild: Option<Id>,
        spec: CommandSpec,
    ) -> Result<(Id, bool), ApiError> {
        if let Some(id) = self.commands.named(guild, &spec) {
            self.change_command(id, spec);
            self.feed.push(Change::Commands);
            return Ok((id, false));
        }
        let count = self
            .commands
            .of(guild)
            .filter(|command| command.spec.kind == spec.kind)
            .count();
        if count >= most(spec.kind) {
            return Err(Code::TooManyCommands.into());
        }
        self.note_creations(guild, 1)?;
        let id = self.add_command(guild, spec);
        self.feed.push(Change::Commands);
        Ok((id, true))
    }

    /// Registers exactly these commands; those that stay keep their ids, and their versions when nothing changed.
    ///
    /// # Errors
    /// 30032 and 30034.
    pub(crate) fn overwrite_commands(
        &mut self,
        guild: Option<Id>,
        specs: Vec<CommandSpec>,
    ) -> Result<Vec<Id>, ApiError> {
        for kind in [CommandKind::Chat, CommandKind::User, CommandKind::Message] {
            if specs.iter().filter(|spec| spec.kind == kind).count() > most(kind) {
                return Err(Code::TooManyCommands.into());
            }
        }
        let fresh = specs
            .iter()
            .filter(|spec| self.commands.named(guild, spec).is_none())
            .count();
        self.note_creations(guild, fresh)?;
        let mut kept = Vec::with_capacity(specs.len());
        for spec in specs {
            let id = match self.commands.named(guild, &spec) {
                Some(id) => {
                    self.change_command(id, spec);
                    id
                }
                None => self.add_command(guild, spec),
            };
            kept.push(id);
        }
        self.commands
            .all
            .retain(|id, command| command.guild != guild || kept.contains(id));
        self.feed.push(Change::Commands);
        self.feed.push(Change::Bot);
        Ok(kept)
    }

    fn note_creations(&mut self, guild: Option<Id>, count: usize) -> Result<(), ApiError> {
        let now = self.now_ms();
        self.commands.created.retain(|(_, at)| now - at < DAY_MS);
        let today = self
            .commands
            .created
            .iter()
            .filter(|(scope, _)| *scope == guild)
            .count();
        if today + count > CREATES_A_DAY as usize {
            return Err(Code::TooManyCommandCreates.into());
        }
        self.commands
            .created
            .extend(std::iter::repeat_n((guild, now), count));
        Ok(())
    }

    fn add_command(&mut self, guild: Option<Id>, spec: CommandSpec) -> Id {
        let (id, version) = (self.next_id(), self.next_id());
        self.commands.all.insert(
            id,
            Command {
                id,
                guild,
                version,
                spec,
            },
        );
        id
    }

    /// Changes a command; the version moves only when something changed.
    pub(crate) fn change_command(&mut self, id: Id, spec: CommandSpec) {
        let version = self.next_id();
        if let Some(command) = self.commands.all.get_mut(&id)
            && command.spec != spec
        {
            command.spec = spec;
            command.version = version;
        }
    }

    /// A command object.
    pub(crate) fn command_json(command: &Command, translations: Translations) -> Value {
        let mut out = serde_json::Map::new();
        out.insert("id".into(), json!(command.id));
        out.insert("application_id".into(), json!(APPLICATION));
        out.insert("version".into(), json!(command.version));
        out.extend(command_json::spec(&command.spec, translations));
        if command.guild.is_some() {
            out.insert("guild_id".into(), json!(GUILD));
        }
        Value::Object(out)
    }
}
