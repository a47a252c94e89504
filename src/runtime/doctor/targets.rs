//! Every configured target, asked by the probe that tells soonest whether it can be looked at.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{
    app::{Checkup, Look, Prober},
    config::{Config, HostEndpoint, Targets},
    domain::{
        diagnosis::{Blind, Sighting, TargetKind, Value},
        handbook::{ArgValue, Args},
        ids::TargetId,
    },
    probes::Probes,
};

const AREA: &str = "target";

/// The least status of HTTP that says that something is wrong (RFC 9110, 15.5).
const FIRST_ERROR: i64 = 400;

/// A question about a target.
struct Question {
    /// The target as `targets.toml` names it.
    target: TargetId,
    look: Look,
    /// What helps when the answer is bad.
    mend: String,
}

/// A line for each thing that was asked about each target of `config`, in the order of
/// `targets.toml`; every target has one at least.
pub(super) async fn examine(config: &Config) -> Vec<Checkup> {
    let prober: Arc<dyn Prober> = Arc::new(Probes::new(config.targets.clone()));
    let mut looks = JoinSet::new();
    let questions = questions(&config.targets, config.diagnosis.check_deadline);
    for (n, question) in questions.into_iter().enumerate() {
        let prober = Arc::clone(&prober);
        looks.spawn(async move {
            let look = &question.look;
            let seen = tokio::time::timeout(look.deadline, prober.look(look)).await;
            (n, told(&question, seen.ok()))
        });
    }
    let mut found: Vec<(usize, Checkup)> = Vec::new();
    while let Some(one) = looks.join_next().await {
        match one {
            Ok(one) => found.push(one),
            Err(error) => {
                tracing::error!(%error, "a probe broke");
                let broke = Checkup::wrong(
                    AREA,
                    "a probe",
                    "it broke, so one target is missing from this list",
                    "the log above has the reason; please report it",
                );
                found.push((usize::MAX, broke));
            }
        }
    }
    found.sort_by_key(|(n, _)| *n);
    found.into_iter().map(|(_, one)| one).collect()
}

fn questions(targets: &Targets, deadline: Duration) -> Vec<Question> {
    let mut all = Vec::new();
    for (name, kind) in targets.names() {
        let Ok(target) = name.parse::<TargetId>() else {
            continue;
        };
        let mut ask = |at: &TargetId, probe: &str, args: Args, mend: String| {
            all.push(Question {
                target: target.clone(),
                look: Look {
                    probe: probe.to_owned(),
                    target: at.clone(),
                    args,
                    deadline,
                },
                mend,
            });
        };
        let table = format!("[{}.{target}] in targets.toml", kind.word());
        let container = targets.container(&target);
        if let Some(container) = container {
            let mend = format!(
                "look whether the container's name in {table} is right (`docker ps -a`), and start it: `docker start {}`",
                container.name
            );
            ask(&target, "docker.container", Args::new(), mend);
        }
        match kind {
            TargetKind::Docker => ask(
                &target,
                "docker.engine",
                Args::new(),
                format!(
                    "look whether the engine runs, and whether the user who runs Handbell may use its socket (group docker); the endpoint is {table}"
                ),
            ),
            TargetKind::Redis => ask(&target, "redis.ping", Args::new(), server("Redis", &table)),
            TargetKind::Mysql => ask(&target, "mysql.ping", Args::new(), server("MySQL", &table)),
            TargetKind::Host => ask(
                &target,
                "host.reachable",
                Args::new(),
                format!(
                    "try `ssh` to it as the user who runs Handbell: its key and known_hosts are used; the address is {table}"
                ),
            ),
            TargetKind::Service => service(targets, &target, &table, &mut ask),
            TargetKind::Nginx => {
                let mend = format!(
                    "look whether nginx runs; where it does, whether container or config of {table} are right"
                );
                ask(&target, "nginx.status", Args::new(), mend);
                let mend = format!(
                    "look whether error_log of {table} is the file that nginx writes, and whether Handbell's user may read it (group adm)"
                );
                ask(&target, "log.search", newest_line(), mend);
            }
            TargetKind::Url => {
                let is_tcp = targets
                    .url
                    .get(&target)
                    .is_some_and(|url| url.url.starts_with("tcp://"));
                let probe = if is_tcp { "tcp.connect" } else { "http.get" };
                let mend = format!(
                    "look whether the program behind it runs and listens there, whether its name resolves on this machine, and whether url, connect and tls of {table} are right"
                );
                ask(&target, probe, Args::new(), mend);
            }
            TargetKind::Log => {
                let mend = format!(
                    "look whether file of {table} is the right path, whether the program has written it yet, and whether Handbell's user may read it"
                );
                ask(&target, "log.search", newest_line(), mend);
            }
            TargetKind::Wechatpay => ask(
                &target,
                "wechatpay.ready",
                Args::new(),
                format!(
                    "look whether this machine reaches WeChat Pay, and whether merchant_id, serial, private_key and public_key or certificate of {table} are those of the merchant platform (API security)"
                ),
            ),
        }
    }
    all
}

