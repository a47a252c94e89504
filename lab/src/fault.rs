//! Faults as data: `faults/*.toml`, one file each. What is done, how one knows that it took hold, what the diagnosis
//! must say, and how it is healed. Every step is a typed operation; there is no shell.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::error::{LabError, Result};
use crate::service::Database;
use crate::state::{Mode, State};
use crate::step::Step;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// One fault.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Its name, as on the command line; the file's name too.
    pub name: String,
    /// The runbook that must find it.
    runbook: Option<String>,
    /// Or the runbooks, of which each must find it.
    #[serde(default)]
    runbooks: Vec<String>,
    /// What is broken, for people.
    pub title: Text,
    /// The root cause that the diagnosis must name first, or `healthy` for a near miss.
    expect: Option<String>,
    /// Or several at once, of which each must be named as a root cause, in any order, and nothing else.
    #[serde(default, alias = "expect_all")]
    expect_all: Vec<String>,
    /// The one root cause that all pages asked at once must name in place of it, where the servers are containers:
    /// together they may see the cause of what one of them sees.
    expect_at_once: Option<String>,
    /// What is asked beside the runbook's name: its parameters.
    #[serde(default)]
    pub parameters: std::collections::BTreeMap<String, String>,
    /// What is done, in this order.
    pub inject: Vec<Step>,
    /// What must hold before the diagnosis is asked.
    pub settle: Vec<Condition>,
    /// What undoes it. Processes in the background are ended before; files, certificates, and the settings and
    /// statistics of Redis are put back after, without being told to, and what is not well then is made anew.
    pub heal: Vec<Step>,
    /// What differs where the servers are plain processes.
    pub processes: Differs,
    /// What differs where the database is MariaDB.
    #[serde(default)]
    mariadb: Differs,
}

/// What differs in another world.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Differs {
    /// Why the fault makes no sense there; without it, it does.
    why_not: Option<Text>,
    /// Another root cause: a stopped process is a port that refuses, because no container is named.
    expect: Option<String>,
    /// Other root causes.
    #[serde(default, alias = "expect_all")]
    expect_all: Vec<String>,
    /// Other steps.
    inject: Option<Vec<Step>>,
    /// Other conditions.
    settle: Option<Vec<Condition>>,
    /// Other steps that heal.
    heal: Option<Vec<Step>>,
}

/// How the mall runs, as far as faults differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// As containers or as processes.
    pub mode: Mode,
    /// Which database.
    pub database: Database,
}

impl Way {
    /// The way of a lab that is up.
    #[must_use]
    pub fn of(state: &State) -> Self {
        Self {
            mode: state.mode,
            database: state.database,
        }
    }
}

/// What the diagnosis must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// That nothing is wrong.
    Healthy,
    /// This cause, and no other root cause beside it.
    First(String),
    /// Each of these, in any order, and nothing beside them.
    All(Vec<String>),
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Healthy => f.write_str("healthy"),
            Self::First(cause) => f.write_str(cause),
            Self::All(causes) => f.write_str(&causes.join(" + ")),
        }
    }
}

impl Expected {
    /// Whether these root causes, the first one first, are what was expected.
    #[must_use]
    pub fn is_met_by(&self, causes: &[String]) -> bool {
        match self {
            Self::Healthy => causes.is_empty(),
            Self::First(cause) => causes == std::slice::from_ref(cause),
            Self::All(wanted) => {
                wanted.len() == causes.len() && wanted.iter().all(|cause| causes.contains(cause))
            }
        }
    }

    fn read(one: Option<&String>, all: &[String]) -> Option<Self> {
        match (one.map(String::as_str), all) {
            (Some("healthy"), []) => Some(Self::Healthy),
            (Some(cause), []) => Some(Self::First(cause.to_owned())),
            (None, [_, _, ..]) => Some(Self::All(all.to_vec())),
            _ => None,
        }
    }

    fn causes(&self) -> &[String] {
        match self {
            Self::Healthy => &[],
            Self::First(cause) => std::slice::from_ref(cause),
            Self::All(causes) => causes,
        }
    }
}

impl Differs {
    fn expected(&self) -> Option<Expected> {
        Expected::read(self.expect.as_ref(), &self.expect_all)
    }
}

impl Fault {
    /// The runbooks that must find it.
    pub fn runbooks(&self) -> impl Iterator<Item = &str> {
        self.runbook
            .iter()
            .chain(&self.runbooks)
            .map(String::as_str)
    }

    /// Whether it is a near miss: it looks like a fault and is none.
    #[must_use]
    pub fn is_near_miss(&self) -> bool {
        self.expect.as_deref() == Some("healthy")
    }

    /// What differs, the nearer first.
    fn differing(&self, way: Way) -> impl Iterator<Item = &Differs> {
        let processes = (way.mode == Mode::Processes).then_some(&self.processes);
        let mariadb = (way.database == Database::Mariadb).then_some(&self.mariadb);
        processes.into_iter().chain(mariadb)
    }

    /// What the diagnosis must say.
    #[must_use]
    pub fn expected(&self, way: Way) -> Expected {
        self.differing(way)
            .find_map(Differs::expected)
            .or_else(|| Expected::read(self.expect.as_ref(), &self.expect_all))
            .unwrap_or(Expected::Healthy)
    }

