//! Secrets and personal data are cut out of whatever is stored or shown.
//!
//! - `exact`: the configuration's own secrets, wherever they stand and in the forms that they take
//!   on the way (percent-encoded, base64, JSON)
//! - `patterns`: what looks like a secret or like personal data
//!
//! A pattern is compiled at the first text that has one of its trigger words, so that a run
//! whose texts are harmless pays for none.

mod exact;
mod patterns;

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use super::{
    diagnosis::{CheckResult, Ranked, Report, Value},
    text::Text,
};
use exact::Exact;

/// What stands where a secret stood.
pub const MARK: &str = "[secret]";

/// Cuts secrets and personal data out of texts. Clones share what they know.
#[derive(Clone, Default)]
pub struct Redactor {
    exact: Arc<RwLock<Exact>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Knows `secrets` by their value, beside everything that looks like one.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let redactor = Self::default();
        redactor.learn(secrets);
        redactor
    }

    /// Knows `secrets`, too, and so do its clones; those of before are not forgotten, since logs still
    /// show them.
    pub fn learn<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) {
        let mut exact = self.exact.write().unwrap_or_else(PoisonError::into_inner);
        exact.add(secrets);
    }

    /// `text` without what must not be seen.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        self.cleaned(text).into_owned()
    }

    /// The same in place; nothing is copied when there is nothing to cut.
    pub fn clean_in_place(&self, text: &mut String) {
        if let Cow::Owned(cleaned) = self.cleaned(text) {
            *text = cleaned;
        }
    }

    fn cleaned<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let exact = self.exact.read().unwrap_or_else(PoisonError::into_inner);
        match exact.clean(text) {
            Cow::Borrowed(text) => patterns::clean(text),
            Cow::Owned(text) => Cow::Owned(patterns::clean(&text).into_owned()),
        }
    }

    /// The same for every text of a report that came from outside.
    pub fn clean_report(&self, report: &mut Report) {
        for check in &mut report.checks {
            self.clean_result(check);
        }
        for Ranked { say, .. } in report
            .root_causes
            .iter_mut()
            .chain(&mut report.consequences)
        {
            self.clean_text(say);
        }
    }

    /// The same for one check's result, on its way to the chat before the report.
    pub fn clean_result(&self, check: &mut CheckResult) {
        self.clean_text(&mut check.say);
        self.clean_in_place(&mut check.evidence);
        for value in check.facts.values_mut() {
            self.clean_value(value);
        }
    }

    fn clean_text(&self, text: &mut Text) {
        self.clean_in_place(&mut text.en);
        self.clean_in_place(&mut text.zh);
    }

    fn clean_value(&self, value: &mut Value) {
        match value {
            Value::Text(text) => self.clean_in_place(text),
            Value::List(values) => {
                for value in values {
                    self.clean_value(value);
                }
            }
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
