//! Use cases, and the ports that they need.
//!
//! - `ports`: what the use cases ask of the world
//! - `gate`: THE one way in: identify → authorise → rate-limit → record → do → record
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
mod reload;

pub use checkup::{Checkup, State};
pub use diagnose::{Diagnosis, Limits, Progress, Waiting};
pub use gate::{Envelope, Gate, Place, Refusal, Reply, Request};
pub use json::{recorded_json, report_json};
pub use limit::RUNS_PER_ACTOR;
pub use params::{BadParam, RawParams, parse_params};
pub use ports::{
    Answer, Clock, Look, Outcome, Prober, Record, RecordId, Recorder, Start, StoreError,
    SystemClock,
};
pub use reload::{Pages, Reloaded};
