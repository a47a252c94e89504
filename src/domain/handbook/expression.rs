//! Conditions and sentences: minijinja, strict, over facts and parameters.
//!
//! Only their text is kept. Each is compiled when it is asked, which costs microseconds, where all of a handbook's
//! together, compiled, would hold more memory than the rest of an idle bot. Names that neither facts nor parameters have
//! are errors, never an empty text.

use std::{fmt, ops::Range, sync::Arc};

use minijinja::{Expression, Value as JinjaValue};

use crate::domain::{
    diagnosis::{Facts, Value},
    text::{Lang, Text},
};

use super::{ParamValue, Params, filters};

/// Longest condition or sentence in one language, in bytes. Discord's largest text, an embed's
/// description, has 4,096 characters; a condition of that length can't be read either.
pub const MAX_EXPRESSION_BYTES: usize = 4096;

/// Most words and signs of a condition, or of one language of a sentence. The parser descends for
/// each `not`, `-` and operator; so many fit on any thread's stack.
pub const MAX_EXPRESSION_TOKENS: usize = 300;

/// What a condition or a sentence can name.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The facts of the check's own look.
    pub facts: &'a Facts,
    /// The parameters of the run.
    pub params: &'a Params,
}

impl Scope<'_> {
    fn context(self) -> JinjaValue {
        let facts = self.facts.iter().map(|(name, value)| (name, fact(value)));
        let params = self.params.iter().map(|(name, value)| (name, param(value)));
        JinjaValue::from_pairs(
            facts
                .chain(params)
                .map(|(name, value)| (name.as_str(), value)),
        )
    }
}

fn fact(value: &Value) -> JinjaValue {
    match value {
        Value::None => JinjaValue::from(()),
        Value::Bool(v) => JinjaValue::from(*v),
        Value::Int(v) => JinjaValue::from(*v),
        Value::Float(v) => JinjaValue::from(*v),
        Value::Text(v) => JinjaValue::from(v.as_str()),
        Value::List(values) => values.iter().map(fact).collect(),
    }
}

fn param(value: &ParamValue) -> JinjaValue {
    match value {
        ParamValue::Bool(v) => JinjaValue::from(*v),
        ParamValue::Int(v) => JinjaValue::from(*v),
        ParamValue::Text(v) => JinjaValue::from(v.as_str()),
    }
}

/// Why an expression could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvalError(pub String);

impl EvalError {
    fn of(error: &minijinja::Error) -> Self {
        // Without `Display`'s template excerpt: this stands in one line of a report.
        Self(match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        })
    }
}

/// Why a text is no condition and no sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the text; empty range at its beginning when nobody knows.
    pub span: Range<usize>,
}

impl SyntaxError {
    pub(super) fn of(error: &minijinja::Error, source: &str) -> Self {
        let detail = error
            .detail()
            .map_or_else(|| error.kind().to_string(), str::to_owned);
        let message = match detail.strip_prefix("unexpected end of input") {
            Some(rest) => format!("the text breaks off{rest}"),
            None => detail,
        };
        let span = error.range().unwrap_or(0..source.len());
        Self { message, span }
    }

    /// Whether `source` is beyond what is parsed at all; asked before any parsing.
    pub(super) fn too_large(source: &str, in_expression: bool) -> Option<Self> {
        let whole = |message: String| Self {
            message,
            span: 0..source.len(),
        };
        if source.len() > MAX_EXPRESSION_BYTES {
            return Some(whole(format!(
                "{} bytes are too long to be read; at most {MAX_EXPRESSION_BYTES}",
                source.len()
            )));
        }
        let syntax = filters::environment().syntax().clone();
        let tokens = minijinja::machinery::tokenize(source, in_expression, syntax);
        // An error ends the tokens; the parser will say what it is.
        let count = tokens
            .take_while(Result::is_ok)
            .take(MAX_EXPRESSION_TOKENS + 1)
            .count();
        (count > MAX_EXPRESSION_TOKENS).then(|| {
            whole(format!(
                "more than {MAX_EXPRESSION_TOKENS} words and signs; say it in several rules"
            ))
        })
    }
}

/// A `when`.
#[derive(Clone)]
pub struct Condition {
    source: Arc<str>,
}

impl Condition {
    /// Sees that `source` is one. Its names and types are the linter's matter.
    ///
    /// # Errors
    /// It is no expression.
    pub fn parse(source: &str) -> Result<Self, SyntaxError> {
        if let Some(error) = SyntaxError::too_large(source, true) {
            return Err(error);
        }
        Self::compile(source)?;
        Ok(Self::known(source))
    }

    /// The condition of a page that is known to be sound.
    pub(super) fn known(source: &str) -> Self {
        Self {
            source: source.into(),
        }
    }

    fn compile(source: &str) -> Result<Expression<'static, 'static>, SyntaxError> {
        filters::environment()
            .compile_expression_owned(source.to_owned())
            .map_err(|error| SyntaxError::of(&error, source))
    }

    /// As the page has it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// A name that neither facts nor parameters have, operands that have no such operation, or an
    /// answer that is neither true nor false.
    pub fn holds(&self, scope: Scope<'_>) -> Result<bool, EvalError> {
        let answer = Self::compile(&self.source)
            .map_err(|error| EvalError(error.message))?
            .eval(scope.context())
            .map_err(|error| EvalError::of(&error))?;
        if answer.kind() == minijinja::value::ValueKind::Bool {
            return Ok(answer.is_true());
        }
        Err(EvalError(format!(
            "{} is neither true nor false but a {}",
            self.source,
            answer.kind()
        )))
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source).finish()
    }
}

/// A bilingual sentence with facts in it.
#[derive(Clone)]
pub struct Sentence {
    source: Arc<Text>,
}

impl Sentence {
    /// Sees that both languages of `source` are templates. Their names and types are the linter's matter.
    ///
    /// # Errors
    /// The first language whose text is no template, with what is wrong in it.
    pub fn parse(source: &Text) -> Result<Self, (Lang, SyntaxError)> {
        for lang in [Lang::En, Lang::Zh] {
            let text = source.get(lang);
            if let Some(error) = SyntaxError::too_large(text, false) {
                return Err((lang, error));
            }
            // Only a template that an environment owns can be compiled and not rendered.
            let mut environment = filters::environment().clone();
            environment
                .add_template_owned(lang.code(), text.to_owned())
                .map_err(|error| (lang, SyntaxError::of(&error, text)))?;
        }
        Ok(Self::known(source.clone()))
    }

    /// The sentence of a page that is known to be sound.
    pub(super) fn known(source: Text) -> Self {
        Self {
            source: Arc::new(source),
        }
    }

    /// As the page has it.
    #[must_use]
    pub fn source(&self) -> &Text {
        &self.source
    }

    /// The sentence in both languages, facts filled in.
    ///
    /// # Errors
    /// As [`Condition::holds`].
    pub fn say(&self, scope: Scope<'_>) -> Result<Text, EvalError> {
        let context = scope.context();
        // The template's name tells the filters which language's units to write.
        let say = |lang: Lang| {
            filters::environment()
                .render_named_str(lang.code(), self.source.get(lang), context.clone())
                .map_err(|error| EvalError::of(&error))
        };
        Ok(Text::new(say(Lang::En)?, say(Lang::Zh)?))
    }
}

impl fmt::Debug for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sentence").field(&self.source).finish()
    }
}
