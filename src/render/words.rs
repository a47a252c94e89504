//! Our own words, in both languages.

use super::Tone;
use crate::domain::{diagnosis::Verdict, handbook::Risk, text::Lang};

/// One of two words.
pub(super) fn pick<'a>(lang: Lang, en: &'a str, zh: &'a str) -> &'a str {
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}

/// The verdict for people.
#[must_use]
pub fn verdict_word(verdict: Verdict, lang: Lang) -> &'static str {
    let (en, zh) = match verdict {
        Verdict::NotApplicable => ("not applicable", "不适用"),
        Verdict::Ok => ("healthy", "正常"),
        Verdict::Unknown => ("unclear", "无法判断"),
        Verdict::Warning => ("warning", "警告"),
        Verdict::Critical => ("critical", "严重"),
    };
    pick(lang, en, zh)
}

/// How a verdict looks at a glance.
#[must_use]
pub fn tone_of(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::NotApplicable => Tone::Neutral,
        Verdict::Ok => Tone::Good,
        Verdict::Unknown => Tone::Unclear,
        Verdict::Warning => Tone::Warning,
        Verdict::Critical => Tone::Bad,
    }
}

/// A remedy's risk for people.
#[must_use]
pub fn risk_word(risk: Risk, lang: Lang) -> &'static str {
    let (en, zh) = match risk {
        Risk::Low => ("low risk", "低风险"),
        Risk::Medium => ("medium risk", "中风险"),
        Risk::High => ("high risk", "高风险"),
    };
    pick(lang, en, zh)
}

/// Words joined as the language joins them.
pub(super) fn list<'a>(lang: Lang, words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(pick(lang, ", ", "、"))
}
