//! Numbers as a reader wants them.

/// Bytes for a reader: `1.5 MB`.
pub(super) fn bytes_shown(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{amount:.1} {}", UNITS[unit])
    }
}

/// `part` of `whole` in percent; none of nothing.
pub(super) fn percent(part: i64, whole: i64) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a percentage needs no more than 53 bits"
    )]
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}
