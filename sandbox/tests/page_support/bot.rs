//! The scripted bot: a command with every kind of option that matters, a card with buttons, a form, a refusal.

use std::sync::Mutex;
use std::time::Duration;

use serenity::all::{
    ActionRowComponent, ButtonStyle, CommandInteraction, CommandOptionType, CommandType,
    ComponentInteraction, Context, CreateActionRow, CreateAllowedMentions, CreateAttachment,
    CreateAutocompleteResponse, CreateButton, CreateCommand, CreateCommandOption, CreateEmbed,
    CreateInputText, CreateInteractionResponse, CreateInteractionResponseFollowup,
    CreateInteractionResponseMessage, CreateModal, CreateSelectMenu, CreateSelectMenuKind,
    CreateSelectMenuOption, EditInteractionResponse, EventHandler, InputTextStyle, Interaction,
    ModalInteraction, Ready, ResolvedValue,
};
use serenity::async_trait;
use tokio::sync::oneshot;

/// Long enough that a person sees “thinking”.
const THOUGHT: Duration = Duration::from_millis(700);
const TARGETS: [&str; 3] = ["cache", "sessions", "queue"];

pub(crate) struct Scripted {
    registered: Mutex<Option<oneshot::Sender<()>>>,
}

impl Scripted {
    pub(crate) fn new(registered: oneshot::Sender<()>) -> Self {
        Self {
            registered: Mutex::new(Some(registered)),
        }
    }
}

#[async_trait]
impl EventHandler for Scripted {
    async fn ready(&self, context: Context, ready: Ready) {
        let guild = ready.guilds.first().expect("the bot is in a guild").id;
        guild
            .set_commands(&context.http, commands())
            .await
            .expect("the commands are accepted");
        if let Some(sender) = self
            .registered
            .lock()
            .expect("nobody panicked with it")
            .take()
        {
            sender.send(()).expect("somebody waits");
        }
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        match interaction {
            Interaction::Command(command) => command_used(&context, &command).await,
            Interaction::Autocomplete(command) => complete(&context, &command).await,
            Interaction::Component(component) => pressed(&context, &component).await,
            Interaction::Modal(modal) => form_sent(&context, &modal).await,
            _ => {}
        }
    }
}

fn commands() -> Vec<CreateCommand> {
    let target = CreateCommandOption::new(CommandOptionType::String, "target", "Which server")
        .required(true)
        .set_autocomplete(true)
        .name_localized("zh-CN", "目标");
    let minutes = CreateCommandOption::new(
        CommandOptionType::Integer,
        "minutes",
        "How far back to look",
    )
    .min_int_value(1)
    .max_int_value(60);
    let depth = CreateCommandOption::new(CommandOptionType::String, "depth", "How much to look at")
        .add_string_choice("quick", "q")
        .add_string_choice("thorough", "t");
    let redis = CreateCommandOption::new(CommandOptionType::SubCommand, "redis", "Look at a Redis")
        .description_localized("zh-CN", "查看 Redis")
        .set_sub_options([target, minutes, depth]);
    let mysql = CreateCommandOption::new(CommandOptionType::SubCommand, "mysql", "Look at a MySQL");
    vec![
        CreateCommand::new("check")
            .description("Look at a server")
            .name_localized("zh-CN", "检查")
            .add_option(redis)
            .add_option(mysql),
        CreateCommand::new("silent").description("Never answers"),
        CreateCommand::new("Note it").kind(CommandType::Message),
    ]
}

async fn command_used(context: &Context, command: &CommandInteraction) {
    match command.data.name.as_str() {
        "silent" => {}
        "Note it" => {
            let text = command
                .data
                .resolved
                .messages
                .values()
                .next()
                .map(|message| message.content.clone())
                .unwrap_or_default();
            say(
                context,
                command,
                &format!("Noted what was said: {text}"),
                true,
            )
            .await;
        }
        _ if !operator(command) => {
            let zh = command.locale.starts_with("zh");
            say(
                context,
                command,
                if zh {
                    "需要 **operator** 角色。"
                } else {
                    "You need the role **operator**."
                },
                true,
            )
            .await;
        }
        _ => report(context, command).await,
    }
}

/// The operator's role of the sandbox, see docs/sandbox.md.
fn operator(command: &CommandInteraction) -> bool {
    command.member.as_ref().is_some_and(|member| {
        member
            .roles
            .iter()
            .any(|role| role.get() == 1_000_000_000_000_000_203)
    })
}

async fn say(context: &Context, command: &CommandInteraction, text: &str, ephemeral: bool) {
    let message = CreateInteractionResponseMessage::new()
        .content(text)
        .ephemeral(ephemeral)
        .allowed_mentions(CreateAllowedMentions::new());
    command
        .create_response(&context.http, CreateInteractionResponse::Message(message))
        .await
        .expect("the answer is accepted");
}

