//! The interface by which the page and tests act as a person and read what a person sees (docs/sandbox.md).

mod act;
mod admin;
mod components;
mod fault;
mod invoke;
mod options;
mod picker;
mod records;
mod stream;
mod view;
mod view_message;
mod wait;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::ids::Id;
use crate::rest::error::ApiError;
use crate::rest::incoming::REQUEST_MAX_BYTES;
use crate::server::Shared;
use crate::world::{Person, World};

/// A refusal of this interface.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    error: String,
    more: Option<Box<(&'static str, Value)>>,
}

/// The result of a handler.
type Said = Result<Json<Value>, Refusal>;

impl Refusal {
    fn new(status: StatusCode, code: &'static str, error: impl Into<String>) -> Self {
        Self {
            status,
            code,
            error: error.into(),
            more: None,
        }
    }
    fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", error)
    }
    fn unknown(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown",
            format!("There is no such {what}, or this person cannot see it."),
        )
    }
    fn forbidden(error: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", error)
    }
    fn disabled(error: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "disabled", error)
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let message = error.body["message"]
            .as_str()
            .unwrap_or("Discord refuses this")
            .to_owned();
        let detail = error
            .body
            .get("errors")
            .map(|errors| format!(" {errors}"))
            .unwrap_or_default();
        Self::bad(format!("{message}.{detail}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({"error": self.error, "code": self.code});
        if let Some((body, more)) = body.as_object_mut().zip(self.more) {
            body.insert(more.0.into(), more.1);
        }
        (self.status, Json(body)).into_response()
    }
}

/// A JSON body; an empty one counts as `{}`. What is wrong with it is told in this interface's own form.
struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| Refusal::bad(error.body_text()))?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| Refusal::bad(format!("The body cannot be read: {error}.")))
    }
}

/// Whether a request comes from the sandbox's own page, or from no page at all.
pub(crate) fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
    };
    let host = text(header::HOST).unwrap_or_default();
    // A name other than loopback's means that somebody points their own domain at this machine.
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
        return false;
    }
    text(header::ORIGIN).is_none_or(|origin| origin.strip_prefix("http://") == Some(host))
}

async fn guard(request: Request, next: Next) -> Response {
    if same_origin(request.headers()) {
        return next.run(request).await;
    }
    Refusal::forbidden(
        "Only the sandbox's own page, at its loopback address, may use this interface.",
    )
    .into_response()
}

/// Everything under `/sandbox`.
pub(crate) fn router(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let _ = shared;
    Router::new()
        .route("/state", get(view::state))
        .route("/channels", get(view::channels).post(admin::create_channel))
        .route(
            "/channels/{id}",
            axum::routing::patch(admin::edit_channel).delete(admin::delete_channel),
        )
        .route(
            "/channels/{id}/messages",
            get(view_message::list).post(act::send),
        )
        .route("/channels/{id}/messages/wait", get(wait::message))
        .route("/channels/{id}/members", get(view::members))
        .route("/channels/{id}/typing", post(act::typing))
        .route(
            "/channels/{id}/permissions/{whom}",
            put(admin::set_permissions),
        )
        .route(
            "/messages/{id}",
            get(view_message::one).patch(act::edit).delete(act::delete),
        )
        .route("/messages/{id}/click", post(components::click))
        .route("/messages/{id}/select", post(components::select))
        .route("/modals/{id}/submit", post(components::submit))
        .route("/modals/{id}/dismiss", post(components::dismiss))
        .route("/commands", get(picker::list))
        .route("/commands/invoke", post(invoke::invoke))
        .route("/commands/autocomplete", post(invoke::autocomplete))
        .route("/interactions/{id}", get(wait::interaction))
        .route("/events", get(stream::events))
        .route("/threads", post(act::open_thread))
        .route("/threads/{id}", post(act::change_thread))
        .route("/people", post(admin::create_person))
        .route(
            "/people/{who}",
            axum::routing::patch(admin::edit_person).delete(admin::delete_person),
        )
        .route("/roles", post(admin::create_role))
        .route(
            "/roles/{which}",
            axum::routing::patch(admin::edit_role).delete(admin::delete_role),
        )
        .route(
            "/faults",
            get(fault::list).post(fault::set).delete(fault::clear),
        )
        .route("/faults/{id}", delete(fault::end))
        .route("/clock", post(fault::clock))
        .route("/reset", post(admin::reset))
        .route(
            "/traffic",
            get(records::traffic).delete(records::forget_traffic),
        )
        .route("/traffic/check", get(records::check))
        .route(
            "/gateway",
            get(records::gateway).delete(records::forget_gateway),
        )
        .fallback(nothing)
        .layer(middleware::from_fn(guard))
        .layer(DefaultBodyLimit::max(REQUEST_MAX_BYTES))
}

async fn nothing(State(_): State<Arc<Shared>>) -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "unknown",
        "There is no such address in the sandbox's interface; docs/sandbox.md lists them.",
    )
}

fn ok() -> Json<Value> {
    Json(json!({"ok": true}))
}

/// The person that a request acts as.
fn person<'w>(world: &'w World, who: Option<&str>) -> Result<&'w Person, Refusal> {
    let who =
        who.ok_or_else(|| Refusal::bad("Say who acts: `as` is the name or the id of a person."))?;
    world.find_person(who).ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "unknown",
            format!("There is no person {who:?} in the guild."),
        )
    })
}

/// A channel that a person sees.
fn channel_of(world: &World, who: Id, id: &str) -> Result<Id, Refusal> {
    Id::parse(id)
        .filter(|id| world.sees(who, *id))
        .ok_or_else(|| Refusal::unknown("channel"))
}

/// Whether a person sees a message.
fn sees_message(world: &World, who: Id, id: Id) -> bool {
    world.messages.get(&id).is_some_and(|message| {
        world.sees(who, message.channel) && message.only_for.is_none_or(|only| only == who)
    })
}

/// A message that a person sees.
fn message_of(world: &World, who: Id, id: &str) -> Result<Id, Refusal> {
    Id::parse(id)
        .filter(|id| sees_message(world, who, *id))
        .ok_or_else(|| Refusal::unknown("message"))
}
