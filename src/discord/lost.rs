//! Gateway events that the library could not understand: it drops them, we count and say so.

use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{Event, Level, Subscriber, field::Visit};
use tracing_subscriber::{Layer, filter::Targets, layer::Context, registry::LookupSpan};

/// Where the library's gateway connection logs.
const TARGET: &str = "serenity::gateway::ws";
/// How its message about such an event begins (serenity 0.12.5, `gateway/ws.rs`).
const BEGINNING: &str = "Err de";

static LOST: AtomicU64 = AtomicU64::new(0);

/// A layer for the subscriber that counts gateway events which the library can't understand. It
/// keeps nothing of them: they carry interaction tokens.
#[must_use]
pub fn lost_events<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Counter.with_filter(Targets::new().with_target(TARGET, Level::WARN))
}

/// How many there were since the start.
pub(super) fn lost_so_far() -> u64 {
    LOST.load(Ordering::Relaxed)
}

struct Counter;

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut is_lost = IsLost(false);
        event.record(&mut is_lost);
        if is_lost.0 {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct IsLost(bool);

impl Visit for IsLost {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 |= format!("{value:?}").starts_with(BEGINNING);
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn what_the_library_could_not_understand_is_counted_and_nothing_else() {
        let subscriber = tracing_subscriber::registry().with(lost_events());
        tracing::subscriber::with_default(subscriber, || {
            let before = lost_so_far();
            tracing::warn!(target: "serenity::gateway::ws", "Err deserializing text: {:?}", "why");
            tracing::warn!(target: "serenity::gateway::ws", "Err decompressing bytes: {:?}", "why");
            tracing::warn!(target: "serenity::gateway::ws", "something else");
            tracing::warn!(target: "serenity::gateway::shard", "Err deserializing text");
            tracing::debug!(target: "serenity::gateway::ws", "Err deserializing text");
            assert_eq!(lost_so_far() - before, 2);
        });
    }
}
