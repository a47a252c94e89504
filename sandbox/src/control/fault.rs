//! Faults and the clock.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Refusal, Said, ok};
use crate::clock::page_time;
use crate::gateway::Out;
use crate::server::Shared;
use crate::world::faults::Kind;
use crate::world::seed::GUILD;
use crate::world::{Change, World};

/// `GET /faults`
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Said {
    Ok(Json(json!({"faults": shared.world().faults.json()})))
}

/// `POST /faults`
pub(super) async fn set(State(shared): State<Arc<Shared>>, Body(body): Body<Value>) -> Said {
    let mut world = shared.world();
    let fault = world.faults.set(body).map_err(Refusal::bad)?;
    let json = fault.json();
    begin(&mut world, &fault.kind);
    world.feed.push(Change::Faults);
    Ok(Json(json))
}

/// What a fault does at the moment it is set.
fn begin(world: &mut World, kind: &Kind) {
    match kind {
        Kind::GatewayDrop { code } => {
            for session in world.gateway.all_mut() {
                let out = match code {
                    Some(code) => Out::Close(*code, "The sandbox was asked to drop the gateway."),
                    None => Out::Cut,
                };
                session.hand(out);
            }
        }
        Kind::GatewayReconnect {} => {
            say_to_all(world, &json!({"op": 7, "t": null, "s": null, "d": null}));
        }
        Kind::GatewayInvalidSession { resumable } => {
            for session in world.gateway.all_mut() {
                session.resumable &= *resumable;
            }
            say_to_all(
                world,
                &json!({"op": 9, "t": null, "s": null, "d": resumable}),
            );
        }
        Kind::ForgetSessions {} => world
            .gateway
            .all_mut()
            .for_each(|session| session.resumable = false),
        Kind::ExpireInteractions {} => world.expire_interactions(),
        Kind::GuildOutage {} => {
            world.dispatch("GUILD_DELETE", json!({"id": GUILD, "unavailable": true}));
        }
        _ => {}
    }
}

fn say_to_all(world: &mut World, payload: &Value) {
    let at = world.now_ms();
    let mut told = Vec::new();
    for session in world.gateway.all_mut() {
        if session.hand(Out::Payload(Arc::new(payload.clone()))) {
            told.push(session.id.clone());
        }
    }
    for session in told {
        world.recorder.payload(Some(&session), "out", payload, at);
    }
}

/// What ends with a fault.
fn finish(world: &mut World, outage: bool, silence: bool) {
    if outage {
        world.announce_guild();
    }
    if silence {
        world
            .gateway
            .all_mut()
            .for_each(crate::gateway::Session::flush);
    }
    world.feed.push(Change::Faults);
}

/// `DELETE /faults/{id}`
pub(super) async fn end(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Said {
    let mut world = shared.world();
    let fault = world
        .faults
        .end(&id)
        .ok_or_else(|| Refusal::unknown("fault"))?;
    finish(
        &mut world,
        matches!(fault.kind, Kind::GuildOutage {}),
        matches!(fault.kind, Kind::GatewaySilent {}),
    );
    Ok(ok())
}

/// `DELETE /faults`
pub(super) async fn clear(State(shared): State<Arc<Shared>>) -> Said {
    let mut world = shared.world();
    let outage = world.faults.clear();
    finish(&mut world, outage, true);
    Ok(ok())
}

/// How far the clock jumps.
#[derive(Debug, Deserialize)]
pub(super) struct Jump {
    advance_ms: u64,
}

/// `POST /clock`
pub(super) async fn clock(State(shared): State<Arc<Shared>>, Body(jump): Body<Jump>) -> Said {
    let mut world = shared.world();
    world.clock.advance(jump.advance_ms);
    world.sweep();
    Ok(Json(json!({"now": page_time(world.now_ms())})))
}
