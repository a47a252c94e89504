//! `log.search` and `log.templates`, on real files and in real containers.

#![expect(clippy::expect_used, reason = "a test may fail")]

mod probes_common;

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use handbell::{
    app::{Clock, Look, SystemClock},
    config::{ContainerRef, DockerEngine, Endpoint, LogFile, Service, Targets},
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        handbook::ArgValue,
    },
    probes::Probes,
};
use probes_common::{
    LATEST,
    docker::{Container, SOCKET, docker, engine_is_there},
    float, int, none, not_run, program_from, see_within, text, truth,
};
use tempfile::TempDir;

fn file(path: &Path) -> Targets {
    let mut targets = Targets::default();
    let log = LogFile {
        file: path.to_owned(),
        container: None,
    };
    targets.log.insert("log".parse().expect("an id"), log);
    targets
}

fn in_container(name: &str, path: Option<&str>) -> Targets {
    let mut targets = Targets::default();
    let endpoint = Endpoint::Unix(SOCKET.into());
    targets
        .docker
        .insert("engine".parse().expect("an id"), DockerEngine { endpoint });
    let container = Some(ContainerRef {
        engine: "engine".parse().expect("an id"),
        name: name.to_owned(),
    });
    if let Some(path) = path {
        let file = path.into();
        let log = LogFile { file, container };
        targets.log.insert("log".parse().expect("an id"), log);
    } else {
        let service = Service {
            container,
            ..Service::default()
        };
        targets
            .service
            .insert("log".parse().expect("an id"), service);
    }
    targets
}

fn patterns(pairs: &[(&str, &str)]) -> (&'static str, ArgValue) {
    let pairs = pairs
        .iter()
        .map(|(name, p)| ((*name).to_owned(), (*p).to_owned()));
    ("patterns", ArgValue::Patterns(pairs.collect()))
}

fn within(seconds: u64) -> (&'static str, ArgValue) {
    ("within", ArgValue::Duration(Duration::from_secs(seconds)))
}

async fn see(targets: Targets, probe: &str, args: &[(&str, ArgValue)]) -> Result<Sighting, Blind> {
    let look = Look {
        probe: probe.to_owned(),
        target: "log".parse().expect("an id"),
        args: args
            .iter()
            .map(|(n, v)| ((*n).to_owned(), v.clone()))
            .collect(),
        deadline: Duration::from_secs(5),
    };
    see_within(&Probes::new(targets), &look).await
}

async fn search(targets: Targets, args: &[(&str, ArgValue)]) -> Sighting {
    see(targets, "log.search", args).await.expect("a sighting")
}

/// A time so many seconds ago, as programs write it without a zone.
fn ago(seconds: i64) -> String {
    let now = SystemClock.now();
    let at = now - jiff::SignedDuration::from_secs(seconds);
    at.strftime("%F %T").to_string()
}

#[tokio::test]
async fn named_groups_become_facts() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("app.log");
    let lines: Vec<String> = [(300, 12), (200, 3_000), (100, 40)]
        .map(|(at, ms)| {
            format!(
                "{} INFO GET /api/v1/products took {ms} ms by user-{at}",
                ago(at)
            )
        })
        .into();
    fs::write(&path, lines.join("\n") + "\n").expect("a file");
    let args = [
        within(900),
        patterns(&[
            ("slow", r"GET (?P<path>\S+) took (?P<ms>\d+) ms"),
            ("never", "x{9}"),
        ]),
    ];
    let seen = search(file(&path), &args).await;
    println!("{}\n{:#?}", seen.evidence, seen.facts);
    assert_eq!(int(&seen, "slow_count"), 3);
    assert_eq!(text(&seen, "slow_ms"), "40");
    assert!((float(&seen, "slow_ms_max") - 3_000.0).abs() < 0.1);
    assert!((float(&seen, "slow_ms_avg") - 3_052.0 / 3.0).abs() < 0.1);
    assert_eq!(text(&seen, "slow_path_top"), "/api/v1/products");
    assert_eq!(
        (
            int(&seen, "slow_path_distinct"),
            int(&seen, "slow_path_top_count")
        ),
        (1, 3)
    );
    assert!((98..110).contains(&int(&seen, "slow_seconds_ago")));
    assert!((298..310).contains(&int(&seen, "slow_first_seconds_ago")));
    assert!(int(&seen, "never_count") == 0 && none(&seen, "never_last"));
    assert!(truth(&seen, "dated") && !truth(&seen, "stopped_early"));
}

