//! What a column of a page's query is: the type of the fact that it becomes.

use std::str::FromStr;

use super::{FactType, Unit};

/// A column's type and unit, by the one word that a page writes: `count`, `seconds`, `text`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The word.
    pub word: &'static str,
    /// The fact's type. A list of texts has the values of all rows, any other the first row's.
    pub kind: FactType,
    /// The fact's unit.
    pub unit: Unit,
}

const fn column(word: &'static str, kind: FactType, unit: Unit) -> Column {
    Column { word, kind, unit }
}

impl Column {
    /// All that there are.
    pub const ALL: &'static [Self] = &[
        column("text", FactType::Text, Unit::None),
        column("texts", FactType::TextList, Unit::None),
        column("yes/no", FactType::Bool, Unit::None),
        column("count", FactType::Int, Unit::Count),
        column("number", FactType::Float, Unit::None),
        column("bytes", FactType::Int, Unit::Bytes),
        column("seconds", FactType::Int, Unit::Seconds),
        column("milliseconds", FactType::Float, Unit::Milliseconds),
        column("percent", FactType::Float, Unit::Percent),
        column("ratio", FactType::Float, Unit::Ratio),
        column("per-second", FactType::Float, Unit::PerSecond),
    ];
}

impl FromStr for Column {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|column| column.word == word).copied();
        known.ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|column| column.word).collect();
            format!("a column is one of {}, not `{word}`", words.join(", "))
        })
    }
}
