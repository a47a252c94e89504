use super::{Plain, settings};

fn texts(script: &str) -> Vec<(String, String)> {
    let found = settings(script)
        .into_iter()
        .filter_map(|it| match it.value {
            Plain::Text(text) => Some((it.blocks.last().cloned().unwrap_or_default(), text)),
            _ => None,
        });
    found.collect()
}

#[test]
fn comments_are_no_settings() {
    let script = "
        // API_BASE_URL: 'http://localhost:8000',
        /* API_BASE_URL: 'http://old.mall.com' */
        const config = { API_BASE_URL: 'https://api.mall.com/api/v1', TIMEOUT: 10_000, CHECK: false }";
    let one = (
        "config".to_owned(),
        "https://api.mall.com/api/v1".to_owned(),
    );
    assert_eq!(texts(script), [one]);
    let all = settings(script);
    assert_eq!(all[1].value, Plain::Number(10_000));
    assert_eq!(all[2].value, Plain::Truth(false));
}

#[test]
fn blocks_are_told() {
    let script = "module.exports = { develop: { API_BASE_URL: \"http://127.0.0.1\" },
        'release': { API_BASE_URL: `https://api.mall.com` } }; const API_BASE_URL = 'x'";
    let found: Vec<String> = texts(script).into_iter().map(|(block, _)| block).collect();
    assert_eq!(found, ["develop", "release", ""]);
}

#[test]
fn the_owners_of_a_member_are_its_blocks() {
    let script = "const a = { release: {} }; a.release.API_BASE_URL = 'x'; API_BASE_URL = 'y'";
    let blocks: Vec<Vec<String>> = settings(script).into_iter().map(|it| it.blocks).collect();
    assert_eq!(
        blocks,
        [vec!["a".to_owned(), "release".to_owned()], Vec::new()]
    );
}

#[test]
fn what_is_cut_short_ends() {
    for script in ["", "{", "}}}", "a: '", "/* never", "`${x", "a:\\"] {
        let _ = settings(script);
    }
}
