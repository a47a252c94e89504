//! `mysql.processlist`: what runs, for how long, and what it waits for.

use std::time::Duration;

use super::{
    failure::Failure,
    people::{People, Person, tally},
    pool::{Held, Link},
};
use crate::{
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::Seen,
        spec::{arg, count, flag, seconds, text, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.processlist",
    summary: "statements that run now, the longest first, what they wait for, and whose they are",
    targets: &[TargetKind::Mysql],
    args: &[arg(
        "slower_than",
        ArgType::Duration,
        "5s",
        (1_000, 3_600_000),
        "a statement that has run for so long counts as long",
    )],
    facts: &[
        count("connections", "connections that were read, without our own"),
        flag("truncated", "there were more than could be read"),
        count("running", "statements that run now"),
        count(
            "long_count",
            "of them those that have run for at least `slower_than`",
        ),
        seconds("longest_seconds", "the longest of them; 0 without one"),
        text("longest_statement", "the longest, without its values").optional(),
        text("longest_account", "whose it is").optional(),
        text("longest_state", "what it does at this moment").optional(),
        count("longest_id", "its connection's number; 0 without one"),
        count(
            "metadata_waits",
            "statements that wait for a lock on a table's definition",
        ),
        seconds(
            "metadata_wait_seconds",
            "the longest of these waits; 0 without one",
        ),
        text(
            "metadata_statement",
            "the statement that waits longest, without its values",
        )
        .optional(),
        count(
            "global_lock_waits",
            "statements that wait for a lock on the whole server or a whole table (FLUSH TABLES WITH READ LOCK, a backup, LOCK TABLES); a wait for a flush of tables is among `metadata_waits`, too",
        ),
        seconds(
            "global_lock_wait_seconds",
            "the longest of these waits; 0 without one",
        ),
        text(
            "global_lock_state",
            "the state of the one that waits longest",
        )
        .optional(),
        text(
            "global_lock_holder",
            "the account that holds the lock, where the server's books name it (metadata_locks, or MariaDB's plugin metadata_lock_info)",
        )
        .optional(),
        count(
            "global_lock_holder_id",
            "its connection's number; 0 where it is not named",
        ),
        count(
            "row_lock_waits",
            "statements that seem to wait for another's row locks (by their state)",
        ),
        count(
            "disk_waits",
            "statements that stand still since the disk is full",
        ),
        text("top_state", "the state in which most statements are").optional(),
        count("top_state_count", "how many"),
        text(
            "top_statement",
            "the statement that runs most often at this moment, without its values",
        )
        .optional(),
        count("top_statement_count", "how many of it"),
        text(
            "top_account",
            "the account with the most running statements",
        )
        .optional(),
        count("top_account_count", "how many"),
        texts(
            "statements",
            "the longest running statements, one line each",
        ),
    ],
    per_key: None,
};

/// How many statements are told.
const TOP: usize = 8;

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let mut held = link.alive().await?;
    let people = People::of(&mut held, &link.own()).await;
    let people = people.map_err(|failure| link.blind(&failure))?;
    let waits = people.all.iter().any(Person::waits_for_global_lock);
    let holder = if waits {
        let named = holder(&mut held, &people).await;
        named.map_err(|failure| link.blind(&failure))?
    } else {
        None
    };
    Ok(sighting(
        &people,
        holder.as_ref(),
        Given::new(&SPEC, args).duration("slower_than"),
    ))
}

/// Locks on the server or on a table that have been granted, with the connection that has each.
/// Writers have one too, which hinders no other writer; those are left out.
const HOLDERS: [&str; 2] = [
    "SELECT it.PROCESSLIST_ID AS id FROM performance_schema.metadata_locks AS lck \
     JOIN performance_schema.threads AS it ON it.THREAD_ID = lck.OWNER_THREAD_ID \
     WHERE lck.LOCK_STATUS = 'GRANTED' AND it.PROCESSLIST_ID <> CONNECTION_ID() AND \
     (lck.OBJECT_TYPE IN ('GLOBAL', 'COMMIT', 'BACKUP LOCK', 'BACKUP') AND \
     (lck.LOCK_TYPE IN ('SHARED', 'EXCLUSIVE') OR lck.LOCK_TYPE REGEXP '^(MDL_)?BACKUP_(FTWRL|START|FLUSH|WAIT)') \
     OR lck.OBJECT_TYPE = 'TABLE' AND lck.LOCK_TYPE IN \
     ('SHARED_NO_READ_WRITE', 'SHARED_READ_ONLY', 'EXCLUSIVE')) \
     ORDER BY lck.OBJECT_TYPE = 'TABLE' LIMIT 1",
    // MariaDB's plugin; it numbers connections as the processlist does.
    "SELECT THREAD_ID AS id FROM information_schema.METADATA_LOCK_INFO \
     WHERE THREAD_ID <> CONNECTION_ID() AND (LOCK_MODE REGEXP '^MDL_BACKUP_(FTWRL|START|FLUSH|WAIT)' \
     OR LOCK_MODE IN ('MDL_SHARED_NO_READ_WRITE', 'MDL_SHARED_READ_ONLY', 'MDL_EXCLUSIVE')) \
     ORDER BY LOCK_TYPE LIKE 'Table%' LIMIT 1",
];

