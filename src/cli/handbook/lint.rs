//! `handbell handbook lint`.

use std::path::{Path, PathBuf};

use super::Lint;
use crate::{
    app::{Clock, SystemClock},
    cli::{EXIT_WRONG, Output},
    config::Config,
    domain::{
        document::{MAX_FILE_BYTES, Problem},
        handbook::{self, Steps},
    },
    runtime,
};

pub(super) fn run(args: &Lint, config: &Config, output: &Output) -> u8 {
    let (files, unreadable) = if args.paths.is_empty() {
        let pages = config.pages.iter();
        let files = pages.map(|page| (page.file.clone(), page.text.to_string()));
        (files.collect(), config.unreadable_pages.clone())
    } else {
        read(&args.paths)
    };
    let targets: Vec<_> = config.targets.names().collect();
    let steps = Steps::built_in();
    let linted = handbook::Lint {
        catalog: runtime::catalog(),
        steps: &steps,
        // The built-in configuration names no targets of anybody's.
        targets: config.directory.as_ref().map(|_| targets.as_slice()),
        today: Some(SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date()),
    }
    .run(files.iter().map(|(file, text)| (file, text)));
    let fails = linted.fails(args.deny_warnings) || !unreadable.is_empty();
    let mut problems = unreadable;
    problems.extend(linted.problems);
    output.problems(&problems);
    if fails {
        return EXIT_WRONG;
    }
    let pages = match files.len() {
        1 => "1 page".to_owned(),
        n => format!("{n} pages"),
    };
    output.note(&format!("{pages}: no errors"));
    0
}

type Files = Vec<(String, String)>;

/// The files, and those of directories whose names end in `.toml`, each once, sorted by name.
fn read(paths: &[PathBuf]) -> (Files, Vec<Problem>) {
    let mut names: Vec<PathBuf> = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        if !path.is_dir() {
            names.push(path.clone());
            continue;
        }
        match std::fs::read_dir(path) {
            Ok(entries) => {
                let pages = entries.flatten().map(|entry| entry.path());
                let before = names.len();
                names.extend(pages.filter(|page| is_page(page)));
                if names.len() == before {
                    let file = path.display().to_string();
                    problems.push(Problem::of_file(
                        &file,
                        "no page (*.toml) is in this directory",
                    ));
                }
            }
            Err(error) => problems.push(unreadable(path, &error)),
        }
    }
    names.sort();
    names.dedup();
    let mut files = Vec::new();
    for name in names {
        match read_bounded(&name) {
            Ok(text) => files.push((name.display().to_string(), text)),
            Err(error) => problems.push(unreadable(&name, &error)),
        }
    }
    (files, problems)
}

fn is_page(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden
        && path
            .extension()
            .is_some_and(|extension| extension == "toml")
}

fn read_bounded(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    // One byte more than is allowed, so that the parser sees that it is too long and says so.
    let most = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX) + 1;
    std::fs::File::open(path)?
        .take(most)
        .read_to_string(&mut text)?;
    Ok(text)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let message = match error.kind() {
        std::io::ErrorKind::InvalidData => "this is no text in UTF-8".to_owned(),
        _ => format!("the file can't be read: {error}"),
    };
    Problem::of_file(&path.display().to_string(), message)
}
