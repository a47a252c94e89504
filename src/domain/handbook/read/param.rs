//! `[[param]]` and a remedy's parameters.

use super::{Path, Reader};
use crate::domain::{
    document::did_you_mean,
    handbook::{
        Param, ParamType, ParamValue,
        limits::{CHOICE_CHARS, DESCRIPTION_CHARS, INTEGER_LIMIT, MOST_OPTIONS, OPTION_TEXT_CHARS},
        raw::{RawChoice, RawParam, RawParamType, RawValue},
    },
    ids::MAX_ID_CHARS,
    text::Text,
};

/// Longest text of a parameter that gives no `max`, in characters.
const DEFAULT_TEXT_CHARS: u16 = 100;

/// Words of the expression language, which can't be names.
const KEYWORDS: [&str; 11] = [
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "elif",
];

impl<'a> Reader<'a> {
    pub(super) fn params(&mut self) -> Vec<Param> {
        let path = Path::root().key("param");
        let raw: &'a [RawParam] = &self.raw.param;
        if raw.len() > MOST_OPTIONS {
            let message = format!(
                "{} parameters; Discord takes at most {MOST_OPTIONS} options",
                raw.len()
            );
            self.problem(&path.at(MOST_OPTIONS), message);
        }
        let mut params: Vec<Param> = Vec::new();
        for (n, param) in raw.iter().enumerate() {
            let path = path.at(n);
            let Some(name) = &param.name else {
                self.problem(&path, "the parameter has no name");
                continue;
            };
            let Some(param) = self.param(Some(name), param, &path) else {
                continue;
            };
            if params.iter().any(|known| known.name == param.name) {
                let message = format!("there are two parameters `{}`", param.name);
                self.problem(&path.key("name"), message);
                continue;
            }
            params.push(param);
        }
        params
    }

    /// One parameter; `name` is its `name`, or its key on a remedy.
    pub(super) fn param(
        &mut self,
        name: Option<&String>,
        raw: &RawParam,
        path: &Path,
    ) -> Option<Param> {
        let name = name?;
        self.param_name(name, path, raw.name.is_some());
        let say = self.text(raw.say.as_ref(), &path.key("say"), DESCRIPTION_CHARS);
        let kind = match raw.kind? {
            RawParamType::String => self.text_type(raw, path),
            RawParamType::Integer => self.integer_type(raw, path),
            RawParamType::Boolean => Some(ParamType::Bool),
            RawParamType::Choice => self.choice_type(raw, path),
        };
        self.superfluous(raw, path);
        let kind = kind?;
        let default = match &raw.default {
            Some(value) => Some(self.default(value, &kind, &path.key("default"))?),
            None => None,
        };
        Some(Param {
            name: name.clone(),
            kind,
            default,
            say: say?,
        })
    }

    fn param_name(&mut self, name: &str, path: &Path, own_key: bool) {
        let place = if own_key {
            path.key("name")
        } else {
            path.clone()
        };
        let mut bytes = name.bytes();
        let snake = bytes.next().is_some_and(|b| b.is_ascii_lowercase())
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let message = if !snake {
            format!("{name:?} is not snake_case: a lower-case letter, then letters, digits and _")
        } else if name.len() > MAX_ID_CHARS {
            format!(
                "the name has {} characters; Discord takes at most {MAX_ID_CHARS}",
                name.len()
            )
        } else if KEYWORDS.contains(&name) {
            format!("`{name}` is a word of the expression language")
        } else {
            return;
        };
        self.problem(&place, message);
    }

    /// Keys that say nothing for this type.
    fn superfluous(&mut self, raw: &RawParam, path: &Path) {
        use RawParamType::{Boolean, Choice, Integer, String};
        let Some(kind) = raw.kind else { return };
        let given = [
            ("match", raw.pattern.is_some(), kind == String),
            ("min", raw.min.is_some(), kind == Integer),
            ("max", raw.max.is_some(), matches!(kind, Integer | String)),
            ("choices", !raw.choices.is_empty(), kind == Choice),
        ];
        let word = match kind {
            String => "string",
            Integer => "integer",
            Boolean => "boolean",
            Choice => "choice",
        };
        for (key, given, fits) in given {
            if given && !fits {
                let message = format!("`{key}` says nothing for a parameter of type \"{word}\"");
                self.push(self.document.key_problem(&path.key(key), message));
            }
        }
    }

