//! The types of conditions and sentences, from the facts' declarations: an unknown name, a text
//! compared with a number, a value that can never be, a fact that may be none.
//!
//! - `check`: the type of an expression
//! - `compare`: what can be compared with what
//! - `filter`: filters and tests
//! - `narrow`: what can't be none any more once something was asked
//! - `text`: whole conditions and sentences

mod check;
mod compare;
mod filter;
mod narrow;
mod text;

pub(super) use text::{condition, sentence};

use std::{collections::BTreeSet, ops::Range};

use crate::domain::{
    diagnosis::{FactType, Unit},
    document::Level,
};

/// Names that a condition or a sentence can use.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: Vec<Name>,
}

/// One fact or parameter.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub id: String,
    pub kind: FactType,
    pub unit: Unit,
    pub optional: bool,
    /// All texts that it can be; empty when it can be any.
    pub values: Vec<String>,
}

impl Names {
    pub(super) fn add(&mut self, name: Name) {
        self.all.push(name);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Name> {
        self.all.iter().find(|known| known.id == name)
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|known| known.id.as_str())
    }
}

/// Names that can't be none at some point of an expression.
pub(super) type Present = BTreeSet<String>;

/// Something wrong with an expression, at bytes of its text.
#[derive(Debug)]
pub(super) struct Complaint {
    pub level: Level,
    pub span: Range<usize>,
    pub message: String,
    pub hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Number,
    Text,
    List,
    None,
    /// Unknown, since something was wrong with it already.
    Any,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Bool => "a yes/no",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::None => "none",
            Self::Any => "unknown",
        }
    }

    fn is(self, other: Self) -> bool {
        self == other || self == Self::Any || other == Self::Any
    }
}

/// What is known of an expression's value.
#[derive(Clone, Debug)]
pub(super) struct Type<'n> {
    pub kind: Kind,
    /// The unit of a number; `None` for literals and where it got lost.
    pub unit: Option<Unit>,
    may_be_none: bool,
    values: &'n [String],
    /// Whether it is a number with places.
    pub float: bool,
}

impl Type<'_> {
    pub(super) const ANY: Self = Self::of(Kind::Any);

    const fn of(kind: Kind) -> Self {
        Self {
            kind,
            unit: None,
            may_be_none: false,
            values: &[],
            float: false,
        }
    }
}

/// The unit, unless it is that of a plain number.
fn plain(unit: Option<Unit>) -> Option<Unit> {
    unit.filter(|unit| !matches!(unit, Unit::None | Unit::Count | Unit::Ratio))
}

/// The unit, if it is one that has a sign.
fn measured(unit: Option<Unit>) -> Option<Unit> {
    unit.filter(|unit| !matches!(unit, Unit::None | Unit::Count))
}

/// The unit as a word of a sentence.
fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::None => "no unit",
        Unit::Count => "a count",
        Unit::Bytes => "bytes",
        Unit::Milliseconds => "milliseconds",
        Unit::Microseconds => "microseconds",
        Unit::Seconds => "seconds",
        Unit::Percent => "percent",
        Unit::Ratio => "a ratio",
        Unit::PerSecond => "things a second",
    }
}
