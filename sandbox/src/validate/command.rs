//! Application commands: their shape, their limits, their names in every language.
//!
//! Source of every number here: Discord's reference, "Application Commands" (structure, option structure, limits).

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::command_option::options;
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
) -> CommandSpec {
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
    spec
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

pub(super) fn name(object: &Object, chat: bool, problems: &mut Problems) -> Localized {
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

pub(super) fn description(object: &Object, chat: bool, problems: &mut Problems) -> Localized {
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

pub(super) fn translations(
    object: &Object,
    key: &str,
    length: std::ops::RangeInclusive<usize>,
    problems: &mut Problems,
) -> Option<Vec<(String, String)>> {
    if let Value::Object(table) = field(object, key)? {
        problems.within(key, |problems| {
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
        })
    } else {
        problems.at(
            key,
            "DICT_TYPE_CONVERT",
            "Only dictionaries may be used in a DictType",
        );
        None
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

pub(super) fn numbers(
    object: &Object,
    key: &str,
    known: &[i64],
    problems: &mut Problems,
) -> Option<Vec<i64>> {
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

#[cfg(test)]
#[path = "command_test.rs"]
mod tests;
