//! A report → card: the root cause in one sentence, then what shows it, then the rest.

use super::{
    Card, Item, Line, Section, SectionKind, duration, fact, last_lines,
    telling::{telling_facts, telling_lines},
    words::{list, pick, risk_word, tone_of, verdict_word},
};
use crate::domain::{
    diagnosis::{CheckResult, Ranked, Report, Verdict},
    handbook::Handbook,
    ids::RunbookId,
    text::{Lang, Text},
};

/// Root causes that are shown with their evidence; further ones are shown by their sentence.
const WITH_EVIDENCE: usize = 3;
/// Lines of machine output under one root cause.
const EVIDENCE_LINES: usize = 5;
/// Characters of one such line.
const EVIDENCE_WIDTH: usize = 160;
/// Lines of a log that the rule itself names, under one root cause.
const TOLD_LINES: usize = 2;
/// Characters of one such line: what went wrong often stands at its end.
const TOLD_WIDTH: usize = 360;
/// Facts in one evidence line; the evidence file has all.
const FACTS: usize = 6;
/// Characters of one fact's value there.
const FACT_WIDTH: usize = 80;
/// Characters of a page's version that are shown; enough to tell versions apart.
const HASH_CHARS: usize = 8;

/// The card of `report`, a run of pages of `handbook`, in `lang`.
#[must_use]
pub fn card(report: &Report, handbook: &Handbook, lang: Lang) -> Card {
    let mut abridged = false;
    let mut sections = vec![lead(report, lang)];
    sections.extend(evidence(report, handbook, lang, &mut abridged));
    sections.extend(consequences(report, lang));
    sections.extend(
        report
            .changed
            .as_ref()
            .and_then(|it| super::changed::changed(report, it, lang)),
    );
    sections.extend(unknown(report, lang));
    sections.extend(left_out(report, lang));
    sections.extend(manual(report, lang));
    sections.extend(remedies(report, handbook, lang));
    sections.extend(not_applicable(report, lang));
    sections.extend(healthy(report, lang));
    let title = report.title.get(lang);
    Card {
        lang,
        title: format!(
            "{title}{}{}",
            pick(lang, ": ", "："),
            verdict_word(report.verdict, lang)
        ),
        tone: tone_of(report.verdict),
        sections,
        footer: vec![duration(report.duration_ms, lang), version(report, lang)],
        abridged,
    }
}

/// The version of what was run: the section of its page and the beginning of its hash.
fn version(report: &Report, lang: Lang) -> String {
    let hash: String = report.page_hash.chars().take(HASH_CHARS).collect();
    let what = pick(lang, "page", "手册页");
    if report.section.is_empty() {
        return format!("{} {hash}", pick(lang, "handbook", "手册"));
    }
    format!("{what} {} {hash}", report.section)
}

/// What a check is called; with its page, when that is another than the one that was asked.
fn called(report: &Report, page: &RunbookId, title: &Text, lang: Lang) -> String {
    let title = title.get(lang);
    if page.as_str() == report.runbook {
        title.to_owned()
    } else {
        format!(
            "{title}{}{page}{}",
            pick(lang, " (", "（"),
            pick(lang, ")", "）")
        )
    }
}

fn section(kind: SectionKind, heading: String, items: Vec<Item>) -> Option<Section> {
    (!items.is_empty()).then_some(Section {
        kind,
        heading,
        items,
    })
}

fn lead(report: &Report, lang: Lang) -> Section {
    let several = report.root_causes.len() > 1;
    let mut items: Vec<Item> = report
        .root_causes
        .iter()
        .map(|root| {
            let line = if several { Line::bullet() } else { Line::new() };
            line.strong(root.say.get(lang)).into()
        })
        .collect();
    if items.is_empty() {
        items.push(Line::new().strong(&nothing_found(report, lang)).into());
    }
    Section {
        kind: SectionKind::Lead,
        heading: String::new(),
        items,
    }
}

