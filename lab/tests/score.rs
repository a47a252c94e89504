//! The score of a part that stands for the rest: faults of every kind of step, the real
//! `handbell`, 100 %. All of them are `make score`.

#![expect(
    clippy::print_stdout,
    reason = "the table belongs into the test's output"
)]

mod common;

use std::sync::{Mutex, PoisonError};

use common::{Instance, did_not_run, program, text};

/// One score at a time: both measure, and a machine has few cores.
static ALONE: Mutex<()> = Mutex::new(());

/// Faults that stand for the rest: a server that is gone, data, settings, jobs in the background, the container, SQL,
/// files, certificates, name servers, requests to a stand-in, two at once, and a near miss.
const SOME: [&str; 14] = [
    "redis-stopped",
    "redis-memory-full",
    "redis-too-many-clients",
    "redis-oom-killed",
    "redis-save-fails",
    "redis-frozen",
    "near-memory-80-percent",
    "slow-missing-index",
    "slow-row-locks",
    "slow-index-and-cache",
    "certificate-expired",
    "dns-disagree",
    "miniprogram-localhost",
    "payment-signature-invalid",
];

/// Their runbooks.
const RUNBOOKS: [&str; 4] = ["redis", "slow-api", "miniprogram", "payment"];

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
    let mut arguments = vec!["score", "--seed", "1", way];
    arguments.extend(SOME.iter().flat_map(|fault| ["--only", fault]));
    arguments.extend(RUNBOOKS.iter().flat_map(|runbook| ["--runbook", runbook]));
    let output = instance.run(&arguments);
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
fn faults_in_containers_with_mysql_are_named() {
    score("scored", "--require-docker");
}

#[test]
fn faults_in_plain_processes_with_mariadb_are_named() {
    score("scorep", "--without-docker");
}
