//! The parameters of a run: from words to values that fit the page.

use indexmap::IndexMap;

use crate::domain::{
    handbook::{Param, ParamType, ParamValue, Params},
    text::Text,
};

/// Parameters as they were typed, by name.
pub type RawParams = IndexMap<String, String>;

/// Why a parameter does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadParam {
    /// Its name.
    pub name: String,
    /// What is wrong, and what would be right.
    pub say: Text,
}

/// Fits `raw` to what the page declares: defaults filled in, types, bounds and patterns checked.
///
/// # Errors
/// Every parameter that does not fit, each with its reason.
pub fn parse_params(declared: &[Param], raw: &RawParams) -> Result<Params, Vec<BadParam>> {
    let mut params = Params::new();
    let mut bad = Vec::new();
    for name in raw
        .keys()
        .filter(|name| declared.iter().all(|param| param.name != **name))
    {
        bad.push(unknown(declared, name));
    }
    for param in declared {
        let value = match raw.get(&param.name) {
            Some(text) => fit(param, text),
            None => param.default.clone().ok_or_else(|| {
                Text::new(
                    format!("{} must be given: {}", param.name, param.say.en),
                    format!("必须给出 {}：{}", param.name, param.say.zh),
                )
            }),
        };
        match value {
            Ok(value) => {
                params.insert(param.name.clone(), value);
            }
            Err(say) => bad.push(BadParam {
                name: param.name.clone(),
                say,
            }),
        }
    }
    if bad.is_empty() { Ok(params) } else { Err(bad) }
}

fn unknown(declared: &[Param], name: &str) -> BadParam {
    let names: Vec<&str> = declared.iter().map(|param| param.name.as_str()).collect();
    let say = if names.is_empty() {
        Text::new(
            format!("this page takes no parameters, so not {name}"),
            format!("该手册页没有参数，因此也没有 {name}"),
        )
    } else {
        Text::new(
            format!(
                "there is no parameter {name}; there are: {}",
                names.join(", ")
            ),
            format!("没有参数 {name}；可用的有：{}", names.join("、")),
        )
    };
    BadParam {
        name: name.to_owned(),
        say,
    }
}

fn fit(param: &Param, text: &str) -> Result<ParamValue, Text> {
    let name = &param.name;
    match &param.kind {
        ParamType::Bool => text.parse().map(ParamValue::Bool).map_err(|_| {
            Text::new(
                format!("{name} is true or false, not {text:?}"),
                format!("{name} 应为 true 或 false，而不是 {text:?}"),
            )
        }),
        ParamType::Int { min, max } => text
            .parse()
            .ok()
            .filter(|number| (min..=max).contains(&number))
            .map(ParamValue::Int)
            .ok_or_else(|| {
                Text::new(
                    format!("{name} is a whole number from {min} to {max}, not {text:?}"),
                    format!("{name} 应为 {min} 到 {max} 之间的整数，而不是 {text:?}"),
                )
            }),
        ParamType::Choice(choices) => {
            if choices.iter().any(|(word, _)| word == text) {
                return Ok(ParamValue::Text(text.to_owned()));
            }
            let words: Vec<&str> = choices.iter().map(|(word, _)| word.as_str()).collect();
            Err(Text::new(
                format!("{name} is one of {}, not {text:?}", words.join(", ")),
                format!("{name} 应为 {} 之一，而不是 {text:?}", words.join("、")),
            ))
        }
        ParamType::Text { pattern, max_chars } => {
            fit_text(name, text, pattern.as_deref(), *max_chars)
        }
    }
}

fn fit_text(
    name: &str,
    text: &str,
    pattern: Option<&str>,
    max_chars: u16,
) -> Result<ParamValue, Text> {
    let length = text.chars().count();
    if length > usize::from(max_chars) {
        return Err(Text::new(
            format!("{name} has {length} characters; at most {max_chars} are allowed"),
            format!("{name} 有 {length} 个字符；最多允许 {max_chars} 个"),
        ));
    }
    let fits = pattern.is_none_or(|pattern| {
        regex::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(text))
    });
    if fits {
        Ok(ParamValue::Text(text.to_owned()))
    } else {
        let pattern = pattern.unwrap_or_default();
        Err(Text::new(
            format!("{name} must match {pattern}, which {text:?} does not"),
            format!("{name} 必须匹配 {pattern}，而 {text:?} 不匹配"),
        ))
    }
}
