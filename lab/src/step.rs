//! The steps of a fault. Every one is a typed operation; there is no shell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::compose::{Bytes, Restart, Span};
use crate::job::Job;
use crate::service::Service;

/// One typed operation on the mall. A step that names no `service` acts on Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "do",
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Step {
    /// Stops the server in good order.
    Stop {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// Starts the stopped server again.
    Start {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// Kills the server (SIGKILL).
    Kill {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// Sends SIGSTOP to the server's process: it is there and does nothing.
    Freeze {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// Sends SIGCONT.
    Thaw {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// Sends a signal to the server's first process.
    Signal {
        /// Which.
        service: Service,
        /// Its name, without `SIG`.
        signal: SignalName,
    },
    /// Pauses the container.
    Pause {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// Continues the container.
    Unpause {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// Removes the container; its data stays.
    Remove {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// Takes the container off its networks.
    Disconnect {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// Gives the container so little of a processor's time.
    Throttle {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
        /// Of one processor's time, in percent.
        percent: u8,
    },
    /// Makes the server anew with other settings; its data stays.
    Recreate {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
        /// Limit of the container's memory.
        memory: Option<Bytes>,
        /// Restart policy.
        restart: Option<Restart>,
        /// More arguments of its command.
        #[serde(default)]
        arguments: Vec<String>,
        /// Other environment variables.
        #[serde(default)]
        environment: BTreeMap<String, String>,
        /// No published port.
        #[serde(default)]
        unpublished: bool,
        /// The data directory is a file system of this size, in memory, and empty.
        data_limit: Option<Bytes>,
        /// More file systems in memory, by their directory, with their size.
        #[serde(default)]
        disks: BTreeMap<String, Bytes>,
    },
    /// Begins again as described and without data.
    Renew {
        /// Which.
        #[serde(default = "Service::usual")]
        service: Service,
    },
    /// Lets time pass.
    Wait {
        /// How long.
        #[serde(rename = "for")]
        time: Span,
    },
    /// Sends one command to Redis. The connection may break over it when `breaks` is set.
    Redis {
        /// The command and its arguments.
        command: Vec<String>,
        /// The server ends, so that no answer comes.
        #[serde(default)]
        breaks: bool,
    },
    /// `CONFIG SET` on Redis.
    Configure {
        /// Settings by name.
        settings: BTreeMap<String, String>,
    },
    /// Writes keys `PREFIX:0`, `PREFIX:1`, … into Redis.
    Fill {
        /// What the keys begin with.
        prefix: String,
        /// How many.
        keys: u32,
        /// Size of each value in bytes.
        value_bytes: u32,
        /// Whether the server may refuse or die meanwhile.
        #[serde(default)]
        until_it_fails: bool,
    },
    /// Deletes all but every n-th of the keys that a `fill` wrote.
    Thin {
        /// What the keys begin with.
        prefix: String,
        /// How many there are.
        keys: u32,
        /// Every so-manieth stays.
        keep_every: u32,
    },
    /// Makes Redis' data directory one that cannot be written.
    SpoilData {},
    /// Puts rubbish in place of Redis' saved data.
    CorruptData {},
    /// Statements for the database, with `;` between them, as its root in the schema `mall`.
    Sql {
        /// The statements.
        statement: String,
        /// Whether the server may refuse them.
        #[serde(default)]
        may_fail: bool,
    },
    /// A request to a service: the backend's interface, or what steers a stand-in (`/control/…`).
    Http {
        /// Which.
        service: Service,
        /// Its method.
        #[serde(default = "post")]
        method: String,
        /// Its path, with the query.
        path: String,
        /// Its body, JSON.
        body: Option<String>,
        /// The status of a right answer; without it, any of 200 to 299.
        status: Option<u16>,
    },
    /// Changes a file of a service; `heal` puts the old one back by itself.
    PutFile {
        /// Which.
        file: FileName,
        /// All that is to stand in it.
        content: Option<String>,
        /// Or: what is replaced in it; each `from` must stand in it.
        #[serde(default)]
        replace: Vec<Replacement>,
        /// Or: what is added at its end.
        append: Option<String>,
    },
    /// Gives a site another certificate and lets its server read it; `heal` puts the old one back by itself.
    Certificate {
        /// `nginx` or `wechatpay`.
        service: Service,
        /// What is wrong with it.
        kind: CertificateKind,
        /// For `expiring`: days that it is still valid (7).
        days: Option<u16>,
        /// For `wrong-name`: the name (shop.example.org).
        name: Option<String>,
    },
    /// Makes a small file system of its own on this machine (as root; ext4 in a file) and fills it.
    Disk {
        /// Its size.
        size: Bytes,
        /// How full it becomes, in percent.
        #[serde(default)]
        full: u8,
        /// How many of its inodes are used up, in percent.
        #[serde(default)]
        inodes_full: u8,
    },
    /// Starts a process that stays and goes on after `break` has returned.
    Background {
        /// What it does.
        job: Job,
    },
}

fn post() -> String {
    "POST".to_owned()
}

/// A signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SignalName {
    /// Read the configuration again.
    Hup,
    /// End.
    Term,
    /// End in good order (Nginx).
    Quit,
    /// Of the program's own meaning.
    Usr1,
    /// Of the program's own meaning.
    Usr2,
}

/// A file that a fault may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FileName {
    /// Nginx' configuration.
    #[serde(rename = "nginx.conf")]
    NginxConf,
    /// What the first name server answers.
    #[serde(rename = "server-1.zone")]
    FirstZone,
    /// What the second one answers.
    #[serde(rename = "server-2.zone")]
    SecondZone,
    /// The mini program's settings, on this machine.
    #[serde(rename = "config.js")]
    ConfigJs,
    /// The targets of the generated configuration of Handbell.
    #[serde(rename = "targets.toml")]
    Targets,
}

/// One replacement in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// What stands there.
    pub from: String,
    /// What shall stand there.
    pub to: String,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKind {
    /// It was valid until yesterday.
    Expired,
    /// It is valid for a few days more.
    Expiring,
    /// It is valid from tomorrow on.
    NotYetValid,
    /// It is for another name.
    WrongName,
    /// It is signed by itself.
    SelfSigned,
    /// Nothing: a new one, as good as the old.
    Good,
}

impl Step {
    /// Whether all of the machine sees it: a disk of it, or its processors.
    #[must_use]
    pub fn breaks_the_machine(&self) -> bool {
        match self {
            Self::Disk { .. } => true,
            Self::Recreate {
                data_limit, disks, ..
            } => data_limit.is_some() || !disks.is_empty(),
            Self::Background { job } => {
                matches!(job, Job::BurnCpu { .. } | Job::HoldMemory { .. })
            }
            _ => false,
        }
    }

    /// Whether the step makes no sense for a plain process.
    #[must_use]
    pub fn needs_container(&self) -> bool {
        match self {
            Self::Pause { .. }
            | Self::Unpause { .. }
            | Self::Remove { .. }
            | Self::Throttle { .. }
            | Self::Disconnect { .. } => true,
            Self::Recreate {
                memory,
                unpublished,
                data_limit,
                disks,
                ..
            } => memory.is_some() || *unpublished || data_limit.is_some() || !disks.is_empty(),
            Self::Background {
                job: Job::Flap { on, off, .. },
            } => on.iter().chain(off).any(Self::needs_container),
            _ => false,
        }
    }

    /// The service that the step acts on, where it is one.
    #[must_use]
    pub fn service(&self) -> Option<Service> {
        match self {
            Self::Stop { service }
            | Self::Start { service }
            | Self::Kill { service }
            | Self::Freeze { service }
            | Self::Thaw { service }
            | Self::Signal { service, .. }
            | Self::Pause { service }
            | Self::Unpause { service }
            | Self::Remove { service }
            | Self::Disconnect { service }
            | Self::Throttle { service, .. }
            | Self::Recreate { service, .. }
            | Self::Renew { service }
            | Self::Http { service, .. }
            | Self::Certificate { service, .. } => Some(*service),
            Self::Redis { .. }
            | Self::Configure { .. }
            | Self::Fill { .. }
            | Self::Thin { .. }
            | Self::SpoilData {}
            | Self::CorruptData {} => Some(Service::RedisMaster),
            Self::Sql { .. } => Some(Service::MysqlMaster),
            Self::PutFile { file, .. } => file.service(),
            Self::Background { job } => job.service(),
            Self::Wait { .. } | Self::Disk { .. } => None,
        }
    }
}

impl FileName {
    /// The service that reads the file, where it is one.
    #[must_use]
    pub fn service(self) -> Option<Service> {
        match self {
            Self::NginxConf => Some(Service::Nginx),
            Self::FirstZone | Self::SecondZone => Some(Service::Dns),
            Self::ConfigJs | Self::Targets => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NginxConf => "nginx.conf",
            Self::FirstZone => "server-1.zone",
            Self::SecondZone => "server-2.zone",
            Self::ConfigJs => "config.js",
            Self::Targets => "targets.toml",
        }
    }
}
