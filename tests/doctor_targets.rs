//! `handbell doctor` walks every configured target and says how to mend what is wrong with it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test's own helpers; a failure is a panic"
)]

mod binary;

use binary::{Home, nobody, serve};
use serde_json::Value;

/// What doctor says of targets, in its order.
fn targets(home: &Home) -> Vec<Value> {
    let said = home.run(&["doctor", "--no-discord", "--json"]).json();
    let all = said["checkups"].as_array().expect("a list").clone();
    all.into_iter()
        .filter(|one| one["area"] == "target")
        .collect()
}

/// The line of `target` from `probe`.
#[track_caller]
fn line<'a>(all: &'a [Value], target: &str, probe: &str) -> &'a Value {
    let subject = format!("{target} ({probe})");
    all.iter()
        .find(|one| one["subject"] == subject.as_str())
        .unwrap_or_else(|| panic!("nothing is said of {subject}: {all:#?}"))
}

#[track_caller]
fn is(one: &Value, state: &str, say: &str, mend: &str) {
    assert_eq!(one["state"], state, "{one:#}");
    let has = |key: &str, part: &str| one[key].as_str().unwrap_or_default().contains(part);
    assert!(has("say", say), "{say:?} is not said: {one:#}");
    assert!(has("mend", mend), "{mend:?} is not advised: {one:#}");
}

/// A server that answers every request with this status.
fn web(status: &'static str) -> std::net::SocketAddr {
    serve(move |_| {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        Some(answer.into_bytes())
    })
}

#[test]
fn every_kind_of_target_has_its_line_and_its_own_advice() {
    let dead = nobody();
    let (well, ill) = (web("200 OK"), web("502 Bad Gateway"));
    let home = Home::new(&[]);
    home.write("mall.log", "2026-11-01 12:00:00 started\n");
    home.write("private.key", "no key at all\n");
    home.write("public.pem", "no key at all\n");
    let here = home.config();
    let here = here.display();
    home.write(
        "targets.toml",
        &format!(
            "[docker.engine]\nendpoint = \"unix:///nowhere/docker.sock\"\n\
             [redis.cache]\naddress = \"{dead}\"\n\
             [mysql.db]\naddress = \"{dead}\"\nusername = \"handbell\"\n\
             [host.server]\nendpoint = \"local\"\n\
             [service.backend]\nlog = \"{here}/backend.log\"\n\
             [nginx.web]\nconfig = \"{here}/nginx.conf\"\nerror_log = \"{here}/error.log\"\n\
             [url.api]\nurl = \"http://{dead}/health\"\n\
             [url.shop]\nurl = \"http://{well}/\"\n\
             [url.backend-health]\nurl = \"http://{ill}/health\"\n\
             [url.socket]\nurl = \"tcp://{dead}\"\n\
             [log.mall]\nfile = \"{here}/mall.log\"\n\
             [log.missing]\nfile = \"{here}/no-such.log\"\n\
             [wechatpay.merchant]\nmerchant_id = \"1900000109\"\nserial = \"4841\"\nurl = \"http://{dead}\"\n\
             private_key = {{ file = \"private.key\" }}\n\
             public_key = {{ id = \"PUB_KEY_ID_01\", file = \"public.pem\" }}\n"
        ),
    );
    let all = targets(&home);

    is(
        line(&all, "engine", "docker.engine"),
        "wrong",
        "/nowhere/docker.sock",
        "[docker.engine]",
    );
    is(
        line(&all, "cache", "redis.ping"),
        "wrong",
        "refused",
        "[redis.cache]",
    );
    let db = line(&all, "db", "mysql.ping");
    is(db, "wrong", "refused", "whether MySQL runs and listens");
    is(db, "wrong", &dead.to_string(), "[mysql.db] in targets.toml");
    is(line(&all, "server", "host.reachable"), "sound", "ok", "");
    is(
        line(&all, "backend", "log.search"),
        "wrong",
        "backend.log",
        "[service.backend]",
    );
    is(
        line(&all, "web", "nginx.status"),
        "wrong",
        "stopped",
        "whether nginx runs",
    );
    is(
        line(&all, "web", "log.search"),
        "wrong",
        "error.log",
        "error_log of [nginx.web]",
    );
    is(
        line(&all, "api", "http.get"),
        "wrong",
        "refused",
        "[url.api]",
    );
    is(line(&all, "shop", "http.get"), "sound", "status 200", "");
    is(
        line(&all, "backend-health", "http.get"),
        "notice",
        "status 502",
        "is the program behind it well",
    );
    is(
        line(&all, "socket", "tcp.connect"),
        "wrong",
        "refused",
        "[url.socket]",
    );
    is(line(&all, "mall", "log.search"), "sound", "mall.log", "");
    is(
        line(&all, "missing", "log.search"),
        "wrong",
        "no-such.log",
        "file of [log.missing] in targets.toml is the right path",
    );
    is(
        line(&all, "merchant", "wechatpay.ready"),
        "wrong",
        "private-key",
        "merchant_id, serial, private_key",
    );
    let told = home.run(&["doctor", "--no-discord"]).ended(1);
    assert!(!told.out.contains("All is well"), "{}", told.out);
}

