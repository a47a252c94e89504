//! From facts to findings, from findings to ranked causes.
//!
//! - `column`: what a column of a page's query is
//! - `fact`: named, typed values with units, and how a probe declares them
//! - `probe`: what a probe says of itself, and how it says that it could not look
//! - `plan`: the checks of a run, of one page or of several
//! - `judge`: one check's facts and rules → one finding
//! - `changed`: what differs from the last healthy run
//! - `report`: all findings of a run → root causes, consequences, unknowns

mod changed;
mod column;
mod fact;
mod judge;
mod plan;
mod probe;
mod report;

pub use changed::{Change, Changed, Earlier, MOST_CHANGES, compare};
pub use column::Column;
pub use fact::{Compared, Fact, FactSpec, FactType, Facts, Unit, Value};
pub use judge::judge;
pub use plan::{LeftOut, Plan, Step};
pub use probe::{
    ArgSpec, ArgType, Blind, Catalog, MANUAL, PerKey, ProbeSpec, Sighting, TargetKind, Unseen,
};
pub use report::{CheckResult, Ranked, Report, Verdict, rank};
