//! The section `LATEST DETECTED DEADLOCK` of `SHOW ENGINE INNODB STATUS`, of MySQL and MariaDB.

use jiff::civil::DateTime;

use crate::probes::mysql::people::shown;

/// A lock in the report: on which table and index, and in which mode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lock {
    pub(super) table: String,
    pub(super) index: Option<String>,
    pub(super) mode: String,
}

impl Lock {
    /// `RECORD LOCKS space id 2 page no 4 n bits 72 index PRIMARY of table `mall`.`t` trx id 1815
    /// lock_mode X locks rec but not gap waiting`, or `TABLE LOCK table `mall`.`t` trx id …`.
    fn of(line: &str) -> Option<Self> {
        if !line.starts_with("RECORD LOCKS") && !line.starts_with("TABLE LOCK") {
            return None;
        }
        let (_, rest) = line.split_once("table ")?;
        let (table, rest) = rest.split_once(" trx")?;
        let mode = rest
            .split_once("lock_mode ")
            .or_else(|| rest.split_once("lock mode "))
            .map_or("", |(_, mode)| mode);
        let index = line
            .split_once(" index ")
            .and_then(|(_, rest)| rest.split_once(" of table"))
            .map(|(index, _)| index.replace('`', ""));
        Some(Self {
            table: table.replace('`', "").trim().to_owned(),
            index,
            mode: mode.trim_end_matches(" waiting").trim().to_owned(),
        })
    }

    /// In one phrase.
    pub(super) fn shown(&self) -> String {
        match &self.index {
            Some(index) => format!("{} on {}.{index}", self.mode, self.table),
            None => format!("{} on {}", self.mode, self.table),
        }
    }
}

/// One of the transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) id: String,
    /// The connection's number.
    pub(super) connection: i64,
    /// User and host, as far as the report has them.
    pub(super) account: String,
    pub(super) active_seconds: i64,
    /// Without values.
    pub(super) statement: String,
    pub(super) holds: Vec<Lock>,
    pub(super) waits: Vec<Lock>,
    /// Locks of others in its way (MariaDB tells these instead of what each side holds).
    pub(super) conflicts: Vec<Lock>,
}

/// A deadlock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Deadlock {
    /// When, in the time of the server's system.
    pub(super) at: Option<DateTime>,
    pub(super) sides: Vec<Side>,
    /// Which side was rolled back, counted from 1.
    pub(super) victim: Option<i64>,
}

/// Which part of a side the lines belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Holds,
    Waits,
    Conflicts,
}

/// Most lines of the section that are read: the contents of long records fill thousands.
const MOST_LINES: usize = 20_000;

/// Reads the deadlock in `status`; none when there was none since the server's start.
pub(super) fn parse(status: &str) -> Option<Deadlock> {
    const TITLE: &str = "LATEST DETECTED DEADLOCK";
    let mut lines = status
        .lines()
        .skip_while(|line| line.trim() != TITLE)
        .skip(2);
    let mut deadlock = Deadlock {
        at: lines.next().and_then(moment),
        ..Deadlock::default()
    };
    let mut part = Part::Head;
    for line in lines.take(MOST_LINES) {
        if line.starts_with("----") {
            break;
        }
        if let Some(title) = line.strip_prefix("*** ") {
            part = titled(title, &mut deadlock, part);
            continue;
        }
        let Some(side) = deadlock.sides.last_mut() else {
            continue;
        };
        match (part, Lock::of(line)) {
            (Part::Head, None) => head(line, side),
            (Part::Holds, Some(lock)) => side.holds.push(lock),
            (Part::Waits, Some(lock)) => side.waits.push(lock),
            (Part::Conflicts, Some(lock)) => side.conflicts.push(lock),
            _ => {}
        }
    }
    for side in &mut deadlock.sides {
        side.statement = shown(side.statement.trim());
    }
    (!deadlock.sides.is_empty()).then_some(deadlock)
}

fn titled(title: &str, deadlock: &mut Deadlock, part: Part) -> Part {
    if title.contains(" TRANSACTION:") {
        deadlock.sides.push(Side::default());
        Part::Head
    } else if title.contains("HOLDS THE LOCK") {
        Part::Holds
    } else if title.contains("WAITING FOR") {
        Part::Waits
    } else if title.contains("CONFLICTING WITH") {
        Part::Conflicts
    } else {
        if let Some((_, rest)) = title.split_once("ROLL BACK TRANSACTION (") {
            deadlock.victim = rest
                .split(')')
                .next()
                .and_then(|number| number.parse().ok());
        }
        part
    }
}

/// The lines before the locks: what the transaction is, whose, and its statement of some lines.
fn head(line: &str, side: &mut Side) {
    if let Some(rest) = line.strip_prefix("TRANSACTION ") {
        rest.split([',', ' '])
            .next()
            .unwrap_or_default()
            .clone_into(&mut side.id);
        let active = rest.split_once("ACTIVE ").map(|(_, rest)| rest);
        let seconds = active.and_then(|rest| rest.split(' ').next());
        side.active_seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(0);
    } else if let Some((_, rest)) = line.split_once(" thread id ")
        && side.connection == 0
    {
        side.connection = rest
            .split(',')
            .next()
            .and_then(|id| id.trim().parse().ok())
            .unwrap_or(0);
        // `query id 40 localhost 127.0.0.1 root updating`: host, address, user, state.
        let words: Vec<&str> = rest
            .split_once("query id ")
            .map_or(Vec::new(), |(_, rest)| rest.split(' ').skip(1).collect());
        let address = words
            .iter()
            .position(|word| word.parse::<std::net::IpAddr>().is_ok());
        let user = words
            .get(address.map_or(1, |place| place + 1))
            .copied()
            .unwrap_or_default();
        let host = words.first().copied().unwrap_or_default();
        side.account = format!("{user}@{host}");
    } else if side.connection != 0 && !line.trim().is_empty() {
        if !side.statement.is_empty() {
            side.statement.push('\n');
        }
        side.statement.push_str(line);
    }
}

/// `2026-11-22 23:30:01 0x7f…`; before MySQL 5.7 `2026-11-22 23:30:01 7f…`.
fn moment(line: &str) -> Option<DateTime> {
    let text: String = line.chars().take(19).collect();
    text.replace(' ', "T").parse().ok()
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
