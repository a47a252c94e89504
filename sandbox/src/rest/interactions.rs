//! The bot's answers to interactions: callbacks, `@original`, follow-ups.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::error::{ApiError, Code, Problems};
use super::{Answer, Call, Reply};
use crate::ids::Id;
use crate::validate::command::{CHOICES_MAX, OptionKind};
use crate::validate::command_option;
use crate::validate::message::{self, Draft, flag};
use crate::validate::modal;
use crate::validate::read::{self, Object};
use crate::world::respond::Callback;
use crate::world::seed::{APPLICATION, GUILD};
use crate::world::{Interaction, World};

/// `POST /interactions/{id}/{token}/callback`
pub(crate) fn callback(call: &mut Call<'_>, id: &str, token: &str) -> Answer {
    call.world.sweep();
    let id = Id::parse(id).ok_or_else(|| super::not_a_snowflake("interaction_id", id))?;
    let interaction = call
        .world
        .interactions
        .get(&id)
        .ok_or(Code::UnknownInteraction)?
        .clone();
    let (callback, number) = read_callback(call, &interaction)?;
    let response = call.world.respond(id, token, callback)?;
    if call
        .query
        .get("with_response")
        .is_none_or(|value| value != "true" && value != "1")
    {
        return Ok(Reply::empty());
    }
    Ok(Reply::json(response_json(
        call.world,
        &interaction,
        number,
        response,
    )))
}

fn response_json(
    world: &World,
    interaction: &Interaction,
    number: i64,
    response: Option<Id>,
) -> Value {
    let mut out = json!({"id": interaction.id, "type": interaction.kind.number(), "channel_id": interaction.channel, "guild_id": GUILD});
    let message = response.and_then(|id| world.messages.get(&id));
    if let Some((body, message)) = out.as_object_mut().zip(message) {
        body.insert("response_message_id".into(), json!(message.id));
        body.insert("response_message_loading".into(), json!(number == 5));
        body.insert(
            "response_message_ephemeral".into(),
            json!(message.only_for.is_some()),
        );
    }
    let mut whole = Map::from_iter([("interaction".to_owned(), out)]);
    if matches!(number, 4 | 7)
        && let Some(message) = response.and_then(|id| world.message_json(id, false))
    {
        whole.insert(
            "resource".into(),
            json!({"type": number, "message": message}),
        );
    }
    Value::Object(whole)
}

fn read_callback(
    call: &mut Call<'_>,
    interaction: &Interaction,
) -> Result<(Callback, i64), ApiError> {
    let uploads = std::mem::take(&mut call.uploads);
    let object = call.object()?;
    let mut problems = Problems::default();
    if read::field(object, "type").is_none() {
        read::missing("type", &mut problems);
    }
    let number = read::one_of(object, "type", &[1, 4, 5, 6, 7, 8, 9], &mut problems).unwrap_or(0);
    if problems.is_empty() && !World::callback_fits(interaction, number) {
        problems.at(
            "type",
            "INTERACTION_CALLBACK_TYPE_INVALID",
            "This callback type cannot answer this interaction",
        );
    }
    if !problems.is_empty() {
        return problems.finish().map(|()| (Callback::DeferUpdate, 0));
    }
    let empty = Map::new();
    let data = read::field(object, "data").and_then(Value::as_object);
    if data.is_none() && matches!(number, 4 | 8 | 9) {
        read::missing("data", &mut problems);
        problems.finish()?;
        return Err(Code::InvalidForm.into());
    }
    let data = data.unwrap_or(&empty);
    let callback = problems.within("data", |problems| match number {
        4 => Callback::Message(Box::new(message::draft(data, uploads, false, problems))),
        5 => Callback::Defer {
            ephemeral: read::whole(data, "flags", 0..=i64::from(i32::MAX), problems)
                .is_some_and(|flags| flags & i64::try_from(flag::EPHEMERAL).unwrap_or(0) != 0),
        },
        7 => {
            let layout = interaction
                .source
                .and_then(|id| call.world.messages.get(&id))
                .is_some_and(|one| one.flags & flag::COMPONENTS_V2 != 0);
            Callback::Update(Box::new(message::draft(data, uploads, layout, problems)))
        }
        8 => Callback::Choices(choices(data, problems)),
        9 => Callback::Modal(modal::modal(data, problems)),
        _ => Callback::DeferUpdate,
    });
    problems.finish()?;
    Ok((callback, number))
}

/// The choices of an autocomplete, with their names left to be shown in the person's language.
fn choices(data: &Object, problems: &mut Problems) -> Value {
    if read::field(data, "choices").is_none() {
        read::missing("choices", problems);
    }
    let items = read::list(data, "choices", 0..=CHOICES_MAX, problems);
    let found = read::objects(items, "choices", problems, |one, problems| {
        let kind = match one.get("value") {
            Some(Value::Number(_)) => OptionKind::Number,
            _ => OptionKind::String,
        };
        let choice = command_option::choice(one, kind, problems);
        let names: Map<String, Value> = choice
            .name
            .by_locale
            .iter()
            .flatten()
            .map(|(locale, text)| (locale.clone(), json!(text)))
            .collect();
        json!({"name": choice.name.base, "name_localizations": names, "value": choice.value})
    });
    Value::Array(found)
}

/// Everything under `/webhooks/{application}/{token}`.
pub(crate) fn webhook(
    call: &mut Call<'_>,
    method: &Method,
    application: &str,
    token: &str,
    rest: &[&str],
) -> Answer {
    if Id::parse(application) != Some(APPLICATION) {
        return Err(Code::UnknownWebhook.into());
    }
    match (method.as_str(), rest) {
        ("POST", []) => {
            // The token comes first: an expired one is told before anything in the body.
            call.world.open_token(token)?;
            let draft = read_draft(call, false)?;
            let id = call.world.follow_up(token, draft)?;
            message_reply(call, id)
        }
        ("GET", ["messages", which]) => {
            let (_, id) = call.world.token_message(token, which)?;
            message_reply(call, id)
        }
        ("PATCH", ["messages", which]) => {
            let (interaction, id) = call.world.token_message(token, which)?;
            let layout = call
                .world
                .messages
                .get(&id)
                .is_some_and(|one| one.flags & flag::COMPONENTS_V2 != 0);
            let draft = read_draft(call, layout)?;
            call.world.edit_message(id, draft)?;
            if interaction.response == Some(id) {
                call.world.settle(interaction.id);
            }
            message_reply(call, id)
        }
        ("DELETE", ["messages", which]) => {
            let (interaction, id) = call.world.token_message(token, which)?;
            call.world.delete_message(id)?;
            if interaction.response == Some(id) {
                call.world.with(interaction.id, |one| one.response = None);
                call.world.settle(interaction.id);
            }
            Ok(Reply::empty())
        }
        _ => Err(Code::NotFound.into()),
    }
}

fn read_draft(call: &mut Call<'_>, layout: bool) -> Result<Draft, ApiError> {
    let uploads = std::mem::take(&mut call.uploads);
    let mut problems = Problems::default();
    let draft = message::draft(call.object()?, uploads, layout, &mut problems);
    problems.finish()?;
    Ok(draft)
}

fn message_reply(call: &Call<'_>, id: Id) -> Answer {
    call.world
        .message_json(id, false)
        .map(Reply::json)
        .ok_or_else(|| Code::UnknownMessage.into())
}
