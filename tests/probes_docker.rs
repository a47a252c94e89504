//! The probes of Docker, against a real engine.

#![expect(clippy::panic, reason = "a test may fail")]

mod probes_common;

use std::{process::Command, time::Duration};

use handbell::{
    app::Prober,
    config::Endpoint,
    domain::diagnosis::{Blind, ProbeSpec, TargetKind, Unseen, Value},
    probes::Probes,
};
use probes_common::{
    at,
    docker::{Container, IMAGE, SOCKET, docker, engine_is_there, eyes, targets},
    float, free_port, int, none, sight, text, truth, unseen,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn settle(eyes: &Probes, fact: &str, value: &str) -> handbell::domain::diagnosis::Sighting {
    for _ in 0..100 {
        let seen = sight(eyes, "docker.container", &[]).await;
        if seen.facts[fact].to_string() == value {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!(
        "{fact} never became {value}: {:#?}",
        sight(eyes, "docker.container", &[]).await.facts
    )
}

#[tokio::test]
async fn a_target_without_a_container_is_not_applicable() {
    let eyes = probes_common::eyes(at("127.0.0.1", 1));
    for probe in ["docker.container", "docker.log", "docker.engine"] {
        let seen = probes_common::see(&eyes, probe, &[]).await;
        assert!(
            matches!(&seen, Err(Blind::NotApplicable(why)) if why.en.contains("no container") && why.zh.contains("容器")),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn the_engine_tells_what_it_is() {
    if !engine_is_there() {
        return;
    }
    let seen = sight(&eyes("whatever"), "docker.engine", &[]).await;
    assert_eq!(text(&seen, "state"), "ok");
    assert!(!text(&seen, "version").is_empty() && int(&seen, "images") > 0);
    assert!(float(&seen, "latency_ms") > 0.0);
}

#[tokio::test]
async fn engines_out_of_reach_are_told_apart() {
    let dir = tempfile::TempDir::new().expect("a directory");
    let stale = dir.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).expect("a socket"));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent_at = silent.local_addr().expect("an address").to_string();
    let tcp = |address: String| Endpoint::Tcp { address, tls: None };
    for (endpoint, state, code) in [
        (
            Endpoint::Unix(dir.path().join("none.sock")),
            "socket-missing",
            "no-such-path",
        ),
        (Endpoint::Unix(stale), "refused", "refused"),
        (
            tcp(format!("127.0.0.1:{}", free_port())),
            "refused",
            "refused",
        ),
        (
            tcp("no-such-host.invalid:2375".to_owned()),
            "unresolved",
            "unresolved",
        ),
        (tcp(silent_at), "timed-out", "timed-out"),
    ] {
        let eyes = Probes::new(targets("any", at("127.0.0.1", 1), endpoint));
        let seen = sight(&eyes, "docker.engine", &[]).await;
        assert_eq!(text(&seen, "state"), state, "{}", seen.evidence);
        for probe in ["docker.container", "docker.log"] {
            assert_eq!(unseen(&eyes, probe).await.code(), code);
        }
    }
}

#[tokio::test]
async fn a_peer_that_is_no_engine_is_the_wrong_protocol() {
    let redis = probes_common::Redis::start(&[]);
    let endpoint = Endpoint::Tcp {
        address: format!("127.0.0.1:{}", redis.port),
        tls: None,
    };
    let eyes = Probes::new(targets("any", at("127.0.0.1", 1), endpoint));
    let seen = sight(&eyes, "docker.engine", &[]).await;
    // Redis takes a GET for a command, and closes at the header Host as a safeguard.
    assert!(
        ["wrong-protocol", "reset"].contains(&text(&seen, "state")),
        "{}",
        seen.evidence
    );
}

#[tokio::test]
async fn an_engine_without_end_is_cut_off() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4_096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while stream.write_all(&vec![b'x'; 65_536]).is_ok() {}
            });
        }
    });
    let eyes = Probes::new(targets(
        "any",
        at("127.0.0.1", 1),
        Endpoint::Tcp { address, tls: None },
    ));
    let began = std::time::Instant::now();
    let seen = sight(&eyes, "docker.engine", &[]).await;
    assert_ne!(text(&seen, "state"), "ok");
    println!("{} after {:?}", seen.evidence, began.elapsed());
    let log = sight(&eyes, "docker.log", &[]).await;
    assert!(truth(&log, "truncated"));
}

#[tokio::test]
async fn a_missing_container_is_seen() {
    if !engine_is_there() {
        return;
    }
    let eyes = eyes("handbell-no-such-container");
    assert_eq!(
        text(&sight(&eyes, "docker.container", &[]).await, "state"),
        "missing"
    );
    let reason = unseen(&eyes, "docker.log").await;
    assert!(
        matches!(reason, Unseen::NoSuchContainer { name } if name == "handbell-no-such-container")
    );
}

