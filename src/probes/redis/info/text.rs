//! The text that INFO answers.

use std::collections::HashMap;

use redis::Value;

use crate::probes::redis::words::text_of;

/// INFO's fields by name. <https://redis.io/docs/latest/commands/info/>
pub(in crate::probes::redis) struct InfoText {
    fields: HashMap<String, String>,
}

impl InfoText {
    /// The fields in an answer; lines that are none are skipped.
    pub(in crate::probes::redis) fn of(answer: Value) -> Self {
        let text = text_of(answer).unwrap_or_default();
        let fields = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim_end().to_owned()))
            .collect();
        Self { fields }
    }

    /// Whether it holds nothing: not what INFO answers.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The field `name` as it stands.
    pub(in crate::probes::redis) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The field `name` as a whole number.
    pub(in crate::probes::redis) fn int(&self, name: &str) -> Option<i64> {
        let text = self.text(name)?;
        text.parse()
            .ok()
            .or_else(|| text.parse::<u64>().ok().map(|_| i64::MAX))
    }

    /// The field `name` as a number, with or without a percent sign.
    pub(in crate::probes::redis) fn float(&self, name: &str) -> Option<f64> {
        self.text(name)?.trim_end_matches('%').parse().ok()
    }

    /// The field `name`, which is 0 or 1.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.int(name).is_some_and(|number| number != 0)
    }

    /// Whether the field `name` says `ok`; a field that is not there says nothing bad.
    pub(super) fn is_ok(&self, name: &str) -> bool {
        self.text(name).is_none_or(|said| said == "ok")
    }

    /// All fields whose names begin with `prefix`, without it, each value split at commas into
    /// names and values.
    pub(super) fn family<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, HashMap<&'a str, &'a str>)> {
        self.fields.iter().filter_map(move |(name, value)| {
            let rest = name.strip_prefix(prefix)?;
            let parts = value.split(',').filter_map(|part| part.split_once('='));
            Some((rest, parts.collect()))
        })
    }
}

/// A number among the parts of a family's member; 0 when it is not there.
pub(super) fn part(parts: &HashMap<&str, &str>, name: &str) -> f64 {
    parts
        .get(name)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0.0)
}
