//! What `doctor` finds: one line for each thing that was looked at.

use serde::Serialize;

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It works.
    Sound,
    /// It works, and something about it deserves a look.
    Notice,
    /// It does not work.
    Wrong,
    /// It was not looked at, because it isn't configured or what it needs does not work.
    Skipped,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checkup {
    /// The part of the house: `config`, `handbook`, `store`, `discord`, `target`.
    pub area: &'static str,
    /// The thing: a file, a target's name, a channel.
    pub subject: String,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub say: String,
    /// How to mend it, where there is something to mend.
    pub mend: Option<String>,
}

impl Checkup {
    /// `subject` works.
    pub fn sound(area: &'static str, subject: impl Into<String>, say: impl Into<String>) -> Self {
        Self::new(area, State::Sound, subject, say, None)
    }

    /// `subject` works, but.
    pub fn notice(
        area: &'static str,
        subject: impl Into<String>,
        say: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::new(area, State::Notice, subject, say, Some(mend.into()))
    }

    /// `subject` does not work; `mend` says what helps.
    pub fn wrong(
        area: &'static str,
        subject: impl Into<String>,
        say: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::new(area, State::Wrong, subject, say, Some(mend.into()))
    }

    /// `subject` was not looked at.
    pub fn skipped(area: &'static str, subject: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(area, State::Skipped, subject, why, None)
    }

    fn new(
        area: &'static str,
        state: State,
        subject: impl Into<String>,
        say: impl Into<String>,
        mend: Option<String>,
    ) -> Self {
        Self {
            area,
            subject: subject.into(),
            state,
            say: say.into(),
            mend,
        }
    }
}
