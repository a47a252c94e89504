//! From an HTTP request to a recorded answer: faults, token, rate limits, route, headers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::error::{ApiError, Code};
use super::incoming::{self, Incoming};
use super::limits::{self, Limited, Standing};
use super::{Call, Reply, routes};
use crate::clock::page_time;
use crate::server::{ConnectionHandle, Shared};
use crate::world::World;
use crate::world::faults::{Kind, Scope};

/// Milliseconds that a client is told to wait at a 429 whose bucket is not known.
const DEFAULT_RETRY_MS: i64 = 1_000;

/// One request, taken apart.
struct Asked {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    started: Instant,
}

/// An answer before it is bytes.
struct Said {
    status: StatusCode,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

/// Answers a request under `/api`.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    connection: Option<ConnectionHandle>,
    method: Method,
    uri: &Uri,
    headers: HeaderMap,
    bytes: Result<Bytes, ()>,
) -> Response {
    let path = uri.path().strip_prefix("/api").unwrap_or_default();
    let path = ["/v10", "/v9"]
        .iter()
        .find_map(|version| path.strip_prefix(version))
        .unwrap_or(path)
        .to_owned();
    let asked = Asked {
        method,
        path,
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        started: Instant::now(),
    };
    let (fault, delay_ms) = shared
        .world()
        .faults
        .meet(asked.method.as_str(), &asked.path);
    if let Some(delay_ms) = delay_ms {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    let most = shared.world().faults.attachment_bytes();
    let read = match bytes {
        Ok(bytes) => incoming::read(&asked.method, &asked.headers, bytes, most).await,
        Err(()) => Err(Code::EntityTooLarge.into()),
    };
    let (incoming, refused) = match read {
        Ok(incoming) => (incoming, None),
        Err(error) => (Incoming::default(), Some(error)),
    };
    let files: Vec<Value> = incoming
        .uploads
        .iter()
        .map(
            |file| json!({"name": file.field, "filename": file.filename, "size": file.bytes.len()}),
        )
        .collect();
    let body = incoming.body.clone();
    let fault_word = word(fault.as_ref(), delay_ms);
    let mut world = shared.world();
    let said = match &fault {
        Some(Kind::Cut { .. }) => None,
        Some(kind) if !matches!(kind, Kind::LostAnswer { .. }) => Some(planned(kind)),
        _ => Some(decide(&mut world, &asked, incoming, refused)),
    };
    if let Some(said) = &said {
        let now = world.now_ms();
        if matches!(said.status.as_u16(), 401 | 403 | 429) {
            world.limits.invalid(now);
        }
        let record = record(&asked, &body, &files, said, fault_word.as_deref(), now);
        world.recorder.exchange(record);
    }
    drop(world);
    let cut = matches!(fault, Some(Kind::Cut { .. } | Kind::LostAnswer { .. }));
    if let Some(said) = said.filter(|_| !cut) {
        write(said)
    } else {
        if let Some(connection) = connection {
            connection.cut();
        }
        Response::new(Body::empty())
    }
}

fn word(fault: Option<&Kind>, delay_ms: Option<u64>) -> Option<String> {
    let kind = fault
        .and_then(|kind| serde_json::to_value(kind).ok())
        .and_then(|value| value["kind"].as_str().map(str::to_owned));
    kind.or_else(|| delay_ms.map(|_| "slow".to_owned()))
}

/// The answer that a fault gives instead of carrying the request out.
fn planned(kind: &Kind) -> Said {
    match kind {
        Kind::RateLimit {
            retry_after_ms,
            global,
            scope,
            ..
        } => {
            let retry_ms = i64::try_from(*retry_after_ms).unwrap_or(DEFAULT_RETRY_MS);
            let scope = match scope {
                Scope::Shared => "shared",
                Scope::Global => "global",
                Scope::User if *global => "global",
                Scope::User => "user",
            };
            too_many(retry_ms, *global, scope, None)
        }
        Kind::Refuse { code, .. } => {
            refused(Code::by_number(*code).unwrap_or(Code::NotFound).into())
        }
        Kind::ServerError { status, .. } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
            let edge = status == StatusCode::BAD_GATEWAY;
            let body = if edge {
                json!(
                    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
                )
            } else {
                json!({"message": format!("{}: {}", status.as_u16(), status.canonical_reason().unwrap_or("Error")), "code": 0})
            };
            Said {
                status,
                body: Some(body),
                headers: Vec::new(),
            }
        }
        _ => refused(Code::NotFound.into()),
    }
}

fn refused(error: ApiError) -> Said {
    Said {
        status: error.status,
        body: Some(error.body),
        headers: Vec::new(),
    }
}

