//! Where the lab finds and keeps things: decided once, from the command line and the environment.

use std::path::{Path, PathBuf};

use crate::error::{LabError, Result};

/// The usual instance of the lab: the handbook's names and the ports of `lab/config`.
pub const MALL: &str = "mall";

/// Directories and names of one run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The repository's `lab/` directory: `compose.yaml`, images, faults, configuration.
    pub lab_dir: PathBuf,
    /// What this instance remembers between two runs.
    pub state_dir: PathBuf,
    /// What all instances share: the base image.
    pub cache_dir: PathBuf,
    /// The engine, as `DOCKER_HOST` writes it.
    pub docker_host: String,
    /// `mall`, or another name for a second lab beside it.
    pub instance: String,
    /// The base image's packages come from here; debootstrap's own choice where it is not set.
    pub mirror: Option<String>,
    /// Where the programs `handbell` and `handbell-sandbox` stand.
    pub bin_dir: PathBuf,
}

/// The settings as given, before they are decided.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--lab-dir`.
    pub lab_dir: Option<PathBuf>,
    /// `--state`.
    pub state: Option<PathBuf>,
    /// `--docker-host` or `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `--instance`.
    pub instance: Option<String>,
    /// `--bin-dir`.
    pub bin_dir: Option<PathBuf>,
    /// `HANDBELL_LAB_MIRROR`.
    pub mirror: Option<String>,
    /// `XDG_STATE_HOME`.
    pub xdg_state: Option<PathBuf>,
    /// `XDG_CACHE_HOME`.
    pub xdg_cache: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
}

impl Settings {
    /// Decides every setting.
    ///
    /// # Errors
    /// When the instance's name cannot be a container's, no home directory is known, or `lab/` is not found.
    pub fn decide(given: Given) -> Result<Self> {
        let instance = given.instance.unwrap_or_else(|| MALL.to_owned());
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if instance.is_empty() || instance.len() > 20 || !instance.chars().all(good) {
            return Err(LabError::Refused(format!(
                "--instance {instance:?}: an instance's name is 1 to 20 of a-z and 0-9"
            )));
        }
        let lab_dir = given
            .lab_dir
            .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        let lab_dir = lab_dir
            .canonicalize()
            .map_err(LabError::file("find the lab's directory", &lab_dir))?;
        let under_home = |what: &str, xdg: Option<PathBuf>, rest: &str| match (xdg, &given.home) {
            (Some(xdg), _) if xdg.is_absolute() => Ok(xdg.join("handbell-lab")),
            (_, Some(home)) => Ok(home.join(rest).join("handbell-lab")),
            _ => Err(LabError::Refused(format!(
                "no home directory is known; set {what}"
            ))),
        };
        let state_dir = match given.state {
            Some(directory) => directory,
            None => under_home(
                "XDG_STATE_HOME, or give --state",
                given.xdg_state,
                ".local/state",
            )?
            .join(&instance),
        };
        let state_dir =
            std::path::absolute(&state_dir).map_err(LabError::file("find", &state_dir))?;
        Ok(Self {
            lab_dir,
            state_dir,
            cache_dir: under_home("XDG_CACHE_HOME", given.xdg_cache, ".cache")?,
            docker_host: given
                .docker_host
                .unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned()),
            instance,
            mirror: given.mirror,
            bin_dir: match given.bin_dir {
                Some(directory) => directory,
                None => own_directory()?,
            },
        })
    }

    /// Whether this is the lab that `lab/config` describes.
    #[must_use]
    pub fn is_the_mall(&self) -> bool {
        self.instance == MALL
    }

    /// A program that is built beside the lab's own.
    ///
    /// # Errors
    /// When it is not there.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        let path = self.bin_dir.join(name);
        if path.is_file() {
            return Ok(path);
        }
        Err(LabError::Program {
            program: name.to_owned(),
            why: format!(
                "is not in {}; build it with `cargo build --workspace --bins`, or say where it is with --bin-dir",
                self.bin_dir.display()
            ),
        })
    }
}

fn own_directory() -> Result<PathBuf> {
    let own = std::env::current_exe()
        .map_err(LabError::file("find", Path::new("the lab's own program")))?;
    let mut directory = own
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    if directory.ends_with("deps") {
        directory.pop(); // a test's program lies one level deeper
    }
    Ok(directory)
}