fn nothing_found(report: &Report, lang: Lang) -> String {
    let count = |verdict| report.with(verdict).count();
    let (healthy, blind) = (count(Verdict::Ok), count(Verdict::Unknown));
    let looked = healthy + blind;
    match (report.verdict, lang) {
        (Verdict::NotApplicable, Lang::En) => "There is nothing to look at here: no check applies to the targets that are configured. This is not an all-clear.".to_owned(),
        (Verdict::NotApplicable, Lang::Zh) => "这里没有可检查的内容：没有任何检查适用于已配置的目标，因此不能认定正常。".to_owned(),
        (Verdict::Unknown, Lang::En) => format!(
            "No fault was found, but {blind} of {looked} checks could not look: this is not an all-clear."
        ),
        (Verdict::Unknown, Lang::Zh) => {
            format!("未发现故障，但 {looked} 项检查中有 {blind} 项无法执行，因此不能认定正常。")
        }
        (_, Lang::En) if healthy == 1 => "The one check is healthy.".to_owned(),
        (_, Lang::En) => format!("All {healthy} checks are healthy."),
        (_, Lang::Zh) => format!("{healthy} 项检查全部正常。"),
    }
}

fn check_of<'a>(report: &'a Report, ranked: &Ranked) -> Option<&'a CheckResult> {
    report.checks.iter().find(|check| {
        check.reference() == ranked.check && check.cause.as_ref() == Some(&ranked.cause)
    })
}

/// What shows each root cause: where it was seen, the facts that its rule weighs, the last lines.
fn evidence(
    report: &Report,
    handbook: &Handbook,
    lang: Lang,
    abridged: &mut bool,
) -> Option<Section> {
    let mut items = Vec::new();
    for root in report.root_causes.iter().take(WITH_EVIDENCE) {
        let Some(check) = check_of(report, root) else {
            continue;
        };
        items.push(
            Line::bullet()
                .plain(&called(report, &check.page, &check.title, lang))
                .plain(" · ")
                .code(root.target.as_str())
                .plain(" · ")
                .code(root.cause.as_str())
                .into(),
        );
        let mut facts = telling_facts(check, handbook);
        let told = telling_lines(check, &facts);
        // They stand below in full.
        facts.retain(|name| told.is_empty() || !name.ends_with("_last"));
        *abridged |= facts.len() > FACTS;
        if !facts.is_empty() {
            items.push(facts_line(check, &facts, lang).into());
        }
        let (lines, short) = match told.as_str() {
            "" => last_lines(&check.evidence, EVIDENCE_LINES, EVIDENCE_WIDTH),
            told => {
                let (lines, _) = last_lines(told, TOLD_LINES, TOLD_WIDTH);
                let short = check.evidence.lines().count() > lines.len();
                (lines, short)
            }
        };
        *abridged |= short;
        if !lines.is_empty() {
            items.push(Item::Block(lines));
        }
    }
    *abridged |= report.root_causes.len() > WITH_EVIDENCE;
    section(
        SectionKind::Evidence,
        pick(lang, "Evidence", "证据").to_owned(),
        items,
    )
}

fn facts_line(check: &CheckResult, names: &[&str], lang: Lang) -> Line {
    let mut line = Line::new();
    for (n, name) in names.iter().take(FACTS).enumerate() {
        let Some(value) = check.facts.get(*name) else {
            continue;
        };
        if n > 0 {
            line = line.plain(pick(lang, ", ", "，"));
        }
        let value = super::cut_chars(&fact(name, value, lang), FACT_WIDTH);
        line = line.code(name).plain(" = ").plain(&value);
    }
    line
}

fn consequences(report: &Report, lang: Lang) -> Option<Section> {
    let items = report
        .consequences
        .iter()
        .map(|one| {
            let mut line = Line::bullet().plain(one.say.get(lang));
            line = line.dim(pick(lang, " (follows from ", "（由 "));
            for (n, cause) in one.explained_by.iter().enumerate() {
                if n > 0 {
                    line = line.dim(pick(lang, ", ", "、"));
                }
                line = line.code(cause.as_str());
            }
            line.dim(pick(lang, ")", " 引起）")).into()
        })
        .collect();
    section(
        SectionKind::Consequences,
        pick(lang, "Consequences", "连带影响").to_owned(),
        items,
    )
}

/// Checks that share target and reason share a line: a server that is down hides many facts.
fn unknown(report: &Report, lang: Lang) -> Option<Section> {
    let mut groups: Vec<(&CheckResult, Vec<String>)> = Vec::new();
    for check in report.unknown() {
        let title = called(report, &check.page, &check.title, lang);
        let same = |(first, _): &&mut (&CheckResult, Vec<String>)| {
            first.target == check.target && first.say == check.say
        };
        match groups.iter_mut().find(same) {
            Some((_, titles)) => titles.push(title),
            None => groups.push((check, vec![title])),
        }
    }
    let items = groups
        .iter()
        .map(|(check, titles)| {
            Line::bullet()
                .plain(&list(lang, titles.iter().map(String::as_str)))
                .plain(" · ")
                .code(check.target.as_str())
                .plain(pick(lang, ": ", "："))
                .plain(check.say.get(lang))
                .into()
        })
        .collect();
    section(
        SectionKind::Unknown,
        pick(lang, "Could not look", "无法检查").to_owned(),
        items,
    )
}

