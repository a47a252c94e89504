//! What can't be none any more once something was asked.

use minijinja::machinery::ast::{BinOpKind, Expr, UnaryOpKind};

use super::Present;

/// Whether this is the word `none`.
pub(super) fn is_none(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::Const(constant) if constant.value.is_none())
}

/// The names that can't be none when `expr` turns out as `truth`.
pub(super) fn narrow(expr: &Expr<'_>, truth: bool) -> Present {
    match expr {
        Expr::Test(test) if test.name == "none" && !truth => named(&test.expr),
        Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => narrow(&op.expr, !truth),
        Expr::BinOp(op) => {
            let both = || (narrow(&op.left, truth), narrow(&op.right, truth));
            match (op.op, truth) {
                (BinOpKind::ScAnd, true) | (BinOpKind::ScOr, false) => {
                    let (a, b) = both();
                    a.union(&b).cloned().collect()
                }
                (BinOpKind::ScAnd, false) | (BinOpKind::ScOr, true) => {
                    let (a, b) = both();
                    a.intersection(&b).cloned().collect()
                }
                (BinOpKind::Eq, false) | (BinOpKind::Ne, true) if is_none(&op.right) => {
                    named(&op.left)
                }
                (BinOpKind::Eq, false) | (BinOpKind::Ne, true) if is_none(&op.left) => {
                    named(&op.right)
                }
                _ => Present::new(),
            }
        }
        _ => Present::new(),
    }
}

fn named(expr: &Expr<'_>) -> Present {
    match expr {
        Expr::Var(var) => Present::from([var.id.to_owned()]),
        _ => Present::new(),
    }
}
