//! `oncall.toml` after validation: people, and who is on call when.

use std::{fmt, time::Duration};

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::domain::{ids::PersonId, text::Lang};

/// Personal data: a telephone number, a mail address. It can't print; who needs it asks for it by name.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal(String);

impl Personal {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// The data itself, to reach the person with.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<personal>")
    }
}

/// Somebody who can be on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name that the channel shows.
    pub name: String,
    /// The person's Discord user id.
    pub discord: Option<u64>,
    /// The telephone, in the form `+8613…`.
    pub phone: Option<Personal>,
    /// The mail address.
    pub email: Option<Personal>,
    /// The language in which the person is written to.
    pub language: Option<Lang>,
}

/// People who take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Names of [`OnCall::people`], in the order of their turns.
    pub people: Vec<PersonId>,
    /// When the first turn of the first person begins.
    pub starts: Timestamp,
    /// How long a turn is.
    pub turn: Duration,
}

/// The whole of `oncall.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnCall {
    /// Everybody, by name.
    pub people: IndexMap<PersonId, Person>,
    /// Who takes turns with whom, by name: `primary`, `secondary`.
    pub rotations: IndexMap<PersonId, Rotation>,
}
