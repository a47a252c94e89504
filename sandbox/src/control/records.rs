//! What was said between bot and Discord.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{Refusal, Said, ok};
use crate::openapi::Description;
use crate::server::Shared;

/// Records of one answer.
const LIMIT: usize = 1_000;

/// Which part of the records.
#[derive(Debug, Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    since: u64,
    limit: Option<usize>,
}

/// `GET /traffic`
pub(super) async fn traffic(State(shared): State<Arc<Shared>>, Query(part): Query<Part>) -> Said {
    Ok(Json(
        shared
            .world()
            .recorder
            .traffic_json(part.since, part.limit.unwrap_or(LIMIT)),
    ))
}

/// `DELETE /traffic`
pub(super) async fn forget_traffic(State(shared): State<Arc<Shared>>) -> Said {
    shared.world().recorder.clear_traffic();
    Ok(ok())
}

/// `GET /traffic/check`
pub(super) async fn check(State(shared): State<Arc<Shared>>) -> Said {
    let Some(path) = shared.openapi.clone() else {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "bad_request",
            "This sandbox was started without --openapi, so there is nothing to check against.",
        ));
    };
    let records = shared.world().recorder.traffic();
    // Reading the description and compiling its schemas is work for a thread of its own.
    let checked = tokio::task::spawn_blocking(move || {
        Description::read(&path).map(|description| description.check(&records))
    })
    .await;
    match checked {
        Ok(Ok(outcome)) => Ok(Json(json!(outcome))),
        Ok(Err(error)) => Err(Refusal::new(
            StatusCode::CONFLICT,
            "bad_request",
            error.to_string(),
        )),
        Err(_) => Err(Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "bad_request",
            "The comparison broke off.",
        )),
    }
}

/// `GET /gateway`
pub(super) async fn gateway(State(shared): State<Arc<Shared>>, Query(part): Query<Part>) -> Said {
    let world = shared.world();
    let (payloads, next, dropped) = world
        .recorder
        .payloads(part.since, part.limit.unwrap_or(LIMIT));
    Ok(Json(
        json!({"sessions": world.gateway.json(), "payloads": payloads, "next": next, "dropped": dropped}),
    ))
}

/// `DELETE /gateway`
pub(super) async fn forget_gateway(State(shared): State<Arc<Shared>>) -> Said {
    shared.world().recorder.clear_payloads();
    Ok(ok())
}
