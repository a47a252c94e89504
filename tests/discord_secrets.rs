//! A secret appears nowhere in Discord: not in cards, progress, files or private answers; nor in the
//! store or the bot's own log, nor when it is changed while the bot runs.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use support::{Bot, Hung, Sandbox, Setup, person::text};

const FILE: &str = "hunter2-Redis+pass/word";
const VARIABLE: &str = "planted~MySQL~password";
const STRAY: &str = "straySecretOfAnApplication77";
const PHONE: &str = "13800138000";
const MAIL: &str = "planted.person@example.com";

/// What must not be seen: the values, and forms that they take.
const HIDDEN: &[&str] = &[
    FILE,
    "hunter2",
    "hunter2-Redis%2Bpass%2Fword",
    "aHVudGVyMi1SZWRpcytwYXNzL3dvcmQ",
    VARIABLE,
    STRAY,
    PHONE,
    "planted.person",
];

/// A Redis that answers everything with an error that tells what `gossip` holds, after a while.
fn telling(gossip: Arc<Mutex<String>>, after: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let gossip = Arc::clone(&gossip);
            std::thread::spawn(move || {
                let mut buffer = [0; 4_096];
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    // Several commands may come at once; each is an array.
                    let lines = buffer[..read].split(|byte| *byte == b'\n');
                    let commands = lines.filter(|line| line.starts_with(b"*")).count();
                    std::thread::sleep(after);
                    let said = format!("-ERR {}\r\n", gossip.lock().unwrap());
                    if stream
                        .write_all(said.repeat(commands.max(1)).as_bytes())
                        .is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    port
}

/// A page that shows all that the server and the log say.
fn page() -> String {
    let check = |id: &str, probe: &str, target: &str, args: &str, fact: &str| {
        format!(
            "[[check]]\nid = \"{id}\"\ntitle = {{ en = \"{id}\", zh = \"检查\" }}\nprobe = \"{probe}\"\ntarget = \"{target}\"\n{args}\
             [[check.rule]]\nwhen = \"{fact} is none\"\nverdict = \"ok\"\nsay = {{ en = \"fine\", zh = \"正常\" }}\n\
             [[check.rule]]\nwhen = \"{fact} is not none\"\nverdict = \"critical\"\n\
             cause = \"gossip.{id}\"\nsay = {{ en = \"{{{{ {fact} }}}}\", zh = \"{{{{ {fact} }}}}\" }}\n"
        )
    };
    [
        "[runbook]\nid = \"gossip\"\nsection = \"9.9\"\ntitle = { en = \"Gossip\", zh = \"流言\" }\n\
         symptom = { en = \"Something\", zh = \"某事\" }\nseverity = \"P3\"\nowner = \"ops\"\nreviewed = 2026-11-01\n"
            .to_owned(),
        check("server", "redis.ping", "cache", "", "detail"),
        check("log", "log.search", "mall", "args = { within = \"0s\" }\n", "last_line"),
        check("slow", "redis.ping", "hung", "", "state"),
    ]
    .concat()
}

fn clean(what: &str, text: &str, hidden: &[&str]) {
    for hidden in hidden {
        assert!(!text.contains(hidden), "{what} shows {hidden}:\n{text}");
    }
}

fn clean_files(directory: &Path, hidden: &[&str]) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            clean_files(&path, hidden);
        } else {
            let bytes = fs::read(&path).unwrap();
            clean(
                &path.display().to_string(),
                &String::from_utf8_lossy(&bytes),
                hidden,
            );
        }
    }
}

/// Everything that went to Discord and everything that is kept.
async fn nowhere(sandbox: &Sandbox, bot: &Bot, hidden: &[&str]) {
    for request in sandbox.traffic().await {
        clean("a request or its answer", &request.to_string(), hidden);
    }
    for name in ["alice", "bob", "carol", "ming"] {
        for message in sandbox.person(name).sees().await {
            clean("a message", &message.to_string(), hidden);
            for file in message["attachments"].as_array().unwrap() {
                let url = file["url"].as_str().unwrap();
                clean("a file", &sandbox.download(url).await, hidden);
            }
        }
    }
    clean_files(&bot.directory().path().join("state"), hidden);
    clean("the log", &bot.log(), hidden);
}

