//! The commands that a handbook makes. Pure.

use super::{
    limits,
    spec::{ChoiceSpec, CommandSpec, Localised, OptionSpec},
};
use crate::{
    domain::{
        handbook::{ALL_PAGES, Handbook, Param, ParamType, ParamValue, Runbook},
        text::{Lang, Text},
    },
    render::{clean_line, cut_chars},
};

/// `/diagnose <page>`: runs a page.
pub(super) const DIAGNOSE: &str = "diagnose";
/// `/history`: what was run.
pub(super) const HISTORY: &str = "history";
/// `/help`: what there is.
pub(super) const HELP: &str = "help";
/// The option of `/history` that names a page.
pub(super) const HISTORY_PAGE: &str = "runbook";

/// Discord's number for a slash command.
const SLASH: u8 = 1;
/// Discord's numbers for kinds of options.
const SUBCOMMAND: u8 = 1;
const STRING: u8 = 3;
const INTEGER: u8 = 4;
const BOOLEAN: u8 = 5;

/// Every command for `handbook`, in the order of the picker.
///
/// At most 24 pages fit into `/diagnose` ([`pages_left_out`] names the rest, which the linter
/// refuses before it comes to this).
#[must_use]
pub fn commands(handbook: &Handbook) -> Vec<CommandSpec> {
    let mut all = Vec::new();
    let pages: Vec<OptionSpec> = handbook
        .pages
        .values()
        .take(limits::PAGES)
        .map(|page| subcommand(page))
        .chain((!handbook.pages.is_empty()).then(every_page))
        .collect();
    if !pages.is_empty() {
        let what = Text::new(
            "Run every check of a page of the handbook and name the cause",
            "执行手册某一页的全部检查，找出根因",
        );
        all.push(CommandSpec {
            options: pages,
            ..command(DIAGNOSE, ("诊断", "診斷"), &what)
        });
    }
    let what = Text::new("The newest recorded diagnoses", "最近的诊断记录");
    let page = Text::new("Only of this page", "只看手册的这一页");
    all.push(CommandSpec {
        options: vec![OptionSpec {
            autocomplete: true,
            name_localizations: names("手册页", "手冊頁"),
            ..option(STRING, HISTORY_PAGE, &page)
        }],
        ..command(HISTORY, ("历史", "歷史"), &what)
    });
    let what = Text::new("What Handbell does here", "Handbell 能做什么");
    all.push(command(HELP, ("帮助", "說明"), &what));
    all
}

/// Pages for which `/diagnose` has no room.
#[must_use]
pub fn pages_left_out(handbook: &Handbook) -> Vec<String> {
    handbook
        .pages
        .keys()
        .skip(limits::PAGES)
        .map(ToString::to_string)
        .collect()
}

fn command(name: &str, chinese: (&str, &str), what: &Text) -> CommandSpec {
    CommandSpec {
        kind: SLASH,
        name: name.to_owned(),
        name_localizations: names(chinese.0, chinese.1),
        description: description(&what.en),
        description_localizations: described(what),
        ..CommandSpec::default()
    }
}

fn option(kind: u8, name: &str, what: &Text) -> OptionSpec {
    OptionSpec {
        kind,
        name: name.to_owned(),
        description: description(&what.en),
        description_localizations: described(what),
        ..OptionSpec::default()
    }
}

/// All pages together.
fn every_page() -> OptionSpec {
    let what = Text::new(
        "The whole system: every page of the handbook at once, one ranked answer",
        "整个系统：同时执行手册所有页的检查，给出一个排序后的结论",
    );
    option(SUBCOMMAND, ALL_PAGES, &what)
}

/// One page: its id is the subcommand's name in every language, since that is what people type
/// and what the handbook calls it.
fn subcommand(page: &Runbook) -> OptionSpec {
    let what = Text::new(
        format!("{}: {}", page.title.en, page.symptom.en),
        format!("{}：{}", page.title.zh, page.symptom.zh),
    );
    // Discord wants required options first.
    let (optional, required): (Vec<&Param>, Vec<&Param>) = page
        .params
        .iter()
        .partition(|param| param.default.is_some());
    OptionSpec {
        options: required
            .into_iter()
            .chain(optional)
            .take(limits::OPTIONS)
            .map(parameter)
            .collect(),
        ..option(SUBCOMMAND, page.id.as_str(), &what)
    }
}

fn parameter(param: &Param) -> OptionSpec {
    let mut what = param.say.clone();
    if let Some(default) = &param.default {
        let default = shown(default);
        what = Text::new(
            with_tail(&what.en, &format!(" (default {default})")),
            with_tail(&what.zh, &format!("（默认 {default}）")),
        );
    }
    let kind = match param.kind {
        ParamType::Text { .. } | ParamType::Choice(_) => STRING,
        ParamType::Int { .. } => INTEGER,
        ParamType::Bool => BOOLEAN,
    };
    let mut made = OptionSpec {
        required: param.default.is_none(),
        ..option(kind, &param.name, &what)
    };
    match &param.kind {
        ParamType::Text { max_chars, .. } => {
            made.max_length = Some((*max_chars).clamp(1, limits::OPTION_LENGTH));
        }
        ParamType::Int { min, max } => {
            let bound = |number: i64| number.clamp(-limits::OPTION_NUMBER, limits::OPTION_NUMBER);
            made.min_value = Some(bound(*min));
            made.max_value = Some(bound(*max));
        }
        ParamType::Choice(choices) => {
            made.choices = choices
                .iter()
                .take(limits::OPTIONS)
                .map(|(word, say)| choice(word, say))
                .collect();
        }
        ParamType::Bool => {}
    }
    made
}

fn choice(word: &str, say: &Text) -> ChoiceSpec {
    let name = |lang| {
        let said = clean_line(say.get(lang));
        if said.is_empty() {
            description(word)
        } else {
            description(&said)
        }
    };
    ChoiceSpec {
        name: name(Lang::En),
        name_localizations: names(&name(Lang::Zh), &name(Lang::Zh)),
        value: word.into(),
    }
}

fn shown(value: &ParamValue) -> String {
    match value {
        ParamValue::Bool(truth) => truth.to_string(),
        ParamValue::Int(number) => number.to_string(),
        ParamValue::Text(text) => text.clone(),
    }
}

/// `text` with `tail`, the text cut for it rather than the tail.
fn with_tail(text: &str, tail: &str) -> String {
    let room = limits::DESCRIPTION.saturating_sub(tail.chars().count());
    if room < limits::DESCRIPTION / 2 {
        return text.to_owned();
    }
    format!("{}{tail}", cut_chars(&clean_line(text), room))
}

fn description(text: &str) -> String {
    cut_chars(&clean_line(text), limits::DESCRIPTION)
}

fn names(simplified: &str, traditional: &str) -> Localised {
    Localised::from([
        ("zh-CN".to_owned(), simplified.to_owned()),
        ("zh-TW".to_owned(), traditional.to_owned()),
    ])
}

/// The handbook has one Chinese text; readers of zh-TW are better served by it than by English.
fn described(what: &Text) -> Localised {
    let zh = description(&what.zh);
    if zh.is_empty() {
        return Localised::new();
    }
    names(&zh, &zh)
}
