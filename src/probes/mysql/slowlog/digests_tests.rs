use super::*;

fn digest(count: i64, total_ms: f64, sample_ms: Option<f64>, is_new: bool) -> Digest {
    Digest {
        key: "mall.1".to_owned(),
        all: Kind {
            statement: "SELECT ?".to_owned(),
            count,
            total_ms,
            worst_ms: 5_000.0,
            rows_examined: 10.0 * f64::from(u32::try_from(count).expect("few")),
            ..Kind::default()
        },
        is_new,
        sample_ms,
    }
}

fn average(before: &Digest, after: &Digest) -> f64 {
    let kinds = of_late(std::slice::from_ref(before), std::slice::from_ref(after));
    kinds[0].average(kinds[0].total_ms)
}

#[test]
fn what_has_become_slow_is_slow() {
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 0.01, "{found}");
    // A million fast ones, and four slow ones between the readings.
    let before = digest(1_000_000, 1_000_000.0, None, false);
    let after = digest(1_000_004, 1_008_000.0, None, false);
    near(average(&before, &after), 2_000.0);
    // None ended between them: MySQL's sample tells, and without one all that it did.
    let sampled = digest(1_000_000, 1_000_000.0, Some(3_000.0), false);
    near(average(&before, &sampled), 3_000.0);
    near(average(&before, &before), 1.0);
    // A single slow one among many fast ones that ended meanwhile does not make the kind slow.
    let hiccup = digest(1_000_100, 1_000_100.0, Some(3_000.0), false);
    near(average(&before, &hiccup), 1.0);
    let new = digest(2, 4_000.0, None, true);
    near(average(&new, &new), 2_000.0);
}
