use std::path::Path;

use super::*;
use crate::{
    config::Endpoint,
    domain::diagnosis::{Compared, Value},
    probes::docker::client::Engine,
};

fn made_from(image: &str) -> Value {
    let answer = serde_json::json!({
        "Id": "ef74f986417b7de16ed937dfb9feade66e2c1f01d2d2a4bf0f610f90277aeb6d",
        "State": { "Status": "running", "Running": true },
        "Config": { "Image": "mall/backend:latest" },
        "Image": image,
    });
    let container = serde_json::from_value(answer).expect("an answer");
    let engine = Engine::new(&Endpoint::Unix("/none".into()), Path::new("ssh"));
    let place = Place {
        engine: &engine,
        name: "mall_backend_1",
        address: None,
        patience: Duration::from_secs(1),
    };
    let now = SystemClock.now();
    let seen = tell(&place, &container, now, None, &Needs::default(), None).done();
    assert_eq!(seen.facts["image"], Value::from("mall/backend:latest"));
    seen.facts["image_id"].clone()
}

#[tokio::test]
async fn an_image_that_was_built_again_under_its_name_is_another() {
    let before = made_from("sha256:0123456789abcdef0000");
    assert_eq!(before, Value::from("0123456789ab"));
    assert_ne!(before, made_from("sha256:fedcba98765432100000"));
    let fact = SPEC.facts.iter().find(|fact| fact.name == "image_id");
    assert!(fact.is_some_and(|fact| matches!(fact.compared, Compared::Setting)));
}