/// What is asked about a program of ours beside its container.
fn service(
    targets: &Targets,
    target: &TargetId,
    table: &str,
    ask: &mut impl FnMut(&TargetId, &str, Args, String),
) {
    let Some(service) = targets.service.get(target) else {
        return;
    };
    let here = targets
        .host
        .iter()
        .find(|(_, host)| host.endpoint == HostEndpoint::Local);
    if let (Some(unit), Some((host, _))) = (&service.unit, here) {
        let args = [("unit".to_owned(), ArgValue::Text(unit.clone()))];
        let mend = format!(
            "`systemctl status {unit}` says why; `systemctl start {unit}` starts it; its name is unit of {table}"
        );
        ask(host, "host.service", args.into_iter().collect(), mend);
    }
    let mend = format!("look whether container, log or unit of {table} are right");
    ask(target, "log.search", newest_line(), mend);
}

fn server(kind: &str, table: &str) -> String {
    format!(
        "look whether {kind} runs and listens there, and whether address, username and password of {table} are right"
    )
}

/// Of a log only whether it can be read: its last line, whatever its age.
fn newest_line() -> Args {
    [
        ("within".to_owned(), ArgValue::Duration(Duration::ZERO)),
        ("lines".to_owned(), ArgValue::Int(1)),
        ("read_bytes".to_owned(), ArgValue::Int(1024)),
    ]
    .into_iter()
    .collect()
}

fn told(question: &Question, seen: Option<Result<Sighting, Blind>>) -> Checkup {
    let look = &question.look;
    let subject = format!("{} ({})", question.target, look.probe);
    let mend = question.mend.as_str();
    let sighting = match seen {
        None => {
            let say = format!("no answer within {} ms", look.deadline.as_millis());
            return Checkup::wrong(AREA, subject, say, mend);
        }
        Some(Err(Blind::NotApplicable(why))) => return Checkup::skipped(AREA, subject, why.en),
        Some(Err(Blind::Unknown(unseen))) => {
            return Checkup::wrong(AREA, subject, unseen.say().en, mend);
        }
        Some(Ok(sighting)) => sighting,
    };
    let say = said(&sighting);
    match text(&sighting, "state") {
        "ok" | "running" | "active" | "" => {}
        _ => return Checkup::wrong(AREA, subject, say, mend),
    }
    match number(&sighting, "status") {
        Some(status) if status >= FIRST_ERROR => Checkup::notice(
            AREA,
            subject,
            say,
            format!(
                "it answers with an error: is it the right URL, and is the program behind it well? Else {mend}"
            ),
        ),
        _ => Checkup::sound(AREA, subject, say),
    }
}

/// The facts that tell where it looked and what it met there.
fn said(sighting: &Sighting) -> String {
    let detail = match text(sighting, "detail") {
        "" => text(sighting, "error"),
        detail => detail,
    };
    let mut say = [
        text(sighting, "address"),
        text(sighting, "name"),
        text(sighting, "place"),
        text(sighting, "unit"),
        text(sighting, "version"),
        text(sighting, "state"),
        detail,
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join(", ");
    if let Some(status) = number(sighting, "status") {
        let _ = write!(say, ", status {status}");
    }
    if let Some(bytes) = number(sighting, "size_bytes") {
        let _ = write!(say, ", {bytes} bytes");
    }
    say
}

fn text<'a>(sighting: &'a Sighting, name: &str) -> &'a str {
    match sighting.facts.get(name) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

fn number(sighting: &Sighting, name: &str) -> Option<i64> {
    match sighting.facts.get(name) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}
