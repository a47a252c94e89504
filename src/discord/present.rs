//! What the gate says → what is sent.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use serenity::{
    all::ButtonStyle,
    builder::{
        CreateActionRow, CreateButton, CreateSelectMenu, CreateSelectMenuKind,
        CreateSelectMenuOption,
    },
};

use super::{
    answer::Answer,
    attach::Attachable,
    bot::Bot,
    decode::{Incoming, again_id, evidence_id, records_id},
    limits, words,
};
use crate::{
    app::{Gate, RawParams, Record, RecordId, Refusal, Reply, Request, report_json},
    domain::{
        access::Actor,
        diagnosis::Verdict,
        handbook::{ParamValue, Params},
        text::{Lang, Text},
    },
    render::{self, Card, HistoryRow, Line, Tone, cut_chars, tone_of, verdict_word},
};

/// What came of a request that was not refused.
pub(super) fn reply(reply: &Reply, bot: &Bot, incoming: &Incoming) -> (Answer, Option<RecordId>) {
    let lang = incoming.lang;
    match reply {
        Reply::Diagnosed {
            record,
            report,
            handbook,
        } => {
            let card = render::card(report, handbook, lang).recorded_as(record.0);
            let whole = whole(*record, report_json(report, lang), incoming);
            let mut answer = Answer::card(card).whole(whole).row(buttons(*record, lang));
            for row in super::looks::rows(report, *record, lang) {
                answer = answer.row(row);
            }
            (answer, Some(*record))
        }
        Reply::Handbook(book) => (super::handbook::found(book, "", lang), None),
        Reply::Reloaded(reloaded) => (super::handbook::reloaded(reloaded, lang), None),
        Reply::Answered(..) => (Answer::default(), None),
        Reply::History(records) => (history(records, &bot.timezone, lang), None),
    }
}

/// Everything that a run saw, for when the message has no room for it.
fn whole(RecordId(number): RecordId, report: Value, incoming: &Incoming) -> Attachable {
    Attachable::evidence(report, number, incoming.lang, incoming.file_bytes)
}

fn buttons(record: RecordId, lang: Lang) -> CreateActionRow {
    CreateActionRow::Buttons(vec![
        CreateButton::new(again_id(record))
            .label(words::run_again(lang))
            .style(ButtonStyle::Secondary),
        CreateButton::new(evidence_id(record))
            .label(words::evidence(lang))
            .style(ButtonStyle::Secondary),
    ])
}

fn history(records: &[Record], zone: &TimeZone, lang: Lang) -> Answer {
    let rows: Vec<HistoryRow> = records.iter().map(|record| row(record, zone)).collect();
    let answer = Answer::card(render::history(&rows, lang));
    if rows.is_empty() {
        return answer;
    }
    let options = rows
        .iter()
        .take(limits::SELECT_OPTIONS)
        .map(|row| {
            let label = format!("{} · {} · {}", row.number, row.runbook, row.when);
            let verdict = row.outcome.as_ref().map_or("…".to_owned(), |outcome| {
                let word = verdict_word(outcome.0, lang);
                format!("{word} {}", outcome.1.join(" "))
            });
            CreateSelectMenuOption::new(
                cut_chars(&label, limits::SELECT_LABEL),
                row.number.to_string(),
            )
            .description(cut_chars(verdict.trim(), limits::SELECT_LABEL))
        })
        .collect();
    let select = CreateSelectMenu::new(records_id(), CreateSelectMenuKind::String { options })
        .placeholder(words::choose_record(lang));
    answer.row(CreateActionRow::SelectMenu(select))
}

/// A record as a line of the history, its time in the team's zone.
fn row(record: &Record, zone: &TimeZone) -> HistoryRow {
    let start = &record.start;
    let given: Vec<String> = start
        .params
        .iter()
        .map(|(name, value)| format!("{name}={}", word(value)))
        .collect();
    HistoryRow {
        number: record.id.0,
        when: moment(start.at, zone),
        who: who(&start.actor),
        runbook: start.runbook.clone(),
        params: given.join(" "),
        outcome: record.outcome.as_ref().map(|outcome| {
            (
                outcome.verdict,
                outcome.root_causes.clone(),
                outcome.duration_ms,
            )
        }),
    }
}

fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %Z")
        .to_string()
}

fn who(actor: &Actor) -> String {
    match actor {
        Actor::Discord { name, .. } => name.clone(),
        Actor::Local { user } => format!("local:{user}"),
    }
}

fn word(value: &ParamValue) -> String {
    match value {
        ParamValue::Bool(truth) => truth.to_string(),
        ParamValue::Int(number) => number.to_string(),
        ParamValue::Text(text) => text.clone(),
    }
}

/// Recorded parameters as they would be typed.
pub(super) fn raw(params: &Params) -> RawParams {
    params
        .iter()
        .map(|(name, value)| (name.clone(), word(value)))
        .collect()
}

