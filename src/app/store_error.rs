//! Why the store did not do it.

use std::fmt;

use crate::domain::text::Text;

/// Why the store did not do it. It prints in English, for the log; [`StoreError::say`] is for people.
#[derive(Debug)]
pub enum StoreError {
    /// Another process holds the file; trying again can help.
    Locked {
        /// Where the store is.
        location: String,
    },
    /// No space left.
    Full {
        /// Where the store is.
        location: String,
    },
    /// The store can't be opened, or does not answer.
    Unavailable {
        /// Where the store is.
        location: String,
        /// What is wrong, and what mends it; without a full stop.
        detail: Text,
    },
    /// The file is not what this version wrote or can read.
    Corrupt {
        /// Where the store is.
        location: String,
        /// What is wrong, and what mends it; without a full stop.
        detail: Text,
    },
}

impl StoreError {
    /// What is wrong and how to mend it, in the reader's words; without a full stop.
    #[must_use]
    pub fn say(&self) -> Text {
        match self {
            Self::Locked { location } => Text::new(
                format!(
                    "the store {location} is locked by another process; try again, or stop that process"
                ),
                format!("存储 {location} 被另一个进程锁定；请重试，或停止那个进程"),
            ),
            Self::Full { location } => Text::new(
                format!("the disk of the store {location} is full; free some space"),
                format!("存储 {location} 所在的磁盘已满；请腾出一些空间"),
            ),
            Self::Unavailable { location, detail } => Text::new(
                format!("the store {location} can't be opened: {}", detail.en),
                format!("存储 {location} 无法打开：{}", detail.zh),
            ),
            Self::Corrupt { location, detail } => Text::new(
                format!("the store {location} can't be used: {}", detail.en),
                format!("存储 {location} 无法使用：{}", detail.zh),
            ),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.say().en)
    }
}

impl std::error::Error for StoreError {}
