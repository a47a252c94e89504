//! What a person reads of a report: on a terminal, in a pipe, in a file.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    reason = "helpers of tests fail by panicking"
)]

use std::sync::Arc;

use handbell::{
    domain::{
        diagnosis::{CheckResult, Facts, Ranked, Report, Unseen, Value, Verdict},
        handbook::{self, Handbook, Runbook},
        text::{Lang, Text},
    },
    probes, render,
};

/// A page as the handbook has them, parsed by the handbook's own parser.
fn page() -> Runbook {
    handbook::parse("page.toml", PAGE, probes::catalog()).expect("a page without mistakes")
}

fn handbook() -> Handbook {
    Handbook::of([Arc::new(page())])
}

const PAGE: &str = r#"
[runbook]
id = "redis"
section = "2.3"
title = { en = "Redis connection failure", zh = "Redis 连接失败" }
symptom = { en = "Slow pages", zh = "页面变慢" }
severity = "P1"
owner = "ops"
reviewed = 2026-11-22

[[cause]]
id = "redis.unreachable"
title = { en = "Redis can't be reached", zh = "Redis 无法连接" }

[[check]]
id = "container-stopped"
covers = ["2.3.d1"]
title = { en = "Container", zh = "容器" }
probe = "docker.container"
target = "cache"

  [[check.rule]]
  when = "state != 'running' and (oom_killed or exit_code is not none)"
  verdict = "critical"
  cause = "redis.container-stopped"
  explains = ["redis.unreachable"]
  say = { en = "The container is stopped.", zh = "容器已停止。" }
  remedies = ["start"]

[[check]]
id = "refused"
covers = ["2.3.d2"]
title = { en = "Log", zh = "日志" }
probe = "docker.log"
target = "cache"

  [check.args.patterns]
  denied = "NOPERM"
  ready = "Ready to accept"

  [[check.rule]]
  when = "denied_count > 1 and denied_seconds_ago is not none and (ready_seconds_ago is none or ready_seconds_ago > 9)"
  verdict = "critical"
  cause = "redis.refused"
  say = { en = "It refuses commands.", zh = "它拒绝命令。" }

[[remedy]]
id = "start"
covers = ["2.3.r1"]
title = { en = "Start the container", zh = "启动容器" }
say = { en = "starts it again", zh = "重新启动它" }
risk = "low"
"#;

fn check(id: &str, title: Text, verdict: Verdict, say: Text) -> CheckResult {
    CheckResult {
        page: "redis".parse().unwrap(),
        id: id.parse().unwrap(),
        target: "cache".parse().unwrap(),
        title,
        verdict,
        cause: verdict
            .is_finding()
            .then(|| format!("redis.{id}").parse().unwrap()),
        explains: Vec::new(),
        say,
        reason: None,
        facts: Facts::new(),
        evidence: String::new(),
        remedies: Vec::new(),
        duration_ms: 3,
    }
}

fn ranked(check: &CheckResult, explained_by: &[&str]) -> Ranked {
    Ranked {
        cause: check.cause.clone().unwrap(),
        verdict: check.verdict,
        check: check.reference(),
        target: check.target.clone(),
        say: check.say.clone(),
        explained_by: explained_by.iter().map(|c| c.parse().unwrap()).collect(),
    }
}

/// A container that was stopped: one cause, one consequence, one unknown, one healthy check.
fn stopped() -> Report {
    let mut container = check(
        "container-stopped",
        Text::new("Container", "容器"),
        Verdict::Critical,
        Text::new("The container is stopped.", "容器已停止。"),
    );
    container.evidence = (1..=9)
        .map(|n| format!("log line {n} \u{1b}[31m@everyone\u{1b}[0m"))
        .collect::<Vec<_>>()
        .join("\n");
    container.facts = Facts::from([
        ("exit_code".into(), Value::Int(137)),
        ("oom_killed".into(), Value::Bool(true)),
        ("uptime_seconds".into(), Value::Int(9)),
    ]);
    let ping = check(
        "unreachable",
        Text::new("Ping", "连通"),
        Verdict::Critical,
        Text::new("The port refuses.", "端口拒绝连接。"),
    );
    let mut memory = check(
        "memory",
        Text::new("Memory", "内存"),
        Verdict::Unknown,
        Unseen::TimedOut { after_ms: 5000 }.say(),
    );
    memory.reason = Some("timed-out".into());
    let disk = check(
        "disk",
        Text::new("Disk", "磁盘"),
        Verdict::Ok,
        Text::new("fine", "正常"),
    );
    let replica = check(
        "replica",
        Text::new("Replica", "副本"),
        Verdict::NotApplicable,
        Text::new("it has none", "没有副本"),
    );
    Report {
        runbook: "redis".into(),
        title: page().title,
        section: page().section,
        page_hash: page().hash,
        verdict: Verdict::Critical,
        root_causes: vec![ranked(&container, &[])],
        consequences: vec![ranked(&ping, &["redis.container-stopped"])],
        checks: vec![container, ping, memory, disk, replica],
        remedies: vec!["redis/start".parse().unwrap()],
        manual: Vec::new(),
        left_out: Vec::new(),
        changed: None,
        duration_ms: 1234,
    }
}

