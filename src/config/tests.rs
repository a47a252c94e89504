//! The built-in files are the code's defaults, and a configuration's every mistake is said at once.

use std::{collections::BTreeSet, path::Path};

use super::{raw, read_settings::Settings, *};
use crate::domain::document;

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    directory
}

fn errors(files: &[(&str, &str)]) -> String {
    let directory = directory(files);
    let errors = load(Some(directory.path())).expect_err("this configuration is wrong");
    errors
        .render(false)
        .replace(&format!("{}/", directory.path().display()), "")
}

#[test]
fn the_built_in_settings_are_the_codes_defaults() {
    let shown = load_built_in();
    let Settings {
        general,
        store,
        diagnosis,
        discord,
    } = Settings::default();
    assert_eq!(shown.general, general);
    assert_eq!(shown.store, store);
    assert_eq!(shown.diagnosis, diagnosis);
    assert_eq!(shown.discord, discord);
    assert_eq!(shown.oncall, OnCall::default());
}

fn load_built_in() -> Config {
    load::load_from(None).expect("the built-in configuration is sound")
}

#[test]
fn an_empty_file_means_the_defaults() {
    let directory = directory(&[("handbell.toml", "")]);
    let read = load(Some(directory.path())).expect("sound");
    let built_in = load_built_in();
    assert_eq!(read.general, built_in.general);
    assert_eq!(read.diagnosis, built_in.diagnosis);
    assert_eq!(read.discord, built_in.discord);
}

/// Every key of a schema, tables included, wherever it stands.
fn keys(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(map) => {
            if let Some(properties) = map.get("properties").and_then(|it| it.as_object()) {
                found.extend(properties.keys().cloned());
            }
            map.values().for_each(|inner| keys(inner, found));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|inner| keys(inner, found)),
        _ => {}
    }
}

fn schemas() -> [serde_json::Value; 4] {
    [
        document::schema::<raw::Handbell>(),
        document::schema::<raw::Targets>(),
        document::schema::<raw::Access>(),
        document::schema::<raw::OnCall>(),
    ]
}

#[test]
fn all_of_every_schema_is_kept() {
    for schema in schemas() {
        let unknown = document::keywords::not_kept(&schema);
        assert_eq!(unknown, Vec::<String>::new(), "{}", schema["title"]);
    }
}

#[test]
fn every_key_is_shown_and_explained() {
    let is_key = regex::Regex::new(r"^(# )?[a-z_]+ = ").expect("a regex");
    for ((name, text), schema) in FILES.iter().zip(schemas()) {
        let mut all = BTreeSet::new();
        keys(&schema, &mut all);
        assert!(!all.is_empty());
        for key in all {
            // `key = …`, `{ key = …`, `[key]`, `[x.key]`, `[key.x]`, each of them perhaps commented.
            let shown = regex::Regex::new(&format!(
                r"(?m)^(# )?(\[([a-z.]+\.)?{key}(\.[a-z]+)?\]|{key} = |.*[{{,] {key} = )"
            ))
            .expect("a regex");
            assert!(shown.is_match(text), "{name} does not show the key {key}");
        }
        let mut above = "";
        for line in text.lines() {
            if is_key.is_match(line) && *name != "access.toml" {
                let key = |line: &str| {
                    line.trim_start_matches("# ")
                        .split(" = ")
                        .next()
                        .map(str::to_owned)
                };
                let again = key(above) == key(line);
                assert!(
                    above.starts_with("# ") || again,
                    "{name}: nothing explains {line:?}"
                );
            }
            above = line;
        }
    }
}

