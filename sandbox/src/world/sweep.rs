//! What time alone does: unanswered interactions fail, tokens end, quiet threads are archived.

use super::World;
use super::feed::Change;
use super::interaction::{FIRST_RESPONSE_MS, Interaction, Kind, Progress, TOKEN_MS};
use super::message::{Message, State};
use super::seed::APPLICATION;
use crate::ids::Id;

/// A minute in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// What Discord's client says when a bot did not respond.
pub(crate) fn not_responding(locale: &str, message: bool) -> &'static str {
    match (locale.starts_with("zh"), message) {
        (true, true) => "应用程序未响应",
        (false, true) => "The application did not respond",
        (true, false) => "此交互失败",
        (false, false) => "This interaction failed",
    }
}

impl World {
    /// Brings everything up to the clock.
    pub(crate) fn sweep(&mut self) {
        let now = self.now_ms();
        let late = |one: &&Interaction| match one.progress {
            Progress::Waiting => now - one.sent_ms >= FIRST_RESPONSE_MS,
            Progress::Thinking => now - one.sent_ms >= TOKEN_MS,
            Progress::Answered | Progress::Failed => false,
        };
        let failed: Vec<Id> = self
            .interactions
            .values()
            .filter(late)
            .map(|one| one.id)
            .collect();
        for id in failed {
            self.fail(id);
        }
        let quiet = self
            .channels
            .values()
            .filter_map(|channel| channel.thread.as_ref().map(|thread| (channel.id, thread)));
        let quiet: Vec<Id> = quiet
            .filter(|(_, thread)| {
                !thread.archived
                    && now - thread.active_ms >= thread.auto_archive_minutes * MINUTE_MS
            })
            .map(|(id, _)| id)
            .collect();
        for id in quiet {
            self.set_archived(id, true);
            self.announce_channel(id, "THREAD_UPDATE");
        }
    }

    /// Ends every interaction so far, as the fault `expire_interactions` asks.
    pub(crate) fn expire_interactions(&mut self) {
        let open: Vec<Id> = self.interactions.keys().copied().collect();
        for id in open {
            let pending = self
                .interactions
                .get(&id)
                .is_some_and(|one| matches!(one.progress, Progress::Waiting | Progress::Thinking));
            if pending {
                self.fail(id);
            }
            self.with(id, |one| one.expired = true);
        }
    }

    fn fail(&mut self, id: Id) {
        let Some(interaction) = self.interactions.get(&id).cloned() else {
            return;
        };
        let locale = self
            .people
            .get(&interaction.person)
            .map_or_else(String::new, |person| person.locale.clone());
        let sentence = not_responding(&locale, interaction.kind.is_command());
        self.with(id, |one| {
            one.progress = Progress::Failed;
            one.notice = Some(sentence.to_owned());
        });
        if interaction.progress == Progress::Thinking {
            self.fail_thinking(&interaction, sentence);
        } else if interaction.kind.is_command() {
            self.post_notice(&interaction, sentence);
        } else if let Some(source) = interaction
            .source
            .filter(|_| interaction.kind != Kind::Autocomplete)
        {
            if let Some(message) = self.messages.get_mut(&source) {
                message
                    .notices
                    .insert(interaction.person, sentence.to_owned());
            }
            self.feed.push(Change::Edit(source));
        }
        self.feed.push(Change::Interaction(id));
    }

    fn fail_thinking(&mut self, interaction: &Interaction, sentence: &str) {
        let Some(message) = interaction
            .response
            .and_then(|id| self.messages.get_mut(&id))
        else {
            return;
        };
        message.state = State::Failed;
        message
            .notices
            .insert(interaction.person, sentence.to_owned());
        let id = message.id;
        self.feed.push(Change::Edit(id));
    }

    /// The client's own line for the person who waited; the bot never hears of it.
    fn post_notice(&mut self, interaction: &Interaction, sentence: &str) {
        let (id, now) = (self.next_id(), self.now_ms());
        let mut notice = Message::new(id, interaction.channel, APPLICATION, now);
        self.mark_answer(&mut notice, interaction);
        sentence.clone_into(&mut notice.content);
        notice.local = true;
        notice.state = State::Failed;
        notice.only_for = Some(interaction.person);
        self.post(notice);
    }
}
