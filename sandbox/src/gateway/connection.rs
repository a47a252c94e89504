//! One gateway connection: HELLO, what the client says, what it is told, and its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::codec::Codec;
use super::identify::Refusal;
use super::limits::{PAYLOAD_MAX_BYTES, Sends};
use super::{OUTBOX_MAX, Out};
use crate::server::Shared;
use crate::world::Change;

/// Intervals without a heartbeat after which the connection counts as dead. Two, so that one lost beat is no harm.
const MISSED_BEATS: u32 = 2;

/// The query of the gateway's address.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Query {
    v: Option<String>,
    encoding: Option<String>,
    compress: Option<String>,
}

/// What a client may send.
mod op {
    pub(super) const HEARTBEAT: u64 = 1;
    pub(super) const IDENTIFY: u64 = 2;
    pub(super) const PRESENCE: u64 = 3;
    pub(super) const VOICE: u64 = 4;
    pub(super) const RESUME: u64 = 6;
    pub(super) const REQUEST_MEMBERS: u64 = 8;
    pub(super) const REQUEST_SOUNDS: u64 = 31;
}

struct Connection {
    shared: Arc<Shared>,
    codec: Codec,
    session: Option<String>,
    outbox: mpsc::Sender<Out>,
    sends: Sends,
    last_beat: Instant,
}

/// What comes of a payload.
enum Next {
    Go,
    Say(Value),
    Close(Refusal),
}

/// Carries a connection until it ends.
pub(crate) async fn serve(mut socket: WebSocket, query: Query, shared: Arc<Shared>) {
    if let Err(refusal) = check(&query) {
        close(&mut socket, refusal).await;
        return;
    }
    let (outbox, mut inbox) = mpsc::channel(OUTBOX_MAX);
    let zlib_stream = query.compress.as_deref() == Some("zlib-stream");
    let interval = Duration::from_millis(shared.world().heartbeat_ms);
    let mut connection = Connection {
        shared,
        codec: Codec::new(zlib_stream),
        session: None,
        outbox,
        sends: Sends::default(),
        last_beat: Instant::now(),
    };
    let hello = json!({"op": 10, "t": null, "s": null, "d": {"heartbeat_interval": u64::try_from(interval.as_millis()).unwrap_or(u64::MAX), "_trace": []}});
    if connection.say(&mut socket, &hello).await.is_err() {
        return;
    }
    let keep = connection.run(&mut socket, &mut inbox, interval).await;
    drop(inbox);
    connection.end(keep);
}

fn check(query: &Query) -> Result<(), Refusal> {
    if query
        .v
        .as_deref()
        .is_some_and(|version| !["9", "10"].contains(&version))
    {
        return Err((4012, "Invalid API version."));
    }
    if query
        .encoding
        .as_deref()
        .is_some_and(|encoding| encoding != "json")
    {
        return Err((4002, "This gateway speaks JSON."));
    }
    match query.compress.as_deref() {
        None | Some("" | "zlib-stream") => Ok(()),
        Some(_) => Err((4002, "This gateway compresses with zlib-stream.")),
    }
}

async fn close(socket: &mut WebSocket, (code, reason): Refusal) {
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    // The client may be gone already; either way the connection ends here.
    let _ = socket.send(Message::Close(Some(frame))).await;
}

impl Connection {
    async fn say(&mut self, socket: &mut WebSocket, payload: &Value) -> Result<(), axum::Error> {
        {
            let mut world = self.shared.world();
            let at = world.now_ms();
            world
                .recorder
                .payload(self.session.as_deref(), "out", payload, at);
        }
        socket.send(self.codec.encode(payload)).await
    }

