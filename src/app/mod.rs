//! Use cases, and the ports that they need.
//!
//! - `ports`: what the use cases ask of the world
//! - `request`: what can be asked, from where, and what comes back
//! - `gate`: THE one way in: identify → authorise → rate-limit → record → do → record
//! - `refusal`: why something was not done, in the reader's words
//! - `store_error`: why the store did not do it
//! - `diagnose`: every check of a page at once
//! - `checkup`: what `doctor` finds
//! - `reload`: reading the pages again
//! - `json`: a report as stable JSON

mod checkup;
mod diagnose;
mod gate;
mod json;
mod limit;
mod params;
mod ports;
mod refusal;
mod reload;
mod request;
mod store_error;

pub use checkup::{Checkup, State};
pub use diagnose::{Diagnosis, Limits, Progress, Waiting};
pub use gate::Gate;
pub use json::{recorded_json, report_json};
pub use limit::RUNS_PER_ACTOR;
pub use params::{BadParam, RawParams, parse_params};
pub use ports::{
    Answer, Clock, Look, Outcome, Prober, Record, RecordId, Recorder, Start, SystemClock,
};
pub use refusal::Refusal;
pub use reload::{Pages, Reloaded, Targets};
pub use request::{Envelope, Place, Reply, Request};
pub use store_error::StoreError;
