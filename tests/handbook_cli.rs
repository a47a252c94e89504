//! `handbell handbook …` and `handbell probes` as a person types them; and the files that they
//! write for the repository are current.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which may panic"
)]

use std::process::Command;

struct Ran {
    out: String,
    err: String,
    code: Option<i32>,
}

fn handbell(args: &[&str]) -> Ran {
    let empty = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_handbell"))
        .args(args)
        .env_clear()
        .env("HOME", empty.path())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    Ran {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

fn file(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_pages_in_use_are_clean() {
    let ran = handbell(&["handbook", "lint"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("no errors"), "{}", ran.err);
}

#[test]
fn a_bad_page_is_told_with_line_column_and_caret() {
    let page = "tests/handbook/bad/unknown-fact.toml";
    let ran = handbell(&["handbook", "lint", page]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains(&format!("--> {page}:19:11")),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("^^^^^^^^^^^"), "{}", ran.err);
    assert!(
        ran.err.contains("did you mean `used_memory_bytes`?"),
        "{}",
        ran.err
    );
    assert!(ran.err.ends_with("1 error\n"), "{}", ran.err);
}

#[test]
fn warnings_fail_only_when_they_are_denied() {
    let page = "tests/handbook/bad/mixed-units.toml";
    let ran = handbell(&["handbook", "lint", page]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("warning:"), "{}", ran.err);
    let ran = handbell(&["handbook", "lint", page, "--deny-warnings"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
}

#[test]
fn all_pages_of_a_directory_are_told_in_one_run() {
    let ran = handbell(&["handbook", "lint", "tests/handbook/bad/every-page-is-read"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("alpha.toml:6:11"), "{}", ran.err);
    assert!(ran.err.contains("beta.toml:18:11"), "{}", ran.err);
}

#[test]
fn what_can_not_be_read_is_said() {
    let ran = handbell(&["handbook", "lint", "no/such/page.toml", "src"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("no/such/page.toml"), "{}", ran.err);
    assert!(
        ran.err.contains("no page (*.toml) is in this directory"),
        "{}",
        ran.err
    );
    let dir = tempfile::tempdir().unwrap();
    let binary = dir.path().join("redis.toml");
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let ran = handbell(&["handbook", "lint", &binary.to_string_lossy()]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("no text in UTF-8"), "{}", ran.err);
    let huge = dir.path().join("huge.toml");
    std::fs::write(&huge, "# long\n".repeat(200_000)).unwrap();
    let ran = handbell(&["handbook", "lint", &huge.to_string_lossy()]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("bytes; at most 1048576 are read"),
        "{}",
        ran.err
    );
}

#[test]
fn the_redis_page_is_shown_in_both_languages() {
    let en = handbell(&["handbook", "show", "redis", "--lang", "en"]).out;
    for part in [
        "Redis connection failure",
        "Symptom",
        "severity P1",
        "Checks",
        "redis.memory-exhausted",
        "Remedies",
        "purge-cache",
        "Prevention",
        "2.3.d1",
    ] {
        assert!(en.contains(part), "{part} is missing in:\n{en}");
    }
    let zh = handbell(&["handbook", "show", "redis", "--lang", "zh"]).out;
    for part in ["Redis 连接失败", "症状", "检查", "处理方法", "预防"] {
        assert!(zh.contains(part), "{part} is missing in:\n{zh}");
    }
    let ran = handbell(&["handbook", "show", "redsi"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("did you mean `redis`?"), "{}", ran.err);
}

#[test]
fn the_list_names_every_page() {
    let out = handbell(&["handbook", "list"]).out;
    assert!(out.contains("redis") && out.contains("2.3"), "{out}");
    let json = handbell(&["handbook", "list", "--json"]).out;
    let pages: serde_json::Value = serde_json::from_str(&json).unwrap();
    let pages = pages.as_array().unwrap();
    assert!(pages.iter().any(|page| page["id"] == "redis"));
}

#[test]
fn coverage_has_every_step_and_its_carriers() {
    let json = handbell(&["handbook", "coverage", "--json"]).out;
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 155);
    assert!(
        json.starts_with(r#"[{"step":"1.1.s1","carried_by":"#),
        "{json}"
    );
    let redis = rows.iter().find(|row| row["step"] == "2.3.d1").unwrap();
    assert_eq!(redis["carried_by"], serde_json::json!(["redis/container"]));
    let text = handbell(&["handbook", "coverage", "--section", "2.3"]);
    assert!(
        text.out.contains("11 of 11 steps are carried"),
        "{}",
        text.out
    );
    let flow = handbell(&["handbook", "coverage", "--kind", "flow", "--deny-uncovered"]);
    assert_eq!(flow.code, Some(1), "{}", flow.out);
    assert!(flow.out.contains('✗'), "{}", flow.out);
    assert_eq!(
        handbell(&["handbook", "coverage", "--section", "9"]).code,
        Some(2)
    );
}

#[test]
fn the_schema_in_the_repository_is_current_and_takes_the_pages() {
    let schema = handbell(&["handbook", "schema"]).out;
    assert!(
        schema == file("commands/handbook.schema.json"),
        "commands/handbook.schema.json is out of date: \
         cargo run -- handbook schema > commands/handbook.schema.json"
    );
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for page in ["commands/redis.toml", "tests/handbook/good/cache.toml"] {
        let mut page: serde_json::Value =
            serde_json::to_value(toml::from_str::<toml::Table>(&file(page)).unwrap()).unwrap();
        // JSON has no dates: editors hold a TOML date against the text that it is.
        page["runbook"]["reviewed"] = "2026-11-22".into();
        let errors: Vec<String> = validator
            .iter_errors(&page)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
    let undescribed = undescribed(&schema, "");
    assert!(
        undescribed.is_empty(),
        "without a description: {undescribed:?}"
    );
}

/// Properties that an editor could say nothing about.
fn undescribed(schema: &serde_json::Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            let wrapped = property["allOf"].is_array() || property["$ref"].is_string();
            if property["description"].is_null() && !wrapped {
                found.push(format!("{at}.{name}"));
            }
        }
    }
    for (name, inner) in schema["definitions"].as_object().into_iter().flatten() {
        found.extend(undescribed(inner, name));
    }
    found
}

#[test]
fn the_page_of_probes_is_current() {
    let page = handbell(&["probes", "--markdown"]).out;
    assert!(
        page == file("docs/probes.md"),
        "docs/probes.md is out of date: cargo run -- probes --markdown > docs/probes.md"
    );
}

#[test]
fn probes_tell_their_arguments_and_facts() {
    let out = handbell(&["probes", "redis.info"]).out;
    assert!(
        out.contains("used_memory_bytes") && out.contains("bytes"),
        "{out}"
    );
    let json = handbell(&["probes", "--json"]).out;
    let probes: serde_json::Value = serde_json::from_str(&json).unwrap();
    for probe in probes.as_array().unwrap() {
        assert!(probe["summary"].is_string(), "{probe}");
        for fact in probe["facts"].as_array().unwrap() {
            for key in ["name", "type", "unit", "meaning"] {
                assert!(
                    fact[key].as_str().is_some_and(|text| !text.is_empty()),
                    "{fact}"
                );
            }
        }
    }
    let ran = handbell(&["probes", "redis.inf"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("did you mean `redis.info`?"),
        "{}",
        ran.err
    );
}

#[test]
fn the_format_is_documented_whole() {
    let page = file("docs/handbook-format.md");
    for filter in handbell::domain::handbook::FILTERS {
        assert!(
            page.contains(&format!("| `{}` |", filter.name)),
            "{} is not explained",
            filter.name
        );
        assert!(
            page.contains(filter.example.1),
            "{}: no example",
            filter.name
        );
    }
    let schema = handbell::domain::handbook::schema();
    let mut keys = Vec::new();
    let definitions = schema["definitions"].as_object().unwrap().values();
    for definition in definitions.chain([&schema, &schema["properties"]["runbook"]]) {
        keys.extend(
            definition["properties"]
                .as_object()
                .into_iter()
                .flat_map(|p| p.keys()),
        );
    }
    for key in keys {
        assert!(
            page.contains(&format!("`{key}`")),
            "`{key}` is not explained"
        );
    }
}

#[test]
fn borrowed_checks_are_shown_with_their_page() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("commands");
    std::fs::create_dir(&pages).unwrap();
    std::fs::write(
        pages.join("shop.toml"),
        "[runbook]\nid = \"shop\"\nsection = \"2.4\"\n\
         title = { en = \"Shop\", zh = \"商城\" }\nsymptom = { en = \"It fails\", zh = \"无法访问\" }\n\
         severity = \"P1\"\nowner = \"ops\"\nreviewed = 2026-11-22\nborrows = [\"redis/ping\"]\n\
         [[check]]\nid = \"look\"\ntitle = { en = \"Look at it\", zh = \"看一看\" }\nprobe = \"manual\"\n\
         say = { en = \"Open the shop.\", zh = \"打开商城。\" }\n",
    )
    .unwrap();
    let config = directory.path().display().to_string();
    let ran = handbell(&["--config", &config, "handbook", "show", "shop"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.out.contains("redis/ping: PING with password"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("by hand: Open the shop."), "{}", ran.out);
    // What it borrows is carried by the page that lends it, and by no other.
    let ran = handbell(&["--config", &config, "handbook", "coverage", "--json"]);
    assert!(ran.out.contains("redis/ping") && !ran.out.contains("shop/ping"));
}

#[test]
fn every_step_to_diagnose_and_to_prevent_is_carried() {
    let table = file("commands/steps.tsv");
    let ran = handbell(&["handbook", "coverage", "--json"]);
    let carried: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let carriers = |step: &str| {
        let rows = carried.as_array().unwrap().iter();
        let mut of_step = rows.filter(|row| row["step"] == step);
        let row = of_step.next().unwrap_or_else(|| panic!("no {step}"));
        row["carried_by"].as_array().map_or(0, Vec::len)
    };
    let steps: Vec<&str> = table
        .lines()
        .skip(1)
        .filter(|line| matches!(line.split('\t').nth(2), Some("diagnose" | "prevent")))
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert!(steps.len() > 70, "{steps:?}");
    let uncarried: Vec<&&str> = steps.iter().filter(|step| carriers(step) == 0).collect();
    assert!(uncarried.is_empty(), "{uncarried:?}");
}
