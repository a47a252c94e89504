use serde_json::json;

use super::*;

fn report(evidence: &str) -> Value {
    json!({
        "runbook": "redis", "verdict": "critical", "page": "abc", "duration_ms": 12,
        "checks": [{"id": "memory", "title": "Memory", "verdict": "critical", "say": "full",
            "facts": {"used_memory_bytes": 7}, "evidence": evidence}],
    })
}

fn bytes(files: &Files) -> usize {
    files.all.iter().map(|file| file.text.len()).sum()
}

#[test]
fn what_fits_is_whole() {
    let files = Attachable::evidence(report("line\n"), 3, Lang::En, 100_000).files();
    assert!(files.whole);
    assert_eq!(files.all.len(), 2);
    assert!(
        files.all[0].text.contains("used\\_memory\\_bytes")
            || files.all[0].text.contains("used_memory_bytes")
    );
    assert!(!files.all[1].text.contains("shortened"));
}

#[test]
fn what_is_too_large_is_cut_to_the_limit_and_says_so_in_each_file() {
    for text in [
        "a line of evidence\n".repeat(4_000),
        "内存已满，".repeat(9_000),
    ] {
        for (lang, said) in [(Lang::En, "cut here"), (Lang::Zh, "此处截断")] {
            for limit in [3_000, 10_001, 60_000] {
                let files = Attachable::evidence(report(&text), 3, lang, limit).files();
                assert!(!files.whole);
                assert!(bytes(&files) <= limit, "{} > {limit}", bytes(&files));
                let markdown = &files.all[0].text;
                assert!(
                    markdown.contains("redis") && markdown.contains(said),
                    "{markdown}"
                );
                assert!(markdown.contains("handbell history 3"), "{markdown}");
                let json: Value = serde_json::from_str(&files.all[1].text).expect("JSON");
                assert_eq!(json["checks"][0]["facts"]["used_memory_bytes"], 7);
                let note = json["shortened"].as_str().expect("the cut is said");
                assert!(note.contains("handbell history 3"), "{note}");
            }
        }
    }
}

#[test]
fn where_not_even_a_cut_report_fits_the_text_goes_alone() {
    let files = Attachable::evidence(report(&"x".repeat(9_000)), 3, Lang::En, 400).files();
    assert_eq!(files.all.len(), 1);
    assert!(!files.whole && bytes(&files) <= 400);
    let page = Attachable::page("redis", "word\n".repeat(500), Lang::En, 1_000).files();
    assert!(!page.whole && bytes(&page) <= 1_000);
    assert!(page.all[0].text.contains("handbell handbook show redis"));
}
