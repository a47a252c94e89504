use serde_json::{Value, json};

use super::*;
use crate::render::{Line, Tone};

fn card(lines: usize) -> Card {
    let line = || Line::bullet().plain(&"a line of some length ".repeat(5));
    let lines = (0..lines).map(|_| line()).collect();
    Card::note(Lang::En, Tone::Bad, "Title", lines).recorded_as(7)
}

fn whole() -> Attachable {
    Attachable::evidence(json!({"runbook": "redis"}), 7, Lang::En, 1_000_000)
}

fn allowed(embeds: bool, files: Filing) -> Allowed {
    Allowed { embeds, files }
}

/// Content, the embed's footer and the number of files.
fn seen(answer: &Answer, allowed: Allowed) -> (String, String, usize) {
    let message = answer.form(allowed, Lang::En);
    let body: Value = serde_json::to_value(message.edit()).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let content = text(&body["content"]);
    assert!(content.encode_utf16().count() <= 2_000, "{content}");
    (
        content,
        text(&body["embeds"][0]["footer"]["text"]),
        message.files().len(),
    )
}

#[test]
fn the_note_says_what_goes_along_and_nothing_else() {
    let yes = allowed(true, Filing::Allowed);
    let small = Answer::card(card(2)).whole(whole());
    assert_eq!(seen(&small, yes), (String::new(), "record 7".into(), 0));
    let large = Answer::card(card(100)).whole(whole());
    let (_, footer, files) = seen(&large, yes);
    assert_eq!(files, 2);
    assert!(
        footer.ends_with("the attached file has everything"),
        "{footer}"
    );
    for (filing, why) in [
        (Filing::Forbidden, "lacks the permission Attach Files"),
        (Filing::TooLarge, "takes no files of this size"),
    ] {
        let (content, footer, files) = seen(&large, allowed(true, filing));
        assert_eq!(files, 0);
        assert!(content.contains(why), "{content}");
        assert!(
            footer.ends_with("shortened; handbell history 7 has everything"),
            "{footer}"
        );
    }
    let alone = Answer::card(card(100));
    assert_eq!(
        seen(&alone, yes).1,
        "record 7 · shortened",
        "nothing is attached"
    );
    let cut = Attachable::evidence(json!({"runbook": "x".repeat(900)}), 7, Lang::En, 700);
    let (_, footer, files) = seen(&Answer::card(card(100)).whole(cut), yes);
    assert!(
        files > 0
            && footer.ends_with("so are the attached files; handbell history 7 has everything"),
        "{footer}"
    );
}

#[test]
fn as_text_what_has_no_room_goes_along_as_a_file() {
    let text = allowed(false, Filing::Allowed);
    // An embed has room for this, a text has not.
    let middle = Answer::card(card(25)).whole(whole()).headed("For alice:");
    assert_eq!(seen(&middle, allowed(true, Filing::Allowed)).2, 0);
    let (content, _, files) = seen(&middle, text);
    assert_eq!(files, 2);
    assert!(content.starts_with("For alice:\n🔴 **Title**"), "{content}");
    assert!(content.contains("record 7"), "{content}");
    assert!(
        content.ends_with("-# shortened; the attached file has everything"),
        "{content}"
    );
    let (content, _, files) = seen(&middle, allowed(false, Filing::Forbidden));
    assert_eq!(files, 0);
    assert!(
        content.contains("handbell history 7 has everything"),
        "{content}"
    );
    assert!(
        content.contains("lacks the permission Attach Files"),
        "{content}"
    );
    let small = Answer::card(card(2)).whole(whole());
    let (content, _, files) = seen(&small, text);
    assert!(files == 0 && !content.contains("shortened"), "{content}");
    let asked = Answer::card(card(2)).whole(whole().always());
    assert_eq!(seen(&asked, text).2, 2);
    let (content, ..) = seen(&asked, allowed(false, Filing::Forbidden));
    assert!(
        content.contains("lacks the permission Attach Files"),
        "{content}"
    );
}
