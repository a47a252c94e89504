//! The handbook engine through its front door: pages in, a handbook or sentences out.

use handbell::{
    domain::{
        document,
        handbook::{ArgValue, Handbook, parse},
    },
    probes,
};

fn page(name: &str) -> String {
    let path = format!("{}/tests/handbook/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn a_good_page_is_read_whole() {
    let text = page("good/cache.toml");
    let page = parse("cache.toml", &text, probes::catalog())
        .unwrap_or_else(|problems| panic!("{}", document::render(&problems, false)));
    assert_eq!(page.checks.len(), 4);
    assert_eq!(
        page.checks[3].args["slower_than"],
        ArgValue::Param("slow_ms".to_owned())
    );
    assert_eq!(page.manual[0].id.as_str(), "review-keys");
    assert_eq!(page.hash.len(), 64);
    let handbook = Handbook::load([("cache.toml", &text)], probes::catalog()).unwrap();
    assert!(handbook.page("cache").is_some());
}
