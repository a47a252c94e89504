//! `mysql.deadlock`: the latest deadlock, and whether there are more of them now.

mod parse;

use std::time::Duration;

use jiff::{Unit as Step, civil::DateTime};

use self::parse::{Deadlock, Lock, Side};
use super::{
    failure::Failure,
    pool::{Held, Link},
    rows::int_of,
};
use crate::{
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::Seen,
        spec::{arg, count, flag, float, int, seconds, text, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "mysql.deadlock",
    summary: "the latest deadlock of InnoDB: both transactions with their statements and locks, its age, and how many there are now",
    targets: &[TargetKind::Mysql],
    args: &[
        arg(
            "within",
            ArgType::Duration,
            "10m",
            (1_000, 604_800_000),
            "what counts as recent",
        ),
        arg(
            "sample",
            ArgType::Duration,
            "500ms",
            (0, 5_000),
            "for how long the counter is watched; 0 for not at all",
        ),
    ],
    facts: &[
        flag("found", "there was a deadlock since the server's start"),
        seconds("seconds_ago", "when the latest was").optional(),
        flag("recent", "it was within the time of `within`"),
        count(
            "deadlocks",
            "how many since the server's start; none when it does not count them",
        )
        .optional(),
        float(
            "per_minute",
            Unit::None,
            "how many a minute on average since the server's start",
        )
        .optional(),
        count("now", "how many during the sample").optional(),
        count("transactions", "how many took part in the latest"),
        text(
            "first_statement",
            "the statement of the first, without values",
        )
        .optional(),
        text("first_account", "whose it is").optional(),
        text("first_holds", "a lock that it held").optional(),
        text("first_waits", "the lock that it waited for").optional(),
        text("second_statement", "the statement of the second").optional(),
        text("second_account", "whose it is").optional(),
        text("second_holds", "a lock that it held").optional(),
        text("second_waits", "the lock that it waited for").optional(),
        int(
            "victim",
            Unit::None,
            "which of them was rolled back, counted from 1",
        )
        .optional(),
        texts("tables", "the tables of all locks in it"),
        flag(
            "same_table",
            "all locks are on one table: rows taken in different order, or a missing index",
        ),
        flag(
            "gap_locks",
            "a lock on a gap between rows took part: ranges, or INSERT … ON DUPLICATE KEY",
        ),
    ],
    per_key: None,
};

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or the account may not see InnoDB's state (PROCESS).
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let given = Given::new(&SPEC, args);
    let blind = |failure| link.blind(&failure);
    let mut held = link.alive().await?;
    let before = counter(&mut held).await.map_err(blind)?;
    let status = held.row("SHOW ENGINE INNODB STATUS").await.map_err(blind)?;
    let now = held
        .row(
            "SELECT COALESCE(CONVERT_TZ(NOW(), @@session.time_zone, 'SYSTEM'), NOW()) AS now, \
             (SELECT 1) AS one",
        )
        .await
        .map_err(blind)?;
    let uptime = held
        .row("SHOW GLOBAL STATUS LIKE 'Uptime'")
        .await
        .map_err(blind)?;
    let found = parse::parse(status.str("status"));
    let sample = given.duration("sample");
    let mut after = before;
    if !sample.is_zero() && before.is_some() {
        drop(held);
        tokio::time::sleep(sample).await;
        after = counter(&mut link.alive().await?).await.map_err(blind)?;
    }
    let now = now.str("now").replace(' ', "T").parse().ok();
    Ok(sighting(
        found.as_ref(),
        now,
        (before, after, uptime.int("value").unwrap_or(0)),
        given.duration("within"),
        !sample.is_zero(),
    ))
}

/// Deadlocks since the start. MariaDB counts them in its status, MySQL in InnoDB's metrics.
async fn counter(held: &mut Held<'_>) -> Result<Option<i64>, Failure> {
    let sql = if held.version.is_mariadb() {
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS \
         WHERE VARIABLE_NAME = 'INNODB_DEADLOCKS'"
    } else {
        "SELECT `COUNT` FROM information_schema.INNODB_METRICS \
         WHERE NAME = 'lock_deadlocks' AND STATUS = 'enabled'"
    };
    let rows = held.try_ask(sql).await?.unwrap_or_default();
    Ok(rows.first().and_then(|row| int_of(row.at(0)?)))
}

