//! Finding the files, reading them, and saying every error of all of them at once.

use std::{
    fmt,
    io::Read,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{
    Config, check::Check, cover::cover, environment, pages, read_people, read_settings,
    read_targets,
};
use crate::domain::document::{self, MAX_FILE_BYTES, Problem};

/// The variable that names the configuration's directory.
const DIRECTORY_VARIABLE: &str = "HANDBELL_CONFIG";

/// For everybody on this machine (Filesystem Hierarchy Standard).
const SYSTEM_DIRECTORY: &str = "/etc/handbell";

/// The files of a configuration, with the commented defaults that are built in.
pub const FILES: [(&str, &str); 4] = [
    ("handbell.toml", include_str!("../../config/handbell.toml")),
    ("targets.toml", include_str!("../../config/targets.toml")),
    ("access.toml", include_str!("../../config/access.toml")),
    ("oncall.toml", include_str!("../../config/oncall.toml")),
];

/// Every error of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Problem>);

impl ConfigErrors {
    /// The errors.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    /// All of them as a person reads them.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        document::render(&self.0, colour)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// The user's own directory: `$XDG_CONFIG_HOME/handbell`, else `~/.config/handbell`.
#[must_use]
pub fn user_directory() -> Option<PathBuf> {
    environment::xdg("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("handbell"))
}

/// Reads the configuration of `directory`; without one, of the first that there is of
/// `$HANDBELL_CONFIG`, the user's directory and `/etc/handbell`; else the built-in defaults.
///
/// # Errors
/// Every error of every file.
pub fn load(directory: Option<&Path>) -> Result<Config, ConfigErrors> {
    let (directory, asked) = locate(directory);
    if asked && let Some(directory) = &directory {
        check_directory(directory).map_err(|problem| ConfigErrors(vec![*problem]))?;
    }
    load_from(directory.as_deref())
}

fn locate(directory: Option<&Path>) -> (Option<PathBuf>, bool) {
    let asked = directory
        .map(Path::to_owned)
        .or_else(|| environment::variable(DIRECTORY_VARIABLE).map(PathBuf::from));
    if asked.is_some() {
        return (asked, true);
    }
    let found = user_directory()
        .into_iter()
        .chain([PathBuf::from(SYSTEM_DIRECTORY)])
        .find(|dir| dir.is_dir());
    (found, false)
}

/// A directory that somebody named must be one.
fn check_directory(directory: &Path) -> Result<(), Box<Problem>> {
    let name = directory.display().to_string();
    let wrong = |message: &str| {
        let hint = format!("write a configuration to fill in: handbell init {name}");
        Err(Box::new(Problem::of_file(&name, message).hint(hint)))
    };
    match std::fs::metadata(directory) {
        Ok(it) if !it.is_dir() => wrong(
            "this is a file; --config and $HANDBELL_CONFIG name the directory that holds handbell.toml",
        ),
        Ok(_) => {
            let known = |name: &str| directory.join(name).exists();
            if FILES.iter().any(|(name, _)| known(name)) || known(pages::DIRECTORY) {
                Ok(())
            } else {
                wrong(
                    "this directory holds no configuration: neither handbell.toml nor another of its files",
                )
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            wrong("there is no such directory")
        }
        Err(error) => wrong(&format!("the directory can't be read: {error}")),
    }
}

pub(super) fn load_from(directory: Option<&Path>) -> Result<Config, ConfigErrors> {
    let mut problems = directory.map(misnamed).unwrap_or_default();
    let mut files = FILES
        .iter()
        .map(|(name, default)| File::read(directory, name, default, &mut problems));
    let mut next = || files.next().flatten();
    let (settings, targets, access, oncall) = (next(), next(), next(), next());
    let settings = validate(settings, read_settings::settings, &mut problems);
    let targets = validate(targets, read_targets::targets, &mut problems);
    let access = validate(access, read_people::access, &mut problems);
    let oncall = validate(oncall, read_people::oncall, &mut problems);
    let (pages, unreadable_pages) = pages::read_pages(directory);
    match (settings, targets, access, oncall) {
        (Some(settings), Some(targets), Some(access), Some(oncall)) if problems.is_empty() => {
            Ok(Config {
                directory: directory.map(Path::to_owned),
                general: settings.general,
                store: settings.store,
                diagnosis: settings.diagnosis,
                discord: settings.discord,
                targets,
                access,
                oncall,
                pages,
                unreadable_pages,
            })
        }
        _ => Err(ConfigErrors(problems)),
    }
}

/// One file's text and where it came from.
struct File {
    name: String,
    text: String,
    base: Option<PathBuf>,
}

impl File {
    /// The file `name` of `directory`, or its built-in default where there is none.
    fn read(
        directory: Option<&Path>,
        name: &str,
        default: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let built_in = || Self {
            name: format!("built-in {name}"),
            text: default.to_owned(),
            base: None,
        };
        let Some(directory) = directory else {
            return Some(built_in());
        };
        let path = directory.join(name);
        match read_text(&path) {
            Ok(text) => Some(Self {
                name: path.display().to_string(),
                text,
                // Absolute, so that the paths in it hold wherever the process goes.
                base: Some(std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned())),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(built_in()),
            Err(error) => {
                problems.push(unreadable(&path, &error));
                None
            }
        }
    }
}

/// The text of `path`, which is no configuration when it is longer than [`MAX_FILE_BYTES`].
pub(super) fn read_text(path: &Path) -> std::io::Result<String> {
    let most = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX);
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(most.saturating_add(1))
        .read_to_string(&mut text)?;
    Ok(text)
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let message = match error.kind() {
        std::io::ErrorKind::InvalidData => "the file is no UTF-8 text".to_owned(),
        std::io::ErrorKind::PermissionDenied => {
            "permission denied; let the user who runs Handbell read the file".to_owned()
        }
        std::io::ErrorKind::IsADirectory => "this is a directory, not a file".to_owned(),
        _ => format!("the file can't be read: {error}"),
    };
    Problem::of_file(&path.display().to_string(), message)
}

fn validate<R: DeserializeOwned + JsonSchema, V>(
    file: Option<File>,
    read: impl FnOnce(&mut Check<'_, R>) -> V,
    problems: &mut Vec<Problem>,
) -> Option<V> {
    let file = file?;
    let (document, mut found) = document::parse_leniently::<R>(&file.name, &file.text);
    let value = document.as_ref().map(|document| {
        let mut check = Check::new(document, file.base.as_deref());
        let value = read(&mut check);
        found.extend(check.into_problems());
        value
    });
    if !found.is_empty() {
        found.sort_by_key(|problem| (problem.line, problem.column));
        let lines = cover(&file.text);
        problems.extend(found.into_iter().map(|problem| {
            let line = lines.get(problem.line - 1).cloned().unwrap_or_default();
            problem.with_line(line)
        }));
    }
    value
}

/// Files whose names look like a slip of the hand: they would be ignored in silence.
fn misnamed(directory: &Path) -> Vec<Problem> {
    let names = FILES.map(|(name, _)| name);
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut problems: Vec<Problem> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let meant = document::closest(&name, names)?;
            let slip = entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "toml")
                && !names.contains(&name.as_str())
                && !directory.join(meant).exists();
            slip.then(|| {
                let path = entry.path().display().to_string();
                Problem::of_file(&path, "no file of a configuration has this name")
                    .hint(format!("did you mean {meant}?"))
            })
        })
        .collect();
    problems.sort_by(|a, b| a.file.cmp(&b.file));
    problems
}