fn decide(world: &mut World, asked: &Asked, incoming: Incoming, refusal: Option<ApiError>) -> Said {
    let decoded: Vec<String> = asked
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(percent_decoded)
        .collect();
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let now = world.now_ms();
    if !routes::is_open(&segments) {
        let token = asked
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let right = token
            .strip_prefix("Bot ")
            .map(str::to_owned)
            .is_some_and(|token| world.token_is_right(&token));
        if !right {
            return refused(Code::Unauthorized.into());
        }
    }
    let named = routes::name(&segments);
    let (standing, limited) =
        world
            .limits
            .count(asked.method.as_str(), &named.route, &named.major, now);
    if let Some(limited) = limited {
        return match limited {
            Limited::Route => too_many(
                standing
                    .as_ref()
                    .map_or(DEFAULT_RETRY_MS, |one| one.reset_after_ms),
                false,
                "user",
                standing.as_ref(),
            ),
            Limited::Global { retry_ms } => too_many(retry_ms, true, "global", None),
            Limited::Banned { retry_ms } => too_many(retry_ms, false, "user", None),
        };
    }
    let query = parse_query(&asked.query);
    let result = match refusal {
        Some(error) => Err(error),
        None => routes::carry_out(
            Call {
                world,
                query: &query,
                body: &incoming.body,
                uploads: incoming.uploads,
            },
            &asked.method,
            &segments,
        ),
    };
    let mut said = match result {
        Ok(Reply { status, body }) => Said {
            status,
            body,
            headers: Vec::new(),
        },
        Err(error) => refused(error),
    };
    if let Some(standing) = &standing {
        said.headers.extend(standing_headers(standing));
    }
    said
}

fn standing_headers(standing: &Standing) -> Vec<(&'static str, String)> {
    vec![
        ("x-ratelimit-limit", standing.limit.to_string()),
        ("x-ratelimit-remaining", standing.remaining.to_string()),
        (
            "x-ratelimit-reset",
            format!(
                "{}.{:03}",
                standing.reset_ms / 1_000,
                standing.reset_ms % 1_000
            ),
        ),
        (
            "x-ratelimit-reset-after",
            format!("{:.3}", limits::seconds(standing.reset_after_ms)),
        ),
        ("x-ratelimit-bucket", standing.bucket.clone()),
    ]
}

fn too_many(retry_ms: i64, global: bool, scope: &str, standing: Option<&Standing>) -> Said {
    let mut headers = standing.map(standing_headers).unwrap_or_default();
    // The header is in whole seconds, rounded up; the body has the fraction.
    headers.push((
        "retry-after",
        retry_ms.unsigned_abs().div_ceil(1_000).to_string(),
    ));
    headers.push(("x-ratelimit-scope", scope.to_owned()));
    if global {
        headers.push(("x-ratelimit-global", "true".to_owned()));
    }
    Said {
        status: StatusCode::TOO_MANY_REQUESTS,
        body: Some(limits::body(retry_ms, global)),
        headers,
    }
}

fn write(said: Said) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = said.status;
    let headers = response.headers_mut();
    headers.insert("via", HeaderValue::from_static("1.1 google"));
    for (name, value) in said.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    match said.body {
        None => {}
        Some(Value::String(html)) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            *response.body_mut() = Body::from(html);
        }
        Some(body) => {
            // discord.py takes exactly this content type for JSON.
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            *response.body_mut() = Body::from(body.to_string());
        }
    }
    response
}

fn record(
    asked: &Asked,
    body: &Value,
    files: &[Value],
    said: &Said,
    fault: Option<&str>,
    now_ms: i64,
) -> Value {
    let segments: Vec<&str> = asked
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let header = |name: &str| {
        asked
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let headers: serde_json::Map<String, Value> = said
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let duration_us = u64::try_from(asked.started.elapsed().as_micros()).unwrap_or(u64::MAX);
    json!({"seq": 0, "at": page_time(now_ms), "method": asked.method.as_str(), "path": asked.path, "query": asked.query, "route": routes::name(&segments).route,
        "request": {"content_type": header("content-type"), "body": body, "files": files, "user_agent": header("user-agent"), "reason": header("x-audit-log-reason")},
        "response": {"status": said.status.as_u16(), "headers": headers, "body": said.body}, "fault": fault, "duration_us": duration_us})
}

/// Reads a query string.
pub(crate) fn parse_query(query: &str) -> HashMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| {
            (
                percent_decoded(key),
                percent_decoded(&value.replace('+', " ")),
            )
        })
        .collect()
}

/// Undoes percent encoding; what is not UTF-8 stays as it is.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digits = (byte == b'%')
            .then(|| Some((hex(ahead.next()?)?, hex(ahead.next()?)?)))
            .flatten();
        if let Some((high, low)) = digits {
            bytes.push(high * 16 + low);
            rest = ahead;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_decoded_once() {
        assert_eq!(percent_decoded("%F0%9F%94%A5"), "🔥");
        assert_eq!(percent_decoded("100%"), "100%");
        assert_eq!(percent_decoded("%2541"), "%41");
        assert_eq!(
            parse_query("limit=5&query=a+b")
                .get("query")
                .map(String::as_str),
            Some("a b")
        );
    }
}
