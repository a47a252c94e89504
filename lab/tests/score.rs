//! The score of a part that stands for the rest: faults of every kind of step, the real
//! `handbell`, 100 %. All of them are `make score`.

#![expect(
    clippy::print_stdout,
    reason = "the table belongs into the test's output"
)]

mod common;

use std::sync::{Mutex, PoisonError};

use handbell_lab::run::WRONG;

use common::{Instance, did_not_run, program, text};

/// One score at a time: both measure, and a machine has few cores.
static ALONE: Mutex<()> = Mutex::new(());

/// Faults that stand for the rest, of every page: a server that is gone, data, settings, jobs in the background, the
/// container, SQL, files, certificates, name servers, requests to a stand-in, two at once, one that comes and goes, and
/// near misses.
const SOME: [&str; 21] = [
    "redis-stopped",
    "redis-memory-full",
    "redis-oom-killed",
    "near-memory-80-percent",
    "mysql-stopped",
    "mysql-too-many-connections",
    "mysql-application-password",
    "slow-missing-index",
    "slow-row-locks",
    "slow-list-fails-sometimes",
    "deadlock-chain",
    "deadlock-metadata-lock",
    "payment-signature-invalid",
    "oversell-negative",
    "disk-full",
    "nginx-upstream-wrong-port",
    "nginx-maintenance",
    "outage-backend-and-nginx-stopped",
    "certificate-expired",
    "dns-disagree",
    "miniprogram-localhost",
];

/// Of them those that differ most without containers.
const AS_PROCESSES: [&str; 10] = [
    "redis-stopped",
    "redis-memory-full",
    "mysql-stopped",
    "mysql-application-password",
    "slow-missing-index",
    "slow-row-locks",
    "payment-signature-invalid",
    "nginx-upstream-wrong-port",
    "outage-backend-and-nginx-stopped",
    "dns-disagree",
];

/// Faults of the database, for the other database.
const OF_THE_DATABASE: [&str; 7] = [
    "mysql-stopped",
    "mysql-too-many-connections",
    "mysql-application-password",
    "mysql-global-read-lock",
    "deadlock-storm",
    "deadlock-chain",
    "deadlock-metadata-lock",
];

fn score(name: &str, way: &[&str], faults: &[&str]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for needed in ["handbell", "handbell-sandbox"] {
        if program(needed).is_none() {
            let why = format!("{needed} is not built; `cargo build --workspace --bins` builds it");
            did_not_run(name, &why);
            return;
        }
    }
    let instance = Instance::new(name);
    let mut arguments = vec!["score", "--seed", "1"];
    arguments.extend(way);
    arguments.extend(faults.iter().flat_map(|fault| ["--only", fault]));
    let output = instance.run(&arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    if err.contains("no Docker engine") {
        did_not_run(name, &err);
        return;
    }
    println!("{out}\n{err}");
    // The table stands above. What was wrong in it stands at its end, and the reason of a score that broke off, too.
    let wrong = out.split_once(WRONG).map_or("", |(_, wrong)| wrong);
    let last: Vec<&str> = err.lines().rev().take(3).collect();
    assert!(output.status.success(), "{wrong}\n{last:#?}");
    assert!(out.contains("(100.0 %), 0 false alarms"), "{out}");
}

#[test]
fn faults_in_containers_with_mysql_are_named() {
    score("scored", &["--require-docker"], &SOME);
}

#[test]
fn faults_of_the_database_in_containers_with_mariadb_are_named() {
    let way = [
        "--require-docker",
        "--database",
        "mariadb",
        "--skip-healthy",
    ];
    score("scorem", &way, &OF_THE_DATABASE);
}

#[test]
fn faults_in_plain_processes_with_mariadb_are_named() {
    score(
        "scorep",
        &["--without-docker", "--skip-healthy"],
        &AS_PROCESSES,
    );
}

#[test]
fn faults_are_named_in_the_chat() {
    let way = [
        "--without-docker",
        "--skip-healthy",
        "--chat",
        "--runbook",
        "redis",
        "--runbook",
        "all",
    ];
    score(
        "scorec",
        &way,
        &["redis-memory-full", "mysql-too-many-connections"],
    );
}
