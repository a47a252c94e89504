//! Where a thing is: from its path in the document to its bytes in the file.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The way to a value: `check`, then the 3rd, then `when`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    At(usize),
}

impl Path {
    /// The whole document.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The value of `key` in the table at this path.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// The `n`th element, from 0, of the list at this path.
    #[must_use]
    pub fn at(&self, n: usize) -> Self {
        self.with(Step::At(n))
    }

    /// What is around the value at this path; the document for the document.
    #[must_use]
    pub fn parent(&self) -> Self {
        let mut steps = self.0.clone();
        steps.pop();
        Self(steps)
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

/// Every value's and key's bytes in the file.
#[derive(Clone, Debug)]
pub(super) struct Places {
    span: Range<usize>,
    inside: Inside,
}

#[derive(Clone, Debug)]
enum Inside {
    Nothing,
    Keys(Vec<(String, Range<usize>, Places)>),
    Elements(Vec<Places>),
}

impl Places {
    pub(super) fn of(root: &Spanned<DeTable<'_>>) -> Self {
        Self {
            // The root has no header; what is missing there is missing at the very beginning.
            span: 0..0,
            inside: Self::of_table(root.get_ref()),
        }
    }

    fn of_table(table: &DeTable<'_>) -> Inside {
        let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            (name.to_string(), key.span(), Self::of_value(value))
        };
        Inside::Keys(table.iter().map(entry).collect())
    }

    fn of_value(value: &Spanned<DeValue<'_>>) -> Self {
        let inside = match value.get_ref() {
            DeValue::Table(table) => Self::of_table(table),
            DeValue::Array(array) => Inside::Elements(array.iter().map(Self::of_value).collect()),
            _ => Inside::Nothing,
        };
        Self {
            span: value.span(),
            inside,
        }
    }

    fn step(&self, step: &Step) -> Option<(Option<&Range<usize>>, &Self)> {
        match (&self.inside, step) {
            (Inside::Keys(keys), Step::Key(wanted)) => keys
                .iter()
                .find(|(name, ..)| name == wanted)
                .map(|(_, span, places)| (Some(span), places)),
            (Inside::Elements(elements), Step::At(n)) => {
                elements.get(*n).map(|places| (None, places))
            }
            _ => None,
        }
    }

    pub(super) fn value(&self, path: &Path) -> Range<usize> {
        let mut here = self;
        for step in &path.0 {
            match here.step(step) {
                Some((_, places)) => here = places,
                None => break,
            }
        }
        here.span.clone()
    }

    pub(super) fn key(&self, path: &Path) -> Option<Range<usize>> {
        let (last, way) = path.0.split_last()?;
        let mut here = self;
        for step in way {
            here = here.step(step)?.1;
        }
        here.step(last)?.0.cloned()
    }
}
