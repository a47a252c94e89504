//! A page as it is written: the form of `commands/*.toml`, from which the JSON Schema comes.
//!
//! Every field is optional here, and the schema says which must be there (`schemars(required)`): so
//! the meaning of a page can be checked, and told, although a key is missing somewhere.

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::{Risk, Severity};
use crate::domain::{diagnosis::Verdict, text::Text};

/// One page of the handbook.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A page of Handbell's handbook", rename = "Page")]
pub(super) struct RawPage {
    /// What the page is about.
    #[schemars(required)]
    pub runbook: Option<RawRunbook>,
    /// Parameters: each becomes an option of the page's slash command.
    #[serde(default)]
    pub param: Vec<RawParam>,
    /// What is looked at in a diagnosis, and how it is judged.
    #[serde(default)]
    pub check: Vec<RawCheck>,
    /// Changes that help.
    #[serde(default)]
    pub remedy: Vec<RawRemedy>,
    /// What the patrol looks at so that it doesn't come to that.
    #[serde(default)]
    pub prevent: Vec<RawCheck>,
    /// Causes that this page explains and that no page finds yet.
    #[serde(default)]
    pub cause: Vec<RawCause>,
}

/// What the page is about.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Runbook")]
pub(super) struct RawRunbook {
    /// The page's id, in kebab-case: `/diagnose <id>`. The file is called `<id>.toml`.
    #[schemars(required)]
    pub id: Option<String>,
    /// The section of the handbook that the page carries: "2.3".
    #[schemars(required)]
    pub section: Option<String>,
    /// What it is called, at most 100 characters; Discord shows it before the symptom.
    #[schemars(required)]
    pub title: Option<RawText>,
    /// What people notice.
    #[schemars(required)]
    pub symptom: Option<RawText>,
    /// The severity that is proposed when an incident opens from here.
    #[schemars(required)]
    pub severity: Option<Severity>,
    /// Who keeps this page.
    #[schemars(required)]
    pub owner: Option<String>,
    /// When it was last reviewed: 2026-11-22, without quotes.
    #[schemars(required)]
    pub reviewed: Option<RawDate>,
    /// Alerts that belong to this page: for each the labels that it must carry.
    #[serde(default)]
    pub alerts: Vec<IndexMap<String, String>>,
    /// Checks of other pages that run on this one, too, as they stand there: `["redis/ping"]`.
    #[serde(default)]
    pub borrows: Vec<String>,
}

/// A date without quotes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct RawDate(pub toml::value::Datetime);

impl RawDate {
    /// The date, without a time of day.
    pub(super) fn date(self) -> Option<jiff::civil::Date> {
        let date = self.0.date?;
        let year = i16::try_from(date.year).ok()?;
        jiff::civil::Date::new(year, date.month.try_into().ok()?, date.day.try_into().ok()?).ok()
    }
}

impl JsonSchema for RawDate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "format": "date" })
    }
}

/// One text in both languages.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Text")]
pub(super) struct RawText {
    /// The text in English.
    #[schemars(required)]
    pub en: Option<String>,
    /// The text in simplified Chinese.
    #[schemars(required)]
    pub zh: Option<String>,
}

