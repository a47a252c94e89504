//! A hundred people ask at once. Alone in its file, so that no other test takes the machine's time.
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{Bot, PATIENCE, Redis, Sandbox, Setup};

const PEOPLE: usize = 34;
/// As many as the gate lets one person run at once.
const EACH: usize = handbell::app::RUNS_PER_ACTOR;
/// A machine that does something else at the same moment may miss the second; it gets as many tries.
const ROUNDS: usize = 3;
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_hundred_at_once_are_acknowledged_within_a_second_and_all_answered() {
    let redis = Redis::start();
    let sandbox = Sandbox::start().await;
    let _bot = Bot::start(&sandbox, &Setup::redis(redis.port)).await;
    let names: Vec<String> = (0..PEOPLE).map(|n| format!("person{n}")).collect();
    for name in &names {
        let body = json!({"name": name, "locale": "en-US", "roles": ["operator"]});
        sandbox.post("/people", body).await;
    }
    let mut slowest = Vec::new();
    for _ in 0..ROUNDS {
        let waited = round(&sandbox, &names).await;
        println!(
            "{} at once: acknowledged after {waited:?} at the latest",
            PEOPLE * EACH
        );
        slowest.push(waited);
        if waited < SECOND {
            return;
        }
    }
    panic!("in no round were all acknowledged within a second: {slowest:?}");
}

/// Everybody asks at once; how long the last of them waited for the acknowledgement.
async fn round(sandbox: &Sandbox, names: &[String]) -> Duration {
    let people: Vec<_> = names.iter().map(|name| sandbox.person(name)).collect();
    let everybody = people
        .iter()
        .flat_map(|person| (0..EACH).map(move |_| person.types("diagnose redis")));
    let asked = join_all(everybody).await;
    let mut slowest = Duration::ZERO;
    for one in &asked {
        let answered = answered(sandbox, one).await;
        let ms = answered["acknowledged_after_ms"].as_u64();
        slowest = slowest.max(Duration::from_millis(ms.expect("acknowledged")));
    }
    slowest
}

/// Waits until an interaction has its answer; none may fail, in no round.
async fn answered(sandbox: &Sandbox, interaction: &Value) -> Value {
    let id = interaction["id"].as_str().expect("an id");
    let end = Instant::now() + 2 * PATIENCE;
    loop {
        let path = format!("/interactions/{id}?wait_ms=10000");
        let seen = sandbox.get(&path).await;
        if seen["state"] == "answered" {
            return seen;
        }
        assert_ne!(seen["state"], "failed", "{seen}");
        assert!(Instant::now() < end, "never answered: {seen}");
    }
}
