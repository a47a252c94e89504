//! Exact health: what each service is compared with after a fault, and what puts it back or makes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::error::{LabError, Result};
use crate::lab::{Lab, World};
use crate::link::Link;
use crate::process::Process;
use crate::say;
use crate::service::Service;
use crate::step::Step;

/// Most keys that a healthy lab has: sessions, the pages of the product list, stock locks.
const HEALTHY_KEYS: i64 = 4_000;

/// Most memory that a healthy Redis uses, in bytes; the backend's keys are far below it.
const HEALTHY_MEMORY_BYTES: f64 = 20e6;

/// How long a stock lock of the backend lives, in seconds, and a little more.
const LOCK_SECONDS: i64 = 15;

/// How long the last connections of an ended background process may take to go.
const CALM_LIMIT: Duration = Duration::from_secs(5);

/// How often it is looked meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Settings that `CONFIG SET` does not take, or that change by themselves.
const NOT_RESTORED: [&str; 2] = ["bind", "port"];

/// What the backend has connections to.
const BEHIND_THE_BACKEND: [Service; 3] = [
    Service::MysqlMaster,
    Service::RedisMaster,
    Service::Wechatpay,
];

/// How often services are made anew before the lab gives up.
const ATTEMPTS: usize = 2;

impl Lab {
    /// Puts everything back to how it was before a fault of these steps, and makes anew what cannot be put back.
    pub(crate) async fn restore(&mut self, steps: &[Step]) -> Result<()> {
        let mut touched: BTreeSet<Service> = steps.iter().filter_map(Step::service).collect();
        if steps.iter().any(|step| matches!(step, Step::Http { .. })) {
            // What was asked of the shop or of WeChat Pay has written rows.
            touched.insert(Service::MysqlMaster);
        }
        let mut last = String::new();
        for attempt in 0..=ATTEMPTS {
            let mut ill = BTreeSet::new();
            for service in Service::ALL {
                if let Some(why) = self.illness(service, touched.contains(&service)).await {
                    tracing::debug!(service = service.key(), why, "to be made anew");
                    last = format!("{}: {why}", service.words());
                    ill.insert(service);
                }
            }
            if ill.is_empty() {
                self.put_right().await?;
                return self.settle_payments().await;
            }
            if attempt == ATTEMPTS {
                break;
            }
            if attempt > 0 {
                say::progress(format!("  making anew once more: {last}"));
            }
            // Either would tell of payments that the other one does not know.
            let ledgers = [Service::MysqlMaster, Service::Wechatpay];
            if ledgers.iter().any(|ledger| ill.contains(ledger)) {
                ill.extend(ledgers);
            }
            // The backend would complain in its log about those that it loses.
            if ill
                .iter()
                .any(|service| BEHIND_THE_BACKEND.contains(service))
            {
                ill.insert(Service::Backend);
            }
            for service in Service::ALL.into_iter().rev() {
                if ill.contains(&service) {
                    self.clear(service).await?;
                }
            }
            self.put_right().await?;
            touched.clear();
        }
        Err(LabError::TooLate {
            what: "the mall is as before".to_owned(),
            seen: last,
            waited: CALM_LIMIT,
        })
    }

