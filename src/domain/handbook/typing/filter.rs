//! Filters and tests.

use minijinja::machinery::ast::{self, Expr};

use super::{
    Kind, Present, Type,
    check::{Checker, span_of},
    measured, unit_word,
};
use crate::domain::{
    diagnosis::Unit,
    document::{Level, did_you_mean},
    handbook::filters::{FILTERS, FilterSpec, Shape, TEXT_TESTS},
};

impl<'n> Checker<'n, '_> {
    pub(super) fn filter(
        &mut self,
        expr: &Expr<'_>,
        filter: &ast::Filter<'_>,
        present: &Present,
    ) -> Type<'n> {
        let Some(subject) = &filter.expr else {
            return self.error(expr, "a filter needs a value before it".to_owned(), None);
        };
        let found = self.solid(subject, present);
        let Some(spec) = FILTERS.iter().find(|spec| spec.name == filter.name) else {
            let names = FILTERS.iter().map(|spec| spec.name);
            let hint = did_you_mean(filter.name, names).or_else(|| Some(filter_hint()));
            let at = self.word_after(subject, filter.name, expr);
            let message = format!("there is no filter `{}`", filter.name);
            self.complain(Level::Error, at, message, hint);
            return Type::ANY;
        };
        if filter.args.len() < spec.min_args {
            let message = format!("`{}` takes {} arguments", spec.name, spec.min_args);
            let hint = format!("{{{{ {} }}}} becomes {}", spec.example.0, spec.example.1);
            return self.error(expr, message, Some(hint));
        }
        if filter.args.len() > spec.max_args {
            let message = format!("`{}` takes at most {} arguments", spec.name, spec.max_args);
            return self.error(expr, message, None);
        }
        for arg in &filter.args {
            if let ast::CallArg::Pos(arg) = arg {
                self.solid(arg, present);
            } else {
                let message = format!("`{}` takes no named arguments", spec.name);
                return self.error(expr, message, None);
            }
        }
        self.filter_type(subject, &found, spec)
    }

    fn filter_type(&mut self, subject: &Expr<'_>, found: &Type<'n>, spec: &FilterSpec) -> Type<'n> {
        let fits = match spec.takes {
            Shape::Number => found.kind.is(Kind::Number),
            Shape::Text => found.kind.is(Kind::Text),
            Shape::List => found.kind.is(Kind::List),
            Shape::TextOrList => found.kind.is(Kind::Text) || found.kind.is(Kind::List),
        };
        if !fits {
            let takes = match spec.takes {
                Shape::Number => "a number",
                Shape::Text => "a text",
                Shape::List => "a list",
                Shape::TextOrList => "a text or a list",
            };
            let message = format!(
                "`{}` takes {takes}, and `{}` is {}",
                spec.name,
                self.text_of(&span_of(subject)),
                found.kind.word()
            );
            self.error(subject, message, None);
        } else if let Some(unit) = measured(found.unit)
            && !spec.units.is_empty()
            && !spec.units.contains(&unit)
        {
            let message = format!(
                "`{}` is in {}, which `{}` does not write",
                self.text_of(&span_of(subject)),
                unit_word(unit),
                spec.name
            );
            let hint = filter_for(unit).map(|name| format!("did you mean `| {name}`?"));
            self.complain(Level::Warning, span_of(subject), message, hint);
        }
        let gives = match spec.gives {
            Shape::Number => Kind::Number,
            _ => Kind::Text,
        };
        Type {
            unit: found.unit.filter(|_| spec.keeps_unit),
            float: found.float && spec.keeps_unit && spec.name != "int",
            ..Type::of(gives)
        }
    }

    pub(super) fn test(
        &mut self,
        expr: &Expr<'_>,
        test: &ast::Test<'_>,
        present: &Present,
    ) -> Type<'n> {
        let answer = Type::of(Kind::Bool);
        if test.name == "none" {
            self.expr(&test.expr, present);
            return answer;
        }
        if !TEXT_TESTS.contains(&test.name) {
            let names = TEXT_TESTS.iter().copied().chain(["none"]);
            let hint = did_you_mean(test.name, names);
            let at = self.word_after(&test.expr, test.name, expr);
            let message = format!("there is no test `is {}`", test.name);
            self.complain(Level::Error, at, message, hint);
            return answer;
        }
        let name = format!("`is {}`", test.name);
        self.need(&test.expr, present, Kind::Text, &name);
        match test.args.as_slice() {
            [ast::CallArg::Pos(arg)] => {
                self.need(arg, present, Kind::Text, &name);
            }
            _ => {
                self.error(expr, format!("{name} takes one text: {name}('…')"), None);
            }
        }
        answer
    }
}

/// The filter that writes numbers of this unit.
pub(super) fn filter_for(unit: Unit) -> Option<&'static str> {
    FILTERS
        .iter()
        .find(|spec| spec.units.contains(&unit))
        .map(|spec| spec.name)
}

pub(super) fn filter_hint() -> String {
    let names: Vec<&str> = FILTERS.iter().map(|spec| spec.name).collect();
    format!("there are filters: {}", names.join(", "))
}
