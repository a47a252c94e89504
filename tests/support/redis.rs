//! A real Redis as a child process, and a server that accepts and never answers.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{PATIENCE, Process, free_port};

/// A real Redis server on a free port.
pub struct Redis {
    pub port: u16,
    process: Option<Process>,
    directory: tempfile::TempDir,
}

impl Redis {
    /// Starts one and waits until it answers; on another port when somebody else took the first.
    pub fn start() -> Self {
        for _ in 0..5 {
            let mut redis = Self {
                port: free_port(),
                process: None,
                directory: tempfile::tempdir().expect("a temporary directory"),
            };
            if redis.answers_again() {
                return redis;
            }
        }
        panic!("redis-server ends at once on five ports");
    }

    /// Starts it again on the same port.
    pub fn resume(&mut self) {
        assert!(
            self.answers_again(),
            "redis-server ended at once on port {}",
            self.port
        );
    }

    /// Starts it and waits until it answers; `false` when it has ended instead.
    fn answers_again(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--daemonize", "no", "--dir"])
            .arg(self.directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut process =
            Process::start("redis-server (Debian's package redis-server)", &mut command);
        let end = Instant::now() + PATIENCE;
        loop {
            // Asked first, so that an answer is not another server's on the same port.
            let answers = self.try_command(&["PING"]).is_some();
            if !process.runs() {
                return false;
            }
            if answers {
                self.process = Some(process);
                return true;
            }
            assert!(Instant::now() < end, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it: the port refuses from now on.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Sends a command; the first line of the answer.
    pub fn command(&self, words: &[&str]) -> String {
        self.try_command(words).expect("Redis answers")
    }

    fn try_command(&self, words: &[&str]) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            let _ = write!(request, "${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(request.as_bytes()).ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        (!line.is_empty()).then_some(line)
    }
}

/// A server that accepts connections and never answers: a hung process.
pub struct Hung {
    pub port: u16,
    _listener: TcpListener,
}

impl Hung {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        Self {
            port,
            // The kernel accepts for us; nobody reads.
            _listener: listener,
        }
    }
}
