use jiff::Timestamp;

use super::{When, Zone, find};

fn now() -> Timestamp {
    "2026-11-22T20:20:00Z".parse().expect("a time")
}

fn utc(line: &str) -> String {
    match find(line, now()) {
        Some(when) => Zone::default()
            .resolve(when)
            .expect("a time")
            .strftime("%FT%T")
            .to_string(),
        None => "none".to_owned(),
    }
}

#[test]
fn the_forms_of_logs_are_known() {
    for (line, at) in [
        (
            "2026-11-22T20:15:00.123456Z 8 [Note] hello",
            "2026-11-22T20:15:00",
        ),
        ("2026-11-22 20:15:00,123 INFO app", "2026-11-22T20:15:00"),
        ("2026-11-22T22:15:00+02:00 x", "2026-11-22T20:15:00"),
        (
            "2026/11/22 20:15:00 [error] 29#29: *1 connect() failed",
            "2026-11-22T20:15:00",
        ),
        (
            "172.18.0.1 - - [22/Nov/2026:21:15:00 +0100] \"GET / HTTP/1.1\" 200",
            "2026-11-22T20:15:00",
        ),
        ("Nov 22 20:15:00 host sshd[1]: x", "2026-11-22T20:15:00"),
        ("Dec  2 20:15:00 host sshd[1]: x", "2025-12-02T20:15:00"),
        (
            "{\"level\":\"error\",\"ts\":1763842500.5}",
            "2025-11-22T20:15:00",
        ),
        ("{\"time\": 1763842500123}", "2025-11-22T20:15:00"),
        ("{\"time\":\"2026-11-22T20:15:00Z\"}", "2026-11-22T20:15:00"),
        ("no time at all 12:15", "none"),
        ("20262-11-22 99:99:99", "none"),
        ("", "none"),
        ("Nov 99 xx", "none"),
        ("2026-13-41T25:61:61Z", "none"),
    ] {
        assert_eq!(utc(line), at, "{line}");
    }
}

#[test]
fn a_zone_is_guessed_from_the_last_line_and_the_files_time() {
    let last = find("2026/11/23 04:15:00 [error]", now()).expect("a time");
    assert!(matches!(last, When::Local(_)));
    let modified: Timestamp = "2026-11-22T20:15:03Z".parse().expect("a time");
    let zone = Zone::guess(last, Some(modified));
    assert_eq!(
        zone.resolve(last).map(|at| at.to_string()).as_deref(),
        Some("2026-11-22T20:15:00Z")
    );
    let unrelated: Timestamp = "2026-11-22T20:07:00Z".parse().expect("a time");
    assert_eq!(Zone::guess(last, Some(unrelated)), Zone::default());
    assert_eq!(Zone::guess(last, None), Zone::default());
}
