//! Which containers of an engine are meant.
//!
//! An engine may carry more than one system, and a neighbour's broken container must not wake
//! anybody here. Meant are the containers that `targets.toml` names, and all of their Compose
//! projects; where it names none, all of the engine.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

/// The label in which Compose writes the project of a container.
const PROJECT: &str = "com.docker.compose.project";

/// The label that Compose gives to a container of `docker compose run`, which ends by itself.
const ONE_OFF: &str = "com.docker.compose.oneoff";

/// A container in the engine's list.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::probes) struct Listed {
    #[serde(rename = "Id")]
    pub(in crate::probes) id: String,
    #[serde(rename = "Names", default)]
    pub(in crate::probes) names: Vec<String>,
    #[serde(rename = "State", default)]
    pub(in crate::probes) state: String,
    #[serde(rename = "Status", default)]
    pub(in crate::probes) status: String,
    #[serde(rename = "Mounts", default)]
    pub(in crate::probes) mounts: Vec<Mounted>,
    #[serde(rename = "Labels", default)]
    pub(in crate::probes) labels: Option<HashMap<String, String>>,
}

/// Something that is mounted into a container.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::probes) struct Mounted {
    /// Where it lies on the engine's machine.
    #[serde(rename = "Source", default)]
    pub(in crate::probes) source: String,
}

impl Listed {
    /// Its name.
    pub(in crate::probes) fn name(&self) -> &str {
        // A legacy link gives a second name, with a slash in it.
        let own = self
            .names
            .iter()
            .map(|name| name.trim_start_matches('/'))
            .find(|name| !name.contains('/'));
        own.unwrap_or(&self.id)
    }

    /// What its label `name` says.
    pub(in crate::probes) fn label(&self, name: &str) -> Option<&str> {
        self.labels
            .as_ref()?
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Its Compose project.
    pub(in crate::probes) fn project(&self) -> Option<&str> {
        self.label(PROJECT)
    }

    /// It was made for one task and ends by itself.
    pub(in crate::probes) fn is_one_off(&self) -> bool {
        self.label(ONE_OFF)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// What the configuration names on one engine.
#[derive(Clone, Debug, Default)]
pub(in crate::probes) struct Ours {
    /// Names of containers.
    pub(in crate::probes) names: BTreeSet<String>,
}

impl Ours {
    /// Those of `all` that are meant, the Compose projects that they belong to, and the names that
    /// no container has.
    pub(in crate::probes) fn among<'a>(
        &self,
        all: &'a [Listed],
    ) -> (Vec<&'a Listed>, BTreeSet<&'a str>, Vec<String>) {
        let projects: BTreeSet<&str> = all
            .iter()
            .filter(|one| self.names.is_empty() || self.names.contains(one.name()))
            .filter_map(Listed::project)
            .collect();
        let meant: Vec<&Listed> = all
            .iter()
            .filter(|one| {
                self.names.is_empty()
                    || self.names.contains(one.name())
                    || one.project().is_some_and(|name| projects.contains(name))
            })
            .collect();
        let missing = self
            .names
            .iter()
            .filter(|name| all.iter().all(|one| one.name() != name.as_str()))
            .cloned()
            .collect();
        (meant, projects, missing)
    }
}
