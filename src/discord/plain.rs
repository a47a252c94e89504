//! Card → text in Discord's markup, for where embeds may not be shown.

use super::{
    embed::{Body, LEAST_ROOM},
    limits::length,
    markup,
};
use crate::render::{Card, cut_chars};

/// Characters of the small print.
const FOOTER: usize = 300;

/// A card as text, and whether something of the card is not in it.
pub(super) struct Plain {
    pub(super) text: String,
    pub(super) cut: bool,
}

/// `card` within `room` characters.
pub(super) fn plain(card: &Card, room: usize) -> Plain {
    let title = markup::escape(&cut_chars(&card.title, FOOTER));
    let head = format!("{} **{title}**", card.tone.sign());
    let footer = cut_chars(&card.footer.join(" · "), FOOTER);
    let footer = match footer.as_str() {
        "" => String::new(),
        text => format!("\n-# {}", markup::escape(text)),
    };
    let room = room.saturating_sub(length(&footer));
    let mut body = Body::new(room);
    body.push(&head);
    for section in &card.sections {
        if !section.heading.is_empty() {
            let heading = format!("**{}**", markup::escape(&section.heading));
            if body.room() < length(&heading) + LEAST_ROOM {
                body.cut |= !section.items.is_empty();
                break;
            }
            body.push(&heading);
        }
        body.add_all(&section.items);
        if body.cut {
            break;
        }
    }
    Plain {
        text: format!("{}{footer}", body.text),
        cut: body.cut || card.abridged,
    }
}
