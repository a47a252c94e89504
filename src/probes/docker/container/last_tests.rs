use super::*;

fn chosen(lines: &[&str], end: End) -> Option<String> {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    choose(&lines, end)
}

#[test]
fn the_reason_is_told_and_not_that_it_ends() {
    let lines = [
        "2026-11-29T08:13:31.422320Z 0 [System] [MY-010116] [Server] mysqld starting as process 1",
        "2026-11-29T08:13:31.424276Z 0 [ERROR] [MY-000067] [Server] unknown variable 'no-such=1'.",
        "2026-11-29T08:13:31.424885Z 0 [ERROR] [MY-010119] [Server] Aborting",
        "2026-11-29T08:13:31.425390Z 0 [System] [MY-010910] [Server] mysqld: Shutdown complete",
    ];
    let said = chosen(&lines, End::ByItself).expect("words");
    assert!(said.contains("unknown variable 'no-such=1'"), "{said}");
    assert!(!said.contains("Aborting"), "{said}");
}

#[test]
fn lines_that_belong_together_are_told_together() {
    let lines = [
        "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***",
        "Reading the configuration file, at line 2",
        ">>> 'maxmemory \"plenty\"'",
        "argument must be a memory value",
    ];
    let said = chosen(&lines, End::ByItself).expect("words");
    assert!(said.starts_with("*** FATAL CONFIG FILE ERROR"), "{said}");
    assert!(said.ends_with("argument must be a memory value"), "{said}");
}

#[test]
fn a_program_of_few_words_is_quoted_all_the_same() {
    let lines = ["starting", "leaving the building"];
    assert_eq!(
        chosen(&lines, End::ByItself).as_deref(),
        Some("leaving the building")
    );
}

#[test]
fn who_was_killed_is_quoted_only_when_it_said_why() {
    let lines = ["1:M 29 Nov 2026 08:00:00.000 * Ready to accept connections tcp"];
    assert_eq!(chosen(&lines, End::BySignal), None);
    let lines = ["1:M 29 Nov 2026 08:00:00.000 # Redis 7.0.15 crashed by signal: 11"];
    assert!(chosen(&lines, End::BySignal).is_some());
}

#[test]
fn a_line_that_was_written_before_the_engine_noted_the_begin_is_of_the_run() {
    let at = |text: &str| Some(text.parse::<Timestamp>().expect("a time"));
    // As an engine told it of a program that ended at once.
    let began = at("2026-11-30T11:20:01.736509486Z");
    assert!(is_of_run(at("2026-11-30T11:20:01.734835647Z"), began));
    assert!(is_of_run(at("2026-11-30T11:20:01.737Z"), began));
    assert!(!is_of_run(at("2026-11-30T11:19:58.7Z"), began));
    assert!(is_of_run(None, began) && is_of_run(began, None));
}
