//! Recorded diagnoses → card.

use super::{
    Card, Line, Style, Tone, duration,
    words::{pick, tone_of, verdict_word},
};
use crate::domain::{diagnosis::Verdict, text::Lang};

/// One recorded diagnosis, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number.
    pub number: i64,
    /// When it began, in the words of the reader's zone.
    pub when: String,
    /// Who asked.
    pub who: String,
    /// The page.
    pub runbook: String,
    /// The parameters that were given, `name=value`, or empty.
    pub params: String,
    /// How it ended; `None` when it still runs or its end was never recorded.
    pub outcome: Option<(Verdict, Vec<String>, u64)>,
}

/// The card of `rows`, the newest first.
#[must_use]
pub fn history(rows: &[HistoryRow], lang: Lang) -> Card {
    let title = pick(lang, "Recorded diagnoses", "诊断记录");
    if rows.is_empty() {
        let none = pick(lang, "Nothing is recorded yet.", "还没有任何记录。");
        return Card::note(lang, Tone::Neutral, title, vec![Line::new().plain(none)]);
    }
    let lines = rows.iter().map(|row| line(row, lang)).collect();
    Card::note(lang, Tone::Neutral, title, lines)
}

fn line(row: &HistoryRow, lang: Lang) -> Line {
    let mut line = Line::bullet()
        .strong(&row.number.to_string())
        .plain(" · ")
        .plain(&row.when)
        .plain(" · ")
        .code(&row.runbook);
    if !row.params.is_empty() {
        line = line.plain(" ").code(&row.params);
    }
    line = line.plain(" · ").plain(&row.who).plain(" · ");
    let Some((verdict, causes, ms)) = &row.outcome else {
        return line.strong(pick(
            lang,
            "no end recorded: it still runs, or Handbell stopped before its end",
            "没有结束记录：仍在运行，或者 Handbell 在结束前停止了",
        ));
    };
    line = line
        .plain(tone_of(*verdict).sign())
        .plain(" ")
        .plain(verdict_word(*verdict, lang));
    for cause in causes {
        line = line.plain(" ").code(cause);
    }
    line.span(Style::Dim, &format!(" · {}", duration(*ms, lang)))
}
