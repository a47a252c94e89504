//! Card → embed within Discord's limits; what had to be cut is said.

use serenity::builder::{CreateEmbed, CreateEmbedFooter};

use super::{
    limits::{self, length},
    markup,
};
use crate::{
    domain::text::Lang,
    render::{Card, Item, Line, Section, SectionKind, Tone, cut_chars},
};

/// Characters kept free for the sentence that says that something was cut.
const CUT_NOTE: usize = 120;

/// An embed, and whether something of the card is not in it.
pub(super) struct Embed {
    pub(super) form: CreateEmbed,
    pub(super) cut: bool,
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
    let footer = if cut {
        let note = match card.lang {
            Lang::En => "shortened; the attached file has everything",
            Lang::Zh => "内容已截短，全文见附件",
        };
        if footer.is_empty() {
            note.to_owned()
        } else {
            format!("{footer} · {note}")
        }
    } else {
        footer
    };
    let mut form = CreateEmbed::new()
        .title(title)
        .colour(colour(card.tone))
        .fields(fields.into_iter().map(|(_, field)| field));
    if !description.text.is_empty() {
        form = form.description(description.text);
    }
    if !footer.is_empty() {
        form = form.footer(CreateEmbedFooter::new(footer));
    }
    Embed { form, cut }
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
struct Body {
    text: String,
    limit: usize,
    cut: bool,
}

impl Body {
    fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
            cut: false,
        }
    }

    fn add_all(&mut self, items: &[Item]) {
        for item in items {
            let room = self
                .limit
                .saturating_sub(length(&self.text))
                .saturating_sub(1);
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
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            self.text.push_str(&text);
        }
    }
}

/// The least room in which a cut line still says something.
const LEAST_ROOM: usize = 40;

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
