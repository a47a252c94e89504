//! A bot that uses what the sandbox has: deferred reports, buttons, selects, modals, autocomplete, message commands.

use serenity::all::{
    ActionRowComponent, AutocompleteChoice, ButtonStyle, CommandInteraction, CommandOptionType,
    CommandType, ComponentInteraction, ComponentInteractionDataKind, Context, CreateActionRow,
    CreateAllowedMentions, CreateAttachment, CreateAutocompleteResponse, CreateButton,
    CreateCommand, CreateCommandOption, CreateEmbed, CreateInputText, CreateInteractionResponse,
    CreateInteractionResponseFollowup, CreateInteractionResponseMessage, CreateModal,
    CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption, CreateThread,
    EditInteractionResponse, EventHandler, InputTextStyle, Interaction, ModalInteraction, Ready,
    async_trait,
};

/// A bot that does one thing of each kind.
pub(crate) struct Everything;

fn commands() -> Vec<CreateCommand> {
    let target = CreateCommandOption::new(CommandOptionType::String, "target", "Which one")
        .name_localized("zh-CN", "目标")
        .set_autocomplete(true);
    let redis = CreateCommandOption::new(CommandOptionType::SubCommand, "redis", "Look at Redis")
        .description_localized("zh-CN", "检查 Redis")
        .add_sub_option(target);
    let purge = CreateCommandOption::new(CommandOptionType::SubCommand, "purge-cache", "Purge")
        .add_sub_option(
            CreateCommandOption::new(CommandOptionType::Integer, "limit", "How many")
                .min_int_value(1)
                .max_int_value(10)
                .required(true),
        );
    let group = CreateCommandOption::new(
        CommandOptionType::SubCommandGroup,
        "cache",
        "Redis remedies",
    )
    .add_sub_option(purge);
    vec![
        CreateCommand::new("diagnose")
            .description("Find out what is wrong")
            .name_localized("zh-CN", "诊断")
            .add_option(redis),
        CreateCommand::new("remediate")
            .description("Mend it")
            .add_option(group),
        CreateCommand::new("buttons").description("Buttons"),
        CreateCommand::new("whisper").description("Only you"),
        CreateCommand::new("quiet").description("Never answers"),
        CreateCommand::new("Open incident").kind(CommandType::Message),
    ]
}

#[async_trait]
impl EventHandler for Everything {
    async fn ready(&self, context: Context, ready: Ready) {
        let guild = ready.guilds.first().expect("one guild").id;
        guild
            .set_commands(&context.http, commands())
            .await
            .expect("the commands are taken");
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        match interaction {
            Interaction::Command(command) => used(&context, command).await,
            Interaction::Component(component) => pressed(&context, component).await,
            Interaction::Modal(modal) => filled(&context, modal).await,
            Interaction::Autocomplete(typing) => {
                let typed = typing
                    .data
                    .autocomplete()
                    .map(|one| one.value.to_owned())
                    .unwrap_or_default();
                let choices = ["cache", "sessions"]
                    .into_iter()
                    .filter(|name| name.starts_with(&typed))
                    .map(|name| {
                        AutocompleteChoice::new(name, name)
                            .add_localized_name("zh-CN", format!("{name}（缓存）"))
                    });
                let answer = CreateAutocompleteResponse::new().set_choices(choices.collect());
                typing
                    .create_response(
                        &context.http,
                        CreateInteractionResponse::Autocomplete(answer),
                    )
                    .await
                    .expect("choices are taken");
            }
            _ => {}
        }
    }
}

fn say(text: impl Into<String>) -> CreateInteractionResponse {
    CreateInteractionResponse::Message(CreateInteractionResponseMessage::new().content(text))
}

