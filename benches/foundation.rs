//! `make bench`: Handbell against named rivals, in one run, as ratios.
//!
//! 1. `handbell diagnose redis` as a cold process against the handbook's own five commands in a shell script.
//! 2. From the interaction on the gateway to the accepted callback: Handbell against a bare serenity bot.
//! 3. Peak memory of the idle bot, against the same bare bot.
//!
//! Nothing here passes or fails; the two of a pair take turns, so that a machine whose speed drifts slows both.
//!
//! What is measured are the programs in the directory after `--programs`; without it, those beside the `handbell`
//! that cargo builds for this bench. The harness only starts them and looks at the clock, so it may be unoptimised.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{
    error::Error,
    fs,
    future::Future,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Counted runs of each command, after one that is not counted.
const RUNS: usize = 21;
/// Counted interactions with each bot, after [`WARM_UP`].
const INTERACTIONS: usize = 200;
/// Interactions with each bot that are not counted.
const WARM_UP: usize = 10;
/// Interactions at once.
const BURST: usize = 100;
/// How long a bot idles before its peak memory is read.
const IDLE: Duration = Duration::from_secs(10);
/// How long to wait for a process to say that it is ready.
const READY: Duration = Duration::from_secs(20);
/// `#incidents` in the sandbox (docs/sandbox.md).
const CHANNEL: &str = "1000000000000000301";

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A process that ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    println!("Handbell against its rivals (a ratio below 1 means that Handbell needs less)\n");
    let programs = programs()?;
    cold_process(root, &programs)?;
    bots(root, &programs).await
}

/// Where the programs are that are measured.
fn programs() -> Outcome<PathBuf> {
    let mut words = std::env::args_os().skip_while(|word| word != "--programs");
    if words.next().is_some() {
        return Ok(words.next().ok_or("--programs needs a directory")?.into());
    }
    let beside = Path::new(env!("CARGO_BIN_EXE_handbell")).parent();
    Ok(beside.ok_or("the binary lies in no directory")?.to_owned())
}

/// The nearest-rank percentile of sorted values.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

fn median(sorted: &[f64]) -> f64 {
    percentile(sorted, 50)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

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
        // Without its arguments: one of them is the lab's password.
        let program = command.get_program().to_string_lossy();
        Err(
            format!("{program} ended with {status}; is the lab up and healthy (`make lab-up`)?")
                .into(),
        )
    }
}

fn cold_process(root: &Path, programs: &Path) -> Outcome<()> {
    let config = root.join("lab/config");
    let password = fs::read_to_string(config.join("redis.password"))?;
    let mut ours = Command::new(binary(&programs.join("handbell"))?);
    ours.arg("--config")
        .arg(&config)
        .args(["diagnose", "redis", "--json"]);
    let mut theirs = Command::new("sh");
    theirs
        .arg(root.join("benches/handbook.sh"))
        .arg(password.trim_end());
    wall_ms(&mut ours)?;
    wall_ms(&mut theirs)?;
    let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (ours_ms, theirs_ms) = (wall_ms(&mut ours)?, wall_ms(&mut theirs)?);
        a.push(ours_ms);
        b.push(theirs_ms);
        ratios.push(ours_ms / theirs_ms);
    }
    let (a, b, ratios) = (sorted(a), sorted(b), sorted(ratios));
    println!("1. Redis, from a cold process, wall time, {RUNS} pairs");
    for (name, values) in [
        ("handbell diagnose redis", &a),
        ("the handbook's five commands", &b),
    ] {
        println!(
            "   {name:<29} median {:8.1} ms   (min {:.1}, max {:.1})",
            median(values),
            percentile(values, 1),
            percentile(values, 100)
        );
    }
    println!(
        "   ratio                         median {:8.3}      1/{:.1} (pair by pair: min {:.3}, max {:.3})\n",
        median(&ratios),
        1.0 / median(&ratios),
        percentile(&ratios, 1),
        percentile(&ratios, 100)
    );
    Ok(())
}

