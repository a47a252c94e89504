//! `make bench`, first part: `handbell diagnose` as a cold process against the handbook's own commands (handbook.tsv),
//! page by page, and `handbell diagnose all` against the slowest single one of them.
//!
//! Nothing here passes or fails. The two of a pair take turns, so that a machine whose speed drifts slows both. A command
//! that does not work on this machine is told and not counted, which only ever makes the rival faster.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod clock;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use clock::{Outcome, binary, median, percentile, programs, sorted};

/// Counted pairs for Redis, whose ratio the project promises.
const REDIS_RUNS: usize = 21;
/// Counted pairs for each other page, and runs of all pages.
const RUNS: usize = 7;
/// The rivals: page and command, a row each.
const COMMANDS: &str = include_str!("handbook.tsv");

/// One command of the handbook.
struct Step {
    page: &'static str,
    /// As it stands in the list, without passwords.
    shown: &'static str,
    line: String,
    /// Its wall times in milliseconds.
    times: Vec<f64>,
}

fn main() -> Outcome<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let handbell = binary(&programs()?.join("handbell"))?;
    let config = root.join("lab/config");
    let diagnose = |page: &str| {
        let mut command = Command::new(&handbell);
        command
            .arg("--config")
            .arg(&config)
            .args(["diagnose", page, "--json"]);
        command
    };
    println!("Handbell against its rivals (a ratio below 1 means that Handbell needs less)\n");
    println!(
        "1. From a cold process, wall time in ms: each page against the handbook's own commands,"
    );
    println!("   one after the other ({RUNS} pairs, Redis {REDIS_RUNS})\n");
    let mut steps = working(steps(&config)?)?;
    println!(
        "   {:<12} {:>8} {:>8} {:>8}   {:>8} {:>9}   {:>7}  {:>6}",
        "page", "handbell", "min", "max", "commands", "handbook", "ratio", "1/"
    );
    for page in pages() {
        if !steps.iter().any(|step| step.page == page) {
            println!("   {page:<12} none of its commands works here");
            continue;
        }
        let mut ours = diagnose(page);
        wall_ms(&mut ours)?;
        let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..if page == "redis" { REDIS_RUNS } else { RUNS } {
            let mine = wall_ms(&mut ours)?;
            let mut theirs = 0.0;
            for step in steps.iter_mut().filter(|step| step.page == page) {
                let took = shell(&step.line)?.1;
                step.times.push(took);
                theirs += took;
            }
            a.push(mine);
            b.push(theirs);
            ratios.push(mine / theirs);
        }
        let (a, b, ratio) = (sorted(a), sorted(b), median(&sorted(ratios)));
        println!(
            "   {page:<12} {:>8.1} {:>8.1} {:>8.1}   {:>8} {:>9.1}   {ratio:>7.3}  {:>6.1}",
            median(&a),
            percentile(&a, 1),
            percentile(&a, 100),
            steps.iter().filter(|step| step.page == page).count(),
            median(&b),
            1.0 / ratio
        );
    }
    all(&mut diagnose("all"), &mut steps)
}

/// The pages of the list, in its order.
fn pages() -> Vec<&'static str> {
    let mut pages: Vec<&str> = rows()
        .filter_map(|row| Some(row.split_once('\t')?.0))
        .collect();
    pages.dedup();
    pages
}

/// The rows of the list, without its heading and what it says of itself.
fn rows() -> impl Iterator<Item = &'static str> {
    COMMANDS.lines().skip(1).filter(|row| !row.starts_with('#'))
}

/// All pages at once against the slowest single command.
fn all(ours: &mut Command, steps: &mut [Step]) -> Outcome<()> {
    for step in steps.iter_mut() {
        step.times.sort_by(f64::total_cmp);
    }
    let slowest = steps
        .iter()
        .max_by(|a, b| median(&a.times).total_cmp(&median(&b.times)))
        .ok_or("none of the handbook's commands works here")?;
    wall_ms(ours)?;
    let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (mine, theirs) = (wall_ms(ours)?, shell(&slowest.line)?.1);
        a.push(mine);
        b.push(theirs);
        ratios.push(mine / theirs);
    }
    let (a, b, ratio) = (sorted(a), sorted(b), median(&sorted(ratios)));
    println!("\n   All ten pages at once against the slowest single command, {RUNS} pairs");
    println!(
        "   {:<40} median {:>8.1}   (min {:.1}, max {:.1})",
        "handbell diagnose all",
        median(&a),
        percentile(&a, 1),
        percentile(&a, 100)
    );
    println!(
        "   {:<40} median {:>8.1}   (min {:.1}, max {:.1})",
        slowest.shown,
        median(&b),
        percentile(&b, 1),
        percentile(&b, 100)
    );
    println!("   ratio {ratio:.3} (1/{:.1})\n", 1.0 / ratio);
    Ok(())
}

/// The handbook's commands with the lab's passwords in them.
fn steps(config: &Path) -> Outcome<Vec<Step>> {
    let read = |name: &str| -> Outcome<String> {
        let path = config.join(name);
        let text = fs::read_to_string(&path).map_err(|error| {
            format!(
                "{}: {error}; is the lab up (`make lab-up`)?",
                path.display()
            )
        })?;
        Ok(text.trim_end().to_owned())
    };
    let (redis, mysql) = (read("redis.password")?, read("mysql-root.password")?);
    let ca = config.join("state/mall/keys/mall-ca.pem");
    let mut steps = Vec::new();
    for row in rows() {
        let (page, shown) = row
            .split_once('\t')
            .ok_or("a row of handbook.tsv has no tab")?;
        let line = shown
            .replace("{redis}", &redis)
            .replace("{mysql}", &mysql)
            .replace("{ca}", &ca.display().to_string());
        steps.push(Step {
            page,
            shown,
            line,
            times: Vec::new(),
        });
    }
    Ok(steps)
}

/// Those commands that work here, each tried once; the others are told.
fn working(steps: Vec<Step>) -> Outcome<Vec<Step>> {
    let mut kept = Vec::new();
    for step in steps {
        let (code, _) = shell(&step.line)?;
        // `grep` that finds nothing ends with 1, which is an answer.
        if code == Some(0) || (code == Some(1) && step.line.contains("| grep")) {
            kept.push(step);
        } else {
            println!(
                "   not counted, since it does not work here: {}",
                step.shown
            );
        }
    }
    Ok(kept)
}

/// Exit code and wall time in milliseconds of a line in a shell.
fn shell(line: &str) -> Outcome<(Option<i32>, f64)> {
    let began = Instant::now();
    let status = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok((status.code(), began.elapsed().as_secs_f64() * 1000.0))
}

/// Wall time of a process that must end well, in milliseconds.
fn wall_ms(command: &mut Command) -> Outcome<f64> {
    let began = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let elapsed = began.elapsed().as_secs_f64() * 1000.0;
    if status.success() {
        Ok(elapsed)
    } else {
        // Without its arguments: one of them may be the lab's password.
        let program = command.get_program().to_string_lossy();
        Err(
            format!("{program} ended with {status}; is the lab up and healthy (`make lab-up`)?")
                .into(),
        )
    }
}
