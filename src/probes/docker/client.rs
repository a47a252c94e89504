//! One client for each engine. Its connections are kept and reused.

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker, body_full};
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
};
use hyper_util::{
    client::legacy::{Client, Error as ClientError},
    rt::{TokioExecutor, TokioTimer},
};
use serde::de::DeserializeOwned;
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::{failure::Failure, way::Way};
use crate::config::Endpoint;

/// How many idle connections to one engine are kept: as many as one look uses at once.
const KEPT: usize = 4;

/// How many questions are put at once to an engine behind SSH: one, so that they share one
/// connection, each of which costs two processes and a handshake.
const AT_ONCE_OVER_SSH: usize = 1;

/// The pause after an answer in which the connection gets back among the kept ones, before the
/// next question would open another.
const SETTLE: Duration = Duration::from_millis(5);

/// How long an idle connection is kept. Our own choice: longer than people think between two
/// diagnoses, shorter than the engine's patience, which has no limit.
const KEPT_FOR: Duration = Duration::from_secs(90);

/// Bollard's own time limit, in seconds: never reached, since each look has its patience.
const NO_LIMIT_S: u64 = 3_600;

/// Longest error message that is read, in bytes.
const MESSAGE_BYTES: usize = 16 * 1024;

/// Longest answer that is read as a whole, in bytes. Our own choice: `system df` of a thousand
/// images is about 1 MB.
const JSON_BYTES: usize = 8 * 1024 * 1024;

/// Any host: the way leads to the engine whatever stands here.
const HOST: &str = "http://docker";

type Send = dyn Fn(BollardRequest) -> BoxFuture<'static, Result<Response<Incoming>, ClientError>>
    + std::marker::Send
    + Sync;

/// An engine.
pub(super) struct Engine {
    address: String,
    send: Arc<Send>,
    docker: Result<Docker, Failure>,
    turns: Semaphore,
    over_ssh: bool,
    here: bool,
}

impl Engine {
    /// The engine at `endpoint`; nothing is opened yet.
    pub(super) fn new(endpoint: &Endpoint, ssh: &Path) -> Self {
        let over_ssh = matches!(endpoint, Endpoint::Ssh(_));
        let way = Way::new(endpoint, ssh);
        let address = way.address();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(KEPT)
            .pool_idle_timeout(KEPT_FOR)
            .build(way);
        let send: Arc<Send> =
            Arc::new(move |request: BollardRequest| Box::pin(client.request(request)));
        let transport = {
            let send = Arc::clone(&send);
            move |request: BollardRequest| {
                let answered = send(request);
                async move { answered.await.map_err(bollard::errors::Error::from) }
            }
        };
        let docker = Docker::connect_with_custom_transport(
            transport,
            Some(HOST),
            NO_LIMIT_S,
            API_DEFAULT_VERSION,
        );
        Self {
            address,
            send,
            docker: docker.map_err(Failure::from),
            turns: Semaphore::new(if over_ssh {
                AT_ONCE_OVER_SSH
            } else {
                Semaphore::MAX_PERMITS
            }),
            over_ssh,
            here: matches!(endpoint, Endpoint::Unix(_)),
        }
    }

    /// Where it is, as the reader knows it.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Asks through bollard, for at most `patience`.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn ask<'a, T, F>(
        &'a self,
        patience: Duration,
        question: impl FnOnce(&'a Docker) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, bollard::errors::Error>>,
    {
        let docker = self.docker.as_ref().map_err(Clone::clone)?;
        let answered = async {
            let _turn = self.turns.acquire().await;
            let answer = question(docker).await;
            if self.over_ssh {
                sleep(SETTLE).await;
            }
            answer
        };
        match timeout(patience, answered).await {
            Ok(answer) => answer.map_err(Failure::from),
            Err(_) => Err(Failure::TimedOut),
        }
    }

    /// Asks for `path` and leaves the body to the caller, who decides how much of it to read.
    ///
    /// # Errors
    /// There is no answer, or it is none of success.
    pub(super) async fn open(&self, path: &str) -> Result<Incoming, Failure> {
        let request = Request::get(format!("{HOST}{path}")).body(body_full(Bytes::new()));
        Ok(self.answer(request).await?.into_body())
    }

    /// Asks for `path` and reads the answer, which may be [`JSON_BYTES`] long.
    ///
    /// # Errors
    /// There is no answer, it is none of success, too long, or another one than was asked for.
    pub(super) async fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        json(self.open(path).await?).await
    }

    /// Puts `body` to `path`, and leaves the answer to the caller.
    ///
    /// # Errors
    /// There is no answer, or it is none of success.
    pub(super) async fn post(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Incoming, Failure> {
        let request = Request::post(format!("{HOST}{path}"))
            .header("Content-Type", "application/json")
            .body(body_full(Bytes::from(body.to_string())));
        Ok(self.answer(request).await?.into_body())
    }

    /// The same, and reads the answer.
    ///
    /// # Errors
    /// As for [`Self::post`] and [`Self::get_json`].
    pub(super) async fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, Failure> {
        json(self.post(path, body).await?).await
    }

    /// Asks for the header `name` of `path`, without its body.
    ///
    /// # Errors
    /// There is no answer, or it is none of success.
    pub(super) async fn head(&self, path: &str, name: &str) -> Result<Option<String>, Failure> {
        let request = Request::head(format!("{HOST}{path}")).body(body_full(Bytes::new()));
        let answer = self.answer(request).await?;
        let header = answer.headers().get(name);
        Ok(header.and_then(|value| Some(value.to_str().ok()?.to_owned())))
    }

    /// Whether what the engine's machine shows can be reached from here: its socket is a file of
    /// this machine.
    pub(super) fn is_here(&self) -> bool {
        self.here
    }

    async fn answer(
        &self,
        request: Result<BollardRequest, hyper::http::Error>,
    ) -> Result<Response<Incoming>, Failure> {
        let request = request.map_err(|error| Failure::Said(0, error.to_string()))?;
        let _turn = self.turns.acquire().await;
        let answer = (self.send)(request)
            .await
            .map_err(|error| Failure::in_chain(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = Limited::new(answer.into_body(), MESSAGE_BYTES)
            .collect()
            .await;
        let body = body
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        Err(Failure::answered(status.as_u16(), &message_in(&body)))
    }
}

/// The answer as what was asked for.
async fn json<T: DeserializeOwned>(body: Incoming) -> Result<T, Failure> {
    let read = Limited::new(body, JSON_BYTES).collect().await;
    let bytes = read
        .map_err(|error| Failure::in_chain(error.as_ref()))?
        .to_bytes();
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::Stranger(format!("its answer is not what an engine answers: {error}"))
    })
}

/// The engine's own message in the body of an error.
fn message_in(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Said {
        message: String,
    }
    serde_json::from_slice::<Said>(body).map_or_else(
        |_| String::from_utf8_lossy(body).into_owned(),
        |said| said.message,
    )
}
