//! What every backend of the store must do. A backend is a function that makes an empty recorder;
//! SQLite is the one that there is. Another one adds its own line at the end.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test's own helpers; a failure is a panic"
)]

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use handbell::{
    app::{Outcome, RecordId, Recorder, Start},
    domain::{
        access::Actor,
        diagnosis::Verdict,
        handbook::{ParamValue, Params},
    },
    store::{MAX_REPORT_BYTES, SqliteStore},
};
use jiff::{Timestamp, ToSpan};
use serde_json::json;

type Backend = Arc<dyn Recorder>;
type Case = for<'a> fn(&'a Backend) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

fn now() -> Timestamp {
    Timestamp::from_microsecond(1_795_000_000_123_456).expect("a time")
}

fn start(runbook: &str) -> Start {
    let mut params = Params::new();
    params.insert("slow_ms".into(), ParamValue::Int(-5));
    params.insert("deep".into(), ParamValue::Bool(true));
    params.insert(
        "pattern".into(),
        ParamValue::Text("'; DROP TABLE diagnoses; --".into()),
    );
    Start {
        actor: Actor::Discord {
            user: "200000000000000001".into(),
            name: "小明 \"O'Brien\" \\ 🔔".into(),
            roles: vec!["300000000000000001".into(), "3".into()],
        },
        place: "discord:1/2".into(),
        at: now(),
        runbook: runbook.into(),
        page_hash: "ab".repeat(32),
        params,
    }
}

fn outcome() -> Outcome {
    Outcome {
        verdict: Verdict::Critical,
        root_causes: vec!["redis.memory-exhausted".into(), "redis.evicting".into()],
        duration_ms: 1234,
        report: json!({"runbook": "redis", "checks": [{"id": "memory", "evidence": "多字节\n\"x\"", "n": 1.5}]}),
    }
}

async fn what_is_begun_is_there_as_it_was_given(store: &Backend) {
    for actor in [
        start("redis").actor,
        Actor::Local {
            user: "root".into(),
        },
    ] {
        let given = Start {
            actor,
            ..start("redis")
        };
        let id = store.begin(&given).await.expect("begun");
        let record = store.record(id).await.expect("read").expect("there");
        assert_eq!(record.id, id);
        assert_eq!(record.start, given);
        assert_eq!(record.outcome, None, "it has not ended");
    }
}

async fn numbers_go_up(store: &Backend) {
    let mut last = RecordId(0);
    for _ in 0..5 {
        let id = store.begin(&start("redis")).await.expect("begun");
        assert!(id > last);
        last = id;
    }
}

async fn the_first_outcome_stays(store: &Backend) {
    let id = store.begin(&start("redis")).await.expect("begun");
    store.finish(id, &outcome()).await.expect("finished");
    let other = Outcome {
        verdict: Verdict::Ok,
        ..outcome()
    };
    store
        .finish(id, &other)
        .await
        .expect("no error the second time");
    let record = store.record(id).await.expect("read").expect("there");
    assert_eq!(record.outcome, Some(outcome()));
}

async fn every_verdict_is_kept(store: &Backend) {
    for verdict in [
        Verdict::NotApplicable,
        Verdict::Ok,
        Verdict::Unknown,
        Verdict::Warning,
        Verdict::Critical,
    ] {
        let given = Outcome {
            verdict,
            root_causes: vec![],
            duration_ms: 0,
            report: json!(null),
        };
        let id = store.begin(&start("redis")).await.expect("begun");
        store.finish(id, &given).await.expect("finished");
        let record = store.record(id).await.expect("read").expect("there");
        assert_eq!(record.outcome, Some(given));
    }
}

async fn what_was_never_begun_can_not_end(store: &Backend) {
    assert!(store.finish(RecordId(i64::MAX), &outcome()).await.is_err());
    assert_eq!(store.record(RecordId(i64::MAX)).await.expect("read"), None);
    assert_eq!(store.record(RecordId(-1)).await.expect("read"), None);
}

