//! Options of commands: their shape, their order, their choices.
//!
//! Source of every number here: Discord's reference, "Application Commands" (option structure, option choices).

use serde_json::Value;

use super::command::{
    CHOICE_MAX_CHARS, CHOICES_MAX, Choice, CommandOption, Localized, OPTIONS_MAX, OptionKind,
};
use super::command::{description, name, numbers, translations};
use super::read::{self, Object, field};
use crate::rest::error::Problems;

/// The longest text that a person can type into an option, in characters.
const OPTION_TEXT_MAX_CHARS: i64 = 6_000;
/// Discord's whole numbers are those that a double holds exactly: ±2^53.
const EXACT_MAX: i64 = 9_007_199_254_740_992;

/// `depth`: 0 for a command's own options, 1 inside a subcommand or group, 2 inside a group's subcommand.
pub(super) fn options(
    object: &Object,
    depth: usize,
    problems: &mut Problems,
) -> Vec<CommandOption> {
    let items = read::list(object, "options", 0..=OPTIONS_MAX, problems);
    let options = read::objects(items, "options", problems, |one, problems| {
        option(one, depth, problems)
    });
    let options: Vec<_> = options.into_iter().flatten().collect();
    problems.within("options", |problems| relations(&options, problems));
    options
}

fn relations(options: &[CommandOption], problems: &mut Problems) {
    let mut optional_seen = false;
    for (index, option) in options.iter().enumerate() {
        let clash = |other: &CommandOption| other.name.base == option.name.base;
        if options.iter().take(index).any(clash) {
            problems.within(index, |p| {
                p.at(
                    "name",
                    "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
                    "Option name already exists",
                );
            });
        }
        if option.required && optional_seen {
            problems.at(
                index,
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            );
        }
        optional_seen |= !option.required && !option.kind.is_branch();
    }
    let branches = options
        .iter()
        .filter(|option| option.kind.is_branch())
        .count();
    if branches != 0 && branches != options.len() {
        problems.here("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command and sub-command group option types are mutually exclusive to all other types");
    }
}

fn option(object: &Object, depth: usize, problems: &mut Problems) -> Option<CommandOption> {
    if field(object, "type").is_none() {
        read::missing("type", problems);
    }
    let number = read::one_of(
        object,
        "type",
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        problems,
    );
    let kind = number.and_then(OptionKind::from_number);
    let (name, description) = (
        name(object, true, problems),
        description(object, true, problems),
    );
    let kind = kind?;
    let allowed_here = match kind {
        OptionKind::Group => depth == 0,
        OptionKind::Subcommand => depth <= 1,
        _ => true,
    };
    if !allowed_here {
        problems.at(
            "type",
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-command groups may only hold sub-commands, and sub-commands only options",
        );
    }
    let inner = if kind.is_branch() {
        options(object, depth + 1, problems)
    } else {
        Vec::new()
    };
    if kind == OptionKind::Group
        && inner
            .iter()
            .any(|option| option.kind != OptionKind::Subcommand)
    {
        problems.at(
            "options",
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-command groups may only hold sub-commands",
        );
    }
    if kind == OptionKind::Subcommand && inner.iter().any(|option| option.kind.is_branch()) {
        problems.at(
            "options",
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-commands may not hold sub-commands",
        );
    }
    let choices = choices(object, kind, problems);
    let autocomplete = read::flag(object, "autocomplete", problems).unwrap_or(false);
    if autocomplete && !choices.is_empty() {
        problems.at(
            "autocomplete",
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
            "Autocomplete and choices are mutually exclusive",
        );
    }
    let texts = kind == OptionKind::String;
    Some(CommandOption {
        kind,
        name,
        description,
        required: read::flag(object, "required", problems).unwrap_or(false),
        choices,
        options: inner,
        channel_types: numbers(
            object,
            "channel_types",
            &[0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16],
            problems,
        ),
        min_value: bound(object, "min_value", kind, problems),
        max_value: bound(object, "max_value", kind, problems),
        min_length: if texts {
            read::whole(object, "min_length", 0..=OPTION_TEXT_MAX_CHARS, problems)
        } else {
            None
        },
        max_length: if texts {
            read::whole(object, "max_length", 1..=OPTION_TEXT_MAX_CHARS, problems)
        } else {
            None
        },
        autocomplete,
    })
}

fn bound(object: &Object, key: &str, kind: OptionKind, problems: &mut Problems) -> Option<Value> {
    match kind {
        OptionKind::Integer => {
            read::whole(object, key, -EXACT_MAX..=EXACT_MAX, problems).map(Value::from)
        }
        OptionKind::Number => field(object, key)
            .filter(|value| value.is_number())
            .cloned(),
        _ => None,
    }
}

fn choices(object: &Object, kind: OptionKind, problems: &mut Problems) -> Vec<Choice> {
    if !matches!(
        kind,
        OptionKind::String | OptionKind::Integer | OptionKind::Number
    ) {
        return Vec::new();
    }
    let items = read::list(object, "choices", 0..=CHOICES_MAX, problems);
    let found = read::objects(items, "choices", problems, |one, problems| {
        choice(one, kind, problems)
    });
    problems.within("choices", |problems| {
        for (index, choice) in found.iter().enumerate() {
            if found
                .iter()
                .take(index)
                .any(|other| other.name.base == choice.name.base)
            {
                problems.within(index, |p| {
                    p.at(
                        "name",
                        "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS",
                        "Option choice name already exists",
                    );
                });
            }
        }
    });
    found
}

/// A choice of an option, or of an autocomplete's answer.
pub(crate) fn choice(object: &Object, kind: OptionKind, problems: &mut Problems) -> Choice {
    let base = read::required_text(object, "name", 1..=CHOICE_MAX_CHARS, problems);
    let by_locale = translations(object, "name_localizations", 1..=CHOICE_MAX_CHARS, problems);
    if field(object, "value").is_none() {
        read::missing("value", problems);
    }
    let value = match kind {
        OptionKind::Integer => {
            read::whole(object, "value", -EXACT_MAX..=EXACT_MAX, problems).map(Value::from)
        }
        OptionKind::Number => field(object, "value")
            .filter(|value| value.is_number())
            .cloned(),
        _ => read::text(object, "value", 1..=CHOICE_MAX_CHARS, problems).map(Value::from),
    };
    Choice {
        name: Localized { base, by_locale },
        value: value.unwrap_or(Value::Null),
    }
}
