//! `mysql.transactions`: open transactions, and who blocks whom.

mod read;
mod spec;
mod tree;

pub use spec::SPEC;

use std::time::Duration;

use self::{
    read::{Seen as Found, Transaction},
    tree::{lines, roots},
};
use super::pool::Link;
use crate::{
    domain::{
        diagnosis::{Blind, Sighting},
        handbook::Args,
    },
    probes::{args::Given, seen::Seen},
};

/// How many lines of the tree are told.
const LINES: usize = 16;

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or the account may not see transactions (PROCESS).
pub(in crate::probes::mysql) async fn look(
    link: &Link<'_>,
    args: &Args,
) -> Result<Sighting, Blind> {
    let mut held = link.alive().await?;
    let found = read::read(&mut held, &link.own()).await;
    let found = found.map_err(|failure| link.blind(&failure))?;
    Ok(sighting(
        &found,
        Given::new(&SPEC, args).duration("longer_than"),
    ))
}

fn described(it: &Transaction, root: bool) -> String {
    let doing = if it.idle {
        format!("idle for {} s", it.idle_seconds)
    } else if it.waiting {
        format!("waits for {} s", it.wait_seconds)
    } else {
        "runs".to_owned()
    };
    let blocks = if root { ", blocks" } else { "" };
    format!(
        "{} {}, open for {} s, {doing}{blocks}: {}",
        it.connection,
        it.account,
        it.seconds,
        if it.statement.is_empty() {
            "(its last statement is not known)"
        } else {
            &it.statement
        }
    )
}

fn sighting(found: &Found, longer_than: Duration) -> Sighting {
    let least = i64::try_from(longer_than.as_secs()).unwrap_or(i64::MAX);
    let all = &found.transactions;
    let longest = all.iter().max_by_key(|it| it.seconds);
    let long = all.iter().filter(|it| it.seconds >= least).count();
    let idle: Vec<&Transaction> = all.iter().filter(|it| it.idle).collect();
    let longest_idle = idle.iter().max_by_key(|it| it.idle_seconds);
    let waiting: Vec<&Transaction> = all.iter().filter(|it| it.waiting).collect();
    let longest_wait = waiting.iter().max_by_key(|it| it.wait_seconds);
    let roots = roots(&found.waits);
    let by_id = |id: &str| all.iter().find(|it| it.id == id);
    let root = roots.first().and_then(|root| by_id(&root.id));
    let tree = lines(&found.waits, LINES, |id, is_root| {
        by_id(id).map_or_else(|| format!("transaction {id}"), |it| described(it, is_root))
    });
    let lock = found.locks.first();
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} transactions, {long} open for {least} s or more, {} idle, {} wait for locks",
        all.len(),
        idle.len(),
        waiting.len()
    ));
    for line in &tree {
        seen.line(line);
    }
    if tree.is_empty() {
        for it in all.iter().take(LINES) {
            seen.line(described(it, false));
        }
    }
    for line in &found.metadata_lines {
        seen.line(line);
    }
    seen.fact("transactions", all.len())
        .fact("long_count", long)
        .fact("longest_seconds", longest.map_or(0, |it| it.seconds))
        .fact("longest_id", longest.map_or(0, |it| it.connection))
        .fact("longest_account", longest.map(|it| it.account.clone()))
        .fact("longest_statement", longest.and_then(Transaction::told))
        .fact("longest_is_idle", longest.is_some_and(|it| it.idle))
        .fact("rows_modified", longest.map_or(0, |it| it.rows_modified))
        .fact("idle_count", idle.len())
        .fact(
            "longest_idle_seconds",
            longest_idle.map_or(0, |it| it.idle_seconds),
        )
        .fact("lock_waits", waiting.len())
        .fact(
            "longest_wait_seconds",
            longest_wait.map_or(0, |it| it.wait_seconds),
        )
        .fact("waiting_statement", longest_wait.and_then(|it| it.told()))
        .fact("waiting_account", longest_wait.map(|it| it.account.clone()))
        .fact("blockers", roots.len())
        .fact("root_id", root.map_or(0, |it| it.connection))
        .fact("root_account", root.map(|it| it.account.clone()))
        .fact("root_seconds", root.map_or(0, |it| it.seconds))
        .fact("root_is_idle", root.is_some_and(|it| it.idle))
        .fact("root_statement", root.and_then(Transaction::told))
        .fact("root_victims", roots.first().map_or(0, |it| it.victims))
        .fact("lock_table", lock.map(|it| it.table.clone()))
        .fact("lock_index", lock.and_then(|it| it.index.clone()))
        .fact("lock_mode", lock.map(|it| it.mode.clone()))
        .fact("tree", tree)
        .fact("tree_seen", found.waits_known)
        .fact("metadata_waits", found.metadata.len())
        .fact(
            "metadata_wait_seconds",
            found
                .metadata
                .iter()
                .map(|it| it.seconds)
                .max()
                .unwrap_or(0),
        )
        .fact("metadata_table", found.metadata_table.clone())
        .fact(
            "metadata_blocker_id",
            found
                .metadata_blocker
                .as_ref()
                .map_or(0, |it| it.connection),
        )
        .fact(
            "metadata_blocker_account",
            found.metadata_blocker.as_ref().map(|it| it.account.clone()),
        )
        .fact(
            "metadata_blocker_statement",
            found.metadata_blocker.as_ref().and_then(Transaction::told),
        )
        .fact(
            "metadata_blocker_is_idle",
            found.metadata_blocker.as_ref().is_some_and(|it| it.idle),
        );
    seen.done()
}
