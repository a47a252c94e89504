//! `handbell history`: what was asked, and how it ended.

use std::{fmt::Write as _, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use unicode_width::UnicodeWidthStr;

use super::{
    EXIT_WRONG, Output,
    args::History,
    output::{language, plain},
};
use crate::{
    app::{
        Answer, Clock, Envelope, Place, Record, RecordId, Recorder, Refusal, Reply, Request,
        SystemClock,
    },
    config::{self, Config},
    domain::{
        access::Actor,
        handbook::{Handbook, ParamValue},
        text::Lang,
    },
    runtime::{self, House},
};

/// Beyond a run's deadline, how long its record may still be on its way before it counts as
/// interrupted: the store's own patience and a little more.
const GRACE: Duration = Duration::from_secs(10);

/// Shows records.
pub(super) fn run(args: &History, config: &Config, output: &Output) -> u8 {
    let threads = match runtime::one_shot() {
        Ok(threads) => threads,
        Err(error) => {
            output.error(&format!("the system gives no threads: {error}"));
            return EXIT_WRONG;
        }
    };
    let code = threads.block_on(history(args, config, output));
    runtime::leave_threads(threads);
    code
}

async fn history(args: &History, config: &Config, output: &Output) -> u8 {
    let lang = language(None, config.general.language);
    let number = args.which.as_deref().and_then(|which| which.parse().ok());
    let request = match number {
        Some(id) => Request::ShowRecord { id: RecordId(id) },
        None => Request::History {
            runbook: args.which.clone(),
            limit: args.limit,
        },
    };
    let envelope = Envelope {
        actor: Actor::Local {
            user: config::local_user(),
        },
        place: Place::CommandLine,
        request,
    };
    let house = runtime::assemble(config, Handbook::default(), runtime::store(config));
    let read = read(&house, envelope, number).await;
    runtime::leave(house);
    let (records, answers) = match read {
        Ok(read) => read,
        Err(refusal) => {
            output.error(&plain(refusal.say().get(lang)));
            return EXIT_WRONG;
        }
    };
    let view = View {
        answers,
        now: SystemClock.now(),
        patience: config.diagnosis.run_deadline + GRACE,
        zone: &config.general.timezone,
        lang,
    };
    match (args.json, number, records.as_slice()) {
        (true, Some(_), [record]) => output.json(&view.json(record, true)),
        (true, ..) => {
            let all: Vec<Value> = records
                .iter()
                .map(|record| view.json(record, false))
                .collect();
            output.json(&Value::Array(all));
        }
        (false, Some(_), [record]) => output.say(&view.one(record)),
        (false, _, []) => output.note(match lang {
            Lang::En => "Nothing has been diagnosed yet.",
            Lang::Zh => "还没有诊断记录。",
        }),
        (false, ..) => output.say(&view.table(&records)),
    }
    0
}

/// The records that `envelope` asks for; of the one with `number`, what people saw at its manual
/// steps, too.
async fn read(
    house: &House,
    envelope: Envelope,
    number: Option<i64>,
) -> Result<(Vec<Record>, Vec<Answer>), Refusal> {
    let (progress, _) = mpsc::channel(1);
    let Reply::History(records) = house.gate.pass(envelope, progress).await? else {
        return Ok((Vec::new(), Vec::new()));
    };
    let answers = match number {
        Some(id) => house.store.answers(RecordId(id)).await,
        None => Ok(Vec::new()),
    };
    Ok((records, answers.map_err(Refusal::NotRead)?))
}

struct View<'a> {
    answers: Vec<Answer>,
    now: Timestamp,
    patience: Duration,
    zone: &'a TimeZone,
    lang: Lang,
}

