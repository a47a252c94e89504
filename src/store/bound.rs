//! How large a record may be.

use serde_json::Value;

/// Largest report that is kept, in bytes of JSON. Our own choice: a page of 25 checks with 10 KiB
/// of evidence each, and a year of a thousand diagnoses a day stays under 100 GB.
pub const MAX_REPORT_BYTES: usize = 256 * 1024;

/// Evidence that each check keeps when the whole is too long, in bytes: the first of these with
/// which it fits. Facts are kept longer, since later reports are compared with them.
const KEPT_EVIDENCE_BYTES: [usize; 3] = [4 * 1024, 1024, 128];

/// `report` as JSON text of at most [`MAX_REPORT_BYTES`]: when it is longer, each check's evidence
/// is cut to its end, which is where a log says what happened last; when that is not enough,
/// the facts go, too. What was cut is said.
pub(super) fn report_text(report: &Value) -> String {
    let text = report.to_string();
    if text.len() <= MAX_REPORT_BYTES {
        return text;
    }
    let mut report = report.clone();
    for kept in KEPT_EVIDENCE_BYTES {
        for_each_check(&mut report, |check| {
            if let Some(Value::String(evidence)) = check.get_mut("evidence") {
                *evidence = tail(evidence, kept);
            }
        });
        let text = report.to_string();
        if text.len() <= MAX_REPORT_BYTES {
            return text;
        }
    }
    for_each_check(&mut report, |check| {
        check.insert("facts".to_owned(), Value::Object(serde_json::Map::new()));
        check.insert(
            "evidence".to_owned(),
            Value::String("[cut: the report was too long to keep]".to_owned()),
        );
    });
    let text = report.to_string();
    if text.len() <= MAX_REPORT_BYTES {
        return text;
    }
    serde_json::json!({
        "runbook": report["runbook"],
        "page": report["page"],
        "verdict": report["verdict"],
        "duration_ms": report["duration_ms"],
        "cut": format!("the report had {} bytes; at most {MAX_REPORT_BYTES} are kept", text.len()),
    })
    .to_string()
}

fn for_each_check(report: &mut Value, change: impl Fn(&mut serde_json::Map<String, Value>)) {
    let checks = report.get_mut("checks").and_then(Value::as_array_mut);
    for check in checks.into_iter().flatten() {
        if let Some(check) = check.as_object_mut() {
            change(check);
        }
    }
}

fn tail(text: &str, kept: usize) -> String {
    if text.len() <= kept {
        return text.to_owned();
    }
    let mut from = text.len() - kept;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let (cut, rest) = text.split_at(from);
    format!("[{} bytes cut]\n{rest}", cut.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_report_is_kept_as_it_is() {
        let report = serde_json::json!({"runbook": "redis", "checks": [{"evidence": "x"}]});
        assert_eq!(report_text(&report), report.to_string());
    }

    #[test]
    fn long_evidence_keeps_its_end_and_says_what_was_cut() {
        let evidence = format!("{}the last line", "é\n".repeat(200_000));
        let report =
            serde_json::json!({"verdict": "ok", "checks": [{"id": "logs", "evidence": evidence}]});
        let text = report_text(&report);
        assert!(text.len() <= MAX_REPORT_BYTES);
        assert!(text.contains("the last line") && text.contains("bytes cut]"));
    }

    #[test]
    fn whatever_comes_is_bounded() {
        let facts: Vec<String> = (0..50_000).map(|n| format!("key:{n}")).collect();
        let report = serde_json::json!({"verdict": "ok", "checks": [{"facts": {"keys": facts}, "say": "s"}]});
        let text = report_text(&report);
        assert!(text.len() <= MAX_REPORT_BYTES);
        assert!(text.contains("too long to keep"));
        let report = serde_json::json!({"verdict": "ok", "other": facts});
        assert!(report_text(&report).len() <= MAX_REPORT_BYTES);
    }
}