fn setup(port: u16, hung: &Hung) -> Setup {
    let mut setup = Setup::redis(port);
    setup.targets = format!(
        "[redis.cache]\naddress = \"127.0.0.1:{port}\"\npassword = {{ file = \"redis.password\" }}\n\
         [redis.hung]\naddress = \"127.0.0.1:{}\"\n\
         [mysql.db]\naddress = \"127.0.0.1:{port}\"\nusername = \"u\"\npassword = {{ env = \"PLANTED_VARIABLE\" }}\n\
         [log.mall]\nfile = \"mall.log\"\n",
        hung.port
    );
    setup.pages.push(("gossip.toml".to_owned(), page()));
    setup.environment = [
        ("PLANTED_VARIABLE", VARIABLE),
        ("HANDBELL_STRAY", STRAY),
        ("REDISCLI_AUTH", FILE),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    setup
}

#[tokio::test]
async fn planted_secrets_appear_nowhere_in_discord() {
    let said = format!(
        "I know {FILE} and {VARIABLE} of {MAIL}, phone {PHONE}, token={STRAY}, url redis://u:{STRAY}@h/0"
    );
    let port = telling(
        Arc::new(Mutex::new(said.clone())),
        Duration::from_millis(300),
    );
    let hung = Hung::start();
    let sandbox = Sandbox::start().await;
    let directory: Arc<tempfile::TempDir> = tempfile::tempdir().unwrap().into();
    fs::write(directory.path().join("redis.password"), FILE).unwrap();
    fs::write(
        directory.path().join("mall.log"),
        format!("2026-11-01 12:00:00 {said}\n"),
    )
    .unwrap();
    let bot = Bot::launch(&sandbox, &setup(port, &hung), directory);
    let bot = bot.connected(&sandbox).await;
    let (alice, ming) = (sandbox.person("alice"), sandbox.person("ming"));

    let asked = alice.types("diagnose gossip").await;
    alice.reads("⏳").await;
    let report = alice.reads_reply(&asked).await;
    let shown = text(&report);
    assert!(
        shown.contains("I know [secret]"),
        "the server did tell: {shown}"
    );
    for button in ["Evidence", "Run again"] {
        let pressed = alice.presses(&report, button).await;
        alice.reads_reply(&pressed).await;
    }
    ming.asks("diagnose gossip").await;
    ming.asks("diagnose redis").await;
    ming.asks("diagnose all").await;
    alice.asks("history").await;
    alice
        .asks_with("handbook show", json!({"page": "gossip"}))
        .await;
    let refused = sandbox.person("carol").asks("diagnose gossip").await;
    assert_eq!(refused["ephemeral"], true);
    nowhere(&sandbox, &bot, HIDDEN).await;
    let token = sandbox.ready["token"].as_str().unwrap();
    clean("the log", &bot.log(), &[token]);
    clean_files(&bot.directory().path().join("state"), &[token]);
}

#[tokio::test]
async fn a_secret_that_changes_while_the_bot_runs_is_as_unseen_as_the_old_one() {
    let (old, new) = ("the~old~password", "the~new~password");
    let gossip = Arc::new(Mutex::new(format!("I know {old}")));
    let port = telling(Arc::clone(&gossip), Duration::ZERO);
    let hung = Hung::start();
    let sandbox = Sandbox::start().await;
    let directory: Arc<tempfile::TempDir> = tempfile::tempdir().unwrap().into();
    let file = directory.path().join("redis.password");
    fs::write(&file, old).unwrap();
    let log = directory.path().join("mall.log");
    fs::write(&log, "nothing\n").unwrap();
    let bot = Bot::launch(&sandbox, &setup(port, &hung), directory);
    let bot = bot.connected(&sandbox).await;
    let alice = sandbox.person("alice");
    let shown = text(&alice.asks("diagnose gossip").await);
    assert!(shown.contains("I know [secret]"), "{shown}");

    fs::write(&file, new).unwrap();
    *gossip.lock().unwrap() = format!("I know {new} and {old}");
    fs::write(&log, format!("somebody wrote {new} and {old}\n")).unwrap();
    let report = alice.asks("diagnose gossip").await;
    let shown = text(&report);
    assert!(shown.contains("I know [secret] and [secret]"), "{shown}");
    assert!(
        shown.contains("somebody wrote [secret] and [secret]"),
        "{shown}"
    );
    let pressed = alice.presses(&report, "Evidence").await;
    alice.reads_reply(&pressed).await;
    nowhere(&sandbox, &bot, &[old, new]).await;
}
