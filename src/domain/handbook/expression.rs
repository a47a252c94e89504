//! Conditions and sentences: minijinja, strict, over facts and parameters.

use crate::domain::{
    diagnosis::Facts,
    text::{Lang, Text},
};

use super::Params;

/// What a condition or a sentence can name.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The facts of the check's own look.
    pub facts: &'a Facts,
    /// The parameters of the run.
    pub params: &'a Params,
}

/// Why an expression could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvalError(pub String);

/// A `when`.
#[derive(Clone, Debug)]
pub struct Condition {
    source: String,
}

impl Condition {
    /// As the page has it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// A name that neither facts nor parameters have, or types that don't go together.
    pub fn holds(&self, _scope: Scope<'_>) -> Result<bool, EvalError> {
        Err(EvalError(self.source.clone()))
    }
}

/// A bilingual sentence with facts in it.
#[derive(Clone, Debug)]
pub struct Sentence {
    source: Text,
}

impl Sentence {
    /// As the page has it.
    #[must_use]
    pub fn source(&self) -> &Text {
        &self.source
    }

    /// The sentence in both languages, facts filled in.
    ///
    /// # Errors
    /// As [`Condition::holds`].
    pub fn say(&self, _scope: Scope<'_>) -> Result<Text, EvalError> {
        let _ = Lang::En;
        Err(EvalError(self.source.en.clone()))
    }
}