#[tokio::test]
async fn the_window_has_a_beginning_and_an_end() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("app.log");
    let mut all = String::new();
    for at in [4_000, 600, 30] {
        writeln!(all, "{} ERROR number {at}\n  continued", ago(at)).expect("room");
    }
    fs::write(&path, all).expect("a file");
    let hit = patterns(&[("error", "ERROR"), ("more", "continued")]);
    let seen = search(file(&path), &[within(900), hit.clone()]).await;
    assert_eq!(
        (int(&seen, "error_count"), int(&seen, "more_count")),
        (2, 2)
    );
    let until = ("until", ArgValue::Duration(Duration::from_mins(5)));
    let seen = search(file(&path), &[within(900), until, hit.clone()]).await;
    assert_eq!(int(&seen, "error_count"), 1);
    assert_eq!(text(&seen, "more_last"), "  continued");
    let seen = search(file(&path), &[within(0), hit]).await;
    assert_eq!(int(&seen, "error_count"), 3);
}

#[tokio::test]
async fn a_log_of_ten_gigabytes_costs_what_its_tail_costs() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("huge.log");
    let mut log = File::create(&path).expect("a file");
    // Sparse: it takes no room, and reading it whole would take half a minute.
    log.seek(SeekFrom::Start(10 << 30)).expect("a place");
    let mut lines = String::from("\n");
    for n in 0..20_000 {
        let at = ago(20);
        let from = n % 250;
        writeln!(
            lines,
            "{at} request {n} served in {n} ms from 10.0.0.{from}"
        )
        .expect("room");
    }
    log.write_all(lines.as_bytes()).expect("room");
    let args = [
        within(900),
        ("lines", ArgValue::Int(100_000)),
        patterns(&[("served", "served in")]),
    ];
    let began = Instant::now();
    let seen = search(file(&path), &args).await;
    println!(
        "search of 10 GB: {:?}, {} bytes read",
        began.elapsed(),
        int(&seen, "bytes_read")
    );
    assert!(began.elapsed() < Duration::from_secs(4));
    assert!(int(&seen, "bytes_read") <= 4 << 20 && int(&seen, "size_bytes") > 10 << 30);
    assert!(truth(&seen, "stopped_early") && int(&seen, "served_count") > 10_000);

    let began = Instant::now();
    let seen = see(file(&path), "log.templates", &[within(900)])
        .await
        .expect("a sighting");
    println!("templates: {:?}\n{}", began.elapsed(), seen.evidence);
    assert_eq!(int(&seen, "top_count"), 5_000);
    assert!(text(&seen, "top_template").contains("request # served in # ms from #"));
}

#[tokio::test]
async fn templates_are_counted_and_errors_told() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("app.log");
    let mut all = String::new();
    for n in 0..60 {
        writeln!(all, "{} INFO order {n} paid", ago(50)).expect("room");
    }
    for n in 0..20 {
        let at = ago(40);
        writeln!(
            all,
            "{at} ERROR order {n}: connection to 10.0.0.{n}:3306 refused"
        )
        .expect("room");
    }
    fs::write(&path, all).expect("a file");
    let seen = see(file(&path), "log.templates", &[])
        .await
        .expect("a sighting");
    assert_eq!(int(&seen, "templates"), 2);
    assert_eq!(
        (int(&seen, "top_count"), int(&seen, "error_lines")),
        (60, 20)
    );
    assert!((float(&seen, "error_percent") - 25.0).abs() < 0.01);
    assert_eq!(int(&seen, "top_error_count"), 20);
    assert!(text(&seen, "top_error_last").ends_with("10.0.0.19:3306 refused"));
}

#[tokio::test]
async fn a_rotated_log_is_read_on_in_its_older_part() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("app.log");
    fs::write(
        dir.path().join("app.log.1"),
        format!("{} ERROR before\n", ago(120)),
    )
    .expect("a file");
    fs::write(&path, format!("{} ERROR after\n", ago(10))).expect("a file");
    let args = [within(900), patterns(&[("error", "ERROR")])];
    let seen = search(file(&path), &args).await;
    assert_eq!(int(&seen, "error_count"), 2);
    assert!(truth(&seen, "rotated"), "{}", seen.evidence);
    // What was emptied a moment ago has its past there, too.
    fs::write(&path, "").expect("a file");
    let seen = search(file(&path), &args).await;
    assert_eq!(int(&seen, "error_count"), 1);
}

#[tokio::test]
async fn rubbish_is_survived_and_said() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("rubbish.log");
    let mut data: Vec<u8> = (0..3_000_000_u32)
        .map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap_or(0))
        .collect();
    data.extend_from_slice(format!("\n{} ERROR at last\n", ago(5)).as_bytes());
    fs::write(&path, data).expect("a file");
    for probe in ["log.search", "log.templates"] {
        let seen = see(file(&path), probe, &[]).await.expect("a sighting");
        assert!(truth(&seen, "binary"));
        assert!(text(&seen, "last_line").ends_with("ERROR at last"));
    }
}