#[tokio::test]
async fn a_running_container_tells_what_it_is_and_uses() {
    if !engine_is_there() {
        return;
    }
    let port = free_port();
    let publish = format!("127.0.0.1:{port}:6379");
    let container = Container::run(
        "running",
        &[
            "--memory",
            "64m",
            "--restart",
            "unless-stopped",
            "-p",
            &publish,
            "-v",
            "/data",
        ],
        &["redis-server"],
    );
    let eyes = Probes::new(targets(
        &container.name,
        at("127.0.0.1", port),
        Endpoint::Unix(SOCKET.into()),
    ));
    let seen = sight(&eyes, "docker.container", &[]).await;
    println!("{}\n{:#?}", seen.evidence, seen.facts);
    assert_eq!(text(&seen, "state"), "running");
    assert_eq!(text(&seen, "image"), IMAGE);
    assert_eq!(text(&seen, "restart_policy"), "unless-stopped");
    assert_eq!(int(&seen, "memory_limit_bytes"), 64 << 20);
    assert!(int(&seen, "memory_used_bytes") > 0 && float(&seen, "memory_percent") < 100.0);
    assert!(int(&seen, "processes") >= 1 && int(&seen, "processes_stopped") == 0);
    assert_eq!(seen.facts["port_published"], Value::Bool(true));
    assert!(text(&seen, "container_id").len() == 12 && !truth(&seen, "restart_looping"));
    assert!(!truth(&seen, "oom_killed") && none(&seen, "exit_code"));
    assert!(
        seen.facts["mounts"].to_string().contains("/data"),
        "{:?}",
        seen.facts["mounts"]
    );

    let elsewhere = Probes::new(targets(
        &container.name,
        at("127.0.0.1", 1),
        Endpoint::Unix(SOCKET.into()),
    ));
    let seen = sight(&elsewhere, "docker.container", &[]).await;
    assert_eq!(seen.facts["port_published"], Value::Bool(false));

    docker(&["pause", &container.name]);
    assert_eq!(
        text(&sight(&eyes, "docker.container", &[]).await, "state"),
        "paused"
    );
    docker(&["unpause", &container.name]);

    docker(&["kill", "--signal", "STOP", &container.name]);
    // A signal takes its moment, and the kernel shows the new state in its own time.
    let seen = settle(&eyes, "processes_stopped", "1").await;
    assert_eq!(text(&seen, "state"), "running");
    docker(&["kill", "--signal", "CONT", &container.name]);

    docker(&["stop", "-t", "5", &container.name]);
    let seen = settle(&eyes, "state", "exited").await;
    assert_eq!(int(&seen, "exit_code"), 0);
    assert_eq!(seen.facts["stopped_by_hand"], Value::Bool(true));
    assert!(int(&seen, "finished_seconds_ago") < 30 && none(&seen, "uptime_seconds"));
}

