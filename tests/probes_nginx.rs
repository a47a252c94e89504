//! The probes of Nginx, against a real one.

#![expect(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod probes_common;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use handbell::{
    app::Look,
    config::{Nginx, Targets, UrlTarget},
    domain::diagnosis::{Blind, Sighting, Unseen},
    probes::Probes,
};
use probes_common::{
    free_port, int, none, not_run,
    peers::{answer, http, https},
    see_within, text,
    tls::{Authority, Wish},
    truth,
};
use tempfile::TempDir;

const PROGRAM: &str = "/usr/sbin/nginx";

/// A real Nginx in a directory of its own; it ends with its value.
struct Server {
    dir: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// One with this inside of `http { … }`; not started.
    fn new(http: &str) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            not_run("the probes of Nginx: there is no /usr/sbin/nginx (lab/install.sh processes)");
            return None;
        }
        let server = Self {
            dir: TempDir::new().expect("a directory"),
            port: free_port(),
            child: None,
        };
        server.write(http);
        Some(server)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, http: &str) {
        let at = |name: &str| self.at(name).display().to_string();
        let text = format!(
            "daemon off;\nworker_processes 1;\npid {};\nerror_log {} warn;\nevents {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path {t};\nproxy_temp_path {t};\nfastcgi_temp_path {t};\nuwsgi_temp_path {t};\nscgi_temp_path {t};\n{http}\nserver {{ listen 127.0.0.1:{}; location / {{ proxy_pass http://shop; proxy_connect_timeout 1s; proxy_read_timeout 1s; }} }}\n}}\n",
            at("nginx.pid"),
            at("error.log"),
            self.port,
            t = at("temp"),
        );
        fs::write(self.at("nginx.conf"), text).expect("a file");
    }

    fn start(&mut self) {
        let child = Command::new(PROGRAM)
            .arg("-c")
            .arg(self.at("nginx.conf"))
            .arg("-e")
            .arg(self.at("error.log"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("nginx"));
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("nginx does not listen");
    }

    /// The status that a visitor gets.
    fn visit(&self) -> String {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).expect("nginx");
        stream
            .write_all(b"GET / HTTP/1.0\r\n\r\n")
            .expect("a request");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer.split(' ').nth(1).unwrap_or("none").to_owned()
    }

    fn targets(&self) -> Targets {
        let mut targets = Targets::default();
        let nginx = Nginx {
            container: None,
            config: self.at("nginx.conf"),
            error_log: self.at("error.log"),
            program: PROGRAM.into(),
            unit: None,
        };
        targets.nginx.insert("web".parse().expect("an id"), nginx);
        targets
    }

    async fn see(&self, probe: &str) -> Result<Sighting, Blind> {
        see(self.targets(), probe).await
    }

    async fn sight(&self, probe: &str) -> Sighting {
        self.see(probe).await.expect("a sighting")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // In good order, so that its workers end with it.
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}

async fn see(targets: Targets, probe: &str) -> Result<Sighting, Blind> {
    let look = Look {
        probe: probe.to_owned(),
        target: "web".parse().expect("an id"),
        args: handbell::domain::handbook::Args::new(),
        deadline: Duration::from_secs(5),
    };
    see_within(&Probes::new(targets), &look).await
}

