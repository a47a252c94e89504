//! `make bench`, second part (the first is handbook.rs): the bot against a bare serenity bot, as ratios.
//!
//! 2. From the interaction on the gateway to the accepted callback: Handbell against a bare serenity bot.
//! 3. Peak memory of the idle bot, against the same bare bot.
//!
//! Nothing here passes or fails; the two of a pair take turns, so that a machine whose speed drifts slows both.
//!
//! What is measured are the programs in the directory after `--programs`; without it, those that cargo builds for this
//! bench. The harness only starts them and looks at the clock, so it may be unoptimised.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod clock;

use std::{
    fs,
    future::Future,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use clock::{Outcome, binary, median, percentile, programs, sorted};
use serde_json::{Value, json};

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
    bots(root, &programs()?).await
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
