use super::{kind_of, upstream_of};

#[test]
fn complaints_are_told_apart() {
    for (line, kind) in [
        (
            "2026/11/22 20:15:00 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 172.18.0.1, server: api.mall.com, request: \"GET / HTTP/1.1\", upstream: \"http://172.18.0.3:8000/\", host: \"x\"",
            "refused",
        ),
        (
            "[error] 29#29: *7 upstream timed out (110: Connection timed out) while connecting to upstream, client",
            "connect_timeout",
        ),
        (
            "[error] 29#29: *7 upstream timed out (110: Connection timed out) while reading response header from upstream",
            "read_timeout",
        ),
        (
            "[error] 29#29: *7 upstream prematurely closed connection while reading response header from upstream",
            "closed",
        ),
        (
            "[error] 29#29: *7 recv() failed (104: Connection reset by peer) while reading response header from upstream",
            "closed",
        ),
        (
            "[error] 29#29: *7 no live upstreams while connecting to upstream",
            "no_live",
        ),
        (
            "[error] 29#29: *7 connect() failed (113: No route to host) while connecting to upstream",
            "unreachable",
        ),
        (
            "[error] 29#29: *7 mall could not be resolved (3: Host not found)",
            "unresolved",
        ),
        (
            "[crit] 29#29: *7 SSL_do_handshake() failed (SSL: error:0A000102) while SSL handshaking, client: 1.2.3.4",
            "client_ssl",
        ),
        (
            "[error] 29#29: *7 SSL_do_handshake() failed (SSL: error) while SSL handshaking to upstream",
            "upstream_ssl",
        ),
        (
            "[crit] 29#29: accept4() failed (24: Too many open files)",
            "too_many_files",
        ),
        (
            "[alert] 29#29: 512 worker_connections are not enough",
            "connections",
        ),
        (
            "[crit] 29#29: *1 pwrite() \"/var/x\" failed (28: No space left on device)",
            "disk_full",
        ),
        (
            "[error] 29#29: *7 limiting requests, excess: 5.690 by zone \"one\", client: 1.2.3.4",
            "limited",
        ),
        (
            "[error] 29#29: *7 limiting connections by zone \"addr\", client: 1.2.3.4",
            "limited",
        ),
        (
            "[error] 29#29: *7 client intended to send too large body: 9 bytes, client: 1.2.3.4",
            "too_big",
        ),
        (
            "[alert] 1#1: worker process 30 exited on signal 11",
            "crashed",
        ),
        (
            "[error] 29#29: *1 open() \"/usr/share/nginx/html/x\" failed (2: No such file or directory)",
            "missing_file",
        ),
        ("[error] 29#29: something new", "other"),
    ] {
        assert_eq!(kind_of(line), kind, "{line}");
    }
}

#[test]
fn the_upstream_is_named() {
    let line = "… upstream: \"http://172.18.0.3:8000/api?x=1\", host: \"y\"";
    assert_eq!(upstream_of(line), Some("172.18.0.3:8000"));
    assert_eq!(upstream_of("nothing"), None);
}
