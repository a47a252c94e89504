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
use tokio::{
    sync::mpsc,
    time::{Instant, interval, sleep, timeout},
};
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
    register::{Fate, register},
};
use crate::{app::Gate, config::DiscordSettings};

/// The first pause when Discord does not answer at the start; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two tries to begin.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// A session that lasted so long was a healthy one: the next begins after the first pause again. Our
/// own choice: even one session a minute is not far above the thousand a day that Discord allows.
const HEALTHY_AFTER: Duration = Duration::from_mins(1);
/// Guilds that the bot has joined and that were not looked at yet; a bot joins few.
const JOINS: usize = 64;
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
    let (joined, joins) = mpsc::channel(JOINS);
    let registering = tokio::spawn(keep_registered(
        Arc::clone(&shared),
        guilds,
        Arc::clone(&gate),
        joins,
        shutdown.clone(),
    ));
    let watching = tokio::spawn(watch_lost());
    let bot = Arc::new(Bot::new(
        gate,
        wire,
        shared,
        timezone,
        joined,
        shutdown.clone(),
    ));
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

/// Keeps the commands of `guilds` as the handbook in force has them, also in those that the bot is
/// invited to later.
async fn keep_registered(
    http: Arc<Http>,
    guilds: Vec<GuildId>,
    gate: Arc<Gate>,
    mut joins: mpsc::Receiver<GuildId>,
    shutdown: CancellationToken,
) {
    if guilds.is_empty() {
        tracing::warn!(
            "handbell.toml names no guild ([discord] guilds), so no commands are registered"
        );
    }
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
        let registering = async {
            let mut refused = register_all(&http, guilds.clone(), &specs, &shutdown).await;
            while let Some(guild) = joins.recv().await {
                if refused.contains(&guild) {
                    refused.retain(|one| *one != guild);
                    refused.extend(register_all(&http, vec![guild], &specs, &shutdown).await);
                }
            }
        };
        // Newer pages come before a guild that does not answer.
        let changed = tokio::select! {
            () = registering => return,
            changed = reloads.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
    }
}

/// Registers `specs` in `guilds` until Discord has answered for each; gives those that refused.
async fn register_all(
    http: &Http,
    mut guilds: Vec<GuildId>,
    specs: &[super::CommandSpec],
    shutdown: &CancellationToken,
) -> Vec<GuildId> {
    let mut refused = Vec::new();
    let mut pause = FIRST_PAUSE;
    while !guilds.is_empty() && !shutdown.is_cancelled() {
        let mut again = Vec::new();
        for guild in guilds {
            match register(http, guild, specs).await {
                Fate::Done => {}
                Fate::Later => again.push(guild),
                Fate::Refused => refused.push(guild),
            }
        }
        guilds = again;
        if !guilds.is_empty() {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
    refused
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

/// Listens to the gateway until `shutdown` or an error that no waiting mends; whichever way it ends,
/// what runs is answered.
async fn listen(
    settings: &DiscordSettings,
    bot: &Arc<Bot>,
    application: ApplicationId,
    shutdown: &CancellationToken,
) -> Result<(), DiscordError> {
    let ended = sessions(settings, bot, application, shutdown).await;
    if !bot.open.is_closed() {
        stop(bot, None).await;
    }
    ended
}

/// One session after the other.
async fn sessions(
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
        let began = Instant::now();
        let ended = tokio::select! {
            ended = client.start() => ended,
            () = shutdown.cancelled() => {
                stop(bot, Some(&manager)).await;
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
        if began.elapsed() >= HEALTHY_AFTER {
            pause = FIRST_PAUSE;
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = shutdown.cancelled() => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

/// Answers what runs, then leaves the gateway, where there is a session.
async fn stop(bot: &Bot, manager: Option<&ShardManager>) {
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
    if let Some(manager) = manager {
        let _ = timeout(LEAVE_WITHIN, manager.shutdown_all()).await;
        tracing::info!("left the gateway");
    }
}
