//! Clicking, choosing, filling in modals.

use std::sync::Arc;

use axum::extract::{Path, State};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::options::{Resolved, resolved_json};
use super::{Body, Refusal, Said, invoke, message_of, ok, person, view_message, wait};
use crate::ids::Id;
use crate::server::Shared;
use crate::validate::component::kind;
use crate::world::World;
use crate::world::interaction::{Act, Kind};

/// A click or a choice.
#[derive(Debug, Deserialize)]
pub(super) struct Press {
    #[serde(rename = "as")]
    who: Option<String>,
    custom_id: String,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    wait_ms: u64,
}

/// Every component of a list, nested ones too.
fn flat<'v>(components: &'v [Value], out: &mut Vec<&'v Value>) {
    for component in components {
        out.push(component);
        if let Some(inner) = component["components"].as_array() {
            flat(inner, out);
        }
        for key in ["accessory", "component"] {
            if component[key].is_object() {
                out.push(&component[key]);
            }
        }
    }
}

/// The component that is pressed, if it can be.
fn find(world: &World, who: Id, message: Id, custom_id: &str) -> Result<Value, Refusal> {
    let message = world
        .messages
        .get(&message)
        .filter(|message| view_message::is_the_bots(message) && !message.local)
        .ok_or_else(|| Refusal::unknown("message"))?;
    let mut all = Vec::new();
    flat(&message.components, &mut all);
    let found = all
        .into_iter()
        .find(|component| component["custom_id"] == custom_id);
    let found = found.ok_or_else(|| {
        Refusal::new(
            axum::http::StatusCode::NOT_FOUND,
            "unknown",
            format!("This message has no control {custom_id:?}."),
        )
    })?;
    if found["disabled"] == true {
        return Err(Refusal::disabled("This control is greyed out."));
    }
    if !world.sees(who, message.channel) {
        return Err(Refusal::unknown("message"));
    }
    Ok(found.clone())
}

/// `POST /messages/{id}/click`
pub(super) async fn click(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(press): Body<Press>,
) -> Said {
    press_control(&shared, &id, press, false).await
}

/// `POST /messages/{id}/select`
pub(super) async fn select(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(press): Body<Press>,
) -> Said {
    press_control(&shared, &id, press, true).await
}

async fn press_control(shared: &Arc<Shared>, id: &str, press: Press, choosing: bool) -> Said {
    let interaction = {
        let mut world = shared.world();
        let who = person(&world, press.who.as_deref())?.id;
        let message = message_of(&world, who, id)?;
        let component = find(&world, who, message, &press.custom_id)?;
        let number = component["type"].as_i64().unwrap_or(0);
        if (number == kind::BUTTON) == choosing {
            return Err(Refusal::bad(
                "Buttons are clicked, selects are chosen from.",
            ));
        }
        let mut data =
            json!({"custom_id": press.custom_id, "component_type": number, "id": component["id"]});
        if choosing {
            let (values, resolved) = chosen(&world, &component, &press.values)?;
            if let Some(body) = data.as_object_mut() {
                body.insert("values".into(), json!(values));
                if let Some(objects) = resolved_json(&world, &resolved, &[], who) {
                    body.insert("resolved".into(), objects);
                }
            }
        }
        clear_notice(&mut world, message, who);
        let channel = world
            .messages
            .get(&message)
            .map(|message| message.channel)
            .ok_or_else(|| Refusal::unknown("message"))?;
        let act = Act {
            custom_id: Some(press.custom_id),
            source: Some(message),
            data,
            ..Act::default()
        };
        world.interact(Kind::Component, who, channel, act)
    };
    invoke::watch(shared);
    wait::settled(shared, interaction, press.wait_ms).await
}

/// A new try takes the "This interaction failed" of the last one away.
fn clear_notice(world: &mut World, message: Id, who: Id) {
    let had = world
        .messages
        .get_mut(&message)
        .is_some_and(|message| message.notices.shift_remove(&who).is_some());
    if had {
        world.feed.push(crate::world::Change::Edit(message));
    }
}

/// The values of a choice, checked against the select.
fn chosen(
    world: &World,
    component: &Value,
    values: &[String],
) -> Result<(Vec<Value>, Resolved), Refusal> {
    let bound = |key: &str| {
        component[key]
            .as_u64()
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(1)
    };
    let (min, max) = (bound("min_values"), bound("max_values"));
    if !(min..=max).contains(&values.len()) {
        return Err(Refusal::bad(format!("Choose between {min} and {max}.")));
    }
    let mut resolved = Resolved::default();
    let mut out = Vec::with_capacity(values.len());
    for value in values {
        out.push(one_value(world, component, value, &mut resolved)?);
    }
    Ok((out, resolved))
}

