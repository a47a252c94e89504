use super::{EVIDENCE_CHARS, Seen, plain};
use crate::probes::redis;

#[test]
fn escape_sequences_and_control_characters_go() {
    let text = "\u{1b}[31mred\u{1b}[0m\u{7} \u{1b}]0;title\u{7}ok\u{0}\u{202e}!";
    assert_eq!(plain(text, 100), "red ok!");
    assert_eq!(plain("a\tb\nc\r", 100), "a b c");
}

#[test]
fn a_cut_is_shown_and_never_splits_a_character() {
    assert_eq!(plain("缓存失效了", 3), "缓存…");
    assert_eq!(plain("abc", 3), "abc");
}

#[test]
fn evidence_has_bounds() {
    let mut seen = Seen::new(&redis::latency::SPEC);
    for _ in 0..1_000 {
        seen.line("x".repeat(10_000));
    }
    assert!(seen.evidence.chars().count() <= EVIDENCE_CHARS);
}
