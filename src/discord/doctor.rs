//! What `doctor` asks of Discord: token, application, gateway, guilds, channels.

use std::time::Duration;

use serenity::{
    Error,
    http::Http,
    model::{
        channel::{Channel, GuildChannel},
        guild::{Member, PartialGuild},
        id::{ChannelId, GuildId, UserId},
    },
};
use tokio::time::timeout;

use super::{
    Failure, classify, describe, http,
    permissions::{NEEDED, invitation},
};
use crate::{
    app::Checkup,
    config::{DiscordEndpoint, DiscordSettings},
};

const AREA: &str = "discord";

/// The time for one question. Discord answers in tenths of a second; the library would wait and
/// try again for much longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sessions that may still be started today below which it is worth a word: a bot that starts in
/// a loop uses up Discord's thousand a day.
const FEW_SESSIONS: u64 = 50;

/// Looks at everything of Discord that `settings` names.
pub async fn examine(settings: &DiscordSettings) -> Vec<Checkup> {
    let client = match http(settings) {
        Ok(client) => client,
        Err(error) => {
            let mend = match &error {
                super::DiscordError::Secret(_) => format!(
                    "put the bot's token into {}, or change [discord] token in handbell.toml; \
                     `--no-discord` leaves Discord out",
                    settings.token.place()
                ),
                _ => "look at [discord.endpoint] in handbell.toml".to_owned(),
            };
            return vec![Checkup::wrong(AREA, "token", error.to_string(), mend)];
        }
    };
    let mut found = Vec::new();
    let Some(me) = token(&client, settings, &mut found).await else {
        return found;
    };
    let application = application(&client, &mut found).await;
    gateway(&client, settings.endpoint.as_ref(), &mut found).await;
    let guilds = guilds(&client, settings, application, &mut found).await;
    channels(&client, settings, me, &guilds, &mut found).await;
    found
}

/// `question`, within [`PATIENCE`].
async fn ask<T>(question: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
    match timeout(PATIENCE, question).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Trouble {
            failure: Some(classify(&error)),
            say: describe(&error),
        }),
        Err(_) => Err(Trouble {
            failure: None,
            say: format!("no answer within {} s", PATIENCE.as_secs()),
        }),
    }
}

struct Trouble {
    failure: Option<Failure>,
    say: String,
}

impl Trouble {
    fn is(&self, failure: Failure) -> bool {
        self.failure == Some(failure)
    }
}

async fn token(
    client: &Http,
    settings: &DiscordSettings,
    found: &mut Vec<Checkup>,
) -> Option<UserId> {
    match ask(client.get_current_user()).await {
        Ok(me) => {
            found.push(Checkup::sound(
                AREA,
                "token",
                format!("Discord knows it as the bot {} ({})", me.name, me.id),
            ));
            Some(me.id)
        }
        Err(trouble) if trouble.is(Failure::Unauthorized) => {
            found.push(Checkup::wrong(
                AREA,
                "token",
                format!("Discord refuses the token of {}: {}", settings.token.place(), trouble.say),
                "make a new one at https://discord.com/developers/applications → your application → \
                 Bot → Reset Token, and put it there",
            ));
            None
        }
        Err(trouble) => {
            let where_ = settings
                .endpoint
                .as_ref()
                .map_or("discord.com".to_owned(), |endpoint| {
                    endpoint.address.to_string()
                });
            found.push(Checkup::wrong(
                AREA,
                "connection",
                format!("{where_} can't be asked: {}", trouble.say),
                "look whether this machine reaches it: name resolution, firewall, proxy; for a local \
                 Discord, whether it runs",
            ));
            None
        }
    }
}

