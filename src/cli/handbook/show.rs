//! `handbell handbook show`: a page as a person reads it.

use std::fmt::Write;

use super::Show;
use crate::{
    cli::{EXIT_WRONG, Output, output::language},
    config::Config,
    domain::{
        document::did_you_mean,
        duration,
        handbook::{
            ArgValue, Check, Handbook, Lent, Manual, Param, ParamType, ParamValue, Remedy, Risk,
            Rule, Runbook, Steps, coverage,
        },
        ids::{RemedyId, RunbookId},
        text::Lang,
    },
};

pub(super) fn run(args: &Show, handbook: &Handbook, config: &Config, output: &Output) -> u8 {
    if handbook.broken_page(&args.runbook).is_some() {
        return EXIT_WRONG;
    }
    let Some(page) = handbook.page(&args.runbook) else {
        let known = handbook.pages.keys().map(RunbookId::as_str);
        let hint = did_you_mean(&args.runbook, known).unwrap_or_default();
        output.error(&format!(
            "the handbook has no page {}; {hint}",
            args.runbook
        ));
        return EXIT_WRONG;
    };
    let lang = language(args.lang, config.general.language);
    let mut sheet = Sheet {
        lang,
        colour: output.colour,
        text: String::new(),
    };
    sheet.page(page);
    sheet.coverage(page, handbook);
    output.say(&sheet.text);
    0
}

struct Sheet {
    lang: Lang,
    colour: bool,
    text: String,
}

