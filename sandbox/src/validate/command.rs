//! Application commands: their shape, their limits, their names in every language.
//!
//! Source of every number here: Discord's reference, "Application Commands" (structure, option structure, limits).

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::read::{self, Object, field};
use crate::rest::error::Problems;

/// Characters of a name.
pub(crate) const NAME_MAX_CHARS: usize = 32;
/// Characters of a description.
pub(crate) const DESCRIPTION_MAX_CHARS: usize = 100;
/// Options of a command, a subcommand or a group.
pub(crate) const OPTIONS_MAX: usize = 25;
/// Choices of an option.
pub(crate) const CHOICES_MAX: usize = 25;
/// Characters of a choice's name and of its text value.
pub(crate) const CHOICE_MAX_CHARS: usize = 100;
/// Characters of a whole command: names, descriptions and values, the longest localisation counting.
pub(crate) const COMMAND_MAX_CHARS: usize = 8_000;
/// The longest text that a person can type into an option, in characters.
const OPTION_TEXT_MAX_CHARS: i64 = 6_000;
/// Discord's whole numbers are those that a double holds exactly: ±2^53.
const EXACT_MAX: i64 = 9_007_199_254_740_992;

/// The languages of Discord's clients. Source: Discord's reference, "Locales".
pub(crate) const LOCALES: &[&str] = &[
    "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl",
    "no", "pl", "pt-BR", "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th",
    "zh-CN", "ja", "zh-TW", "ko",
];

#[expect(clippy::expect_used, reason = "a constant pattern; a test builds it")]
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]+$").expect("the pattern of command names")
});

/// A text with its translations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Localized {
    /// Without a translation.
    pub(crate) base: String,
    /// By locale; `None` when the bot gave no table.
    pub(crate) by_locale: Option<Vec<(String, String)>>,
}

impl Localized {
    /// The text as a person with this locale reads it.
    pub(crate) fn in_locale(&self, locale: &str) -> &str {
        let table = self.by_locale.iter().flatten();
        table
            .into_iter()
            .find(|(known, _)| known == locale)
            .map_or(&self.base, |(_, text)| text)
    }

    fn longest_chars(&self) -> usize {
        let translations = self
            .by_locale
            .iter()
            .flatten()
            .map(|(_, text)| text.chars().count());
        translations
            .chain([self.base.chars().count()])
            .max()
            .unwrap_or(0)
    }
}

/// What a command is: typed with a slash, or in the menu of a person or a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandKind {
    /// Type 1.
    Chat = 1,
    /// Type 2.
    User = 2,
    /// Type 3.
    Message = 3,
}

/// A command without the identity that registering gives it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CommandSpec {
    pub(crate) kind: CommandKind,
    pub(crate) name: Localized,
    pub(crate) description: Localized,
    pub(crate) options: Vec<CommandOption>,
    /// Bits that a person needs; `None` is everybody, `0` administrators alone.
    pub(crate) default_member_permissions: Option<u64>,
    pub(crate) dm_permission: bool,
    pub(crate) contexts: Option<Vec<i64>>,
    pub(crate) integration_types: Vec<i64>,
    pub(crate) nsfw: bool,
}

/// The types of options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OptionKind {
    Subcommand = 1,
    Group = 2,
    String = 3,
    Integer = 4,
    Boolean = 5,
    User = 6,
    Channel = 7,
    Role = 8,
    Mentionable = 9,
    Number = 10,
    Attachment = 11,
}

impl OptionKind {
    /// By Discord's number.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        use OptionKind::{
            Attachment, Boolean, Channel, Group, Integer, Mentionable, Number, Role, String,
            Subcommand, User,
        };
        let all = [
            Subcommand,
            Group,
            String,
            Integer,
            Boolean,
            User,
            Channel,
            Role,
            Mentionable,
            Number,
            Attachment,
        ];
        all.into_iter().find(|kind| *kind as i64 == number)
    }

    /// The word of the page's interface.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Subcommand => "subcommand",
            Self::Group => "group",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::User => "user",
            Self::Channel => "channel",
            Self::Role => "role",
            Self::Mentionable => "mentionable",
            Self::Number => "number",
            Self::Attachment => "attachment",
        }
    }

    /// Whether it only leads to further options.
    pub(crate) const fn is_branch(self) -> bool {
        matches!(self, Self::Subcommand | Self::Group)
    }
}

/// A value to pick from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) name: Localized,
    pub(crate) value: Value,
}

/// One option, subcommand or group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CommandOption {
    pub(crate) kind: OptionKind,
    pub(crate) name: Localized,
    pub(crate) description: Localized,
    pub(crate) required: bool,
    pub(crate) choices: Vec<Choice>,
    pub(crate) options: Vec<CommandOption>,
    pub(crate) channel_types: Option<Vec<i64>>,
    pub(crate) min_value: Option<Value>,
    pub(crate) max_value: Option<Value>,
    pub(crate) min_length: Option<i64>,
    pub(crate) max_length: Option<i64>,
    pub(crate) autocomplete: bool,
}

