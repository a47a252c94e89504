//! What is remembered: every diagnosis, recorded before it is shown.
//!
//! - `sqlite`: the default backend, one file under the state directory
//! - `open`: making and opening that file; migrations
//! - `sql`: the queries, in SQL that PostgreSQL takes, too
//! - `rows`: records to columns and back
//! - `bound`: how large a record may be
//! - `fault`: what the database says → what a person can do about it
//!
//! A second backend implements [`crate::app::Recorder`] and passes `tests/store_contract.rs`.

mod bound;
mod fault;
mod open;
mod rows;
mod sql;
mod sqlite;

pub use bound::MAX_REPORT_BYTES;
pub use open::{BUSY_TIMEOUT, FILE_NAME};
pub use sqlite::SqliteStore;
