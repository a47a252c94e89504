//! The lab's control interface, for the sandbox's page: `GET /faults`, `POST /break/NAME`, `POST /heal/NAME`.
//! It listens on loopback alone and takes no request from a web page of another origin.

use std::sync::Arc;

use axum::extract::{Path, Request, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::error::Result;
use crate::fault::{self, Fault};
use crate::lab::Lab;
use crate::settings::Settings;
use crate::state::Store;

/// The interface's routes.
pub fn router(settings: Settings) -> Router {
    Router::new()
        .route("/faults", get(faults))
        .route("/break/{name}", post(break_lab))
        .route("/heal/{name}", post(heal))
        .layer(middleware::from_fn(local_only))
        .with_state(Arc::new(settings))
}

/// Refuses what a page of another site could make a browser send: a foreign `Origin`, or a `Host` that is a name
/// (a name may be made to point at loopback; an address may not).
async fn local_only(headers: HeaderMap, request: Request, next: Next) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let local = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "127.0.0.1" | "localhost" | "[::1]")
    };
    let host_is_local = text(header::HOST).is_some_and(local);
    let origin_is_local =
        text(header::ORIGIN).is_none_or(|origin| origin.strip_prefix("http://").is_some_and(local));
    if host_is_local && origin_is_local {
        return next.run(request).await;
    }
    (
        StatusCode::FORBIDDEN,
        Json(json!({"ok": false, "said": "only programs and pages of this machine may do that"})),
    )
        .into_response()
}

async fn faults(Shared(settings): Shared<Arc<Settings>>) -> Response {
    match describe_all(&settings) {
        Ok(list) => Json(list).into_response(),
        Err(error) => failed(&error),
    }
}

fn describe_all(settings: &Settings) -> Result<Value> {
    let state = Store::peek(settings)?;
    let broken = state
        .as_ref()
        .and_then(|state| state.broken.as_ref())
        .map(|broken| broken.fault.as_str());
    let way = state.as_ref().map(fault::Way::of);
    let mut faults = fault::read_all(&settings.lab_dir)?;
    faults.sort_by_key(Fault::is_near_miss); // near misses last; the sort keeps the rest as it is
    Ok(faults
        .iter()
        .map(|fault| describe(fault, way, broken))
        .collect())
}

fn describe(fault: &Fault, way: Option<fault::Way>, broken: Option<&str>) -> Value {
    let why_not = match way {
        None => Some("the lab is not up / 实验环境未启动".to_owned()),
        Some(way) => fault
            .why_not(way)
            .map(|why| format!("{} / {}", why.en, why.zh)),
    };
    json!({
        "name": fault.name,
        "title": fault.title,
        "applies": why_not.is_none(),
        "why_not": why_not,
        "broken": broken == Some(fault.name.as_str()),
    })
}

async fn break_lab(Shared(settings): Shared<Arc<Settings>>, Path(name): Path<String>) -> Response {
    // A task of its own, so that a browser which goes away does not leave a fault half made.
    let work = tokio::spawn(async move {
        let faults = fault::read_all(&settings.lab_dir)?;
        let fault = fault::find(&faults, &name)?;
        Lab::open(&settings).await?.break_with(fault).await?;
        Ok(format!("{} / {}", fault.title.en, fault.title.zh))
    });
    said(work.await)
}

async fn heal(Shared(settings): Shared<Arc<Settings>>, Path(name): Path<String>) -> Response {
    let work = tokio::spawn(async move {
        let faults = fault::read_all(&settings.lab_dir)?;
        let fault = fault::find(&faults, &name)?;
        Lab::open(&settings).await?.heal(fault).await?;
        Ok("The lab is as before. / 已恢复正常。".to_owned())
    });
    said(work.await)
}

fn said(outcome: Result<Result<String>, tokio::task::JoinError>) -> Response {
    match outcome {
        Ok(Ok(words)) => Json(json!({"ok": true, "said": words})).into_response(),
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> Response {
    (
        StatusCode::CONFLICT,
        Json(json!({"ok": false, "said": error.to_string()})),
    )
        .into_response()
}
