//! `discord`.
