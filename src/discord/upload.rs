//! Messages with files.
//!
//! serenity numbers the files of a message with integers; Discord's own description (`OpenAPI`,
//! `MessageAttachmentRequest.id`) has them as texts. So these requests are made here, with the
//! same client, and fail with the same errors.

use std::time::Duration;

use reqwest::{
    Method, RequestBuilder, StatusCode,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use serenity::{
    Error,
    http::{ErrorResponse, HttpError},
};
use tokio::time::sleep;

use super::attach::File;

/// Times that a rate limit is waited for; the caller bounds the whole time.
const WAITS: usize = 10;
/// The wait where Discord names none.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);
/// The longest wait that is believed; longer ones are bans, which waiting here would not end.
const LONGEST_WAIT: Duration = Duration::from_secs(45);

/// Sends `body` with `files` by `method` to the address that `request` makes; waits for rate limits.
pub(super) async fn upload(
    request: impl Fn() -> RequestBuilder,
    method: Method,
    mut body: Value,
    files: &[File],
) -> Result<(), Error> {
    body["attachments"] = files
        .iter()
        .enumerate()
        .map(|(n, file)| json!({"id": n.to_string(), "filename": file.name}))
        .collect();
    let body = body.to_string();
    for _ in 0..WAITS {
        let form = form(&body, files).map_err(HttpError::Request)?;
        let sent = request().multipart(form).send().await;
        let response = sent.map_err(HttpError::Request)?;
        if response.status().is_success() {
            return Ok(());
        }
        if response.status() != StatusCode::TOO_MANY_REQUESTS {
            let failed = ErrorResponse::from_response(response, method).await;
            return Err(HttpError::UnsuccessfulRequest(failed).into());
        }
        let wait = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .unwrap_or(DEFAULT_WAIT);
        tracing::warn!(
            wait_ms = wait.as_millis(),
            "Discord's rate limit makes a message wait"
        );
        sleep(wait.min(LONGEST_WAIT)).await;
    }
    Err(Error::Io(std::io::Error::other(
        "Discord's rate limit did not end",
    )))
}

fn form(body: &str, files: &[File]) -> reqwest::Result<Form> {
    let payload = Part::text(body.to_owned()).mime_str("application/json")?;
    let mut form = Form::new().part("payload_json", payload);
    for (n, file) in files.iter().enumerate() {
        let part = Part::text(file.text.clone())
            .file_name(file.name.clone())
            .mime_str(file.kind)?;
        form = form.part(format!("files[{n}]"), part);
    }
    Ok(form)
}
