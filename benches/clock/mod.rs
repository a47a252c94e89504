//! What both benches share: where the programs are, and order statistics.

use std::{
    error::Error,
    path::{Path, PathBuf},
};

/// What a bench gives back; its errors are sentences for the terminal.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Where the programs are that are measured: the directory after `--programs`, or the one in which cargo built them.
pub(crate) fn programs() -> Outcome<PathBuf> {
    let mut words = std::env::args_os().skip_while(|word| word != "--programs");
    if words.next().is_some() {
        return Ok(words.next().ok_or("--programs needs a directory")?.into());
    }
    let beside = Path::new(env!("CARGO_BIN_EXE_handbell")).parent();
    Ok(beside.ok_or("the binary lies in no directory")?.to_owned())
}

/// `path`, when a program is there.
pub(crate) fn binary(path: &Path) -> Outcome<PathBuf> {
    if path.exists() {
        Ok(path.to_owned())
    } else {
        Err(format!(
            "{} is not built; run `make bench`, which builds it",
            path.display()
        )
        .into())
    }
}

/// The nearest-rank percentile of sorted values.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// The middle of sorted values.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    percentile(sorted, 50)
}

/// `values` in ascending order.
pub(crate) fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}