#[test]
fn what_is_commented_out_is_right_when_it_is_taken_in() {
    for (name, text) in FILES {
        let uncommented: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest)
                    if rest.starts_with('[')
                        || rest.split_once(" = ").is_some_and(|(key, _)| {
                            !key.contains(' ')
                                && !text.contains(&format!("\n{key} = "))
                                && rest.matches(" = ").count() >= 1
                        }) =>
                {
                    format!("{rest}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        // Both ways of a secret are shown; a table takes one.
        let uncommented = uncommented.replace("password = { env", "# password = { env");
        let uncommented = uncommented.replace("\ncertificate = {", "\n# certificate = {");
        let uncommented = uncommented.replace("unix:///var/run/docker.sock", "tcp://docker:2376");
        let directory = directory(&[(name, &uncommented)]);
        if let Err(errors) = load(Some(directory.path())) {
            panic!("{name}:\n{}\n{uncommented}", errors.render(false));
        }
    }
}

#[test]
fn every_mistake_of_every_file_is_said_at_once() {
    let said = errors(&[
        (
            "handbell.toml",
            "[general]\nlanguage = \"fr\"\ntimezon = \"UTC\"\n[diagnosis]\ncheck_deadline = \"5\"\nrun_deadline = \"1h\"\nchecks_per_target = 0\n[discord]\nguilds = [\"mall\"]\n",
        ),
        (
            "targets.toml",
            "[docker.engine]\nendpoint = \"http://x\"\n[redis.engine]\naddress = \"x\"\ncontainer = { engine = \"engin\", name = \"a\" }\n",
        ),
        ("access.toml", "[operators]\ndiscord_users = []\n"),
        (
            "oncall.toml",
            "[people.alice]\nname = \"Alice\"\n[rotation.primary]\npeople = [\"alicia\"]\nstarts = \"monday\"\nturn = \"1m\"\n",
        ),
    ]);
    for part in [
        "handbell.toml:2:12",
        "handbell.toml:3:1",
        "did you mean `timezone`?",
        "handbell.toml:5:18",
        "handbell.toml:6:16",
        "1h is outside of 100ms to 10m",
        "handbell.toml:7:21",
        "handbell.toml:9:11",
        "is no Discord id",
        "targets.toml:2:12",
        "unix:///path, tcp://host:port or ssh://",
        "there is a [docker.engine], too",
        "targets.toml:4:11",
        "did you mean `engine`?",
        "access.toml:1:2",
        "did you mean `operator`?",
        "did you mean `alice`?",
        "oncall.toml:5:10",
        "1m is outside of 1h to 365d",
        "^",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    assert!(said.trim_end().ends_with("errors"), "{said}");
}

#[test]
fn a_literal_secret_is_refused_and_never_repeated() {
    for text in [
        "[redis.cache]\naddress = \"h:1\"\npassword = \"hunter2-hunter2\"\n",
        "[redis.cache]\naddress = \"h:1\"\npasswrd = \"hunter2-hunter2\"\n",
        "[redis.cache]\naddress = \"h:1\"\npassword = hunter2-hunter2\n",
        "[redis.cache]\naddress = \"h:1\"\npassword = \"hunter2-hunter2\n",
        "[redis.cache]\naddress = \"h:1\"\npassword = { env = \"hunter2-hunter2\" }\n",
        "[redis.cache]\naddress = \"h:1\"\npassword = { value = \"hunter2-hunter2\" }\n",
        "[redis.cache]\naddress = \"h:1\"\npassword \"hunter2-hunter2\"\n",
        "[redis]\ncache = { address = \"h:1\", password = \"hunter2-hunter2\" }\n",
        "[redis.cache]\naddress = \"redis://:hunter2-hunter2@h:1\"\n",
        "[redis.cache]\naddress = \"h:1\"\npassword = \"\"\"\nhunter2-hunter2\n",
        "hunter2-hunter2\n",
        "[docker.engine]\nendpoint = \"ssh://u:hunter2-hunter2@h\"\n",
    ] {
        let said = errors(&[("targets.toml", text)]);
        assert!(said.contains("targets.toml:"), "{said}");
        assert!(!said.contains("hunter2"), "{text:?} is repeated:\n{said}");
    }
    let said = errors(&[("handbell.toml", "[discord]\ntoken = \"hunter2-hunter2\"\n")]);
    assert!(
        said.contains("the token itself never stands here"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn relative_paths_start_at_the_configuration() {
    let directory = directory(&[
        (
            "handbell.toml",
            "[store]\ndirectory = \"state\"\n[discord]\ntoken = { file = \"token\" }\n",
        ),
        (
            "targets.toml",
            "[redis.cache]\naddress = \"unix://run/redis.sock\"\ntls = { ca = \"ca.pem\" }\n",
        ),
    ]);
    let config = load(Some(directory.path())).expect("sound");
    assert_eq!(config.store.directory, directory.path().join("state"));
    let token = Secret::File {
        path: directory.path().join("token"),
    };
    assert_eq!(config.discord.token, token);
    let cache = &config.targets.redis["cache"];
    assert_eq!(
        cache.address,
        ServerAddress::Unix(directory.path().join("run/redis.sock"))
    );
    let ca = cache.tls.as_ref().and_then(|tls| tls.ca.as_deref());
    assert_eq!(ca, Some(directory.path().join("ca.pem").as_path()));
}

#[test]
fn a_directory_that_is_none_is_said() {
    let missing = load(Some(Path::new("/nowhere/at/all"))).expect_err("there is none");
    assert!(missing.to_string().contains("there is no such directory"));
    assert!(missing.render(false).contains("handbell init"));
    let empty = directory(&[("notes.txt", "")]);
    let said = load(Some(empty.path()))
        .expect_err("it is empty")
        .to_string();
    assert!(said.contains("holds no configuration"), "{said}");
    let slip = errors(&[("handbell.toml", ""), ("target.toml", "")]);
    assert!(slip.contains("did you mean targets.toml?"), "{slip}");
}

#[test]
fn pages_of_the_directory_take_the_place_of_the_built_in_ones() {
    let directory = directory(&[
        ("commands/redis.toml", "a"),
        ("commands/other.toml", "b"),
        ("commands/x.txt", "c"),
    ]);
    let config = load(Some(directory.path())).expect("sound");
    let text = |name: &str| {
        config
            .pages
            .iter()
            .find(|page| page.file.ends_with(name))
            .map(|page| page.text.to_string())
    };
    assert_eq!(text("/redis.toml").as_deref(), Some("a"));
    assert_eq!(text("/other.toml").as_deref(), Some("b"));
    assert_eq!(text("x.txt"), None);
}

#[test]
fn neither_secrets_nor_personal_data_print() {
    let directory = directory(&[
        ("redis.password", "hunter2-hunter2\n"),
        (
            "targets.toml",
            "[redis.cache]\naddress = \"h:1\"\npassword = { file = \"redis.password\" }\n",
        ),
        (
            "oncall.toml",
            "[people.alice]\nname = \"Alice\"\nphone = \"+86 138 0013 8000\"\nemail = \"alice@example.com\"\n",
        ),
    ]);
    let config = load(Some(directory.path())).expect("sound");
    let printed = format!("{config:#?}");
    for hidden in ["hunter2", "138", "example.com"] {
        assert!(!printed.contains(hidden), "{hidden} prints");
    }
    let password = config.targets.redis["cache"]
        .password
        .as_ref()
        .expect("there");
    let value = password.read().expect("readable");
    assert!(!format!("{value:?}").contains("hunter2"));
    let alice = &config.oncall.people["alice"];
    assert_eq!(
        alice.phone.as_ref().map(Personal::reveal),
        Some("+86 138 0013 8000")
    );
}

#[test]
fn every_kind_of_target_is_read_with_its_mistakes() {
    let said = errors(&[(
        "targets.toml",
        "[mysql.db]\naddress = \"db\"\n\
         [host.server]\nendpoint = \"localhost\"\n\
         [service.web]\nunit = \"-x\"\n\
         [nginx.web]\nconfig = \"\"\n\
         [url.api]\nurl = \"https://user:hunter2@api.example.com/\"\nconnect = \"here\"\nresolvers = [\"dns\"]\n\
         [url.mail]\nurl = \"tcp://mail.example.com\"\n\
         [log.app]\nfile = \"app.log\"\ncontainer = { engine = \"engine\", name = \"app\" }\n\
         [wechatpay.shop]\nmerchant_id = \"x\"\nserial = \"xyz\"\n",
    )]);
    for expected in [
        "as in 127.0.0.1:3306",
        "the key `username` is missing",
        "a host is \"local\" or ssh://",
        "this is no name of a systemd unit",
        "there is a [service.web], too",
        "the path is empty",
        "a URL without a user and a password",
        "host:port, as in 127.0.0.1:8443",
        "a DNS server is an address",
        "tcp:// needs a port",
        "there is no [docker.engine] in this file",
        "a merchant's id is digits in quotes",
        "a serial number is hexadecimal digits",
        "the key `private_key` is missing",
        "neither is given",
    ] {
        assert!(said.contains(expected), "{expected:?} is not said:\n{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn paths_in_a_container_begin_at_its_root() {
    let engine = "[docker.engine]\nendpoint = \"unix:///d.sock\"\n";
    let log =
        "[log.app]\nfile = \"app.log\"\ncontainer = { engine = \"engine\", name = \"app\" }\n";
    let said = errors(&[("targets.toml", &format!("{engine}{log}"))]);
    assert!(
        said.contains("a path in a container begins with /"),
        "{said}"
    );
}
