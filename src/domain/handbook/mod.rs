//! The handbook as data: pages of `commands/*.toml` as validated types.

mod borrow;
mod expression;
mod filters;
mod known;
pub mod limits;
mod lint;
mod load;
mod model;
mod raw;
mod read;
mod search;
mod steps;
mod typing;

pub use expression::{
    Condition, EvalError, MAX_EXPRESSION_BYTES, MAX_EXPRESSION_TOKENS, Scope, Sentence, SyntaxError,
};
pub use filters::{FILTERS, FilterSpec};
pub use known::KnownPage;
pub use lint::{Lint, Linted, STALE_AFTER_DAYS};
pub use load::parse;
pub use model::{
    AlertMatch, ArgValue, Args, Borrowed, BrokenPage, Check, Handbook, Lent, Manual, Param,
    ParamType, ParamValue, Params, Relation, Remedy, Risk, Rule, Runbook, Severity,
};
pub use search::{Hit, MOST_HITS, search};
pub use steps::{Covered, Step, StepKind, Steps, coverage};

/// What stands in the place of a page's id for every page together: `/diagnose all`.
pub const ALL_PAGES: &str = "all";

/// Under what the patrol is recorded; with a page's id behind it, the patrol of that page alone.
pub const PATROL: &str = "patrol";

/// The JSON Schema of a page, for editors; `commands/handbook.schema.json` is its copy.
#[must_use]
pub fn schema() -> serde_json::Value {
    super::document::schema::<raw::RawPage>()
}
