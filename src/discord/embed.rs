//! Card → embed within Discord's limits; what had to be cut is said.

use serenity::builder::{CreateEmbed, CreateEmbedFooter};

use super::{
    limits::{self, length},
    markup,
};
use crate::render::{Card, Item, Line, Section, SectionKind, Tone, cut_chars};

/// Characters kept free for the sentence that says that something was cut.
const CUT_NOTE: usize = 240;

/// An embed without its footer, and whether something of the card is not in it.
pub(super) struct Embed {
    form: CreateEmbed,
    footer: String,
    pub(super) cut: bool,
}

impl Embed {
    /// The embed with its footer, and with `note` in it: where the rest is.
    pub(super) fn finished(self, note: Option<&str>) -> CreateEmbed {
        let note = note.map(|note| cut_chars(note, CUT_NOTE / 2));
        let parts = [Some(self.footer), note];
        let footer: Vec<String> = parts
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect();
        if footer.is_empty() {
            return self.form;
        }
        self.form.footer(CreateEmbedFooter::new(footer.join(" · ")))
    }
}

/// The embed for `card`.
pub(super) fn embed(card: &Card) -> Embed {
    let title = fit_text(
        &format!("{} {}", card.tone.sign(), card.title),
        limits::EMBED_TITLE,
    );
    let footer = cut_chars(&card.footer.join(" · "), limits::FOOTER / 2);
    let mut room = limits::EMBED_TOTAL
        .saturating_sub(length(&title))
        .saturating_sub(length(&footer))
        .saturating_sub(CUT_NOTE);
    let mut cut = card.abridged;
    let mut description = Body::new(limits::EMBED_DESCRIPTION.min(room));
    let mut fields = Vec::new();
    for section in &card.sections {
        if matches!(section.kind, SectionKind::Lead | SectionKind::Evidence) {
            if section.kind == SectionKind::Evidence && !description.text.is_empty() {
                description.text.push('\n');
            }
            description.add_all(&section.items);
        }
    }
    cut |= description.cut;
    room = room.saturating_sub(length(&description.text));
    for section in by_weight(card) {
        if fields.len() == limits::EMBED_FIELDS {
            cut = true;
            break;
        }
        let name = fit_text(&section.heading, limits::FIELD_NAME);
        let free = room.saturating_sub(length(&name));
        let mut value = Body::new(limits::FIELD_VALUE.min(free));
        value.add_all(&section.items);
        cut |= value.cut;
        if !value.text.is_empty() {
            room = free.saturating_sub(length(&value.text));
            fields.push((section.kind, (name, value.text, false)));
        }
    }
    fields.sort_by_key(|(kind, _)| place(*kind));
    let mut form = CreateEmbed::new()
        .title(title)
        .colour(colour(card.tone))
        .fields(fields.into_iter().map(|(_, field)| field));
    if !description.text.is_empty() {
        form = form.description(description.text);
    }
    Embed { form, footer, cut }
}

/// Sections besides the description's, those that matter most first: room goes to them first.
fn by_weight(card: &Card) -> Vec<&Section> {
    let mut sections: Vec<&Section> = card
        .sections
        .iter()
        .filter(|section| !matches!(section.kind, SectionKind::Lead | SectionKind::Evidence))
        .collect();
    sections.sort_by_key(|section| section.kind);
    sections
}

/// Where a section stands: what follows and what could not be seen before what to do.
fn place(kind: SectionKind) -> u8 {
    match kind {
        SectionKind::Lead => 0,
        SectionKind::Evidence => 1,
        SectionKind::Consequences => 2,
        SectionKind::Changed => 3,
        SectionKind::Unknown => 4,
        SectionKind::LeftOut => 5,
        SectionKind::Manual => 6,
        SectionKind::Remedies => 7,
        SectionKind::NotApplicable => 8,
        SectionKind::Healthy => 9,
    }
}

fn colour(tone: Tone) -> u32 {
    match tone {
        Tone::Good => 0x0023_a55a,
        Tone::Warning => 0x00f0_b232,
        Tone::Bad => 0x00f2_3f43,
        Tone::Unclear => 0x0080_848e,
        Tone::Neutral => 0x0058_65f2,
    }
}

/// A text that takes lines while there is room.
pub(super) struct Body {
    pub(super) text: String,
    limit: usize,
    pub(super) cut: bool,
}

impl Body {
    /// An empty one of at most `limit` characters.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
            cut: false,
        }
    }

    /// Characters that another line may have.
    pub(super) fn room(&self) -> usize {
        let taken = length(&self.text) + usize::from(!self.text.is_empty());
        self.limit.saturating_sub(taken)
    }

    /// Takes a line in Discord's markup, whether there is room or not.
    pub(super) fn push(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
    }

    /// Takes `items` until one has to be cut.
    pub(super) fn add_all(&mut self, items: &[Item]) {
        for item in items {
            let room = self.room();
            let whole = match item {
                Item::Line(line) => markup::line(line),
                Item::Block(lines) => markup::block(lines),
            };
            let fitting = if length(&whole) <= room {
                Some(whole)
            } else {
                self.cut = true;
                shorter(item, room)
            };
            let Some(text) = fitting else { return };
            self.push(&text);
        }
    }
}

/// The least room in which a cut line still says something.
pub(super) const LEAST_ROOM: usize = 40;

/// As much of `item` as fits into `room`: the beginning of a line, the last lines of a block.
fn shorter(item: &Item, room: usize) -> Option<String> {
    if room < LEAST_ROOM {
        return None;
    }
    match item {
        Item::Line(line) => {
            let mut chars = line.text().chars().count();
            while chars > 1 {
                let text = markup::line(&cut_line(line, chars));
                if length(&text) <= room {
                    return Some(text);
                }
                chars = chars * 9 / 10;
            }
            None
        }
        Item::Block(lines) => (1..lines.len())
            .map(|from| markup::block(lines.get(from..).unwrap_or_default()))
            .find(|text| length(text) <= room),
    }
}

/// The first `chars` characters of a line; the cut shows.
fn cut_line(line: &Line, chars: usize) -> Line {
    let mut short = line.clone();
    let mut room = chars;
    for span in &mut short.spans {
        span.text = cut_chars(&span.text, room);
        room = room.saturating_sub(span.text.chars().count());
    }
    short.spans.retain(|span| !span.text.is_empty());
    short
}

/// Escaped `text` within `max` characters.
fn fit_text(text: &str, max: usize) -> String {
    let mut chars = text.chars().count();
    loop {
        let escaped = markup::escape(&cut_chars(text, chars));
        if length(&escaped) <= max || chars <= 1 {
            return escaped;
        }
        chars = chars * 9 / 10;
    }
}

#[cfg(test)]
#[path = "embed_tests.rs"]
mod tests;
