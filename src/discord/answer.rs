//! What is said, and the form in which it is sent to Discord. The only place that makes a message's
//! body, so that no message can mention anybody.
//!
//! An [`Answer`] is what is said; a [`Message`] is its form where it is allowed to show embeds or not,
//! to attach files or not. Only the form knows whether everything had room, so only it decides
//! whether the whole goes along as a file, and says where the rest is.

use serenity::{
    builder::{
        CreateActionRow, CreateAllowedMentions, CreateEmbed, CreateInteractionResponseFollowup,
        CreateInteractionResponseMessage, CreateMessage, EditAttachments, EditInteractionResponse,
    },
    model::channel::Nonce,
};

use super::{
    attach::{Attachable, File, Files},
    embed::embed,
    limits::{self, length},
    markup,
    plain::plain,
    words,
};
use crate::{
    domain::text::Lang,
    render::{Card, clean_line, cut_chars},
};

/// Characters of a person's name that are shown.
const NAME: usize = 64;

/// Whether files may go along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filing {
    /// Yes.
    Allowed,
    /// The bot lacks the permission here.
    Forbidden,
    /// Discord has found them too large.
    TooLarge,
}

/// What a message may have where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) embeds: bool,
    pub(super) files: Filing,
}

impl Allowed {
    /// Embeds and files.
    pub(super) const ALL: Self = Self {
        embeds: true,
        files: Filing::Allowed,
    };
}

/// What is said.
#[derive(Clone, Default)]
pub(super) struct Answer {
    content: String,
    card: Option<Card>,
    rows: Vec<CreateActionRow>,
    whole: Option<Attachable>,
}

impl Answer {
    /// One line, already in Discord's markup.
    pub(super) fn line(markup: &str) -> Self {
        Self {
            content: markup.to_owned(),
            ..Self::default()
        }
    }

    /// One card.
    pub(super) fn card(card: Card) -> Self {
        Self {
            card: Some(card),
            ..Self::default()
        }
    }

    /// The same with a line above everything, already in Discord's markup.
    pub(super) fn headed(mut self, markup: &str) -> Self {
        let joined = format!("{markup}\n{}", self.content);
        joined.trim_end().clone_into(&mut self.content);
        self
    }

    /// The same with one more row of components.
    pub(super) fn row(mut self, row: CreateActionRow) -> Self {
        self.rows.push(row);
        self
    }

    /// The same with what goes along as files when the message has no room for everything.
    pub(super) fn whole(mut self, whole: Attachable) -> Self {
        self.whole = Some(whole);
        self
    }

    /// Its form where `allowed` holds, with notes in `lang`.
    pub(super) fn form(&self, allowed: Allowed, lang: Lang) -> Message {
        match &self.card {
            Some(card) if !allowed.embeds => self.as_text(card, allowed.files, lang),
            card => self.with_embed(card.as_ref(), allowed.files, lang),
        }
    }

    fn with_embed(&self, card: Option<&Card>, filing: Filing, lang: Lang) -> Message {
        let made = card.map(embed);
        let cut = made.as_ref().is_some_and(|made| made.cut);
        let along = Along::new(self.whole.as_ref(), cut, filing, lang);
        let why = along.why.map(small);
        let parts = [Some(self.content.clone()), why];
        Message {
            content: lines(parts),
            embed: made.map(|made| made.finished(along.rest.as_deref())),
            rows: self.rows.clone(),
            files: along.files,
        }
    }

    fn as_text(&self, card: &Card, filing: Filing, lang: Lang) -> Message {
        let room = limits::CONTENT.saturating_sub(length(&self.content) + 1);
        let with = |cut| {
            let along = Along::new(self.whole.as_ref(), cut, filing, lang);
            let notes = [along.rest.as_deref(), along.why].map(|note| note.map(small));
            let taken: usize = notes.iter().flatten().map(|note| length(note) + 1).sum();
            (plain(card, room.saturating_sub(taken)), along, notes)
        };
        let mut made = with(false);
        if made.0.cut {
            made = with(true);
        }
        let (text, along, [rest, why]) = made;
        Message {
            content: lines([Some(self.content.clone()), Some(text.text), rest, why]),
            embed: None,
            rows: self.rows.clone(),
            files: along.files,
        }
    }
}

