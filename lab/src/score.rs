//! The score of the diagnosis: every fault is injected, the real `handbell` is asked, and its first root cause is
//! compared with the fault's; then the lab is healed, and healthy must be healthy again.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::config_dir;
use crate::error::{LabError, Result};
use crate::fault::Fault;
use crate::lab::Lab;
use crate::say;
use crate::state::write_private;

/// How long one diagnosis may take. Its own limit is 20 seconds; beyond that it hangs.
const DIAGNOSIS_LIMIT: Duration = Duration::from_secs(40);

/// Exit code of a diagnosis that found nothing and could look at everything.
const HEALTHY: i32 = 0;

/// What one fault scored in one round.
#[derive(Debug, Clone)]
pub struct Row {
    /// The fault's name.
    pub fault: String,
    /// The expected cause, or `healthy`.
    pub expected: String,
    /// What the diagnosis said first, or what went wrong.
    pub got: String,
    /// Whether both are the same.
    pub right: bool,
    /// Wall time of the diagnosis.
    pub took: Duration,
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
    /// Its first root cause, `healthy`, or words for anything else.
    pub first: String,
    /// Its wall time.
    pub took: Duration,
    /// The whole report, as it came.
    pub report: Vec<u8>,
}

/// Who asks: the program and its configuration.
#[derive(Debug, Clone)]
pub struct Asker {
    program: PathBuf,
    config: PathBuf,
    runbook: String,
}

impl Asker {
    /// Asks the `handbell` beside the lab's own program, with the lab's configuration.
    ///
    /// # Errors
    /// When it is not there.
    pub fn new(lab: &Lab, runbook: &str) -> Result<Self> {
        let program = lab.settings.program("handbell")?;
        Ok(Self {
            program,
            config: config_dir::directory(&lab.settings),
            runbook: runbook.to_owned(),
        })
    }

    /// Runs the diagnosis once.
    ///
    /// # Errors
    /// When the program cannot be run, or does not end.
    pub async fn ask(&self) -> Result<Answer> {
        let wrong = |why: String| LabError::Program {
            program: self.program.display().to_string(),
            why,
        };
        let mut command = tokio::process::Command::new(&self.program);
        command
            .arg("--config")
            .arg(&self.config)
            .args(["diagnose", &self.runbook, "--json"]);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let started = Instant::now();
        let output = tokio::time::timeout(DIAGNOSIS_LIMIT, command.output())
            .await
            .map_err(|_| {
                wrong(format!(
                    "did not end within {} s",
                    DIAGNOSIS_LIMIT.as_secs()
                ))
            })?
            .map_err(|error| wrong(format!("could not be run: {error}")))?;
        let took = started.elapsed();
        let first = match serde_json::from_slice::<Report>(&output.stdout) {
            Ok(report) => verdict(&report, output.status.code()),
            Err(error) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let said = said
                    .lines()
                    .last()
                    .unwrap_or("nothing on standard error")
                    .to_owned();
                format!(
                    "no report (exit {:?}, {error}): {said}",
                    output.status.code()
                )
            }
        };
        Ok(Answer {
            first,
            took,
            report: output.stdout,
        })
    }
}

/// The first root cause; `healthy` only when the exit code says so too.
fn verdict(report: &Report, exit: Option<i32>) -> String {
    match (report.root_causes.first(), exit) {
        (Some(root), _) => root.cause.clone(),
        (None, Some(HEALTHY)) => "healthy".to_owned(),
        (None, exit) => {
            let code = exit.map_or("none".to_owned(), |code| code.to_string());
            format!("no cause, {} unknown, exit {code}", report.unknown.len())
        }
    }
}

/// Scores one fault once. The lab must be healthy before, and is healed after.
///
/// # Errors
/// When the fault does not take hold, the program cannot be run, or the lab cannot be healed.
pub async fn one(lab: &mut Lab, asker: &Asker, fault: &Fault) -> Result<Row> {
    let expected = fault
        .expected(lab.state.mode)
        .unwrap_or("healthy")
        .to_owned();
    let injected = lab.break_with(fault).await;
    let answer = match injected {
        Ok(()) => asker.ask().await,
        Err(error) => Err(error),
    };
    lab.heal(fault).await?;
    let answer = answer?;
    if answer.first != expected {
        keep(lab, fault, &answer)?;
    }
    let after = asker.ask().await?.first;
    Ok(Row {
        fault: fault.name.clone(),
        right: answer.first == expected,
        expected,
        got: answer.first,
        took: answer.took,
        after: (after != "healthy").then_some(after),
    })
}

/// Keeps a wrong report, so that one can read what misled the diagnosis.
fn keep(lab: &Lab, fault: &Fault, answer: &Answer) -> Result<()> {
    let path = lab
        .store
        .directory()
        .join(format!("wrong-{}.json", fault.name));
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
            "{:<26} {:<26} {:<26} {verdict:<10} {:>6}{after}",
            self.fault,
            self.expected,
            self.got,
            self.took.as_millis()
        )
    }
}

/// The table's heading.
#[must_use]
pub fn heading() -> String {
    format!(
        "{:<26} {:<26} {:<26} {:<10} {:>6}",
        "fault", "expected", "got", "verdict", "ms"
    )
}

/// The sentence under the table, and whether all was right.
#[must_use]
pub fn summary(rows: &[Row]) -> (String, bool) {
    let right = rows.iter().filter(|row| row.right).count();
    let near_misses = rows.iter().filter(|row| row.expected == "healthy");
    let alarms = near_misses.filter(|row| !row.right).count()
        + rows.iter().filter(|row| row.after.is_some()).count();
    let mut times: Vec<Duration> = rows.iter().map(|row| row.took).collect();
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
        "{right} of {} right ({percent:.1} %), {alarms} false alarms (near misses, and healthy after healing); \
         a diagnosis took {} ms in the median, {} ms at most",
        rows.len(),
        at(50),
        at(100)
    );
    (
        words,
        !rows.is_empty() && right == rows.len() && alarms == 0,
    )
}

fn ratio(part: usize, whole: usize) -> f64 {
    let as_f64 = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    as_f64(part) / as_f64(whole)
}

/// Scores the faults, round after round, printing each row as it comes.
///
/// # Errors
/// As [`one`]; and when the lab is not found healthy before the first fault.
pub async fn rounds(
    lab: &mut Lab,
    faults: &[&Fault],
    runbook: &str,
    times: u32,
) -> Result<Vec<Row>> {
    let asker = Asker::new(lab, runbook)?;
    let before = asker.ask().await?.first;
    if before != "healthy" {
        return Err(LabError::Refused(format!(
            "before any fault the diagnosis already says: {before}"
        )));
    }
    let mut rows = Vec::new();
    for round in 1..=times {
        if times > 1 {
            say::out(format!("\nRound {round} of {times}"));
        }
        say::out(heading());
        for fault in faults {
            if let Some(why) = fault.why_not(lab.state.mode) {
                say::out(format!("{:<26} not here: {}", fault.name, why.en));
                continue;
            }
            let row = one(lab, &asker, fault).await?;
            say::out(row.line());
            rows.push(row);
        }
    }
    Ok(rows)
}
