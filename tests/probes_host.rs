//! The probes of machines, against this one.

#![expect(clippy::expect_used, reason = "a test may fail")]

mod probes_common;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use handbell::{
    app::Look,
    config::{Host, HostEndpoint, Targets},
    domain::{
        diagnosis::{Blind, Sighting, Unseen, Value},
        handbook::ArgValue,
    },
    probes::Probes,
};
use probes_common::{float, free_port, int, none, program_from, see_within, text, truth};
use tempfile::TempDir;

fn eyes(endpoint: HostEndpoint, ssh: &Path) -> Probes {
    let mut targets = Targets::default();
    targets
        .host
        .insert("server".parse().expect("an id"), Host { endpoint });
    Probes::with_ssh(targets, ssh)
}

async fn see(eyes: &Probes, probe: &str, args: &[(&str, ArgValue)]) -> Result<Sighting, Blind> {
    let look = Look {
        probe: probe.to_owned(),
        target: "server".parse().expect("an id"),
        args: args
            .iter()
            .map(|(n, v)| ((*n).to_owned(), v.clone()))
            .collect(),
        deadline: Duration::from_secs(4),
    };
    see_within(eyes, &look).await
}

async fn here(probe: &str, args: &[(&str, ArgValue)]) -> Sighting {
    let eyes = eyes(HostEndpoint::Local, Path::new("ssh"));
    see(&eyes, probe, args).await.expect("a sighting")
}

#[tokio::test]
async fn this_machine_tells_its_resources() {
    let seen = here("host.resources", &[]).await;
    println!("{}", seen.evidence);
    assert!(int(&seen, "cpus") >= 1 && int(&seen, "memory_total_bytes") > 64 << 20);
    assert!((0.0..=100.5).contains(&float(&seen, "cpu_busy_percent")));
    assert!((0.0..=100.0).contains(&float(&seen, "memory_available_percent")));
    assert!(int(&seen, "uptime_seconds") > 0);
    let seen = here("host.processes", &[]).await;
    println!("{}", seen.evidence);
    assert!(int(&seen, "processes") > 1 && int(&seen, "top_memory_bytes") > 0);
    assert_eq!(text(&here("host.reachable", &[]).await, "state"), "ok");
}

#[tokio::test]
async fn file_systems_are_judged_by_the_pages_limits() {
    let seen = here("host.filesystems", &[]).await;
    println!("{}", seen.evidence);
    assert!(int(&seen, "filesystems") >= 1 && !none(&seen, "worst"));
    // With limits that everything exceeds the worst one is full.
    let strict = [
        ("full_percent", ArgValue::Int(50)),
        ("nearly_percent", ArgValue::Int(50)),
        ("spare_mb", ArgValue::Int(10_000_000)),
    ];
    let seen = here("host.filesystems", &strict).await;
    if float(&seen, "worst_percent") >= 50.0 {
        assert_eq!(text(&seen, "state"), "full", "{}", seen.evidence);
    }
}

fn path(at: &Path) -> (&'static str, ArgValue) {
    ("path", ArgValue::Text(at.display().to_string()))
}

#[tokio::test]
async fn the_largest_are_found_and_links_are_not_followed() {
    let dir = TempDir::new().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at("a/deep/er")).expect("a directory");
    fs::create_dir_all(at("log")).expect("a directory");
    fs::write(at("a/deep/er/large.bin"), vec![1; 3 << 20]).expect("a file");
    fs::write(at("log/app.log"), vec![1; 1 << 20]).expect("a file");
    fs::hard_link(at("a/deep/er/large.bin"), at("a/again.bin")).expect("a link");
    std::os::unix::fs::symlink("/", at("a/everything")).expect("a link");
    let seen = here("host.largest", &[path(dir.path())]).await;
    println!("{}", seen.evidence);
    // A hard link is counted once, and where it is met first.
    let total = int(&seen, "total_bytes");
    assert!((4 << 20..5 << 20).contains(&total), "{total}");
    assert_eq!(int(&seen, "largest_file_bytes"), 3 << 20);
    assert!(text(&seen, "largest_log").ends_with("log/app.log"));
    assert!(!truth(&seen, "stopped_early") && int(&seen, "entries") < 20);
    assert!(int(&seen, "growth_bytes_per_day") >= 4 << 20);

    for n in 0..300 {
        fs::write(at(&format!("a/deep/{n}")), "x").expect("a file");
    }
    let limit = ("entries", ArgValue::Int(100));
    let seen = here("host.largest", &[path(dir.path()), limit]).await;
    assert!(truth(&seen, "stopped_early") && none(&seen, "days_until_full"));
    let eyes = eyes(HostEndpoint::Local, Path::new("ssh"));
    let gone = see(&eyes, "host.largest", &[path(&at("none"))]).await;
    assert!(
        matches!(gone, Err(Blind::Unknown(Unseen::NoSuchPath { .. }))),
        "{gone:?}"
    );
}

