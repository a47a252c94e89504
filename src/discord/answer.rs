//! What is sent to Discord. The only place that makes a message's body, so that no message can
//! mention anybody.

use serenity::{
    builder::{
        CreateActionRow, CreateAllowedMentions, CreateEmbed, CreateInteractionResponseFollowup,
        CreateInteractionResponseMessage, CreateMessage, EditAttachments, EditInteractionResponse,
    },
    model::channel::Nonce,
};

use super::{
    embed::embed,
    limits::{self, length},
    markup,
};
use crate::render::{Card, Item, clean_line, cut_chars};

/// Characters of a person's name that are shown.
const NAME: usize = 64;

/// A file to attach.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) name: String,
    /// Its media type.
    pub(super) kind: &'static str,
    pub(super) text: String,
}

/// One message.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    content: String,
    embed: Option<CreateEmbed>,
    rows: Vec<CreateActionRow>,
    files: Vec<File>,
    /// The card as text, for where embeds may not be shown.
    plain: String,
}

impl Answer {
    /// A message of one line, already in Discord's markup.
    pub(super) fn line(markup: &str) -> Self {
        Self {
            content: fit(markup, limits::CONTENT),
            ..Self::default()
        }
    }

    /// A message of one card; gives also whether the card had to be cut.
    pub(super) fn card(card: &Card) -> (Self, bool) {
        let made = embed(card);
        let answer = Self {
            embed: Some(made.form),
            plain: plain(card),
            ..Self::default()
        };
        (answer, made.cut)
    }

    /// The same with a line above everything, already in Discord's markup.
    pub(super) fn headed(mut self, markup: &str) -> Self {
        let joined = format!("{markup}\n{}", self.content);
        self.content = fit(joined.trim_end(), limits::CONTENT);
        self
    }

    /// The same with one more row of components.
    pub(super) fn row(mut self, row: CreateActionRow) -> Self {
        self.rows.push(row);
        self
    }

    /// The same with one more file, unless all files together would have more than `limit` bytes.
    pub(super) fn file(mut self, file: File, limit: usize) -> Self {
        let bytes: usize = self.files.iter().map(|file| file.text.len()).sum();
        let room = limit.min(limits::FILE_BYTES).saturating_sub(bytes);
        if file.text.len() <= room {
            self.files.push(file);
        } else {
            tracing::warn!(
                file = file.name,
                size_bytes = file.text.len(),
                limit_bytes = limit,
                "a file is too large to be attached; `handbell history` has it"
            );
        }
        self
    }

    /// Whether files go with it.
    pub(super) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// The same without its files, which `note` says.
    pub(super) fn without_files(mut self, note: &str) -> Self {
        self.files.clear();
        let joined = format!("{}\n-# {note}", self.content);
        self.content = fit(joined.trim_start(), limits::CONTENT);
        self
    }

    /// The same with its card as text, for a channel where embeds may not be shown.
    pub(super) fn without_embed(mut self) -> Self {
        self.embed = None;
        let joined = format!("{}\n{}", self.content, self.plain);
        self.content = fit(joined.trim(), limits::CONTENT);
        self
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

    /// Its files, which the caller sends.
    pub(super) fn files(&self) -> &[File] {
        &self.files
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

/// The card as one text in Discord's markup.
fn plain(card: &Card) -> String {
    let mut out = format!("{} **{}**\n", card.tone.sign(), markup::escape(&card.title));
    for section in &card.sections {
        if !section.heading.is_empty() {
            out.push_str("**");
            out.push_str(&markup::escape(&section.heading));
            out.push_str("**\n");
        }
        for item in &section.items {
            out.push_str(&match item {
                Item::Line(line) => markup::line(line),
                Item::Block(lines) => markup::block(lines),
            });
            out.push('\n');
        }
    }
    out.push_str("-# ");
    out.push_str(&markup::escape(&card.footer.join(" · ")));
    out
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
