use serde_json::Value;

use super::*;
use crate::{domain::text::Lang, render::Style};

/// The longest sentence about the rest.
const NOTE: &str =
    "shortened, and so are the attached files; handbell history 123456789 has everything";

fn section(kind: SectionKind, items: Vec<Item>) -> Section {
    Section {
        kind,
        heading: format!("{kind:?}"),
        items,
    }
}

fn card(lines: usize, text: &str) -> Card {
    let line = || {
        Item::Line(
            Line::bullet()
                .strong(text)
                .span(Style::Code, text)
                .plain(text),
        )
    };
    let many = |kind| section(kind, (0..lines).map(|_| line()).collect());
    Card {
        lang: Lang::En,
        title: text.repeat(3),
        tone: Tone::Bad,
        sections: vec![
            many(SectionKind::Lead),
            section(
                SectionKind::Evidence,
                vec![line(), Item::block(text.lines())],
            ),
            many(SectionKind::Consequences),
            many(SectionKind::Unknown),
            many(SectionKind::Remedies),
            many(SectionKind::NotApplicable),
            many(SectionKind::Healthy),
        ],
        footer: vec!["12 ms".into(), text.to_owned()],
        abridged: false,
    }
}

fn check(card: &Card) -> (Value, bool) {
    let made = embed(card);
    let cut = made.cut;
    let value = serde_json::to_value(made.finished(cut.then_some(NOTE))).expect("JSON");
    let count = |text: &Value| text.as_str().map_or(0, |text| text.encode_utf16().count());
    let fields = value["fields"].as_array().cloned().unwrap_or_default();
    let total = count(&value["title"])
        + count(&value["description"])
        + count(&value["footer"]["text"])
        + fields
            .iter()
            .map(|f| count(&f["name"]) + count(&f["value"]))
            .sum::<usize>();
    assert!(total <= 6_000, "{total} characters");
    assert!(
        fields
            .iter()
            .all(|f| count(&f["value"]) > 0 && count(&f["name"]) > 0)
    );
    let mut whole = value.clone();
    whole["type"] = "rich".into();
    let parsed = serde_json::from_value(whole).expect("an embed as twilight knows it");
    twilight_validate::embed::embed(&parsed).expect("within Discord's limits");
    (value, cut)
}

#[test]
fn a_small_card_is_whole() {
    let (value, cut) = check(&card(1, "short"));
    assert!(!cut);
    assert_eq!(value["footer"]["text"], "12 ms · short");
    let names: Vec<&str> = value["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .filter_map(|field| field["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "Consequences",
            "Unknown",
            "Remedies",
            "NotApplicable",
            "Healthy"
        ]
    );
}

#[test]
fn whatever_the_card_the_embed_fits_and_says_that_it_was_cut() {
    let astral = "𝄞".repeat(90);
    let marks = "*_`~|<>[]@#".repeat(40);
    let texts = [
        "word ".repeat(80),
        "内存已满，".repeat(200),
        astral,
        marks,
        "x".repeat(5000),
        "```\nline\n```".repeat(50),
    ];
    for text in &texts {
        for lines in [1, 3, 40] {
            let (value, cut) = check(&card(lines, text));
            let footer = value["footer"]["text"].as_str().expect("a footer");
            let said = footer.ends_with(NOTE);
            assert_eq!(cut, said, "{footer}");
            assert!(cut || lines < 40, "{}", cut_chars(text, 20));
            let body = value["description"].as_str().expect("a description");
            assert_eq!(
                body.matches("```").count() % 2,
                0,
                "an open code block: {body}"
            );
        }
    }
}
