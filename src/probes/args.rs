//! A look's arguments, by the types that the probe has declared.

use std::time::Duration;

use indexmap::IndexMap;
use jiff::SignedDuration;

use crate::domain::{
    diagnosis::ProbeSpec,
    handbook::{ArgValue, Args},
};

/// The arguments of one look. The parser of pages fills defaults in and the linter checks types
/// and ranges; what comes from a run's parameters is held to the range here.
pub(super) struct Given<'a> {
    spec: &'static ProbeSpec,
    args: &'a Args,
}

impl<'a> Given<'a> {
    /// `args` for the probe of `spec`.
    pub(super) fn new(spec: &'static ProbeSpec, args: &'a Args) -> Self {
        Self { spec, args }
    }

    /// The whole number `name`.
    pub(super) fn int(&self, name: &str) -> i64 {
        let given = match self.args.get(name) {
            Some(ArgValue::Int(number)) => Some(*number),
            Some(ArgValue::Text(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let number = given
            .or_else(|| self.default(name)?.parse().ok())
            .unwrap_or_default();
        self.within(name, number)
    }

    /// The same as a number of things.
    pub(super) fn count(&self, name: &str) -> usize {
        usize::try_from(self.int(name)).unwrap_or_default()
    }

    /// The length of time `name`.
    pub(super) fn duration(&self, name: &str) -> Duration {
        let given = match self.args.get(name) {
            Some(ArgValue::Duration(duration)) => Some(*duration),
            Some(ArgValue::Text(text)) => parse(text),
            _ => None,
        };
        let millis = given
            .or_else(|| parse(self.default(name)?))
            .map_or(0, |duration| {
                i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
            });
        Duration::from_millis(u64::try_from(self.within(name, millis)).unwrap_or_default())
    }

    /// The text `name`.
    pub(super) fn text(&self, name: &str) -> &'a str {
        match self.args.get(name) {
            Some(ArgValue::Text(text)) => text,
            _ => self.default(name).unwrap_or_default(),
        }
    }

    /// The patterns `name`; none when it was left out.
    pub(super) fn patterns(&self, name: &str) -> Option<&'a IndexMap<String, String>> {
        match self.args.get(name) {
            Some(ArgValue::Patterns(patterns)) => Some(patterns),
            _ => None,
        }
    }

    fn default(&self, name: &str) -> Option<&'static str> {
        self.spec.args.iter().find(|arg| arg.name == name)?.default
    }

    fn within(&self, name: &str, number: i64) -> i64 {
        let range = self.spec.args.iter().find(|arg| arg.name == name);
        match range.and_then(|arg| arg.range) {
            Some((least, most)) => number.clamp(least, most),
            None => number,
        }
    }
}

fn parse(text: &str) -> Option<Duration> {
    let duration: SignedDuration = text.trim().parse().ok()?;
    Duration::try_from(duration).ok()
}
