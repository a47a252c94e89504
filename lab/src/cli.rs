//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::settings::Given;

/// A real mall to break: brings up its servers, breaks them on request, and scores the diagnosis.
#[derive(Debug, Parser)]
#[command(
    name = "handbell-lab",
    version,
    propagate_version = true,
    max_term_width = 110
)]
pub struct Cli {
    /// Where things are; the same for every command.
    #[command(flatten)]
    pub places: Places,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where things are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Places")]
pub struct Places {
    /// The lab's own files: compose.yaml, images, faults, configuration [default: where it was built from]
    #[arg(long, global = true, value_name = "DIR")]
    lab_dir: Option<PathBuf>,
    /// What this lab remembers [default: ~/.local/state/handbell-lab/INSTANCE]
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    /// A second lab beside the first: with its name before its containers, and on free ports
    #[arg(long, global = true, value_name = "NAME")]
    instance: Option<String>,
    /// The Docker engine [default: the socket of this machine]
    #[arg(long, global = true, value_name = "URL", env = "DOCKER_HOST")]
    docker_host: Option<String>,
    /// Where handbell and handbell-sandbox are [default: beside this program]
    #[arg(long, global = true, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
    /// Debian mirror for the base image [default: debootstrap's own]
    #[arg(long, global = true, value_name = "URL", env = "HANDBELL_LAB_MIRROR")]
    mirror: Option<String>,
    #[arg(long, hide = true, global = true, env = "XDG_STATE_HOME")]
    xdg_state: Option<PathBuf>,
    #[arg(long, hide = true, global = true, env = "XDG_CACHE_HOME")]
    xdg_cache: Option<PathBuf>,
    #[arg(long, hide = true, global = true, env = "HOME")]
    home: Option<PathBuf>,
}

impl From<Places> for Given {
    fn from(places: Places) -> Self {
        Self {
            lab_dir: places.lab_dir,
            state: places.state,
            docker_host: places.docker_host,
            instance: places.instance,
            bin_dir: places.bin_dir,
            mirror: places.mirror,
            xdg_state: places.xdg_state,
            xdg_cache: places.xdg_cache,
            home: places.home,
        }
    }
}

/// How the servers run.
#[derive(Debug, Clone, Copy, Args)]
pub struct Way {
    /// Run the servers as plain processes even where Docker can run
    #[arg(long, conflicts_with = "require_docker")]
    pub without_docker: bool,
    /// Fail where Docker cannot run, rather than run plain processes
    #[arg(long)]
    pub require_docker: bool,
    /// The database [default: mysql as containers, mariadb as plain processes]
    #[arg(long, value_enum)]
    pub database: Option<crate::service::Database>,
}

/// A language of titles.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Lang {
    /// English
    En,
    /// Chinese
    Zh,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring the lab up: as containers where Docker can run, else as plain processes
    Up(Way),
    /// Take the lab down, with everything that it started and all of its data
    Down,
    /// Say what is up and where
    Status,
    /// List the faults: name, what the diagnosis must say, title, and whether each makes sense as the lab runs now
    List {
        /// Titles in English or Chinese
        #[arg(long, value_enum, default_value = "en")]
        lang: Lang,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Break the lab; returns when the fault has taken hold
    Break {
        /// A name from `list`
        name: String,
    },
    /// Heal what is broken; returns when the lab is exactly as before
    Heal {
        /// A name from `list` [default: whatever is broken]
        name: Option<String>,
    },
    /// Break the lab in every way, ask the real handbell each time, and print how often it was right
    ///
    /// Exits with 1 unless it was always right and healthy was always healthy. Brings the lab up when it is not, and
    /// then takes it down at the end. Ctrl-C heals what is broken before it ends.
    Score {
        /// Only this runbook, and its faults; `all` for all at once (may be given more than once) [default: every one]
        #[arg(long, value_name = "NAME")]
        runbook: Vec<String>,
        /// What the order of the faults is made from [default: a new one each time, which is printed]
        #[arg(long)]
        seed: Option<u64>,
        /// Leave out asking each runbook twenty times on the healthy mall
        #[arg(long)]
        skip_healthy: bool,
        /// How many rounds
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        times: u32,
        /// Only this fault (may be given more than once)
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
        /// Ask in the channel of a local Discord, which is started for it, and not by the command line
        #[arg(long)]
        chat: bool,
        /// How the servers run, when the lab is not up
        #[command(flatten)]
        way: Way,
    },
    /// The lab, a local Discord and the bot: prints the address of the page, and stops everything on Ctrl-C
    Demo {
        /// How the servers run, when the lab is not up
        #[command(flatten)]
        way: Way,
        /// Port of the page on 127.0.0.1 [default: a free one]
        #[arg(
            long,
            value_name = "PORT",
            default_value_t = 0,
            hide_default_value = true
        )]
        page_port: u16,
    },
    /// What keeps a fault up; `break` starts it
    #[command(hide = true)]
    Background {
        /// The file with the order
        order: PathBuf,
    },
}
