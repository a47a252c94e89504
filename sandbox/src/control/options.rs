//! What a person typed into a command's options, checked as Discord's client checks it and written as the gateway carries it.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::Refusal;
use super::act::File;
use crate::ids::Id;
use crate::validate::command::{CommandOption, OptionKind};
use crate::world::World;

/// Everything that the options name.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) people: Vec<Id>,
    pub(super) roles: Vec<Id>,
    pub(super) channels: Vec<Id>,
    pub(super) attachments: Map<String, Value>,
}

/// Writes the options; `focused` is the one being typed (autocomplete), for which nothing is checked.
pub(super) fn write(
    world: &mut World,
    known: &[CommandOption],
    mut given: IndexMap<String, Value>,
    focused: Option<&str>,
    channel: Id,
    resolved: &mut Resolved,
) -> Result<Vec<Value>, Refusal> {
    let mut out = Vec::new();
    for option in known {
        let name = option.name.base.as_str();
        let value = given.shift_remove(name).filter(|value| !value.is_null());
        if focused == Some(name) {
            let typed = value.unwrap_or_else(|| json!(""));
            out.push(
                json!({"name": name, "type": option.kind as i64, "value": typed, "focused": true}),
            );
            continue;
        }
        match value {
            None if option.required && focused.is_none() => {
                return Err(Refusal::bad(format!("This option is required: {name}.")));
            }
            None => {}
            Some(value) => {
                let value = check(world, option, value, channel, resolved)
                    .map_err(|why| Refusal::bad(format!("Option {name}: {why}")))?;
                out.push(json!({"name": name, "type": option.kind as i64, "value": value}));
            }
        }
    }
    match given.keys().next() {
        Some(stray) => Err(Refusal::bad(format!(
            "This command has no option {stray:?}."
        ))),
        None => Ok(out),
    }
}

fn check(
    world: &mut World,
    option: &CommandOption,
    value: Value,
    channel: Id,
    resolved: &mut Resolved,
) -> Result<Value, String> {
    if !option.choices.is_empty()
        && !option
            .choices
            .iter()
            .any(|choice| same(&choice.value, &value))
    {
        return Err("choose one of the values that are offered.".to_owned());
    }
    match option.kind {
        OptionKind::String => {
            let text = value.as_str().ok_or("a text is expected.")?;
            let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            if option.min_length.is_some_and(|min| length < min)
                || length > option.max_length.unwrap_or(6_000)
                || text.is_empty()
            {
                return Err(format!(
                    "the text has {length} characters, which is too short or too long."
                ));
            }
            Ok(value)
        }
        OptionKind::Integer | OptionKind::Number => {
            let number = value.as_f64().ok_or("a number is expected.")?;
            if option.kind == OptionKind::Integer && value.as_i64().is_none() {
                return Err("a whole number is expected.".to_owned());
            }
            let low = option
                .min_value
                .as_ref()
                .and_then(Value::as_f64)
                .is_some_and(|min| number < min);
            let high = option
                .max_value
                .as_ref()
                .and_then(Value::as_f64)
                .is_some_and(|max| number > max);
            if low || high {
                Err("the number is out of its bounds.".to_owned())
            } else {
                Ok(value)
            }
        }
        OptionKind::Boolean => value
            .as_bool()
            .map(Value::Bool)
            .ok_or_else(|| "true or false is expected.".to_owned()),
        OptionKind::Attachment => attach(world, value, channel, resolved),
        _ => entity(world, option, &value, resolved),
    }
}

/// Equal as a person sees it: `5` and `5.0` are the same number.
fn same(one: &Value, other: &Value) -> bool {
    one == other
        || one
            .as_f64()
            .is_some_and(|number| other.as_f64() == Some(number))
}

fn attach(
    world: &mut World,
    value: Value,
    channel: Id,
    resolved: &mut Resolved,
) -> Result<Value, String> {
    let file: File =
        serde_json::from_value(value).map_err(|error| format!("a file is expected: {error}."))?;
    let upload = file.decode(0).map_err(|refusal| refusal.error)?;
    let attachment = world.store_file(
        channel,
        &upload.filename,
        upload.content_type.as_deref(),
        upload.bytes,
        (None, true),
    );
    resolved.attachments.insert(
        attachment.id.to_string(),
        world.attachment_json(&attachment),
    );
    Ok(json!(attachment.id))
}

/// A person, role or channel.
fn entity(
    world: &World,
    option: &CommandOption,
    value: &Value,
    resolved: &mut Resolved,
) -> Result<Value, String> {
    let text = value.as_str().unwrap_or_default();
    let person = || {
        world
            .find_person(text)
            .map(|one| one.id)
            .or_else(|| Id::parse(text).filter(|id| world.people.contains_key(id)))
    };
    let role = || world.find_role(text).map(|one| one.id);
    let channel = || Id::parse(text).filter(|id| world.channels.contains_key(id));
    let wants = |kinds: &[OptionKind]| kinds.contains(&option.kind);
    if wants(&[OptionKind::User, OptionKind::Mentionable])
        && let Some(id) = person()
    {
        resolved.people.push(id);
        return Ok(json!(id));
    }
    if wants(&[OptionKind::Role, OptionKind::Mentionable])
        && let Some(id) = role()
    {
        resolved.roles.push(id);
        return Ok(json!(id));
    }
    if let Some(id) = channel().filter(|_| wants(&[OptionKind::Channel])) {
        let kind = world
            .channels
            .get(&id)
            .map(crate::world::Channel::type_number);
        if option
            .channel_types
            .as_ref()
            .is_some_and(|types| !kind.is_some_and(|kind| types.contains(&kind)))
        {
            return Err("this type of channel cannot be chosen.".to_owned());
        }
        resolved.channels.push(id);
        return Ok(json!(id));
    }
    Err(format!("there is no such {}.", option.kind.word()))
}

/// The `resolved` object of an interaction.
pub(super) fn resolved_json(
    world: &World,
    resolved: &Resolved,
    messages: &[Id],
    viewer: Id,
) -> Option<Value> {
    let mut out = world.resolved_json(
        &resolved.people,
        &resolved.roles,
        &resolved.channels,
        messages,
        viewer,
    );
    if !resolved.attachments.is_empty() {
        out.insert(
            "attachments".into(),
            Value::Object(resolved.attachments.clone()),
        );
    }
    (!out.is_empty()).then_some(Value::Object(out))
}
