//! The command line of the sandbox.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use handbell_sandbox::openapi::Description;
use handbell_sandbox::{Options, Ready, Sandbox};
use tokio::signal::unix::{SignalKind, signal};

/// A local Discord to try a bot in: REST, gateway, and a page that looks like a team channel.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Page, REST and gateway; loopback only, port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// REST under TLS, as discord.com
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen_tls: SocketAddr,
    /// Writes the line of JSON that is printed at the start to this file, too
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Reads the bot's token from this file instead of making one
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,
    /// Writes the authority's certificate (ca.pem) into this directory
    #[arg(long, value_name = "DIR")]
    ca_dir: Option<PathBuf>,
    /// The lab's control interface, for "Break something" on the page
    #[arg(long, value_name = "URL")]
    lab: Option<String>,
    /// Serves the page from this directory instead of the copy in the program
    #[arg(long, value_name = "DIR")]
    page_dir: Option<PathBuf>,
    /// Discord's OpenAPI description, for GET /sandbox/traffic/check
    #[arg(long, value_name = "PATH", env = "HANDBELL_DISCORD_OPENAPI")]
    openapi: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compares what a running sandbox has recorded with Discord's OpenAPI description
    CheckTraffic {
        /// The sandbox's address, as in `page` of the ready line
        #[arg(long, value_name = "URL")]
        sandbox: String,
        /// Discord's OpenAPI description
        #[arg(long, value_name = "PATH", env = "HANDBELL_DISCORD_OPENAPI")]
        openapi: PathBuf,
    },
}

/// Anything that ends the program, in words.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Some(Command::CheckTraffic { sandbox, openapi }) => check_traffic(&sandbox, &openapi).await,
        None => run(arguments).await.map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        // Nothing can be done when even the error stream is closed.
        let _ = writeln!(std::io::stderr(), "handbell-sandbox: {error}");
        ExitCode::from(2)
    })
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let token = arguments
        .token_file
        .as_deref()
        .map(read_token)
        .transpose()?;
    let options = Options {
        listen: arguments.listen,
        listen_tls: arguments.listen_tls,
        token,
        ca_dir: arguments.ca_dir,
        lab: arguments.lab,
        page_dir: arguments.page_dir,
        openapi: arguments.openapi,
        ..Options::default()
    };
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let sandbox = Sandbox::start(options).await?;
    announce(sandbox.ready(), arguments.ready_file.as_deref())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    sandbox.stop().await;
    Ok(())
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the token from {}: {error}", path.display()))?;
    match text.trim() {
        "" => Err(format!("{} holds no token", path.display()).into()),
        token => Ok(token.to_owned()),
    }
}

/// Prints the ready line; the file appears whole or not at all, and the token in it is for this user alone.
fn announce(ready: &Ready, file: Option<&Path>) -> Result<(), Failure> {
    let line = serde_json::to_string(ready)?;
    if let Some(path) = file {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let written = write_private(&partial, &line).and_then(|()| std::fs::rename(&partial, path));
        written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

fn write_private(path: &Path, line: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{line}")
}

async fn check_traffic(sandbox: &str, openapi: &Path) -> Result<ExitCode, Failure> {
    let description = Description::read(openapi)?;
    let address = format!(
        "{}/sandbox/traffic?limit=1000000",
        sandbox.trim_end_matches('/')
    );
    let answer = reqwest::get(&address)
        .await
        .map_err(|error| format!("the sandbox at {sandbox} does not answer: {error}"))?;
    let traffic: serde_json::Value = answer.json().await?;
    let outcome = description.check(traffic["records"].as_array().map_or(&[][..], Vec::as_slice));
    let mut out = std::io::stdout().lock();
    for problem in &outcome.problems {
        writeln!(
            out,
            "{} {} → {}: {} at {:?}: {}",
            problem.method, problem.path, problem.status, problem.side, problem.at, problem.problem
        )?;
    }
    writeln!(
        out,
        "{} exchanges compared, {} skipped, {} problems",
        outcome.checked,
        outcome.skipped,
        outcome.problems.len()
    )?;
    Ok(if outcome.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