/// Reads a command; `kind` is given where it cannot change (on an update).
pub(crate) fn command(
    object: &Object,
    kind: Option<CommandKind>,
    problems: &mut Problems,
) -> Option<CommandSpec> {
    let given = read::one_of(object, "type", &[1, 2, 3], problems).map(|number| match number {
        2 => CommandKind::User,
        3 => CommandKind::Message,
        _ => CommandKind::Chat,
    });
    let kind = kind.or(given).unwrap_or(CommandKind::Chat);
    let chat = kind == CommandKind::Chat;
    let name = name(object, chat, problems);
    let description = description(object, chat, problems);
    let options = if chat {
        options(object, 0, problems)
    } else {
        no_options(object, problems)
    };
    let spec = CommandSpec {
        kind,
        name,
        description,
        options,
        default_member_permissions: permission_bits(object, problems),
        dm_permission: read::flag(object, "dm_permission", problems).unwrap_or(true),
        contexts: numbers(object, "contexts", &[0, 1, 2], problems),
        integration_types: numbers(object, "integration_types", &[0, 1], problems)
            .unwrap_or_else(|| vec![0]),
        nsfw: read::flag(object, "nsfw", problems).unwrap_or(false),
    };
    let total = size_chars(&spec);
    if total > COMMAND_MAX_CHARS {
        problems.here(
            "APPLICATION_COMMAND_TOO_LARGE",
            format!("Command exceeds maximum size ({COMMAND_MAX_CHARS})"),
        );
    }
    Some(spec)
}

/// The size of a command as Discord counts it, in characters.
pub(crate) fn size_chars(spec: &CommandSpec) -> usize {
    fn of(options: &[CommandOption]) -> usize {
        let one = |option: &CommandOption| {
            let choices = option.choices.iter();
            let choices: usize = choices
                .map(|choice| {
                    choice.name.longest_chars()
                        + choice.value.as_str().map_or(0, |text| text.chars().count())
                })
                .sum();
            option.name.longest_chars()
                + option.description.longest_chars()
                + choices
                + of(&option.options)
        };
        options.iter().map(one).sum()
    }
    spec.name.longest_chars() + spec.description.longest_chars() + of(&spec.options)
}

fn no_options(object: &Object, problems: &mut Problems) -> Vec<CommandOption> {
    if field(object, "options")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
    {
        problems.at(
            "options",
            "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS_INVALID",
            "Context menu commands cannot have options",
        );
    }
    Vec::new()
}

fn name(object: &Object, chat: bool, problems: &mut Problems) -> Localized {
    let base = read::required_text(object, "name", 1..=NAME_MAX_CHARS, problems);
    if chat && !base.is_empty() {
        chat_name("name", &base, problems);
    }
    let by_locale = translations(object, "name_localizations", 1..=NAME_MAX_CHARS, problems);
    if chat {
        problems.within("name_localizations", |problems| {
            for (locale, text) in by_locale.iter().flatten() {
                chat_name(locale, text, problems);
            }
        });
    }
    Localized { base, by_locale }
}

fn chat_name(key: &str, name: &str, problems: &mut Problems) {
    if !NAME.is_match(name) {
        problems.at(
            key,
            "STRING_TYPE_REGEX",
            "String value did not match validation regex.",
        );
    } else if name.chars().any(char::is_uppercase) {
        problems.at(
            key,
            "APPLICATION_COMMAND_INVALID_NAME",
            "Command name is invalid",
        );
    }
}

fn description(object: &Object, chat: bool, problems: &mut Problems) -> Localized {
    if chat {
        let base = read::required_text(object, "description", 1..=DESCRIPTION_MAX_CHARS, problems);
        let by_locale = translations(
            object,
            "description_localizations",
            1..=DESCRIPTION_MAX_CHARS,
            problems,
        );
        return Localized { base, by_locale };
    }
    if field(object, "description")
        .and_then(Value::as_str)
        .is_some_and(|text| !text.is_empty())
    {
        problems.at(
            "description",
            "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_INVALID",
            "Context menu commands cannot have description",
        );
    }
    Localized {
        base: String::new(),
        by_locale: None,
    }
}

fn translations(
    object: &Object,
    key: &str,
    length: std::ops::RangeInclusive<usize>,
    problems: &mut Problems,
) -> Option<Vec<(String, String)>> {
    match field(object, key)? {
        Value::Object(table) => problems.within(key, |problems| {
            let mut out = Vec::new();
            for locale in table.keys() {
                if !LOCALES.contains(&locale.as_str()) {
                    problems.at(
                        locale,
                        "ENUM_TYPE_COERCE",
                        format!("Value \"{locale}\" is not a valid enum value."),
                    );
                } else if let Some(text) = read::text(table, locale, length.clone(), problems) {
                    out.push((locale.clone(), text));
                }
            }
            Some(out)
        }),
        _ => {
            problems.at(
                key,
                "DICT_TYPE_CONVERT",
                "Only dictionaries may be used in a DictType",
            );
            None
        }
    }
}

fn permission_bits(object: &Object, problems: &mut Problems) -> Option<u64> {
    let value = field(object, "default_member_permissions")?;
    let bits = value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    if bits.is_none() {
        problems.at(
            "default_member_permissions",
            "NUMBER_TYPE_COERCE",
            format!("Value \"{}\" is not int.", read::plain(value)),
        );
    }
    bits
}

fn numbers(object: &Object, key: &str, known: &[i64], problems: &mut Problems) -> Option<Vec<i64>> {
    let items = field(object, key)?.as_array();
    let Some(items) = items else {
        problems.at(
            key,
            "LIST_TYPE_CONVERT",
            "Only iterables may be used in a ListType",
        );
        return None;
    };
    problems.within(key, |problems| {
        for (index, item) in items.iter().enumerate() {
            if !item.as_i64().is_some_and(|number| known.contains(&number)) {
                problems.at(
                    index,
                    "ENUM_TYPE_COERCE",
                    format!("Value \"{}\" is not a valid enum value.", read::plain(item)),
                );
            }
        }
    });
    Some(items.iter().filter_map(Value::as_i64).collect())
}

/// `depth`: 0 for a command's own options, 1 inside a subcommand or group, 2 inside a group's subcommand.
fn options(object: &Object, depth: usize, problems: &mut Problems) -> Vec<CommandOption> {
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
                )
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
                    )
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

#[cfg(test)]
#[path = "command_test.rs"]
mod tests;