#[tokio::test]
async fn a_deleted_file_that_is_held_open_is_found() {
    let dir = TempDir::new().expect("a directory");
    let at = dir.path().join("gone.log");
    let held = fs::File::create(&at).expect("a file");
    fs::write(&at, vec![1; 2 << 20]).expect("room");
    fs::remove_file(&at).expect("a file");
    let seen = here("host.deleted", &[]).await;
    println!("{}", seen.evidence);
    assert!(int(&seen, "deleted") >= 1 && int(&seen, "deleted_bytes") >= 2 << 20);
    drop(held);
}

#[tokio::test]
async fn journal_and_service_say_what_there_is() {
    let eyes = eyes(HostEndpoint::Local, Path::new("ssh"));
    let seen = see(&eyes, "host.journal", &[]).await.expect("a sighting");
    println!("{} {}", text(&seen, "state"), seen.evidence);
    let unit = [("unit", ArgValue::Text("no-such-unit.service".to_owned()))];
    match see(&eyes, "host.service", &unit).await {
        Ok(seen) => assert_eq!(text(&seen, "state"), "missing"),
        Err(Blind::NotApplicable(why)) => assert!(why.en.contains("systemd"), "{}", why.en),
        Err(other) => panic!("{other:?}"),
    }
}

/// A program in the place of ssh that runs the words here, as a remote shell would.
fn like_ssh(dir: &TempDir, script: &str) -> PathBuf {
    let program = dir.path().join("ssh");
    let text = dir.path().join("ssh.text");
    fs::write(&text, format!("#!/bin/sh\n{script}\n")).expect("a file");
    program_from(&text, &program);
    program
}

#[tokio::test]
async fn another_machine_is_asked_by_constant_words_over_ssh() {
    let dir = TempDir::new().expect("a directory");
    let carry = "while [ \"$1\" != -- ]; do shift; done; shift 2; exec sh -c \"$*\"";
    let eyes = eyes(
        HostEndpoint::Ssh("ssh://ops@far:22".to_owned()),
        &like_ssh(&dir, carry),
    );
    assert_eq!(
        text(
            &see(&eyes, "host.reachable", &[]).await.expect("it"),
            "state"
        ),
        "ok"
    );
    let seen = see(&eyes, "host.resources", &[]).await.expect("a sighting");
    assert!(int(&seen, "cpus") >= 1 && int(&seen, "memory_total_bytes") > 0);
    let seen = see(&eyes, "host.filesystems", &[])
        .await
        .expect("a sighting");
    assert!(int(&seen, "filesystems") >= 1, "{}", seen.evidence);
    let seen = see(&eyes, "host.processes", &[]).await.expect("a sighting");
    assert!(int(&seen, "processes") > 1);
    // A path with what a shell would take for its own stays one word.
    let odd = dir.path().join("a b; touch pwned");
    fs::create_dir(&odd).expect("a directory");
    fs::write(odd.join("x"), vec![1; 1 << 20]).expect("a file");
    let seen = see(&eyes, "host.largest", &[path(&odd)])
        .await
        .expect("a sighting");
    assert!(int(&seen, "total_bytes") >= 1 << 20, "{}", seen.evidence);
    assert_eq!(seen.facts["growth_bytes_per_day"], Value::None);
    assert!(!Path::new("pwned").exists());
    let elsewhere = see(&eyes, "host.deleted", &[]).await;
    assert!(
        matches!(elsewhere, Err(Blind::NotApplicable(_))),
        "{elsewhere:?}"
    );
}

