//! The `handbell` binary.
fn main() {}