fn one_value(
    world: &World,
    component: &Value,
    value: &str,
    resolved: &mut Resolved,
) -> Result<Value, Refusal> {
    let number = component["type"].as_i64().unwrap_or(0);
    let lost = || Refusal::bad(format!("{value:?} cannot be chosen here."));
    if number == kind::STRING_SELECT {
        let known = component["options"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|option| option["value"] == value);
        return if known { Ok(json!(value)) } else { Err(lost()) };
    }
    let person = world
        .find_person(value)
        .map(|one| one.id)
        .or_else(|| Id::parse(value).filter(|id| world.people.contains_key(id)));
    let role = world.find_role(value).map(|role| role.id);
    let channel = Id::parse(value).filter(|id| world.channels.contains_key(id));
    let people = matches!(number, kind::USER_SELECT | kind::MENTIONABLE_SELECT);
    let roles = matches!(number, kind::ROLE_SELECT | kind::MENTIONABLE_SELECT);
    match (
        person.filter(|_| people),
        role.filter(|_| roles),
        channel.filter(|_| number == kind::CHANNEL_SELECT),
    ) {
        (Some(id), _, _) => {
            resolved.people.push(id);
            Ok(json!(id))
        }
        (None, Some(id), _) => {
            resolved.roles.push(id);
            Ok(json!(id))
        }
        (None, None, Some(id)) => {
            resolved.channels.push(id);
            Ok(json!(id))
        }
        (None, None, None) => Err(lost()),
    }
}

/// A modal as the page shows it.
pub(super) fn modal_json(interaction: Id, modal: &Value) -> Value {
    let mut inputs = Vec::new();
    let mut texts = Vec::new();
    for top in modal["components"].as_array().into_iter().flatten() {
        match top["type"].as_i64() {
            Some(kind::ROW) => inputs.extend(
                top["components"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|input| input_json(input, &input["label"], &Value::Null)),
            ),
            Some(kind::LABEL) => inputs.push(input_json(
                &top["component"],
                &top["label"],
                &top["description"],
            )),
            _ => texts.push(top["content"].clone()),
        }
    }
    json!({"interaction_id": interaction, "custom_id": modal["custom_id"], "title": modal["title"], "inputs": inputs, "texts": texts})
}

fn input_json(input: &Value, label: &Value, description: &Value) -> Value {
    let text = input["type"].as_i64() == Some(kind::TEXT_INPUT);
    let style = if input["style"] == 2 {
        "paragraph"
    } else {
        "short"
    };
    let options: Vec<Value> = input["options"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| json!({"label": one["label"], "value": one["value"], "description": one["description"], "default": one["default"] == true}))
        .collect();
    json!({"custom_id": input["custom_id"], "label": label, "description": description, "kind": if text { "text" } else { "select" },
        "style": text.then_some(style), "required": input["required"] != false, "min_length": input["min_length"], "max_length": input["max_length"],
        "placeholder": input["placeholder"], "value": input["value"], "options": (!text).then_some(options), "min_values": input["min_values"], "max_values": input["max_values"]})
}

/// What a person filled in.
#[derive(Debug, Deserialize)]
pub(super) struct Filled {
    #[serde(rename = "as")]
    who: Option<String>,
    #[serde(default)]
    values: IndexMap<String, Value>,
    #[serde(default)]
    wait_ms: u64,
}

/// `POST /modals/{interaction}/submit`
pub(super) async fn submit(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(filled): Body<Filled>,
) -> Said {
    let interaction = {
        let mut world = shared.world();
        let who = person(&world, filled.who.as_deref())?.id;
        let opened = open_modal(&world, who, &id)?;
        let (modal, channel, source) = opened;
        let mut resolved = Resolved::default();
        let components = answers(&world, &modal, filled.values, &mut resolved)?;
        let mut data = json!({"custom_id": modal["custom_id"], "components": components});
        if let (Some(body), Some(objects)) = (
            data.as_object_mut(),
            resolved_json(&world, &resolved, &[], who),
        ) {
            body.insert("resolved".into(), objects);
        }
        let of_modal = Id::parse(&id);
        if let Some(id) = of_modal {
            world.with(id, |one| one.modal = None);
        }
        let custom_id = modal["custom_id"].as_str().map(str::to_owned);
        world.interact(
            Kind::Modal,
            who,
            channel,
            Act {
                custom_id,
                source,
                of_modal,
                data,
                ..Act::default()
            },
        )
    };
    invoke::watch(&shared);
    wait::settled(&shared, interaction, filled.wait_ms).await
}

