//! Answers as rows of texts, read as what they mean.

use std::{collections::HashMap, sync::Arc};

use sqlx::{Column as _, Row as _, mysql::MySqlRow};

/// One row of an answer. Column names are looked up without regard to case: servers differ in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    columns: Arc<HashMap<String, usize>>,
    values: Vec<Option<String>>,
}

/// All rows of an answer.
pub(super) type Rows = Vec<Row>;

impl Row {
    /// `row` of the text protocol; `like` is a row of the same answer.
    pub(super) fn of(row: &MySqlRow, like: Option<&Self>) -> Self {
        let columns = like.map_or_else(
            || {
                let names = row.columns().iter().enumerate();
                Arc::new(
                    names
                        .map(|(n, column)| (column.name().to_ascii_lowercase(), n))
                        .collect(),
                )
            },
            |like| Arc::clone(&like.columns),
        );
        let values = (0..row.len())
            .map(|n| {
                row.try_get_unchecked::<Option<Vec<u8>>, _>(n)
                    .ok()
                    .flatten()
            })
            .map(|bytes| Some(String::from_utf8_lossy(&bytes?).into_owned()))
            .collect();
        Self { columns, values }
    }

    /// How long its texts are together, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.values.iter().flatten().map(String::len).sum()
    }

    /// The text of a column; none for NULL, and when there is no such column.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        self.at(*self.columns.get(column)?)
    }

    /// The text of the `n`th column.
    pub(super) fn at(&self, n: usize) -> Option<&str> {
        self.values.get(n)?.as_deref()
    }

    /// The same, empty for NULL.
    pub(super) fn str(&self, column: &str) -> &str {
        self.text(column).unwrap_or_default()
    }

    /// The same as an owned text; none when it is empty, too.
    pub(super) fn word(&self, column: &str) -> Option<String> {
        self.text(column)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    /// A whole number; places are cut off.
    pub(super) fn int(&self, column: &str) -> Option<i64> {
        int_of(self.text(column)?)
    }

    /// A number.
    pub(super) fn float(&self, column: &str) -> Option<f64> {
        self.text(column)?.trim().parse().ok()
    }

    /// Whether the text is one of the words for yes.
    pub(super) fn yes(&self, column: &str) -> Option<bool> {
        self.text(column).map(is_yes)
    }
}

/// A whole number in a text; places are cut off, and what is too great is the greatest.
pub(super) fn int_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = text.split('.').next().unwrap_or(text);
    whole
        .parse()
        .ok()
        .or_else(|| whole.parse::<u64>().ok().map(|_| i64::MAX))
}

/// Whether a setting's text means yes.
pub(super) fn is_yes(text: &str) -> bool {
    matches!(
        text.to_ascii_uppercase().as_str(),
        "ON" | "YES" | "1" | "TRUE" | "ENABLED"
    )
}

/// Rows of names and values (`SHOW STATUS`, `SHOW VARIABLES`), by name in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Named(HashMap<String, String>);

impl Named {
    /// The first two columns of `rows`.
    pub(super) fn of(rows: &[Row]) -> Self {
        let pairs = rows.iter().filter_map(|row| {
            let value = row.at(1).unwrap_or_default();
            Some((row.at(0)?.to_ascii_lowercase(), value.to_owned()))
        });
        Self(pairs.collect())
    }

    /// The value of `name`.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The same as a whole number.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        int_of(self.text(name)?)
    }

    /// The same as a number.
    pub(super) fn float(&self, name: &str) -> Option<f64> {
        self.text(name)?.trim().parse().ok()
    }

    /// The same as yes or no.
    pub(super) fn yes(&self, name: &str) -> Option<bool> {
        self.text(name).map(is_yes)
    }
}
