//! The commands that a handbook makes. Pure.

use super::{
    limits,
    spec::{ChoiceSpec, CommandSpec, Localised, OptionSpec},
};
use crate::{
    domain::{
        handbook::{ALL_PAGES, Handbook, PATROL, Param, ParamType, ParamValue, Runbook},
        text::{Lang, Text},
    },
    render::{clean_line, cut_chars},
};

/// `/diagnose <page>`: runs a page.
pub(super) const DIAGNOSE: &str = "diagnose";
/// `/patrol run`: the preventions.
pub(super) const PATROL_COMMAND: &str = PATROL;
/// The subcommand of `/patrol`.
pub(super) const PATROL_RUN: &str = "run";
/// The option of `/patrol run` and of `/handbook show` that names a page.
pub(super) const PAGE: &str = "page";
/// `/handbook`: its pages.
pub(super) const HANDBOOK: &str = "handbook";
/// `/handbook show <page>`.
pub(super) const SHOW: &str = "show";
/// `/handbook search <words>`.
pub(super) const SEARCH: &str = "search";
/// The option of `/handbook search`.
pub(super) const WORDS: &str = "words";
/// `/handbook reload`.
pub(super) const RELOAD: &str = "reload";
/// `/history`: what was run.
pub(super) const HISTORY: &str = "history";
/// `/help`: what there is.
pub(super) const HELP: &str = "help";
/// The option of `/history` that names a page.
pub(super) const HISTORY_PAGE: &str = "runbook";

/// Longest text that is searched for, in characters. Our own choice.
const WORDS_LENGTH: u16 = 100;

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
    all.push(patrol());
    all.push(handbook_command());
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

fn patrol() -> CommandSpec {
    let what = Text::new("Prevention checks", "预防性检查");
    let run = Text::new(
        "Run the prevention checks of all pages, or of one",
        "执行所有手册页或某一页的预防性检查",
    );
    CommandSpec {
        options: vec![OptionSpec {
            options: vec![page_option(&Text::new(
                "Only of this page",
                "只看手册的这一页",
            ))],
            name_localizations: names("执行", "執行"),
            ..option(SUBCOMMAND, PATROL_RUN, &run)
        }],
        ..command(PATROL_COMMAND, ("巡检", "巡檢"), &what)
    }
}

fn handbook_command() -> CommandSpec {
    let what = Text::new("The incident handbook", "应急手册");
    let show = Text::new("Show a page of the handbook", "查看手册的某一页");
    let search = Text::new(
        "Find pages, checks and remedies by words",
        "按关键词查找手册页、检查和处置",
    );
    let words = Text::new(
        "What to look for, in English or Chinese",
        "要查找的内容，中英文均可",
    );
    let reload = Text::new(
        "Read the pages and targets again, without a restart (admin)",
        "重新读取手册页和目标，无需重启（管理员）",
    );
    CommandSpec {
        options: vec![
            OptionSpec {
                options: vec![OptionSpec {
                    required: true,
                    ..page_option(&Text::new("Which page", "哪一页"))
                }],
                name_localizations: names("查看", "查看"),
                ..option(SUBCOMMAND, SHOW, &show)
            },
            OptionSpec {
                options: vec![OptionSpec {
                    required: true,
                    max_length: Some(WORDS_LENGTH),
                    name_localizations: names("关键词", "關鍵詞"),
                    ..option(STRING, WORDS, &words)
                }],
                name_localizations: names("搜索", "搜尋"),
                ..option(SUBCOMMAND, SEARCH, &search)
            },
            OptionSpec {
                name_localizations: names("重新读取", "重新讀取"),
                ..option(SUBCOMMAND, RELOAD, &reload)
            },
        ],
        ..command(HANDBOOK, ("手册", "手冊"), &what)
    }
}

/// An option that names a page, completed while it is typed.
fn page_option(what: &Text) -> OptionSpec {
    OptionSpec {
        autocomplete: true,
        name_localizations: names("手册页", "手冊頁"),
        ..option(STRING, PAGE, what)
    }
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
