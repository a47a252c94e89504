//! The handbook engine through its front door: pages in, a handbook or sentences out.

#![expect(clippy::panic, reason = "helpers of tests, which may panic")]

use std::time::Duration;

use handbell::{
    domain::{
        diagnosis::{Facts, Value},
        document,
        handbook::{
            ArgValue, Condition, FILTERS, Handbook, KnownPage, ParamType, ParamValue, Params,
            Runbook, Scope, Sentence, StepKind, Steps, coverage, limits, parse,
        },
        text::Text,
    },
    probes,
};

fn file(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn cache() -> Runbook {
    let text = file("tests/handbook/good/cache.toml");
    parse("cache.toml", &text, probes::catalog())
        .unwrap_or_else(|problems| panic!("{}", document::render(&problems, false)))
}

#[test]
fn a_good_page_is_read_whole() {
    let page = cache();
    assert_eq!(page.checks.len(), 4);
    assert_eq!(page.checks[0].timeout, Some(Duration::from_secs(2)));
    assert_eq!(page.alerts[1]["env"], "prod");
    assert_eq!(page.params[0].default, Some(ParamValue::Int(100)));
    assert_eq!(
        page.params[0].kind,
        ParamType::Int {
            min: 1,
            max: 60_000
        }
    );
    let restart = &page.remedies[0];
    assert_eq!(restart.action.as_deref(), Some("docker.restart"));
    assert_eq!(restart.cooldown, Some(Duration::from_mins(10)));
    assert_eq!(restart.verify.len(), 2);
    assert_eq!(restart.params[0].name, "grace");
    assert_eq!(page.prevent.len(), 1);
    assert_eq!(page.manual[0].id.as_str(), "review-keys");
    assert_eq!(
        page.causes["shop.errors"].en,
        "The shop answers with errors"
    );
    assert_eq!(page.hash.len(), 64);
}

#[test]
fn arguments_have_their_types_and_defaults() {
    let page = cache();
    let slow = &page.checks[3].args;
    assert_eq!(slow["slower_than"], ArgValue::Param("slow_ms".to_owned()));
    assert_eq!(slow["within"], ArgValue::Duration(Duration::from_mins(15)));
    assert_eq!(slow["count"], ArgValue::Int(128));
    let ArgValue::Patterns(patterns) = &page.checks[2].args["patterns"] else {
        panic!("{:?}", page.checks[2].args);
    };
    assert_eq!(patterns["oom"], "Out Of Memory|OOM");
}

#[test]
fn the_hash_is_of_the_text() {
    let text = file("tests/handbook/good/cache.toml");
    let page = parse("cache.toml", &text, probes::catalog()).unwrap();
    let other = parse("cache.toml", &format!("{text}\n"), probes::catalog()).unwrap();
    assert_ne!(page.hash, other.hash);
    assert_eq!(page.hash, cache().hash);
}

#[test]
fn pages_stand_in_the_order_of_their_sections() {
    let text = file("tests/handbook/good/cache.toml");
    let in_section = |id: &str, section: &str| {
        text.replace("\"cache.", &format!("\"{id}."))
            .replace("id = \"cache\"", &format!("id = \"{id}\""))
            .replace("\"2.3\"", &format!("\"{section}\""))
            .replace("CacheDown", &format!("{id}Down"))
            .replace("CacheFull", &format!("{id}Full"))
    };
    let pages = [
        ("ten.toml", in_section("ten", "2.10")),
        ("nine.toml", in_section("nine", "2.9")),
        ("two.toml", in_section("two", "2.2")),
    ];
    let handbook = Handbook::load(pages, probes::catalog())
        .unwrap_or_else(|problems| panic!("{}", document::render(&problems, false)));
    let ids: Vec<&str> = handbook
        .pages
        .keys()
        .map(handbell::domain::ids::RunbookId::as_str)
        .collect();
    assert_eq!(ids, ["two", "nine", "ten"]);
}

#[test]
fn the_pages_that_come_with_handbell_are_clean() {
    let mut pages: Vec<(String, String)> = Vec::new();
    let directory = format!("{}/commands", env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(
                text.starts_with("#:schema ./handbook.schema.json\n"),
                "{} does not name its schema in the first line",
                path.display()
            );
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            pages.push((name, text));
        }
    }
    assert!(!pages.is_empty());
    let steps = Steps::built_in();
    let linted = handbell::domain::handbook::Lint {
        catalog: probes::catalog(),
        steps: &steps,
        targets: None,
        // Staleness is for the linter in use, not for a build that must stay reproducible.
        today: None,
    }
    .run(pages);
    let said = document::render(&linted.problems, false);
    assert!(linted.problems.is_empty(), "{said}");
    let handbook = linted.handbook.unwrap();
    assert!(limits::command_chars(&handbook) < limits::COMMAND_CHARS);
    for row in coverage(&handbook, &steps) {
        let carried = row.step.section != "2.3" || !row.carried_by.is_empty();
        assert!(
            carried,
            "nothing carries {}: {}",
            row.step.id, row.step.asks
        );
    }
}

