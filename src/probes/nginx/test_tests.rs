use super::told;
use crate::domain::diagnosis::Value;

fn facts(said: &str, source: &str) -> (String, String, String) {
    let facts = told(said, false, source).facts;
    let text = |name: &str| match &facts[name] {
        Value::Text(text) => text.clone(),
        other => other.to_string(),
    };
    (
        text("state"),
        text("kind"),
        format!("{} {}", text("file"), text("line")),
    )
}

#[test]
fn what_nginx_says_is_taken_apart() {
    for (said, source, state, kind, place) in [
        (
            "nginx: [emerg] unknown directive \"proxy_pas\" in /etc/nginx/conf.d/a b.conf:12\nnginx: configuration file /etc/nginx/nginx.conf test failed\n",
            "test",
            "invalid",
            "syntax",
            "/etc/nginx/conf.d/a b.conf 12",
        ),
        (
            "nginx: [emerg] host not found in upstream \"backend-1:8000\" in /etc/nginx/nginx.conf:20",
            "test",
            "invalid",
            "host-not-found",
            "/etc/nginx/nginx.conf 20",
        ),
        (
            "2026/11/22 20:15:00 [emerg] 1#1: unexpected \"}\" in /etc/nginx/nginx.conf:7",
            "log",
            "invalid",
            "syntax",
            "/etc/nginx/nginx.conf 7",
        ),
        (
            "nginx: [emerg] cannot load certificate \"/etc/nginx/x.pem\": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory)",
            "test",
            "invalid",
            "certificate",
            "none none",
        ),
        (
            "nginx: [emerg] open() \"/etc/nginx/gone.conf\" failed (2: No such file or directory) in /etc/nginx/nginx.conf:3",
            "test",
            "invalid",
            "file-missing",
            "/etc/nginx/nginx.conf 3",
        ),
        (
            "nginx: [alert] could not open error log file: open() \"/var/log/nginx/error.log\" failed (13: Permission denied)\nnginx: [emerg] open() \"/run/nginx.pid\" failed (13: Permission denied)",
            "test",
            "denied",
            "none",
            "none none",
        ),
        ("", "log", "not-running", "none", "none none"),
        ("", "test", "no-program", "none", "none none"),
    ] {
        assert_eq!(
            facts(said, source),
            (state.to_owned(), kind.to_owned(), place.to_owned()),
            "{said}"
        );
    }
}
