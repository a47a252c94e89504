//! Whole conditions and sentences.

use std::collections::BTreeSet;

use minijinja::machinery::{
    self,
    ast::{Expr, Stmt},
};

use super::{
    Complaint, Kind, Names, Present, Type,
    check::{Checker, span_of},
    filter::filter_for,
    measured,
    narrow::narrow,
};
use crate::domain::{
    document::Level,
    handbook::{SyntaxError, filters},
};

/// About how many characters a value takes in a sentence.
const VALUE_CHARS: usize = 12;

/// What is known of a condition or a sentence.
#[derive(Debug, Default)]
pub(in crate::domain::handbook) struct Checked {
    pub complaints: Vec<Complaint>,
    /// Facts and parameters that it uses.
    pub used: BTreeSet<String>,
    /// Names that can't be none when it holds, and when it doesn't.
    pub when_true: Present,
    pub when_false: Present,
    /// The answer, if it is always the same.
    pub always: Option<bool>,
    /// About how many characters a sentence has.
    pub chars: usize,
}

impl Checked {
    fn broken(error: SyntaxError) -> Self {
        let complaint = Complaint {
            level: Level::Error,
            span: error.span,
            message: error.message,
            hint: None,
        };
        Self {
            complaints: vec![complaint],
            ..Self::default()
        }
    }
}

/// Checks a `when`: its names, its types, and that it answers yes or no.
pub(in crate::domain::handbook) fn condition(
    names: &Names,
    present: &Present,
    source: &str,
) -> Checked {
    if let Some(error) = SyntaxError::too_large(source, true) {
        return Checked::broken(error);
    }
    let expr = match machinery::parse_expr(source) {
        Ok(expr) => expr,
        Err(error) => return Checked::broken(SyntaxError::of(&error, source)),
    };
    let mut checker = Checker::new(names, source);
    checker.need(&expr, present, Kind::Bool, "a condition");
    Checked {
        complaints: checker.complaints,
        used: checker.used,
        when_true: narrow(&expr, true),
        when_false: narrow(&expr, false),
        always: expr.as_const().map(|value| value.is_true()),
        chars: 0,
    }
}

/// Checks one language of a sentence: its names, its types, and how its values are written.
pub(in crate::domain::handbook) fn sentence(
    names: &Names,
    present: &Present,
    source: &str,
) -> Checked {
    if let Some(error) = SyntaxError::too_large(source, false) {
        return Checked::broken(error);
    }
    let parsed = machinery::parse(
        source,
        "<sentence>",
        filters::environment().syntax().clone(),
    );
    let template = match parsed {
        Ok(template) => template,
        Err(error) => return Checked::broken(SyntaxError::of(&error, source)),
    };
    let mut checker = Checker::new(names, source);
    let chars = statement(&mut checker, &template, present);
    Checked {
        complaints: checker.complaints,
        used: checker.used,
        chars,
        ..Checked::default()
    }
}

/// Checks a statement and gives about how many characters it writes.
fn statement(checker: &mut Checker<'_, '_>, stmt: &Stmt<'_>, present: &Present) -> usize {
    let all = |checker: &mut Checker<'_, '_>, body: &[Stmt<'_>], present: &Present| {
        body.iter()
            .map(|stmt| statement(checker, stmt, present))
            .sum::<usize>()
    };
    match stmt {
        Stmt::Template(template) => all(checker, &template.children, present),
        Stmt::EmitRaw(raw) => raw.raw.chars().count(),
        Stmt::EmitExpr(emit) => {
            printed(checker, &emit.expr, present);
            VALUE_CHARS
        }
        Stmt::IfCond(cond) => {
            checker.need(&cond.expr, present, Kind::Bool, "`if`");
            let with = |truth| {
                let mut present = present.clone();
                present.extend(narrow(&cond.expr, truth));
                present
            };
            let yes = all(checker, &cond.true_body, &with(true));
            let no = all(checker, &cond.false_body, &with(false));
            yes.max(no)
        }
        _ => {
            let message = "a sentence has only {{ … }} and {% if %} … {% endif %}".to_owned();
            let whole = 0..checker.source_len();
            checker.complain(Level::Error, whole, message, None);
            0
        }
    }
}

/// A value that is written as it is should be one that reads well.
fn printed(checker: &mut Checker<'_, '_>, expr: &Expr<'_>, present: &Present) {
    let Type {
        kind, unit, float, ..
    } = checker.solid(expr, present);
    let span = span_of(expr);
    let text = checker.text_of(&span).to_owned();
    match (kind, measured(unit).and_then(filter_for)) {
        (Kind::Number, Some(filter)) => {
            let message = format!("`{text}` is written without its unit");
            let hint = Some(format!("write `{text} | {filter}`"));
            checker.complain(Level::Warning, span, message, hint);
        }
        (Kind::Number, None) if float => {
            let message = format!("`{text}` may have many places");
            let hint = Some(format!("write `{text} | number`"));
            checker.complain(Level::Warning, span, message, hint);
        }
        (Kind::Bool, _) => {
            let message = format!("`{text}` is written as true or false, in both languages");
            let hint = Some(format!("write `{{{{ 'words' if {text} else 'others' }}}}`"));
            checker.complain(Level::Warning, span, message, hint);
        }
        _ => {}
    }
}
