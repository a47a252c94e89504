//! The score, as the issue asks for it: every fault once, the real `handbell`, 100 %. Ten rounds are `make score
//! ARGS='--times 10'`.

#![expect(
    clippy::print_stdout,
    reason = "the table belongs into the test's output"
)]

mod common;

use std::sync::{Mutex, PoisonError};

use common::{Instance, did_not_run, program, text};

/// One score at a time: both measure, and a machine has few cores.
static ALONE: Mutex<()> = Mutex::new(());

fn score(name: &str, way: &str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    if program("handbell").is_none() {
        did_not_run(
            name,
            "the program handbell is not built; `cargo build --workspace --bins` builds it",
        );
        return;
    }
    let instance = Instance::new(name);
    let output = instance.run(&["score", way]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    if err.contains("no Docker engine") {
        did_not_run(name, &err);
        return;
    }
    println!("{out}");
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("(100.0 %), 0 false alarms"), "{out}");
}

#[test]
fn every_fault_of_redis_in_containers_is_named() {
    score("scored", "--require-docker");
}

#[test]
fn every_fault_of_redis_as_a_plain_process_is_named() {
    score("scorep", "--without-docker");
}
