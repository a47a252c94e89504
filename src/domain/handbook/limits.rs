//! Discord's limits, as far as a page can break them.

use super::{Handbook, Param, ParamType, ParamValue, Runbook};
use crate::domain::text::Text;

/// Longest description of a command, a subcommand or an option, in characters (Discord, application
/// command structure; the longest localisation counts).
pub const DESCRIPTION_CHARS: usize = 100;
/// Longest name or value of a choice, in characters (the same page).
pub const CHOICE_CHARS: usize = 100;
/// Most subcommands, options or choices (the same page).
pub const MOST_OPTIONS: usize = 25;
/// Most pages: one subcommand of `/diagnose` is for all of them together.
pub const MOST_PAGES: usize = MOST_OPTIONS - 1;
/// Largest command: names, descriptions and values of it and all that is in it, in characters (the
/// same page; for each text its longest localisation counts).
pub const COMMAND_CHARS: usize = 8_000;
/// Longest value of an embed's field, in characters (Discord, embed limits).
pub const FIELD_VALUE_CHARS: usize = 1_024;
/// Greatest and (negated) least whole number of an option: what a double holds exactly (Discord,
/// option type INTEGER).
pub const INTEGER_LIMIT: i64 = 1 << 53;
/// Longest text that an option takes, in characters (Discord, `max_length`).
pub const OPTION_TEXT_CHARS: i64 = 6_000;

/// Most characters of a whole number, or of a truth, in a description: -9007199254740992.
const LONGEST_NUMBER_CHARS: usize = 17;

/// What `/diagnose` itself adds to its subcommands: its name and a description of full length, and
/// the same for the subcommand that asks all pages.
const COMMAND_FRAME_CHARS: usize =
    "diagnose".len() + DESCRIPTION_CHARS + super::ALL_PAGES.len() + DESCRIPTION_CHARS;

fn longest(text: &Text) -> usize {
    text.en.chars().count().max(text.zh.chars().count())
}

fn param_chars(param: &Param) -> usize {
    let choices = match &param.kind {
        ParamType::Choice(choices) => choices
            .iter()
            .map(|(value, say)| value.chars().count() + longest(say))
            .sum(),
        _ => 0,
    };
    // What it means, and where there is room its default.
    let default = match &param.default {
        Some(ParamValue::Text(text)) => text.chars().count(),
        Some(ParamValue::Int(_) | ParamValue::Bool(_)) => LONGEST_NUMBER_CHARS,
        None => 0,
    };
    let described = longest(&param.say) + " (default )".len() + default;
    param.name.chars().count() + described.min(DESCRIPTION_CHARS) + choices
}

/// The description of a page's subcommand in one language, before it is cut: title and symptom.
#[must_use]
pub fn described_chars(title: &str, symptom: &str) -> usize {
    title.chars().count() + ": ".len() + symptom.chars().count()
}

/// How many characters the page takes as a subcommand.
#[must_use]
pub fn subcommand_chars(page: &Runbook) -> usize {
    let params: usize = page.params.iter().map(param_chars).sum();
    let (title, symptom) = (&page.title, &page.symptom);
    let described = described_chars(&title.en, &symptom.en)
        .max(described_chars(&title.zh, &symptom.zh))
        .min(DESCRIPTION_CHARS);
    page.id.as_str().chars().count() + described + params
}

/// How many characters `/diagnose` takes with all pages, at most [`COMMAND_CHARS`] of them.
#[must_use]
pub fn command_chars(handbook: &Handbook) -> usize {
    let pages = handbook.pages.values();
    COMMAND_FRAME_CHARS + pages.map(|page| subcommand_chars(page)).sum::<usize>()
}