/// What a recorded diagnosis saw: each check in a line, everything in the files.
pub(super) fn evidence(record: &Record, incoming: &Incoming) -> Answer {
    let lang = incoming.lang;
    let Some(outcome) = &record.outcome else {
        let text = Text::new(
            format!(
                "Record {} has no end: it still runs, or Handbell was stopped before its end. There is no evidence to show.",
                record.id.0
            ),
            format!(
                "记录 {} 没有结束：仍在运行，或者 Handbell 在结束前被停止，因此没有证据可看。",
                record.id.0
            ),
        );
        return sentence(&text, lang);
    };
    let title = format!(
        "{} · {}",
        record.start.runbook,
        verdict_word(outcome.verdict, lang)
    );
    let checks = outcome.report["checks"].as_array();
    let lines = checks
        .into_iter()
        .flatten()
        .map(|check| check_line(check, lang))
        .collect();
    let card = Card::note(lang, tone_of(outcome.verdict), &title, lines).recorded_as(record.id.0);
    let whole = whole(record.id, outcome.report.clone(), incoming).always();
    Answer::card(card).whole(whole)
}

fn check_line(check: &Value, lang: Lang) -> Line {
    let text = |key: &str| {
        let own = check[format!("{key}_{lang}")].as_str();
        own.or_else(|| check[key].as_str()).unwrap_or_default()
    };
    let tone =
        serde_json::from_value::<Verdict>(check["verdict"].clone()).map_or(Tone::Neutral, tone_of);
    Line::bullet()
        .plain(tone.sign())
        .plain(" ")
        .strong(text("title"))
        .plain(match lang {
            Lang::En => ": ",
            Lang::Zh => "：",
        })
        .plain(text("say"))
}

/// One sentence as an answer.
pub(super) fn sentence(text: &Text, lang: Lang) -> Answer {
    let title = match lang {
        Lang::En => "Nothing was done",
        Lang::Zh => "未执行",
    };
    let line = Line::new().plain(text.get(lang));
    Answer::card(Card::note(lang, Tone::Unclear, title, vec![line]))
}

/// A refusal as an answer.
pub(super) fn refusal(refusal: &Refusal, lang: Lang) -> Answer {
    sentence(&refusal.say(), lang)
}

/// What there is, and what of it this person may use.
pub(super) fn help(gate: &Gate, actor: &Actor, lang: Lang) -> Answer {
    let may = |request: Request| gate.allows(actor, &request);
    let diagnose = may(Request::Diagnose {
        runbook: String::new(),
        params: RawParams::new(),
    });
    let read = may(Request::History {
        runbook: None,
        limit: 1,
    });
    let handbook = gate.handbook();
    let pick = |en: &'static str, zh: &'static str| match lang {
        Lang::En => en,
        Lang::Zh => zh,
    };
    let mut lines = vec![Line::new().plain(pick(
        "Handbell runs the checks of your incident handbook and names the root cause. It only looks; it changes nothing.",
        "Handbell 按照应急手册执行检查并找出根因。它只查看，不做任何更改。",
    ))];
    for page in handbook.pages.values() {
        lines.push(
            Line::bullet()
                .code(&format!("/diagnose {}", page.id))
                .plain(" ")
                .plain(page.title.get(lang))
                .plain(pick(": ", "："))
                .plain(page.symptom.get(lang)),
        );
    }
    lines.push(Line::bullet().code("/diagnose all").plain(" ").plain(pick(
        "every page at once, one ranked answer",
        "同时执行所有手册页，给出一个排序后的结论",
    )));
    lines.push(Line::bullet().code("/patrol run").plain(" ").plain(pick(
        "what to look at beforehand, so that it doesn't come to that",
        "预防性检查，防患于未然",
    )));
    lines.push(
        Line::bullet()
            .code("/handbook show")
            .plain(" ")
            .code("/handbook search")
            .plain(" ")
            .plain(pick("what the handbook says", "查阅手册")),
    );
    lines.push(Line::bullet().code("/history").plain(" ").plain(pick(
        "what was run, and its evidence",
        "执行过的诊断及其证据",
    )));
    let role = match (diagnose, read) {
        (true, _) => pick(
            "You may run and read everything here.",
            "你可以执行和查看以上全部内容。",
        ),
        (false, true) => pick(
            "You may read the history; to run a diagnosis you need the role operator.",
            "你可以查看历史；执行诊断需要 operator 角色。",
        ),
        (false, false) => pick(
            "You hold no role here, so you can't use these yet: an admin grants roles in access.toml (viewer reads, operator runs).",
            "你还没有任何角色，暂时无法使用：管理员可在 access.toml 中授予（viewer 可查看，operator 可执行）。",
        ),
    };
    lines.push(Line::new().plain(role));
    Answer::card(Card::note(lang, Tone::Neutral, "Handbell", lines))
}
