//! What the mall is made of.

use serde::{Deserialize, Serialize};

/// A service of the mall, by the name that it has in `compose.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// The database.
    MysqlMaster,
    /// The cache.
    RedisMaster,
    /// The stand-in for WeChat Pay.
    Wechatpay,
    /// Two name servers.
    Dns,
    /// The shop's program.
    #[serde(rename = "backend-1")]
    Backend,
    /// The front, with TLS.
    Nginx,
}

impl Service {
    /// All of them, each after what it needs.
    pub const ALL: [Self; 6] = [
        Self::MysqlMaster,
        Self::RedisMaster,
        Self::Wechatpay,
        Self::Dns,
        Self::Backend,
        Self::Nginx,
    ];

    /// Its name in `compose.yaml` and in a fault's steps.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::MysqlMaster => "mysql-master",
            Self::RedisMaster => "redis-master",
            Self::Wechatpay => "wechatpay",
            Self::Dns => "dns",
            Self::Backend => "backend-1",
            Self::Nginx => "nginx",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::MysqlMaster => "the database",
            Self::RedisMaster => "Redis",
            Self::Wechatpay => "the stand-in for WeChat Pay",
            Self::Dns => "the name servers",
            Self::Backend => "the backend",
            Self::Nginx => "Nginx",
        }
    }

    /// A step that names no service means Redis, with which the lab began.
    #[must_use]
    pub fn usual() -> Self {
        Self::RedisMaster
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key())
    }
}

/// Which database the mall has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Database {
    /// MySQL 9.
    Mysql,
    /// MariaDB 10.11.
    Mariadb,
}

impl Database {
    /// Its name as `compose.yaml` has it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
        }
    }

    /// Its name for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
        }
    }
}
