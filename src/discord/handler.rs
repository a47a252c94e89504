//! The gateway's events.

use std::sync::Arc;

use async_trait::async_trait;
use serenity::{
    builder::{AutocompleteChoice, CreateAutocompleteResponse, CreateInteractionResponse},
    client::{Context, EventHandler},
    gateway::ShardStageUpdateEvent,
    http::RatelimitInfo,
    model::{
        application::{CommandInteraction, Interaction},
        event::ResumedEvent,
        gateway::Ready,
        guild::{Guild, UnavailableGuild},
    },
};
use tokio::time::Instant;

use super::{
    acknowledge::acknowledge,
    bot::Bot,
    commands::{HISTORY, HISTORY_PAGE, PAGE},
    decode::{Incoming, actor},
    limits,
};
use crate::{
    app::Request,
    domain::{
        handbook::{ALL_PAGES, PATROL},
        text::Lang,
    },
    render::{clean_line, cut_chars},
};

/// Listens to the gateway.
pub(super) struct Handler(pub(super) Arc<Bot>);

#[async_trait]
impl EventHandler for Handler {
    async fn ready(&self, _: Context, ready: Ready) {
        tracing::info!(
            bot = ready.user.name,
            guilds = ready.guilds.len(),
            "connected to the gateway"
        );
    }

    async fn resume(&self, _: Context, _: ResumedEvent) {
        tracing::info!("the gateway session is resumed; nothing was missed");
    }

    async fn shard_stage_update(&self, _: Context, event: ShardStageUpdateEvent) {
        tracing::debug!(old = %event.old, new = %event.new, "gateway");
    }

    async fn guild_create(&self, _: Context, guild: Guild, _: Option<bool>) {
        // Every guild comes at the beginning of a session; those that were refused count.
        if self.0.joined.try_send(guild.id).is_err() {
            tracing::warn!(
                guild = guild.id.get(),
                "too many guilds came at once; a restart writes the commands of this one"
            );
        }
    }

    async fn guild_delete(&self, _: Context, guild: UnavailableGuild, _: Option<Guild>) {
        if guild.unavailable {
            tracing::warn!(
                guild = guild.id.get(),
                "Discord says that the guild has an outage"
            );
        } else {
            tracing::warn!(guild = guild.id.get(), "the bot was removed from the guild");
        }
    }

    async fn ratelimit(&self, info: RatelimitInfo) {
        tracing::warn!(
            wait_ms = info.timeout.as_millis(),
            global = info.global,
            "Discord's rate limit makes messages wait"
        );
    }

    async fn interaction_create(&self, _: Context, interaction: Interaction) {
        let received = Instant::now();
        let bot = Arc::clone(&self.0);
        let incoming = match &interaction {
            Interaction::Command(command) => Incoming::command(command),
            Interaction::Component(component) => Incoming::component(component),
            Interaction::Autocomplete(partial) => {
                return complete(&bot, partial, received).await;
            }
            _ => return,
        };
        // The library's copy with all of Discord's detail isn't kept while the work runs.
        drop(interaction);
        let tracker = bot.open.clone();
        tracker.spawn(async move { bot.answer(incoming, received).await });
    }
}

/// Offers what could be meant. Who may not use the command is offered nothing.
async fn complete(bot: &Bot, partial: &CommandInteraction, received: Instant) {
    let who = actor(&partial.user, partial.member.as_deref());
    let request = Request::History {
        runbook: None,
        limit: 1,
    };
    let mut choices = Vec::new();
    if let Some(focused) = partial.data.autocomplete()
        && [HISTORY_PAGE, PAGE].contains(&focused.name)
        && bot.gate.allows(&who, &request)
    {
        let lang = Lang::of_locale(&partial.locale);
        let typed = focused.value.trim().to_lowercase();
        choices = pages(bot, &typed, lang, partial.data.name == HISTORY);
    }
    let response = CreateInteractionResponse::Autocomplete(
        CreateAutocompleteResponse::new().set_choices(choices),
    );
    let http = bot.wire.limiter(Some(partial.application_id));
    let sent = acknowledge(&http, partial.id, &partial.token, &response, received).await;
    if sent.is_err() {
        tracing::warn!("a completion could not be offered; the person can type the page's name");
    }
}

fn pages(bot: &Bot, typed: &str, lang: Lang, recorded: bool) -> Vec<AutocompleteChoice> {
    let handbook = bot.gate.handbook();
    let all = match lang {
        Lang::En => "the whole system",
        Lang::Zh => "整个系统",
    };
    let patrol = match lang {
        Lang::En => "the patrol",
        Lang::Zh => "巡检",
    };
    handbook
        .pages
        .values()
        .map(|page| (page.id.as_str(), page.title.get(lang)))
        // What is recorded under other names than those of pages.
        .chain(
            [(ALL_PAGES, all), (PATROL, patrol)]
                .into_iter()
                .filter(|_| recorded),
        )
        .filter(|(id, title)| id.contains(typed) || title.to_lowercase().contains(typed))
        .take(limits::OPTIONS)
        .map(|(id, title)| {
            let name = format!("{id} · {}", clean_line(title));
            AutocompleteChoice::new(cut_chars(&name, limits::DESCRIPTION), id)
        })
        .collect()
}