    fn text_type(&mut self, raw: &RawParam, path: &Path) -> Option<ParamType> {
        let max_chars = match raw.max {
            None => DEFAULT_TEXT_CHARS,
            Some(max) if (1..=OPTION_TEXT_CHARS).contains(&max) => u16::try_from(max).ok()?,
            Some(max) => {
                let message = format!("a text has 1 to {OPTION_TEXT_CHARS} characters, not {max}");
                self.problem(&path.key("max"), message);
                return None;
            }
        };
        if let Some(pattern) = &raw.pattern {
            self.regex(&format!("^(?:{pattern})$"), &path.key("match"))?;
        }
        Some(ParamType::Text {
            pattern: raw.pattern.clone(),
            max_chars,
        })
    }

    fn integer_type(&mut self, raw: &RawParam, path: &Path) -> Option<ParamType> {
        let mut bound = |key: &str, given: Option<i64>, otherwise: i64| match given {
            Some(number) if number.abs() > INTEGER_LIMIT => {
                let message = format!("Discord takes whole numbers up to {INTEGER_LIMIT} only");
                self.problem(&path.key(key), message);
                None
            }
            given => Some(given.unwrap_or(otherwise)),
        };
        let min = bound("min", raw.min, -INTEGER_LIMIT);
        let max = bound("max", raw.max, INTEGER_LIMIT);
        let (min, max) = (min?, max?);
        if min > max {
            let message = format!("nothing is at least {min} and at most {max}");
            self.problem(&path.key("min"), message);
            return None;
        }
        Some(ParamType::Int { min, max })
    }

    fn choice_type(&mut self, raw: &RawParam, path: &Path) -> Option<ParamType> {
        let path = path.key("choices");
        if raw.choices.is_empty() {
            self.problem(&path, "there is nothing to choose: `choices` is missing");
            return None;
        }
        if raw.choices.len() > MOST_OPTIONS {
            let message = format!(
                "{} choices; Discord takes at most {MOST_OPTIONS}",
                raw.choices.len()
            );
            self.problem(&path, message);
        }
        let mut choices: Vec<(String, Text)> = Vec::new();
        for (n, choice) in raw.choices.iter().enumerate() {
            let path = path.at(n);
            let (word, say) = match choice {
                RawChoice::Word(word) => (word.clone(), Text::new(word, word)),
                RawChoice::Described(choice) => {
                    let say = self.text(choice.say.as_ref(), &path.key("say"), CHOICE_CHARS);
                    (choice.value.clone()?, say?)
                }
            };
            if word.is_empty() || word.chars().count() > CHOICE_CHARS {
                let message = format!("a choice has 1 to {CHOICE_CHARS} characters");
                self.problem(&path, message);
            }
            if choices.iter().any(|(known, _)| *known == word) {
                self.problem(&path, format!("{word:?} is there twice"));
            }
            choices.push((word, say));
        }
        Some(ParamType::Choice(choices))
    }

    fn default(&mut self, value: &RawValue, kind: &ParamType, path: &Path) -> Option<ParamValue> {
        let wrong = |what: String| Err((what, None));
        let fitted = match (kind, value) {
            (ParamType::Bool, RawValue::Bool(value)) => Ok(ParamValue::Bool(*value)),
            (ParamType::Bool, _) => wrong("the default is true or false".to_owned()),
            (ParamType::Int { min, max }, RawValue::Int(number))
                if (min..=max).contains(&number) =>
            {
                Ok(ParamValue::Int(*number))
            }
            (ParamType::Int { min, max }, _) => {
                wrong(format!("the default is a whole number from {min} to {max}"))
            }
            (ParamType::Choice(choices), RawValue::Text(word)) => {
                let words = choices.iter().map(|(word, _)| word.as_str());
                if words.clone().any(|known| known == word) {
                    Ok(ParamValue::Text(word.clone()))
                } else {
                    let hint = did_you_mean(word, words);
                    Err((format!("{word:?} is not one of the choices"), hint))
                }
            }
            (ParamType::Choice(_), _) => wrong("the default is one of the choices".to_owned()),
            (ParamType::Text { pattern, max_chars }, RawValue::Text(text)) => {
                let fits = pattern.as_ref().is_none_or(|pattern| {
                    regex::Regex::new(&format!("^(?:{pattern})$"))
                        .is_ok_and(|regex| regex.is_match(text))
                });
                if !fits {
                    wrong("the default does not match `match`".to_owned())
                } else if text.chars().count() > usize::from(*max_chars) {
                    wrong(format!("the default is longer than {max_chars} characters"))
                } else {
                    Ok(ParamValue::Text(text.clone()))
                }
            }
            (ParamType::Text { .. }, _) => wrong("the default is a text".to_owned()),
        };
        match fitted {
            Ok(value) => Some(value),
            Err((message, hint)) => {
                self.problem_hint(path, message, hint);
                None
            }
        }
    }
}
