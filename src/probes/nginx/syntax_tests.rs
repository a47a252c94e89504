use std::collections::BTreeMap;

use super::read;

fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn upstreams_are_found_through_includes_and_quotes() {
    let files = files(&[
        (
            "/etc/nginx/nginx.conf",
            "events {}\nhttp {\n  # server ignored:1;\n  include conf.d/*.conf;\n  include /srv/extra/*.conf;\n  include gone.conf;\n}\n",
        ),
        (
            "/etc/nginx/conf.d/shop.conf",
            "upstream mall_backend {\n  server backend-1:8000 max_fails=3;\n  server backend-2:8000 backup;\n  server \"unix:/run/app.sock\";\n}\nupstream unused { server nobody:1; }\nserver {\n  listen 443 ssl; listen [::]:80;\n  if ($bad ~ \"a{2}\") { return 403; }\n  location / { proxy_pass http://mall_backend; }\n  location /static { proxy_pass https://cdn.example.com/static; }\n  location /x { proxy_pass http://${name}; }\n  location ~ ^/d{3}$ { fastcgi_pass 127.0.0.1:9000; }\n}\n",
        ),
        (
            "/etc/nginx/conf.d/.hidden.conf",
            "server { location / { proxy_pass http://hidden:1; } }",
        ),
    ]);
    let config = read("/etc/nginx/nginx.conf", &files);
    let all: Vec<(&str, usize, bool)> = config
        .upstreams
        .iter()
        .map(|one| (one.address.as_str(), one.line, one.spare))
        .collect();
    assert_eq!(
        all,
        [
            ("cdn.example.com:443", 11, false),
            ("127.0.0.1:9000", 13, false),
            ("backend-1:8000", 2, false),
            ("backend-2:8000", 3, true),
            ("unix:/run/app.sock", 4, false),
        ]
    );
    assert_eq!(config.variable, 1);
    assert_eq!(
        config.listens.iter().copied().collect::<Vec<_>>(),
        [80, 443]
    );
    assert_eq!(
        config.missing,
        ["/etc/nginx/nginx.conf:6: /etc/nginx/gone.conf"]
    );
    assert!(config.elsewhere.contains("/srv/extra"));
}

#[test]
fn what_is_spoken_there_and_what_is_marked_down_is_known() {
    let text = "http { upstream a { server a-1:80 down; server a-2:80 down backup; }
        upstream b { server b:80; } upstream c { server c:80; }
        server { location / { proxy_pass http://a; } location /b { proxy_pass http://b; }
        location /c { proxy_pass https://c; } location /bb { grpc_pass grpc://b; }
        location /d { proxy_pass http://d:1; } location /e { fastcgi_pass e:1; } } }";
    let config = read("/n/a", &files(&[("/n/a", text)]));
    let all: Vec<(&str, bool, bool)> = config
        .upstreams
        .iter()
        .map(|one| (one.address.as_str(), one.down, one.plain_http))
        .collect();
    assert_eq!(
        all,
        [
            ("d:1", false, true),
            ("e:1", false, false),
            ("a-1:80", true, true),
            ("a-2:80", true, true),
            ("b:80", false, false),
            ("c:80", false, false),
        ]
    );
}

#[test]
fn rubbish_and_circles_end() {
    let files = files(&[
        ("/n/a", "include b; { } } ; \" ' unended"),
        ("/n/b", "include a; include b; upstream { server"),
    ]);
    let config = read("/n/a", &files);
    assert!(config.files > 2 && config.upstreams.is_empty());
    read("/n/none", &BTreeMap::new());
}