/// The figures of one bot, sorted, in milliseconds.
struct Figures {
    one_by_one: Vec<f64>,
    burst: Vec<f64>,
    peak_kib: f64,
}

async fn bots(root: &Path, programs: &Path) -> Outcome<()> {
    let ours = measure(programs, |ready, dir| serve(root, programs, ready, dir)).await?;
    let theirs = measure(programs, |_, dir| bare(programs, &dir.join("ready.json"))).await?;
    println!("2. From the gateway to the accepted acknowledgement");
    println!("   {INTERACTIONS} interactions, one after the other");
    pair(&ours.one_by_one, &theirs.one_by_one);
    println!("   {BURST} interactions at once");
    pair(&ours.burst, &theirs.burst);
    println!(
        "\n3. Peak memory of the idle bot after {} s (VmHWM)",
        IDLE.as_secs()
    );
    println!("   handbell              {:6.1} MB", ours.peak_kib / 1024.0);
    println!(
        "   bare serenity bot     {:6.1} MB",
        theirs.peak_kib / 1024.0
    );
    println!(
        "   ratio                 {:6.2}",
        ours.peak_kib / theirs.peak_kib
    );
    Ok(())
}

fn pair(ours: &[f64], theirs: &[f64]) {
    for (name, values) in [("handbell", ours), ("bare serenity bot", theirs)] {
        println!(
            "   {name:<21} median {:7.2} ms   p99 {:7.2} ms   max {:7.2} ms",
            median(values),
            percentile(values, 99),
            percentile(values, 100)
        );
    }
    println!(
        "   ratio                 median {:7.2}      p99 {:7.2}",
        median(ours) / median(theirs),
        percentile(ours, 99) / percentile(theirs, 99)
    );
}

/// Starts a sandbox and a bot of its own, lets it idle, then sends it interactions.
async fn measure(
    programs: &Path,
    start: impl FnOnce(&Value, &Path) -> Outcome<Process>,
) -> Outcome<Figures> {
    let dir = tempfile::tempdir()?;
    let ready_file = dir.path().join("ready.json");
    let _sandbox = Process(
        Command::new(binary(&programs.join("handbell-sandbox"))?)
            .arg("--ready-file")
            .arg(&ready_file)
            .arg("--ca-dir")
            .arg(dir.path())
            .stdout(Stdio::null())
            .spawn()?,
    );
    let ready: Value = until("the sandbox", async || {
        Ok(serde_json::from_slice(&fs::read(&ready_file)?)?)
    })
    .await?;
    let bot = start(&ready, dir.path())?;
    let sandbox = Sandbox {
        page: text(&ready, "/page")?.trim_end_matches('/').to_owned(),
        client: reqwest::Client::new(),
    };
    until("the bot's command", async || sandbox.has_commands().await).await?;
    tokio::time::sleep(IDLE).await;
    let peak_kib = peak(bot.0.id())?;
    let mut one_by_one = Vec::new();
    for n in 0..WARM_UP + INTERACTIONS {
        let interaction = sandbox.invoke(10_000).await?;
        if n >= WARM_UP {
            one_by_one.push(acknowledged(&interaction)?);
        }
    }
    let burst = sandbox.burst().await?;
    Ok(Figures {
        one_by_one: sorted(one_by_one),
        burst: sorted(burst),
        peak_kib,
    })
}

/// The sandbox, as a person acts in it (docs/sandbox.md).
struct Sandbox {
    page: String,
    client: reqwest::Client,
}

