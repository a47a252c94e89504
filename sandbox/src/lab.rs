//! What is passed on to the lab's control interface.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::server::Shared;

/// Breaking and healing starts and stops servers, which takes its time.
const DEADLINE: Duration = Duration::from_mins(2);

/// Passes `/lab/…` on, with its method and without a body.
pub(crate) async fn pass_on(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let refuse = |status, said: String| {
        (
            status,
            Json(json!({"ok": false, "said": said, "error": said, "code": "lab"})),
        )
            .into_response()
    };
    if !crate::control::same_origin(request.headers()) {
        return refuse(
            StatusCode::FORBIDDEN,
            "Only the sandbox's own page may use the lab.".to_owned(),
        );
    }
    let Some(lab) = &shared.lab else {
        return refuse(
            StatusCode::NOT_FOUND,
            "No lab is connected; start the sandbox with --lab URL.".to_owned(),
        );
    };
    if path.split('/').any(|part| part == "..") {
        return refuse(
            StatusCode::BAD_REQUEST,
            "This is no address of the lab.".to_owned(),
        );
    }
    let method = if request.method() == Method::POST {
        reqwest::Method::POST
    } else {
        reqwest::Method::GET
    };
    let answer = shared
        .client
        .request(method, format!("{lab}/{path}"))
        .timeout(DEADLINE)
        .send()
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            return refuse(
                StatusCode::BAD_GATEWAY,
                format!("The lab at {lab} does not answer: {error}."),
            );
        }
    };
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    match answer.bytes().await {
        Ok(bytes) => (
            status,
            [(header::CONTENT_TYPE, "application/json")],
            Body::from(bytes),
        )
            .into_response(),
        Err(error) => refuse(
            StatusCode::BAD_GATEWAY,
            format!("The lab at {lab} broke off its answer: {error}."),
        ),
    }
}
