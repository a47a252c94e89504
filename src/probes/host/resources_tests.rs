use std::collections::BTreeMap;

use super::{lacking, sighting};
use crate::domain::diagnosis::Value;

fn files(stat: &str, vmstat: &str, uptime: &str) -> BTreeMap<String, String> {
    [
        ("/proc/uptime", uptime),
        ("/proc/loadavg", "8.00 6.00 2.00 3/200 77\n"),
        ("/proc/stat", stat),
        (
            "/proc/meminfo",
            "MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: 50 kB\nSwapTotal: 200 kB\nSwapFree: 50 kB\n",
        ),
        ("/proc/vmstat", vmstat),
        (
            "/proc/pressure/memory",
            "some avg10=1.00 avg60=42.50 avg300=3.00 total=9\nfull avg10=0 avg60=7.00 avg300=0 total=1\n",
        ),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .collect()
}

#[test]
fn rates_are_differences_and_shares_of_all_time() {
    let before = files(
        "cpu 100 0 100 1000 0 0 0 0\ncpu0 1\ncpu1 1\nprocs_blocked 3\n",
        "pswpin 10\npswpout 0\noom_kill 2\n",
        "100.00 1\n",
    );
    let after = files(
        "cpu 110 0 110 1010 10 0 0 60\ncpu0 1\ncpu1 1\nprocs_blocked 3\n",
        "pswpin 510\npswpout 0\noom_kill 2\n",
        "100.50 1\n",
    );
    let facts = sighting(&before, &after).facts;
    let number = |name: &str| match facts[name] {
        Value::Float(number) => number,
        ref other => panic!("{name} is {other:?}"),
    };
    assert!((number("cpu_steal_percent") - 60.0).abs() < 0.01);
    assert!((number("cpu_busy_percent") - 20.0).abs() < 0.01);
    assert!((number("load_per_cpu") - 3.0).abs() < 0.01);
    assert!((number("memory_available_percent") - 5.0).abs() < 0.01);
    assert!((number("swap_used_percent") - 75.0).abs() < 0.01);
    assert!((number("swap_in_per_second") - 1_000.0).abs() < 1.0);
    assert!((number("pressure_memory_percent") - 42.5).abs() < 0.01);
    assert_eq!(facts["pressure_cpu_percent"], Value::None);
    assert_eq!(facts["oom_kills"], Value::Int(2));
    assert_eq!(facts["processes_blocked"], Value::Int(3));
}

#[test]
fn nothing_at_all_is_no_panic() {
    sighting(&BTreeMap::new(), &BTreeMap::new());
}

#[test]
fn what_is_missing_is_no_zero() {
    let mut all = files("cpu 1 1 1 1\n", "", "1.0 1\n");
    assert!(lacking(&all).is_some_and(|what| what.contains("version")));
    let version = "Linux version 6.1.0".to_owned();
    all.insert("/proc/version".to_owned(), version);
    assert_eq!(lacking(&all), None);
    for (path, cut, named) in [
        ("/proc/uptime", "", "uptime"),
        ("/proc/loadavg", "1.0 2.0", "load"),
        ("/proc/stat", "intr 7", "processor"),
        ("/proc/stat", "cpu 1", "processor"),
        ("/proc/meminfo", "MemFree: 1 kB", "MemTotal"),
        ("/proc/meminfo", "MemTotal: 9 kB", "MemAvailable"),
    ] {
        let mut some = all.clone();
        some.insert(path.to_owned(), cut.to_owned());
        let what = lacking(&some);
        assert!(what.is_some_and(|what| what.contains(named)), "{what:?}");
    }
}
