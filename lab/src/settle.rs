//! Waiting until a fault has taken hold, by what can be seen from outside.

use std::time::Duration;

use crate::compose::Span;
use crate::condition::{Condition, PortState};
use crate::error::{LabError, Result};
use crate::job::SqlUser;
use crate::lab::{Lab, World};
use crate::link::{Link, Place};
use crate::raw::Raw;
use crate::service::Service;

/// How long a fault may take to take hold.
const LIMIT: Duration = Duration::from_mins(1);

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Between the two readings of a field that must rise.
const RISE_WITHIN: Duration = Duration::from_millis(500);

/// Between the two readings of how often a container was held back: at a tenth of a second for a period, ten of them.
const HELD_BACK_WITHIN: Duration = Duration::from_secs(1);

/// How long a handshake may take before a port counts as silent.
const PORT_LIMIT: Duration = Duration::from_secs(2);

/// How long a page may take.
const HTTP_LIMIT: Duration = Duration::from_secs(10);

/// How long INFO and SLOWLOG may take while something is wrong.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// Waits until every condition holds.
///
/// # Errors
/// When one does not within a minute; the error says which, and what was seen.
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
            service,
            status,
            oom_killed,
            restarts,
        } => container(lab, *service, status, *oom_killed, *restarts).await,
        Condition::Throttled { service, percent } => throttled(lab, *service, *percent).await,
        Condition::Port { service, state } => Ok(match port(lab, place, *service).await {
            Some(seen) if seen == *state => None,
            other => Some(behaviour(other)),
        }),
        Condition::Gone { service } => Ok(match port(lab, place, *service).await {
            Some(PortState::Refused | PortState::Closed) => None,
            other => Some(behaviour(other)),
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
        Condition::Sql {
            query,
            user,
            equals,
            contains,
            at_least,
            refused,
        } => {
            let wanted = Text {
                equals: equals.as_deref(),
                contains: contains.as_deref(),
                at_least: *at_least,
            };
            Ok(sql(lab, query, *user, &wanted, refused.as_deref()).await)
        }
        Condition::Http {
            service,
            path,
            status,
            contains,
            slower_than,
        } => {
            http(
                lab,
                *service,
                path,
                *status,
                contains.as_deref(),
                *slower_than,
            )
            .await
        }
        Condition::Log {
            service,
            contains,
            lines,
        } => {
            let text = lab.log_of(*service).await?;
            let count = text.lines().filter(|line| line.contains(contains)).count();
            Ok((count < *lines).then(|| format!("{count} lines with {contains:?}")))
        }
    }
}

/// What a text must be.
struct Text<'a> {
    equals: Option<&'a str>,
    contains: Option<&'a str>,
    at_least: Option<f64>,
}

impl Text<'_> {
    fn is_met_by(&self, seen: &str) -> bool {
        self.equals.is_none_or(|wanted| wanted == seen)
            && self.contains.is_none_or(|wanted| seen.contains(wanted))
            && self.at_least.is_none_or(|least| number(seen) >= least)
    }
}

async fn sql(
    lab: &Lab,
    query: &str,
    user: SqlUser,
    wanted: &Text<'_>,
    refused: Option<&str>,
) -> Option<String> {
    let asked = async {
        let mut sql = lab.door_of(user)?.open().await?;
        sql.run("USE mall").await?;
        let rows = sql.text(query).await;
        sql.close().await;
        rows
    };
    match (asked.await, refused) {
        (Err(error), Some(words)) if words == "connection" || error.to_string().contains(words) => {
            None
        }
        (Err(error), _) => Some(error.to_string()),
        (Ok(rows), Some(_)) => Some(format!("an answer: {:?}", rows.first())),
        (Ok(rows), None) => {
            let seen = rows
                .first()
                .and_then(|row| row.first())
                .map_or("no row", String::as_str);
            (!wanted.is_met_by(seen)).then(|| seen.to_owned())
        }
    }
}

async fn http(
    lab: &Lab,
    service: Service,
    path: &str,
    status: Option<u16>,
    contains: Option<&str>,
    slower_than: Option<Span>,
) -> Result<Option<String>> {
    let started = tokio::time::Instant::now();
    let answer = lab.ask(service, "GET", path, None, HTTP_LIMIT).await;
    let took = started.elapsed();
    let (seen, body) = match &answer {
        Ok(answer) => (answer.status, answer.body.as_str()),
        Err(_) => (0, ""),
    };
    let met = status.is_none_or(|wanted| wanted == seen)
        && contains.is_none_or(|words| body.contains(words))
        && slower_than.is_none_or(|least| took >= least.0);
    Ok((!met).then(|| match answer {
        Ok(answer) => format!(
            "status {} after {} ms: {}",
            answer.status,
            took.as_millis(),
            answer.body.chars().take(200).collect::<String>()
        ),
        Err(error) => error.to_string(),
    }))
}

async fn container(
    lab: &Lab,
    service: Service,
    status: &str,
    oom_killed: Option<bool>,
    restarts: Option<i64>,
) -> Result<Option<String>> {
    let World::Docker(containers) = &lab.world else {
        return Ok(Some("no container".to_owned()));
    };
    let Some((state, count)) = containers.state(service.key()).await? else {
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

async fn throttled(lab: &Lab, service: Service, percent: f64) -> Result<Option<String>> {
    let World::Docker(containers) = &lab.world else {
        return Ok(Some("no container".to_owned()));
    };
    let before = containers.periods(service.key()).await?;
    tokio::time::sleep(HELD_BACK_WITHIN).await;
    let after = containers.periods(service.key()).await?;
    let periods = after.all.saturating_sub(before.all);
    let held_back = after.held_back.saturating_sub(before.held_back);
    let enough = periods > 0
        && number(&held_back.to_string()) * 100.0 >= percent * number(&periods.to_string());
    Ok((!enough).then(|| format!("held back in {held_back} of {periods} periods")))
}

/// How a port behaves; `None` when somebody answers there.
async fn port(lab: &Lab, place: &Place, service: Service) -> Option<PortState> {
    let seen = match service {
        Service::RedisMaster => Raw::answer(place, &["PING".to_owned()]).await.map(|_| ()),
        Service::MysqlMaster => Raw::greeting(lab.port(service)).await,
        Service::Nginx | Service::Backend => Raw::http(lab.port(service)).await,
        Service::Wechatpay => match lab.ask(service, "GET", "/", None, PORT_LIMIT).await {
            Ok(_) => Ok(()),
            Err(_) => Raw::greeting(lab.port(service)).await,
        },
        Service::Dns => Raw::connected(lab.port(service)).await,
    };
    seen.err().map(|none| none.port())
}

fn behaviour(state: Option<PortState>) -> String {
    state.map_or("it answers".to_owned(), |state| format!("{state:?}"))
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