async fn application(client: &Http, found: &mut Vec<Checkup>) -> Option<u64> {
    match ask(client.get_current_application_info()).await {
        Ok(application) => {
            found.push(Checkup::sound(
                AREA,
                "application",
                format!("{} ({})", application.name, application.id),
            ));
            client.set_application_id(application.id);
            Some(application.id.get())
        }
        Err(trouble) => {
            found.push(Checkup::wrong(
                AREA,
                "application",
                format!(
                    "Discord does not say which application this is: {}",
                    trouble.say
                ),
                "try again; if it stays so, look at https://discordstatus.com",
            ));
            None
        }
    }
}

async fn gateway(client: &Http, endpoint: Option<&DiscordEndpoint>, found: &mut Vec<Checkup>) {
    let answer = match ask(client.get_bot_gateway()).await {
        Ok(answer) => answer,
        Err(trouble) => {
            found.push(Checkup::wrong(
                AREA,
                "gateway",
                format!("Discord does not name its gateway: {}", trouble.say),
                "try again; if it stays so, look at https://discordstatus.com",
            ));
            return;
        }
    };
    let url = endpoint.map_or(answer.url.as_str(), |endpoint| &endpoint.gateway);
    if let Err(error) = reach(url).await {
        found.push(Checkup::wrong(
            AREA,
            "gateway",
            format!("{url} can't be reached: {error}"),
            "commands arrive over this connection: let this machine's firewall pass it",
        ));
        return;
    }
    let limit = answer.session_start_limit;
    if limit.remaining < FEW_SESSIONS {
        let minutes = limit.reset_after / 60_000;
        found.push(Checkup::notice(
            AREA,
            "gateway",
            format!(
                "{} of {} session starts are left today",
                limit.remaining, limit.total
            ),
            format!(
                "something starts the bot again and again; the count is reset in {minutes} minutes"
            ),
        ));
        return;
    }
    found.push(Checkup::sound(
        AREA,
        "gateway",
        format!(
            "{url} takes connections; {} session starts are left today",
            limit.remaining
        ),
    ));
}

