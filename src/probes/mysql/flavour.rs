//! Which server it is: MySQL or MariaDB, and of what version.

use std::time::Duration;

/// How long the server itself lets a statement of ours run, should we be gone before its end.
const STATEMENT_TIME: Duration = Duration::from_secs(8);

/// The maker of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    MySql,
    MariaDb,
}

/// A server's version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) flavour: Flavour,
    pub(super) major: u16,
    pub(super) minor: u16,
    /// As the server writes it.
    pub(super) text: String,
}

impl Version {
    /// A version as it stands in a greeting: `8.4.3`, `10.11.6-MariaDB-0+deb12u1`.
    pub(super) fn parse(text: &str) -> Self {
        let mut numbers = text
            .split(|c: char| !c.is_ascii_digit())
            .map(|part| part.parse().unwrap_or(0));
        Self {
            flavour: if text.to_ascii_lowercase().contains("mariadb") {
                Flavour::MariaDb
            } else {
                Flavour::MySql
            },
            major: numbers.next().unwrap_or(0),
            minor: numbers.next().unwrap_or(0),
            text: text.to_owned(),
        }
    }

    pub(super) fn is_mariadb(&self) -> bool {
        self.flavour == Flavour::MariaDb
    }

    /// Whether it is MySQL of at least this version.
    pub(super) fn is_mysql(&self, major: u16, minor: u16) -> bool {
        self.flavour == Flavour::MySql && (self.major, self.minor) >= (major, minor)
    }

    /// The word for the flavour in facts.
    pub(super) fn word(&self) -> &'static str {
        match self.flavour {
            Flavour::MySql => "mysql",
            Flavour::MariaDb => "mariadb",
        }
    }

    /// The session's setting that forbids writes; MariaDB has the old name
    /// (<https://mariadb.com/kb/en/server-system-variables/#tx_read_only>).
    pub(super) fn read_only_setting(&self) -> &'static str {
        if self.is_mysql(8, 0) {
            "transaction_read_only"
        } else {
            "tx_read_only"
        }
    }

    /// The assignment of the limit that all our statements have.
    pub(super) fn usual_time_limit(&self) -> String {
        self.time_limit(STATEMENT_TIME)
    }

    /// The assignment that limits how long a statement may run: milliseconds for MySQL (SELECT
    /// only), seconds for MariaDB.
    pub(super) fn time_limit(&self, most: Duration) -> String {
        match self.flavour {
            Flavour::MySql => format!("max_execution_time = {}", most.as_millis().max(1)),
            Flavour::MariaDb => format!("max_statement_time = {:.3}", most.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        let mysql = Version::parse("9.1.0-1");
        assert!(mysql.is_mysql(8, 0) && !mysql.is_mysql(9, 2) && !mysql.is_mariadb());
        let mariadb = Version::parse("10.11.6-MariaDB-0+deb12u1");
        assert!(mariadb.is_mariadb() && !mariadb.is_mysql(5, 0));
        assert_eq!((mariadb.major, mariadb.minor), (10, 11));
        assert_eq!(Version::parse("").major, 0);
    }
}
