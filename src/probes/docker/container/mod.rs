//! `docker.container`: the container of a target.

mod spec;

pub use spec::SPEC;