impl RawText {
    /// Both languages, if both are there; what lacks has been told already.
    pub(super) fn text(&self) -> Option<Text> {
        Some(Text::new(self.en.as_deref()?, self.zh.as_deref()?))
    }
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ParamType")]
pub(super) enum RawParamType {
    /// A text; `match` is a regular expression for the whole of it, `max` its longest length.
    String,
    /// A whole number from `min` to `max`.
    Integer,
    /// Yes or no.
    Boolean,
    /// One of `choices`.
    Choice,
}

/// A parameter of the page.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Param")]
pub(super) struct RawParam {
    /// The name, in `snake_case`; conditions, sentences and arguments use it.
    pub name: Option<String>,
    /// The type.
    #[serde(rename = "type")]
    #[schemars(required)]
    pub kind: Option<RawParamType>,
    /// What it means; Discord shows it beside the option (at most 100 characters).
    #[schemars(required)]
    pub say: Option<RawText>,
    /// A regular expression that the whole text must match (`type = "string"`).
    #[serde(rename = "match")]
    pub pattern: Option<String>,
    /// The least number (`type = "integer"`).
    pub min: Option<i64>,
    /// The greatest number, or the most characters of a text.
    pub max: Option<i64>,
    /// The words to choose from (`type = "choice"`), at most 25.
    #[serde(default)]
    pub choices: Vec<RawChoice>,
    /// The value when none is given; without one the parameter must be given.
    pub default: Option<RawValue>,
}

/// A word to choose, alone or with what it means.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Choice")]
pub(super) enum RawChoice {
    /// A word that needs no explanation.
    Word(String),
    /// A word and what Discord shows for it.
    Described(RawDescribedChoice),
}

/// A word to choose and what Discord shows for it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DescribedChoice")]
pub(super) struct RawDescribedChoice {
    /// The word.
    #[schemars(required)]
    pub value: Option<String>,
    /// What is shown for it.
    #[schemars(required)]
    pub say: Option<RawText>,
}

/// A parameter's value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Value")]
pub(super) enum RawValue {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text or a choice.
    Text(String),
}

/// A step that looks at something and judges what it sees.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Check")]
pub(super) struct RawCheck {
    /// The id, in kebab-case, unique among the page's checks, remedies and preventions.
    #[schemars(required)]
    pub id: Option<String>,
    /// Steps of the handbook that this carries: `["2.3.d4"]`.
    #[serde(default)]
    pub covers: Vec<String>,
    /// What it is called.
    #[schemars(required)]
    pub title: Option<RawText>,
    /// The probe that looks (`handbell probes` lists them), or "manual" for what only a person can
    /// see or do.
    #[schemars(required)]
    pub probe: Option<String>,
    /// The name of a target in targets.toml; left out where the probe needs none ("manual").
    pub target: Option<String>,
    /// The probe's arguments.
    #[serde(default)]
    pub args: IndexMap<String, RawArg>,
    /// Its own deadline, as in "2s"; the configuration's without it.
    pub timeout: Option<String>,
    /// Rules from the top; the first that applies is the finding.
    #[serde(default)]
    pub rule: Vec<RawRule>,
    /// What is said when no rule applies.
    pub healthy: Option<RawText>,
    /// What the person is asked to look for, or to do (`probe = "manual"` only).
    pub say: Option<RawText>,
}

/// An argument of a probe.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Arg")]
pub(super) enum RawArg {
    /// A whole number.
    Int(i64),
    /// A text, a length of time ("10m"), or a parameter of the page ("{{ name }}").
    Text(String),
    /// Names, in `snake_case`, and regular expressions; a query's placeholders and their values; a
    /// query's columns and what they are.
    Patterns(IndexMap<String, String>),
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Verdict")]
pub(super) enum RawVerdict {
    /// It is in order.
    Ok,
    /// It works and won't for long, or not well.
    Warning,
    /// It is broken.
    Critical,
}

impl From<RawVerdict> for Verdict {
    fn from(raw: RawVerdict) -> Self {
        match raw {
            RawVerdict::Ok => Self::Ok,
            RawVerdict::Warning => Self::Warning,
            RawVerdict::Critical => Self::Critical,
        }
    }
}

/// One way to judge a check's facts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rule")]
pub(super) struct RawRule {
    /// A condition over the probe's facts and the page's parameters.
    #[schemars(required)]
    pub when: Option<String>,
    /// What it says then.
    #[schemars(required)]
    pub verdict: Option<RawVerdict>,
    /// The cause, `page.name`: there for every verdict except "ok".
    pub cause: Option<String>,
    /// Causes that follow from this one.
    #[serde(default)]
    pub explains: Vec<String>,
    /// The sentence for the reader, with facts in it: `{{ used_memory_bytes | bytes }}`.
    #[schemars(required)]
    pub say: Option<RawText>,
    /// Remedies of this page that fit, the best first.
    #[serde(default)]
    pub remedies: Vec<String>,
}

/// A change that helps.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Remedy")]
pub(super) struct RawRemedy {
    /// The id, in kebab-case, unique among the page's checks, remedies and preventions.
    #[schemars(required)]
    pub id: Option<String>,
    /// Steps of the handbook that this carries: `["2.3.r2"]`.
    #[serde(default)]
    pub covers: Vec<String>,
    /// What it is called.
    #[schemars(required)]
    pub title: Option<RawText>,
    /// What it does and what to mind.
    #[schemars(required)]
    pub say: Option<RawText>,
    /// What it may break, which decides how many people approve it.
    #[schemars(required)]
    pub risk: Option<Risk>,
    /// The action that carries it out, `system.what`.
    pub action: Option<String>,
    /// The name of the target that it acts on.
    pub target: Option<String>,
    /// Its parameters by name.
    #[serde(default)]
    pub params: IndexMap<String, RawParam>,
    /// Checks of this page that must hold at the moment of acting.
    #[serde(default)]
    pub require: Vec<String>,
    /// Checks of this page that are run again afterwards.
    #[serde(default)]
    pub verify: Vec<String>,
    /// How long it may not be repeated: "10m".
    pub cooldown: Option<String>,
}

/// A cause that this page explains and that no page finds yet.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cause")]
pub(super) struct RawCause {
    /// The cause, `page.name`.
    #[schemars(required)]
    pub id: Option<String>,
    /// What it is called.
    #[schemars(required)]
    pub title: Option<RawText>,
}