fn facts() -> Facts {
    [
        ("used_bytes", Value::Int(67_108_864)),
        ("share", Value::Float(0.9345)),
        ("role", Value::Text("master".to_owned())),
        ("link", Value::None),
        ("loading", Value::Bool(false)),
        ("names", Value::List(vec!["a".into(), "b".into()])),
        (
            "outside",
            Value::Text("{{ used_bytes }} <b> **x**".to_owned()),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn params() -> Params {
    Params::from([("limit".to_owned(), ParamValue::Int(10))])
}

fn holds(when: &str) -> Result<bool, String> {
    let (facts, params) = (facts(), params());
    let scope = Scope {
        facts: &facts,
        params: &params,
    };
    let condition = Condition::parse(when).map_err(|error| error.to_string())?;
    condition.holds(scope).map_err(|error| error.to_string())
}

#[test]
fn conditions_see_facts_and_parameters() {
    for (when, expected) in [
        ("used_bytes > 64 * 1024 * 1024 - 1", true),
        ("used_bytes > limit and role == 'master'", true),
        ("not loading", true),
        ("link is none", true),
        ("link is not none and link > 3", false),
        ("role in ['replica', 'master']", true),
        ("'ast' in role", true),
        ("'b' in names and names | length == 2", true),
        ("role is startingwith('ma')", true),
        ("1 < share * 10 < 10", true),
        ("(1 if loading else 2) == 2", true),
    ] {
        assert_eq!(holds(when), Ok(expected), "{when}");
    }
}

#[test]
fn what_is_no_answer_is_an_error_and_never_a_no() {
    for (when, word) in [
        ("used_bites > 3", "undefined"),
        ("used_bytes", "neither true nor false"),
        ("role + 1 > 3", "operation"),
        ("used_bytes | nothing > 3", "nothing"),
    ] {
        let error = holds(when).unwrap_err();
        assert!(error.contains(word), "{when}: {error}");
    }
    assert!(Condition::parse("used_bytes >").is_err());
    assert!(Condition::parse(&"1 + ".repeat(5000)).is_err());
    assert!(Condition::parse(&"(".repeat(4000)).is_err());
}

fn say(en: &str, zh: &str) -> Result<Text, String> {
    let (facts, params) = (facts(), params());
    let scope = Scope {
        facts: &facts,
        params: &params,
    };
    let sentence = Sentence::parse(&Text::new(en, zh)).map_err(|(_, error)| error.to_string())?;
    sentence.say(scope).map_err(|error| error.to_string())
}

#[test]
fn units_are_written_in_the_readers_language() {
    for (template, en, zh) in [
        ("{{ used_bytes | bytes }}", "64 MiB", "64 MiB"),
        ("{{ 1023 | bytes }}", "1,023 B", "1,023 B"),
        ("{{ 1536 | bytes }}", "1.5 KiB", "1.5 KiB"),
        ("{{ 1048575 | bytes }}", "1 MiB", "1 MiB"),
        ("{{ 0 | bytes }}", "0 B", "0 B"),
        ("{{ 0.25 | duration }}", "250 µs", "250 微秒"),
        ("{{ 12 | duration }}", "12 ms", "12 毫秒"),
        ("{{ 1500 | duration }}", "1.5 s", "1.5 秒"),
        ("{{ 90 | seconds }}", "1 min 30 s", "1 分钟 30 秒"),
        ("{{ 7260 | seconds }}", "2 h 1 min", "2 小时 1 分钟"),
        ("{{ 259200 | seconds }}", "3 d", "3 天"),
        ("{{ 1500 | microseconds }}", "1.5 ms", "1.5 毫秒"),
        ("{{ 93.456 | percent }}", "93.5 %", "93.5 %"),
        ("{{ share | share }}", "93.5 %", "93.5 %"),
        ("{{ 1234567.891 | number }}", "1,234,567.89", "1,234,567.89"),
        ("{{ -1234 | number }}", "-1,234", "-1,234"),
        ("{{ -0.001 | number }}", "0", "0"),
        ("{{ (1 / 3) }}", "0.33", "0.33"),
        ("{{ names }}", "a, b", "a、b"),
        ("{{ names | join(' + ') }}", "a + b", "a + b"),
        ("{{ role | upper }}", "MASTER", "MASTER"),
        ("{{ role | shorten(4) }}", "mas…", "mas…"),
        ("{% if loading %}a{% else %}b{% endif %}", "b", "b"),
    ] {
        assert_eq!(say(template, template), Ok(Text::new(en, zh)), "{template}");
    }
}

#[test]
fn the_filters_do_what_their_table_says() {
    for spec in FILTERS {
        let (example, written) = spec.example;
        let said = say(&format!("{{{{ {example} }}}}"), "x").map(|text| text.en);
        assert_eq!(said.as_deref(), Ok(written), "{example}");
    }
}

#[test]
fn text_from_outside_is_not_a_template() {
    let said = say("{{ outside }}", "{{ outside }}").unwrap();
    assert_eq!(said.en, "{{ used_bytes }} <b> **x**");
}

#[test]
fn a_missing_name_is_an_error_and_not_an_empty_text() {
    let error = say("{{ used_bites }}", "x").unwrap_err();
    assert!(error.contains("undefined"), "{error}");
}

#[test]
fn the_table_of_steps_is_sound_and_covers_report_carriers() {
    let steps = Steps::parse("steps.tsv", &file("commands/steps.tsv"))
        .unwrap_or_else(|problems| panic!("{}", document::render(&problems, false)));
    assert_eq!(steps, Steps::built_in());
    assert_eq!(steps.iter().count(), 155);
    assert_eq!(steps.get("2.3.d4").unwrap().kind, StepKind::Diagnose);
    let text = file("tests/handbook/good/cache.toml");
    let handbook = Handbook::load([("cache.toml", text)], probes::catalog()).unwrap();
    let rows = coverage(&handbook, &steps);
    let carried = |id: &str| {
        let row = rows.iter().find(|row| row.step.id == id).unwrap();
        row.carried_by.clone()
    };
    assert_eq!(carried("2.3.d4"), ["cache/memory"]);
    assert_eq!(carried("2.3.r1"), ["cache/restart"]);
    assert_eq!(carried("2.3.p2"), ["cache/policy"]);
    assert_eq!(carried("2.3.p3"), ["cache/review-keys"]);
    assert!(carried("2.3.d1").is_empty());
}

#[test]
fn a_bad_table_of_steps_names_its_lines() {
    let text =
        "id\tsection\tkind\tasks\n2.3.d1\t2.3\tlook\tx\n2.4.d1\t2.3\tdiagnose\tx\n2.3.d2 2.3\n";
    let problems = Steps::parse("steps.tsv", text).unwrap_err();
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 3, 4]);
    assert!(
        Steps::parse("steps.tsv", "")
            .unwrap()
            .iter()
            .next()
            .is_none()
    );
}

#[test]
fn the_example_in_the_documentation_is_a_good_page() {
    let text = file("docs/handbook-format.md");
    let example = text
        .split("```toml\n")
        .find(|block| block.contains("[runbook]"))
        .and_then(|block| block.split("```").next())
        .unwrap();
    let steps = Steps::built_in();
    let linted = handbell::domain::handbook::Lint {
        catalog: probes::catalog(),
        steps: &steps,
        targets: None,
        today: None,
    }
    .run([("redis.toml", example)]);
    let said = document::render(&linted.problems, false);
    assert!(linted.problems.is_empty(), "{said}");
}

/// Characters that Discord counts in a command: each text in its longest localisation.
fn counted(spec: &serde_json::Value) -> usize {
    let longest = |key: &str| {
        let localised = &spec[format!("{key}_localizations")];
        let all = localised
            .as_object()
            .into_iter()
            .flat_map(|map| map.values());
        all.chain([&spec[key]])
            .filter_map(|text| text.as_str())
            .map(|text| text.chars().count())
            .max()
            .unwrap_or_default()
    };
    let inner = ["options", "choices"]
        .iter()
        .flat_map(|key| spec[key].as_array().into_iter().flatten());
    longest("name") + longest("description") + longest("value") + inner.map(counted).sum::<usize>()
}

#[test]
fn the_linter_counts_no_less_than_discord_will() {
    let mut pages: Vec<(String, String)> = pages_in("commands")
        .into_iter()
        .map(|(name, text)| (name, text.to_string()))
        .collect();
    pages.push((
        "cache.toml".to_owned(),
        file("tests/handbook/good/cache.toml"),
    ));
    let pages = pages.iter().map(|(name, text)| (name.as_str(), text));
    let handbook = Handbook::load(pages, probes::catalog())
        .unwrap_or_else(|problems| panic!("{}", document::render(&problems, false)));
    let commands = serde_json::to_value(handbell::discord::commands(&handbook)).unwrap();
    let diagnose = commands
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["name"] == "diagnose");
    let (real, ours) = (counted(diagnose.unwrap()), limits::command_chars(&handbook));
    assert!(real <= ours, "Discord counts {real}, the linter {ours}");
    assert!(
        ours < real + 200,
        "Discord counts {real}, the linter {ours}: far too careful"
    );
}