/// Another machine whose processors' time and pages were stolen and swapped as `counts` (stolen ticks, pages) tell from
/// one reading to the next, and that does not answer where they tell nothing; between two readings 100 ticks were idle.
fn machine_that_counts(dir: &TempDir, counts: [Option<(u32, u32)>; 3]) -> PathBuf {
    let at = dir.path().join("readings");
    fs::write(&at, "").expect("a file");
    let at = at.display();
    let [first, second, third] = counts.map(|told| match told {
        Some((stolen, pages)) => format!("set -- \"$@\" {stolen} {pages}"),
        None => "exit 255".to_owned(),
    });
    like_ssh(
        dir,
        &format!(
            "echo >> {at}; n=$(wc -l < {at})
            case $n in 1) {first};; 2) {second};; *) {third};; esac
            while [ \"$1\" != -- ]; do shift; done; shift 2
            words=; while [ $# -gt 2 ]; do words=\"$words $1\"; shift; done
            sh -c \"$words\" | sed -e \"s/^cpu  .*/cpu  0 0 0 $((n * 100)) 0 0 0 $1/\" \\
                -e \"s/^pswpin .*/pswpin $2/\" -e \"s/^pswpout .*/pswpout $2/\""
        ),
    )
}

#[tokio::test]
async fn what_lasted_a_moment_is_no_alarm() {
    let (quiet, much) = (Some((0, 0)), Some((900, 900_000)));
    let burst = [quiet, much, much];
    let lasting = [quiet, much, Some((1_800, 9_900_000))];
    // What does not answer the second look: what the first one told stands.
    let fallen_silent = [quiet, much, None];
    for (counts, lasts) in [(burst, false), (lasting, true), (fallen_silent, true)] {
        let dir = TempDir::new().expect("a directory");
        let eyes = eyes(
            HostEndpoint::Ssh("ssh://ops@far:22".to_owned()),
            &machine_that_counts(&dir, counts),
        );
        let seen = see(&eyes, "host.resources", &[]).await.expect("a sighting");
        println!("{}", seen.evidence);
        let (stolen, swapped) = (
            float(&seen, "cpu_steal_percent"),
            float(&seen, "swap_in_per_second"),
        );
        assert_eq!(stolen >= 89.0, lasts, "{stolen} % stolen");
        assert_eq!(swapped >= 1_000.0, lasts, "{swapped} pages a second");
        if !lasts {
            assert!(stolen < 0.01 && swapped < 0.01, "{stolen} {swapped}");
        }
    }
    // Where nothing is in doubt nobody is asked a third time.
    let dir = TempDir::new().expect("a directory");
    let eyes = eyes(
        HostEndpoint::Ssh("ssh://ops@far:22".to_owned()),
        &machine_that_counts(&dir, [quiet, Some((1, 5)), much]),
    );
    let seen = see(&eyes, "host.resources", &[]).await.expect("a sighting");
    assert!(float(&seen, "cpu_steal_percent") < 1.0, "{}", seen.evidence);
    let readings = fs::read_to_string(dir.path().join("readings")).expect("a file");
    assert_eq!(readings.lines().count(), 2);
}

#[tokio::test]
async fn a_machine_out_of_reach_is_told_apart() {
    let dir = TempDir::new().expect("a directory");
    for (script, state, code) in [
        (
            "echo 'ssh: connect to host far port 22: Connection refused' >&2; exit 255",
            "refused",
            "refused",
        ),
        (
            "echo 'ssh: Could not resolve hostname far' >&2; exit 255",
            "unresolved",
            "unresolved",
        ),
        (
            "echo 'Host key verification failed.' >&2; exit 255",
            "ssh",
            "unreachable",
        ),
        ("exec sleep 60", "timed-out", "timed-out"),
    ] {
        let program = like_ssh(&dir, script);
        let eyes = eyes(
            HostEndpoint::Ssh(format!("ssh://far:{}", free_port())),
            &program,
        );
        let began = Instant::now();
        let seen = see(&eyes, "host.reachable", &[]).await.expect("a sighting");
        assert_eq!(text(&seen, "state"), state, "{}", seen.evidence);
        match see(&eyes, "host.resources", &[]).await {
            Err(Blind::Unknown(why)) => assert_eq!(why.code(), code),
            other => panic!("{other:?}"),
        }
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    // One that talks without end is cut off.
    let eyes = eyes(
        HostEndpoint::Ssh("ssh://far".to_owned()),
        &like_ssh(&dir, "exec yes"),
    );
    let began = Instant::now();
    let _ = see(&eyes, "host.filesystems", &[]).await;
    assert!(began.elapsed() < Duration::from_secs(5));
}
