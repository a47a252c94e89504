use super::{Entry, unpack};

fn block(name: &str, kind: u8, link: &str, body: &[u8]) -> Vec<u8> {
    let mut head = vec![0_u8; 512];
    head[..name.len()].copy_from_slice(name.as_bytes());
    let size = format!("{:011o}", body.len());
    head[124..124 + size.len()].copy_from_slice(size.as_bytes());
    head[156] = kind;
    head[157..157 + link.len()].copy_from_slice(link.as_bytes());
    let mut all = head;
    all.extend(body);
    all.resize(all.len().div_ceil(512) * 512, 0);
    all
}

#[test]
fn files_links_and_long_names_are_read() {
    let long = "conf.d/".to_owned() + &"x".repeat(120) + ".conf";
    let data = [
        block("nginx/", b'5', "", b""),
        block("nginx/nginx.conf", b'0', "", b"events {}\n"),
        block("nginx/modules", b'2', "/usr/lib/nginx/modules", b""),
        block("././@LongLink", b'L', "", long.as_bytes()),
        block("short", b'0', "", b"long"),
        vec![0; 1024],
    ]
    .concat();
    let found = unpack(&data, "/etc");
    assert_eq!(
        found.get("/etc/nginx/nginx.conf"),
        Some(&Entry::File(b"events {}\n".to_vec()))
    );
    assert_eq!(
        found.get("/etc/nginx/modules"),
        Some(&Entry::Link("/usr/lib/nginx/modules".to_owned()))
    );
    assert!(found.contains_key(&format!("/etc/{long}")));
    assert_eq!(found.len(), 3);
}

#[test]
fn an_archive_that_is_cut_or_rubbish_gives_what_is_whole() {
    let whole = [
        block("a", b'0', "", b"one"),
        block("b", b'0', "", &[7; 2_000]),
    ]
    .concat();
    for length in 0..whole.len() {
        let found = unpack(&whole[..length], "");
        assert!(found.len() <= 2);
    }
    let rubbish: Vec<u8> = (0..10_000_u32)
        .map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap_or(0))
        .collect();
    unpack(&rubbish, "");
}
