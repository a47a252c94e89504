//! Machines over SSH and Docker engines over TCP that refuse, hang, lie, stop halfway or drip: no
//! number of theirs is told, each is named for what it is, and none costs more than its time.

#![expect(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod probes_common;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use handbell::{
    app::Look,
    config::{Endpoint, Host, HostEndpoint, Targets},
    domain::{
        diagnosis::{Blind, Sighting},
        handbook::ArgValue,
    },
    probes::Probes,
};
use probes_common::{
    at,
    docker::targets,
    free_port, int,
    peers::{answer, head, http, peer},
    see_within, text,
};
use tempfile::TempDir;

/// The time that each look has, and how much more a slow machine may take to say so.
const DEADLINE: Duration = Duration::from_millis(1_500);
const SLACK: Duration = Duration::from_millis(1_500);

fn look(probe: &str, target: &str, args: &[(&str, ArgValue)]) -> Look {
    Look {
        probe: probe.to_owned(),
        target: target.parse().expect("an id"),
        args: args
            .iter()
            .map(|(n, v)| ((*n).to_owned(), v.clone()))
            .collect(),
        deadline: DEADLINE,
    }
}

async fn seen(eyes: &Probes, look: &Look) -> Result<Sighting, Blind> {
    let began = Instant::now();
    let seen = see_within(eyes, look).await;
    let took = began.elapsed();
    assert!(took < DEADLINE + SLACK, "{} took {took:?}", look.probe);
    seen
}

/// Looks at a machine whose ssh client is `script`; the code of the reason not to have seen it.
async fn machine(probe: &str, script: &str) -> &'static str {
    let dir = TempDir::new().expect("a directory");
    let program = dir.path().join("ssh");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a right");
    let mut all = Targets::default();
    let endpoint = HostEndpoint::Ssh("ssh://far".to_owned());
    all.host
        .insert("server".parse().expect("an id"), Host { endpoint });
    let eyes = Probes::with_ssh(all, &program);
    let unit = [("unit", ArgValue::Text("docker.service".to_owned()))];
    let args = if probe == "host.service" {
        &unit[..]
    } else {
        &[]
    };
    match seen(&eyes, &look(probe, "server", args)).await {
        Err(Blind::Unknown(why)) => why.code(),
        other => panic!("{probe} believed {script:?}: {other:?}"),
    }
}

const MACHINE_PROBES: [&str; 5] = [
    "host.resources",
    "host.processes",
    "host.filesystems",
    "host.journal",
    "host.service",
];

#[tokio::test]
async fn a_banner_is_no_answer_of_a_machine() {
    for probe in MACHINE_PROBES {
        let banner = "echo 'RouterOS 7.1 (c) MikroTik'; echo; echo 'bad command name'";
        assert_eq!(machine(probe, banner).await, "wrong-protocol", "{probe}");
    }
    // Nothing at all, whatever is asked.
    for probe in &MACHINE_PROBES[..4] {
        assert_eq!(machine(probe, "exit 0").await, "wrong-protocol", "{probe}");
        assert_eq!(machine(probe, "exit 1").await, "wrong-protocol", "{probe}");
    }
    // What it complains of is told in its own words.
    for probe in &MACHINE_PROBES[1..4] {
        let complaint = "echo 'no resources' >&2; exit 1";
        assert_eq!(machine(probe, complaint).await, "server-said", "{probe}");
    }
}

#[tokio::test]
async fn half_an_answer_is_no_answer_of_a_machine() {
    let halves = [
        (
            "host.resources",
            r"printf '==> /proc/uptime <==\n5.0 1\n\n==> /proc/loadavg <==\n1 1 1 1/1 1\n\n==> /proc/stat <==\ncpu 1 1 1 1\n'",
        ),
        (
            "host.resources",
            r"printf '==> /proc/uptime <==\n5.0 1\n\n==> /proc/loadavg <==\n1 1 1 1/1 1\n\n==> /proc/stat <==\ncpu 1 1 1 1\n\n==> /proc/meminfo <==\nMemTotal: 100 kB\nMemFree: 9 kB\n'",
        ),
        (
            "host.processes",
            r"printf '  PID STAT %%CPU   RSS COMMAND\n    1 Ss    0.0  9000 /sbin/init\n'",
        ),
        (
            "host.processes",
            r"printf '  PID STAT %%CPU   RSS COMMAND\n    1 Ss    0.0  9000 /sbin/init\n    2 S'",
        ),
        (
            "host.filesystems",
            r"printf 'Filesystem Type 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 ext4 100 10 90 10%% /\n/dev/sdb1 ext4 100 9'",
        ),
        (
            "host.filesystems",
            r"printf 'Filesystem Type 1024-blocks Used Available Capacity Mounted on\n'",
        ),
        (
            "host.journal",
            r#"printf '{"MESSAGE":"a","PRIORITY":"3"}\n{"MESSAGE":"b","PRI'"#,
        ),
        (
            "host.journal",
            r#"printf '{"MESSAGE":"a","PRIORITY":"3"}\n'; exit 1"#,
        ),
        ("host.service", r"printf 'LoadState=loaded\nActiveSt'"),
        (
            "host.service",
            r"printf 'LoadState=loaded\nActiveState=active\n'",
        ),
    ];
    for (probe, script) in halves {
        assert_eq!(machine(probe, script).await, "wrong-protocol", "{script}");
    }
}

