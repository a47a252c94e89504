//! How the bot answers an interaction: callbacks, edits and follow-ups.
//!
//! Source: Discord's reference, "Receiving and Responding to Interactions".

use serde_json::Value;

use super::World;
use super::feed::Change;
use super::interaction::{Interaction, Kind, Progress, TOKEN_MS};
use super::message::{Message, State};
use super::seed::APPLICATION;
use crate::ids::Id;
use crate::rest::error::{ApiError, Code};
use crate::validate::message::{Draft, flag};

/// A callback that has been read.
#[derive(Debug)]
pub(crate) enum Callback {
    /// Type 4.
    Message(Box<Draft>),
    /// Type 5.
    Defer { ephemeral: bool },
    /// Type 6.
    DeferUpdate,
    /// Type 7.
    Update(Box<Draft>),
    /// Type 8.
    Choices(Value),
    /// Type 9.
    Modal(Value),
}

/// Whether a draft asks for a message that one person alone sees.
pub(crate) fn is_ephemeral(draft: &Draft) -> bool {
    draft
        .flags
        .is_some_and(|flags| flags & flag::EPHEMERAL != 0)
}

impl World {
    /// Takes the first response to an interaction; gives the message that it made or changed.
    ///
    /// # Errors
    /// 10062 when it is too late or unknown, 50027 when the token is wrong, 40060 when there was a response already, 50006, 50035.
    pub(crate) fn respond(
        &mut self,
        id: Id,
        token: &str,
        callback: Callback,
    ) -> Result<Option<Id>, ApiError> {
        self.sweep();
        let interaction = self
            .interactions
            .get(&id)
            .ok_or(Code::UnknownInteraction)?
            .clone();
        if interaction.token != token {
            return Err(Code::InvalidToken.into());
        }
        if interaction.acknowledged_ms.is_some() {
            return Err(Code::AlreadyAcknowledged.into());
        }
        if interaction.expired || interaction.progress == Progress::Failed {
            return Err(Code::UnknownInteraction.into());
        }
        let mut answered = true;
        let response = match callback {
            Callback::Message(draft) => Some(self.new_response(&interaction, *draft, false)?),
            Callback::Defer { ephemeral } => {
                answered = false;
                Some(self.defer(&interaction, ephemeral))
            }
            Callback::DeferUpdate => interaction.source,
            Callback::Update(draft) => {
                let source = interaction.source.ok_or(Code::UnknownMessage)?;
                self.edit_message(source, *draft)?;
                Some(source)
            }
            Callback::Choices(choices) => {
                self.with(id, |one| one.choices = Some(choices));
                None
            }
            Callback::Modal(modal) => {
                self.with(id, |one| one.modal = Some(modal));
                self.feed.push(Change::Modal(id));
                None
            }
        };
        let now = self.now_ms();
        self.with(id, |one| {
            one.acknowledged_ms = Some(now);
            one.acknowledged_after = Some(one.sent.elapsed());
            one.answered_ms = answered.then_some(now);
            one.progress = if answered {
                Progress::Answered
            } else {
                Progress::Thinking
            };
            one.response = response;
        });
        self.feed.push(Change::Interaction(id));
        Ok(response)
    }

    /// Changes a stored interaction.
    pub(crate) fn with(&mut self, id: Id, change: impl FnOnce(&mut Interaction)) {
        if let Some(interaction) = self.interactions.get_mut(&id) {
            change(interaction);
        }
    }

    fn defer(&mut self, interaction: &Interaction, ephemeral: bool) -> Id {
        let (id, now) = (self.next_id(), self.now_ms());
        let mut message = Message::new(id, interaction.channel, APPLICATION, now);
        self.mark_answer(&mut message, interaction);
        message.state = State::Thinking;
        message.only_for = ephemeral.then_some(interaction.person);
        self.post(message)
    }

    fn new_response(
        &mut self,
        interaction: &Interaction,
        draft: Draft,
        follow_up: bool,
    ) -> Result<Id, ApiError> {
        if draft.is_empty() {
            return Err(Code::EmptyMessage.into());
        }
        let (id, now) = (self.next_id(), self.now_ms());
        let mut message = Message::new(id, interaction.channel, APPLICATION, now);
        self.mark_answer(&mut message, interaction);
        if follow_up
            && let Some(original) = interaction
                .response
                .filter(|original| self.messages.contains_key(original))
        {
            message.kind = 19;
            message.reference = Some((interaction.channel, original));
            message.command = None;
        }
        message.only_for = is_ephemeral(&draft).then_some(interaction.person);
        message.tts = draft.tts;
        self.fill(&mut message, draft)?;
        Ok(self.post(message))
    }

