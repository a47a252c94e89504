//! The least bot that serenity can be: one command, deferred at once, then answered.
//!
//! `make bench` holds Handbell's acknowledgement and memory against it. It reads the sandbox's
//! ready file, whose path is its only argument.

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use serenity::{
    all::{
        ClientBuilder, CommandInteraction, Context, CreateCommand, CreateCommandOption,
        EditInteractionResponse, EventHandler, GatewayIntents, GuildId, Http, Interaction, Ready,
    },
    async_trait,
    http::HttpBuilder,
};

struct Bare {
    guild: GuildId,
}

#[async_trait]
impl EventHandler for Bare {
    async fn ready(&self, context: Context, _: Ready) {
        let redis = CreateCommandOption::new(
            serenity::all::CommandOptionType::SubCommand,
            "redis",
            "Redis",
        );
        let command = CreateCommand::new("diagnose")
            .description("Bare")
            .add_option(redis);
        if let Err(error) = self.guild.set_commands(&context.http, vec![command]).await {
            tracing::error!(%error, "the command can't be registered");
        }
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        if let Interaction::Command(command) = interaction
            && let Err(error) = answer(&context.http, &command).await
        {
            tracing::error!(%error, "the interaction can't be answered");
        }
    }
}

async fn answer(http: &Arc<Http>, command: &CommandInteraction) -> serenity::Result<()> {
    command.defer(http).await?;
    command
        .edit_response(http, EditInteractionResponse::new().content("Done."))
        .await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: bare_bot READY_FILE")?;
    let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let text = |key: &str| {
        ready[key]
            .as_str()
            .map(str::to_owned)
            .ok_or(format!("the ready file has no {key}"))
    };
    let address: SocketAddr = text("rest_tls")?.parse()?;
    let client = reqwest::Client::builder()
        .resolve("discord.com", address)
        .add_root_certificate(reqwest::Certificate::from_pem(&std::fs::read(text(
            "ca_file",
        )?)?)?)
        .timeout(Duration::from_secs(10))
        .build()?;
    let http = HttpBuilder::new(text("token")?)
        .application_id(text("application_id")?.parse::<u64>()?.into())
        .client(client)
        .build();
    let guild = GuildId::new(text("guild_id")?.parse()?);
    let mut client = ClientBuilder::new_with_http(http, GatewayIntents::GUILDS)
        .event_handler(Bare { guild })
        .await?;
    *client.ws_url.lock().await = text("gateway")?;
    client.start().await?;
    Ok(())
}