/// Serves the same engine through `listener`: what it says of its container is then told by itself
/// alone, while through its socket the kernel is read where that can be.
async fn engine_behind(listener: tokio::net::TcpListener) {
    while let Ok((mut outer, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut inner = tokio::net::UnixStream::connect(SOCKET).await?;
            tokio::io::copy_bidirectional(&mut outer, &mut inner).await
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kernel_and_the_engine_tell_the_same() {
    if !engine_is_there() {
        return;
    }
    let command = ["sh", "-c", "sleep 60 & sleep 60 & wait"];
    let container = Container::run("same", &["--memory", "64m"], &command);
    let server = at("127.0.0.1", 1);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(engine_behind(listener));
    let afar = Endpoint::Tcp { address, tls: None };
    let here = Endpoint::Unix(SOCKET.into());
    let through = |endpoint| Probes::new(targets(&container.name, server.clone(), endpoint));
    let (here, afar) = (through(here), through(afar));
    // Its shell has started both.
    settle(&here, "processes", "3").await;
    let stop = |signal: &str| docker(&["kill", "--signal", signal, &container.name]);
    for (signal, stopped) in [("CONT", 0), ("STOP", 1), ("CONT", 0)] {
        stop(signal);
        // A process that is at work in the kernel stops when it comes back from there.
        let (by_kernel, by_engine) = (
            settle(&here, "processes_stopped", &stopped.to_string()).await,
            sight(&afar, "docker.container", &[]).await,
        );
        for fact in ["processes", "processes_stopped", "processes_blocked"] {
            assert_eq!(by_kernel.facts[fact], by_engine.facts[fact], "{fact}");
        }
        assert_eq!(int(&by_kernel, "processes_stopped"), stopped);
        assert_eq!(int(&by_kernel, "processes"), 3);
        assert_eq!(int(&by_kernel, "pids"), 3);
        // The engine's sample is up to a second old, and without one resident memory serves, in
        // which shared pages count for each process.
        let used = |seen| int(seen, "memory_used_bytes");
        assert!(used(&by_kernel) > 0 && used(&by_kernel) < 64 << 20);
        println!("{} and {}", used(&by_kernel), used(&by_engine));
    }
    // Started again it has another first process under the same id.
    docker(&["restart", "-t", "0", &container.name]);
    let seen = settle(&here, "processes", "3").await;
    assert_eq!(text(&seen, "state"), "running");
}

/// Serves the same engine at `door`, and never answers who asks it to inspect a container.
async fn engine_that_inspects_nothing(door: tokio::net::UnixListener) {
    while let Ok((outer, _)) = door.accept().await {
        tokio::spawn(async move {
            let inner = tokio::net::UnixStream::connect(SOCKET).await?;
            let (mut asked, mut answers) = outer.into_split();
            let (mut answered, mut asks) = inner.into_split();
            let asking = async {
                let mut heads = [0; 16 * 1024];
                loop {
                    let length = asked.read(&mut heads).await?;
                    let head = String::from_utf8_lossy(&heads[..length]);
                    // The list is /containers/json, and an inspection /containers/NAME/json.
                    let path = head.split(' ').nth(1).unwrap_or_default();
                    let path = path.split('?').next().unwrap_or_default();
                    if length == 0 || path.matches('/').count() > 2 && path.ends_with("/json") {
                        return std::future::pending::<std::io::Result<u64>>().await;
                    }
                    asks.write_all(&heads[..length]).await?;
                }
            };
            tokio::select! {
                end = asking => end,
                end = tokio::io::copy(&mut answered, &mut answers) => end,
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_not_inspected_in_time_tells_what_is_plain() {
    if !engine_is_there() {
        return;
    }
    let dir = tempfile::TempDir::new().expect("a directory");
    let socket = dir.path().join("docker.sock");
    let door = tokio::net::UnixListener::bind(&socket).expect("a socket");
    tokio::spawn(engine_that_inspects_nothing(door));
    let through = |name: &str| {
        let endpoint = Endpoint::Unix(socket.clone());
        Probes::new(targets(name, at("127.0.0.1", 1), endpoint))
    };
    let busy = ["sh", "-c", "while :; do :; done"];

    let held = Container::run("held", &["--cpus", "0.05"], &busy);
    let seen = sight(&through(&held.name), "docker.container", &[]).await;
    assert_eq!(text(&seen, "state"), "running", "{seen:?}");
    assert!(float(&seen, "cpu_throttled_percent") >= 50.0, "{seen:?}");
    assert_eq!(text(&seen, "image"), IMAGE);
    assert!(
        seen.evidence.contains("did not inspect it within"),
        "{}",
        seen.evidence
    );

    let paused = Container::run("not-inspected", &[], &["sleep", "60"]);
    let eyes = through(&paused.name);
    // Nothing is plainly wrong with it, and what else may be is not known.
    let seen = probes_common::see(&eyes, "docker.container", &[]).await;
    assert!(
        matches!(&seen, Err(Blind::Unknown(Unseen::TimedOut { .. }))),
        "{seen:?}"
    );
    docker(&["pause", &paused.name]);
    let seen = sight(&eyes, "docker.container", &[]).await;
    docker(&["unpause", &paused.name]);
    assert_eq!(text(&seen, "state"), "paused", "{seen:?}");

    // One that there isn't, no list has.
    let seen = probes_common::see(&through("handbell-nobody"), "docker.container", &[]).await;
    assert!(
        matches!(&seen, Err(Blind::Unknown(Unseen::TimedOut { .. }))),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_kill_is_not_taken_for_want_of_memory() {
    if !engine_is_there() {
        return;
    }
    let container = Container::run("killed", &[], &["redis-server"]);
    docker(&["kill", &container.name]);
    let seen = settle(&eyes(&container.name), "state", "exited").await;
    assert_eq!(int(&seen, "exit_code"), 137);
    assert_eq!(text(&seen, "exit_signal"), "SIGKILL");
    assert!(!truth(&seen, "oom_killed"));
    assert_eq!(seen.facts["stopped_by_hand"], Value::Bool(true));
}

#[tokio::test]
async fn want_of_memory_is_seen() {
    if !engine_is_there() {
        return;
    }
    let container = Container::run(
        "oom",
        &["--memory", "16m", "--memory-swap", "16m"],
        &[
            "sh",
            "-c",
            "exec redis-server --save '' --enable-debug-command yes & sleep 1; redis-cli debug populate 1000000 key 1000; wait",
        ],
    );
    let eyes = eyes(&container.name);
    let mut seen = sight(&eyes, "docker.container", &[]).await;
    for _ in 0..100 {
        if truth(&seen, "oom_killed") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        seen = sight(&eyes, "docker.container", &[]).await;
    }
    assert!(
        truth(&seen, "oom_killed"),
        "{}\n{:#?}",
        seen.evidence,
        seen.facts
    );
}

#[tokio::test]
async fn want_of_memory_in_a_restart_loop_is_seen_at_every_moment() {
    if !engine_is_there() {
        return;
    }
    let container = Container::run(
        "oomloop",
        &[
            "--memory",
            "12m",
            "--memory-swap",
            "12m",
            "--restart",
            "always",
        ],
        &["sh", "-c", "sleep 0.3; exec tail /dev/zero"],
    );
    let eyes = eyes(&container.name);
    settle(&eyes, "oom_killed", "true").await;
    settle(&eyes, "restart_looping", "true").await;
    for _ in 0..10 {
        let seen = sight(&eyes, "docker.container", &[]).await;
        assert!(truth(&seen, "oom_killed"), "{:#?}", seen.facts);
        tokio::time::sleep(Duration::from_millis(170)).await;
    }
}

#[tokio::test]
async fn a_restart_loop_is_seen_whatever_it_does_at_the_moment() {
    if !engine_is_there() {
        return;
    }
    let container = Container::run(
        "loop",
        &["--restart", "always"],
        &["sh", "-c", "echo fails; sleep 0.3; exit 3"],
    );
    let eyes = eyes(&container.name);
    settle(&eyes, "restart_looping", "true").await;
    for _ in 0..12 {
        let seen = sight(&eyes, "docker.container", &[]).await;
        assert!(truth(&seen, "restart_looping"), "{:#?}", seen.facts);
        assert_eq!(seen.facts["exit_code"], Value::Int(3), "{:#?}", seen.facts);
        assert_eq!(text(&seen, "last_words"), "fails");
        tokio::time::sleep(Duration::from_millis(130)).await;
    }
}

#[tokio::test]
async fn a_container_that_could_not_start_says_why() {
    if !engine_is_there() {
        return;
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let publish = format!(
        "127.0.0.1:{}:6379",
        taken.local_addr().expect("an address").port()
    );
    let container = Container::make("create", "created", &["-p", &publish], &["redis-server"]);
    let seen = sight(&eyes(&container.name), "docker.container", &[]).await;
    assert_eq!(text(&seen, "state"), "created");
    assert!(none(&seen, "started_seconds_ago") && none(&seen, "exit_code"));
    let _ = Command::new("docker")
        .args(["start", &container.name])
        .output();
    let seen = sight(&eyes(&container.name), "docker.container", &[]).await;
    assert!(
        text(&seen, "error").contains("address already in use"),
        "{:#?}",
        seen.facts
    );
}

#[tokio::test]
async fn health_checks_are_told_with_their_output() {
    if !engine_is_there() {
        return;
    }
    let container = Container::run(
        "health",
        &[
            "--health-cmd",
            "echo out of sorts; exit 1",
            "--health-interval",
            "300ms",
            "--health-retries",
            "2",
        ],
        &["redis-server"],
    );
    let seen = settle(&eyes(&container.name), "health", "unhealthy").await;
    assert_eq!(text(&seen, "health_output"), "out of sorts");
    assert!(int(&seen, "health_failing_streak") >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_looks_at_once_are_quick_and_each_tells_all_that_it_declares() {
    if !engine_is_there() {
        return;
    }
    let port = free_port();
    let publish = format!("127.0.0.1:{port}:6379");
    let command = ["redis-server", "--protected-mode", "no", "--save", ""];
    let container = Container::run("all", &["-p", &publish], &command);
    let endpoint = Endpoint::Unix(SOCKET.into());
    let server = at("127.0.0.1", port);
    tokio::time::sleep(Duration::from_millis(500)).await;
    for temperature in ["cold", "warm"] {
        let eyes = Probes::new(targets(&container.name, server.clone(), endpoint.clone()));
        if temperature == "warm" {
            sight(&eyes, "docker.engine", &[]).await;
            sight(&eyes, "redis.info", &[]).await;
        }
        let began = std::time::Instant::now();
        let of_redis = |spec: &&'static ProbeSpec| spec.targets.contains(&TargetKind::Redis);
        let looks = eyes.catalog().iter().filter(of_redis).map(|spec| async {
            let began = std::time::Instant::now();
            sight(&eyes, spec.name, &[]).await;
            (spec.name, began.elapsed())
        });
        let times = futures_util::future::join_all(looks).await;
        println!("{temperature}: {:?} {times:?}", began.elapsed());
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
