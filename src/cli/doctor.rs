//! `handbell doctor`: what is wrong, and how to mend it.

use serde_json::json;

use super::{EXIT_WRONG, Output, args::Doctor};
use crate::{
    app::{Checkup, State},
    config::{Config, ConfigErrors},
    domain::redact::Redactor,
    runtime,
};

/// Exit code when something is wrong.
const EXIT_FOUND: u8 = 1;

/// Walks everything that `config` names.
pub(super) fn run(args: &Doctor, config: &Config, output: &Output) -> u8 {
    let threads = match runtime::one_shot() {
        Ok(threads) => threads,
        Err(error) => {
            output.error(&format!("the system gives no threads: {error}"));
            return EXIT_WRONG;
        }
    };
    let found = threads.block_on(runtime::doctor::examine(config, !args.no_discord));
    threads.shutdown_background();
    show(found, &runtime::redactor(config), args.json, output)
}

/// A configuration that can't be read is the first finding, and the only one.
pub(super) fn unreadable(args: &Doctor, errors: &ConfigErrors, output: &Output) -> u8 {
    if !args.json {
        output.note(&errors.render(output.error_colour));
    }
    let found = errors
        .problems()
        .iter()
        .map(|problem| {
            Checkup::wrong(
                "config",
                format!("{}:{}:{}", problem.file, problem.line, problem.column),
                problem.message.clone(),
                problem
                    .hint
                    .clone()
                    .unwrap_or_else(|| "correct this line".to_owned()),
            )
        })
        .collect();
    show(found, &Redactor::default(), args.json, output)
}

fn show(mut found: Vec<Checkup>, redactor: &Redactor, as_json: bool, output: &Output) -> u8 {
    for one in &mut found {
        redactor.clean_in_place(&mut one.subject);
        redactor.clean_in_place(&mut one.say);
        if let Some(mend) = &mut one.mend {
            redactor.clean_in_place(mend);
        }
    }
    let count = |state| found.iter().filter(|one| one.state == state).count();
    let wrong = count(State::Wrong);
    if as_json {
        output.json(&json!({"wrong": wrong, "checkups": found}));
    } else {
        for one in &found {
            output.say(&line(one, output.colour));
        }
        let notices = count(State::Notice);
        output.say(&match (wrong, notices) {
            (0, 0) => "\nAll is well.".to_owned(),
            (0, n) => format!("\nAll works; {n} to look at."),
            (n, _) => format!("\n{n} wrong."),
        });
    }
    if wrong > 0 { EXIT_FOUND } else { 0 }
}

fn line(one: &Checkup, colour: bool) -> String {
    let (mark, code) = match one.state {
        State::Sound => ("ok     ", "32"),
        State::Notice => ("notice ", "33"),
        State::Wrong => ("wrong  ", "1;31"),
        State::Skipped => ("skipped", "2"),
    };
    let mark = if colour {
        format!("\u{1b}[{code}m{mark}\u{1b}[0m")
    } else {
        mark.to_owned()
    };
    let mut text = format!("{mark}  {:8}  {}: {}", one.area, one.subject, one.say);
    if let Some(mend) = &one.mend {
        text.push_str(&format_args!("\n                     → {mend}").to_string());
    }
    text
}
