//! `docker.log`, against a real engine.

mod probes_common;

use std::time::Duration;

use handbell::domain::{diagnosis::Unseen, handbook::ArgValue};
use probes_common::{
    docker::{Container, docker, engine_is_there, eyes},
    eventually, int, none, sight, text, truth, unseen,
};

fn patterns(pairs: &[(&str, &str)]) -> ArgValue {
    ArgValue::Patterns(
        pairs
            .iter()
            .map(|(name, p)| ((*name).to_owned(), (*p).to_owned()))
            .collect(),
    )
}

#[tokio::test]
async fn the_log_is_searched_for_patterns() {
    if !engine_is_there() {
        return;
    }
    let container = Container::run(
        "log",
        &[],
        &[
            "sh",
            "-c",
            "for n in 1 2 3; do echo \"error number $n\"; done; echo 'to stderr' >&2; printf '\\033[31mred\\033[0m \\0 end\\n'; sleep 60",
        ],
    );
    let args = [(
        "patterns",
        patterns(&[
            ("errors", "(?i)error number \\d"),
            ("never", "nothing like it"),
        ]),
    )];
    let seen = eventually(
        async || sight(&eyes(&container.name), "docker.log", &args).await,
        |seen| int(seen, "lines_read") == 5,
    )
    .await;
    println!("{}\n{:#?}", seen.evidence, seen.facts);
    assert_eq!(int(&seen, "errors_count"), 3);
    assert_eq!(text(&seen, "errors_last"), "error number 3");
    assert!(int(&seen, "errors_seconds_ago") < 60);
    assert!(int(&seen, "never_count") == 0 && none(&seen, "never_last"));
    assert_eq!(int(&seen, "lines_read"), 5);
    assert!(truth(&seen, "binary") && !truth(&seen, "truncated"));
    assert!(
        seen.evidence.contains("red  end") && seen.evidence.contains("to stderr"),
        "{}",
        seen.evidence
    );
    let args = [("lines", ArgValue::Int(2))];
    assert_eq!(
        int(
            &sight(&eyes(&container.name), "docker.log", &args).await,
            "lines_read"
        ),
        2
    );
}

#[tokio::test]
async fn the_log_of_a_terminal_is_read_too() {
    if !engine_is_there() {
        return;
    }
    let container = Container::run(
        "tty",
        &["-t"],
        &["sh", "-c", "echo first; echo second; sleep 60"],
    );
    let seen = eventually(
        async || sight(&eyes(&container.name), "docker.log", &[]).await,
        |seen| int(seen, "lines_read") == 2,
    )
    .await;
    assert_eq!(
        (int(&seen, "lines_read"), text(&seen, "last_line")),
        (2, "second")
    );
    assert!(int(&seen, "last_line_seconds_ago") < 60);
}

#[tokio::test]
async fn a_line_of_100_mb_of_rubbish_is_bounded_and_what_follows_is_read() {
    if !engine_is_there() {
        return;
    }
    let container = Container::run(
        "rubbish",
        &[],
        &[
            "sh",
            "-c",
            "head -c 100000000 /dev/urandom | tr -d '\\n'; echo; echo 'the last word'; sleep 60",
        ],
    );
    let eyes = eyes(&container.name);
    for _ in 0..300 {
        if docker(&["logs", "--tail", "1", &container.name]).contains("last word") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for lines in [200, 5_000] {
        let began = std::time::Instant::now();
        let args = [
            ("lines", ArgValue::Int(lines)),
            ("patterns", patterns(&[("word", "last word$")])),
        ];
        let seen = sight(&eyes, "docker.log", &args).await;
        println!(
            "{lines} lines asked: {:?} {:?}",
            began.elapsed(),
            seen.facts
        );
        assert_eq!(
            text(&seen, "last_line"),
            "the last word",
            "after {:?}: {}",
            began.elapsed(),
            int(&seen, "bytes_read")
        );
        assert_eq!(int(&seen, "word_count"), 1);
        assert!(truth(&seen, "binary") && truth(&seen, "truncated"));
        assert!(int(&seen, "bytes_read") < 5 << 20);
    }
}

#[tokio::test]
async fn a_container_without_a_log_says_so() {
    if !engine_is_there() {
        return;
    }
    let container = Container::run("nolog", &["--log-driver", "none"], &["redis-server"]);
    let reason = unseen(&eyes(&container.name), "docker.log").await;
    assert!(
        matches!(&reason, Unseen::ServerSaid { detail } if detail.contains("logging driver")),
        "{reason:?}"
    );
}

#[tokio::test]
async fn why_a_container_ended_is_told_and_nothing_where_it_ended_well() {
    if !engine_is_there() {
        return;
    }
    let ill = Container::run("badconfig", &[], &["redis-server", "--maxmemory", "plenty"]);
    let good = Container::run("goodend", &[], &["redis-server"]);
    docker(&["stop", &good.name]);
    let bad = eyes(&ill.name);
    let seen = eventually(
        || sight(&bad, "docker.container", &[]),
        |seen| text(seen, "state") == "exited" && !none(seen, "last_words"),
    )
    .await;
    let words = text(&seen, "last_words");
    assert!(words.contains("FATAL CONFIG FILE ERROR"), "{words}");
    assert!(words.contains("argument must be a memory value"), "{words}");
    let seen = sight(&eyes(&good.name), "docker.container", &[]).await;
    assert_eq!(text(&seen, "state"), "exited");
    assert!(none(&seen, "last_words"), "{:#?}", seen.facts);
}