fn left_out(report: &Report, lang: Lang) -> Option<Section> {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for one in &report.left_out {
        let (why, name) = (one.say.get(lang), one.seen_from(&report.runbook));
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(name),
            None => groups.push((why, vec![name])),
        }
    }
    let items = groups
        .iter()
        .map(|(why, names)| {
            Line::bullet()
                .code(&list(lang, names.iter().map(String::as_str)))
                .plain(pick(lang, ": ", "："))
                .plain(why)
                .into()
        })
        .collect();
    section(
        SectionKind::LeftOut,
        pick(lang, "Not run", "未执行").to_owned(),
        items,
    )
}

/// What a person looks at; of several pages only what it is called, since one page's list is long enough.
fn manual(report: &Report, lang: Lang) -> Option<Section> {
    let several = report.is_of_several();
    let items = report
        .manual
        .iter()
        .map(|step| {
            let line = Line::bullet().strong(&called(report, &step.page, &step.title, lang));
            if several {
                return line.into();
            }
            line.plain(pick(lang, ": ", "："))
                .plain(step.say.get(lang))
                .into()
        })
        .collect();
    section(
        SectionKind::Manual,
        pick(lang, "Look yourself", "请人工查看").to_owned(),
        items,
    )
}

fn remedies(report: &Report, handbook: &Handbook, lang: Lang) -> Option<Section> {
    let found = report.remedies.iter().filter_map(|named| {
        let page = handbook.page(named.page.as_str())?;
        let remedy = page.remedies.iter().find(|remedy| remedy.id == named.id)?;
        Some((named, remedy))
    });
    let items = found
        .map(|(named, remedy)| {
            let mut line = Line::bullet().strong(remedy.title.get(lang));
            if named.page.as_str() != report.runbook {
                line = line.plain(" ").code(&named.to_string());
            }
            line.plain(pick(lang, " (", "（"))
                .plain(risk_word(remedy.risk, lang))
                .plain(pick(lang, "): ", "）："))
                .plain(remedy.say.get(lang))
                .into()
        })
        .collect();
    section(
        SectionKind::Remedies,
        pick(lang, "Remedies that fit", "可用的处置").to_owned(),
        items,
    )
}

/// One line; checks that share a reason share it in the line, too.
fn not_applicable(report: &Report, lang: Lang) -> Option<Section> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for check in report.with(Verdict::NotApplicable) {
        let why = check.say.get(lang);
        let title = called(report, &check.page, &check.title, lang);
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, titles)) => titles.push(title),
            None => reasons.push((why, vec![title])),
        }
    }
    let text = reasons
        .iter()
        .map(|(why, titles)| {
            format!(
                "{}{}{why}{}",
                list(lang, titles.iter().map(String::as_str)),
                pick(lang, " (", "（"),
                pick(lang, ")", "）")
            )
        })
        .collect::<Vec<_>>()
        .join(pick(lang, "; ", "；"));
    let items = if text.is_empty() {
        Vec::new()
    } else {
        vec![Line::new().plain(&text).into()]
    };
    section(
        SectionKind::NotApplicable,
        pick(lang, "Not applicable", "不适用").to_owned(),
        items,
    )
}

/// What is well: of several pages how many of each page's checks.
fn healthy(report: &Report, lang: Lang) -> Option<Section> {
    let mut titles: Vec<String> = Vec::new();
    if report.is_of_several() {
        let mut pages: Vec<(&RunbookId, usize)> = Vec::new();
        for check in report.with(Verdict::Ok) {
            match pages.iter_mut().find(|(page, _)| *page == &check.page) {
                Some((_, count)) => *count += 1,
                None => pages.push((&check.page, 1)),
            }
        }
        titles.extend(pages.iter().map(|(page, count)| format!("{page} {count}")));
    } else {
        let healthy = report.with(Verdict::Ok);
        titles.extend(healthy.map(|check| called(report, &check.page, &check.title, lang)));
    }
    let titles = list(lang, titles.iter().map(String::as_str));
    let items = if titles.is_empty() {
        Vec::new()
    } else {
        vec![Line::new().plain(&titles).into()]
    };
    section(
        SectionKind::Healthy,
        pick(lang, "Healthy", "正常").to_owned(),
        items,
    )
}
