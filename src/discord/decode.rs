//! serenity's interactions → what is asked. Pure.

use serenity::model::{
    Permissions,
    application::{
        CommandData, CommandDataOption, CommandDataOptionValue, CommandInteraction,
        ComponentInteraction, ComponentInteractionDataKind,
    },
    channel::Message,
    guild::Member,
    id::{ApplicationId, ChannelId, GuildId, InteractionId},
    user::User,
};

use super::commands::{
    DIAGNOSE, HANDBOOK, HELP, HISTORY, HISTORY_PAGE, PAGE, PATROL_COMMAND, RELOAD, SEARCH, SHOW,
    WORDS,
};
use crate::{
    app::{RawParams, RecordId, Request},
    domain::{
        access::Actor,
        text::{Lang, Text},
    },
};

/// Diagnoses that `/history` shows: as many as a select can offer.
pub(super) const HISTORY_ROWS: u32 = 25;
/// The beginning of our component ids; the number changes when their meaning does.
const PREFIX: &str = "hb1";

/// What an interaction asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Something that the gate answers.
    Request(Request),
    /// A recorded diagnosis once more.
    Again(RecordId),
    /// What a recorded diagnosis saw.
    Evidence(RecordId),
    /// A page of the handbook.
    Show(String),
    /// What of the handbook fits these words.
    Search(String),
    /// What there is.
    Help,
}

/// An interaction that asks nothing that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Undecoded {
    /// A command that this version of the bot or of the handbook does not have.
    UnknownCommand(String),
    /// A component of an older message.
    UnknownComponent,
    /// A command outside of a guild, where nobody holds roles.
    NoGuild,
}

impl Undecoded {
    /// It in words, with what to do.
    pub(super) fn say(&self) -> Text {
        match self {
            Self::UnknownCommand(name) => Text::new(
                format!(
                    "/{name} is a command that Handbell no longer has. Type / again to see those that it has now."
                ),
                format!("Handbell 已没有 /{name} 这个命令。请重新输入 / 查看现有的命令。"),
            ),
            Self::UnknownComponent => Text::new(
                "This button belongs to an older version of Handbell. Please use the command instead.",
                "这个按钮属于旧版本的 Handbell。请改用命令。",
            ),
            Self::NoGuild => Text::new(
                "Handbell works in the channels of a server only, because roles are held there.",
                "Handbell 只能在服务器的频道中使用，因为角色是在那里授予的。",
            ),
        }
    }
}

/// Everything of an interaction that the rest needs.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    pub(super) id: InteractionId,
    pub(super) token: String,
    pub(super) application: ApplicationId,
    pub(super) guild: Option<GuildId>,
    pub(super) channel: ChannelId,
    pub(super) actor: Actor,
    pub(super) person: String,
    pub(super) lang: Lang,
    pub(super) permissions: Option<Permissions>,
    pub(super) file_bytes: usize,
    pub(super) asked: Result<Asked, Undecoded>,
    /// The message whose component was used.
    pub(super) message: Option<Box<Message>>,
}

impl Incoming {
    /// A command.
    pub(super) fn command(it: &CommandInteraction) -> Self {
        Self {
            id: it.id,
            token: it.token.clone(),
            application: it.application_id,
            guild: it.guild_id,
            channel: it.channel_id,
            actor: actor(&it.user, it.member.as_deref()),
            person: person(&it.user, it.member.as_deref()),
            lang: Lang::of_locale(&it.locale),
            permissions: it.app_permissions,
            file_bytes: bytes(it.attachment_size_limit),
            asked: in_guild(it.guild_id).and_then(|()| command(&it.data)),
            message: None,
        }
    }

    /// A click.
    pub(super) fn component(it: &ComponentInteraction) -> Self {
        Self {
            id: it.id,
            token: it.token.clone(),
            application: it.application_id,
            guild: it.guild_id,
            channel: it.channel_id,
            actor: actor(&it.user, it.member.as_ref()),
            person: person(&it.user, it.member.as_ref()),
            lang: Lang::of_locale(&it.locale),
            permissions: it.app_permissions,
            file_bytes: bytes(it.attachment_size_limit),
            asked: in_guild(it.guild_id)
                .and_then(|()| component(&it.data.custom_id, &it.data.kind)),
            message: Some(it.message.clone()),
        }
    }
}

