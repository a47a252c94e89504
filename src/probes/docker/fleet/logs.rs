//! `docker.logs`: how large the log files of the containers are that are meant, and how fast they
//! grow, on the machine of an engine that Handbell shares.

use std::{fs, path::Path, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep, timeout_at},
};

use super::{Ours, containers::list};
use crate::{
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        docker::{client::Engine, failure::Failure},
        seen::Seen,
        shown::bytes_shown,
        spec::{bytes, count, flag, float, text, texts},
    },
};

/// The time between two looks at the sizes. Our own choice: programs that write in bursts do so
/// several times in a second.
const SAMPLE: Duration = Duration::from_millis(700);

/// The part of the patience that it may take.
const SAMPLE_PART: f64 = 0.4;

/// How many containers are inspected, at most, and how many at once.
const MOST: usize = 100;
const AT_ONCE: usize = 4;

/// How many rotated files of one container are counted, at most (`max-file` is 1 to 9 in practice).
const ROTATED: usize = 20;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "docker.logs",
    summary: "the log files of the containers that belong to the targets: sizes, and growth over a moment; on the engine's own machine, as a user who may see them",
    targets: &[TargetKind::Docker],
    args: &[],
    facts: &[
        count("containers", "containers that are meant"),
        count("known", "those whose log file could be seen"),
        bytes(
            "total_bytes",
            "what all of them take, rotated files with them",
        ),
        text("largest", "the container with the largest").optional(),
        bytes("largest_bytes", "what it takes"),
        text(
            "fastest",
            "the container whose log grows fastest; none when none grows",
        )
        .optional(),
        float(
            "fastest_bytes_per_second",
            Unit::Bytes,
            "how fast that is, in a second",
        )
        .optional(),
        flag(
            "fastest_bounded",
            "that one's log is bounded by max-size, or rotates by itself",
        ),
        bytes("available_bytes", "what can still be written on their disk").optional(),
        texts("lines", "each log, one line"),
    ],
    per_key: None,
};

#[derive(Clone)]
struct Log {
    name: String,
    path: String,
    bounded: bool,
    size: u64,
    all: u64,
    rate: f64,
}

/// Looks twice.
///
/// # Errors
/// The engine could not be asked.
pub(in crate::probes::docker) async fn look(
    engine: &Engine,
    ours: &Ours,
    patience: Duration,
) -> Result<Sighting, Blind> {
    let end = Instant::now() + patience;
    let failed = |failure: Failure| Blind::Unknown(failure.unseen(engine.address(), "", patience));
    let listed = list(engine, end).await.map_err(failed)?;
    let (meant, ..) = ours.among(&listed);
    let mut names: Vec<(String, String)> = meant
        .iter()
        .map(|one| (one.id.clone(), one.name().to_owned()))
        .collect();
    let containers = names.len();
    names.truncate(MOST);
    let logs: Vec<Log> = stream::iter(names)
        .map(|(id, name)| async move {
            let left = end.saturating_duration_since(Instant::now());
            let asked = engine
                .ask(left, |docker| docker.inspect_container(&id, None))
                .await;
            let about = asked.ok()?;
            let path = about.log_path.filter(|path| !path.is_empty())?;
            let config = about.host_config.and_then(|host| host.log_config);
            let driver = config.as_ref().and_then(|it| it.typ.clone());
            let size = config.and_then(|it| it.config?.get("max-size").cloned());
            Some(Log {
                name,
                path,
                bounded: driver.as_deref() != Some("json-file")
                    || size.is_some_and(|size| size != "-1"),
                size: 0,
                all: 0,
                rate: 0.0,
            })
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|found| async { found })
        .collect()
        .await;
    if !engine.is_here() {
        return Ok(sighting(containers, Vec::new(), None));
    }
    let began = Instant::now();
    let before = measured(logs, end).await;
    sleep(SAMPLE.min(patience.mul_f64(SAMPLE_PART))).await;
    let mut after = measured(before.clone(), end).await;
    let seconds = began.elapsed().as_secs_f64().max(0.01);
    for log in &mut after {
        let old = before.iter().find(|one| one.path == log.path);
        // A file that became smaller was rotated: what is in it is new.
        let grown = old.map_or(0, |old| log.size.checked_sub(old.size).unwrap_or(log.size));
        #[expect(clippy::cast_precision_loss, reason = "bytes of a second")]
        let rate = grown as f64 / seconds;
        log.rate = rate;
    }
    let room = after.first().and_then(|log| {
        let room = rustix::fs::statvfs(log.path.as_str()).ok()?;
        Some(room.f_bavail.saturating_mul(room.f_frsize))
    });
    Ok(sighting(containers, after, room))
}

/// Those whose file can be seen, with its size.
async fn measured(logs: Vec<Log>, end: Instant) -> Vec<Log> {
    let work = spawn_blocking(move || {
        logs.into_iter()
            .filter_map(|mut log| {
                log.size = fs::metadata(&log.path).ok()?.len();
                let older = (1..=ROTATED).map_while(|n| {
                    let path = format!("{}.{n}", log.path);
                    let zipped = format!("{path}.gz");
                    let about = fs::metadata(Path::new(&path)).or_else(|_| fs::metadata(zipped));
                    about.ok().map(|about| about.len())
                });
                log.all = log.size + older.sum::<u64>();
                Some(log)
            })
            .collect()
    });
    match timeout_at(end, work).await {
        Ok(Ok(logs)) => logs,
        _ => Vec::new(),
    }
}

fn sighting(containers: usize, mut logs: Vec<Log>, room: Option<u64>) -> Sighting {
    logs.sort_by(|a, b| b.all.cmp(&a.all).then_with(|| a.name.cmp(&b.name)));
    #[expect(clippy::cast_possible_truncation, reason = "bytes of a second")]
    let shown = |bytes: f64| bytes_shown(bytes as i64);
    #[expect(clippy::cast_precision_loss, reason = "a size for a reader")]
    let lines: Vec<String> = logs
        .iter()
        .map(|log| {
            format!(
                "{}: {}, {} a second{}",
                log.name,
                shown(log.all as f64),
                shown(log.rate),
                if log.bounded { "" } else { ", unbounded" }
            )
        })
        .collect();
    let mut seen = Seen::new(&SPEC);
    if logs.is_empty() {
        seen.line("no log file can be seen from here");
    }
    for line in &lines {
        seen.line(line);
    }
    let largest = logs.first();
    let fastest = logs
        .iter()
        .filter(|log| log.rate > 0.0)
        .max_by(|a, b| a.rate.total_cmp(&b.rate));
    seen.fact("containers", containers)
        .fact("known", logs.len())
        .fact("total_bytes", logs.iter().map(|log| log.all).sum::<u64>())
        .fact("largest", largest.map(|log| log.name.as_str()))
        .fact("largest_bytes", largest.map_or(0, |log| log.all))
        .fact("fastest", fastest.map(|log| log.name.as_str()))
        .fact("fastest_bytes_per_second", fastest.map(|log| log.rate))
        .fact("fastest_bounded", fastest.is_none_or(|log| log.bounded))
        .fact("available_bytes", room)
        .fact("lines", lines);
    seen.done()
}