async fn used(context: &Context, command: CommandInteraction) {
    let http = &context.http;
    match command.data.name.as_str() {
        "diagnose" => {
            command.defer(http).await.expect("deferring");
            command
                .edit_response(
                    http,
                    EditInteractionResponse::new().content("2 of 3 checks"),
                )
                .await
                .expect("an edit");
            let embed = CreateEmbed::new()
                .title("Redis is full")
                .description("<@1000000000000000403> look")
                .field("used", "64 MiB", true)
                .footer(serenity::all::CreateEmbedFooter::new("0.2 s"));
            let report = EditInteractionResponse::new()
                .content("")
                .embed(embed)
                .new_attachment(CreateAttachment::bytes(&b"evidence"[..], "evidence.txt"));
            command
                .edit_response(http, report)
                .await
                .expect("the report");
            let note = CreateInteractionResponseFollowup::new()
                .content("<@&1000000000000000202> <@1000000000000000401>")
                .allowed_mentions(CreateAllowedMentions::new().users([command.user.id]));
            command
                .create_followup(http, note)
                .await
                .expect("a follow-up");
        }
        "buttons" => {
            let menu = CreateSelectMenuKind::String {
                options: vec![
                    CreateSelectMenuOption::new("P0", "p0"),
                    CreateSelectMenuOption::new("P1", "p1"),
                ],
            };
            let rows = vec![
                CreateActionRow::Buttons(vec![
                    CreateButton::new("more").label("More"),
                    CreateButton::new("ask")
                        .label("Ask")
                        .style(ButtonStyle::Danger),
                    CreateButton::new("off").label("Off").disabled(true),
                ]),
                CreateActionRow::SelectMenu(CreateSelectMenu::new("severity", menu)),
            ];
            let message = CreateInteractionResponseMessage::new()
                .content("press")
                .components(rows);
            command
                .create_response(http, CreateInteractionResponse::Message(message))
                .await
                .expect("buttons");
        }
        "whisper" => {
            let message = CreateInteractionResponseMessage::new()
                .content("psst")
                .ephemeral(true);
            command
                .create_response(http, CreateInteractionResponse::Message(message))
                .await
                .expect("a whisper");
        }
        "remediate" => {
            let limit = command.data.options()[0].clone();
            command
                .create_response(http, say(format!("{limit:?}")))
                .await
                .expect("an answer");
        }
        "Open incident" => {
            let target = command
                .data
                .resolved
                .messages
                .values()
                .next()
                .expect("the target")
                .clone();
            let thread = command
                .channel_id
                .create_thread_from_message(http, target.id, CreateThread::new("incident"))
                .await
                .expect("a thread");
            thread
                .say(http, format!("about: {}", target.content))
                .await
                .expect("a message in the thread");
            command
                .create_response(http, say("opened"))
                .await
                .expect("an answer");
        }
        _ => {}
    }
}

async fn pressed(context: &Context, component: ComponentInteraction) {
    let http = &context.http;
    match (component.data.custom_id.as_str(), &component.data.kind) {
        ("more", _) => {
            let update = CreateInteractionResponseMessage::new()
                .content("pressed")
                .components(vec![]);
            component
                .create_response(http, CreateInteractionResponse::UpdateMessage(update))
                .await
                .expect("an update");
        }
        ("ask", _) => {
            let input =
                CreateInputText::new(InputTextStyle::Paragraph, "Why?", "reason").min_length(3);
            let modal = CreateModal::new("why", "A reason")
                .components(vec![CreateActionRow::InputText(input)]);
            component
                .create_response(http, CreateInteractionResponse::Modal(modal))
                .await
                .expect("a modal");
        }
        (_, ComponentInteractionDataKind::StringSelect { values }) => component
            .create_response(http, say(format!("chosen {}", values.join(","))))
            .await
            .expect("an answer"),
        _ => {}
    }
}

async fn filled(context: &Context, modal: ModalInteraction) {
    let ActionRowComponent::InputText(input) = &modal.data.components[0].components[0] else {
        panic!("a text input")
    };
    let said = format!("because {}", input.value.clone().unwrap_or_default());
    modal
        .create_response(&context.http, say(said))
        .await
        .expect("an answer");
}
