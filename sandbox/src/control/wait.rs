//! Waiting for what a person is waiting for.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Refusal, Said, channel_of, person, view_message};
use crate::ids::Id;
use crate::server::Shared;
use crate::world::World;
use crate::world::interaction::{Interaction, Progress};

/// The longest wait, in milliseconds.
const WAIT_MAX_MS: u64 = 60_000;

/// Looks again and again, at every change, until `look` finds something or the time is over.
pub(super) async fn until<T>(
    shared: &Shared,
    wait_ms: u64,
    mut look: impl FnMut(&mut World) -> Option<T>,
) -> Option<T> {
    let deadline = Instant::now() + Duration::from_millis(wait_ms.min(WAIT_MAX_MS));
    let mut bell = shared.world().feed.listen();
    loop {
        bell.mark_unchanged();
        let found = {
            let mut world = shared.world();
            world.sweep();
            look(&mut world)
        };
        if found.is_some() {
            return found;
        }
        tokio::select! {
            changed = tokio::time::timeout_at(deadline, bell.changed()) => if !matches!(changed, Ok(Ok(()))) { return None },
            () = shared.stop.cancelled() => return None,
        }
    }
}

/// The query of waiting for a message.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(rename = "as")]
    who: Option<String>,
    contains: Option<String>,
    after: Option<String>,
    state: Option<String>,
    timeout_ms: Option<u64>,
}

/// `GET /channels/{id}/messages/wait`
pub(super) async fn message(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Said {
    let (who, channel) = {
        let world = shared.world();
        let who = person(&world, wanted.who.as_deref())?.id;
        (who, channel_of(&world, who, &id)?)
    };
    let after = wanted.after.as_deref().and_then(Id::parse);
    let matches = |message: &Value| {
        let text = message["readable"].as_str().unwrap_or_default();
        wanted
            .contains
            .as_deref()
            .is_none_or(|part| text.contains(part))
            && wanted
                .state
                .as_deref()
                .is_none_or(|state| message["state"] == state)
    };
    let candidates = |world: &World| -> Vec<Value> {
        let ids: Vec<Id> = view_message::in_channel(world, who, channel)
            .filter(|id| after.is_none_or(|after| *id > after))
            .collect();
        ids.into_iter()
            .filter_map(|id| view_message::message_json(world, who, id))
            .collect()
    };
    let found = until(&shared, wanted.timeout_ms.unwrap_or(10_000), |world| {
        candidates(world).into_iter().find(matches)
    })
    .await;
    found
        .map(|message| Json(json!({"message": message})))
        .ok_or_else(|| {
            let seen: Vec<Value> = candidates(&shared.world())
                .iter()
                .map(|message| message["readable"].clone())
                .collect();
            let mut refusal = Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "timeout",
                "No message like that came in time.",
            );
            refusal.more = Some(Box::new(("seen", json!(seen))));
            refusal
        })
}

/// The query of an interaction.
#[derive(Debug, Deserialize)]
pub(super) struct Patience {
    wait_ms: Option<u64>,
}

/// `GET /interactions/{id}`
pub(super) async fn interaction(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(patience): Query<Patience>,
) -> Said {
    let id = Id::parse(&id)
        .filter(|id| shared.world().interactions.contains_key(id))
        .ok_or_else(|| Refusal::unknown("interaction"))?;
    settled(&shared, id, patience.wait_ms.unwrap_or(0)).await
}

/// The interaction as it is when it has settled, or when the patience is over.
pub(super) async fn settled(shared: &Shared, id: Id, wait_ms: u64) -> Said {
    let done = |world: &mut World| {
        let interaction = world.interactions.get(&id)?;
        matches!(interaction.progress, Progress::Answered | Progress::Failed).then_some(())
    };
    if wait_ms > 0 {
        until(shared, wait_ms, done).await;
    }
    let world = shared.world();
    world
        .interactions
        .get(&id)
        .map(|one| Json(interaction_json(&world, one)))
        .ok_or_else(|| Refusal::unknown("interaction"))
}

/// An interaction as its person sees it.
pub(super) fn interaction_json(world: &World, interaction: &Interaction) -> Value {
    let person = world.people.get(&interaction.person);
    let state = match interaction.progress {
        Progress::Waiting => "waiting",
        Progress::Thinking => "thinking",
        Progress::Answered => "answered",
        Progress::Failed => "failed",
    };
    let locale = person.map_or("", |person| &person.locale);
    json!({"id": interaction.id, "kind": interaction.kind.word(), "person": {"id": interaction.person, "name": person.map(|one| &one.name)},
        "channel_id": interaction.channel, "command": interaction.command, "custom_id": interaction.custom_id, "state": state,
        "notice": interaction.notice, "delivered": interaction.delivered,
        "acknowledged_after_ms": interaction.acknowledged_ms.map(|at| at - interaction.sent_ms),
        "acknowledged_after_us": interaction.acknowledged_after.map(|after| u64::try_from(after.as_micros()).unwrap_or(u64::MAX)),
        "answered_after_ms": interaction.answered_ms.map(|at| at - interaction.sent_ms),
        "message_id": interaction.response, "source_message_id": interaction.source,
        "modal": interaction.modal.as_ref().map(|modal| super::components::modal_json(interaction.id, modal)),
        "choices": interaction.choices.as_ref().map(|choices| localised_choices(choices, locale))})
}

/// The choices of an autocomplete in a person's language.
pub(super) fn localised_choices(choices: &Value, locale: &str) -> Value {
    let one = |choice: &Value| {
        let name = choice["name_localizations"]
            .get(locale)
            .unwrap_or(&choice["name"]);
        json!({"name": name, "value": choice["value"]})
    };
    choices.as_array().into_iter().flatten().map(one).collect()
}