#[test]
fn a_terminal_reader_sees_the_cause_first_then_what_shows_it() {
    let card = render::card(&stopped(), &handbook(), Lang::En).recorded_as(17);
    let text = render::terminal(&card, false, 80);
    let expected = "\
✗ Redis connection failure: critical
  The container is stopped.

Evidence:
• Container · cache · redis.container-stopped
  oom_killed = yes, exit_code = 137
  │ log line 5 @everyone
  │ log line 6 @everyone
  │ log line 7 @everyone
  │ log line 8 @everyone
  │ log line 9 @everyone

Consequences:
• The port refuses. (follows from redis.container-stopped)

Could not look:
• Memory · cache: timed out after 5000 ms

Remedies that fit:
• Start the container (low risk): starts it again

Not applicable: Replica (it has none)

Healthy: Disk

1.2 s · page 2.3 {hash} · record 17
";
    assert_eq!(text, expected.replace("{hash}", &page().hash[..8]));
    assert!(card.abridged, "four log lines were left out");
}

#[test]
fn a_chinese_reader_reads_chinese() {
    let card = render::card(&stopped(), &handbook(), Lang::Zh).recorded_as(17);
    let text = render::terminal(&card, false, 80);
    let expected = "\
✗ Redis 连接失败：严重
  容器已停止。

证据：
• 容器 · cache · redis.container-stopped
  oom_killed = 是，exit_code = 137
  │ log line 5 @everyone
  │ log line 6 @everyone
  │ log line 7 @everyone
  │ log line 8 @everyone
  │ log line 9 @everyone

连带影响：
• 端口拒绝连接。（由 redis.container-stopped 引起）

无法检查：
• 内存 · cache：5000 毫秒内没有响应（超时）

可用的处置：
• 启动容器（低风险）：重新启动它

不适用：副本（没有副本）

正常：磁盘

1.2 秒 · 手册页 2.3 {hash} · 记录 17
";
    assert_eq!(text, expected.replace("{hash}", &page().hash[..8]));
}

#[test]
fn lines_keep_to_the_width_and_count_chinese_as_two_columns() {
    for lang in [Lang::En, Lang::Zh] {
        let mut report = stopped();
        report.root_causes[0].say = Text::new("word ".repeat(60), "容器已经停止，".repeat(20));
        let card = render::card(&report, &handbook(), lang);
        for width in [24, 40, 79] {
            let text = render::terminal(&card, false, width);
            for line in text.lines().filter(|line| !line.contains('│')) {
                let longest_word = "redis.container-stopped".len() + 4;
                let columns = render::display_width(line);
                assert!(
                    columns <= width.max(longest_word),
                    "{columns} columns of {width}: {line:?}"
                );
                assert!(!line.trim_start().starts_with('，'), "{line:?}");
            }
        }
    }
}

#[test]
fn colours_are_there_on_request_and_nothing_from_outside_makes_its_own() {
    let card = render::card(&stopped(), &handbook(), Lang::En);
    let plain = render::terminal(&card, false, 80);
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    let coloured = render::terminal(&card, true, 80);
    assert!(coloured.contains("\u{1b}[1;31m"), "{coloured:?}");
    let stripped = coloured
        .split('\u{1b}')
        .map(|part| {
            part.split_once('m').map_or(
                part,
                |(code, rest)| {
                    if code.starts_with('[') { rest } else { part }
                },
            )
        })
        .collect::<String>();
    assert_eq!(stripped, plain);
}

