//! The environment: the only place that reads it.

use std::path::PathBuf;

/// The variable `name`, if it is set, not empty, and valid UTF-8.
pub(super) fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "config is where the environment is read"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A directory of the XDG base directory specification: `$name` when it is absolute (the
/// specification says that others are ignored), else `$HOME/fallback`.
pub(super) fn xdg(name: &str, fallback: &str) -> Option<PathBuf> {
    variable(name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(fallback)))
}

/// The locale of messages by POSIX's order of precedence: `LC_ALL`, `LC_MESSAGES`, `LANG`;
/// `None` when none is set or it says nothing (`C`, `POSIX`).
#[must_use]
pub fn locale() -> Option<String> {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(variable)
        .filter(|locale| !locale.starts_with('C') && locale != "POSIX")
}

/// Whether colours are welcome at all: `NO_COLOR` set to anything says no (<https://no-color.org>).
#[must_use]
pub fn colour_wanted() -> bool {
    variable("NO_COLOR").is_none() && terminal_is_able()
}

/// Whether the terminal can move its cursor; `TERM=dumb` says no.
#[must_use]
pub fn terminal_is_able() -> bool {
    variable("TERM").is_none_or(|term| term != "dumb")
}
