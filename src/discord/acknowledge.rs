//! The first response to an interaction: within a second, whatever else is going on.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use serenity::{Error, builder::CreateInteractionResponse, http::Http, model::id::InteractionId};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    error::{Failure, classify},
    limits::ACKNOWLEDGE_WITHIN,
};

/// After so long without an answer the same is sent once more on another connection; Discord takes
/// the first of the two and refuses the other, which is as good.
const SECOND_TRY_AFTER: Duration = Duration::from_millis(900);
/// The pause after a failure that may pass.
const PAUSE: Duration = Duration::from_millis(40);
/// Most requests for one acknowledgement.
const TRIES: usize = 5;

/// Why there was no acknowledgement.
#[derive(Debug)]
pub(super) enum Unacknowledged {
    /// Discord's answer, or the last failure on the way.
    Failed(Box<Error>),
    /// The time was over.
    TooLate,
}

/// Sends `response` as the first one to the interaction that was received at `received`.
///
/// It never waits for anything but Discord: `http` has a rate limiter of its own.
pub(super) async fn acknowledge(
    http: &Http,
    id: InteractionId,
    token: &str,
    response: &CreateInteractionResponse,
    received: Instant,
) -> Result<(), Unacknowledged> {
    let attempt = |pause: Duration| async move {
        sleep(pause).await;
        http.create_interaction_response(id, token, response, Vec::new())
            .await
    };
    let end = received + ACKNOWLEDGE_WITHIN;
    let mut attempts = FuturesUnordered::new();
    attempts.push(attempt(Duration::ZERO));
    let mut tries = 1;
    let mut second_try = Instant::now() + SECOND_TRY_AFTER;
    loop {
        tokio::select! {
            Some(result) = attempts.next() => match result {
                Ok(()) => return Ok(()),
                Err(error) => match classify(&error) {
                    Failure::AlreadyAnswered => return Ok(()),
                    Failure::Passing if tries < TRIES => {
                        attempts.push(attempt(PAUSE * u32::try_from(tries).unwrap_or(1)));
                        tries += 1;
                    }
                    _ if !attempts.is_empty() => {}
                    _ => return Err(Unacknowledged::Failed(Box::new(error))),
                },
            },
            () = sleep_until(second_try), if tries < TRIES => {
                attempts.push(attempt(Duration::ZERO));
                tries += 1;
                second_try = end;
            }
            () = sleep_until(end) => return Err(Unacknowledged::TooLate),
        }
    }
}