#[test]
fn healthy_unclear_and_inapplicable_are_told_apart() {
    use Verdict::{NotApplicable, Ok, Unknown};
    let say = |verdicts: &[Verdict], lang| {
        let checks: Vec<CheckResult> = verdicts
            .iter()
            .enumerate()
            .map(|(n, verdict)| {
                check(
                    &format!("c{n}"),
                    Text::new(format!("C{n}"), format!("检{n}")),
                    *verdict,
                    Text::new("why", "原因"),
                )
            })
            .collect();
        let report = Report {
            verdict: checks.iter().map(|c| c.verdict).max().unwrap(),
            root_causes: Vec::new(),
            consequences: Vec::new(),
            remedies: Vec::new(),
            checks,
            ..stopped()
        };
        render::terminal(&render::card(&report, &handbook(), lang), false, 0)
    };
    assert!(say(&[Ok, Ok, NotApplicable], Lang::En).contains("All 2 checks are healthy."));
    assert!(say(&[Ok, Unknown], Lang::En).contains("1 of 2 checks could not look"));
    assert!(say(&[Ok, Unknown], Lang::Zh).contains("2 项检查中有 1 项无法执行"));
    assert!(say(&[NotApplicable], Lang::Zh).contains("没有可检查的内容"));
}

#[test]
fn of_a_log_the_line_is_shown_by_which_the_rule_went() {
    let mut log = check(
        "refused",
        Text::new("Log", "日志"),
        Verdict::Critical,
        Text::new("It refuses commands.", "它拒绝命令。"),
    );
    let line = |text: &str| Value::Text(text.into());
    let denied = format!("{} NOPERM no right to 'eval'", "…".repeat(200));
    log.facts = Facts::from([
        ("denied_count".into(), Value::Int(3)),
        ("denied_last".into(), line(&denied)),
        ("denied_seconds_ago".into(), Value::Int(1)),
        ("ready_count".into(), Value::Int(1)),
        ("ready_last".into(), line("Ready to accept")),
        ("ready_seconds_ago".into(), Value::Int(70)),
    ]);
    log.evidence = "denied: 3 lines\nready: 1 line\nReady to accept\nNOPERM".into();
    let mut report = stopped();
    report.root_causes = vec![ranked(&log, &[])];
    report.checks.push(log);
    let text = render::terminal(&render::card(&report, &handbook(), Lang::En), false, 400);
    assert!(text.contains("NOPERM no right to 'eval'\n"), "{text}");
    assert!(!text.contains("│ Ready"), "{text}");
    assert!(
        text.contains("denied_count = 3, denied_seconds_ago = 1 s, ready_seconds_ago = 1 min 10 s"),
        "{text}"
    );
}

#[test]
fn a_file_in_markdown_escapes_what_comes_from_outside() {
    let mut report = stopped();
    report.root_causes[0].say = Text::new("<b>key</b> `x` [a](http://e) # *", "键");
    report.checks[0].evidence = "```\n# heading".into();
    let text = render::markdown(&render::card(&report, &handbook(), Lang::En));
    assert!(
        text.contains(r"**\<b\>key\</b\> \`x\` \[a\](http:\//e) \# \***"),
        "{text}"
    );
    assert!(text.contains("````text\n```\n# heading\n````"), "{text}");
}

#[test]
fn the_evidence_file_has_every_check_with_facts_and_output() {
    let json = serde_json::json!({
        "runbook": "redis", "page": "0123", "verdict": "critical", "duration_ms": 12,
        "root_causes": [{"cause": "redis.stopped", "say": "Stopped.", "say_zh": "已停止。"}],
        "consequences": [],
        "checks": [{"id": "container", "target": "cache", "title": "Container", "title_zh": "容器",
            "verdict": "critical", "say": "Stopped.", "say_zh": "已停止。",
            "facts": {"exit_code": 137, "memory_bytes": 1_048_576, "oom_killed": false},
            "duration_ms": 3, "evidence": "line one\n| ``` |"}],
    });
    let en = render::evidence(&json, 4, Lang::En);
    for part in [
        "# redis · critical · record 4",
        "| `exit_code` | 137 |",
        "| `memory_bytes` | 1.0 MiB |",
        "| `oom_killed` | no |",
        "````text\nline one",
    ] {
        assert!(en.contains(part), "no {part:?} in {en}");
    }
    let zh = render::evidence(&json, 4, Lang::Zh);
    for part in ["严重", "## 容器：严重", "已停止。", "| `oom_killed` | 否 |"] {
        assert!(zh.contains(part), "no {part:?} in {zh}");
    }
}
