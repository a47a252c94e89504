//! `redis.info`: what the server says of itself.

mod spec;

pub use spec::SPEC;