impl View<'_> {
    /// The verdict's word; for a diagnosis without an end, whether it can still be running.
    fn state(&self, record: &Record) -> &'static str {
        if let Some(outcome) = &record.outcome {
            return outcome.verdict.word();
        }
        let age = self.now.duration_since(record.start.at);
        if Duration::try_from(age).is_ok_and(|age| age > self.patience) {
            "interrupted"
        } else {
            "running"
        }
    }

    fn json(&self, record: &Record, whole: bool) -> Value {
        let Record { id, start, outcome } = record;
        let mut value = json!({
            "record": id.0,
            "at": start.at.to_string(),
            "actor": start.actor,
            "place": start.place,
            "runbook": start.runbook,
            "page": start.page_hash,
            "params": start.params,
            "state": self.state(record),
            "root_causes": outcome.as_ref().map(|outcome| &outcome.root_causes),
            "duration_ms": outcome.as_ref().map(|outcome| outcome.duration_ms),
        });
        if whole {
            value["report"] = json!(outcome.as_ref().map(|outcome| &outcome.report));
            let answers = self.answers.iter().map(|answer| {
                json!({
                    "at": answer.at.to_string(),
                    "actor": answer.actor,
                    "page": answer.page,
                    "step": answer.step,
                    "fine": answer.fine,
                })
            });
            value["answers"] = answers.collect();
        }
        value
    }

    fn when(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S %Z")
            .to_string()
    }

    fn table(&self, records: &[Record]) -> String {
        let heads = match self.lang {
            Lang::En => [
                "No.",
                "When",
                "Who",
                "Where",
                "Page",
                "Result",
                "Took",
                "Root causes",
            ],
            Lang::Zh => [
                "编号",
                "时间",
                "谁",
                "何处",
                "手册页",
                "结果",
                "耗时",
                "根因",
            ],
        };
        let mut rows = vec![heads.map(str::to_owned)];
        rows.extend(records.iter().map(|record| self.row(record)));
        let widths: Vec<usize> = (0..heads.len())
            .map(|n| rows.iter().map(|row| row[n].width()).max().unwrap_or(0))
            .collect();
        let lines = rows.iter().map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| {
                format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn row(&self, record: &Record) -> [String; 8] {
        let outcome = record.outcome.as_ref();
        [
            record.id.0.to_string(),
            self.when(record.start.at),
            record.start.actor.label(),
            record.start.place.clone(),
            record.start.runbook.clone(),
            self.state(record).to_owned(),
            outcome.map_or_else(String::new, |outcome| format!("{} ms", outcome.duration_ms)),
            outcome.map_or_else(String::new, |outcome| outcome.root_causes.join(", ")),
        ]
    }

    fn one(&self, record: &Record) -> String {
        let params: Vec<String> = record
            .start
            .params
            .iter()
            .map(|(name, value)| format!("{name}={}", param(value)))
            .collect();
        let [number, when, who, place, page, state, took, causes] = self.row(record);
        let labels = match self.lang {
            Lang::En => [
                "No.",
                "When",
                "Who",
                "Where",
                "Page",
                "Parameters",
                "Result",
                "Took",
                "Root causes",
            ],
            Lang::Zh => [
                "编号",
                "时间",
                "谁",
                "何处",
                "手册页",
                "参数",
                "结果",
                "耗时",
                "根因",
            ],
        };
        let values = [
            number,
            when,
            who,
            place,
            page,
            params.join(" "),
            state,
            took,
            causes,
        ];
        let width = labels.iter().map(|label| label.width()).max().unwrap_or(0);
        let mut text = String::new();
        for (label, value) in labels
            .iter()
            .zip(values)
            .filter(|(_, value)| !value.is_empty())
        {
            let pad = " ".repeat(width - label.width());
            let _ = writeln!(text, "{label}{pad}  {value}");
        }
        let report = record.outcome.as_ref().map(|outcome| &outcome.report);
        let checks = report.and_then(|report| report["checks"].as_array());
        for check in checks.into_iter().flatten() {
            let word = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
            let (verdict, id, say) = (word("verdict"), word("id"), word("say"));
            let _ = write!(text, "\n{verdict:15} {id}: {say}");
        }
        for answer in &self.answers {
            let word = match (answer.fine, self.lang) {
                (true, Lang::En) => "looks fine",
                (true, Lang::Zh) => "看起来正常",
                (false, Lang::En) => "that's it",
                (false, Lang::Zh) => "就是它",
            };
            let (page, step) = (&answer.page, &answer.step);
            let (who, at) = (answer.actor.label(), self.when(answer.at));
            let _ = write!(text, "\n{page}/{step}: {word} ({who}, {at})");
        }
        text
    }
}

fn param(value: &ParamValue) -> String {
    match value {
        ParamValue::Bool(truth) => truth.to_string(),
        ParamValue::Int(number) => number.to_string(),
        ParamValue::Text(text) => text.clone(),
    }
}
