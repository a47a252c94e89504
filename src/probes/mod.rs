//! `probes`.
