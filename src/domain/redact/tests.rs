use super::*;

fn clean(text: &str) -> String {
    Redactor::default().clean(text)
}

#[test]
fn what_looks_like_a_secret_is_cut_and_its_name_stays() {
    for (text, cleaned) in [
        ("password=hunter2", "password=[secret]"),
        ("Password: hunter2, user=x", "Password: [secret], user=x"),
        (
            r#"{"password":"hunter2","port":6379}"#,
            r#"{"password":"[secret]","port":6379}"#,
        ),
        (
            r#"{\"password\":\"hunter2\"}"#,
            r#"{\"password\":\"[secret]\"}"#,
        ),
        ("DB_PASSWORD='hunter 2'", "DB_PASSWORD='[secret]'"),
        (
            "MYSQL_ROOT_PASSWORD=hunter2 PATH=/bin",
            "MYSQL_ROOT_PASSWORD=[secret] PATH=/bin",
        ),
        ("REDISCLI_AUTH=hunter2", "REDISCLI_AUTH=[secret]"),
        ("secret => hunter2", "secret => [secret]"),
        ("?token=hunter2&page=2", "?token=[secret]&page=2"),
        ("X-Api-Key: hunter2", "X-Api-Key: [secret]"),
        ("requirepass hunter2", "requirepass [secret]"),
        (
            "config set requirepass \"hunter2\"",
            "config set requirepass \"[secret]\"",
        ),
        (
            r#"["redis-server","--requirepass","hunter2"]"#,
            r#"["redis-server","--requirepass","[secret]"]"#,
        ),
        ("masterauth hunter2", "masterauth [secret]"),
        ("AUTH hunter2", "AUTH [secret]"),
        ("AUTH default hunter2", "AUTH [secret] [secret]"),
        (
            r#""AUTH" "default" "hunter2""#,
            r#""AUTH" [secret] [secret]"#,
        ),
        (
            "HELLO 3 AUTH default hunter2",
            "HELLO 3 AUTH [secret] [secret]",
        ),
        ("AUTH hunter2 was refused", "AUTH [secret] was refused"),
        (
            "redis-cli -h x -a hunter2 ping",
            "redis-cli -h x -a [secret] ping",
        ),
        (
            r#"["redis-cli","-a","hunter2","ping"]"#,
            r#"["redis-cli","-a","[secret]","ping"]"#,
        ),
        (
            "redis-cli --pass hunter2 ping",
            "redis-cli --pass [secret] ping",
        ),
        (
            "redis://user:hunter2@10.0.0.1:6379/0",
            "redis://user:[secret]@10.0.0.1:6379/0",
        ),
        (
            "redis://:hunter2@cache:6379",
            "redis://:[secret]@cache:6379",
        ),
        (
            "mysql://root:hun@ter2@db/mall",
            "mysql://root:[secret]@db/mall",
        ),
        (
            "Authorization: Bearer abc.def-123456",
            "Authorization: Bearer [secret]",
        ),
        (
            "authorization: Basic dXNlcjpwYXNz",
            "authorization: Basic [secret]",
        ),
        ("sent bearer 0123456789abcdef", "sent bearer [secret]"),
        ("key AKIAIOSFODNN7EXAMPLE used", "key [key] used"),
        ("ghp_0123456789012345678901234567890123456", "[key]"),
        (
            "password \"hunter2\" refused",
            "password \"[secret]\" refused",
        ),
        ("密码：hunter2", "密码：[secret]"),
    ] {
        assert_eq!(clean(text), cleaned, "of {text:?}");
    }
}

#[test]
fn tokens_and_keys_are_cut_whole() {
    let discord = format!("{}.{}.{}", "MTE2".repeat(6), "GabcdE", "x_Y-z".repeat(7));
    assert_eq!(
        clean(&format!("token {discord} refused")),
        "token [token] refused"
    );
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
    assert_eq!(clean(jwt), "[token]");
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7\n";
    let pem = format!("a\n-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\nb");
    assert_eq!(clean(&pem), "a\n[private key]\nb");
    let cut = format!("a\n-----BEGIN RSA PRIVATE KEY-----\n{body}");
    assert_eq!(clean(&cut), "a\n[private key]");
    let tail = format!("{body}-----END PRIVATE KEY-----\nb");
    assert_eq!(clean(&tail), "[private key]\nb");
}

