//! From what a file says to types that can't be wrong: the parts that several files share.

use std::{
    ops::RangeInclusive,
    path::{Path as FilePath, PathBuf},
    str::FromStr,
    time::Duration,
};

use super::{Secret, TlsFiles, raw};
use crate::domain::{
    document::{Document, Path, Problem, did_you_mean},
    duration,
    ids::BadId,
};

/// One file under validation: finds values wrong and goes on, so that everything is said at once.
pub(super) struct Check<'a, T> {
    document: &'a Document<T>,
    /// Where relative paths start; `None` for the built-in files, which name none.
    base: Option<&'a FilePath>,
    problems: Vec<Problem>,
}

impl<'a, T> Check<'a, T> {
    pub(super) fn new(document: &'a Document<T>, base: Option<&'a FilePath>) -> Self {
        Self {
            document,
            base,
            problems: Vec::new(),
        }
    }

    pub(super) fn value(&self) -> &'a T {
        &self.document.value
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(super) fn wrong(&mut self, at: &Path, message: impl Into<String>) {
        self.problems.push(self.document.problem(at, message));
    }

    pub(super) fn wrong_with_hint(
        &mut self,
        at: &Path,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.problems
            .push(self.document.problem(at, message).maybe_hint(hint));
    }

    pub(super) fn wrong_key(&mut self, at: &Path, message: impl Into<String>) {
        self.problems.push(self.document.key_problem(at, message));
    }

    /// `value`, or a problem that `key` of the table at `at` is missing.
    pub(super) fn needed<'v, V: ?Sized>(
        &mut self,
        at: &Path,
        key: &str,
        example: &str,
        value: Option<&'v V>,
    ) -> Option<&'v V> {
        if value.is_none() {
            self.wrong(at, format!("the key `{key}` is missing: {key} = {example}"));
        }
        value
    }

    /// A length of time within `range`; `default` when it is not given or wrong.
    pub(super) fn duration(
        &mut self,
        at: &Path,
        text: Option<&String>,
        range: RangeInclusive<Duration>,
        default: Duration,
    ) -> Duration {
        let Some(text) = text else { return default };
        match duration::parse(text) {
            Ok(value) if range.contains(&value) => value,
            Ok(_) => {
                let (least, most) = (
                    duration::write(*range.start()),
                    duration::write(*range.end()),
                );
                self.wrong(at, format!("{text} is outside of {least} to {most}"));
                default
            }
            Err(bad) => {
                self.wrong(at, bad.to_string());
                default
            }
        }
    }

    /// An id by its grammar.
    pub(super) fn id<I: FromStr<Err = BadId>>(&mut self, at: &Path, text: &str) -> Option<I> {
        match text.parse() {
            Ok(id) => Some(id),
            Err(bad) => {
                self.wrong_key(at, format!("the name {bad}"));
                None
            }
        }
    }

    /// A Discord id: 17 to 20 digits (a 64-bit number, <https://discord.com/developers/docs/reference#snowflakes>).
    pub(super) fn snowflake(&mut self, at: &Path, text: &str) -> Option<u64> {
        let id = text.parse::<u64>().ok().filter(|id| *id > 0);
        if id.is_none() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            self.wrong_with_hint(
                at,
                format!("{text:?} is no Discord id"),
                Some(
                    "an id is a number in quotes, as in \"100000000000000001\"; switch on \
                     Developer Mode in Discord, right-click the thing, Copy ID"
                        .to_owned(),
                ),
            );
            return None;
        }
        id
    }

    pub(super) fn snowflakes(&mut self, at: &Path, texts: &[String]) -> Vec<u64> {
        texts
            .iter()
            .enumerate()
            .filter_map(|(n, text)| self.snowflake(&at.at(n), text))
            .collect()
    }

    /// A path that starts at the configuration's directory.
    pub(super) fn path(&self, path: &FilePath) -> PathBuf {
        match self.base {
            Some(base) => base.join(path),
            None => path.to_owned(),
        }
    }

    /// Where a secret is. No message repeats what was written: it may be the secret itself.
    pub(super) fn secret(&mut self, at: &Path, raw: &raw::Secret) -> Option<Secret> {
        const EITHER: &str =
            "name the environment variable, { env = \"NAME\" }, or the file, { file = \"path\" }";
        match (&raw.env, &raw.file) {
            (Some(name), None) if is_variable_name(name) => {
                Some(Secret::Env { name: name.clone() })
            }
            (Some(_), None) => {
                self.wrong(
                    &at.key("env"),
                    "this is no name of an environment variable (capital letters, digits and \
                     underscores); if it is the secret itself, move it out of this file",
                );
                None
            }
            (None, Some(path)) if !path.as_os_str().is_empty() => Some(Secret::File {
                path: self.path(path),
            }),
            (None, Some(_)) => {
                self.wrong(&at.key("file"), "the path is empty");
                None
            }
            (Some(_), Some(_)) => {
                self.wrong(at, format!("both env and file are given; {EITHER}"));
                None
            }
            (None, None) => {
                self.wrong(at, format!("the secret has no place; {EITHER}"));
                None
            }
        }
    }

    pub(super) fn tls(&mut self, at: &Path, raw: &raw::Tls) -> TlsFiles {
        if raw.cert.is_some() != raw.key.is_some() {
            self.wrong(
                at,
                "a client's certificate and its key go together: give both cert and key, or neither",
            );
        }
        let path = |path: &Option<PathBuf>| path.as_deref().map(|path| self.path(path));
        TlsFiles {
            ca: path(&raw.ca),
            cert: path(&raw.cert),
            key: path(&raw.key),
        }
    }

    /// The hint for `typed`, which is none of `known`.
    pub(super) fn hint<'k>(
        typed: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Option<String> {
        did_you_mean(typed, known)
    }
}

/// A portable name of an environment variable (POSIX: capital letters, digits, underscore).
fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// `host:port`; `[v6]:port` for a version 6 address.
pub(super) fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let fits = !host.is_empty()
        && !host.contains(|c: char| c.is_whitespace() || c == '/' || c == '@')
        && (!host.contains(':') || host.parse::<std::net::Ipv6Addr>().is_ok());
    fits.then(|| (host.to_owned(), port))
}