fn bytes(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn in_guild(guild: Option<GuildId>) -> Result<(), Undecoded> {
    guild.map(|_| ()).ok_or(Undecoded::NoGuild)
}

/// Whoever asks. Roles come from Discord's own view of the member; outside of a guild there are none.
pub(super) fn actor(user: &User, member: Option<&Member>) -> Actor {
    Actor::Discord {
        user: user.id.to_string(),
        name: user.name.clone(),
        roles: member
            .map(|member| member.roles.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
    }
}

fn person(user: &User, member: Option<&Member>) -> String {
    member
        .and_then(|member| member.nick.clone())
        .or_else(|| user.global_name.as_ref().map(ToString::to_string))
        .unwrap_or_else(|| user.name.clone())
}

/// What a command asks.
pub(super) fn command(data: &CommandData) -> Result<Asked, Undecoded> {
    match data.name.as_str() {
        DIAGNOSE => match data.options.first() {
            Some(CommandDataOption {
                name,
                value: CommandDataOptionValue::SubCommand(options),
                ..
            }) => Ok(Asked::Request(Request::Diagnose {
                runbook: name.clone(),
                params: params(options),
            })),
            _ => Err(Undecoded::UnknownCommand(data.name.clone())),
        },
        PATROL_COMMAND => Ok(Asked::Request(Request::Patrol {
            page: subcommand(data).and_then(|(_, options)| params(options).swap_remove(PAGE)),
        })),
        HANDBOOK => match subcommand(data) {
            Some((SHOW, options)) => Ok(Asked::Show(
                params(options).swap_remove(PAGE).unwrap_or_default(),
            )),
            Some((SEARCH, options)) => Ok(Asked::Search(
                params(options).swap_remove(WORDS).unwrap_or_default(),
            )),
            Some((RELOAD, _)) => Ok(Asked::Request(Request::Reload)),
            _ => Err(Undecoded::UnknownCommand(data.name.clone())),
        },
        HISTORY => Ok(Asked::Request(Request::History {
            runbook: params(&data.options).swap_remove(HISTORY_PAGE),
            limit: HISTORY_ROWS,
        })),
        HELP => Ok(Asked::Help),
        other => Err(Undecoded::UnknownCommand(other.to_owned())),
    }
}

/// The subcommand and its options.
fn subcommand(data: &CommandData) -> Option<(&str, &[CommandDataOption])> {
    match data.options.first() {
        Some(CommandDataOption {
            name,
            value: CommandDataOptionValue::SubCommand(options),
            ..
        }) => Some((name, options)),
        _ => None,
    }
}

/// Options as words; the gate fits them to what the page declares.
fn params(options: &[CommandDataOption]) -> RawParams {
    options
        .iter()
        .filter_map(|option| {
            let text = match &option.value {
                CommandDataOptionValue::Boolean(truth) => truth.to_string(),
                CommandDataOptionValue::Integer(number) => number.to_string(),
                CommandDataOptionValue::Number(number) => number.to_string(),
                CommandDataOptionValue::String(text) => text.clone(),
                _ => return None,
            };
            Some((option.name.clone(), text))
        })
        .collect()
}

/// The id of the button that runs a recorded diagnosis once more.
pub(super) fn again_id(record: RecordId) -> String {
    format!("{PREFIX}:again:{}", record.0)
}

/// The id of the button that shows what a recorded diagnosis saw.
pub(super) fn evidence_id(record: RecordId) -> String {
    format!("{PREFIX}:evidence:{}", record.0)
}

/// The id of the button that records what a person saw at a manual step.
pub(super) fn look_id(record: RecordId, step: usize, fine: bool) -> String {
    let word = if fine { "fine" } else { "it" };
    format!("{PREFIX}:look:{}:{step}:{word}", record.0)
}

/// The id of the select that chooses a recorded diagnosis.
pub(super) fn records_id() -> String {
    format!("{PREFIX}:records")
}

/// What a click asks. It works after a restart, too: the id says it all.
pub(super) fn component(id: &str, kind: &ComponentInteractionDataKind) -> Result<Asked, Undecoded> {
    let number = |text: &str| text.parse().map(RecordId).ok();
    let mut parts = id.split(':');
    let asked = match (parts.next(), parts.next(), parts.next(), kind) {
        (Some(PREFIX), Some("again"), Some(text), _) => number(text).map(Asked::Again),
        (Some(PREFIX), Some("evidence"), Some(text), _) => number(text).map(Asked::Evidence),
        (Some(PREFIX), Some("look"), Some(text), _) => {
            let step = parts.next().and_then(|step| step.parse().ok());
            let fine = parts.next().map(|word| word == "fine");
            match (number(text), step, fine) {
                (Some(id), Some(step), Some(fine)) => {
                    Some(Asked::Request(Request::Answer { id, step, fine }))
                }
                _ => None,
            }
        }
        (
            Some(PREFIX),
            Some("records"),
            None,
            ComponentInteractionDataKind::StringSelect { values },
        ) => values
            .first()
            .and_then(|text| number(text))
            .map(Asked::Evidence),
        _ => None,
    };
    asked.ok_or(Undecoded::UnknownComponent)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
