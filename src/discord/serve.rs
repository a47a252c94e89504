//! The bot's life: known by its token, commands in place, connected until it is stopped.

use std::{sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use serenity::{
    Error,
    client::ClientBuilder,
    gateway::{GatewayError, ShardManager},
    http::Http,
    model::{
        gateway::GatewayIntents,
        id::{ApplicationId, GuildId},
    },
};
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    DiscordError, Failure,
    bot::Bot,
    classify,
    commands::{commands, pages_left_out},
    describe,
    handler::Handler,
    http::Wire,
    lost::lost_so_far,
    register::register,
};
use crate::{app::Gate, config::DiscordSettings};

/// The first pause when Discord does not answer at the start; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two tries to begin.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// On stopping, what runs has this long to end by itself.
const FINISH_WITHIN: Duration = Duration::from_secs(7);
/// Then it is answered with a sentence, within this.
const ANSWER_WITHIN: Duration = Duration::from_millis(1_500);
/// Then the gateway is left, within this; together under the 10 s that process managers grant.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);
/// How often events that the library could not understand are looked for.
const LOOK_FOR_LOST: Duration = Duration::from_secs(10);

/// Runs the bot of `settings` until `shutdown`; times are shown in `timezone`.
///
/// While Discord can't be reached it keeps trying. On shutdown nothing new is begun, what runs is
/// answered, and the gateway is left: at most 10 s.
///
/// # Errors
/// A token, certificate or intent that no amount of trying will mend.
pub async fn serve(
    settings: DiscordSettings,
    timezone: TimeZone,
    gate: Arc<Gate>,
    shutdown: CancellationToken,
) -> Result<(), DiscordError> {
    let wire = Arc::new(Wire::new(&settings)?);
    let Some(application) = identify(&wire, &shutdown).await? else {
        return Ok(());
    };
    let shared = wire.limiter(Some(application));
    let guilds = settings.guilds.iter().copied().map(GuildId::new).collect();
    let registering = tokio::spawn(keep_registered(
        Arc::clone(&shared),
        guilds,
        Arc::clone(&gate),
        shutdown.clone(),
    ));
    let watching = tokio::spawn(watch_lost());
    let bot = Arc::new(Bot::new(gate, wire, shared, timezone, shutdown.clone()));
    let ended = listen(&settings, &bot, application, &shutdown).await;
    registering.abort();
    watching.abort();
    ended
}

/// Asks Discord who we are; `None` when we were stopped before it answered.
async fn identify(
    wire: &Wire,
    shutdown: &CancellationToken,
) -> Result<Option<ApplicationId>, DiscordError> {
    let http = wire.limiter(None);
    let mut pause = FIRST_PAUSE;
    loop {
        let asked = tokio::select! {
            asked = http.get_current_application_info() => asked,
            () = shutdown.cancelled() => return Ok(None),
        };
        match asked {
            Ok(info) => return Ok(Some(info.id)),
            Err(error) if classify(&error) == Failure::Unauthorized => return Err(wire.refused()),
            Err(error) => tracing::warn!(
                error = describe(&error),
                pause_ms = pause.as_millis(),
                "Discord does not answer; trying again"
            ),
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = shutdown.cancelled() => return Ok(None),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Keeps the commands of `guilds` as the handbook in force has them.
async fn keep_registered(
    http: Arc<Http>,
    guilds: Vec<GuildId>,
    gate: Arc<Gate>,
    shutdown: CancellationToken,
) {
    let mut reloads = gate.reloads();
    loop {
        reloads.mark_unchanged();
        let handbook = gate.handbook();
        let left_out = pages_left_out(&handbook);
        if !left_out.is_empty() {
            tracing::error!(
                pages = left_out.join(" "),
                "Discord takes 25 subcommands, one of which is for all pages together; these pages work from the command line only"
            );
        }
        let specs = commands(&handbook);
        // Newer pages come before a guild that does not answer.
        let mut newer = reloads.clone();
        let changed = tokio::select! {
            () = register_all(&http, guilds.clone(), &specs, &shutdown) => reloads.changed().await,
            changed = newer.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
    }
}

async fn register_all(
    http: &Http,
    mut guilds: Vec<GuildId>,
    specs: &[super::CommandSpec],
    shutdown: &CancellationToken,
) {
    if guilds.is_empty() {
        tracing::warn!(
            "handbell.toml names no guild ([discord] guilds), so no commands are registered"
        );
    }
    let mut pause = FIRST_PAUSE;
    while !guilds.is_empty() && !shutdown.is_cancelled() {
        let mut again = Vec::new();
        for guild in guilds {
            if !register(http, guild, specs).await {
                again.push(guild);
            }
        }
        guilds = again;
        if !guilds.is_empty() {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

async fn watch_lost() {
    let mut known = lost_so_far();
    let mut ticks = interval(LOOK_FOR_LOST);
    loop {
        ticks.tick().await;
        let now = lost_so_far();
        if now > known {
            tracing::warn!(
                events = now - known,
                "Discord sent events that this version can't understand; somebody may have seen that the application did not respond. A newer Handbell may know them"
            );
            known = now;
        }
    }
}

/// Listens to the gateway until `shutdown`, and begins anew when the session ends otherwise.
async fn listen(
    settings: &DiscordSettings,
    bot: &Arc<Bot>,
    application: ApplicationId,
    shutdown: &CancellationToken,
) -> Result<(), DiscordError> {
    let mut pause = FIRST_PAUSE;
    while !shutdown.is_cancelled() {
        // GUILDS is all that is needed: interactions come without any intent.
        let made =
            ClientBuilder::new_with_http(bot.wire.gateway(application), GatewayIntents::GUILDS)
                .event_handler(Handler(Arc::clone(bot)))
                .await;
        let mut client = match made {
            Ok(client) => client,
            Err(error) => return Err(DiscordError::Gateway(describe(&error))),
        };
        if let Some(endpoint) = &settings.endpoint {
            client.ws_url.lock().await.clone_from(&endpoint.gateway);
        }
        let manager = Arc::clone(&client.shard_manager);
        let ended = tokio::select! {
            ended = client.start() => ended,
            () = shutdown.cancelled() => {
                stop(bot, &manager).await;
                return Ok(());
            }
        };
        match ended {
            Err(Error::Gateway(GatewayError::InvalidAuthentication)) => {
                return Err(bot.wire.refused());
            }
            Err(Error::Gateway(
                error @ (GatewayError::InvalidGatewayIntents
                | GatewayError::DisallowedGatewayIntents),
            )) => return Err(DiscordError::Gateway(error.to_string())),
            Err(error) => tracing::warn!(error = describe(&error), "the gateway session ended"),
            Ok(()) => tracing::warn!("the gateway session ended"),
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = shutdown.cancelled() => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

/// Answers what runs, then leaves the gateway.
async fn stop(bot: &Bot, manager: &ShardManager) {
    bot.open.close();
    let open = bot.open.len();
    tracing::info!(
        open,
        "stopping: nothing new is begun, what runs is answered"
    );
    if timeout(FINISH_WITHIN, bot.open.wait()).await.is_err() {
        bot.hurry.cancel();
        if timeout(ANSWER_WITHIN, bot.open.wait()).await.is_err() {
            tracing::error!(
                open = bot.open.len(),
                "some replies could not be finished; `handbell history` shows what was recorded"
            );
        }
    }
    let _ = timeout(LEAVE_WITHIN, manager.shutdown_all()).await;
    tracing::info!("left the gateway");
}