/// Opens a connection to the host of `url` and closes it.
async fn reach(url: &str) -> Result<(), String> {
    let (scheme, rest) = url.split_once("://").ok_or("it is no address")?;
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let address = if authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    {
        authority.to_owned()
    } else {
        let port = if scheme == "ws" { 80 } else { 443 };
        format!("{authority}:{port}")
    };
    match timeout(PATIENCE, tokio::net::TcpStream::connect(&address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

async fn guilds(
    client: &Http,
    settings: &DiscordSettings,
    application: Option<u64>,
    found: &mut Vec<Checkup>,
) -> Vec<PartialGuild> {
    if settings.guilds.is_empty() {
        found.push(Checkup::wrong(
            AREA,
            "guilds",
            "no guild is configured, so no command is registered anywhere",
            "write the server's id into [discord] guilds in handbell.toml",
        ));
    }
    let mut guilds = Vec::new();
    for id in &settings.guilds {
        let id = GuildId::new(*id);
        let subject = format!("guild {id}");
        match ask(client.get_guild(id)).await {
            Ok(guild) => {
                found.push(registered(client, &guild, application).await);
                guilds.push(guild);
            }
            Err(trouble) if trouble.is(Failure::Forbidden) || trouble.is(Failure::Gone) => {
                found.push(Checkup::wrong(
                    AREA,
                    subject,
                    format!(
                        "the bot is no member of it, or the id is wrong: {}",
                        trouble.say
                    ),
                    format!("invite it: {}", invitation(application)),
                ));
            }
            Err(trouble) => found.push(Checkup::wrong(
                AREA,
                subject,
                format!("Discord does not answer for it: {}", trouble.say),
                "try again",
            )),
        }
    }
    guilds
}

/// Whether commands can be registered in `guild`, and how many are.
async fn registered(client: &Http, guild: &PartialGuild, application: Option<u64>) -> Checkup {
    let subject = format!("guild {}", guild.id);
    if application.is_none() {
        return Checkup::sound(
            AREA,
            subject,
            format!("the bot is a member of {}", guild.name),
        );
    }
    match ask(client.get_guild_commands(guild.id)).await {
        Ok(commands) if commands.is_empty() => Checkup::notice(
            AREA,
            subject,
            format!(
                "the bot is a member of {}; no command is registered yet",
                guild.name
            ),
            "`handbell serve` registers them when it starts",
        ),
        Ok(commands) => Checkup::sound(
            AREA,
            subject,
            format!(
                "the bot is a member of {}; {} commands are registered",
                guild.name,
                commands.len()
            ),
        ),
        Err(trouble) => Checkup::wrong(
            AREA,
            subject,
            format!("commands of {} can't be read: {}", guild.name, trouble.say),
            format!(
                "the scope applications.commands is missing; invite the bot again: {}",
                invitation(application)
            ),
        ),
    }
}

async fn channels(
    client: &Http,
    settings: &DiscordSettings,
    me: UserId,
    guilds: &[PartialGuild],
    found: &mut Vec<Checkup>,
) {
    if settings.channels.is_empty() {
        found.push(Checkup::notice(
            AREA,
            "channels",
            "no channel is configured, so the bot's permissions were looked at nowhere",
            "write the ids of the channels in which the bot works into [discord] channels",
        ));
    }
    let mut members: Vec<(GuildId, Member)> = Vec::new();
    for id in &settings.channels {
        let id = ChannelId::new(*id);
        let subject = format!("channel {id}");
        let channel = match ask(client.get_channel(id)).await {
            Ok(Channel::Guild(channel)) => channel,
            Ok(_) => {
                found.push(Checkup::wrong(
                    AREA,
                    subject,
                    "this is no channel of a guild",
                    "correct [discord] channels in handbell.toml",
                ));
                continue;
            }
            Err(trouble) => {
                found.push(Checkup::wrong(
                    AREA,
                    subject,
                    format!("the bot can't see it, or the id is wrong: {}", trouble.say),
                    "give the bot's role View Channel there, or correct [discord] channels",
                ));
                continue;
            }
        };
        let Some(guild) = guilds.iter().find(|guild| guild.id == channel.guild_id) else {
            found.push(Checkup::wrong(
                AREA,
                subject,
                format!(
                    "#{} belongs to the guild {}, which is not among [discord] guilds",
                    channel.name, channel.guild_id
                ),
                "add that guild, or take the channel out",
            ));
            continue;
        };
        let known = members.iter().position(|(id, _)| *id == guild.id);
        let member = match known {
            Some(n) => Ok(members[n].1.clone()),
            None => ask(client.get_member(guild.id, me)).await,
        };
        match member {
            Ok(member) => {
                found.push(permissions(guild, &channel, &member));
                if known.is_none() {
                    members.push((guild.id, member));
                }
            }
            Err(trouble) => found.push(Checkup::wrong(
                AREA,
                subject,
                format!(
                    "Discord does not say which roles the bot has: {}",
                    trouble.say
                ),
                "try again",
            )),
        }
    }
}

/// What the bot lacks in `channel`, from its roles and the channel's overwrites.
fn permissions(guild: &PartialGuild, channel: &GuildChannel, member: &Member) -> Checkup {
    let subject = format!("channel #{} ({})", channel.name, channel.id);
    let held = guild.user_permissions_in(channel, member);
    let missing: Vec<_> = NEEDED
        .iter()
        .filter(|needed| !held.contains(needed.permission))
        .collect();
    if missing.is_empty() {
        return Checkup::sound(AREA, subject, "the bot has every permission that it needs");
    }
    let names: Vec<&str> = missing.iter().map(|needed| needed.name).collect();
    let why: Vec<String> = missing
        .iter()
        .map(|needed| format!("{} ({})", needed.name, needed.why))
        .collect();
    Checkup::wrong(
        AREA,
        subject,
        format!("the bot lacks {}", names.join(", ")),
        format!(
            "Edit Channel → Permissions → the bot's role: allow {}",
            why.join("; ")
        ),
    )
}
