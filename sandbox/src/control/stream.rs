//! The event stream of one person.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::view::{self, As};
use super::{Refusal, components, person, view_message, wait};
use crate::ids::Id;
use crate::server::Shared;
use crate::world::{Change, World};

/// Seconds between signs of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Events that may wait for a slow reader.
const WAITING_MAX: usize = 64;

/// `GET /events`
pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<As>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let who = person(&shared.world(), query.who.as_deref())?.id;
    let last: Option<u64> = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    tokio::spawn(tell(shared, who, last, sender));
    let stream: std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>> =
        Box::pin(ReceiverStream::new(receiver));
    Ok(Sse::new(stream)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

fn event(id: u64, name: &str, data: &Value) -> Event {
    Event::default()
        .id(id.to_string())
        .event(name)
        .data(data.to_string())
}

/// Sends what changes until the reader goes or the sandbox stops.
async fn tell(
    shared: Arc<Shared>,
    who: Id,
    last: Option<u64>,
    sender: mpsc::Sender<Result<Event, Infallible>>,
) {
    let mut bell = shared.world().feed.listen();
    let (hello, mut seen) = {
        let world = shared.world();
        let now = world.feed.last();
        (
            event(
                last.map_or(now, |last| last.min(now)),
                "hello",
                &view::state_json(&world, shared.lab.is_some()),
            ),
            last.unwrap_or(now),
        )
    };
    if sender.send(Ok(hello)).await.is_err() {
        return;
    }
    loop {
        bell.mark_unchanged();
        let events = {
            let world = shared.world();
            let (events, upto) = match world.feed.after(seen) {
                Some(changes) => (
                    changes
                        .iter()
                        .filter_map(|(number, change)| {
                            render(&world, who, change)
                                .map(|(name, data)| event(*number, name, &data))
                        })
                        .collect(),
                    world.feed.last(),
                ),
                None => (
                    vec![event(world.feed.last(), "reset", &json!({}))],
                    world.feed.last(),
                ),
            };
            seen = upto;
            events
        };
        for one in events {
            if sender.send(Ok(one)).await.is_err() {
                return;
            }
        }
        tokio::select! {
            changed = bell.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
            () = shared.stop.cancelled() => return,
        }
    }
}

/// What a person sees of a change; `None` when nothing.
fn render(world: &World, who: Id, change: &Change) -> Option<(&'static str, Value)> {
    Some(match change {
        Change::Message(id) => ("message", view_message::message_json(world, who, *id)?),
        Change::Edit(id) => ("message_edit", view_message::message_json(world, who, *id)?),
        Change::Deleted {
            id,
            channel,
            only_for,
        } => {
            if only_for.is_some_and(|only| only != who) || !world.sees(who, *channel) {
                return None;
            }
            ("message_delete", json!({"id": id, "channel_id": channel}))
        }
        Change::Typing { channel, person } => {
            if *person == who || !world.sees(who, *channel) {
                return None;
            }
            (
                "typing",
                json!({"channel_id": channel, "name": world.people.get(person)?.shown_name()}),
            )
        }
        Change::Channel(id) => match view::channel_json(world, who, *id) {
            Some(channel) => ("channel", channel),
            None => (
                "channel_delete",
                json!({"id": id, "parent_id": world.channels.get(id).and_then(|channel| channel.parent)}),
            ),
        },
        Change::ChannelGone { id, parent } => {
            ("channel_delete", json!({"id": id, "parent_id": parent}))
        }
        Change::Interaction(id) => {
            let interaction = world.interactions.get(id).filter(|one| one.person == who)?;
            ("interaction", wait::interaction_json(world, interaction))
        }
        Change::Modal(id) => {
            let interaction = world.interactions.get(id).filter(|one| one.person == who)?;
            (
                "modal",
                components::modal_json(*id, interaction.modal.as_ref()?),
            )
        }
        Change::Commands => ("commands", json!({})),
        Change::People => (
            "people",
            json!({"people": view::people_json(world), "roles": view::roles_json(world)}),
        ),
        Change::Bot => ("bot", view::bot_json(world)),
        Change::Faults => ("faults", json!({"faults": world.faults.json()})),
        Change::Reset => ("reset", json!({})),
    })
}
