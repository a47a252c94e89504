//! Short words for the tables in which probes declare themselves.

use crate::domain::diagnosis::{ArgSpec, ArgType, FactSpec, FactType, Unit};

/// A number of things.
pub(super) const fn count(name: &'static str, meaning: &'static str) -> FactSpec {
    FactSpec::new(name, FactType::Int, Unit::Count, meaning)
}

/// A whole number with a unit.
pub(super) const fn int(name: &'static str, unit: Unit, meaning: &'static str) -> FactSpec {
    FactSpec::new(name, FactType::Int, unit, meaning)
}

/// A number with a unit.
pub(super) const fn float(name: &'static str, unit: Unit, meaning: &'static str) -> FactSpec {
    FactSpec::new(name, FactType::Float, unit, meaning)
}

/// Bytes.
pub(super) const fn bytes(name: &'static str, meaning: &'static str) -> FactSpec {
    FactSpec::new(name, FactType::Int, Unit::Bytes, meaning)
}

/// Whole seconds.
pub(super) const fn seconds(name: &'static str, meaning: &'static str) -> FactSpec {
    FactSpec::new(name, FactType::Int, Unit::Seconds, meaning)
}

/// Yes or no.
pub(super) const fn flag(name: &'static str, meaning: &'static str) -> FactSpec {
    FactSpec::new(name, FactType::Bool, Unit::None, meaning)
}

/// A text.
pub(super) const fn text(name: &'static str, meaning: &'static str) -> FactSpec {
    FactSpec::new(name, FactType::Text, Unit::None, meaning)
}

/// Several texts.
pub(super) const fn texts(name: &'static str, meaning: &'static str) -> FactSpec {
    FactSpec::new(name, FactType::TextList, Unit::None, meaning)
}

/// An argument with a default.
pub(super) const fn arg(
    name: &'static str,
    kind: ArgType,
    default: &'static str,
    range: (i64, i64),
    meaning: &'static str,
) -> ArgSpec {
    ArgSpec {
        name,
        kind,
        default: Some(default),
        range: Some(range),
        meaning,
    }
}
