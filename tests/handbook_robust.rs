//! Whatever is in a page, reading it ends with a page or with sentences: nothing panics, nothing
//! hangs. The inputs are the same in every run.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which may panic"
)]

use handbell::{
    domain::{
        document::{self, Level},
        handbook::{Lint, Steps},
    },
    probes,
};

fn page(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Reads the page, and renders what is said, as the command line would.
fn lint(text: &str) -> bool {
    let lint = Lint {
        catalog: probes::catalog(),
        steps: &Steps::built_in(),
        targets: Some(&[]),
        today: Some(jiff::civil::date(2026, 11, 22)),
    };
    let linted = lint.run([("redis.toml", text)]);
    let said = document::render(&linted.problems, true);
    let errors = linted.problems.iter().any(|p| p.level == Level::Error);
    assert!(!errors || said.contains("redis.toml"), "{said}");
    assert_eq!(
        linted.handbook.is_none(),
        errors && linted.handbook.is_none()
    );
    errors
}

/// Numbers that look random and are the same everywhere (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap()
    }
}

/// Bits that have a meaning somewhere in a page.
const BITS: &[&str] = &[
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "[",
    "]",
    "[[",
    "]]",
    "=",
    ",",
    ".",
    "\n",
    "\r\n",
    "\t",
    "\\",
    "\\u",
    "\\x0",
    "\0",
    "缓",
    "🔔",
    "\u{feff}",
    "#",
    "|",
    "(",
    ")",
    " is none",
    " and ",
    " not ",
    "none",
    "-",
    "9999999999999999999999",
    "1e400",
    "nan",
    "2026-13-45",
    "true",
    "[[check]]",
    "[[check.rule]]",
    "when = ",
    "en = ",
    "9:99",
    "%",
];

#[test]
fn a_page_that_was_cut_anywhere_is_answered() {
    let text = page("tests/handbook/good/cache.toml");
    let mut errors = 0;
    for (n, _) in text.char_indices().filter(|(n, _)| n % 7 == 0) {
        errors += usize::from(lint(text.get(..n).unwrap()));
    }
    assert!(errors > 100, "only {errors} cuts were found wrong");
}

#[test]
fn a_page_with_anything_in_it_is_answered() {
    let text = page("commands/redis.toml");
    let mut dice = Dice(0x5eed_0be1_1000_0001);
    for _ in 0..150 {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=dice.roll(6) {
            let at = dice.roll(chars.len());
            match dice.roll(3) {
                0 => {
                    let bit = BITS[dice.roll(BITS.len())];
                    chars.splice(at..at, bit.chars());
                }
                1 => {
                    let end = (at + dice.roll(40)).min(chars.len());
                    chars.drain(at..end);
                }
                _ => {
                    let end = (at + dice.roll(300)).min(chars.len());
                    let copy: Vec<char> = chars[at..end].to_vec();
                    let to = dice.roll(chars.len());
                    chars.splice(to..to, copy);
                }
            }
        }
        lint(&chars.into_iter().collect::<String>());
    }
}

#[test]
fn nests_and_floods_are_answered() {
    let deep = format!("a = {}1{}", "[".repeat(20_000), "]".repeat(20_000));
    assert!(lint(&deep));
    let text = page("tests/handbook/good/cache.toml");
    for when in [
        "(".repeat(4_000),
        "not ".repeat(1_000) + "loading",
        "-".repeat(3_000),
        "[".repeat(2_000),
        "1 if ".repeat(600),
        "x".repeat(100_000),
        "'a' * 1000000000".to_owned(),
        "9 ** 9 ** 9 ** 9 > 1".to_owned(),
        "oom_count // 0 > 1 / 0".to_owned(),
    ] {
        lint(&text.replace("oom_count > 0", &when));
        lint(&text.replace("oom_count | number", &when));
    }
    assert!(lint(&"x = 1\n".repeat(300_000)));
    assert!(lint(&"[[check]]\n".repeat(2_000)));
}
