//! The score of the diagnosis: every fault is injected, the real `handbell` is asked, and its first root cause is
//! compared with the fault's; then the lab is healed, and healthy must be healthy again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Deserialize;

use crate::background;
use crate::config_dir;
use crate::error::{LabError, Result};
use crate::fault::{Expected, Fault};
use crate::job::Job;
use crate::lab::Lab;
use crate::say;
use crate::service::Service;
use crate::state::write_private;

/// How long one diagnosis may take. Its own limit is 20 seconds; beyond that it hangs.
const DIAGNOSIS_LIMIT: Duration = Duration::from_secs(40);

/// How long a healed mall may take to work off what the fault left.
const WORKED_OFF: Duration = Duration::from_secs(45);

/// Exit code of a diagnosis that found nothing and could look at everything.
const HEALTHY: i32 = 0;

/// The number of the background process with the light load; a fault's own count from 0.
const LOAD_NUMBER: usize = 1000;

/// The pages of the handbook.
const RUNBOOKS: [&str; 10] = [
    "outage",
    "mysql",
    "redis",
    "slow-api",
    "payment",
    "oversell",
    "disk",
    "nginx",
    "miniprogram",
    "deadlock",
];

/// How often a runbook is asked on a healthy mall.
const HEALTHY_TIMES: u32 = 20;

/// The runbook that stands for all of them at once.
pub const ALL: &str = "all";

/// What one fault scored in one round.
#[derive(Debug, Clone)]
pub struct Row {
    /// The fault's name.
    pub fault: String,
    /// The runbook that was asked.
    pub runbook: String,
    /// The expected cause, or `healthy`.
    pub expected: String,
    /// What the diagnosis said first, or what went wrong.
    pub got: String,
    /// Whether both are the same.
    pub right: bool,
    /// Wall time of the diagnosis; none where nobody was asked.
    pub took: Option<Duration>,
    /// What it said after healing, where that was not "healthy".
    pub after: Option<String>,
}

/// What the diagnosis answers, as far as the score needs it.
#[derive(Debug, Deserialize)]
struct Report {
    root_causes: Vec<RootCause>,
    #[serde(default)]
    unknown: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct RootCause {
    cause: String,
}

/// One answer of the real program.
#[derive(Debug)]
pub struct Answer {
    /// Its root causes, the first one first; none when it found nothing.
    pub causes: Vec<String>,
    /// What it said instead of an answer, or that it could not look at everything.
    pub trouble: Option<String>,
    /// Its wall time.
    pub took: Duration,
    /// The whole report, as it came.
    pub report: Vec<u8>,
}

impl Answer {
    /// In a word: `healthy`, its root causes, or what went wrong.
    #[must_use]
    pub fn words(&self) -> String {
        match (&self.trouble, self.causes.as_slice()) {
            (Some(trouble), []) => trouble.clone(),
            (None, []) => "healthy".to_owned(),
            (_, causes) => causes.join(" + "),
        }
    }

    fn meets(&self, expected: &Expected) -> bool {
        match expected {
            // What could not be looked at may be ill.
            Expected::Healthy => self.trouble.is_none() && self.causes.is_empty(),
            _ => expected.is_met_by(&self.causes),
        }
    }
}

/// Who asks: the program and its configuration.
#[derive(Debug, Clone)]
pub struct Asker {
    program: PathBuf,
    config: PathBuf,
}

impl Asker {
    /// Asks the `handbell` beside the lab's own program, with the lab's configuration.
    ///
    /// # Errors
    /// When it is not there.
    pub fn new(lab: &Lab) -> Result<Self> {
        let program = lab.settings.program("handbell")?;
        Ok(Self {
            program,
            config: config_dir::directory(&lab.settings),
        })
    }

