//! A report as the stable JSON of `--json`, of the record and of the attached evidence.

use serde_json::{Value, json};

use crate::domain::{
    diagnosis::{Changed, CheckResult, Earlier, Ranked, Report, Verdict},
    ids::CheckRef,
    text::Lang,
};

/// `report` as JSON, its sentences in `lang`. Keys are only ever added, never renamed or removed.
#[must_use]
pub fn report_json(report: &Report, lang: Lang) -> Value {
    let mut value = said_json(report, lang);
    // What was seen is the same in every language.
    let checks = value["checks"].as_array_mut().into_iter().flatten();
    for (value, check) in checks.zip(&report.checks) {
        value["facts"] = json!(check.facts);
        value["evidence"] = check.evidence.as_str().into();
    }
    value
}

/// The report without facts and evidence, for which there is room.
fn said_json(report: &Report, lang: Lang) -> Value {
    json!({
        "runbook": report.runbook,
        "page": report.page_hash,
        "verdict": report.verdict.word(),
        "duration_ms": report.duration_ms,
        "root_causes": ranked(&report.root_causes, lang),
        "consequences": ranked(&report.consequences, lang),
        "unknown": report
            .unknown()
            .map(|check| json!({
                "page": check.page,
                "check": check.id,
                "target": check.target,
                "reason": check.reason,
                "say": check.say.get(lang),
            }))
            .collect::<Vec<_>>(),
        "not_applicable": report
            .with(Verdict::NotApplicable)
            .map(|check| json!({"page": check.page, "check": check.id, "target": check.target, "say": check.say.get(lang)}))
            .collect::<Vec<_>>(),
        "checks": report.checks.iter().map(|check| check_json(check, lang)).collect::<Vec<_>>(),
        "remedies": report
            .remedies
            .iter()
            .map(|remedy| remedy.seen_from(&report.runbook))
            .collect::<Vec<_>>(),
        "manual": report
            .manual
            .iter()
            .map(|step| json!({
                "page": step.page,
                "id": step.id,
                "title": step.title.get(lang),
                "say": step.say.get(lang),
            }))
            .collect::<Vec<_>>(),
        "left_out": report
            .left_out
            .iter()
            .map(|one| json!({
                "page": one.page,
                "check": one.check,
                "reason": one.reason,
                "say": one.say.get(lang),
            }))
            .collect::<Vec<_>>(),
        "changed": report.changed.as_ref().map(changed),
    })
}

/// What differs from the last healthy run: when that was, its number, and each fact then and now.
fn changed(changed: &Changed) -> Value {
    json!({
        "since": changed.since.timestamp().to_string(),
        "record": changed.record,
        "total": changed.total,
        "facts": changed
            .facts
            .iter()
            .map(|one| json!({
                "page": one.check.page,
                "check": one.check.id,
                "target": one.target,
                "fact": one.fact,
                "before": one.before,
                "now": one.now,
            }))
            .collect::<Vec<_>>(),
    })
}

/// The facts of each check of a recorded report. What is not as it should be is left out: an older
/// version may have written it.
pub(super) fn recorded_facts(report: &Value) -> Vec<Earlier> {
    let runbook = report["runbook"].as_str().unwrap_or_default();
    let checks = report["checks"].as_array();
    checks
        .into_iter()
        .flatten()
        .filter_map(|check| {
            Some(Earlier {
                check: CheckRef {
                    page: check["page"].as_str().unwrap_or(runbook).parse().ok()?,
                    id: check["id"].as_str()?.parse().ok()?,
                },
                facts: serde_json::from_value(check["facts"].clone()).ok()?,
            })
        })
        .collect()
}

/// `report` as it is recorded: [`report_json`] in English, and beside each text that differs in
/// Chinese the same key with `_zh`, so that a reader of either language can be shown the record.
#[must_use]
pub fn recorded_json(report: &Report) -> Value {
    let mut recorded = report_json(report, Lang::En);
    add_chinese(&mut recorded, &said_json(report, Lang::Zh));
    recorded
}

fn add_chinese(en: &mut Value, zh: &Value) {
    match (en, zh) {
        (Value::Object(en), Value::Object(zh)) => {
            let mut added = Vec::new();
            for (key, value) in en.iter_mut() {
                match (&*value, zh.get(key)) {
                    (Value::String(en), Some(Value::String(zh))) if en != zh => {
                        added.push((format!("{key}_zh"), Value::String(zh.clone())));
                    }
                    (_, Some(zh)) => add_chinese(value, zh),
                    _ => {}
                }
            }
            en.extend(added);
        }
        (Value::Array(en), Value::Array(zh)) => {
            for (en, zh) in en.iter_mut().zip(zh) {
                add_chinese(en, zh);
            }
        }
        _ => {}
    }
}

fn ranked(all: &[Ranked], lang: Lang) -> Vec<Value> {
    all.iter()
        .map(|one| {
            let mut value = json!({
                "cause": one.cause,
                "verdict": one.verdict.word(),
                "page": one.check.page,
                "check": one.check.id,
                "target": one.target,
                "say": one.say.get(lang),
            });
            if !one.explained_by.is_empty() {
                value["explained_by"] = json!(one.explained_by);
            }
            value
        })
        .collect()
}

fn check_json(check: &CheckResult, lang: Lang) -> Value {
    json!({
        "page": check.page,
        "id": check.id,
        "target": check.target,
        "title": check.title.get(lang),
        "verdict": check.verdict.word(),
        "cause": check.cause,
        "reason": check.reason,
        "say": check.say.get(lang),
        "facts": null,
        "duration_ms": check.duration_ms,
        "evidence": null,
    })
}
