//! The diagnosis engine, driven with pages in TOML and a prober whose every look is scripted.
//!
//! A prober of our own is the only way to have probes that hang or panic on demand; what real probes
//! see is tested against real servers elsewhere.
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use handbell::{
    app::{Diagnosis, Limits, Look, Prober, Progress, report_json},
    domain::{
        diagnosis::{
            Blind, Catalog, FactSpec, FactType, Facts, Plan, ProbeSpec, Report, Sighting,
            TargetKind, Unit, Unseen, Verdict,
        },
        handbook::{Handbook, Params, Runbook, parse},
        text::{Lang, Text},
    },
};
use tokio::{sync::mpsc, time::Instant};

static SPEC: ProbeSpec = ProbeSpec {
    name: "test.look",
    summary: "what the script says",
    targets: &[TargetKind::Redis],
    args: &[handbell::domain::diagnosis::ArgSpec {
        name: "as",
        kind: handbell::domain::diagnosis::ArgType::Text,
        default: None,
        range: None,
        meaning: "which line of the script",
    }],
    facts: &[FactSpec::new(
        "state",
        FactType::Text,
        Unit::None,
        "what the script says",
    )],
    per_key: None,
};

#[derive(Clone)]
enum Scene {
    Sees(&'static str),
    Blind(Blind),
    Hangs,
    Panics,
    Takes(Duration),
}

struct Script {
    catalog: Catalog,
    scenes: HashMap<&'static str, Scene>,
    looks: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Script {
    fn new(scenes: &[(&'static str, Scene)]) -> Arc<Self> {
        Arc::new(Self {
            catalog: Catalog::new(vec![&SPEC]),
            scenes: scenes.iter().cloned().collect(),
            looks: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }
}

fn sees(state: &str) -> Sighting {
    Sighting {
        facts: Facts::from([("state".to_owned(), state.into())]),
        evidence: format!("state: {state}"),
    }
}

#[async_trait]
impl Prober for Script {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    async fn look(&self, look: &Look) -> Result<Sighting, Blind> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let line = match &look.args["as"] {
            handbell::domain::handbook::ArgValue::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        let seen = match self.scenes[line.as_str()].clone() {
            Scene::Sees(state) => Ok(sees(state)),
            Scene::Blind(blind) => Err(blind),
            Scene::Hangs => std::future::pending().await,
            Scene::Panics => panic!("the script says so"),
            Scene::Takes(time) => {
                tokio::time::sleep(time).await;
                Ok(sees("fine"))
            }
        };
        self.now.fetch_sub(1, Ordering::SeqCst);
        seen
    }
}

/// The plan of a run of this page alone.
fn plan(page: &Runbook) -> Plan {
    let page = Arc::new(page.clone());
    Plan::of_page(&Handbook::of([Arc::clone(&page)]), &page, Params::new())
}

/// The text of a page of checks `(id, line of the script, cause when broken, what that explains)`.
fn written(checks: &[(&str, &str, &str, &[&str])]) -> String {
    let mut text = String::from(
        "[runbook]\nid = \"redis\"\nsection = \"2.3\"\ntitle = { en = \"Redis\", zh = \"缓存\" }\n\
         symptom = { en = \"Slow\", zh = \"慢\" }\nseverity = \"P1\"\nowner = \"ops\"\nreviewed = 2026-11-22\n",
    );
    for (id, line, cause, explains) in checks {
        let written = write!(
            text,
            "[[check]]\nid = \"{id}\"\ntitle = {{ en = \"{id}\", zh = \"检查\" }}\nprobe = \"test.look\"\ntarget = \"cache\"\n\
             args = {{ as = \"{line}\" }}\n\
             [[check.rule]]\nwhen = \"state == 'broken'\"\nverdict = \"critical\"\ncause = \"{cause}\"\nexplains = {explains:?}\n\
             say = {{ en = \"{id} is broken\", zh = \"{id} 坏了\" }}\n\
             [[check.rule]]\nwhen = \"state == 'poor'\"\nverdict = \"warning\"\ncause = \"{cause}\"\nexplains = {explains:?}\n\
             say = {{ en = \"{id} is poor\", zh = \"{id} 不好\" }}\n"
        );
        written.unwrap_or_else(|error| panic!("{error}"));
    }
    text
}

/// That page.
fn page(checks: &[(&str, &str, &str, &[&str])]) -> Runbook {
    let text = written(checks);
    parse("page.toml", &text, &Catalog::new(vec![&SPEC])).unwrap_or_else(|problems| {
        panic!(
            "{:#?}",
            problems.iter().map(ToString::to_string).collect::<Vec<_>>()
        )
    })
}

fn limits() -> Limits {
    Limits {
        check_deadline: Duration::from_secs(5),
        run_deadline: Duration::from_secs(20),
        checks_per_target: 8,
    }
}

async fn run(page: &Runbook, script: &Arc<Script>, limits: Limits) -> Report {
    let (sender, _receiver) = mpsc::channel(1);
    Diagnosis::new(Arc::clone(script) as _, limits)
        .run(&plan(page), sender)
        .await
}

fn causes(report: &Report) -> (Vec<&str>, Vec<&str>) {
    (
        report
            .root_causes
            .iter()
            .map(|ranked| ranked.cause.as_str())
            .collect(),
        report
            .consequences
            .iter()
            .map(|ranked| ranked.cause.as_str())
            .collect(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_hanging_and_a_panicking_probe_cost_only_their_own_checks() {
    let page = page(&[
        ("hangs", "h", "redis.a", &[]),
        ("panics", "p", "redis.b", &[]),
        ("works", "w", "redis.c", &[]),
    ]);
    let script = Script::new(&[
        ("h", Scene::Hangs),
        ("p", Scene::Panics),
        ("w", Scene::Sees("broken")),
    ]);
    let report = run(&page, &script, limits()).await;
    assert_eq!(causes(&report), (vec!["redis.c"], vec![]));
    let unknown: Vec<_> = report.unknown().collect();
    assert_eq!(unknown[0].say.en, "timed out after 5000 ms");
    assert_eq!(unknown[0].say.zh, "5000 毫秒内没有响应（超时）");
    assert_eq!(unknown[1].reason.as_deref(), Some("broken"));
    assert!(
        unknown[1].say.en.contains("the log has the detail"),
        "{}",
        unknown[1].say.en
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_found_but_something_unseen_is_unknown_and_never_healthy() {
    let page = page(&[
        ("hangs", "h", "redis.a", &[]),
        ("works", "w", "redis.b", &[]),
    ]);
    let script = Script::new(&[("h", Scene::Hangs), ("w", Scene::Sees("fine"))]);
    let report = run(&page, &script, limits()).await;
    assert_eq!((report.verdict, report.exit_code()), (Verdict::Unknown, 3));
}

#[tokio::test(start_paused = true)]
async fn the_run_has_a_deadline_of_its_own() {
    let page = page(&[
        ("hangs", "h", "redis.a", &[]),
        ("works", "w", "redis.b", &[]),
    ]);
    let script = Script::new(&[("h", Scene::Hangs), ("w", Scene::Sees("fine"))]);
    let began = Instant::now();
    let limits = Limits {
        run_deadline: Duration::from_secs(2),
        ..limits()
    };
    let report = run(&page, &script, limits).await;
    assert_eq!(began.elapsed().as_secs(), 2);
    let said = &report.unknown().next().expect("one unknown").say.en;
    assert!(said.contains("the run's deadline of 2000 ms"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_target_is_looked_at_by_a_bounded_number_and_waiting_is_not_its_fault() {
    let lines = ["a", "b", "c", "d", "e", "f"];
    let checks: Vec<_> = lines
        .iter()
        .map(|line| (*line, *line, "redis.a", &[] as &[&str]))
        .collect();
    let page = page(&checks);
    let scenes: Vec<_> = lines
        .iter()
        .map(|line| (*line, Scene::Takes(Duration::from_secs(4))))
        .collect();
    let script = Script::new(&scenes);
    let limits = Limits {
        checks_per_target: 2,
        ..limits()
    };
    let began = Instant::now();
    let report = run(&page, &script, limits).await;
    assert_eq!(script.most.load(Ordering::SeqCst), 2, "looks at once");
    assert_eq!(began.elapsed().as_secs(), 12);
    // Each took four of its five seconds; the time in the queue is not counted.
    assert_eq!(report.verdict, Verdict::Ok);
    assert!(report.checks.iter().all(|check| check.duration_ms == 4000));
}

#[tokio::test]
async fn checks_that_ask_the_same_share_one_look() {
    let page = page(&[
        ("one", "w", "redis.a", &[]),
        ("two", "w", "redis.b", &[]),
        ("three", "x", "redis.c", &[]),
    ]);
    let script = Script::new(&[("w", Scene::Sees("fine")), ("x", Scene::Sees("fine"))]);
    run(&page, &script, limits()).await;
    assert_eq!(script.looks.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn progress_arrives_check_by_check_and_nobody_has_to_read_it() {
    let page = page(&[("one", "w", "redis.a", &[]), ("two", "x", "redis.b", &[])]);
    let script = Script::new(&[
        ("w", Scene::Sees("broken")),
        ("x", Scene::Takes(Duration::from_millis(50))),
    ]);
    let (sender, mut receiver) = mpsc::channel(8);
    let diagnosis = Diagnosis::new(Arc::clone(&script) as _, limits());
    diagnosis.run(&plan(&page), sender).await;
    let mut seen: Vec<Progress> = Vec::new();
    while let Some(progress) = receiver.recv().await {
        seen.push(progress);
    }
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[0].done, seen[0].total, seen[0].latest.id.as_str()),
        (1, 2, "one")
    );
    assert_eq!(
        seen[0]
            .waiting
            .iter()
            .map(|one| one.check.id.to_string())
            .collect::<Vec<_>>(),
        ["two"]
    );
    // With a full channel and with a reader that has gone, the run ends all the same.
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    diagnosis.run(&plan(&page), sender).await;
}

#[tokio::test]
async fn what_a_cause_explains_is_a_consequence_over_a_cause_that_could_not_be_looked_for() {
    let page = page(&[
        ("slow", "broken", "api.slow", &[]),
        ("link", "blind", "redis.link", &["api.slow"]),
        ("stopped", "broken", "redis.stopped", &["redis.link"]),
    ]);
    let script = Script::new(&[
        ("broken", Scene::Sees("broken")),
        (
            "blind",
            Scene::Blind(Blind::Unknown(Unseen::TimedOut { after_ms: 9 })),
        ),
    ]);
    let report = run(&page, &script, limits()).await;
    assert_eq!(causes(&report), (vec!["redis.stopped"], vec!["api.slow"]));
    assert_eq!(
        report.consequences[0].explained_by[0].as_str(),
        "redis.stopped"
    );
}

#[tokio::test]
async fn a_cause_that_was_looked_for_and_not_found_explains_nothing() {
    let page = page(&[
        ("slow", "broken", "api.slow", &[]),
        ("link", "fine", "redis.link", &["api.slow"]),
        ("stopped", "broken", "redis.stopped", &["redis.link"]),
    ]);
    let script = Script::new(&[
        ("broken", Scene::Sees("broken")),
        ("fine", Scene::Sees("fine")),
    ]);
    let report = run(&page, &script, limits()).await;
    assert_eq!(
        causes(&report),
        (vec!["api.slow", "redis.stopped"], Vec::<&str>::new())
    );
}

#[tokio::test]
async fn two_faults_are_two_root_causes_the_worse_first_then_the_one_that_explains_more() {
    let page = page(&[
        ("poor", "poor", "redis.poor", &[]),
        ("alone", "broken", "redis.alone", &[]),
        ("leads", "broken", "redis.leads", &["api.slow"]),
        ("slow", "broken", "api.slow", &[]),
    ]);
    let script = Script::new(&[
        ("broken", Scene::Sees("broken")),
        ("poor", Scene::Sees("poor")),
    ]);
    let report = run(&page, &script, limits()).await;
    assert_eq!(
        causes(&report),
        (
            vec!["redis.leads", "redis.alone", "redis.poor"],
            vec!["api.slow"]
        )
    );
}

#[tokio::test]
async fn causes_that_explain_each_other_leave_the_worse_as_the_root() {
    let page = page(&[
        ("mild", "poor", "redis.mild", &["redis.bad"]),
        ("bad", "broken", "redis.bad", &["redis.mild"]),
    ]);
    let script = Script::new(&[
        ("broken", Scene::Sees("broken")),
        ("poor", Scene::Sees("poor")),
    ]);
    let report = run(&page, &script, limits()).await;
    assert_eq!(causes(&report), (vec!["redis.bad"], vec!["redis.mild"]));
}

#[tokio::test]
async fn a_circle_of_three_still_has_a_root() {
    let page = page(&[
        ("a", "broken", "redis.a", &["redis.b"]),
        ("b", "broken", "redis.b", &["redis.c"]),
        ("c", "broken", "redis.c", &["redis.a"]),
    ]);
    let script = Script::new(&[("broken", Scene::Sees("broken"))]);
    let report = run(&page, &script, limits()).await;
    assert_eq!(
        causes(&report),
        (vec!["redis.a"], vec!["redis.b", "redis.c"])
    );
}

#[tokio::test]
async fn one_cause_found_twice_is_one_cause_with_the_worst_finding() {
    let page = page(&[
        ("first", "poor", "redis.a", &[]),
        ("second", "broken", "redis.a", &[]),
    ]);
    let script = Script::new(&[
        ("broken", Scene::Sees("broken")),
        ("poor", Scene::Sees("poor")),
    ]);
    let report = run(&page, &script, limits()).await;
    assert_eq!(report.root_causes.len(), 1);
    assert_eq!(report.root_causes[0].say.zh, "second 坏了");
}

#[tokio::test]
async fn not_applicable_is_neither_healthy_nor_unknown() {
    let page = page(&[
        ("container", "n", "redis.a", &[]),
        ("works", "w", "redis.b", &[]),
    ]);
    let blind = Blind::NotApplicable(Text::new(
        "cache runs in no container",
        "cache 不在容器中运行",
    ));
    let script = Script::new(&[("n", Scene::Blind(blind)), ("w", Scene::Sees("fine"))]);
    let report = run(&page, &script, limits()).await;
    assert_eq!((report.verdict, report.exit_code()), (Verdict::Ok, 0));
    let json = report_json(&report, Lang::Zh);
    assert_eq!(json["not_applicable"][0]["say"], "cache 不在容器中运行");
    assert_eq!(json["unknown"], serde_json::json!([]));
    assert_eq!(json["checks"][0]["verdict"], "not-applicable");
}

#[tokio::test]
async fn each_reason_for_not_looking_is_told_apart_in_both_languages() {
    let reasons = [
        Unseen::Refused {
            address: "h:1".into(),
        },
        Unseen::Unresolved { host: "h".into() },
        Unseen::Unreachable {
            address: "h:1".into(),
            detail: "no route".into(),
        },
        Unseen::TimedOut { after_ms: 7 },
        Unseen::PasswordRequired,
        Unseen::WrongPassword,
        Unseen::Forbidden {
            detail: "INFO".into(),
        },
        Unseen::PermissionDenied { path: "/s".into() },
        Unseen::NoSuchPath { path: "/s".into() },
        Unseen::Tls {
            detail: "expired".into(),
        },
        Unseen::WrongProtocol {
            detail: "HTTP".into(),
        },
        Unseen::ServerSaid {
            detail: "LOADING".into(),
        },
        Unseen::NoSuchContainer { name: "c".into() },
        Unseen::NoSuchTarget { name: "t".into() },
    ];
    let mut said = std::collections::HashSet::new();
    for reason in reasons {
        let page = page(&[("one", "n", "redis.a", &[])]);
        let script = Script::new(&[("n", Scene::Blind(reason.into()))]);
        let report = run(&page, &script, limits()).await;
        let check = report.unknown().next().expect("unknown").clone();
        assert!(said.insert(check.say.en.clone()), "{} twice", check.say.en);
        assert!(said.insert(check.say.zh.clone()), "{} twice", check.say.zh);
        assert!(
            said.insert(check.reason.clone().expect("a code")),
            "{:?} twice",
            check.reason
        );
    }
}

#[tokio::test(start_paused = true)]
async fn over_all_pages_each_question_is_asked_once_with_the_longest_patience() {
    let script = Script::new(&[
        ("slow", Scene::Takes(Duration::from_millis(900))),
        ("broken", Scene::Sees("broken")),
        ("also", Scene::Sees("broken")),
    ]);
    let named = |id: &str, text: &str| {
        let text = text.replace("id = \"redis\"", &format!("id = \"{id}\""));
        Arc::new(
            parse(&format!("{id}.toml"), &text, &Catalog::new(vec![&SPEC]))
                .unwrap_or_else(|problems| panic!("{problems:#?}")),
        )
    };
    let first = named(
        "first",
        &written(&[
            ("low", "broken", "first.low", &["second.high"]),
            ("slow", "slow", "first.slow", &[]),
        ])
        .replace(
            "args = { as = \"slow\" }",
            "args = { as = \"slow\" }\ntimeout = \"100ms\"",
        ),
    );
    let second = named(
        "second",
        &written(&[
            ("high", "broken", "second.high", &[]),
            ("other", "also", "second.other", &[]),
            ("slow", "slow", "second.slow", &[]),
        ]),
    );
    let handbook = Handbook::of([first, second]);
    let (sender, _progress) = mpsc::channel(1);
    let began = Instant::now();
    let diagnosis = Diagnosis::new(Arc::clone(&script) as _, limits());
    let report = diagnosis.run(&Plan::of_all(&handbook), sender).await;
    // Five checks, three questions, as long as the slowest.
    assert_eq!(script.looks.load(Ordering::SeqCst), 3);
    assert!(
        began.elapsed() < Duration::from_millis(950),
        "{:?}",
        began.elapsed()
    );
    assert!(report.unknown().next().is_none(), "{report:#?}");
    // Two things are broken; the third finding follows from another page's.
    let causes: Vec<&str> = report
        .root_causes
        .iter()
        .map(|root| root.cause.as_str())
        .collect();
    assert_eq!(causes, ["first.low", "second.other"]);
    assert_eq!(report.consequences[0].cause.as_str(), "second.high");
    assert_eq!(report.runbook, "all");
}
