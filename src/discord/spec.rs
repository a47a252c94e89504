//! A command as Discord stores it, in one normal form, so that two can be compared.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serenity::model::application::{Command, CommandOption, CommandOptionChoice};

/// Texts by Discord's locale.
pub(super) type Localised = BTreeMap<String, String>;

/// One command.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CommandSpec {
    /// 1: a slash command.
    #[serde(rename = "type")]
    pub(super) kind: u8,
    /// What a person types.
    pub(super) name: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) name_localizations: Localised,
    pub(super) description: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) description_localizations: Localised,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) options: Vec<OptionSpec>,
    /// Who sees it; everybody: the gate decides, and a refusal in words beats a missing command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default_member_permissions: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) nsfw: bool,
}

/// One option, or one subcommand.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct OptionSpec {
    #[serde(rename = "type")]
    pub(super) kind: u8,
    pub(super) name: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) name_localizations: Localised,
    pub(super) description: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) description_localizations: Localised,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) required: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) choices: Vec<ChoiceSpec>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) options: Vec<OptionSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min_value: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_value: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min_length: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_length: Option<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) autocomplete: bool,
}

/// One choice of an option.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct ChoiceSpec {
    pub(super) name: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) name_localizations: Localised,
    pub(super) value: serde_json::Value,
}

impl CommandSpec {
    /// The command's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl From<&Command> for CommandSpec {
    fn from(command: &Command) -> Self {
        Self {
            kind: command.kind.into(),
            name: command.name.clone(),
            name_localizations: sorted(command.name_localizations.as_ref()),
            description: command.description.clone(),
            description_localizations: sorted(command.description_localizations.as_ref()),
            options: command.options.iter().map(OptionSpec::from).collect(),
            default_member_permissions: command
                .default_member_permissions
                .map(|permissions| permissions.bits().to_string()),
            nsfw: command.nsfw,
        }
    }
}

impl From<&CommandOption> for OptionSpec {
    fn from(option: &CommandOption) -> Self {
        Self {
            kind: option.kind.into(),
            name: option.name.clone(),
            name_localizations: sorted(option.name_localizations.as_ref()),
            description: option.description.clone(),
            description_localizations: sorted(option.description_localizations.as_ref()),
            required: option.required,
            choices: option.choices.iter().map(ChoiceSpec::from).collect(),
            options: option.options.iter().map(Self::from).collect(),
            min_value: option.min_value.as_ref().and_then(whole),
            max_value: option.max_value.as_ref().and_then(whole),
            min_length: option.min_length,
            max_length: option.max_length,
            autocomplete: option.autocomplete,
        }
    }
}

impl From<&CommandOptionChoice> for ChoiceSpec {
    fn from(choice: &CommandOptionChoice) -> Self {
        Self {
            name: choice.name.clone(),
            name_localizations: sorted(choice.name_localizations.as_ref()),
            value: choice.value.clone(),
        }
    }
}

fn sorted(map: Option<&HashMap<String, String>>) -> Localised {
    map.into_iter()
        .flatten()
        .map(|(locale, text)| (locale.clone(), text.clone()))
        .collect()
}

/// Discord gives a bound back as `1` or as `1.0`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "bounds are whole and within 2^53, where f64 is exact"
)]
fn whole(number: &serde_json::Number) -> Option<i64> {
    number
        .as_i64()
        .or_else(|| number.as_f64().map(|float| float as i64))
}