async fn history_is_the_newest_first_and_bounded(store: &Backend) {
    let mut redis = Vec::new();
    for n in 0..6 {
        // The number decides, not the clock, which may have been set back.
        let given = Start {
            at: now() - n.minutes(),
            ..start(if n % 2 == 0 { "redis" } else { "mysql" })
        };
        let id = store.begin(&given).await.expect("begun");
        if n % 2 == 0 {
            redis.insert(0, id);
        }
    }
    let ids = |records: Vec<handbell::app::Record>| {
        records
            .into_iter()
            .map(|record| record.id)
            .collect::<Vec<_>>()
    };
    let of_redis = store.history(Some("redis"), 100).await.expect("read");
    assert_eq!(ids(of_redis), redis);
    let all = ids(store.history(None, 100).await.expect("read"));
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by(|a, b| a > b), "{all:?}");
    assert_eq!(store.history(None, 2).await.expect("read").len(), 2);
    assert_eq!(
        store.history(Some("redis"), 1).await.expect("read").len(),
        1
    );
    assert!(store.history(None, 0).await.expect("read").is_empty());
    assert!(
        store
            .history(Some("red'is"), 9)
            .await
            .expect("read")
            .is_empty()
    );
    assert!(store.history(None, u32::MAX).await.is_ok());
}

async fn the_last_healthy_diagnosis_of_a_page_is_found(store: &Backend) {
    assert!(store.last_healthy("redis").await.expect("read").is_none());
    let mut ended = Vec::new();
    for (page, verdict) in [
        ("redis", Verdict::Ok),
        ("redis", Verdict::Ok),
        ("mysql", Verdict::Ok),
        ("redis", Verdict::Unknown),
        ("redis", Verdict::Critical),
    ] {
        let id = store.begin(&start(page)).await.expect("begun");
        let outcome = Outcome {
            verdict,
            ..outcome()
        };
        store.finish(id, &outcome).await.expect("finished");
        ended.push(id);
    }
    store.begin(&start("redis")).await.expect("begun");
    let found = store.last_healthy("redis").await.expect("read");
    assert_eq!(found.expect("there").id, ended[1]);
}

async fn refusals_are_taken_and_are_no_diagnoses(store: &Backend) {
    store
        .refuse(
            &start("redis").actor,
            "cli",
            now(),
            "diagnose redis",
            "'no'",
        )
        .await
        .expect("recorded");
    assert!(store.history(None, 9).await.expect("read").is_empty());
}

async fn a_huge_report_is_cut_and_says_so(store: &Backend) {
    let id = store.begin(&start("redis")).await.expect("begun");
    let evidence = "a line of a log\n".repeat(100_000);
    let given = Outcome {
        report: json!({"runbook": "redis", "checks": [{"id": "log", "evidence": evidence}]}),
        ..outcome()
    };
    store.finish(id, &given).await.expect("finished");
    let record = store.record(id).await.expect("read").expect("there");
    let kept = record.outcome.expect("ended").report.to_string();
    assert!(kept.len() <= MAX_REPORT_BYTES, "{} bytes", kept.len());
    assert!(kept.contains("cut"));
}

async fn many_at_once_all_get_their_own(store: &Backend) {
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let id = store.begin(&start("redis")).await.expect("begun");
                store.finish(id, &outcome()).await.expect("finished");
                id
            })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.expect("no panic"));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    let all = store.history(None, 100).await.expect("read");
    assert!(all.iter().all(|record| record.outcome == Some(outcome())));
}

async fn what_is_too_old_is_forgotten(store: &Backend) {
    let old = Start {
        at: now() - 2000.hours(),
        ..start("redis")
    };
    let old = store.begin(&old).await.expect("begun");
    let new = store.begin(&start("redis")).await.expect("begun");
    for _ in 0..100 {
        if store.record(old).await.expect("read").is_none() {
            assert!(store.record(new).await.expect("read").is_some());
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a diagnosis of 2000 hours ago is still there, and 1000 hours are kept");
}

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        [$((stringify!($name), (|store| Box::pin($name(store))) as Case)),*]
    };
}

/// Runs every case on an empty store of its own, which keeps diagnoses for 1000 hours.
async fn hold(make: impl Fn() -> Backend) {
    for (name, case) in cases![
        what_is_begun_is_there_as_it_was_given,
        numbers_go_up,
        the_first_outcome_stays,
        every_verdict_is_kept,
        what_was_never_begun_can_not_end,
        history_is_the_newest_first_and_bounded,
        the_last_healthy_diagnosis_of_a_page_is_found,
        refusals_are_taken_and_are_no_diagnoses,
        a_huge_report_is_cut_and_says_so,
        many_at_once_all_get_their_own,
        what_is_too_old_is_forgotten,
    ] {
        println!("{name}");
        case(&make()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    let home = tempfile::tempdir().expect("a directory");
    let count = std::cell::Cell::new(0);
    hold(|| {
        count.set(count.get() + 1);
        let directory = home.path().join(count.get().to_string());
        Arc::new(SqliteStore::new(&directory, Duration::from_hours(1000)))
    })
    .await;
}