/// “Thinking”, then a card with fields, a file and controls.
async fn report(context: &Context, command: &CommandInteraction) {
    command
        .defer(&context.http)
        .await
        .expect("the deferral is accepted");
    tokio::time::sleep(THOUGHT).await;
    let options = command.data.options();
    let values = match options.first().map(|one| &one.value) {
        Some(ResolvedValue::SubCommand(inner)) => inner
            .iter()
            .map(|one| format!("{}={}", one.name, shown(&one.value)))
            .collect::<Vec<_>>()
            .join(" "),
        _ => String::new(),
    };
    let zh = command.locale.starts_with("zh");
    let (title, field) = if zh {
        ("🔴 Redis 内存已满", "内存")
    } else {
        ("🔴 Redis is full", "Memory")
    };
    let card = CreateEmbed::new()
        .title(title)
        .description(format!("Asked for: `{values}`\n<img src=x onerror=alert(1)> **bold** [not a link](javascript:alert(1))"))
        .field(field, "63.9 MiB of 64 MiB", true)
        .field("Policy", "`noeviction`", true)
        .colour(0x00e0_464c);
    let buttons = CreateActionRow::Buttons(vec![
        CreateButton::new("again")
            .label("Run again")
            .style(ButtonStyle::Primary),
        CreateButton::new("note")
            .label("Add a note")
            .style(ButtonStyle::Secondary),
        CreateButton::new("never")
            .label("Purge")
            .style(ButtonStyle::Danger)
            .disabled(true),
    ]);
    let severities = vec![
        CreateSelectMenuOption::new("P0", "0").description("The shop is down"),
        CreateSelectMenuOption::new("P1", "1"),
    ];
    let select = CreateActionRow::SelectMenu(
        CreateSelectMenu::new(
            "severity",
            CreateSelectMenuKind::String {
                options: severities,
            },
        )
        .placeholder("Severity"),
    );
    let evidence: String = (1..=12).fold(String::new(), |text, line| {
        format!("{text}line {line}: used_memory_bytes=67003904\n")
    });
    let edit = EditInteractionResponse::new()
        .embed(card)
        .components(vec![buttons, select])
        .new_attachment(CreateAttachment::bytes(evidence, "evidence.txt"));
    command
        .edit_response(&context.http, edit)
        .await
        .expect("the report is accepted");
}

fn shown(value: &ResolvedValue<'_>) -> String {
    match value {
        ResolvedValue::String(text) => (*text).to_owned(),
        ResolvedValue::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

async fn complete(context: &Context, command: &CommandInteraction) {
    let typed = command
        .data
        .autocomplete()
        .map(|one| one.value.to_lowercase())
        .unwrap_or_default();
    let answer = TARGETS
        .iter()
        .filter(|name| name.contains(&typed))
        .fold(CreateAutocompleteResponse::new(), |answer, name| {
            answer.add_string_choice(*name, *name)
        });
    command
        .create_response(
            &context.http,
            CreateInteractionResponse::Autocomplete(answer),
        )
        .await
        .expect("the choices are accepted");
}

async fn pressed(context: &Context, component: &ComponentInteraction) {
    let response = match component.data.custom_id.as_str() {
        "note" => {
            let reason = CreateInputText::new(InputTextStyle::Short, "Why?", "reason")
                .min_length(5)
                .max_length(60);
            let more =
                CreateInputText::new(InputTextStyle::Paragraph, "More", "more").required(false);
            CreateInteractionResponse::Modal(CreateModal::new("note-form", "A note").components(
                vec![
                    CreateActionRow::InputText(reason),
                    CreateActionRow::InputText(more),
                ],
            ))
        }
        "again" => CreateInteractionResponse::Acknowledge,
        other => {
            let text = format!("Chosen in {other}: {}", chosen(component));
            CreateInteractionResponse::Message(
                CreateInteractionResponseMessage::new().content(text),
            )
        }
    };
    component
        .create_response(&context.http, response)
        .await
        .expect("the answer is accepted");
    if component.data.custom_id == "again" {
        let more = CreateInteractionResponseFollowup::new()
            .content(format!("Ran again for <@{}>.", component.user.id));
        component
            .create_followup(&context.http, more)
            .await
            .expect("the follow-up is accepted");
    }
}

fn chosen(component: &ComponentInteraction) -> String {
    match &component.data.kind {
        serenity::all::ComponentInteractionDataKind::StringSelect { values } => values.join(","),
        other => format!("{other:?}"),
    }
}

async fn form_sent(context: &Context, modal: &ModalInteraction) {
    let mut inputs = modal.data.components.iter().flat_map(|row| &row.components);
    let reason = inputs.find_map(|one| match one {
        ActionRowComponent::InputText(input) if input.custom_id == "reason" => input.value.clone(),
        _ => None,
    });
    let text = format!("Noted: {}", reason.unwrap_or_default());
    let message = CreateInteractionResponseMessage::new()
        .content(text)
        .ephemeral(true);
    modal
        .create_response(&context.http, CreateInteractionResponse::Message(message))
        .await
        .expect("the answer is accepted");
}
