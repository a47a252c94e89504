//! Everything that a run saw, as a Markdown file.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::{
    clean_block, clean_line, duration, fact,
    markdown::{code, escape, fenced},
    verdict_word,
    words::pick,
};
use crate::domain::{
    diagnosis::{Value, Verdict},
    text::Lang,
};

/// A whole report, as `--json` prints it and the record keeps it, as a Markdown file in `lang`.
///
/// Where the record has a sentence in Chinese (`say_zh` beside `say`), a Chinese reader gets that.
#[must_use]
pub fn evidence(report: &Json, number: i64, lang: Lang) -> String {
    let word = |key: &str| report[key].as_str().unwrap_or_default();
    let mut out = format!(
        "# {} · {} · {}\n\n",
        escape(word("runbook")),
        said_verdict(report, lang),
        match lang {
            Lang::En => format!("record {number}"),
            Lang::Zh => format!("记录 {number}"),
        }
    );
    let ms = report["duration_ms"].as_u64().unwrap_or(0);
    let _ = writeln!(
        out,
        "{} {} · {}",
        pick(lang, "Page version", "手册页版本"),
        code(&clean_line(word("page"))),
        duration(ms, lang)
    );
    ranked(
        &mut out,
        report,
        "root_causes",
        pick(lang, "Root causes", "根因"),
        lang,
    );
    ranked(
        &mut out,
        report,
        "consequences",
        pick(lang, "Consequences", "连带影响"),
        lang,
    );
    for check in report["checks"].as_array().into_iter().flatten() {
        one_check(&mut out, check, word("runbook"), lang);
    }
    out
}

fn said_verdict(value: &Json, lang: Lang) -> String {
    serde_json::from_value::<Verdict>(value["verdict"].clone()).map_or_else(
        |_| escape(value["verdict"].as_str().unwrap_or("?")),
        |verdict| verdict_word(verdict, lang).to_owned(),
    )
}

/// The text under `key` in the reader's language.
fn said<'a>(value: &'a Json, key: &str, lang: Lang) -> &'a str {
    let zh = || value[format!("{key}_zh")].as_str();
    match lang {
        Lang::Zh => zh().or_else(|| value[key].as_str()),
        Lang::En => value[key].as_str(),
    }
    .unwrap_or_default()
}

fn ranked(out: &mut String, report: &Json, key: &str, heading: &str, lang: Lang) {
    let all = report[key]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if all.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## {heading}\n");
    for one in all {
        let cause = clean_line(one["cause"].as_str().unwrap_or_default());
        let say = escape(&clean_line(said(one, "say", lang)));
        let _ = writeln!(out, "- {say} ({})", code(&cause));
    }
}

fn one_check(out: &mut String, check: &Json, asked: &str, lang: Lang) {
    let title = escape(&clean_line(said(check, "title", lang)));
    let id = clean_line(check["id"].as_str().unwrap_or_default());
    let id = match check["page"].as_str() {
        Some(page) if page != asked => clean_line(&format!("{page}/{id}")),
        _ => id,
    };
    let target = clean_line(check["target"].as_str().unwrap_or_default());
    let ms = check["duration_ms"].as_u64().unwrap_or(0);
    let _ = writeln!(
        out,
        "\n## {title}{}{}\n",
        pick(lang, ": ", "："),
        said_verdict(check, lang)
    );
    let _ = writeln!(
        out,
        "{} {} · {} {} · {}\n\n{}",
        pick(lang, "check", "检查"),
        code(&id),
        pick(lang, "target", "目标"),
        code(&target),
        duration(ms, lang),
        escape(&clean_line(said(check, "say", lang)))
    );
    let facts = check["facts"].as_object();
    if let Some(facts) = facts.filter(|facts| !facts.is_empty()) {
        let _ = writeln!(
            out,
            "\n| {} | {} |\n| --- | --- |",
            pick(lang, "fact", "指标"),
            pick(lang, "value", "值")
        );
        for (name, value) in facts {
            let shown = serde_json::from_value::<Value>(value.clone())
                .map_or_else(|_| value.to_string(), |value| fact(name, &value, lang));
            let _ = writeln!(
                out,
                "| {} | {} |",
                code(&clean_line(name)),
                escape(&clean_line(&shown))
            );
        }
    }
    let evidence = check["evidence"].as_str().unwrap_or_default();
    if !evidence.trim().is_empty() {
        let lines: Vec<String> = evidence.lines().map(clean_block).collect();
        out.push('\n');
        out.push_str(&fenced(&lines));
    }
}
