//! h
fn main() {}
