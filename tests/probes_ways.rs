//! Ways to a peer beyond plain sockets: TLS to Redis, TLS and SSH to a Docker engine,
//! and a socket that is closed to the user.

#![expect(clippy::expect_used, reason = "a test may fail")]

mod probes_common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use handbell::{
    app::{Look, Prober},
    config::{Endpoint, RedisServer, TlsFiles},
    domain::diagnosis::{Sighting, Unseen},
    probes::Probes,
};
use probes_common::{
    Redis, at,
    docker::{SOCKET, engine_is_there, targets},
    eyes, free_port, look, not_run, program_from, see_within, sight, text,
    tls::Papers,
    unseen,
};
use tempfile::TempDir;

async fn state(server: RedisServer) -> String {
    let seen = sight(&eyes(server), "redis.ping", &[]).await;
    format!("{}: {}", text(&seen, "state"), text(&seen, "detail"))
}

#[tokio::test]
async fn redis_over_tls_with_an_authority_of_its_own() {
    let dir = TempDir::new().expect("a directory");
    let papers = Papers::make(dir.path());
    let port = free_port();
    let shown = |path: &Path| path.display().to_string();
    let redis = Redis::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &shown(&papers.cert),
        "--tls-key-file",
        &shown(&papers.key),
        "--tls-ca-cert-file",
        &shown(&papers.ca),
        "--tls-auth-clients",
        "yes",
    ]);
    let with = |port: u16, tls: TlsFiles| RedisServer {
        tls: Some(tls),
        ..at("127.0.0.1", port)
    };

    assert_eq!(state(with(port, papers.client())).await, "ok: ");
    sight(&eyes(with(port, papers.client())), "redis.info", &[]).await;

    let strangers = TlsFiles {
        ca: None,
        ..papers.client()
    };
    let said = state(with(port, strangers.clone())).await;
    assert!(said.starts_with("tls: the TLS handshake failed"), "{said}");
    assert!(matches!(
        unseen(&eyes(with(port, strangers)), "redis.info").await,
        Unseen::Tls { .. }
    ));

    let missing = TlsFiles {
        ca: Some(dir.path().join("none.pem")),
        ..papers.client()
    };
    let said = state(with(port, missing)).await;
    assert!(
        said.starts_with("tls: the file") && said.contains("does not exist"),
        "{said}"
    );

    fs::write(dir.path().join("empty.pem"), "").expect("a file");
    let empty = TlsFiles {
        ca: Some(dir.path().join("empty.pem")),
        ..papers.client()
    };
    let said = state(with(port, empty)).await;
    assert!(
        said.starts_with("tls: ") && said.contains("empty.pem"),
        "{said}"
    );

    let said = state(with(redis.port, papers.client())).await;
    assert!(said.starts_with("tls: "), "TLS to a port without: {said}");
    let said = state(at("127.0.0.1", port)).await;
    assert!(
        said.starts_with("reset") || said.starts_with("wrong-protocol"),
        "no TLS to a port with it: {said}"
    );
}

/// Ends TLS in front of the engine's socket, as an engine with `--tlsverify` does itself.
async fn tls_in_front(papers: &Papers) -> u16 {
    let identity = native_tls::Identity::from_pkcs8(
        &fs::read(&papers.cert).expect("a certificate"),
        &fs::read(&papers.key).expect("a key"),
    );
    let acceptor =
        native_tls::TlsAcceptor::new(identity.expect("an identity")).expect("an acceptor");
    let acceptor = tokio_native_tls::TlsAcceptor::from(acceptor);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outer) = acceptor.accept(stream).await else {
                    return;
                };
                let Ok(mut inner) = tokio::net::UnixStream::connect(SOCKET).await else {
                    return;
                };
                let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn an_engine_over_tls() {
    if !engine_is_there() {
        return;
    }
    let dir = TempDir::new().expect("a directory");
    let papers = Papers::make(dir.path());
    let port = tls_in_front(&papers).await;
    let with = |tls: TlsFiles| {
        let endpoint = Endpoint::Tcp {
            address: format!("127.0.0.1:{port}"),
            tls: Some(tls),
        };
        Probes::new(targets(
            "handbell-no-such-container",
            at("127.0.0.1", 1),
            endpoint,
        ))
    };
    let right = with(papers.client());
    for _ in 0..3 {
        assert_eq!(
            text(&sight(&right, "docker.engine", &[]).await, "state"),
            "ok"
        );
    }
    assert_eq!(
        text(&sight(&right, "docker.container", &[]).await, "state"),
        "missing"
    );
    let strangers = with(TlsFiles::default());
    assert_eq!(
        text(&sight(&strangers, "docker.engine", &[]).await, "state"),
        "tls"
    );
    assert!(matches!(
        unseen(&strangers, "docker.container").await,
        Unseen::Tls { .. }
    ));
}