fn age(found: &Deadlock, now: Option<DateTime>) -> Option<i64> {
    let since = now?.since((Step::Second, found.at?)).ok()?;
    Some(since.get_seconds().max(0))
}

fn sighting(
    found: Option<&Deadlock>,
    now: Option<DateTime>,
    (before, after, uptime): (Option<i64>, Option<i64>, i64),
    within: Duration,
    sampled: bool,
) -> Sighting {
    let within = i64::try_from(within.as_secs()).unwrap_or(i64::MAX);
    let age = found.and_then(|found| age(found, now));
    let sides: &[Side] = found.map_or(&[], |found| &found.sides);
    let locks = |side: &Side| -> Vec<Lock> {
        [&side.holds, &side.waits, &side.conflicts]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    };
    let all: Vec<Lock> = sides.iter().flat_map(locks).collect();
    let mut tables: Vec<String> = all.iter().map(|lock| lock.table.clone()).collect();
    tables.sort();
    tables.dedup();
    let mut seen = Seen::new(&SPEC);
    match (found, age) {
        (Some(_), Some(age)) => seen.line(format!("the latest deadlock was {age} s ago")),
        (Some(_), None) => seen.line("there was a deadlock; its time can't be read"),
        (None, _) => seen.line("no deadlock since the server's start"),
    };
    for (n, side) in sides.iter().enumerate() {
        seen.line(format!(
            "({}) {} {}: {}",
            n + 1,
            side.connection,
            side.account,
            side.statement
        ));
        for (word, locks) in [
            ("holds", &side.holds),
            ("waits for", &side.waits),
            ("is held up by", &side.conflicts),
        ] {
            for lock in locks.iter().take(3) {
                seen.line(format!("    {word} {}", lock.shown()));
            }
        }
    }
    if let Some(victim) = found.and_then(|found| found.victim) {
        seen.line(format!("({victim}) was rolled back"));
    }
    // What the second was held up by is what the first held, where only that is told.
    let held = |n: usize| -> Option<String> {
        let own = sides.get(n)?.holds.first();
        let other = sides.get(1 - n).and_then(|side| side.conflicts.first());
        own.or(other).map(Lock::shown)
    };
    let told = |n: usize| {
        sides
            .get(n)
            .map(|it| it.statement.clone())
            .filter(|text| !text.is_empty())
    };
    let waits = |n: usize| sides.get(n)?.waits.first().map(Lock::shown);
    let account = |n: usize| sides.get(n).map(|it| it.account.clone());
    #[expect(clippy::cast_precision_loss, reason = "an average")]
    let per_minute = after
        .filter(|_| uptime > 0)
        .map(|count| count as f64 * 60.0 / uptime.max(60) as f64);
    seen.fact("found", found.is_some())
        .fact("seconds_ago", age)
        .fact("recent", age.is_some_and(|age| age <= within))
        .fact("deadlocks", after)
        .fact("per_minute", per_minute)
        .fact(
            "now",
            after
                .zip(before)
                .filter(|_| sampled)
                .map(|(after, before)| (after - before).max(0)),
        )
        .fact("transactions", sides.len())
        .fact("first_statement", told(0))
        .fact("first_account", account(0))
        .fact("first_holds", held(0))
        .fact("first_waits", waits(0))
        .fact("second_statement", told(1))
        .fact("second_account", account(1))
        .fact("second_holds", held(1))
        .fact("second_waits", waits(1))
        .fact("victim", found.and_then(|found| found.victim))
        .fact("same_table", tables.len() == 1)
        .fact("tables", tables)
        .fact(
            "gap_locks",
            all.iter().any(|lock| {
                lock.mode.contains("gap before") || lock.mode.contains("insert intention")
            }),
        );
    seen.done()
}