#[test]
fn personal_data_keeps_only_a_part() {
    for (text, cleaned) in [
        ("user 13800138000 logged in", "user 138****8000 logged in"),
        ("call +86 138 0013 8000 now", "call +86 138****8000 now"),
        ("phone=13800138000", "phone=138****8000"),
        ("手机：13800138000。", "手机：138****8000。"),
        (r#"{"mobile":"13800138000"}"#, r#"{"mobile":"138****8000"}"#),
        ("sms:13800138000", "sms:138****8000"),
        ("138-0013-8000", "138****8000"),
        ("alice.bob@example.com wrote", "a***@example.com wrote"),
        ("<ops@mall.example.cn>", "<o***@mall.example.cn>"),
        (
            "transaction 4200001234202611221234567890 paid",
            "transaction 4200****7890 paid",
        ),
        ("id 11010519491231002X", "id 110105************"),
    ] {
        assert_eq!(clean(text), cleaned, "of {text:?}");
    }
}

#[test]
fn ordinary_lines_stay_as_they_are() {
    for text in [
        "1:M 22 Nov 2026 10:00:00.123 * Ready to accept connections tcp",
        "1:C 22 Nov 2026 10:00:00.001 # WARNING Memory overcommit must be enabled!",
        "1:M 22 Nov 2026 10:00:00.001 * Background saving terminated with success",
        "1:M 22 Nov 2026 10:00:00.001 # Can't save in background: fork: Cannot allocate memory",
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "NOAUTH Authentication required.",
        "WRONGPASS invalid username-password pair or user is disabled.",
        "ERR AUTH <password> called without any password configured for the default user.",
        "Client sent AUTH, but no password is set",
        "AUTH failed: WRONGPASS",
        "the AUTH command was refused",
        "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis.",
        "used_memory:17179869184",
        "used_memory_rss:13958643712",
        "maxmemory:17179869184\r\nmaxmemory_human:16.00G",
        "maxmemory = 17179869184",
        "17179869184 bytes of 18253611008 bytes",
        "memory usage: 17179869184",
        "total_commands_processed:18446744073",
        "master_repl_offset:15032385536",
        "uptime_in_seconds:86400",
        "run_id:0123456789abcdef0123456789abcdef01234567",
        "executable:/usr/bin/redis-server",
        "1700000000 1700000000000 1700000000000000",
        "127.0.0.1:6379> SET user:42:cart x",
        "key mall:cache:product:1234567 has 3 fields",
        "session:0123456789abcdef",
        "KEYS *:cache:*",
        "redis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "container 4f66ad9a0b2e of mall_redis_master, exit code 137",
        "ssh://ops@host.example.com:22 can't be reached",
        "tcp://10.0.0.1:2376",
        "unix:///var/run/docker.sock",
        "password: <none>",
        "\"password\": null",
        "password_file=/run/secrets/redis",
        "max_tokens_total: 5",
        "acl_access_denied_auth:0",
        "Discord guild 100000000000000001, channel 100000000000000002",
        "20261122T100000Z 2026-11-22T10:00:00.123456789Z",
        "the environment variable HANDBELL_DISCORD_TOKEN is not set",
        "docker ps -a --format x",
        "已使用内存 16 GiB，超过上限；请检查 maxmemory。",
        "cmdstat_get:calls=12345678901,usec=13800138000,usec_per_call=1.12",
        "db0:keys=13800138000,expires=0,avg_ttl=0",
        "",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn configured_secrets_are_cut_in_every_form() {
    let secret = "s3cr3t+p@ss/w\"rd";
    let redactor = Redactor::new([secret]);
    let base64 = |text: &str| {
        // `Authorization: Basic` of user:secret, as curl sends it.
        match text {
            "user" => "dXNlcjpzM2NyM3QrcEBzcy93InJk",
            _ => "eDpzM2NyM3QrcEBzcy93InJk",
        }
    };
    for text in [
        secret.to_owned(),
        format!("x{secret}y"),
        "s3cr3t%2Bp%40ss%2Fw%22rd".to_owned(),
        "s3cr3t%2bp%40ss%2fw%22rd".to_owned(),
        r#"{"x":"s3cr3t+p@ss/w\"rd"}"#.to_owned(),
        base64("user").to_owned(),
        base64("x").to_owned(),
    ] {
        let cleaned = redactor.clean(&text);
        assert!(cleaned.contains(MARK), "{text:?} stayed {cleaned:?}");
        for part in ["s3cr3t", "zM2NyM3"] {
            assert!(!cleaned.contains(part), "{text:?} shows {cleaned:?}");
        }
    }
}

#[test]
fn a_short_secret_is_cut_as_a_word_only() {
    let redactor = Redactor::new(["6379", "abc", ""]);
    assert_eq!(redactor.clean("pass 6379."), "pass [secret].");
    assert_eq!(redactor.clean("port 16379, abc"), "port 16379, abc");
}

#[test]
fn every_line_of_a_long_secret_is_cut() {
    let redactor = Redactor::new(["first-line-of-key\nsecond-line-of-key"]);
    assert_eq!(redactor.clean("log: second-line-of-key"), "log: [secret]");
}

#[test]
fn it_cannot_print_what_it_knows() {
    let redactor = Redactor::new(["hunter2-hunter2"]);
    assert_eq!(format!("{redactor:?}"), "Redactor");
}

#[test]
fn cleaning_twice_is_cleaning_once() {
    for text in [
        "password=hunter2 13800138000 a@b.cn redis://u:p@h AUTH x y",
        "requirepass x masterauth y -a z",
    ] {
        let once = clean(text);
        assert_eq!(clean(&once), once);
    }
}

#[test]
fn what_is_learned_later_is_known_to_all_clones_beside_what_was_known() {
    let redactor = Redactor::new(["the-first-password"]);
    let clone = redactor.clone();
    redactor.learn(["the-second-password", "the-first-password"]);
    assert_eq!(
        clone.clean("the-first-password, the-second-password"),
        "[secret], [secret]"
    );
}
