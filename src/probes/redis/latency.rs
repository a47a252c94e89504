//! `redis.latency`: the server's own latency monitor.

use redis::{Pipeline, Value};

use super::{
    failure::Failure,
    pool::Link,
    session::question,
    words::{int_of, list_of, seconds_of_time, text_of},
};
use crate::{
    domain::{
        diagnosis::{ArgType, Blind, ProbeSpec, Sighting, TargetKind, Unit},
        handbook::Args,
    },
    probes::{
        args::Given,
        seen::Seen,
        spec::{arg, count, flag, int, seconds, text, texts},
    },
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.latency",
    summary: "latency spikes that the server itself has recorded, if its monitor is on",
    targets: &[TargetKind::Redis],
    args: &[arg("within", ArgType::Duration, "10m", (1_000, 604_800_000), "what counts as recent")],
    facts: &[
        flag("monitor_on", "the monitor records (latency-monitor-threshold is above 0); none when it may not be asked").optional(),
        int("threshold_ms", Unit::Milliseconds, "what it records is slower than this").optional(),
        count("events", "kinds of event that were recorded"),
        texts("event_names", "these kinds"),
        int("worst_ms", Unit::Milliseconds, "the slowest ever recorded; 0 without one"),
        text("worst_event", "its kind").optional(),
        seconds("last_seconds_ago", "when the newest spike was").optional(),
        count("recent_count", "spikes within the time of `within`"),
        int("recent_worst_ms", Unit::Milliseconds, "the slowest of them; 0 without one"),
        text("recent_worst_event", "its kind").optional(),
    ],
    per_key: None,
};

/// Kinds of event whose history is read. Redis knows about twenty
/// (<https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/>).
const MOST_EVENTS: usize = 32;

/// One kind of event, from `LATENCY LATEST`.
struct Event {
    name: String,
    last_at: i64,
    worst_ms: i64,
}

/// Looks at the server behind `link`.
///
/// # Errors
/// No answer, or `LATENCY` is forbidden to the configured user.
pub(super) async fn look(link: &Link<'_>, args: &Args) -> Result<Sighting, Blind> {
    let mut questions = Pipeline::new();
    question(&mut questions, &["LATENCY", "LATEST"]);
    question(
        &mut questions,
        &["CONFIG", "GET", "latency-monitor-threshold"],
    );
    question(&mut questions, &["TIME"]);
    let answers = link.ask(&questions).await;
    let mut answers = answers.map_err(|failure| link.blind(&failure))?.into_iter();
    let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
    let latest = next().map_err(|said| link.blind(&Failure::Refused(said)))?;
    let threshold = next()
        .ok()
        .and_then(|answer| list_of(answer).get(1).and_then(int_of));
    let events: Vec<Event> = list_of(latest)
        .into_iter()
        .take(MOST_EVENTS)
        .filter_map(Event::of)
        .collect();
    let now = next().ok().and_then(seconds_of_time);
    // Without the server's time the newest spike is taken as now.
    let now = now.unwrap_or_else(|| events.iter().map(|event| event.last_at).max().unwrap_or(0));
    let within = Given::new(&SPEC, args).duration("within").as_secs();
    let since = now.saturating_sub(i64::try_from(within).unwrap_or(i64::MAX));
    let recent = recent(link, &events, since)
        .await
        .map_err(|failure| link.blind(&failure))?;
    Ok(sighting(&events, threshold, now, &recent))
}

impl Event {
    fn of(answer: Value) -> Option<Self> {
        let mut parts = list_of(answer).into_iter();
        let name = parts.next().and_then(text_of)?;
        let last_at = int_of(&parts.next()?)?;
        let _last_ms = parts.next()?;
        let worst_ms = int_of(&parts.next()?)?;
        Some(Self {
            name,
            last_at,
            worst_ms,
        })
    }
}

/// The spikes since `since`, each with its kind, the slowest first. The server keeps the last
/// 160 seconds with a spike of each kind.
async fn recent<'a>(
    link: &Link<'_>,
    events: &'a [Event],
    since: i64,
) -> Result<Vec<(i64, &'a str)>, Failure> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut questions = Pipeline::new();
    for event in events {
        question(&mut questions, &["LATENCY", "HISTORY", &event.name]);
    }
    let mut spikes = Vec::new();
    for (event, answer) in events.iter().zip(link.ask(&questions).await?) {
        for spike in list_of(answer.unwrap_or(Value::Nil)) {
            let parts = list_of(spike);
            if let (Some(at), Some(took)) = (
                parts.first().and_then(int_of),
                parts.get(1).and_then(int_of),
            ) && at >= since
            {
                spikes.push((took, event.name.as_str()));
            }
        }
    }
    spikes.sort_by_key(|(took, _)| -took);
    Ok(spikes)
}

fn sighting(
    events: &[Event],
    threshold: Option<i64>,
    now: i64,
    recent: &[(i64, &str)],
) -> Sighting {
    let worst = events.iter().max_by_key(|event| event.worst_ms);
    let mut seen = Seen::new(&SPEC);
    seen.line(match threshold {
        Some(0) => "the latency monitor is off (latency-monitor-threshold 0)".to_owned(),
        Some(ms) => format!("the latency monitor records what is slower than {ms} ms"),
        None => "whether the latency monitor is on can't be asked".to_owned(),
    });
    for event in events {
        seen.line(format!(
            "{}: worst {} ms, last {} s ago",
            event.name,
            event.worst_ms,
            (now - event.last_at).max(0)
        ));
    }
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    seen.fact("monitor_on", threshold.map(|ms| ms > 0))
        .fact("threshold_ms", threshold)
        .fact("events", events.len())
        .fact("event_names", names)
        .fact("worst_ms", worst.map_or(0, |event| event.worst_ms))
        .fact("worst_event", worst.map(|event| event.name.as_str()))
        .fact(
            "last_seconds_ago",
            events
                .iter()
                .map(|event| (now - event.last_at).max(0))
                .min(),
        )
        .fact("recent_count", recent.len())
        .fact(
            "recent_worst_ms",
            recent.first().map_or(0, |(took, _)| *took),
        )
        .fact("recent_worst_event", recent.first().map(|(_, name)| *name));
    seen.done()
}
