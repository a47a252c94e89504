//! A secret that is planted in the configuration, in the environment, in what servers answer and in
//! what people type appears nowhere.

#![expect(
    clippy::expect_used,
    reason = "a test's own helpers; a failure is a panic"
)]

mod binary;

use std::{fs, path::Path};

use binary::{Home, Ran, finish, serve};

const REDIS: &str = "hunter2-Redis+pass/word";
const DISCORD: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.planted-token-0123456789-abcdefghij";
const STRAY: &str = "straySecretOfAnApplication77";
const PHONE: &str = "13800138000";
const MAIL: &str = "planted.person@example.com";

/// What must not be seen: the values, and forms that they take.
const HIDDEN: &[&str] = &[
    REDIS,
    "hunter2",
    "hunter2-Redis%2Bpass%2Fword",
    "aHVudGVyMi1SZWRpcytwYXNzL3dvcmQ",
    DISCORD,
    "planted-token",
    STRAY,
    PHONE,
    "planted.person",
];

#[track_caller]
fn clean(what: &str, text: &str) {
    for hidden in HIDDEN {
        assert!(!text.contains(hidden), "{what} shows {hidden}:\n{text}");
    }
}

#[track_caller]
fn clean_run(what: &str, ran: &Ran) {
    clean(&format!("{what}, standard output"), &ran.out);
    clean(&format!("{what}, standard error"), &ran.err);
}

/// Every file below `directory`, as text, whatever it is.
fn clean_files(directory: &Path) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            clean_files(&path);
        } else {
            let bytes = fs::read(&path).expect("readable");
            clean(
                &path.display().to_string(),
                &String::from_utf8_lossy(&bytes),
            );
        }
    }
}

/// A Redis that tells secrets in all that it says.
fn gossip() -> std::net::SocketAddr {
    serve(|_| {
        let info = format!(
            "# Server\r\nredis_version:7.0.0\r\nexecutable:/usr/bin/redis-server --requirepass {REDIS}\r\n\
             config_file:redis://user:{STRAY}@host/0?password={STRAY}\r\nos:{PHONE} {MAIL} token={STRAY}\r\n"
        );
        let bulk = format!("${}\r\n{info}\r\n", info.len());
        let error =
            format!("-ERR AUTH {REDIS} refused for {MAIL}, phone {PHONE}, password={STRAY}\r\n");
        Some([error, bulk].concat().into_bytes())
    })
}

fn home() -> Home {
    let address = gossip();
    let home = Home::new(&[
        (
            "handbell.toml",
            "[store]\ndirectory = \"../state\"\n[diagnosis]\ncheck_deadline = \"700ms\"\n[discord]\ntoken = { env = \"PLANTED_TOKEN\" }\nguilds = [\"100000000000000001\"]\n[discord.endpoint]\naddress = \"127.0.0.1:9\"\nca = \"ca.pem\"\ngateway = \"ws://127.0.0.1:9/\"\n",
        ),
        (
            "targets.toml",
            &format!(
                "[redis.cache]\naddress = \"{address}\"\nusername = \"u\"\npassword = {{ file = \"redis.password\" }}\n"
            ),
        ),
        (
            "oncall.toml",
            &format!(
                "[people.alice]\nname = \"Alice\"\nphone = \"+86{PHONE}\"\nemail = \"{MAIL}\"\n"
            ),
        ),
    ]);
    home.write("redis.password", &format!("{REDIS}\n"));
    home
}

fn run(home: &Home, args: &[&str]) -> Ran {
    let mut command = home.command(args);
    command
        .env("PLANTED_TOKEN", DISCORD)
        .env("HANDBELL_STRAY", STRAY)
        .env("REDISCLI_AUTH", REDIS);
    finish(command)
}

#[test]
fn planted_secrets_appear_nowhere() {
    let home = home();
    let typed = format!("password={STRAY}");
    for args in [
        &["-vvv", "diagnose", "redis"][..],
        &[
            "-vvv",
            "--log-format",
            "json",
            "diagnose",
            "redis",
            "--json",
        ],
        &["diagnose", "redis", "--lang", "zh"],
        &["-vvv", "history"],
        &["history", "1"],
        &["history", "1", "--json"],
        &["history", "--json"],
        &["-vvv", "doctor"],
        &["doctor", "--json"],
        &["-vvv", "serve"],
        &["handbook", "show", "redis"],
        &["probes"],
    ] {
        let ran = run(&home, args);
        assert!(ran.code.is_some(), "{args:?} ended by a signal: {ran:#?}");
        clean_run(&args.join(" "), &ran);
    }
    // What a person types comes back to that person alone, and into no record.
    let _ = run(
        &home,
        &["diagnose", "redis", "--param", &format!("x={typed}")],
    );
    let first = run(&home, &["history", "1", "--json"]);
    assert!(
        first.out.contains("[secret]"),
        "the server did tell secrets: {}",
        first.out
    );
    clean_files(&home.state());
}

#[test]
fn a_secret_in_the_wrong_place_is_refused_without_repeating_it() {
    for (name, text) in [
        (
            "handbell.toml",
            format!("[discord]\ntoken = \"{DISCORD}\"\n"),
        ),
        ("handbell.toml", format!("[discord]\ntoken = {DISCORD}\n")),
        (
            "handbell.toml",
            format!("[discord]\ntokn = \"{DISCORD}\"\n"),
        ),
        (
            "handbell.toml",
            format!("[discord]\ntoken = {{ env = \"{DISCORD}\" }}\n"),
        ),
        ("handbell.toml", format!("{DISCORD}\n")),
        (
            "targets.toml",
            format!("[redis.cache]\naddress = \"h:1\"\npassword = \"{REDIS}\"\n"),
        ),
        (
            "targets.toml",
            format!("[redis.cache]\naddress = \"redis://u:{REDIS}@h:1\"\n"),
        ),
        (
            "targets.toml",
            format!("[redis.cache]\naddress = \"h:1\"\npassword = '''{REDIS}\n"),
        ),
        (
            "targets.toml",
            format!("[docker.engine]\nendpoint = \"ssh://root:{REDIS}@h:22\"\n"),
        ),
        (
            "oncall.toml",
            format!("[people.alice]\nname = 1\nphone = \"{PHONE}\"\nemail = {MAIL}\n"),
        ),
    ] {
        let home = Home::new(&[(name, &text)]);
        for args in [
            &["diagnose", "redis"][..],
            &["-vvv", "serve"],
            &["doctor"],
            &["doctor", "--json"],
        ] {
            let ran = run(&home, args);
            assert!(matches!(ran.code, Some(1 | 2)), "{text:?}: {ran:#?}");
            assert!(
                ran.out.contains(name) || ran.err.contains(name),
                "{text:?}: {ran:#?}"
            );
            clean_run(&format!("{name} with {text:?}"), &ran);
        }
    }
}

#[test]
fn a_secret_file_that_others_can_read_is_pointed_out() {
    let home = home();
    let ran = run(&home, &["doctor", "--no-discord"]);
    assert!(
        ran.out.contains("others can read this secret") && ran.out.contains("chmod 600"),
        "{}",
        ran.out
    );
    clean_run("doctor", &ran);
}
