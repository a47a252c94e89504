//! Handbell.