    /// Runs the diagnosis once.
    ///
    /// # Errors
    /// When the program cannot be run, or does not end.
    pub async fn ask(
        &self,
        runbook: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Answer> {
        let wrong = |why: String| LabError::Program {
            program: self.program.display().to_string(),
            why,
        };
        let mut command = tokio::process::Command::new(&self.program);
        command
            .arg("--config")
            .arg(&self.config)
            .args(["diagnose", runbook, "--json"]);
        for (name, value) in parameters {
            command.arg("--param").arg(format!("{name}={value}"));
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        let started = Instant::now();
        let Ok(ended) = tokio::time::timeout(DIAGNOSIS_LIMIT, command.output()).await else {
            return Ok(Answer {
                causes: Vec::new(),
                trouble: Some(format!("no end within {} s", DIAGNOSIS_LIMIT.as_secs())),
                took: started.elapsed(),
                report: Vec::new(),
            });
        };
        let output = ended.map_err(|error| wrong(format!("could not be run: {error}")))?;
        let took = started.elapsed();
        let (causes, trouble) = match serde_json::from_slice::<Report>(&output.stdout) {
            Ok(report) => read(report, output.status.code()),
            Err(error) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let said = said
                    .lines()
                    .last()
                    .unwrap_or("nothing on standard error")
                    .to_owned();
                let code = output.status.code();
                (
                    Vec::new(),
                    Some(format!("no report (exit {code:?}, {error}): {said}")),
                )
            }
        };
        Ok(Answer {
            causes,
            trouble,
            took,
            report: output.stdout,
        })
    }

    /// The runbooks that the program has.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub async fn runbooks(&self) -> Result<Vec<String>> {
        let mut known = Vec::new();
        for runbook in RUNBOOKS.into_iter().chain([ALL]) {
            let mut command = tokio::process::Command::new(&self.program);
            command.arg("--config").arg(&self.config);
            command.args(["diagnose", runbook, "--help"]);
            let output = command.output().await.map_err(|error| LabError::Program {
                program: self.program.display().to_string(),
                why: format!("could not be run: {error}"),
            })?;
            if output.status.success() {
                known.push(runbook.to_owned());
            }
        }
        Ok(known)
    }
}

/// The root causes; trouble unless the exit code says the same.
fn read(report: Report, exit: Option<i32>) -> (Vec<String>, Option<String>) {
    let causes: Vec<String> = report
        .root_causes
        .into_iter()
        .map(|root| root.cause)
        .collect();
    let code = exit.map_or("none".to_owned(), |code| code.to_string());
    let trouble = (causes.is_empty() && exit != Some(HEALTHY))
        .then(|| format!("no cause, {} unknown, exit {code}", report.unknown.len()));
    (causes, trouble)
}

/// Scores one fault once, by every runbook that must find it. The lab must be healthy before, and is healed after.
///
/// # Errors
/// When the program cannot be run, or the lab cannot be healed. A fault that does not take hold is a wrong row.
pub async fn one(
    lab: &mut Lab,
    asker: &Asker,
    fault: &Fault,
    runbooks: &[&str],
) -> Result<Vec<Row>> {
    let way = lab.way();
    let expected = |runbook: &str| match runbook {
        ALL => fault.expected_at_once(way),
        _ => fault.expected(way),
    };
    let injected = lab.break_with(fault).await;
    let given = match injected {
        Ok(()) => ask_each(asker, fault, runbooks).await,
        Err(_) => Ok(Vec::new()),
    };
    lab.heal(fault).await?;
    let answers = given?;
    if let Err(why) = injected {
        return Ok(vec![Row {
            fault: fault.name.clone(),
            runbook: runbooks.first().copied().unwrap_or(ALL).to_owned(),
            expected: fault.expected(way).to_string(),
            got: format!("it did not take hold: {why}"),
            right: false,
            took: None,
            after: None,
        }]);
    }
    let mut rows = Vec::new();
    for (runbook, answer) in answers {
        let expected = expected(runbook);
        let right = answer.meets(&expected);
        if !right {
            keep(lab, &format!("{}-{runbook}", fault.name), &answer)?;
        }
        let after = settled(asker, runbook).await?;
        let ill = !after.meets(&Expected::Healthy);
        if ill {
            keep(lab, &format!("after-{}-{runbook}", fault.name), &after)?;
        }
        rows.push(Row {
            fault: fault.name.clone(),
            runbook: runbook.to_owned(),
            right,
            expected: expected.to_string(),
            got: answer.words(),
            took: Some(answer.took),
            after: ill.then(|| after.words()),
        });
    }
    Ok(rows)
}

/// What each of the runbooks says of the fault.
async fn ask_each<'a>(
    asker: &Asker,
    fault: &Fault,
    runbooks: &[&'a str],
) -> Result<Vec<(&'a str, Answer)>> {
    let mut answers = Vec::new();
    for runbook in runbooks {
        let answer = asker.ask(runbook, parameters(fault, runbook)).await?;
        answers.push((*runbook, answer));
    }
    Ok(answers)
}

/// What is said after healing, without the fault's parameters: what they name went with the fault. A healed mall may
/// still work off what the fault left, as messages that WeChat Pay sends once more: it is given that time.
async fn settled(asker: &Asker, runbook: &str) -> Result<Answer> {
    let began = Instant::now();
    loop {
        let answer = asker.ask(runbook, &BTreeMap::new()).await?;
        if answer.meets(&Expected::Healthy) || began.elapsed() > WORKED_OFF {
            return Ok(answer);
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

/// A fault's parameters belong to its own runbooks; all at once takes none.
fn parameters<'a>(fault: &'a Fault, runbook: &str) -> &'a BTreeMap<String, String> {
    static NONE: BTreeMap<String, String> = BTreeMap::new();
    if runbook == ALL {
        &NONE
    } else {
        &fault.parameters
    }
}

/// Keeps a wrong report, so that one can read what misled the diagnosis.
fn keep(lab: &Lab, name: &str, answer: &Answer) -> Result<()> {
    let path = lab.store.directory().join(format!("wrong-{name}.json"));
    write_private(&path, &answer.report)?;
    say::progress(format!("  the wrong report stands in {}", path.display()));
    Ok(())
}

impl Row {
    /// The row as a line of the table.
    #[must_use]
    pub fn line(&self) -> String {
        let verdict = match (self.right, &self.after) {
            (false, _) => "WRONG",
            (true, Some(_)) => "right, but",
            (true, None) => "right",
        };
        let after = self
            .after
            .as_ref()
            .map(|after| format!("  after healing: {after}"))
            .unwrap_or_default();
        format!(
            "{:<32} {:<12} {:<30} {:<30} {verdict:<10} {:>6}{after}",
            self.fault,
            self.runbook,
            self.expected,
            self.got,
            self.took.unwrap_or_default().as_millis()
        )
    }
}

/// The table's heading.
#[must_use]
pub fn heading() -> String {
    format!(
        "{:<32} {:<12} {:<30} {:<30} {:<10} {:>6}",
        "injected", "asked", "expected", "first root cause", "verdict", "ms"
    )
}

/// What a healthy mall was said to be.
#[derive(Debug, Clone, Default)]
pub struct Calm {
    /// How often it was asked.
    pub asked: u32,
    /// What was said when it was not "healthy", with the runbook.
    pub alarms: Vec<String>,
}

/// The sentence under the table, and whether all was right.
#[must_use]
pub fn summary(rows: &[Row], calm: &Calm) -> (String, bool) {
    let right = rows.iter().filter(|row| row.right).count();
    let near_misses = rows.iter().filter(|row| row.expected == "healthy");
    let alarms = near_misses.filter(|row| !row.right).count()
        + rows.iter().filter(|row| row.after.is_some()).count()
        + calm.alarms.len();
    let mut times: Vec<Duration> = rows.iter().filter_map(|row| row.took).collect();
    times.sort_unstable();
    let at = |part: usize| {
        times
            .get((times.len().saturating_sub(1)) * part / 100)
            .copied()
            .unwrap_or_default()
            .as_millis()
    };
    let percent = if rows.is_empty() {
        0.0
    } else {
        100.0 * ratio(right, rows.len())
    };
    let words = format!(
        "{right} of {} right ({percent:.1} %), {alarms} false alarms (near misses, healthy after healing, \
         and {} times healthy under light load); a diagnosis took {} ms in the median, {} ms at most",
        rows.len(),
        calm.asked,
        at(50),
        at(100)
    );
    let perfect = right == rows.len() && alarms == 0 && (!rows.is_empty() || calm.asked > 0);
    (words, perfect)
}

fn ratio(part: usize, whole: usize) -> f64 {
    let as_f64 = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    as_f64(part) / as_f64(whole)
}

/// What is scored.
#[derive(Debug)]
pub struct Order<'a> {
    /// The faults.
    pub faults: Vec<&'a Fault>,
    /// The runbooks that are asked; a fault is asked about by those of its own that are among them.
    pub runbooks: Vec<String>,
    /// How many rounds.
    pub times: u32,
    /// What the order of the faults is made from.
    pub seed: u64,
    /// Whether each runbook is asked on the healthy mall, too.
    pub healthy: bool,
}

/// Scores the faults, round after round, printing each row as it comes.
///
/// # Errors
/// As [`one`]; and when the lab is not found healthy before the first fault.
pub async fn rounds(lab: &mut Lab, order: &Order<'_>) -> Result<(Vec<Row>, Calm)> {
    let asker = Asker::new(lab)?;
    let mut rows = Vec::new();
    let calm = if order.healthy {
        at_rest(lab, &asker, &order.runbooks).await?
    } else {
        Calm::default()
    };
    let mut random = StdRng::seed_from_u64(order.seed);
    for round in 1..=order.times {
        if order.times > 1 {
            say::out(format!("\nRound {round} of {}", order.times));
        }
        say::out(heading());
        let mut faults = order.faults.clone();
        faults.shuffle(&mut random);
        for fault in faults {
            if let Some(why) = fault.why_not(lab.way()) {
                say::out(format!("{:<32} not here: {}", fault.name, why.en));
                continue;
            }
            let all = order.runbooks.iter().filter(|runbook| *runbook == ALL);
            let by: Vec<&str> = fault
                .runbooks()
                .filter(|own| order.runbooks.iter().any(|runbook| runbook == own))
                .chain(all.map(String::as_str))
                .collect();
            for row in one(lab, &asker, fault, &by).await? {
                say::out(row.line());
                rows.push(row);
            }
        }
    }
    Ok((rows, calm))
}

/// Asks every runbook on the healthy mall, again and again, under light load.
async fn at_rest(lab: &mut Lab, asker: &Asker, runbooks: &[String]) -> Result<Calm> {
    let none = BTreeMap::new();
    let load = Job::Http {
        service: Service::Nginx,
        paths: vec!["/api/v1/products".to_owned(), "/health".to_owned()],
        per_second: 5,
        method: "GET".to_owned(),
        body: None,
    };
    let load = background::start(&lab.settings, &lab.state.ports, &load, LOAD_NUMBER)?;
    let mut calm = Calm::default();
    let mut asking = async || -> Result<()> {
        for _ in 0..HEALTHY_TIMES {
            for runbook in runbooks {
                let answer = asker.ask(runbook, &none).await?;
                calm.asked += 1;
                if !answer.meets(&Expected::Healthy) {
                    keep(lab, &format!("healthy-{runbook}"), &answer)?;
                    say::out(format!("healthy, asked {runbook}: {}", answer.words()));
                    calm.alarms.push(format!("{runbook}: {}", answer.words()));
                }
            }
        }
        Ok(())
    };
    let done = asking().await;
    load.kill().await?;
    done?;
    say::out(format!(
        "Healthy, under light load: asked {} times ({} runbooks), {} false alarms.",
        calm.asked,
        runbooks.len(),
        calm.alarms.len()
    ));
    Ok(calm)
}
