//! A real headless Chromium for tests: started with its own chromedriver and profile, driven as a person would, and
//! ended by its process. Shared by the tests of the page and of the bot.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "each test that includes this file uses a part of it; tests fail by panicking and say what did not run"
)]

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::{Client, ClientBuilder, Locator};
use futures_util::FutureExt;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const DOWN: &str = "\u{e015}";
pub(crate) const BACKSPACE: &str = "\u{e003}";

/// How long a person would wait for something to appear; generous, because build machines are busy.
const PATIENCE: Duration = Duration::from_mins(1);
/// What the console says when the sandbox is stopped, and when a network interface comes or goes, as it does whenever a
/// container starts or stops on this machine. What the page does about it is tested by what a person sees.
const LOST_CONNECTION: [&str; 3] = [
    "ERR_CONNECTION_REFUSED",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
    "ERR_NETWORK_CHANGED",
];
/// How long a page may stay empty until it is loaded again, and how often that is done.
const LOADED_WITHIN: Duration = Duration::from_secs(15);
const LOADS: usize = 3;
const LOOK_AGAIN: Duration = Duration::from_millis(40);

/// A browser with one window.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    session: String,
    http: reqwest::Client,
}

/// Runs `story` in a browser of `width` × `height` and ends the browser whatever becomes of it. A failure leaves a
/// picture of the window in the build directory. Without Chromium the story does not run, which is said, and is a
/// failure with `CI=true`.
pub(crate) async fn in_browser<F, R>(name: &str, (width, height): (u32, u32), story: F)
where
    F: FnOnce(Browser) -> R,
    R: Future<Output = ()>,
{
    let (Some(chromium), Some(chromedriver)) = (
        program(&["chromium", "chromium-browser", "google-chrome"]),
        program(&["chromedriver"]),
    ) else {
        let sentence = format!(
            "NOT RUN: {name} needs Chromium and chromedriver (Debian: chromium, chromium-driver), and they are not in PATH."
        );
        assert!(variable("CI").as_deref() != Some("true"), "{sentence}");
        eprintln!("{sentence}");
        return;
    };
    let profile = tempfile::tempdir().expect("a directory for the browser's profile");
    let driver = Driver::start(&chromedriver);
    let browser = Browser::connect(&driver, &chromium, profile.path(), width, height).await;
    let outcome = AssertUnwindSafe(story(browser.clone()))
        .catch_unwind()
        .await;
    if outcome.is_err() {
        let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        if let Ok(bytes) = browser.client.screenshot().await {
            std::fs::write(&picture, bytes).expect("the picture of a failure can be written");
            eprintln!("What the browser showed: {}", picture.display());
        }
        eprintln!("Its console: {:#?}", browser.console().await);
    }
    let console = browser.console().await;
    // Closing the session ends Chromium; dropping the driver ends chromedriver.
    browser.client.close().await.expect("the browser closes");
    drop(driver);
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure);
    }
    let errors: Vec<_> = console
        .into_iter()
        .filter(|line| !LOST_CONNECTION.iter().any(|name| line.contains(name)))
        .collect();
    assert!(
        errors.is_empty(),
        "errors in the browser's console: {errors:#?}"
    );
}