    /// Lets WeChat Pay tell the shop now of what was paid while the shop was away, and not only after a pause: until
    /// then such an order is paid there and waits here.
    async fn settle_payments(&self) -> Result<()> {
        let order = Some(r#"{"do": "settle"}"#);
        let deadline = tokio::time::Instant::now() + CALM_LIMIT;
        loop {
            let answer = self
                .ask(Service::Wechatpay, "POST", "/control", order, CALM_LIMIT)
                .await?;
            if answer.body.contains(r#""waiting": 0"#) {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                return Err(LabError::TooLate {
                    what: "the shop takes every notification of a payment".to_owned(),
                    seen: answer.body,
                    waited: CALM_LIMIT,
                });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Why a service must be made anew, if it must.
    async fn illness(&self, service: Service, touched: bool) -> Option<String> {
        match self.runs_as_described(service).await {
            Ok(true) => {}
            Ok(false) => return Some("it does not run as it is described".to_owned()),
            Err(error) => return Some(error.to_string()),
        }
        self.put_back(service, touched)
            .await
            .unwrap_or_else(|error| Some(error.to_string()))
    }

    async fn runs_as_described(&self, service: Service) -> Result<bool> {
        match &self.world {
            World::Docker(containers) => containers.is_as_described(service.key()).await,
            World::Processes(_) => {
                let server = self.state.servers.get(service.key());
                Ok(server.is_some_and(Process::runs)
                    && !self
                        .state
                        .differing
                        .iter()
                        .any(|name| name == service.key()))
            }
        }
    }

    /// Puts a running service's settings and data back; gives what is still not as it was.
    async fn put_back(&self, service: Service, touched: bool) -> Result<Option<String>> {
        match service {
            Service::RedisMaster => self.calm_redis().await,
            _ if touched => Ok(Some("a fault was in it".to_owned())),
            Service::MysqlMaster => self.calm_database().await,
            Service::Wechatpay | Service::Dns | Service::Backend | Service::Nginx => {
                if let Some(line) = self.complaint(service).await? {
                    return Ok(Some(format!("it wrote: {line}")));
                }
                self.wait_until_well(service).await.map(|()| None)
            }
        }
    }

    /// The first line of a service's log that is a complaint. A log of good health has none.
    async fn complaint(&self, service: Service) -> Result<Option<String>> {
        let log = self.log_of(service).await?;
        let words: &[&str] = match service {
            Service::Nginx => &["[warn]", "[error]", "[crit]", "[alert]", "[emerg]"],
            _ => &[
                "\"level\": \"warning\"",
                "\"level\": \"error\"",
                "Traceback",
            ],
        };
        let complains = |line: &&str| words.iter().any(|word| line.contains(word));
        Ok(log.lines().find(complains).map(str::to_owned))
    }

    /// What a service has written: what it printed, and for Nginx its error log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn log_of(&self, service: Service) -> Result<String> {
        match (&self.world, service) {
            (World::Docker(containers), Service::Nginx) => {
                let bytes = containers
                    .get_file(service.key(), "/var/log/nginx/error.log")
                    .await?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            (World::Docker(containers), _) => containers.printed(service.key()).await,
            (World::Processes(processes), _) => {
                let path = match service {
                    Service::Nginx => processes.nginx_directory().join("error.log"),
                    _ => processes.log(service),
                };
                match std::fs::read(&path) {
                    Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
                    Err(error) => Err(LabError::file("read", &path)(error)),
                }
            }
        }
    }

    async fn calm_redis(&self) -> Result<Option<String>> {
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
        loop {
            let ill = self.illness_of_redis().await?;
            if ill.is_none() || tokio::time::Instant::now() > deadline {
                return Ok(ill);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What is not as it is in good health, if anything.
    async fn illness_of_redis(&self) -> Result<Option<String>> {
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
        if let Some(lock) = lasting_lock(&mut link).await? {
            return Ok(Some(format!("{lock} stays locked")));
        }
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

/// A stock lock that lives longer than the backend's own do.
async fn lasting_lock(link: &mut Link) -> Result<Option<String>> {
    let scan = ["SCAN", "0", "MATCH", "stock:lock:*", "COUNT", "10000"];
    let redis::Value::Array(parts) = link.command(&scan).await? else {
        return Ok(None);
    };
    let Some(redis::Value::Array(keys)) = parts.into_iter().nth(1) else {
        return Ok(None);
    };
    for key in keys {
        let redis::Value::BulkString(name) = key else {
            continue;
        };
        let name = String::from_utf8_lossy(&name).into_owned();
        let lasts = link.command(&["TTL", &name]).await?;
        // -1: it never ends; -2: it is gone meanwhile.
        if matches!(lasts, redis::Value::Int(seconds) if seconds == -1 || seconds > LOCK_SECONDS) {
            return Ok(Some(name));
        }
    }
    Ok(None)
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
