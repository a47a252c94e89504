use super::{is_error, of};

#[test]
fn the_same_line_with_other_numbers_has_one_shape() {
    for (one, two) in [
        (
            "2026-11-22 20:15:00,123 ERROR order 4711 failed after 12ms",
            "2026-11-23 01:02:03,9 ERROR order 9 failed after 3051ms",
        ),
        (
            "connect to 172.18.0.3:8000 refused",
            "connect to 10.0.0.12:8001 refused",
        ),
        (
            "request 3f2a9c1b-77aa-4b1e-9d55-0123456789ab done",
            "request aaaa0aaa-0b0b-4c4c-bbbb-fffffff1ffff done",
        ),
        (
            "2026/11/22 20:15:00 [error] 29#29: *1 connect() failed (111: Connection refused)",
            "2026/11/22 20:15:09 [error] 30#30: *77 connect() failed (111: Connection refused)",
        ),
    ] {
        assert_eq!(of(one), of(two), "{one}");
    }
    assert_ne!(of("order 1 failed"), of("order 1 paid"));
    assert_eq!(
        of("  worker process 31   exited "),
        "worker process # exited"
    );
}

#[test]
fn lines_of_errors_are_told_from_words_that_look_like_it() {
    for line in [
        "ERROR something",
        "{\"level\":\"error\",\"msg\":\"x\"}",
        "ValueError: no such thing",
        "Traceback (most recent call last):",
        "2026/11/22 20:15:00 [crit] 1#1: *1 SSL_do_handshake() failed",
        "panic: runtime error",
        "java.lang.NullPointerException: x",
    ] {
        assert!(is_error(line), "{line}");
    }
    for line in [
        "GET /terror.html 200",
        "error_log is /var/log/x",
        "INFO started",
        "critically acclaimed",
        "0 bytes",
        "{\"errors_total\": 0}",
        "error=0",
    ] {
        assert!(!is_error(line), "{line}");
    }
}