/// An SSH server of this test alone, and a client that knows it and nothing of the user's own.
struct Sshd {
    child: Child,
    dir: TempDir,
    port: u16,
}

const SSHD: &str = "/usr/sbin/sshd";

fn run(program: &str, words: &[&str]) -> String {
    let done = Command::new(program).args(words).output().expect(program);
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

impl Sshd {
    fn start() -> Option<Self> {
        if !Path::new(SSHD).exists() {
            not_run("an engine over SSH: there is no /usr/sbin/sshd (Debian: openssh-server)");
            return None;
        }
        let dir = TempDir::new().expect("a directory");
        let at = |name: &str| dir.path().join(name).display().to_string();
        // What sshd wants for its unprivileged part.
        let _ = fs::create_dir_all("/run/sshd");
        for key in ["host", "user"] {
            run(
                "ssh-keygen",
                &["-q", "-t", "ed25519", "-N", "", "-f", &at(key)],
            );
        }
        fs::copy(at("user.pub"), at("authorized")).expect("a copy");
        let port = free_port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n",
            at("host"),
            at("authorized"),
        );
        fs::write(at("sshd.conf"), config).expect("a file");
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f", &at("sshd.conf")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sshd");
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { child, dir, port })
    }

    /// A program in the place of ssh: ssh itself with this server's key known or not.
    fn client(&self, knows_the_host: bool) -> PathBuf {
        let at = |name: &str| self.dir.path().join(name).display().to_string();
        let name = if knows_the_host {
            "knowing"
        } else {
            "ignorant"
        };
        let host = fs::read_to_string(at("host.pub")).expect("a key");
        let line = format!("[127.0.0.1]:{} {host}", self.port);
        let known = if knows_the_host { line.as_str() } else { "" };
        fs::write(at(&format!("{name}.hosts")), known).expect("a file");
        let config = format!(
            "IdentityFile {}\nIdentitiesOnly yes\nUserKnownHostsFile {}\nGlobalKnownHostsFile /dev/null\n",
            at("user"),
            at(&format!("{name}.hosts")),
        );
        fs::write(at(&format!("{name}.conf")), config).expect("a file");
        let program = self.dir.path().join(format!("ssh-{name}"));
        let text = self.dir.path().join(format!("ssh-{name}.text"));
        let script = format!(
            "#!/bin/sh\necho started >> '{}'\nexec ssh -F {} \"$@\"\n",
            at(&format!("ssh-{name}.starts")),
            at(&format!("{name}.conf"))
        );
        fs::write(&text, script).expect("a file");
        program_from(&text, &program);
        program
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn over_ssh(address: String, program: &Path) -> Probes {
    let endpoint = Endpoint::Ssh(address);
    Probes::with_ssh(
        targets("handbell-no-such-container", at("127.0.0.1", 1), endpoint),
        program,
    )
}

/// A look with the time that the login of SSH takes on a busy machine.
async fn patient(eyes: &Probes, probe: &str) -> Sighting {
    let look = Look {
        deadline: Duration::from_secs(20),
        ..look(probe, &[])
    };
    see_within(eyes, &look).await.expect("a sighting")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_over_ssh() {
    if !engine_is_there() {
        return;
    }
    let Some(sshd) = Sshd::start() else { return };
    let user = run("id", &["-un"]);
    let address = format!("ssh://{user}@127.0.0.1:{}", sshd.port);
    let program = sshd.client(true);
    let logins = || {
        let starts = fs::read_to_string(program.with_extension("starts"));
        starts.expect("a program that was started").lines().count()
    };
    let eyes = over_ssh(address.clone(), &program);
    let seen = patient(&eyes, "docker.engine").await;
    assert_eq!(text(&seen, "state"), "ok", "{}", seen.evidence);
    let first = logins();
    assert_eq!(text(&patient(&eyes, "docker.engine").await, "state"), "ok");
    assert_eq!(logins(), first, "the connection was not kept");
    assert_eq!(
        text(&patient(&eyes, "docker.container").await, "state"),
        "missing"
    );

    let ignorant = over_ssh(address, &sshd.client(false));
    let seen = patient(&ignorant, "docker.engine").await;
    assert_eq!(text(&seen, "state"), "ssh");
    assert!(
        text(&seen, "detail").contains("Host key verification failed"),
        "{}",
        seen.evidence
    );

    let port = free_port();
    let refused = over_ssh(format!("ssh://{user}@127.0.0.1:{port}"), &sshd.client(true));
    assert_eq!(
        text(&patient(&refused, "docker.engine").await, "state"),
        "refused"
    );

    let nobody = over_ssh(
        format!("ssh://no-such-user@127.0.0.1:{}", sshd.port),
        &sshd.client(true),
    );
    let seen = patient(&nobody, "docker.engine").await;
    assert_eq!(text(&seen, "state"), "ssh");
    assert!(
        text(&seen, "detail").contains("Permission denied"),
        "{}",
        seen.evidence
    );

    let none = over_ssh("ssh://127.0.0.1".to_owned(), Path::new("/no/such/ssh"));
    let seen = patient(&none, "docker.engine").await;
    assert!(
        text(&seen, "detail").contains("can't be started"),
        "{}",
        seen.evidence
    );
}

#[tokio::test]
async fn a_user_without_the_right_to_the_socket_is_told_so() {
    // Root opens every socket, so the look is done by a process of nobody.
    let id = Command::new("id").arg("-u").output().expect("id");
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        not_run("permission denied on a socket: needs root to become nobody");
        return;
    }
    let dir = tempfile::TempDir::new().expect("a directory");
    let open = Command::new("chmod").arg("755").arg(dir.path()).status();
    assert!(open.is_ok_and(|status| status.success()));
    let socket = dir.path().join("closed.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let closed = Command::new("chmod").arg("600").arg(&socket).status();
    assert!(closed.is_ok_and(|status| status.success()));
    let copy = dir.path().join("test");
    program_from(&std::env::current_exe().expect("this binary"), &copy);
    let done = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&copy)
        .args(["--exact", "as_nobody", "--ignored", "--nocapture"])
        .env("HANDBELL_TEST_SOCKET", &socket)
        .output()
        .expect("setpriv");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(
        said.contains("engine: permission-denied") && said.contains("redis: socket-permission"),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "run by a_user_without_the_right_to_the_socket_is_told_so as another user"]
#[expect(
    clippy::disallowed_methods,
    reason = "how the other process is told the socket"
)]
async fn as_nobody() {
    let socket = PathBuf::from(std::env::var("HANDBELL_TEST_SOCKET").expect("the socket"));
    let eyes = Probes::new(targets(
        "any",
        probes_common::at_socket(&socket),
        Endpoint::Unix(socket),
    ));
    let engine = sight(&eyes, "docker.engine", &[]).await;
    println!("engine: {}", text(&engine, "state"));
    let redis = sight(&eyes, "redis.ping", &[]).await;
    println!("redis: {}", text(&redis, "state"));
    for probe in ["docker.container", "docker.log", "redis.info"] {
        assert!(matches!(
            unseen(&eyes, probe).await,
            Unseen::PermissionDenied { .. }
        ));
    }
    assert!(eyes.catalog().iter().count() > 0);
}