/// Who holds the lock that others wait for, where the server keeps books of such locks.
async fn holder(held: &mut Held<'_>, people: &People) -> Result<Option<Person>, Failure> {
    for question in HOLDERS {
        let Ok(rows) = held.try_ask(question).await? else {
            continue;
        };
        let id = rows.first().and_then(|row| row.int("id"));
        let id = id.and_then(|id| u64::try_from(id).ok());
        if let Some(person) = people.all.iter().find(|it| Some(it.id) == id) {
            return Ok(Some(person.clone()));
        }
    }
    Ok(None)
}

fn sighting(people: &People, holder: Option<&Person>, slower_than: Duration) -> Sighting {
    let least = i64::try_from(slower_than.as_secs()).unwrap_or(i64::MAX);
    let mut running: Vec<&Person> = people.all.iter().filter(|it| it.is_working()).collect();
    running.sort_by_key(|person| std::cmp::Reverse(person.seconds));
    let longest = running.first();
    let metadata: Vec<&&Person> = running
        .iter()
        .filter(|it| it.waits_for_metadata())
        .collect();
    let lines: Vec<String> = running
        .iter()
        .take(TOP)
        .map(|it| {
            format!(
                "{} {} {} s, {}: {}",
                it.id,
                it.account(),
                it.seconds,
                it.state,
                it.statement
            )
        })
        .collect();
    let states = tally(running.iter().map(|it| it.state.clone()));
    let statements = tally(running.iter().map(|it| it.statement.clone()));
    let accounts = tally(running.iter().map(|it| it.account()));
    let long = running.iter().filter(|it| it.seconds >= least).count();
    let row_locks = running.iter().filter(|it| {
        let state = it.state.to_ascii_lowercase();
        state.contains("row lock") || state == "updating" && it.seconds >= 2
    });
    let mut seen = Seen::new(&SPEC);
    seen.line(format!(
        "{} connections, {} running, {long} of them for {least} s or more",
        people.all.len(),
        running.len()
    ));
    for line in &lines {
        seen.line(line);
    }
    tell_global(&mut seen, &running, holder);
    seen.fact("connections", people.all.len())
        .fact("truncated", people.truncated)
        .fact("running", running.len())
        .fact("long_count", long)
        .fact("longest_seconds", longest.map_or(0, |it| it.seconds))
        .fact("longest_statement", longest.map(|it| it.statement.clone()))
        .fact("longest_account", longest.map(|it| it.account()))
        .fact("longest_state", longest.map(|it| it.state.clone()))
        .fact("longest_id", longest.map_or(0, |it| it.id))
        .fact("metadata_waits", metadata.len())
        .fact(
            "metadata_wait_seconds",
            metadata.iter().map(|it| it.seconds).max().unwrap_or(0),
        )
        .fact(
            "metadata_statement",
            metadata.first().map(|it| it.statement.clone()),
        )
        .fact("row_lock_waits", row_locks.count())
        .fact(
            "disk_waits",
            people.all.iter().filter(|it| it.waits_for_disk()).count(),
        )
        .fact("top_state", states.first().map(|(state, _)| state.clone()))
        .fact(
            "top_state_count",
            states.first().map_or(0, |(_, count)| *count),
        )
        .fact(
            "top_statement",
            statements.first().map(|(text, _)| text.clone()),
        )
        .fact(
            "top_statement_count",
            statements.first().map_or(0, |(_, count)| *count),
        )
        .fact(
            "top_account",
            accounts.first().map(|(account, _)| account.clone()),
        )
        .fact(
            "top_account_count",
            accounts.first().map_or(0, |(_, count)| *count),
        )
        .fact("statements", lines);
    seen.done()
}

/// Waits for a lock on the whole server or a whole table, and who has it.
fn tell_global(seen: &mut Seen, running: &[&Person], holder: Option<&Person>) {
    let waiting: Vec<&&Person> = running
        .iter()
        .filter(|it| it.waits_for_global_lock())
        .collect();
    if let Some(holder) = holder {
        seen.line(format!(
            "{} statements wait for a lock that {} {} holds",
            waiting.len(),
            holder.id,
            holder.account()
        ));
    }
    seen.fact("global_lock_waits", waiting.len())
        .fact(
            "global_lock_wait_seconds",
            waiting.iter().map(|it| it.seconds).max().unwrap_or(0),
        )
        .fact(
            "global_lock_state",
            waiting.first().map(|it| it.state.clone()),
        )
        .fact("global_lock_holder", holder.map(Person::account))
        .fact("global_lock_holder_id", holder.map_or(0, |it| it.id));
}
