//! A probe's arguments.

use indexmap::IndexMap;

use super::{Path, Reader};
use crate::domain::{
    diagnosis::{ArgSpec, ArgType, ProbeSpec},
    document::did_you_mean,
    duration,
    handbook::{ArgValue, Args, Param, ParamType, raw::RawArg},
};

/// Most patterns of one argument: each is tried on each line of a log.
const MOST_PATTERNS: usize = 32;
/// Longest regular expression, in bytes.
const PATTERN_BYTES: usize = 512;
/// Largest compiled regular expression, in bytes; `\w{1000}{1000}` would take gigabytes.
const COMPILED_PATTERN_BYTES: usize = 1024 * 1024;

impl Reader<'_> {
    /// The arguments in the probe's order, defaults filled in.
    pub(super) fn args(
        &mut self,
        raw: &IndexMap<String, RawArg>,
        spec: &ProbeSpec,
        params: &[Param],
        check: &Path,
    ) -> Args {
        let path = check.key("args");
        for name in raw.keys() {
            if spec.args.iter().all(|arg| arg.name != name) {
                let hint = did_you_mean(name, spec.args.iter().map(|arg| arg.name));
                let message = format!("{} has no argument `{name}`", spec.name);
                let place = path.key(name);
                self.push(self.document.key_problem(&place, message).maybe_hint(hint));
            }
        }
        self.placeholders(raw, spec, &path);
        let mut args = Args::new();
        for arg in spec.args {
            let value = match raw.get(arg.name) {
                Some(given) => self.arg(given, arg, params, &path.key(arg.name)),
                None => self.default_arg(arg, spec, &path),
            };
            if let Some(value) = value {
                args.insert(arg.name.to_owned(), value);
            }
        }
        args
    }

    fn default_arg(&mut self, arg: &ArgSpec, spec: &ProbeSpec, path: &Path) -> Option<ArgValue> {
        match (arg.kind, arg.default) {
            (ArgType::Patterns, _) => Some(ArgValue::Patterns(IndexMap::new())),
            (ArgType::Values, _) => Some(ArgValue::Values(Args::new())),
            (ArgType::Int, Some(text)) => text.parse().ok().map(ArgValue::Int),
            (ArgType::Duration, Some(text)) => duration::parse(text).ok().map(ArgValue::Duration),
            (ArgType::Text | ArgType::Query, Some(text)) => Some(ArgValue::Text(text.to_owned())),
            (_, None) | (ArgType::Columns, _) => {
                let message = format!("{} needs the argument `{}`", spec.name, arg.name);
                self.problem_hint(path, message, Some(arg.meaning.to_owned()));
                None
            }
        }
    }

    fn arg(
        &mut self,
        given: &RawArg,
        arg: &ArgSpec,
        params: &[Param],
        path: &Path,
    ) -> Option<ArgValue> {
        if let RawArg::Text(text) = given
            && text.contains("{{")
            && arg.kind != ArgType::Query
        {
            return self.param_arg(text, arg, params, path);
        }
        match (arg.kind, given) {
            (ArgType::Int, RawArg::Int(number)) => self
                .in_range(*number, arg, path)
                .then_some(ArgValue::Int(*number)),
            (ArgType::Text, RawArg::Text(text)) => Some(ArgValue::Text(text.clone())),
            (ArgType::Query, RawArg::Text(text)) => self.query(text, path),
            (ArgType::Duration, RawArg::Text(text)) => {
                let length = self.duration(Some(text), path)?;
                let ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
                self.in_range(ms, arg, path)
                    .then_some(ArgValue::Duration(length))
            }
            (ArgType::Patterns, RawArg::Patterns(patterns)) => self.patterns(patterns, path),
            (ArgType::Values, RawArg::Patterns(values)) => self.values(values, params, path),
            (ArgType::Columns, RawArg::Patterns(columns)) => self.columns(columns, path),
            (kind, _) => {
                let expected = match kind {
                    ArgType::Int => "a whole number",
                    ArgType::Text => "a text",
                    ArgType::Duration => "a length of time, as in \"10m\"",
                    ArgType::Patterns => "a table of names and regular expressions",
                    ArgType::Query => "a SELECT statement",
                    ArgType::Values => "a table of placeholders and their values",
                    ArgType::Columns => "a table of columns and what they are",
                };
                let message = format!("`{}` is {expected}", arg.name);
                self.problem_hint(path, message, Some(arg.meaning.to_owned()));
                None
            }
        }
    }

    fn in_range(&mut self, number: i64, arg: &ArgSpec, path: &Path) -> bool {
        let Some((least, most)) = arg.range else {
            return true;
        };
        let fits = (least..=most).contains(&number);
        if !fits {
            let write = |number: i64| match arg.kind {
                ArgType::Duration => duration::write(std::time::Duration::from_millis(
                    u64::try_from(number).unwrap_or_default(),
                )),
                _ => number.to_string(),
            };
            let message = format!(
                "`{}` is from {} to {}, not {}",
                arg.name,
                write(least),
                write(most),
                write(number)
            );
            self.problem(path, message);
        }
        fits
    }

    /// `"{{ name }}"`: a parameter of the page, whose every value must fit the argument.
    pub(super) fn param_arg(
        &mut self,
        text: &str,
        arg: &ArgSpec,
        params: &[Param],
        path: &Path,
    ) -> Option<ArgValue> {
        let name = text
            .trim()
            .strip_prefix("{{")
            .and_then(|text| text.strip_suffix("}}"))
            .map(str::trim);
        let Some(name) = name.filter(|name| !name.contains(['{', '}', ' '])) else {
            let hint = "as in \"{{ name }}\"".to_owned();
            self.problem_hint(path, "a parameter stands alone in an argument", Some(hint));
            return None;
        };
        let Some(param) = params.iter().find(|param| param.name == name) else {
            let hint = did_you_mean(name, params.iter().map(|param| param.name.as_str()));
            self.problem_hint(path, format!("the page has no parameter `{name}`"), hint);
            return None;
        };
        self.used_params.insert(name.to_owned());
        let wrong = match (arg.kind, &param.kind) {
            (ArgType::Int, ParamType::Int { min, max }) => arg
                .range
                .filter(|(least, most)| min < least || max > most)
                .map(|(least, most)| {
                    format!(
                        "`{}` is from {least} to {most}, and `{name}` from {min} to {max}",
                        arg.name
                    )
                }),
            (ArgType::Text, ParamType::Text { .. } | ParamType::Choice(_)) => None,
            (ArgType::Int, _) => Some(format!("`{}` takes an integer parameter", arg.name)),
            (ArgType::Text, _) => Some(format!("`{}` takes a string or a choice", arg.name)),
            (_, _) => Some(format!("`{}` can't be a parameter", arg.name)),
        };
        match wrong {
            Some(message) => {
                self.problem(path, message);
                None
            }
            None => Some(ArgValue::Param(name.to_owned())),
        }
    }

    fn patterns(&mut self, patterns: &IndexMap<String, String>, path: &Path) -> Option<ArgValue> {
        if patterns.len() > MOST_PATTERNS {
            let message = format!("{} patterns; at most {MOST_PATTERNS}", patterns.len());
            self.problem(path, message);
        }
        let mut sound = true;
        for (name, pattern) in patterns {
            let path = path.key(name);
            sound &= self.snake(name, &path);
            sound &= self.regex(pattern, &path).is_some();
        }
        sound.then(|| ArgValue::Patterns(patterns.clone()))
    }

    /// A name after which facts are named.
    pub(super) fn snake(&mut self, name: &str, path: &Path) -> bool {
        let mut bytes = name.bytes();
        let snake = bytes.next().is_some_and(|b| b.is_ascii_lowercase())
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !snake {
            let message = format!("{name:?} is not snake_case: facts are named after it");
            self.push(self.document.key_problem(path, message));
        }
        snake
    }

    /// A regular expression that compiles within bounds.
    pub(super) fn regex(&mut self, pattern: &str, path: &Path) -> Option<()> {
        if self.known {
            return Some(());
        }
        if pattern.len() > PATTERN_BYTES {
            let message = format!(
                "{} bytes; a pattern has at most {PATTERN_BYTES}",
                pattern.len()
            );
            self.problem(path, message);
            return None;
        }
        let built = regex::RegexBuilder::new(pattern)
            .size_limit(COMPILED_PATTERN_BYTES)
            .build();
        match built {
            Ok(_) => Some(()),
            Err(error) => {
                // The library draws its own caret over several lines; its last one says what.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or(&text);
                let what = last.trim().trim_start_matches("error: ");
                self.problem(path, format!("this is no regular expression: {what}"));
                None
            }
        }
    }
}
