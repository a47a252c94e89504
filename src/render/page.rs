//! A page of the handbook → card.

use super::{
    Card, Item, Line, Section, SectionKind, Tone,
    words::{pick, risk_word},
};
use crate::domain::{
    handbook::{Lent, Manual, Runbook},
    text::{Lang, Text},
};

/// Characters of a page's version that are shown.
const HASH_CHARS: usize = 8;

/// The card of `page` in `lang`.
#[must_use]
pub fn page(page: &Runbook, lang: Lang) -> Card {
    let lead = vec![
        Line::new().strong(page.symptom.get(lang)).into(),
        Line::new().code(&format!("/diagnose {}", page.id)).into(),
    ];
    let mut sections = vec![Section {
        kind: SectionKind::Lead,
        heading: String::new(),
        items: lead,
    }];
    let mut add = |kind, heading: &str, items: Vec<Item>| {
        if !items.is_empty() {
            sections.push(Section {
                kind,
                heading: heading.to_owned(),
                items,
            });
        }
    };
    add(
        SectionKind::Consequences,
        pick(lang, "Checks", "检查"),
        checks(page, lang),
    );
    let manual = page.looks.iter().map(|step| by_hand(step, lang).into());
    add(
        SectionKind::Manual,
        pick(lang, "Look yourself", "请人工查看"),
        manual.collect(),
    );
    let remedies = page.remedies.iter().map(|remedy| {
        let line = Line::bullet().code(remedy.id.as_str()).plain(" ");
        line.strong(remedy.title.get(lang))
            .plain(pick(lang, " (", "（"))
            .plain(risk_word(remedy.risk, lang))
            .plain(pick(lang, "): ", "）："))
            .plain(remedy.say.get(lang))
            .into()
    });
    add(
        SectionKind::Remedies,
        pick(lang, "Remedies", "处置"),
        remedies.collect(),
    );
    let preventions = page
        .prevent
        .iter()
        .map(|check| named(check.id.as_str(), &check.title, lang))
        .chain(page.manual.iter().map(|step| by_hand(step, lang)));
    add(
        SectionKind::Healthy,
        pick(lang, "Prevention", "预防"),
        preventions.map(Item::from).collect(),
    );
    let hash: String = page.hash.chars().take(HASH_CHARS).collect();
    Card {
        lang,
        title: format!("{} {}", page.section, page.title.get(lang)),
        tone: Tone::Neutral,
        sections,
        footer: vec![
            format!("{:?}", page.severity),
            format!("{} {}", pick(lang, "owner", "负责人"), page.owner),
            format!("{} {}", pick(lang, "reviewed", "审阅于"), page.reviewed),
            format!("{} {hash}", pick(lang, "version", "版本")),
        ],
        abridged: false,
    }
}

fn checks(page: &Runbook, lang: Lang) -> Vec<Item> {
    let own = page
        .checks
        .iter()
        .map(|check| named(check.id.as_str(), &check.title, lang));
    let borrowed = page.borrowed.iter().map(|borrowed| {
        let title = match &borrowed.lent {
            Lent::Check(check, _) => check.title.clone(),
            Lent::Manual(step) => step.title.clone(),
            Lent::Unusable => Text::new("its page has mistakes", "所在手册页有错误"),
        };
        named(&borrowed.check.to_string(), &title, lang)
    });
    own.chain(borrowed).map(Item::from).collect()
}

fn named(id: &str, title: &Text, lang: Lang) -> Line {
    Line::bullet().code(id).plain(" ").plain(title.get(lang))
}

fn by_hand(step: &Manual, lang: Lang) -> Line {
    named(step.id.as_str(), &step.title, lang)
        .plain(pick(lang, ": ", "："))
        .plain(step.say.get(lang))
}
