//! Waiting until a fault has taken hold, by what can be seen from outside.

use std::time::Duration;

use crate::error::{LabError, Result};
use crate::fault::{Condition, PortState};
use crate::instance::REDIS;
use crate::lab::{Lab, World};
use crate::link::{Link, Place};
use crate::raw::{NoAnswer, Raw};

/// How long a fault may take to take hold.
const LIMIT: Duration = Duration::from_secs(30);

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Between the two readings of a field that must rise.
const RISE_WITHIN: Duration = Duration::from_millis(500);

/// How long INFO and SLOWLOG may take while something is wrong.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// Waits until every condition holds.
///
/// # Errors
/// When one does not within half a minute; the error says which, and what was seen.
pub async fn wait(lab: &Lab, conditions: &[Condition]) -> Result<()> {
    let place = lab.place()?;
    let deadline = tokio::time::Instant::now() + LIMIT;
    for condition in conditions {
        loop {
            let seen = match look(lab, &place, condition).await {
                Ok(None) => break,
                Ok(Some(seen)) => seen,
                Err(error) => error.to_string(),
            };
            if tokio::time::Instant::now() > deadline {
                let what = format!("the fault has taken hold ({condition:?})");
                return Err(LabError::TooLate {
                    what,
                    seen,
                    waited: LIMIT,
                });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(())
}

/// `None` when the condition holds, else what is seen instead.
async fn look(lab: &Lab, place: &Place, condition: &Condition) -> Result<Option<String>> {
    match condition {
        Condition::Container {
            status,
            oom_killed,
            restarts,
        } => container(lab, status, *oom_killed, *restarts).await,
        Condition::Port { state } => Ok(port(place, *state).await),
        Condition::Gone {} => Ok(match Raw::answer(place, &["PING".to_owned()]).await {
            Err(NoAnswer::Refused | NoAnswer::Closed) => None,
            other => Some(format!("{other:?}")),
        }),
        Condition::Answer { to, begins } => Ok(match Raw::answer(place, to).await {
            Ok(answer) if answer.starts_with(begins) => None,
            Ok(answer) => Some(answer),
            Err(none) => Some(format!("{none:?}")),
        }),
        Condition::Info {
            field,
            equals,
            at_least,
        } => {
            let seen = field_of(&mut link(place).await?, field).await?;
            let equal = equals.as_ref().is_none_or(|wanted| *wanted == seen);
            let enough = at_least.is_none_or(|least| number(&seen) >= least);
            Ok((!(equal && enough)).then(|| format!("{field} = {seen}")))
        }
        Condition::Rises { field, by } => {
            let mut link = link(place).await?;
            let before = number(&field_of(&mut link, field).await?);
            tokio::time::sleep(RISE_WITHIN).await;
            let after = number(&field_of(&mut link, field).await?);
            Ok((after - before < *by).then(|| format!("{field} rose by {}", after - before)))
        }
        Condition::SlowLog { entries } => {
            let answer = link(place).await?.command(&["SLOWLOG", "LEN"]).await?;
            let redis::Value::Int(length) = answer else {
                return Ok(Some(format!("{answer:?}")));
            };
            Ok((u64::try_from(length).unwrap_or_default() < *entries)
                .then(|| format!("{length} entries")))
        }
    }
}

async fn container(
    lab: &Lab,
    status: &str,
    oom_killed: Option<bool>,
    restarts: Option<i64>,
) -> Result<Option<String>> {
    let World::Docker(containers) = &lab.world else {
        return Ok(Some("no container".to_owned()));
    };
    let Some((state, count)) = containers.state(REDIS).await? else {
        return Ok((status != "missing").then(|| "no container".to_owned()));
    };
    let word = state
        .status
        .map(|status| status.to_string())
        .unwrap_or_default();
    let same = word == status
        && oom_killed.is_none_or(|wanted| state.oom_killed == Some(wanted))
        && restarts.is_none_or(|least| count >= least);
    Ok((!same).then(|| {
        format!(
            "status {word}, OOM-killed {:?}, {count} restarts",
            state.oom_killed
        )
    }))
}

async fn port(place: &Place, wanted: PortState) -> Option<String> {
    let ping = ["PING".to_owned()];
    match Raw::answer(place, &ping).await {
        Ok(answer) => Some(format!("it answers {answer:?}")),
        Err(none) if none.port() == wanted => None,
        Err(none) => Some(format!("{none:?}")),
    }
}

async fn link(place: &Place) -> Result<Link> {
    place.connect(ANSWER_LIMIT).await
}

async fn field_of(link: &mut Link, field: &str) -> Result<String> {
    Ok(link
        .info()
        .await?
        .remove(field)
        .unwrap_or_else(|| "absent".to_owned()))
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}