    /// The interaction of a token that serves for follow-ups and edits now.
    ///
    /// # Errors
    /// 10015 when the token is unknown or nothing was answered yet, 50027 when its fifteen minutes are over.
    pub(crate) fn open_token(&mut self, token: &str) -> Result<Interaction, ApiError> {
        self.sweep();
        let now = self.now_ms();
        let interaction = self.by_token(token).ok_or(Code::UnknownWebhook)?.clone();
        if interaction.expired || now - interaction.sent_ms >= TOKEN_MS {
            return Err(Code::InvalidToken.into());
        }
        if interaction.acknowledged_ms.is_none() {
            return Err(Code::UnknownWebhook.into());
        }
        Ok(interaction)
    }

    /// A follow-up. The first one after a deferred response becomes that response, as on Discord.
    ///
    /// # Errors
    /// As [`World::open_token`]; 50006, 50035.
    pub(crate) fn follow_up(&mut self, token: &str, draft: Draft) -> Result<Id, ApiError> {
        let interaction = self.open_token(token)?;
        let thinking = interaction.response.filter(|id| {
            self.messages
                .get(id)
                .is_some_and(|message| message.state == State::Thinking)
        });
        if let Some(original) = thinking {
            if draft.is_empty() {
                return Err(Code::EmptyMessage.into());
            }
            self.edit_message(original, draft)?;
            self.settle(interaction.id);
            return Ok(original);
        }
        let id = self.new_response(&interaction, draft, true)?;
        self.settle(interaction.id);
        Ok(id)
    }

    /// The message that `@original` or an id means under a token.
    ///
    /// # Errors
    /// As [`World::open_token`]; 10008 when there is none or it belongs to another interaction.
    pub(crate) fn token_message(
        &mut self,
        token: &str,
        which: &str,
    ) -> Result<(Interaction, Id), ApiError> {
        let interaction = self.open_token(token)?;
        let id = if which == "@original" {
            interaction.response
        } else {
            Id::parse(which)
        };
        let id = id.filter(|id| {
            let own = interaction.response == Some(*id);
            self.messages
                .get(id)
                .is_some_and(|message| own || message.interaction == Some(interaction.id))
        });
        Ok((interaction, id.ok_or(Code::UnknownMessage)?))
    }

    /// Notes that an interaction has its first real content.
    pub(crate) fn settle(&mut self, id: Id) {
        let now = self.now_ms();
        let mut changed = false;
        self.with(id, |one| {
            changed = one.progress == Progress::Thinking;
            if changed {
                one.progress = Progress::Answered;
                one.answered_ms = Some(now);
            }
        });
        if changed {
            self.feed.push(Change::Interaction(id));
        }
    }

    /// Edits a message of the bot.
    ///
    /// # Errors
    /// 10008, 50006, 50035.
    pub(crate) fn edit_message(&mut self, id: Id, draft: Draft) -> Result<(), ApiError> {
        let now = self.now_ms();
        let mut message = self.messages.get(&id).ok_or(Code::UnknownMessage)?.clone();
        let before: Vec<Id> = message.attachments.iter().map(|one| one.id).collect();
        self.fill(&mut message, draft)?;
        let empty = message.content.is_empty()
            && message.embeds.is_empty()
            && message.components.is_empty()
            && message.attachments.is_empty();
        if empty {
            return Err(Code::EmptyMessage.into());
        }
        // The first edit of a deferred response is its answer, not a change of it.
        if message.state == State::Sent {
            message.edited_ms = Some(now);
        }
        message.state = State::Sent;
        let kept: Vec<Id> = message.attachments.iter().map(|one| one.id).collect();
        for dropped in before.into_iter().filter(|id| !kept.contains(id)) {
            if let Some(file) = self.files.shift_remove(&dropped) {
                self.attachment_bytes -= file.bytes.len();
            }
        }
        self.messages.insert(id, message);
        self.edited(id);
        Ok(())
    }

    /// Whether a callback of this type may answer this kind of interaction.
    pub(crate) fn callback_fits(interaction: &Interaction, number: i64) -> bool {
        match interaction.kind {
            Kind::Command | Kind::MessageCommand | Kind::UserCommand => matches!(number, 4 | 5 | 9),
            Kind::Component => matches!(number, 4 | 5 | 6 | 7 | 9),
            Kind::Autocomplete => number == 8,
            Kind::Modal if interaction.source.is_some() => matches!(number, 4..=7),
            Kind::Modal => matches!(number, 4 | 5),
        }
    }
}