/// What goes along with a message, and what it says about that.
struct Along {
    files: Vec<File>,
    /// Where the rest is, when the message has not everything.
    rest: Option<String>,
    /// Why no file goes along, when one should.
    why: Option<&'static str>,
}

impl Along {
    /// For a message that was `cut` or not, with `whole` as files where `filing` lets them go.
    fn new(whole: Option<&Attachable>, cut: bool, filing: Filing, lang: Lang) -> Self {
        let Some(whole) = whole.filter(|whole| whole.always || cut) else {
            return Self {
                files: Vec::new(),
                rest: cut.then(|| words::shortened(lang).to_owned()),
                why: None,
            };
        };
        let (files, why) = match filing {
            Filing::Allowed => (whole.files(), None),
            Filing::Forbidden => (Files::default(), Some(words::no_attach_files(lang))),
            Filing::TooLarge => (Files::default(), Some(words::files_too_large(lang))),
        };
        let rest = if files.all.is_empty() {
            words::has_the_rest(lang, &whole.elsewhere)
        } else if files.whole {
            words::attached(lang).to_owned()
        } else {
            words::attached_in_part(lang, &whole.elsewhere)
        };
        Self {
            files: files.all,
            rest: cut.then_some(rest),
            why,
        }
    }
}

/// `text` as small print in Discord's markup.
fn small(text: &str) -> String {
    format!("-# {text}")
}

/// What there is of `parts`, each on lines of its own.
fn lines<const N: usize>(parts: [Option<String>; N]) -> String {
    let there: Vec<String> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    fit(&there.join("\n"), limits::CONTENT)
}

/// One message in its last form.
#[derive(Clone, Debug)]
pub(super) struct Message {
    content: String,
    embed: Option<CreateEmbed>,
    rows: Vec<CreateActionRow>,
    files: Vec<File>,
}

impl Message {
    /// Its files, which the caller sends.
    pub(super) fn files(&self) -> &[File] {
        &self.files
    }

    /// As the edit of an interaction's first reply.
    pub(super) fn edit(&self) -> EditInteractionResponse {
        EditInteractionResponse::new()
            .content(self.content.clone())
            .embeds(self.embed.iter().cloned().collect())
            .components(self.rows.clone())
            .allowed_mentions(nobody())
            .attachments(EditAttachments::new())
    }

    /// As a message of its own. `nonce` keeps a repeated request from being a second message.
    pub(super) fn message(&self, nonce: &str) -> CreateMessage {
        CreateMessage::new()
            .content(self.content.clone())
            .embeds(self.embed.iter().cloned().collect())
            .components(self.rows.clone())
            .allowed_mentions(nobody())
            .nonce(Nonce::String(nonce.to_owned()))
            .enforce_nonce(true)
    }

    /// As a further message to an interaction that only the person who asked can see.
    pub(super) fn followup(&self) -> CreateInteractionResponseFollowup {
        CreateInteractionResponseFollowup::new()
            .content(self.content.clone())
            .embeds(self.embed.iter().cloned().collect())
            .components(self.rows.clone())
            .allowed_mentions(nobody())
            .ephemeral(true)
    }

    /// As an immediate first response that only the person who asked can see.
    pub(super) fn response(&self) -> CreateInteractionResponseMessage {
        CreateInteractionResponseMessage::new()
            .content(self.content.clone())
            .embeds(self.embed.iter().cloned().collect())
            .allowed_mentions(nobody())
            .ephemeral(true)
    }
}

/// Explicitly nobody: what is in the text doesn't matter then.
fn nobody() -> CreateAllowedMentions {
    CreateAllowedMentions::new()
}

/// `text` within `max`; the cut shows.
fn fit(text: &str, max: usize) -> String {
    let mut text = text.to_owned();
    while length(&text) > max {
        let chars = text.chars().count();
        text = cut_chars(&text, (chars * 9 / 10).min(max));
    }
    text
}

/// A name for display inside of a line.
pub(super) fn name(text: &str) -> String {
    markup::escape(&cut_chars(&clean_line(text), NAME))
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
