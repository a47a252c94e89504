//! The score of the diagnosis: every fault is injected, the real `handbell` is asked, and its first root cause is
//! compared with the fault's; then the lab is healed, and healthy must be healthy again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rustix::process::Signal;

use crate::ask::{ALL, Answer, Asker};
use crate::background;
use crate::error::Result;
use crate::fault::{Expected, Fault};
use crate::job::Job;
use crate::lab::Lab;
use crate::machine;
use crate::process::Process;
use crate::say;
use crate::service::Service;
use crate::state::write_private;

/// How long a healed mall may take to work off what the fault left.
const WORKED_OFF: Duration = Duration::from_secs(45);

/// The number of the background process with the light load; a fault's own count from 0.
const LOAD_NUMBER: usize = 1000;

/// How often a runbook is asked on a healthy mall.
const HEALTHY_TIMES: u32 = 20;

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
    /// What the wrong reports of it say, line by line.
    pub said: Vec<String>,
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
    let alone = fault.breaks_the_machine(way);
    let _part = machine::take(&lab.settings, alone).await?;
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
            said: Vec::new(),
        }]);
    }
    // All at once looks at whatever each page looks at.
    let all_at_once = runbooks.contains(&ALL);
    let mut rows = Vec::new();
    for (runbook, answer) in answers {
        let expected = expected(runbook);
        let right = answer.meets(&expected);
        let mut said = Vec::new();
        if !right {
            said.extend(answer.said());
            keep(lab, &format!("{}-{runbook}", fault.name), &answer)?;
        }
        let mut ill = None;
        if !all_at_once || runbook == ALL {
            let after = settled(asker, runbook).await?;
            if !after.meets(&Expected::Healthy) {
                said.extend(after.said());
                keep(lab, &format!("after-{}-{runbook}", fault.name), &after)?;
                ill = Some(after.words());
            }
        }
        rows.push(Row {
            fault: fault.name.clone(),
            runbook: runbook.to_owned(),
            right,
            expected: expected.to_string(),
            got: answer.words(),
            took: Some(answer.took),
            after: ill,
            said,
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
    /// What those reports say, line by line.
    pub said: Vec<String>,
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

/// What was wrong, once more and with what the reports say: a table is long, and a machine that ran the score may be gone.
#[must_use]
pub fn wrong(rows: &[Row], calm: &Calm) -> Vec<String> {
    let said = |said: &[String]| {
        let lines = said.iter().map(|line| format!("    {line}"));
        lines.collect::<Vec<_>>()
    };
    let mut lines = Vec::new();
    for row in rows.iter().filter(|row| !row.right || row.after.is_some()) {
        lines.push(row.line());
        lines.extend(said(&row.said));
    }
    let alarms = calm.alarms.iter();
    lines.extend(alarms.map(|alarm| format!("healthy, under light load, asked {alarm}")));
    lines.extend(said(&calm.said));
    lines
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
    /// Whether it is asked in a chat, and not by the command line.
    pub chat: bool,
}

/// Scores the faults, round after round, printing each row as it comes.
///
/// # Errors
/// As [`one`]; and when the lab is not found healthy before the first fault.
pub async fn rounds(lab: &mut Lab, order: &Order<'_>) -> Result<(Vec<Row>, Calm)> {
    let asker = if order.chat {
        Asker::in_chat(lab).await?
    } else {
        Asker::new(lab)?
    };
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
    asker.close().await?;
    Ok((rows, calm))
}

/// A process that ends when nobody waits for it any more: a score may be broken off.
struct Passing(Process);

impl Drop for Passing {
    fn drop(&mut self) {
        let _ = self.0.signal(Signal::KILL);
    }
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
    let load = Passing(background::start(
        &lab.settings,
        &lab.state.ports,
        &load,
        LOAD_NUMBER,
    )?);
    let mut calm = Calm::default();
    let _part = machine::take(&lab.settings, false).await?;
    let mut asking = async || -> Result<()> {
        for _ in 0..HEALTHY_TIMES {
            for runbook in runbooks {
                let answer = asker.ask(runbook, &none).await?;
                calm.asked += 1;
                if !answer.meets(&Expected::Healthy) {
                    keep(lab, &format!("healthy-{runbook}"), &answer)?;
                    say::out(format!("healthy, asked {runbook}: {}", answer.words()));
                    calm.alarms.push(format!("{runbook}: {}", answer.words()));
                    calm.said.extend(answer.said());
                }
            }
        }
        Ok(())
    };
    let done = asking().await;
    load.0.kill().await?;
    done?;
    say::out(format!(
        "Healthy, under light load: asked {} times ({} runbooks), {} false alarms.",
        calm.asked,
        runbooks.len(),
        calm.alarms.len()
    ));
    Ok(calm)
}
