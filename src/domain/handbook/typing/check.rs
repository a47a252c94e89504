//! The type of an expression.

use std::{collections::BTreeSet, ops::Range};

use minijinja::machinery::ast::{self, BinOpKind, CompareOpKind, Expr, UnaryOpKind};

use super::{
    Complaint, Kind, Names, Present, Type, filter::filter_hint, measured, narrow::narrow, plain,
    unit_word,
};
use crate::domain::{
    diagnosis::{FactType, Unit},
    document::{Level, did_you_mean},
};

/// Walks expressions of one text.
pub(super) struct Checker<'n, 's> {
    names: &'n Names,
    source: &'s str,
    pub complaints: Vec<Complaint>,
    /// Names that were used.
    pub used: BTreeSet<String>,
}

impl<'n, 's> Checker<'n, 's> {
    pub(super) fn new(names: &'n Names, source: &'s str) -> Self {
        Self {
            names,
            source,
            complaints: Vec::new(),
            used: BTreeSet::new(),
        }
    }

    pub(super) fn text_of(&self, span: &Range<usize>) -> &'s str {
        self.source.get(span.clone()).unwrap_or_default()
    }

    pub(super) fn source_len(&self) -> usize {
        self.source.len()
    }

    pub(super) fn complain(
        &mut self,
        level: Level,
        span: Range<usize>,
        message: String,
        hint: Option<String>,
    ) {
        self.complaints.push(Complaint {
            level,
            span,
            message,
            hint,
        });
    }

    pub(super) fn error(
        &mut self,
        expr: &Expr<'_>,
        message: String,
        hint: Option<String>,
    ) -> Type<'n> {
        self.complain(Level::Error, span_of(expr), message, hint);
        Type::ANY
    }

    /// The expression's type where it must not be none.
    pub(super) fn solid(&mut self, expr: &Expr<'_>, present: &Present) -> Type<'n> {
        let mut found = self.expr(expr, present);
        if found.may_be_none {
            found.may_be_none = false;
            let text = self.text_of(&span_of(expr)).to_owned();
            let hint = format!("guard it: `{text} is not none and …`");
            self.error(expr, format!("`{text}` may be none here"), Some(hint));
        } else if found.kind == Kind::None {
            return self.error(
                expr,
                "none has no value to work with".to_owned(),
                Some("ask `is none` or `is not none`".to_owned()),
            );
        }
        found
    }

    pub(super) fn need(
        &mut self,
        expr: &Expr<'_>,
        present: &Present,
        kind: Kind,
        for_what: &str,
    ) -> Type<'n> {
        let found = self.solid(expr, present);
        if found.kind.is(kind) {
            return found;
        }
        let text = self.text_of(&span_of(expr));
        let message = format!(
            "{for_what} takes {}, and `{text}` is {}",
            kind.word(),
            found.kind.word()
        );
        let hint = (kind == Kind::Bool && found.kind == Kind::Number)
            .then(|| format!("compare it: `{text} > 0`"));
        self.error(expr, message, hint);
        Type::of(kind)
    }

    /// The expression's type, which may be none.
    pub(super) fn expr(&mut self, expr: &Expr<'_>, present: &Present) -> Type<'n> {
        match expr {
            Expr::Var(var) => self.name(expr, var.id, present),
            Expr::Const(constant) => constant_type(&constant.value),
            Expr::UnaryOp(op) => match op.op {
                UnaryOpKind::Not => self.need(&op.expr, present, Kind::Bool, "`not`"),
                UnaryOpKind::Neg => self.need(&op.expr, present, Kind::Number, "`-`"),
            },
            Expr::BinOp(op) => self.binary(op, present),
            Expr::Compare(chain) => self.chain(chain, present),
            Expr::IfExpr(choice) => self.choice(expr, choice, present),
            Expr::Filter(filter) => self.filter(expr, filter, present),
            Expr::Test(test) => self.test(expr, test, present),
            Expr::List(list) => self.list(&list.items, present),
            Expr::Tuple(tuple) => self.list(&tuple.items, present),
            Expr::Call(_) => self.error(
                expr,
                "there are no functions here".to_owned(),
                Some(filter_hint()),
            ),
            Expr::GetAttr(_) | Expr::GetItem(_) | Expr::Slice(_) | Expr::Map(_) => self.error(
                expr,
                "facts have no parts; `.`, `[…]` and `{…}` are not used here".to_owned(),
                None,
            ),
        }
    }

    fn name(&mut self, expr: &Expr<'_>, id: &str, present: &Present) -> Type<'n> {
        let Some(known) = self.names.get(id) else {
            let hint = did_you_mean(id, self.names.words());
            let message = format!("there is no fact or parameter `{id}`");
            return self.error(expr, message, hint);
        };
        self.used.insert(id.to_owned());
        Type {
            kind: match known.kind {
                FactType::Bool => Kind::Bool,
                FactType::Int | FactType::Float => Kind::Number,
                FactType::Text => Kind::Text,
                FactType::TextList => Kind::List,
            },
            unit: Some(known.unit),
            may_be_none: known.optional && !present.contains(id),
            values: &known.values,
            float: known.kind == FactType::Float,
        }
    }

    fn binary(&mut self, op: &ast::BinOp<'_>, present: &Present) -> Type<'n> {
        match op.op {
            BinOpKind::ScAnd | BinOpKind::ScOr => {
                let and = matches!(op.op, BinOpKind::ScAnd);
                let word = if and { "`and`" } else { "`or`" };
                self.need(&op.left, present, Kind::Bool, word);
                let mut present = present.clone();
                present.extend(narrow(&op.left, and));
                self.need(&op.right, &present, Kind::Bool, word);
                Type::of(Kind::Bool)
            }
            BinOpKind::Eq => self.compare(&op.left, CompareOpKind::Eq, &op.right, present),
            BinOpKind::Ne => self.compare(&op.left, CompareOpKind::Ne, &op.right, present),
            BinOpKind::Lt => self.compare(&op.left, CompareOpKind::Lt, &op.right, present),
            BinOpKind::Lte => self.compare(&op.left, CompareOpKind::Lte, &op.right, present),
            BinOpKind::Gt => self.compare(&op.left, CompareOpKind::Gt, &op.right, present),
            BinOpKind::Gte => self.compare(&op.left, CompareOpKind::Gte, &op.right, present),
            BinOpKind::In => self.compare(&op.left, CompareOpKind::In, &op.right, present),
            BinOpKind::Concat => {
                self.solid(&op.left, present);
                self.solid(&op.right, present);
                Type::of(Kind::Text)
            }
            BinOpKind::Add
            | BinOpKind::Sub
            | BinOpKind::Mul
            | BinOpKind::Div
            | BinOpKind::FloorDiv
            | BinOpKind::Rem
            | BinOpKind::Pow => self.arithmetic(op, present),
        }
    }

    fn arithmetic(&mut self, op: &ast::BinOp<'_>, present: &Present) -> Type<'n> {
        let left = self.need(&op.left, present, Kind::Number, "arithmetic");
        let right = self.need(&op.right, present, Kind::Number, "arithmetic");
        let unit = match op.op {
            BinOpKind::Add | BinOpKind::Sub | BinOpKind::Rem => {
                self.same_unit(&left, &right, &op.right);
                left.unit.or(right.unit)
            }
            BinOpKind::Mul => match (plain(left.unit), plain(right.unit)) {
                (None, unit) | (unit, None) => unit,
                _ => None,
            },
            BinOpKind::Div | BinOpKind::FloorDiv => match (plain(left.unit), plain(right.unit)) {
                (Some(a), Some(b)) if a == b => Some(Unit::Ratio),
                (unit, None) => unit,
                _ => None,
            },
            _ => None,
        };
        Type {
            unit,
            float: left.float || right.float || matches!(op.op, BinOpKind::Div),
            ..Type::of(Kind::Number)
        }
    }

    pub(super) fn same_unit(&mut self, left: &Type<'_>, right: &Type<'_>, at: &Expr<'_>) {
        if let (Some(a), Some(b)) = (measured(left.unit), measured(right.unit))
            && a != b
        {
            let message = format!("{} and {} don't go together", unit_word(a), unit_word(b));
            self.complain(Level::Warning, span_of(at), message, None);
        }
    }

    fn choice(&mut self, expr: &Expr<'_>, choice: &ast::IfExpr<'_>, present: &Present) -> Type<'n> {
        self.need(&choice.test_expr, present, Kind::Bool, "`if`");
        let with = |truth| {
            let mut present = present.clone();
            present.extend(narrow(&choice.test_expr, truth));
            present
        };
        let yes = self.expr(&choice.true_expr, &with(true));
        let Some(otherwise) = &choice.false_expr else {
            let message = "an `if` without an `else` has no value when it doesn't hold".to_owned();
            return self.error(expr, message, Some("add `else ''`".to_owned()));
        };
        let no = self.expr(otherwise, &with(false));
        if !yes.kind.is(no.kind) {
            let message = format!(
                "this is {} or {}, depending",
                yes.kind.word(),
                no.kind.word()
            );
            return self.error(expr, message, Some("give both sides one type".to_owned()));
        }
        Type {
            may_be_none: yes.may_be_none || no.may_be_none,
            float: yes.float || no.float,
            ..yes
        }
    }

    fn list(&mut self, items: &[Expr<'_>], present: &Present) -> Type<'n> {
        for item in items {
            self.solid(item, present);
        }
        Type::of(Kind::List)
    }

    /// The bytes of `word` behind `before`, inside `whole`.
    pub(super) fn word_after(
        &self,
        before: &Expr<'_>,
        word: &str,
        whole: &Expr<'_>,
    ) -> Range<usize> {
        let from = span_of(before).end;
        self.source
            .get(from..)
            .and_then(|rest| rest.find(word))
            .map_or_else(|| span_of(whole), |n| from + n..from + n + word.len())
    }
}

fn constant_type<'n>(value: &minijinja::Value) -> Type<'n> {
    use minijinja::value::ValueKind;
    match value.kind() {
        ValueKind::Bool => Type::of(Kind::Bool),
        ValueKind::Number => Type {
            float: !value.is_integer(),
            ..Type::of(Kind::Number)
        },
        ValueKind::String => Type::of(Kind::Text),
        ValueKind::None => Type::of(Kind::None),
        ValueKind::Seq => Type::of(Kind::List),
        _ => Type::ANY,
    }
}

/// The bytes of the expression in its text.
pub(super) fn span_of(expr: &Expr<'_>) -> Range<usize> {
    let span = expr.span();
    span.start_offset as usize..span.end_offset as usize
}
