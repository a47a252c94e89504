//! The words of Handbell and the rules between them.
//!
//! Pure: no I/O, no async, no clock, no environment. Everything here can be
//! tested by calling it.

pub mod access;
pub mod diagnosis;
pub mod document;
pub mod duration;
pub mod handbook;
pub mod ids;
pub mod redact;
pub mod sql;
pub mod text;