    /// What the diagnosis must say of all pages at once.
    #[must_use]
    pub fn expected_at_once(&self, way: Way) -> Expected {
        match &self.expect_at_once {
            Some(cause) if way.mode == Mode::Docker => Expected::First(cause.clone()),
            _ => self.expected(way),
        }
    }

    /// The steps that break.
    #[must_use]
    pub fn injected(&self, way: Way) -> &[Step] {
        self.differing(way)
            .find_map(|differs| differs.inject.as_deref())
            .unwrap_or(&self.inject)
    }

    /// Whether it breaks the machine itself, so that another lab on it sees it, too: its disks and its processors.
    #[must_use]
    pub fn breaks_the_machine(&self, way: Way) -> bool {
        self.injected(way).iter().any(Step::breaks_the_machine)
    }

    /// The conditions.
    #[must_use]
    pub fn settled(&self, way: Way) -> &[Condition] {
        self.differing(way)
            .find_map(|differs| differs.settle.as_deref())
            .unwrap_or(&self.settle)
    }

    /// The steps that heal.
    #[must_use]
    pub fn healed(&self, way: Way) -> &[Step] {
        self.differing(way)
            .find_map(|differs| differs.heal.as_deref())
            .unwrap_or(&self.heal)
    }

    /// Why the fault makes no sense, if so.
    #[must_use]
    pub fn why_not(&self, way: Way) -> Option<&Text> {
        self.differing(way)
            .find_map(|differs| differs.why_not.as_ref())
    }

    fn check(&self, file_name: &str) -> Result<(), String> {
        if self.name != file_name {
            return Err(format!(
                "name = {:?}, but the file is called {file_name}.toml",
                self.name
            ));
        }
        match (&self.runbook, self.runbooks.as_slice()) {
            (Some(_), []) | (None, [_, ..]) => {}
            _ => return Err("either `runbook` or `runbooks` must name who finds it".to_owned()),
        }
        self.check_expected()?;
        if [&self.title.en, &self.title.zh]
            .iter()
            .any(|text| text.trim().is_empty())
        {
            return Err("title needs an English and a Chinese text".to_owned());
        }
        self.check_without_containers()
    }

    fn check_expected(&self) -> Result<(), String> {
        let Some(expected) = Expected::read(self.expect.as_ref(), &self.expect_all) else {
            return Err(
                "either `expect` must name one cause (or \"healthy\"), or `expect-all` two or more"
                    .to_owned(),
            );
        };
        let others = [&self.processes, &self.mariadb];
        let others = others.iter().filter_map(|differs| differs.expected());
        let is_cause = |cause: &str| {
            cause.split_once('.').is_some_and(|(page, name)| {
                !page.is_empty() && !name.is_empty() && !name.contains('.')
            })
        };
        let at_once = self.expect_at_once.clone().map(Expected::First);
        for expected in std::iter::once(expected).chain(others).chain(at_once) {
            if let Some(cause) = expected.causes().iter().find(|cause| !is_cause(cause)) {
                return Err(format!(
                    "{cause:?} is neither \"healthy\" nor a cause such as redis.hung"
                ));
            }
        }
        Ok(())
    }

    /// A fault that is said to make sense with plain processes must not need a container there.
    fn check_without_containers(&self) -> Result<(), String> {
        if self.processes.why_not.is_some() {
            return Ok(());
        }
        let way = Way {
            mode: Mode::Processes,
            database: Database::Mariadb,
        };
        let mut steps = self.injected(way).iter().chain(self.healed(way));
        if let Some(step) = steps.find(|step| step.needs_container()) {
            return Err(format!(
                "{step:?} needs a container, so [processes] must say why-not"
            ));
        }
        let mut conditions = self.settled(way).iter();
        if let Some(condition) =
            conditions.find(|condition| matches!(condition, Condition::Container { .. }))
        {
            return Err(format!(
                "{condition:?} needs a container, so [processes] must have a settle of its own"
            ));
        }
        Ok(())
    }
}

/// Reads all faults, sorted by name.
///
/// # Errors
/// When a file cannot be read or does not say what a fault must.
pub fn read_all(lab_dir: &Path) -> Result<Vec<Fault>> {
    let directory = lab_dir.join("faults");
    let mut faults = Vec::new();
    for item in std::fs::read_dir(&directory).map_err(LabError::file("read", &directory))? {
        let path = item.map_err(LabError::file("read", &directory))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            faults.push(read(&path)?);
        }
    }
    faults.sort_by(|a: &Fault, b| a.name.cmp(&b.name));
    Ok(faults)
}

fn read(path: &Path) -> Result<Fault> {
    let text = std::fs::read_to_string(path).map_err(LabError::file("read", path))?;
    let wrong = |why: String| LabError::Content {
        path: path.to_path_buf(),
        why,
    };
    let fault: Fault = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let file_name = path
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    fault.check(&file_name).map_err(wrong)?;
    Ok(fault)
}

/// The fault of this name.
///
/// # Errors
/// When there is none; the error names those that there are.
pub fn find<'a>(faults: &'a [Fault], name: &str) -> Result<&'a Fault> {
    faults
        .iter()
        .find(|fault| fault.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
            LabError::Refused(format!(
                "there is no fault {name:?}; there are: {}",
                known.join(", ")
            ))
        })
}