#[tokio::test]
async fn a_machine_that_stops_in_its_answer_is_a_timeout() {
    for (probe, first) in [
        ("host.resources", "==> /proc/uptime <=="),
        ("host.processes", "  PID STAT %%CPU   RSS COMMAND"),
        (
            "host.filesystems",
            "Filesystem Type 1024-blocks Used Available Capacity Mounted on",
        ),
        ("host.journal", r#"{"MESSAGE":"a","PRIORITY":"3"}"#),
        ("host.service", "LoadState=loaded"),
    ] {
        let script = format!(r"printf '{first}\n'; exec sleep 60");
        assert_eq!(machine(probe, &script).await, "timed-out", "{probe}");
    }
}

#[tokio::test]
async fn a_login_that_runs_nothing_is_not_reachable() {
    let dir = TempDir::new().expect("a directory");
    let program = dir.path().join("ssh");
    let script = "#!/bin/sh\necho 'This account is currently not available.'\nexit 1\n";
    fs::write(&program, script).expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a right");
    let mut all = Targets::default();
    let endpoint = HostEndpoint::Ssh("ssh://far".to_owned());
    all.host
        .insert("server".parse().expect("an id"), Host { endpoint });
    let eyes = Probes::with_ssh(all, &program);
    let found = seen(&eyes, &look("host.reachable", "server", &[]))
        .await
        .expect("a sighting");
    assert_eq!(text(&found, "state"), "ssh");
    assert!(text(&found, "detail").contains("not available"));
}

/// The code with which each probe of Docker names the engine on `port`, or `seen`.
async fn engine(port: u16) -> Vec<(&'static str, String)> {
    let endpoint = Endpoint::Tcp {
        address: format!("127.0.0.1:{port}"),
        tls: None,
    };
    let eyes = Probes::new(targets("mall_backend_1", at("127.0.0.1", 1), endpoint));
    let mut codes = Vec::new();
    for (probe, target) in [
        ("docker.engine", "engine"),
        ("docker.containers", "engine"),
        ("docker.df", "engine"),
        ("docker.events", "engine"),
        ("docker.logs", "engine"),
        ("docker.log", "cache"),
        ("docker.container", "cache"),
    ] {
        let code = match seen(&eyes, &look(probe, target, &[])).await {
            Ok(found) if probe == "docker.engine" => text(&found, "state").to_owned(),
            Ok(found) => format!("seen: {:?}", found.facts),
            Err(Blind::Unknown(why)) => why.code().to_owned(),
            Err(other) => format!("{other:?}"),
        };
        codes.push((probe, code));
    }
    codes
}

fn all_are(codes: &[(&str, String)], code: &str, what: &str) {
    for (probe, found) in codes {
        assert_eq!(found, code, "{probe} of an engine that {what}");
    }
}

/// Answers a request with `start` at once and with what follows byte by byte, for ever.
fn drips(mut stream: TcpStream, start: &[u8]) {
    head(&mut stream);
    let _ = stream.write_all(start);
    for byte in b"[{\"Id\": \"".iter().chain([b' '].iter().cycle()) {
        if stream.write_all(&[*byte]).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_fails_is_named_by_every_probe() {
    all_are(&engine(free_port()).await, "refused", "refuses");
    let hung = peer(|mut stream| {
        let _ = stream.read(&mut [0; 1_024]);
        std::thread::sleep(Duration::from_secs(30));
    });
    all_are(&engine(hung).await, "timed-out", "hangs");
    let silent_after_head = peer(|stream| drips(stream, b"HTTP/1.1 200 "));
    all_are(
        &engine(silent_after_head).await,
        "timed-out",
        "drips its head",
    );
    let dripping =
        peer(|stream| drips(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"));
    all_are(&engine(dripping).await, "timed-out", "drips");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_lies_is_named_by_every_probe() {
    let garbage = peer(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"\x00\x15\xff no HTTP at all\r\n\r\n");
    });
    all_are(&engine(garbage).await, "wrong-protocol", "speaks no HTTP");
    for body in ["{}", "[]", "null", "<html>It works!</html>", "[{}]"] {
        let lying = http(move |_| answer("200 OK", "", body));
        let codes = engine(lying).await;
        for (probe, code) in codes {
            // An engine without a container says `[]`.
            let empty = body == "[]" && ["docker.containers", "docker.logs"].contains(&probe);
            let expected = if empty { "seen" } else { "wrong-protocol" };
            assert!(code.starts_with(expected), "{probe} of {body}: {code}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_adds_up_for_somebody_else_is_asked_again() {
    let asked = AtomicUsize::new(0);
    let busy = r#"{"message":"a disk usage operation is already running"}"#;
    let port = http(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0..=2 => answer("500 Internal Server Error", "", busy),
        _ => answer(
            "200 OK",
            "",
            r#"{"LayersSize":4096,"Images":[],"Containers":[],"Volumes":[]}"#,
        ),
    });
    let endpoint = Endpoint::Tcp {
        address: format!("127.0.0.1:{port}"),
        tls: None,
    };
    let eyes = Probes::new(targets("any", at("127.0.0.1", 1), endpoint));
    let found = seen(&eyes, &look("docker.df", "engine", &[])).await;
    let found = found.expect("a sighting");
    assert_eq!(int(&found, "images_bytes"), 4_096, "{found:?}");

    // One that never ends is told for what it is.
    let port = http(move |_| answer("500 Internal Server Error", "", busy));
    let endpoint = Endpoint::Tcp {
        address: format!("127.0.0.1:{port}"),
        tls: None,
    };
    let eyes = Probes::new(targets("any", at("127.0.0.1", 1), endpoint));
    let found = seen(&eyes, &look("docker.df", "engine", &[])).await;
    assert!(
        matches!(&found, Err(Blind::Unknown(why)) if why.code() == "timed-out"),
        "{found:?}"
    );
}