/// The directory's pages, each as `Handbook::of_known` takes it.
fn pages_in(directory: &str) -> Vec<KnownPage> {
    let path = format!("{}/{directory}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            std::path::Path::new(name)
                .extension()
                .is_some_and(|it| it == "toml")
        })
        .map(|name| {
            let text = file(&format!("{directory}/{name}"));
            (name, text.into())
        })
        .collect()
}

/// What a page says with nothing filled in: each condition and sentence answers or complains.
fn asked(page: &Runbook) -> Vec<String> {
    let (facts, params) = (Facts::new(), page.defaults());
    let scope = Scope {
        facts: &facts,
        params: &params,
    };
    let checks = page.checks.iter().chain(&page.prevent);
    checks
        .flat_map(|check| {
            let rules = check.rules.iter();
            let rules =
                rules.map(|rule| format!("{:?} {:?}", rule.when.holds(scope), rule.say.say(scope)));
            let healthy = check
                .healthy
                .iter()
                .map(|say| format!("{:?}", say.say(scope)));
            rules.chain(healthy).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_known_page_is_the_same_as_a_checked_one() {
    for directory in ["commands", "tests/handbook/good"] {
        let known = pages_in(directory);
        let whole = Handbook::load(known.clone(), probes::catalog())
            .unwrap_or_else(|problems| panic!("{}", document::render(&problems, false)));
        assert!(!whole.pages.is_empty());
        let all = Handbook::all_known(&known, probes::catalog());
        assert_eq!(format!("{all:#?}"), format!("{:#?}", Some(&whole)));
        for (id, page) in &whole.pages {
            let part = Handbook::of_known(known.clone(), id.as_str(), probes::catalog());
            let part = part.unwrap_or_else(|| panic!("no page {id}"));
            let same = part
                .page(id.as_str())
                .unwrap_or_else(|| panic!("no page {id}"));
            assert_eq!(format!("{page:#?}"), format!("{same:#?}"));
            assert_eq!(asked(page), asked(same));
            assert_eq!(part.relation, whole.relation);
        }
        let none = Handbook::of_known(known, "no-such-page", probes::catalog());
        assert_eq!(none, None);
    }
}
