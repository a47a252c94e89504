//! What can be compared with what.

use minijinja::machinery::ast::{self, CompareOpKind, Expr};

use super::{
    Kind, Present, Type,
    check::{Checker, span_of},
    narrow::is_none,
};
use crate::domain::document::did_you_mean;

impl<'n> Checker<'n, '_> {
    pub(super) fn chain(&mut self, chain: &ast::Compare<'_>, present: &Present) -> Type<'n> {
        let mut left = &chain.expr;
        for op in &chain.ops {
            self.compare(left, op.op, &op.expr, present);
            left = &op.expr;
        }
        Type::of(Kind::Bool)
    }

    pub(super) fn compare(
        &mut self,
        left: &Expr<'_>,
        op: CompareOpKind,
        right: &Expr<'_>,
        present: &Present,
    ) -> Type<'n> {
        let answer = Type::of(Kind::Bool);
        let equality = matches!(op, CompareOpKind::Eq | CompareOpKind::Ne);
        if equality && (is_none(left) || is_none(right)) {
            self.expr(left, present);
            self.expr(right, present);
            return answer;
        }
        let a = self.solid(left, present);
        let b = self.solid(right, present);
        if matches!(op, CompareOpKind::In | CompareOpKind::NotIn) {
            self.membership(left, &a, right, &b);
            return answer;
        }
        if !a.kind.is(b.kind) {
            let message = format!(
                "`{}` is {} and `{}` is {}: they can't be compared",
                self.text_of(&span_of(left)),
                a.kind.word(),
                self.text_of(&span_of(right)),
                b.kind.word()
            );
            self.error(right, message, None);
            return answer;
        }
        if !equality && !(a.kind.is(Kind::Number)) {
            let message = format!("{} has no greater and no less", a.kind.word());
            let hint = "only numbers have an order; use `==`, `!=` or `in`".to_owned();
            self.error(left, message, Some(hint));
            return answer;
        }
        self.same_unit(&a, &b, right);
        self.can_be(&a, right);
        self.can_be(&b, left);
        answer
    }

    /// `literal` must be one of the texts that the other side can be.
    pub(super) fn can_be(&mut self, side: &Type<'_>, literal: &Expr<'_>) {
        if side.values.is_empty() {
            return;
        }
        if let Expr::Const(constant) = literal
            && let Some(text) = constant.value.as_str()
            && !side.values.iter().any(|value| value == text)
        {
            let words = side.values.iter().map(String::as_str);
            let hint = did_you_mean(text, words.clone()).or_else(|| {
                Some(format!(
                    "it is one of: {}",
                    words.collect::<Vec<_>>().join(", ")
                ))
            });
            self.error(literal, format!("it can never be {text:?}"), hint);
        }
    }

    fn membership(&mut self, left: &Expr<'_>, a: &Type<'_>, right: &Expr<'_>, b: &Type<'_>) {
        let items = match right {
            Expr::List(list) => Some(&list.items),
            Expr::Tuple(tuple) => Some(&tuple.items),
            _ => None,
        };
        if let Some(items) = items {
            for item in items {
                let kind = self.expr(item, &Present::new()).kind;
                if !kind.is(a.kind) {
                    let message =
                        format!("{} in this list is never {}", kind.word(), a.kind.word());
                    self.error(item, message, None);
                }
                self.can_be(a, item);
            }
            return;
        }
        if !matches!(b.kind, Kind::List | Kind::Text | Kind::Any) {
            let message = format!(
                "`in` looks into a list or a text, not into {}",
                b.kind.word()
            );
            self.error(right, message, None);
        } else if !a.kind.is(Kind::Text) {
            let message = format!("`in` looks for a text here, not for {}", a.kind.word());
            self.error(left, message, None);
        }
    }
}
