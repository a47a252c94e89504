//! A request as it came off the wire: JSON, or JSON with files beside it.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, Method, header};
use serde_json::{Map, Value};

use super::error::{ApiError, Code};
use crate::validate::message::{ATTACHMENT_MAX_BYTES, ATTACHMENTS_MAX, Upload};

/// Bytes of a whole request: as many attachments as a message may have, and 1 MiB for the rest.
pub(crate) const REQUEST_MAX_BYTES: usize = ATTACHMENT_MAX_BYTES * ATTACHMENTS_MAX + 1024 * 1024;

/// The body, read.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    pub(crate) body: Value,
    pub(crate) uploads: Vec<Upload>,
}

/// Reads a body by its content type; an attachment may have `most` bytes.
///
/// # Errors
/// 50035 for a content type that Discord does not take, 50109 for broken JSON, 40005 for files that are too large.
pub(crate) async fn read(
    method: &Method,
    headers: &HeaderMap,
    bytes: Bytes,
    most: usize,
) -> Result<Incoming, ApiError> {
    if bytes.is_empty() || *method == Method::GET {
        return Ok(Incoming::default());
    }
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => Ok(Incoming {
            body: json(&bytes)?,
            uploads: Vec::new(),
        }),
        "multipart/form-data" => multipart(content_type, bytes, most).await,
        _ => Err(ApiError::content_type()),
    }
}

fn json(bytes: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(bytes).map_err(|_| Code::InvalidJson.into())
}

async fn multipart(content_type: &str, bytes: Bytes, most: usize) -> Result<Incoming, ApiError> {
    let request = Request::builder()
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(bytes))
        .map_err(|_| Code::InvalidJson)?;
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| Code::InvalidJson)?;
    let mut incoming = Incoming {
        body: Value::Object(Map::new()),
        uploads: Vec::new(),
    };
    while let Some(field) = form.next_field().await.map_err(|_| Code::InvalidJson)? {
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field.file_name().map(str::to_owned);
        let content_type = field.content_type().map(str::to_owned);
        let data = field.bytes().await.map_err(|_| Code::InvalidJson)?;
        match filename {
            None if name == "payload_json" => incoming.body = json(&data)?,
            None => {
                let text = String::from_utf8_lossy(&data).into_owned();
                if let Some(body) = incoming.body.as_object_mut() {
                    body.insert(name, Value::String(text));
                }
            }
            Some(_) if data.len() > most => return Err(Code::EntityTooLarge.into()),
            Some(filename) => incoming.uploads.push(Upload {
                field: name,
                filename,
                content_type,
                bytes: data,
            }),
        }
    }
    Ok(incoming)
}
