//! What only a person can see: buttons for what they saw, and lines that say who saw what.

use jiff::tz::TimeZone;
use serenity::{
    all::ButtonStyle,
    builder::{CreateActionRow, CreateButton},
};

use super::{answer::name, decode::look_id, limits, markup};
use crate::{
    app::{Answer, Record, RecordId},
    domain::{access::Actor, diagnosis::Report, text::Lang},
    render::{clean_line, cut_chars},
};

/// Steps that get buttons: a message has five rows, one of which is taken.
const STEPS: usize = 4;
/// Characters of a step's title on a button; Discord takes 80 with the rest.
const TITLE: usize = 60;
/// Lines of answers that are kept, the newest.
const LINES: usize = 10;
/// With what our lines begin.
const FINE: &str = "☑️ ";
/// With what the other lines begin.
const IT: &str = "🎯 ";

fn pick<'a>(lang: Lang, en: &'a str, zh: &'a str) -> &'a str {
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}

/// A row of two buttons for each manual step. Of several pages at once there are too many.
pub(super) fn rows(report: &Report, record: RecordId, lang: Lang) -> Vec<CreateActionRow> {
    if report.is_of_several() {
        return Vec::new();
    }
    let steps = report.manual.iter().enumerate().take(STEPS);
    steps
        .map(|(n, step)| {
            let title = cut_chars(&clean_line(step.title.get(lang)), TITLE);
            let button = |fine: bool| {
                let word = if fine {
                    pick(lang, "looks fine", "看起来正常")
                } else {
                    pick(lang, "that's it", "就是它")
                };
                let label = match lang {
                    Lang::En => format!("{title}: {word}"),
                    Lang::Zh => format!("{title}：{word}"),
                };
                CreateButton::new(look_id(record, n, fine))
                    .label(label)
                    .style(if fine {
                        ButtonStyle::Success
                    } else {
                        ButtonStyle::Danger
                    })
            };
            CreateActionRow::Buttons(vec![button(true), button(false)])
        })
        .collect()
}

/// Who saw what, a line each, in Discord's markup.
pub(super) fn lines(
    record: &Record,
    answers: &[Answer],
    zone: &TimeZone,
    lang: Lang,
) -> Vec<String> {
    let from = answers.len().saturating_sub(LINES);
    let newest = answers.iter().skip(from);
    newest
        .map(|answer| line(record, answer, zone, lang))
        .collect()
}

fn line(record: &Record, answer: &Answer, zone: &TimeZone, lang: Lang) -> String {
    let steps = record
        .outcome
        .as_ref()
        .and_then(|outcome| outcome.report["manual"].as_array());
    let step = steps
        .into_iter()
        .flatten()
        .find(|step| step["page"] == answer.page && step["id"] == answer.step);
    let said = step.and_then(|step| {
        let own = step[format!("title_{lang}")].as_str();
        own.or_else(|| step["title"].as_str())
    });
    let title = markup::escape(&cut_chars(&clean_line(said.unwrap_or(&answer.step)), TITLE));
    let who = match &answer.actor {
        Actor::Discord { name: said, .. } => name(said),
        Actor::Local { user } => name(user),
    };
    let at = answer
        .at
        .to_zoned(zone.clone())
        .strftime("%H:%M %Z")
        .to_string();
    let (sign, word) = if answer.fine {
        (FINE, pick(lang, "looks fine", "看起来正常"))
    } else {
        (IT, pick(lang, "that's it", "就是它"))
    };
    match lang {
        Lang::En => format!("{sign}**{title}**: {word} ({who}, {at})"),
        Lang::Zh => format!("{sign}**{title}**：{word}（{who}，{at}）"),
    }
}

/// The message's text with `lines` in the place of those that were there.
pub(super) fn content(old: &str, lines: &[String]) -> String {
    let kept = old
        .lines()
        .filter(|line| !line.starts_with(FINE) && !line.starts_with(IT));
    let mut all: Vec<&str> = kept.collect();
    all.extend(lines.iter().map(String::as_str));
    while limits::length(&all.join("\n")) > limits::CONTENT && !all.is_empty() {
        all.remove(0);
    }
    all.join("\n")
}