#[tokio::test]
async fn missing_forbidden_and_unfit_are_told_apart() {
    let dir = TempDir::new().expect("a directory");
    let gone = see(file(&dir.path().join("none.log")), "log.search", &[]).await;
    assert!(
        matches!(gone, Err(Blind::Unknown(Unseen::NoSuchPath { .. }))),
        "{gone:?}"
    );
    let folder = see(file(dir.path()), "log.search", &[]).await;
    assert!(
        matches!(folder, Err(Blind::Unknown(Unseen::NotReadable { .. }))),
        "{folder:?}"
    );
    let pipe = dir.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .is_ok_and(|done| done.success())
    );
    let began = Instant::now();
    let piped = see(file(&pipe), "log.search", &[]).await;
    assert!(
        matches!(piped, Err(Blind::Unknown(Unseen::NotReadable { .. }))),
        "{piped:?}"
    );
    assert!(began.elapsed() < LATEST, "a pipe must not be waited for");
    let empty = dir.path().join("empty.log");
    fs::write(&empty, "").expect("a file");
    let seen = search(file(&empty), &[]).await;
    assert!(int(&seen, "lines_read") == 0 && none(&seen, "last_line"));
    let nothing = Service::default();
    let mut targets = Targets::default();
    targets
        .service
        .insert("log".parse().expect("an id"), nothing);
    let none = see(targets, "log.search", &[]).await;
    assert!(matches!(none, Err(Blind::NotApplicable(_))), "{none:?}");
}

#[tokio::test]
async fn a_log_that_may_not_be_read_is_told_so() {
    let id = Command::new("id").arg("-u").output().expect("id");
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        not_run("permission denied on a log: needs root to become nobody");
        return;
    }
    let dir = TempDir::new().expect("a directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("a right");
    let path = dir.path().join("closed.log");
    fs::write(&path, "secret\n").expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a right");
    let copy = dir.path().join("test");
    program_from(&std::env::current_exe().expect("this binary"), &copy);
    let done = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&copy)
        .args(["--exact", "as_nobody", "--ignored", "--nocapture"])
        .env("HANDBELL_TEST_LOG", &path)
        .output()
        .expect("setpriv");
    assert!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}

#[tokio::test]
#[ignore = "run by a_log_that_may_not_be_read_is_told_so as another user"]
#[expect(
    clippy::disallowed_methods,
    reason = "how the other process is told the file"
)]
async fn as_nobody() {
    let path = std::env::var("HANDBELL_TEST_LOG").expect("the file");
    let closed = see(file(Path::new(&path)), "log.search", &[]).await;
    assert!(
        matches!(closed, Err(Blind::Unknown(Unseen::PermissionDenied { .. }))),
        "{closed:?}"
    );
}

#[tokio::test]
async fn files_and_output_of_a_container_are_read() {
    if !engine_is_there() {
        return;
    }
    let script = "mkdir -p /var/log/app; ln -s /dev/stdout /var/log/app/error.log; \
        seq -f '%08.0f some line of a long log that fills more than one block' 1 40000 > /var/log/app/big.log; \
        echo \"$(date -u '+%Y/%m/%d %H:%M:%S') [error] the newest\" >> /var/log/app/big.log; \
        echo 'printed ERROR'; sleep 600";
    let container = Container::run("logfile", &[], &["sh", "-c", script]);
    for _ in 0..100 {
        if docker(&["logs", &container.name]).is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let name = container.name.as_str();
    let args = [within(0), patterns(&[("error", r"(?i)\berror\b")])];
    let began = Instant::now();
    let seen = search(in_container(name, Some("/var/log/app/big.log")), &args).await;
    println!("{:?} {}", began.elapsed(), seen.evidence);
    assert_eq!(int(&seen, "error_count"), 1);
    assert!(text(&seen, "last_line").ends_with("the newest"));
    assert!(int(&seen, "last_line_seconds_ago") < 60);

    // A link to the container's own output is that output.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for target in [
        in_container(name, Some("/var/log/app/error.log")),
        in_container(name, None),
    ] {
        let seen = search(target, &args).await;
        assert_eq!(
            text(&seen, "error_last"),
            "printed ERROR",
            "{}",
            seen.evidence
        );
    }
    let gone = see(in_container(name, Some("/no/such")), "log.search", &[]).await;
    assert!(
        matches!(gone, Err(Blind::Unknown(Unseen::NoSuchPath { .. }))),
        "{gone:?}"
    );
    let folder = see(in_container(name, Some("/var/log")), "log.search", &[]).await;
    assert!(
        matches!(folder, Err(Blind::Unknown(Unseen::NotReadable { .. }))),
        "{folder:?}"
    );

    // It need not run to be read, as long as the file is small enough to be handed out whole.
    docker(&["stop", "-t", "0", name]);
    let seen = search(in_container(name, Some("/var/log/app/big.log")), &args).await;
    assert!(text(&seen, "last_line").ends_with("the newest"));
    let none = see(
        in_container("no-such-container", Some("/x")),
        "log.search",
        &[],
    )
    .await;
    assert!(
        matches!(
            none,
            Err(Blind::Unknown(
                Unseen::NoSuchPath { .. } | Unseen::NoSuchContainer { .. }
            ))
        ),
        "{none:?}"
    );
}
