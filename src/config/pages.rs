//! The pages of the handbook: those that are built in, and those of the configuration's directory.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use include_dir::{Dir, include_dir};

use super::load::{read_text, unreadable};
use crate::domain::document::Problem;

/// The directory of the pages in a configuration.
pub(super) const DIRECTORY: &str = "commands";

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/commands");

/// A page's text, not parsed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageText {
    /// The file: its path, or `built-in commands/redis.toml`.
    pub file: String,
    /// Whether it is one of those that are built in, which the tests hold against all rules.
    pub built_in: bool,
    /// What it says.
    pub text: Cow<'static, str>,
}

/// Every page, sorted by file name, and why some can't be read. A file of `directory` takes the
/// place of the built-in page of the same name; others are added.
#[must_use]
pub fn read_pages(directory: Option<&Path>) -> (Vec<PageText>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut pages: BTreeMap<String, PageText> = built_in();
    if let Some(directory) = directory {
        let directory = directory.join(DIRECTORY);
        let entries = std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten();
        for path in entries.map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !is_page(&path) || name.starts_with('.') {
                continue;
            }
            match read_text(&path) {
                Ok(text) => {
                    let page = PageText {
                        file: path.display().to_string(),
                        built_in: false,
                        text: text.into(),
                    };
                    pages.insert(name.into_owned(), page);
                }
                Err(error) => {
                    problems.push(unreadable(&path, &error));
                    // The built-in page is not what is meant here.
                    pages.remove(&*name);
                }
            }
        }
    }
    problems.sort_by(|a, b| a.file.cmp(&b.file));
    (pages.into_values().collect(), problems)
}

fn built_in() -> BTreeMap<String, PageText> {
    BUILT_IN
        .files()
        .filter_map(|file| {
            let name = file.path().to_str()?;
            let text = file.contents_utf8()?;
            let page = PageText {
                file: format!("built-in {DIRECTORY}/{name}"),
                built_in: true,
                text: text.into(),
            };
            is_page(file.path()).then(|| (name.to_owned(), page))
        })
        .collect()
}

fn is_page(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "toml")
}
