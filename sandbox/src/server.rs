//! The HTTP server: what each address leads to.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tokio_util::sync::CancellationToken;

pub(crate) use crate::cut::ConnectionHandle;
use crate::gateway::connection;
use crate::ids::Id;
use crate::rest::incoming::REQUEST_MAX_BYTES;
use crate::rest::serve;
use crate::world::World;
use crate::{control, lab, page};

/// What every handler shares.
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Cancelled when the sandbox stops.
    pub(crate) stop: CancellationToken,
    /// The lab's control interface, without a slash at the end.
    pub(crate) lab: Option<String>,
    /// The page from a directory instead of the copy in the binary.
    pub(crate) page_dir: Option<PathBuf>,
    /// Discord's OpenAPI description.
    pub(crate) openapi: Option<PathBuf>,
    /// For what is passed on to the lab.
    pub(crate) client: reqwest::Client,
}

impl Shared {
    /// Puts everything together.
    pub(crate) fn new(
        world: World,
        lab: Option<String>,
        page_dir: Option<PathBuf>,
        openapi: Option<PathBuf>,
    ) -> Self {
        let lab = lab.map(|url| url.trim_end_matches('/').to_owned());
        Self {
            world: Mutex::new(world),
            stop: CancellationToken::new(),
            lab,
            page_dir,
            openapi,
            client: reqwest::Client::new(),
        }
    }

    /// The world, for a moment: never across an await.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // A panic inside a request leaves the world as it was between two of its steps; the sandbox goes on.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The addresses of the plain and the TLS listener alike.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/gateway", get(gateway))
        .route("/gateway/", get(gateway))
        .route("/api/{*path}", any(rest))
        .route(
            "/attachments/{channel}/{attachment}/{filename}",
            get(attachment),
        )
        .route("/lab/{*path}", any(lab::pass_on))
        .nest("/sandbox", control::router(&shared))
        .fallback(get(page::serve))
        .with_state(shared)
}

async fn gateway(
    upgrade: WebSocketUpgrade,
    Query(query): Query<connection::Query>,
    State(shared): State<Arc<Shared>>,
) -> Response {
    if shared.world().faults.refuse_gateway() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade.on_upgrade(move |socket| connection::serve(socket, query, shared))
}

async fn rest(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<ConnectionHandle>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, REQUEST_MAX_BYTES)
        .await
        .map_err(|_| ());
    serve::answer(
        shared,
        Some(connection),
        parts.method,
        &parts.uri,
        parts.headers,
        bytes,
    )
    .await
}

/// A file. It is shown as what it says it is and never as a document of the sandbox's own origin.
async fn attachment(
    Path((_, attachment, _)): Path<(String, String, String)>,
    State(shared): State<Arc<Shared>>,
) -> Response {
    let file = Id::parse(&attachment).and_then(|id| shared.world().files.get(&id).cloned());
    let Some(file) = file else {
        return (
            StatusCode::NOT_FOUND,
            "This content is no longer available.",
        )
            .into_response();
    };
    let mut response = Response::new(Body::from(file.bytes));
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_str(&file.content_type)
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'",
        ),
    );
    response
}