    /// Gives whether the session may be resumed later.
    async fn run(
        &mut self,
        socket: &mut WebSocket,
        inbox: &mut mpsc::Receiver<Out>,
        interval: Duration,
    ) -> bool {
        let stop = self.shared.stop.clone();
        loop {
            let dead = tokio::time::Instant::from_std(self.last_beat + interval * MISSED_BEATS);
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => Next::Close((1001, "The sandbox is stopping.")),
                out = inbox.recv() => match out {
                    Some(Out::Payload(payload)) => {
                        if socket.send(self.codec.encode(&payload)).await.is_err() { return true; }
                        Next::Go
                    }
                    Some(Out::Close(code, reason)) => Next::Close((code, reason)),
                    Some(Out::Cut) | None => return true,
                },
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.take(text.as_str()),
                    Some(Ok(Message::Binary(bytes))) => match std::str::from_utf8(&bytes) {
                        Ok(text) => self.take(text),
                        Err(_) => Next::Close((4002, "Error while decoding payload.")),
                    },
                    // A client that closes with 1000 or 1001 gives its session up; any other end keeps it.
                    Some(Ok(Message::Close(frame))) => return !frame.is_some_and(|frame| matches!(frame.code, 1000 | 1001)),
                    Some(Ok(_)) => Next::Go,
                    Some(Err(_)) | None => return true,
                },
                () = tokio::time::sleep_until(dead) => Next::Close((4009, "Session timed out.")),
            };
            match next {
                Next::Go => {}
                Next::Say(payload) => {
                    if self.say(socket, &payload).await.is_err() {
                        return true;
                    }
                }
                Next::Close(refusal) => {
                    close(socket, refusal).await;
                    return !matches!(refusal.0, 4004 | 4007 | 4009..=4014);
                }
            }
        }
    }

    fn take(&mut self, text: &str) -> Next {
        if text.len() > PAYLOAD_MAX_BYTES {
            return Next::Close((4002, "Error while decoding payload."));
        }
        if !self.sends.count(Instant::now()) {
            return Next::Close((4008, "You are being rate limited."));
        }
        let Ok(payload) = serde_json::from_str::<Value>(text) else {
            return Next::Close((4002, "Error while decoding payload."));
        };
        let shared = Arc::clone(&self.shared);
        let mut world = shared.world();
        let at = world.now_ms();
        world
            .recorder
            .payload(self.session.as_deref(), "in", &payload, at);
        let (data, session) = (&payload["d"], self.session.clone());
        match payload["op"].as_u64() {
            Some(op::HEARTBEAT) => {
                self.last_beat = Instant::now();
                if world.faults.gateway_silent() {
                    return Next::Go;
                }
                if let Some(session) = session.and_then(|id| world.gateway.get_mut(&id)) {
                    session.flush();
                }
                Next::Say(json!({"op": 11, "t": null, "s": null, "d": null}))
            }
            Some(op::IDENTIFY | op::RESUME) if session.is_some() => {
                Next::Close((4005, "Already authenticated."))
            }
            Some(op::IDENTIFY) => {
                if data["compress"] == true {
                    self.codec.compress_packets();
                }
                match world.identify(data, &self.outbox, self.codec.word()) {
                    Ok(id) => self.carry(id),
                    Err(refusal) => Next::Close(refusal),
                }
            }
            Some(op::RESUME) => match world.resume(data, &self.outbox) {
                Ok(Some(id)) => self.carry(id),
                Ok(None) => Next::Say(json!({"op": 9, "t": null, "s": null, "d": false})),
                Err(refusal) => Next::Close(refusal),
            },
            Some(_) if session.is_none() => Next::Close((4003, "Not authenticated.")),
            Some(op::REQUEST_MEMBERS) => {
                world.members_chunk(&session.unwrap_or_default(), data);
                Next::Go
            }
            Some(op::PRESENCE | op::VOICE | op::REQUEST_SOUNDS) => Next::Go,
            Some(_) => Next::Close((4001, "Unknown opcode.")),
            None => Next::Close((4002, "Error while decoding payload.")),
        }
    }

    fn carry(&mut self, id: String) -> Next {
        self.session = Some(id);
        Next::Go
    }

    fn end(&mut self, keep: bool) {
        let mut world = self.shared.world();
        if let Some(id) = &self.session {
            world.gateway.lost(id, keep);
        }
        world.feed.push(Change::Bot);
    }
}