fn open_modal(world: &World, who: Id, id: &str) -> Result<(Value, Id, Option<Id>), Refusal> {
    let interaction = Id::parse(id)
        .and_then(|id| world.interactions.get(&id))
        .filter(|one| one.person == who);
    let interaction = interaction.ok_or_else(|| Refusal::unknown("modal"))?;
    let modal = interaction.modal.clone();
    let modal = modal.ok_or_else(|| {
        Refusal::new(
            axum::http::StatusCode::GONE,
            "gone",
            "This modal was submitted or dismissed already.",
        )
    })?;
    let source = interaction
        .source
        .filter(|_| interaction.kind == Kind::Component);
    Ok((modal, interaction.channel, source))
}

/// `POST /modals/{interaction}/dismiss`
pub(super) async fn dismiss(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(filled): Body<Filled>,
) -> Said {
    let mut world = shared.world();
    let who = person(&world, filled.who.as_deref())?.id;
    open_modal(&world, who, &id)?;
    if let Some(id) = Id::parse(&id) {
        world.with(id, |one| one.modal = None);
    }
    Ok(ok())
}

/// The modal's components with what was filled in, as the gateway carries them.
fn answers(
    world: &World,
    modal: &Value,
    mut values: IndexMap<String, Value>,
    resolved: &mut Resolved,
) -> Result<Vec<Value>, Refusal> {
    let mut out = Vec::new();
    for top in modal["components"].as_array().into_iter().flatten() {
        let mut write = |input: &Value, label: &Value| -> Result<Value, Refusal> {
            let value = input["custom_id"]
                .as_str()
                .and_then(|key| values.shift_remove(key));
            filled_in(world, input, label, value.as_ref(), resolved)
        };
        match top["type"].as_i64() {
            Some(kind::ROW) => {
                let inner: Result<Vec<Value>, Refusal> = top["components"].as_array().into_iter().flatten().map(|input| write(input, &input["label"])).collect();
                out.push(json!({"type": kind::ROW, "id": top["id"], "components": inner?}));
            }
            Some(kind::LABEL) => out.push(json!({"type": kind::LABEL, "id": top["id"], "component": write(&top["component"], &top["label"])?})),
            _ => out.push(json!({"type": kind::TEXT_DISPLAY, "id": top["id"]})),
        }
    }
    match values.keys().next() {
        Some(stray) => Err(Refusal::bad(format!("This modal has no input {stray:?}."))),
        None => Ok(out),
    }
}

fn filled_in(
    world: &World,
    input: &Value,
    label: &Value,
    value: Option<&Value>,
    resolved: &mut Resolved,
) -> Result<Value, Refusal> {
    let label = label.as_str().unwrap_or_default();
    if input["type"] != kind::TEXT_INPUT {
        let list: Vec<String> = value
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        if list.is_empty() && input["required"] == false {
            return Ok(
                json!({"type": input["type"], "id": input["id"], "custom_id": input["custom_id"], "values": []}),
            );
        }
        let mut values = Vec::with_capacity(list.len());
        for one in &list {
            values.push(one_value(world, input, one, resolved)?);
        }
        if values.is_empty() {
            return Err(Refusal::bad(format!("Choose something for {label:?}.")));
        }
        return Ok(
            json!({"type": input["type"], "id": input["id"], "custom_id": input["custom_id"], "values": values}),
        );
    }
    let text = match value {
        None => input["value"].as_str().unwrap_or_default().to_owned(),
        Some(value) => value.as_str().unwrap_or_default().to_owned(),
    };
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let min = input["min_length"].as_u64().unwrap_or(0);
    let max = input["max_length"].as_u64().unwrap_or(4_000);
    if text.is_empty() && input["required"] != false {
        return Err(Refusal::bad(format!("{label:?} is required.")));
    }
    if !text.is_empty() && !(min..=max).contains(&length) {
        return Err(Refusal::bad(format!(
            "{label:?} takes {min} to {max} characters."
        )));
    }
    Ok(
        json!({"type": kind::TEXT_INPUT, "id": input["id"], "custom_id": input["custom_id"], "value": text}),
    )
}