fn upstream(port: u16) -> String {
    format!("upstream shop {{ server 127.0.0.1:{port}; }}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusing_upstream_is_named_with_its_place_and_what_listens_instead() {
    let port = free_port();
    let Some(mut server) = Server::new(&upstream(port)) else {
        return;
    };
    server.start();
    assert_eq!(server.visit(), "502");
    let seen = server.sight("nginx.upstreams").await;
    println!("{}\n{:#?}", seen.evidence, seen.facts);
    assert_eq!(int(&seen, "dead_groups"), 1);
    assert_eq!(text(&seen, "first_bad"), format!("127.0.0.1:{port}"));
    assert_eq!(
        (text(&seen, "reason"), text(&seen, "group")),
        ("refused", "shop")
    );
    assert!(text(&seen, "file").ends_with("nginx.conf") && int(&seen, "line") > 6);
    assert!(!truth(&seen, "listens_elsewhere"));

    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut targets = server.targets();
    let at = other.local_addr().expect("an address").port();
    let url = UrlTarget {
        url: format!("http://127.0.0.1:{at}/health"),
        connect: None,
        tls: None,
        resolvers: Vec::new(),
        addresses: Vec::new(),
    };
    targets
        .url
        .insert("backend-health".parse().expect("an id"), url);
    let seen = see(targets, "nginx.upstreams").await.expect("a sighting");
    assert!(
        text(&seen, "listening").contains(&at.to_string()),
        "{}",
        seen.evidence
    );

    let seen = server.sight("nginx.errorlog").await;
    assert_eq!(text(&seen, "top_kind"), "refused", "{}", seen.evidence);
    assert_eq!(text(&seen, "top_upstream"), format!("127.0.0.1:{port}"));
    assert!(int(&seen, "last_upstream_error_seconds_ago") < 30);
    let seen = server.sight("nginx.status").await;
    assert_eq!(
        (text(&seen, "state"), int(&seen, "workers")),
        ("running", 1),
        "{}",
        seen.evidence
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_whose_servers_are_all_marked_down_is_a_dead_group() {
    let http = "upstream shop { server 127.0.0.1:1 down; server 127.0.0.1:2 down; }";
    let Some(server) = Server::new(http) else {
        return;
    };
    let seen = server.sight("nginx.upstreams").await;
    assert_eq!(text(&seen, "reason"), "marked-down", "{}", seen.evidence);
    assert_eq!(text(&seen, "group"), "shop");
    assert_eq!((int(&seen, "bad"), int(&seen, "dead_groups")), (1, 1));
    assert_eq!((int(&seen, "upstreams"), int(&seen, "not_tried")), (1, 0));
    let places = seen.facts["places"].to_string();
    assert!(places.contains("127.0.0.1:2 (shop)"), "{places}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_speaks_no_http_is_named() {
    let redis = probes_common::Redis::start(&[]);
    let dir = TempDir::new().expect("a directory");
    let paper = Authority::new(dir.path(), "An authority").issue("leaf", &Wish::default());
    let secure = https(&paper, |_| answer("200 OK", "", "fine"));
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent_port = silent.local_addr().expect("an address").port();
    for (port, reason, word) in [
        (redis.port, "wrong-protocol", "ERR"),
        (secure, "wrong-protocol", "TLS"),
        (http(|_| answer("400 Bad Request", "", "no")), "none", ""),
        (http(|_| answer("200 OK", "", "fine")), "none", ""),
        (silent_port, "none", ""),
    ] {
        let Some(server) = Server::new(&upstream(port)) else {
            return;
        };
        let began = Instant::now();
        let seen = server.sight("nginx.upstreams").await;
        assert_eq!(text(&seen, "reason"), reason, "{}", seen.evidence);
        assert!(seen.evidence.contains(word), "{}", seen.evidence);
        let dead = i64::from(reason != "none");
        assert_eq!(int(&seen, "dead_groups"), dead);
        assert!(began.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_lying_and_closing_upstreams_are_told_apart_in_the_log() {
    let hung = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = hung.local_addr().expect("an address").port();
    let Some(mut server) = Server::new(&upstream(port)) else {
        return;
    };
    server.start();
    assert_eq!(server.visit(), "504");
    let seen = server.sight("nginx.errorlog").await;
    assert_eq!(int(&seen, "read_timeout_count"), 1, "{}", seen.evidence);
    // It takes connections, so at this level it is there.
    assert_eq!(int(&server.sight("nginx.upstreams").await, "bad"), 0);

    std::thread::spawn(move || {
        for stream in hung.incoming().flatten() {
            drop(stream);
        }
    });
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(server.visit(), "502");
    let seen = server.sight("nginx.errorlog").await;
    assert!(int(&seen, "closed_count") >= 1, "{}", seen.evidence);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_configuration_is_named_while_nginx_serves_on() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let good = upstream(listener.local_addr().expect("an address").port());
    let Some(mut server) = Server::new(&good) else {
        return;
    };
    server.start();
    let seen = server.sight("nginx.config").await;
    assert_eq!(text(&seen, "state"), "ok", "{}", seen.evidence);
    assert_eq!(int(&server.sight("nginx.upstreams").await, "reachable"), 1);

    server.write(&format!("{good}\nkeepalive_timout 5;"));
    let seen = server.sight("nginx.config").await;
    assert_eq!(
        (text(&seen, "state"), text(&seen, "kind")),
        ("invalid", "syntax")
    );
    assert!(
        text(&seen, "message").contains("keepalive_timout") && int(&seen, "line") == 14,
        "{}",
        seen.evidence
    );

    server.write("upstream shop { server no-such-host.invalid:80; }");
    let seen = server.sight("nginx.config").await;
    assert_eq!(text(&seen, "kind"), "host-not-found", "{}", seen.evidence);
    assert_eq!(text(&seen, "host"), "no-such-host.invalid:80");
    let seen = server.sight("nginx.upstreams").await;
    assert_eq!(text(&seen, "reason"), "unresolved", "{}", seen.evidence);

    server.write(&format!("{good}\ninclude none.conf;"));
    assert_eq!(
        text(&server.sight("nginx.config").await, "kind"),
        "file-missing"
    );
    let seen = server.sight("nginx.upstreams").await;
    assert!(
        seen.facts["include_missing"]
            .to_string()
            .contains("none.conf")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_so() {
    let Some(server) = Server::new("upstream shop { server 127.0.0.1:9; }") else {
        return;
    };
    assert_eq!(
        text(&server.sight("nginx.status").await, "state"),
        "stopped"
    );
    let log = server.see("nginx.errorlog").await;
    assert!(
        matches!(log, Err(Blind::Unknown(Unseen::NoSuchPath { .. }))),
        "{log:?}"
    );
    let mut targets = server.targets();
    if let Some(nginx) = targets.nginx.get_mut("web") {
        nginx.program = "/no/such/nginx".into();
    }
    let seen = see(targets, "nginx.config").await.expect("a sighting");
    assert_eq!(text(&seen, "state"), "no-program");
    fs::remove_file(server.at("nginx.conf")).expect("a file");
    let gone = server.see("nginx.upstreams").await;
    assert!(
        matches!(gone, Err(Blind::Unknown(Unseen::NoSuchPath { .. }))),
        "{gone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_hangs_is_given_up() {
    let Some(server) = Server::new("upstream shop { server 127.0.0.1:9; }") else {
        return;
    };
    let program = server.at("slow");
    fs::write(&program, "#!/bin/sh\nexec sleep 60\n").expect("a file");
    let done = Command::new("chmod").arg("755").arg(&program).status();
    assert!(done.is_ok_and(|status| status.success()));
    let mut targets = server.targets();
    if let Some(nginx) = targets.nginx.get_mut("web") {
        nginx.program = program;
    }
    let began = Instant::now();
    let seen = see(targets, "nginx.config").await;
    assert!(
        matches!(seen, Err(Blind::Unknown(Unseen::TimedOut { .. }))),
        "{seen:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_workers_are_seen() {
    let Some(mut server) = Server::new("upstream shop { server 127.0.0.1:9; }") else {
        return;
    };
    server.start();
    let master = server.child.as_ref().map_or(0, Child::id).to_string();
    let signal = |name: &str| {
        let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children"));
        let children = children.unwrap_or_default();
        for pid in children.split_whitespace() {
            let _ = Command::new("kill").args(["-s", name, pid]).status();
        }
        children
    };
    // The port listens before there are workers; who was answered has met one.
    assert_eq!(server.visit(), "502");
    let workers = signal("STOP");
    let stopped = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.contains(") T ")
    };
    for _ in 0..500 {
        if workers.split_whitespace().all(stopped) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let seen = server.sight("nginx.status").await;
    assert_eq!(text(&seen, "state"), "hung", "{}", seen.evidence);
    signal("CONT");
    assert!(!none(&seen, "master_pid"));
}
