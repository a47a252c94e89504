//! Imports point down only (the house, in `docs/architecture.md`).
//!
//! Every `crate::<module>` in `src/` is held against the table below: in a `use`, in a grouped
//! `use crate::{…}` and in a path in the middle of the code. The last tests plant upward imports
//! and expect them to be found.

#![expect(
    clippy::expect_used,
    reason = "a test may end when its own sources can't be read"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// What each module may name. A module that is missing here fails the test.
const MAY: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("config", &["domain"]),
    ("render", &["domain"]),
    ("app", &["domain", "render", "config"]),
    ("probes", &["app", "config", "domain"]),
    ("store", &["app", "config", "domain"]),
    ("discord", &["app", "render", "config", "domain"]),
    (
        "runtime",
        &[
            "discord", "probes", "store", "app", "render", "config", "domain",
        ],
    ),
    ("cli", &["runtime", "app", "render", "config", "domain"]),
    ("main", &["cli"]),
];

/// Words whose presence in `domain` would make it impure: I/O, async, the clock, the environment.
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::io",
    "std::time::Instant",
    "std::time::SystemTime",
    "async fn",
    "sqlx",
    "serenity",
    "bollard",
    "reqwest",
    "Timestamp::now",
    "Zoned::now",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("src can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Comments and string literals don't import anything.
fn code_of(source: &str) -> String {
    let noise =
        Regex::new(r##"(?s)//[^\n]*|/\*.*?\*/|r#".*?"#|"(?:\\.|[^"\\])*"|'"'"##).expect("a regex");
    noise.replace_all(source, " ").into_owned()
}

/// The top-level modules that `source` names.
fn imports(source: &str) -> BTreeSet<String> {
    let code = code_of(source);
    let path = Regex::new(r"\b(?:crate|handbell)\s*::\s*([a-z_]+)").expect("a regex");
    let group = Regex::new(r"(?s)\bcrate\s*::\s*\{(.*?)\}\s*;").expect("a regex");
    let mut found: BTreeSet<String> = path
        .captures_iter(&code)
        .map(|captures| captures[1].to_owned())
        .collect();
    for captures in group.captures_iter(&code) {
        found.extend(heads(&captures[1]));
    }
    found
}

/// The first word of each part of a group, nested groups left out.
fn heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            _ if depth == 0 => parts.last_mut().expect("one part").push(character),
            _ => {}
        }
    }
    let word = Regex::new(r"^[a-z_]+").expect("a regex");
    parts
        .iter()
        .filter_map(|part| {
            word.find(part.trim())
                .map(|found| found.as_str().to_owned())
        })
        .collect()
}

fn module_of(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or_default();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// What is wrong with `source` at `path` (relative to `src/`), in sentences.
fn complaints(path: &str, source: &str) -> Vec<String> {
    let module = module_of(path);
    if module == "lib" {
        return Vec::new();
    }
    let Some((_, allowed)) = MAY.iter().find(|(name, _)| *name == module) else {
        return vec![format!(
            "src/{path}: the module {module} has no place in the house; give it one in tests/layering.rs"
        )];
    };
    let mut said: Vec<String> = imports(source)
        .into_iter()
        .filter(|named| named != module && !allowed.contains(&named.as_str()))
        .map(|named| format!("src/{path}: {module} must not import {named}"))
        .collect();
    if module == "domain" && !path.ends_with("tests.rs") {
        let code = code_of(source.split("#[cfg(test)]").next().unwrap_or_default());
        said.extend(
            IMPURE
                .iter()
                .filter(|word| code.contains(**word))
                .map(|word| format!("src/{path}: domain is pure and must not use {word}")),
        );
    }
    said
}

#[test]
fn imports_point_down_only() {
    let root = root();
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "only {} sources found", files.len());
    let said: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let path = file.strip_prefix(&root).expect("under src");
            let source = fs::read_to_string(file).expect("a readable source");
            complaints(&path.to_string_lossy(), &source)
        })
        .collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
}

#[test]
fn serenity_is_known_to_discord_alone() {
    let root = root();
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files
        .iter()
        .filter(|file| !file.starts_with(root.join("discord")))
    {
        let code = code_of(&fs::read_to_string(file).expect("a readable source"));
        assert!(
            !code.contains("serenity::"),
            "{} names serenity",
            file.display()
        );
    }
}

#[test]
fn main_stays_under_forty_lines() {
    let lines = fs::read_to_string(root().join("main.rs"))
        .expect("main.rs")
        .lines()
        .count();
    assert!(lines < 40, "src/main.rs has {lines} lines");
}

#[test]
fn a_planted_upward_import_is_found() {
    for (path, source, culprit) in [
        ("domain/text.rs", "use crate::app::Gate;", "app"),
        (
            "domain/text.rs",
            "use crate::{\n    domain::ids::CheckId,\n    store::{Sqlite, open},\n};",
            "store",
        ),
        (
            "probes/redis.rs",
            "fn f() { crate::discord::serve() }",
            "discord",
        ),
        ("app/gate.rs", "use crate::probes::Probes;", "probes"),
        ("render/card.rs", "use crate::app::Progress;", "app"),
        ("discord/mod.rs", "use crate::store::Sqlite;", "store"),
        ("cli/mod.rs", "use crate::probes::Probes;", "probes"),
        (
            "main.rs",
            "fn main() { handbell::runtime::run() }",
            "runtime",
        ),
    ] {
        let said = complaints(path, source);
        assert!(
            said.iter().any(|said| said.ends_with(culprit)),
            "{path}: {source:?} passed: {said:?}"
        );
    }
}

#[test]
fn a_planted_impurity_is_found() {
    for source in [
        "fn f() { std::fs::read(1) }",
        "async fn f() {}",
        "use tokio::sync::mpsc;",
    ] {
        assert!(
            !complaints("domain/text.rs", source).is_empty(),
            "{source:?} passed"
        );
    }
}

#[test]
fn comments_and_downward_imports_pass() {
    for (path, source) in [
        (
            "domain/text.rs",
            "//! see crate::app\nuse crate::domain::ids::CheckId;",
        ),
        (
            "app/gate.rs",
            "use crate::{domain::{access::Actor, text::Text}, render::Card};",
        ),
        (
            "runtime/mod.rs",
            "use crate::{probes::Probes, store::Sqlite};",
        ),
        ("main.rs", "fn main() { handbell::cli::main() }"),
    ] {
        assert_eq!(complaints(path, source), Vec::<String>::new());
    }
}