impl Sandbox {
    async fn get(&self, path: &str) -> Outcome<Value> {
        let answer = self
            .client
            .get(format!("{}{path}", self.page))
            .send()
            .await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn has_commands(&self) -> Outcome<()> {
        let seen = self
            .get(&format!("/sandbox/commands?as=alice&channel_id={CHANNEL}"))
            .await?;
        if seen["commands"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
        {
            Ok(())
        } else {
            Err("there is no command yet".into())
        }
    }

    async fn invoke(&self, wait_ms: u64) -> Outcome<Value> {
        let body = json!({
            "as": "alice", "channel_id": CHANNEL, "command": "diagnose redis", "options": {}, "wait_ms": wait_ms,
        });
        let answer = self
            .client
            .post(format!("{}/sandbox/commands/invoke", self.page))
            .json(&body)
            .send()
            .await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn burst(&self) -> Outcome<Vec<f64>> {
        let sent = futures_util::future::try_join_all((0..BURST).map(|_| self.invoke(0))).await?;
        let mut after = Vec::new();
        for interaction in sent {
            let id = text(&interaction, "/id")?;
            let ended = self
                .get(&format!("/sandbox/interactions/{id}?wait_ms=30000"))
                .await?;
            after.push(acknowledged(&ended)?);
        }
        Ok(after)
    }
}

/// From the dispatch on the gateway to the accepted callback, in milliseconds.
fn acknowledged(interaction: &Value) -> Outcome<f64> {
    interaction["acknowledged_after_us"]
        .as_f64()
        .map(|after_us| after_us / 1000.0)
        .ok_or_else(|| format!("not acknowledged: {interaction}").into())
}

fn bare(programs: &Path, ready: &Path) -> Outcome<Process> {
    let bot = binary(&programs.join("examples/bare_bot"))?;
    Ok(Process(
        Command::new(bot).arg(ready).stderr(Stdio::null()).spawn()?,
    ))
}

/// Handbell against the lab's Redis, with a configuration for this sandbox.
fn serve(root: &Path, programs: &Path, ready: &Value, dir: &Path) -> Outcome<Process> {
    let config = dir.join("config");
    fs::create_dir(&config)?;
    for name in ["targets.toml", "redis.password"] {
        fs::copy(root.join("lab/config").join(name), config.join(name))?;
    }
    fs::write(config.join("token"), text(ready, "/token")?)?;
    fs::write(
        config.join("access.toml"),
        format!(
            "[operator]\ndiscord_roles = [{:?}]\n",
            text(ready, "/roles/operator")?
        ),
    )?;
    fs::write(
        config.join("handbell.toml"),
        format!(
            "[store]\ndirectory = \"state\"\n[discord]\ntoken = {{ file = \"token\" }}\nguilds = [{:?}]\n\
             channels = [{:?}]\n[discord.endpoint]\naddress = {:?}\nca = {:?}\ngateway = {:?}\n",
            text(ready, "/guild_id")?,
            text(ready, "/channels/incidents")?,
            text(ready, "/rest_tls")?,
            text(ready, "/ca_file")?,
            text(ready, "/gateway")?
        ),
    )?;
    let mut command = Command::new(binary(&programs.join("handbell"))?);
    command
        .arg("--config")
        .arg(&config)
        .arg("serve")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(Process(command.spawn()?))
}

fn text<'a>(value: &'a Value, pointer: &str) -> Outcome<&'a str> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("there is no {pointer} in {value}").into())
}

fn binary(path: &Path) -> Outcome<PathBuf> {
    if path.exists() {
        Ok(path.to_owned())
    } else {
        Err(format!(
            "{} is not built; run `make bench`, which builds it",
            path.display()
        )
        .into())
    }
}

fn peak(pid: u32) -> Outcome<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .ok_or("the system does not tell VmHWM")?;
    Ok(line
        .split_whitespace()
        .nth(1)
        .ok_or("VmHWM has no number")?
        .parse()?)
}

async fn until<T, F>(what: &str, mut ready: impl FnMut() -> F) -> Outcome<T>
where
    F: Future<Output = Outcome<T>>,
{
    let began = Instant::now();
    loop {
        match ready().await {
            Ok(value) => return Ok(value),
            Err(error) if began.elapsed() > READY => {
                return Err(format!("{what} is not ready: {error}").into());
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