impl Sheet {
    fn word(&self, en: &'static str, zh: &'static str) -> &'static str {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        // Writing to a String can't fail.
        let _ = writeln!(self.text, "{}{text}", " ".repeat(indent));
    }

    fn bold(&self, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn heading(&mut self, en: &'static str, zh: &'static str) {
        let word = self.bold(self.word(en, zh));
        self.text.push('\n');
        self.line(0, &word);
    }

    fn page(&mut self, page: &Runbook) {
        let lang = self.lang;
        let title = self.bold(page.title.get(lang));
        self.line(0, &format!("{title} ({})", page.id));
        let facts = format!(
            "{} {} · {} {:?} · {} {} · {} {}",
            self.word("section", "章节"),
            page.section,
            self.word("severity", "严重程度"),
            page.severity,
            self.word("owner", "负责人"),
            page.owner,
            self.word("reviewed", "审阅于"),
            page.reviewed
        );
        self.line(0, &facts);
        self.heading("Symptom", "症状");
        self.line(2, page.symptom.get(lang));
        self.alerts(page);
        if !page.params.is_empty() {
            self.heading("Parameters", "参数");
            for param in &page.params {
                self.param(param);
            }
        }
        self.heading("Checks", "检查");
        for check in &page.checks {
            self.check(check);
        }
        for step in &page.looks {
            self.by_hand(step);
        }
        self.borrowed(page);
        self.causes(page);
        if !page.remedies.is_empty() {
            self.heading("Remedies", "处理方法");
            for remedy in &page.remedies {
                self.remedy(remedy);
            }
        }
        self.prevention(page);
    }

    fn alerts(&mut self, page: &Runbook) {
        if page.alerts.is_empty() {
            return;
        }
        self.heading("Alerts", "告警");
        for alert in &page.alerts {
            let labels: Vec<String> = alert.iter().map(|(k, v)| format!("{k}={v}")).collect();
            self.line(2, &labels.join(", "));
        }
    }

    fn param(&mut self, param: &Param) {
        let kind = match &param.kind {
            ParamType::Text { pattern: None, .. } => self.word("text", "文本").to_owned(),
            ParamType::Text {
                pattern: Some(pattern),
                ..
            } => {
                format!("{} /{pattern}/", self.word("text", "文本"))
            }
            ParamType::Int { min, max } => format!("{min} … {max}"),
            ParamType::Choice(choices) => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| word.as_str()).collect();
                words.join(" | ")
            }
            ParamType::Bool => self.word("yes or no", "是或否").to_owned(),
        };
        let default = match &param.default {
            Some(ParamValue::Bool(value)) => value.to_string(),
            Some(ParamValue::Int(value)) => value.to_string(),
            Some(ParamValue::Text(value)) => value.clone(),
            None => self.word("must be given", "必填").to_owned(),
        };
        let default_word = self.word("default", "默认");
        let say = param.say.get(self.lang);
        self.line(
            2,
            &format!("{}: {say} ({kind}; {default_word}: {default})", param.name),
        );
    }

    fn titled(&mut self, id: &str, title: &str, covers: &[String]) {
        let id = self.bold(id);
        let carries = if covers.is_empty() {
            String::new()
        } else {
            format!("  [{}]", covers.join(", "))
        };
        self.line(2, &format!("{id}: {title}{carries}"));
    }

    fn check(&mut self, check: &Check) {
        self.titled(check.id.as_str(), check.title.get(self.lang), &check.covers);
        let mut looks = format!(
            "{} {} {} {}",
            self.word("looks with", "使用"),
            check.probe,
            self.word("at", "查看"),
            check.target
        );
        for (name, value) in &check.args {
            if let Some(value) = arg(value) {
                let _ = write!(looks, ", {name} = {value}");
            }
        }
        if let Some(timeout) = check.timeout {
            let word = self.word("deadline", "时限");
            let _ = write!(looks, ", {word} {}", duration::write(timeout));
        }
        self.line(4, &looks);
        for rule in &check.rules {
            self.rule(rule);
        }
        if let Some(healthy) = &check.healthy {
            let word = self.word("otherwise", "否则");
            let say = healthy.source().get(self.lang);
            self.line(4, &format!("{word}: {say}"));
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let when = self.word("when", "当");
        self.line(4, &format!("{when} {}", rule.when.source()));
        let verdict = rule.verdict.word();
        let cause = rule
            .cause
            .as_ref()
            .map_or(String::new(), |cause| format!(" {cause}"));
        let say = rule.say.source().get(self.lang).to_owned();
        self.line(6, &format!("→ {verdict}{cause}: {say}"));
        if !rule.remedies.is_empty() {
            let remedies: Vec<&str> = rule.remedies.iter().map(RemedyId::as_str).collect();
            let word = self.word("remedies", "处理方法");
            self.line(8, &format!("{word}: {}", remedies.join(", ")));
        }
    }

    /// Each cause once, with the checks that find it and what follows from it.
    fn causes(&mut self, page: &Runbook) {
        let mut causes: indexmap::IndexMap<&str, (Vec<&str>, Vec<&str>)> =
            indexmap::IndexMap::new();
        for check in &page.checks {
            for rule in &check.rules {
                let Some(cause) = &rule.cause else { continue };
                let (checks, follows) = causes.entry(cause.as_str()).or_default();
                if !checks.contains(&check.id.as_str()) {
                    checks.push(check.id.as_str());
                }
                for other in &rule.explains {
                    if !follows.contains(&other.as_str()) {
                        follows.push(other.as_str());
                    }
                }
            }
        }
        self.heading("Causes", "原因");
        for (cause, (checks, follows)) in causes {
            let found = self.word("found by", "由以下检查发现");
            let mut line = format!("{cause} ({found} {})", checks.join(", "));
            if !follows.is_empty() {
                let word = self.word("explains", "可解释");
                let _ = write!(line, " → {word} {}", follows.join(", "));
            }
            self.line(2, &line);
        }
    }

    fn remedy(&mut self, remedy: &Remedy) {
        self.titled(
            remedy.id.as_str(),
            remedy.title.get(self.lang),
            &remedy.covers,
        );
        self.line(4, remedy.say.get(self.lang));
        let risk = match remedy.risk {
            Risk::Low => self.word("risk low: the role is enough", "风险低：有角色即可"),
            Risk::Medium => self.word(
                "risk medium: one other person approves",
                "风险中：需另一人批准",
            ),
            Risk::High => self.word(
                "risk high: two other people approve",
                "风险高：需另两人批准",
            ),
        };
        self.line(4, risk);
    }

    fn prevention(&mut self, page: &Runbook) {
        if page.prevent.is_empty() && page.manual.is_empty() {
            return;
        }
        self.heading("Prevention", "预防");
        for check in &page.prevent {
            self.check(check);
        }
        for step in &page.manual {
            self.by_hand(step);
        }
    }

    fn by_hand(&mut self, step: &Manual) {
        self.titled(step.id.as_str(), step.title.get(self.lang), &step.covers);
        let word = self.word("by hand", "人工");
        self.line(4, &format!("{word}: {}", step.say.get(self.lang)));
    }

    /// Checks of other pages that run here, too.
    fn borrowed(&mut self, page: &Runbook) {
        if page.borrowed.is_empty() {
            return;
        }
        self.heading("Borrowed checks", "借用的检查");
        for borrowed in &page.borrowed {
            let title = match &borrowed.lent {
                Lent::Check(check, _) => check.title.get(self.lang),
                Lent::Manual(step) => step.title.get(self.lang),
                Lent::Unusable => self.word("its page has mistakes", "所在手册页有错误"),
            };
            let id = self.bold(&borrowed.check.to_string());
            self.line(2, &format!("{id}: {title}"));
        }
    }

    fn coverage(&mut self, page: &Runbook, handbook: &Handbook) {
        let heading = self.word("Steps of the section", "本章节的步骤");
        let heading = self.bold(&format!("{heading} {}", page.section));
        self.text.push('\n');
        self.line(0, &heading);
        for row in coverage(handbook, &Steps::built_in()) {
            if row.step.section != page.section {
                continue;
            }
            let nothing = self.word("carried by nothing", "尚无承载");
            let (mark, carried) = if row.carried_by.is_empty() {
                ("✗", nothing.to_owned())
            } else {
                ("✓", row.carried_by.join(", "))
            };
            self.line(2, &format!("{mark} {:<8} {carried}", row.step.id));
        }
    }
}

/// An argument as the page would write it; nothing for no patterns.
fn arg(value: &ArgValue) -> Option<String> {
    Some(match value {
        ArgValue::Int(number) => number.to_string(),
        ArgValue::Text(text) => text.clone(),
        ArgValue::Duration(length) => duration::write(*length),
        ArgValue::Param(name) => format!("{{{{ {name} }}}}"),
        ArgValue::Patterns(patterns) if patterns.is_empty() => return None,
        ArgValue::Values(values) if values.is_empty() => return None,
        ArgValue::Values(values) => values
            .iter()
            .filter_map(|(name, value)| Some(format!(":{name} = {}", arg(value)?)))
            .collect::<Vec<_>>()
            .join(", "),
        ArgValue::Columns(columns) => columns
            .iter()
            .map(|(name, column)| format!("{name}: {}", column.word))
            .collect::<Vec<_>>()
            .join(", "),
        ArgValue::Patterns(patterns) => {
            let names: Vec<&str> = patterns.keys().map(String::as_str).collect();
            names.join("/")
        }
    })
}
