//! Facts: what a probe saw, named, typed and with a unit.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// One value of a fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// The fact is declared and the target has none: a master has no replica link.
    None,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text, already redacted.
    Text(String),
    /// Several texts or numbers.
    List(Vec<Value>),
}

/// A fact's name and its value.
pub type Fact = (String, Value);

/// What one look has found, by name.
pub type Facts = BTreeMap<String, Value>;

macro_rules! from {
    ($($type:ty => $variant:ident ($convert:expr)),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                let convert: fn($type) -> _ = $convert;
                Self::$variant(convert(value))
            }
        }
    )*};
}

from! {
    bool => Bool(|v| v),
    i64 => Int(|v| v),
    i32 => Int(i64::from),
    u32 => Int(i64::from),
    u64 => Int(|v| i64::try_from(v).unwrap_or(i64::MAX)),
    usize => Int(|v| i64::try_from(v).unwrap_or(i64::MAX)),
    f64 => Float(|v| v),
    &str => Text(str::to_owned),
    String => Text(|v| v),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Bool(v) => v.fmt(f),
            Self::Int(v) => v.fmt(f),
            Self::Float(v) => v.fmt(f),
            Self::Text(v) => f.write_str(v),
            Self::List(values) => {
                for (n, value) in values.iter().enumerate() {
                    if n > 0 {
                        f.write_str(", ")?;
                    }
                    value.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

/// The type of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactType {
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A text.
    Text,
    /// Several texts.
    TextList,
}

impl FactType {
    /// The type's word, as `handbell probes` and the linter say it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Bool => "yes/no",
            Self::Int => "integer",
            Self::Float => "number",
            Self::Text => "text",
            Self::TextList => "list of texts",
        }
    }
}

/// The unit in which a fact's number is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// None: a text, a truth, a plain number.
    None,
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Seconds.
    Seconds,
    /// 0 to 100.
    Percent,
    /// A quotient; 1.0 is equal parts.
    Ratio,
    /// Things a second.
    PerSecond,
}

impl Unit {
    /// The unit's sign for tables; empty where there is none.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::None | Self::Count => "",
            Self::Bytes => "bytes",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Seconds => "s",
            Self::Percent => "%",
            Self::Ratio => "ratio",
            Self::PerSecond => "/s",
        }
    }
}

/// Whether a fact is held against the last healthy run of the same page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// No: it differs from one look to the next.
    #[default]
    Never,
    /// Every difference is told: a configuration value, a version, an image's id.
    Setting,
    /// A number is told when it has at least doubled or halved and differs by more than this, in the
    /// fact's unit.
    Level(f64),
}

/// How a probe declares one of its facts.
///
/// `FactSpec::new("maxmemory_bytes", …).setting()` and `FactSpec::new("connected_clients", …).level(50.0)`
/// say that reports tell when the fact differs from the last healthy run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FactSpec {
    /// The name, in `snake_case`, with the unit where there is one.
    pub name: &'static str,
    /// The type of the value.
    #[serde(rename = "type")]
    pub kind: FactType,
    /// The unit of the value.
    pub unit: Unit,
    /// Whether the value may be none.
    pub optional: bool,
    /// All texts that the value can be, where they are known; empty otherwise.
    /// The linter refuses a comparison with any other.
    pub values: &'static [&'static str],
    /// Whether it is held against the last healthy run.
    pub compared: Compared,
    /// What it means, in one line.
    pub meaning: &'static str,
}

impl FactSpec {
    /// A fact that is always there.
    #[must_use]
    pub const fn new(
        name: &'static str,
        kind: FactType,
        unit: Unit,
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            unit,
            optional: false,
            values: &[],
            compared: Compared::Never,
            meaning,
        }
    }

    /// The same fact, which may be none.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The same fact, whose text is one of `values`.
    #[must_use]
    pub const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        self
    }

    /// The same fact, of which every difference from the last healthy run is told: configuration,
    /// versions, image ids.
    #[must_use]
    pub const fn setting(mut self) -> Self {
        self.compared = Compared::Setting;
        self
    }

    /// The same number, which is told when it has at least doubled or halved since the last healthy
    /// run and differs by more than `noise`, in the fact's unit.
    #[must_use]
    pub const fn level(mut self, noise: f64) -> Self {
        self.compared = Compared::Level(noise);
        self
    }
}