#[test]
fn a_container_is_asked_after_beside_the_server_in_it() {
    let dead = nobody();
    let home = Home::new(&[(
        "targets.toml",
        &format!(
            "[docker.engine]\nendpoint = \"unix:///nowhere/docker.sock\"\n\
             [mysql.db]\naddress = \"{dead}\"\nusername = \"handbell\"\ncontainer = {{ engine = \"engine\", name = \"mall_db\" }}\n\
             [service.backend]\ncontainer = {{ engine = \"engine\", name = \"mall_backend\" }}\n"
        ),
    )]);
    let all = targets(&home);
    for (target, container) in [("db", "mall_db"), ("backend", "mall_backend")] {
        is(
            line(&all, target, "docker.container"),
            "wrong",
            "docker.sock",
            &format!("docker start {container}"),
        );
    }
    line(&all, "db", "mysql.ping");
}

#[test]
fn a_target_that_a_page_lacks_is_named_with_the_table_that_it_belongs_to() {
    let page = |probe: &str, prevent: &str| {
        format!(
            "[runbook]\nid = \"extra\"\nsection = \"9.9\"\ntitle = {{ en = \"Extra\", zh = \"附加\" }}\n\
             symptom = {{ en = \"Something\", zh = \"某事\" }}\nseverity = \"P3\"\nowner = \"ops\"\nreviewed = 2026-11-01\n\
             [[check]]\nid = \"first\"\ntitle = {{ en = \"First\", zh = \"第一\" }}\nprobe = \"{probe}\"\ntarget = \"here\"\n\
             [[check.rule]]\nwhen = \"state == 'ok'\"\nverdict = \"ok\"\nsay = {{ en = \"fine\", zh = \"正常\" }}\n\
             [[check.rule]]\nwhen = \"true\"\nverdict = \"critical\"\ncause = \"extra.broken\"\nsay = {{ en = \"broken\", zh = \"故障\" }}\n{prevent}"
        )
    };
    let prevent = "[[prevent]]\nid = \"later\"\ntitle = { en = \"Later\", zh = \"以后\" }\nprobe = \"mysql.ping\"\ntarget = \"warehouse\"\n\
         [[prevent.rule]]\nwhen = \"state == 'ok'\"\nverdict = \"ok\"\nsay = { en = \"fine\", zh = \"正常\" }\n\
         [[prevent.rule]]\nwhen = \"true\"\nverdict = \"warning\"\ncause = \"extra.later\"\nsay = { en = \"later\", zh = \"以后\" }\n";
    let home = Home::new(&[("targets.toml", "[host.here]\nendpoint = \"local\"\n")]);
    home.write("commands/extra.toml", &page("host.reachable", prevent));
    let ran = home.run(&["doctor", "--no-discord"]).ended(1);
    ran.says("the target warehouse, which targets.toml does not name")
        .says("add it to targets.toml as [mysql.warehouse]");
    home.write("commands/extra.toml", &page("mysql.ping", ""));
    home.run(&["doctor", "--no-discord"])
        .ended(1)
        .says("the target here, which targets.toml has as [host.here]")
        .says("name it in targets.toml as [mysql.here]");
}
