//! One bad page for each rule of the linter, and what its author reads.
//!
//! Each `tests/handbook/bad/NAME.toml`, or directory of pages, has its expected output beside it in
//! `NAME.txt`. After a deliberate change of a message, `HANDBELL_BLESS=1 cargo test --test
//! handbook_bad` writes them anew; the diff is then to be read like code.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which may panic")]

use std::path::{Path, PathBuf};

use handbell::{
    domain::{
        diagnosis::TargetKind,
        document,
        handbook::{Lint, Steps},
    },
    probes,
};

fn files(case: &Path) -> Vec<PathBuf> {
    if !case.is_dir() {
        return vec![case.to_owned()];
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(case)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn linted(case: &Path) -> String {
    let targets = [
        ("engine".to_owned(), TargetKind::Docker),
        ("cache".to_owned(), TargetKind::Redis),
    ];
    let lint = Lint {
        catalog: probes::catalog(),
        steps: &Steps::built_in(),
        targets: Some(&targets),
        today: Some(jiff::civil::date(2026, 11, 22)),
    };
    let pages = files(case).into_iter().map(|file| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&file).unwrap())
    });
    document::render(&lint.run(pages).problems, false)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own switch")]
fn every_bad_page_is_answered_as_expected() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/handbook/bad");
    let bless = std::env::var("HANDBELL_BLESS").is_ok();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "txt"))
        .collect();
    cases.sort();
    assert!(cases.len() > 60, "only {} bad pages found", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let said = linted(&case);
        assert!(!said.is_empty(), "{} is not found bad", case.display());
        let expected = case.with_extension("txt");
        if bless {
            std::fs::write(&expected, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        if said != expected {
            wrong.push(format!(
                "{}\n--- expected\n{expected}\n--- said\n{said}",
                case.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
