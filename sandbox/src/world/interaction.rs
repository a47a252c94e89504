//! Interactions: what a person did that the bot has to answer.
//!
//! Source: Discord's reference, "Receiving and Responding to Interactions": three seconds for the first response, fifteen minutes for
//! the token after it.

use std::time::{Duration, Instant};

use rand::Rng;
use serde_json::Value;

use super::World;
use super::feed::Change;
use crate::ids::Id;

/// Milliseconds for the first response.
pub(crate) const FIRST_RESPONSE_MS: i64 = 3_000;
/// Milliseconds for which the token serves.
pub(crate) const TOKEN_MS: i64 = 15 * 60 * 1_000;
/// Interactions that are kept.
const KEPT: usize = 5_000;
/// Bytes of a token before it is written in base 64.
const TOKEN_BYTES: usize = 72;

/// What the person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Command,
    MessageCommand,
    UserCommand,
    Component,
    Modal,
    Autocomplete,
}

impl Kind {
    /// Discord's number of the interaction type.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Command | Self::MessageCommand | Self::UserCommand => 2,
            Self::Component => 3,
            Self::Autocomplete => 4,
            Self::Modal => 5,
        }
    }

    /// The word of the page's interface.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::MessageCommand => "message_command",
            Self::UserCommand => "user_command",
            Self::Component => "component",
            Self::Modal => "modal",
            Self::Autocomplete => "autocomplete",
        }
    }

    /// Whether it is a command, typed or from a menu.
    pub(crate) const fn is_command(self) -> bool {
        matches!(
            self,
            Self::Command | Self::MessageCommand | Self::UserCommand
        )
    }
}

/// How far it has come, as the page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Waiting,
    Thinking,
    Answered,
    Failed,
}

/// One interaction.
#[derive(Clone, Debug)]
pub(crate) struct Interaction {
    pub(crate) id: Id,
    pub(crate) token: String,
    pub(crate) kind: Kind,
    pub(crate) person: Id,
    pub(crate) channel: Id,
    /// The whole command as typed: `diagnose redis`.
    pub(crate) command: Option<String>,
    pub(crate) custom_id: Option<String>,
    /// The message that was clicked, or that the message command was used on.
    pub(crate) source: Option<Id>,
    pub(crate) target_user: Option<Id>,
    /// The interaction whose modal this one submits.
    pub(crate) of_modal: Option<Id>,
    pub(crate) sent_ms: i64,
    pub(crate) delivered: bool,
    pub(crate) acknowledged_ms: Option<i64>,
    /// For benches: the machine's steady clock, which no test can move.
    pub(crate) sent: Instant,
    /// From `sent` to the accepted callback.
    pub(crate) acknowledged_after: Option<Duration>,
    pub(crate) answered_ms: Option<i64>,
    pub(crate) progress: Progress,
    pub(crate) notice: Option<String>,
    /// The message that `@original` means.
    pub(crate) response: Option<Id>,
    pub(crate) modal: Option<Value>,
    pub(crate) choices: Option<Value>,
    /// The token serves no more, whatever the clock says.
    pub(crate) expired: bool,
}

/// What a person did, before it is an interaction.
#[derive(Debug, Default)]
pub(crate) struct Act {
    pub(crate) command: Option<String>,
    pub(crate) custom_id: Option<String>,
    pub(crate) source: Option<Id>,
    pub(crate) target_user: Option<Id>,
    pub(crate) of_modal: Option<Id>,
    /// Discord's `data`.
    pub(crate) data: Value,
}

impl World {
    /// Sends an interaction to the bot.
    pub(crate) fn interact(&mut self, kind: Kind, person: Id, channel: Id, act: Act) -> Id {
        let id = self.next_id();
        let now = self.now_ms();
        let interaction = Interaction {
            id,
            token: new_token(),
            kind,
            person,
            channel,
            command: act.command,
            custom_id: act.custom_id,
            source: act.source,
            target_user: act.target_user,
            of_modal: act.of_modal,
            sent_ms: now,
            delivered: false,
            acknowledged_ms: None,
            sent: Instant::now(),
            acknowledged_after: None,
            answered_ms: None,
            progress: Progress::Waiting,
            notice: None,
            response: None,
            modal: None,
            choices: None,
            expired: false,
        };
        let payload = self.interaction_json(&interaction, &act.data);
        if self.interactions.len() >= KEPT {
            self.interactions.shift_remove_index(0);
        }
        self.interactions.insert(id, interaction);
        let delivered = self.dispatch("INTERACTION_CREATE", payload);
        if let Some(interaction) = self.interactions.get_mut(&id) {
            interaction.delivered = delivered;
        }
        self.feed.push(Change::Interaction(id));
        id
    }

    /// The interaction that a token belongs to.
    pub(crate) fn by_token(&self, token: &str) -> Option<&Interaction> {
        self.interactions
            .values()
            .rev()
            .find(|interaction| interaction.token == token)
    }
}

fn new_token() -> String {
    use base64::Engine;
    let mut bytes = [0_u8; TOKEN_BYTES];
    rand::rng().fill(&mut bytes[..]);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