/// A chromedriver on a free port.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    fn start(program: &Path) -> Self {
        let mut process = Command::new(program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let output = process.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            line.split_once("started successfully on port ")
                .and_then(|(_, rest)| rest.trim_end_matches('.').trim().parse().ok())
        });
        // What it prints later must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            port: port.expect("chromedriver says on which port it listens"),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    async fn connect(
        driver: &Driver,
        chromium: &Path,
        profile: &Path,
        width: u32,
        height: u32,
    ) -> Self {
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
            "--lang=en-US",
        ];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        arguments.push(format!("--window-size={width},{height}"));
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": chromium, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(capabilities) = wanted else {
            unreachable!("an object was written above")
        };
        let address = format!("http://127.0.0.1:{}", driver.port);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&address)
            .await
            .expect("Chromium starts");
        let id = client
            .session_id()
            .await
            .expect("the session is open")
            .expect("the session has an id");
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a plain HTTP client");
        let browser = Self {
            client,
            session: format!("{address}/session/{id}"),
            http,
        };
        browser.resize(width, height).await;
        browser
    }

    /// A command of chromedriver that is not in the standard.
    async fn special(&self, path: &str, body: &Value) -> Value {
        let answer = self
            .http
            .post(format!("{}{path}", self.session))
            .json(body)
            .send()
            .await
            .expect("chromedriver answers");
        let answer: Value = answer.json().await.expect("chromedriver answers in JSON");
        answer["value"].clone()
    }

    /// Gives the window's inside exactly this size.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.special(
            "/goog/cdp/execute",
            &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics}),
        )
        .await;
    }

    /// Errors in the console since it was last asked.
    pub(crate) async fn console(&self) -> Vec<String> {
        let lines = self.special("/se/log", &json!({"type": "browser"})).await;
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines
            .iter()
            .filter(|line| line["level"] == "SEVERE")
            .map(|line| line["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Opens a page, and loads it again when nothing of it comes, as a person does: while a network interface comes or
    /// goes on this machine, the browser gives up whatever it was loading.
    pub(crate) async fn open(&self, address: &str) {
        self.client.goto(address).await.expect("the page opens");
        for _ in 0..LOADS {
            let begun = Instant::now();
            while begun.elapsed() < LOADED_WITHIN {
                if !self.visible_text().await.is_empty() {
                    return;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            self.client.refresh().await.expect("the page opens again");
        }
    }

    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        self.client
            .screenshot()
            .await
            .expect("the browser gives a picture")
    }

    /// Runs a function body in the page and gives what it returns; a promise is waited for.
    pub(crate) async fn script(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.client
            .execute(body, arguments)
            .await
            .expect("the script runs")
    }

    /// Types into whatever has the focus, key by key.
    pub(crate) async fn keys(&self, text: &str) {
        let element = self
            .client
            .active_element()
            .await
            .expect("something has the focus");
        element.send_keys(text).await.expect("the keys arrive");
    }

    /// Puts the focus where a person would click.
    pub(crate) async fn focus(&self, selector: &str) {
        self.see(selector, "").await;
        self.script(
            "document.querySelector(arguments[0]).focus()",
            vec![json!(selector)],
        )
        .await;
    }

    /// Everything that a person sees now.
    pub(crate) async fn visible_text(&self) -> String {
        self.script("return document.body.innerText", vec![])
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// How many visible elements match `selector` and contain `text`.
    pub(crate) async fn count(&self, selector: &str, text: &str) -> u64 {
        // What stands in a field is read, too; where lines break does not matter.
        const COUNT: &str = r"const [selector, text] = arguments;
            const shown = (one) => [one.innerText, ...[one, ...one.querySelectorAll('input, textarea')].map((each) => each.value)].join(' ').replace(/\s+/g, ' ');
            return [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility({visibilityProperty: true})
              && one.getClientRects().length && shown(one).includes(text)).length;";
        self.script(COUNT, vec![json!(selector), json!(text)])
            .await
            .as_u64()
            .unwrap_or(0)
    }

    /// Waits until an element that matches `selector` shows `text`.
    pub(crate) async fn see(&self, selector: &str, text: &str) {
        self.wait(&format!("“{text}” in {selector}"), async || {
            self.count(selector, text).await > 0
        })
        .await;
    }

    /// Waits until no element that matches `selector` shows `text`.
    pub(crate) async fn see_gone(&self, selector: &str, text: &str) {
        self.wait(&format!("no “{text}” in {selector}"), async || {
            self.count(selector, text).await == 0
        })
        .await;
    }

    async fn wait(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !holds().await {
            assert!(
                begun.elapsed() < PATIENCE,
                "a person waited {PATIENCE:?} for {what} and saw:\n{}",
                self.visible_text().await
            );
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits for the last element that matches and contains `text`, and presses it with the mouse. One that is drawn
    /// anew in that moment is looked for again, as a person would.
    pub(crate) async fn press(&self, selector: &str, text: &str) {
        self.wait(
            &format!("“{text}” in {selector}, to press it"),
            async || {
                let all = self.client.find_all(Locator::Css(selector)).await;
                for element in all.expect("the selector is right").into_iter().rev() {
                    let label = element
                        .attr("aria-label")
                        .await
                        .ok()
                        .flatten()
                        .unwrap_or_default();
                    let shown = element.text().await.unwrap_or_default();
                    if (shown.contains(text) || label.contains(text))
                        && element.click().await.is_ok()
                    {
                        return true;
                    }
                }
                false
            },
        )
        .await;
    }

    /// Another tab that shows `address`; it becomes the current one. Gives the way back.
    pub(crate) async fn new_tab(&self, address: &str) -> Tab {
        let before = self.client.window().await.expect("there is a window");
        let tab = self.client.new_window(true).await.expect("a tab opens");
        self.client
            .switch_to_window(tab.handle)
            .await
            .expect("the tab can be shown");
        self.open(address).await;
        Tab {
            browser: self.clone(),
            before,
        }
    }
}

/// A second tab, until it is closed.
pub(crate) struct Tab {
    browser: Browser,
    before: fantoccini::wd::WindowHandle,
}

impl Tab {
    /// Closes it and shows the one before.
    pub(crate) async fn close(self) {
        self.browser
            .client
            .close_window()
            .await
            .expect("the tab closes");
        self.browser
            .client
            .switch_to_window(self.before)
            .await
            .expect("the first tab is still there");
    }
}

/// The first of these programs that is in PATH.
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let path = variable("PATH")?;
    names
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |directory| directory.join(name)))
        .find(|file| file.is_file())
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are configured by the environment alone"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
