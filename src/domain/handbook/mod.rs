//! The handbook as data: pages of `commands/*.toml` as validated types.

mod expression;
mod filters;
pub mod limits;
mod load;
mod model;
mod raw;
mod read;
mod typing;

pub use expression::{Condition, EvalError, MAX_EXPRESSION_BYTES, Scope, Sentence, SyntaxError};
pub use filters::{FILTERS, FilterSpec};
pub use load::parse;
pub use model::{
    AlertMatch, ArgValue, Args, Check, Handbook, Manual, Param, ParamType, ParamValue, Params,
    Remedy, Risk, Rule, Runbook, Severity,
};
