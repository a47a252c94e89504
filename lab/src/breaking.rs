//! Breaking and healing: a fault's steps, then waiting until what they do can be seen; and back to exact health.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::{LabError, Result};
use crate::fault::Fault;
use crate::instance::{BACKEND, REDIS};
use crate::lab::{Lab, World};
use crate::say;
use crate::settle;
use crate::state::Broken;

/// Most keys that a healthy lab has: the backend's own are at most 2,051.
const HEALTHY_KEYS: i64 = 4_000;

/// Most memory that a healthy Redis uses, in bytes; the backend's keys are far below it.
const HEALTHY_MEMORY_BYTES: f64 = 20e6;

/// How long the last connections of an ended background process may take to go.
const CALM_LIMIT: Duration = Duration::from_secs(5);

/// How often it is looked meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Settings that `CONFIG SET` does not take, or that change by themselves.
const NOT_RESTORED: [&str; 2] = ["bind", "port"];

impl Lab {
    /// Breaks the lab and waits until the fault has taken hold.
    ///
    /// # Errors
    /// When something is broken already, the fault makes no sense here, or it does not take hold; what was begun is
    /// remembered, so that it can be healed.
    pub async fn break_with(&mut self, fault: &Fault) -> Result<()> {
        if let Some(broken) = &self.state.broken {
            return Err(LabError::Refused(format!(
                "{} is in force already; heal it first (handbell-lab heal {})",
                broken.fault, broken.fault
            )));
        }
        if let Some(why) = fault.why_not(self.state.mode) {
            return Err(LabError::Refused(format!(
                "{} makes no sense here: {}",
                fault.name, why.en
            )));
        }
        self.state.broken = Some(Broken {
            fault: fault.name.clone(),
            background: Vec::new(),
        });
        self.store.save(&self.state)?;
        self.carry_out(&fault.inject).await?;
        settle::wait(self, fault.settled(self.state.mode)).await
    }

    /// Heals a fault and proves that the lab is exactly as it was before. Where the fault's own steps do not lead
    /// there, Redis is made anew.
    ///
    /// # Errors
    /// When not even that helps.
    pub async fn heal(&mut self, fault: &Fault) -> Result<()> {
        if let Some(broken) = &self.state.broken {
            for process in &broken.background {
                process.kill().await?;
            }
        }
        let healed = self.undo(fault).await;
        if let Err(why) = healed {
            say::progress(format!(
                "  healing {} step by step was not enough ({why}); making Redis anew …",
                fault.name
            ));
            self.renew_redis().await?;
            self.restore().await?;
        }
        self.state.broken = None;
        self.store.save(&self.state)
    }

    async fn undo(&mut self, fault: &Fault) -> Result<()> {
        self.carry_out(&fault.heal).await?;
        if !fault.heal.contains(&crate::fault::Step::Renew {}) {
            self.put_right().await?;
        }
        self.restore().await
    }

    /// Puts Redis' settings and statistics back and checks that all is as in good health.
    async fn restore(&self) -> Result<()> {
        let mut link = self.place()?.link().await?;
        let now = link.config().await?;
        for (key, value) in different(&self.state.healthy_config, &now) {
            link.command(&["CONFIG", "SET", key, value]).await?;
        }
        for command in [
            ["CONFIG", "RESETSTAT"],
            ["SLOWLOG", "RESET"],
            ["LATENCY", "RESET"],
            ["MEMORY", "PURGE"],
        ] {
            link.command(&command).await?;
        }
        let deadline = tokio::time::Instant::now() + CALM_LIMIT;
        while let Some(ill) = self.illness().await? {
            if tokio::time::Instant::now() > deadline {
                return Err(LabError::TooLate {
                    what: "the lab is well".to_owned(),
                    seen: ill,
                    waited: CALM_LIMIT,
                });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        if let World::Docker(containers) = &self.world {
            for name in [REDIS, BACKEND] {
                containers.wait_healthy(name).await?;
            }
        }
        Ok(())
    }

    /// What is not as it is in good health, if anything.
    async fn illness(&self) -> Result<Option<String>> {
        if let World::Docker(containers) = &self.world {
            for name in [REDIS, BACKEND] {
                if !containers.is_as_described(name).await? {
                    return Ok(Some(format!(
                        "the container of {name} is not as compose.yaml describes it"
                    )));
                }
            }
        }
        let mut link = self.place()?.link().await?;
        if let Some((key, _)) = different(&self.state.healthy_config, &link.config().await?).next()
        {
            return Ok(Some(format!("the setting {key} differs")));
        }
        let info = link.info().await?;
        let is = |field: &str, wanted: &str| info.get(field).is_some_and(|value| value == wanted);
        let number = |field: &str| {
            info.get(field)
                .and_then(|value| value.parse::<f64>().ok())
                .unwrap_or(f64::MAX)
        };
        let redis::Value::Int(keys) = link.command(&["DBSIZE"]).await? else {
            return Ok(Some("no DBSIZE".to_owned()));
        };
        let facts = [
            (is("role", "master"), "it is a replica"),
            (is("loading", "0"), "it loads its dataset"),
            (is("rdb_last_bgsave_status", "ok"), "its last save failed"),
            (
                is("aof_last_write_status", "ok"),
                "its last write to the append-only file failed",
            ),
            (number("connected_clients") < 20.0, "clients are left over"),
            (
                number("used_memory") < HEALTHY_MEMORY_BYTES,
                "memory is still in use",
            ),
            (
                number("used_memory_rss") < 5.0 * HEALTHY_MEMORY_BYTES,
                "memory was not given back",
            ),
            (keys < HEALTHY_KEYS, "keys are left over"),
        ];
        Ok(facts
            .iter()
            .find(|(well, _)| !well)
            .map(|(_, words)| (*words).to_owned()))
    }
}

/// The settings that differ from good health, with the healthy value.
fn different<'a>(
    healthy: &'a BTreeMap<String, String>,
    now: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    healthy
        .iter()
        .filter(|(key, value)| {
            !NOT_RESTORED.contains(&key.as_str()) && now.get(*key) != Some(*value)
        })
        .map(|(key, value)| (key.as_str(), value.as_str()))
}
