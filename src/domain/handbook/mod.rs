//! The handbook as data: pages of `commands/*.toml` as validated types.

mod expression;
mod model;

pub use expression::{Condition, EvalError, Scope, Sentence};
pub use model::{
    AlertMatch, ArgValue, Args, Check, Handbook, Param, ParamType, ParamValue, Params, Remedy,
    Risk, Rule, Runbook, Severity,
};
