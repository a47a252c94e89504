//! The real binary with a configuration of its own.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{PATIENCE, Process, Sandbox};

/// What a test configures.
pub struct Setup {
    /// `targets.toml`.
    pub targets: String,
    /// More lines of `handbell.toml`, after `[discord]`'s.
    pub more: String,
    /// Pages by file name, beside or in place of the embedded ones; none: the embedded ones.
    pub pages: Vec<(String, String)>,
    /// Another token than the sandbox's.
    pub token: Option<String>,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
}

impl Setup {
    /// One Redis at `port`, without a container.
    pub fn redis(port: u16) -> Self {
        Self {
            targets: format!("[redis.cache]\naddress = \"127.0.0.1:{port}\"\n"),
            more: String::new(),
            pages: Vec::new(),
            token: None,
            environment: Vec::new(),
        }
    }

    fn write(&self, directory: &Path, sandbox: &Sandbox) {
        let ready = &sandbox.ready;
        let token = self.token.as_deref().or(ready["token"].as_str());
        let write = |name: &str, text: String| {
            fs::write(directory.join(name), text).expect("a file in a temporary directory");
        };
        write("token", token.expect("a token").to_owned());
        write(
            "handbell.toml",
            format!(
                "[general]\nlanguage = \"en\"\n[store]\ndirectory = \"state\"\n[discord]\n\
                 token = {{ file = \"token\" }}\nguilds = [{}]\nchannels = [{}]\n\
                 [discord.endpoint]\naddress = {}\nca = {}\ngateway = {}\n{}",
                ready["guild_id"],
                ready["channels"]["ops"],
                ready["rest_tls"],
                ready["ca_file"],
                ready["gateway"],
                self.more,
            ),
        );
        write("targets.toml", self.targets.clone());
        let roles = &ready["roles"];
        let mut access = String::new();
        for role in ["viewer", "operator", "approver", "admin"] {
            let _ = writeln!(access, "[{role}]\ndiscord_roles = [{}]", roles[role]);
        }
        write("access.toml", access);
        if !self.pages.is_empty() {
            fs::create_dir_all(directory.join("commands")).expect("a directory");
        }
        for (name, text) in &self.pages {
            write(&format!("commands/{name}"), text.clone());
        }
    }
}

/// A running bot.
pub struct Bot {
    process: Process,
    directory: std::sync::Arc<tempfile::TempDir>,
}

impl Bot {
    /// Starts the bot and waits until it is connected and its commands are there.
    pub async fn start(sandbox: &Sandbox, setup: &Setup) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory").into();
        let bot = Self::launch(sandbox, setup, directory);
        bot.connected(sandbox).await
    }

    /// Starts it without waiting for anything.
    pub fn launch(
        sandbox: &Sandbox,
        setup: &Setup,
        directory: std::sync::Arc<tempfile::TempDir>,
    ) -> Self {
        setup.write(directory.path(), sandbox);
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(directory.path().join("log"))
            .expect("a log file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_handbell"));
        command
            .args(["-v", "--config"])
            .arg(directory.path())
            .arg("serve")
            .envs(setup.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log);
        let process = Process::start("handbell", &mut command);
        Self { process, directory }
    }

    /// Waits until it is connected and its commands are there.
    pub async fn connected(mut self, sandbox: &Sandbox) -> Self {
        let end = Instant::now() + PATIENCE;
        loop {
            let state = sandbox.get("/state").await;
            let bot = &state["bot"];
            if bot["connected"] == true && bot["commands"].as_u64() >= Some(5) {
                return self;
            }
            assert!(self.process.runs(), "the bot has ended: {}", self.log());
            assert!(
                Instant::now() < end,
                "the bot does not connect: {bot} {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Stops it as a service manager does; its exit code and how long it took.
    pub fn stop(&mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        self.process.terminate();
        let code = self.process.ended(PATIENCE);
        (code, began.elapsed())
    }

    /// Ends it as a crash does.
    pub fn kill(self) -> std::sync::Arc<tempfile::TempDir> {
        self.directory.clone()
    }

    /// Where its configuration and its state are.
    pub fn directory(&self) -> std::sync::Arc<tempfile::TempDir> {
        self.directory.clone()
    }

    /// The exit code once it has ended by itself.
    pub fn ended(&mut self, within: Duration) -> Option<i32> {
        self.process.ended(within)
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn terminate(&self) {
        self.process.terminate();
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Waits until the log says `part`.
    pub async fn logs(&self, part: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.log().contains(part) {
            assert!(
                Instant::now() < end,
                "the log never says {part:?}: {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
