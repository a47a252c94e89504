//! Using a command as a person: typed, from a message's menu, from a person's menu; and autocomplete.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::options::{self, Resolved};
use super::{Body, Refusal, Said, channel_of, message_of, person, picker, wait};
use crate::ids::Id;
use crate::server::Shared;
use crate::validate::command::{CommandKind, CommandOption, OptionKind};
use crate::world::World;
use crate::world::interaction::{Act, FIRST_RESPONSE_MS, Kind, Progress, TOKEN_MS};
use crate::world::seed::GUILD;

/// Milliseconds after a deadline at which it is looked whether it was met.
const AFTER_MS: i64 = 20;

/// A use of a command.
#[derive(Debug, Deserialize)]
pub(super) struct Invocation {
    #[serde(rename = "as")]
    who: Option<String>,
    channel_id: String,
    command: String,
    command_id: Option<String>,
    #[serde(default)]
    options: IndexMap<String, Value>,
    target_message_id: Option<String>,
    target_user_id: Option<String>,
    focused: Option<String>,
    #[serde(default)]
    wait_ms: u64,
}

/// What is known of the command once it is found; owned, so that the world can change.
struct Chosen {
    command: Id,
    guild: Option<Id>,
    kind: CommandKind,
    path: Vec<String>,
    /// Types of the groups and subcommand on the way.
    steps: Vec<OptionKind>,
    options: Vec<CommandOption>,
}

fn choose(world: &World, who: Id, channel: Id, invocation: &Invocation) -> Result<Chosen, Refusal> {
    let wanted_id = invocation.command_id.as_deref().and_then(Id::parse);
    let wanted_kind = match (&invocation.target_message_id, &invocation.target_user_id) {
        (Some(_), _) => CommandKind::Message,
        (None, Some(_)) => CommandKind::User,
        (None, None) => CommandKind::Chat,
    };
    let wanted = invocation.command.trim().trim_start_matches('/');
    let lines = picker::lines(world, who, channel);
    let line = lines.iter().find(|line| {
        line.command.spec.kind == wanted_kind
            && line.path().join(" ") == wanted
            && wanted_id.is_none_or(|id| line.command.id == id)
    });
    let line = line.ok_or_else(|| {
        let known: Vec<String> = lines.iter().map(|line| line.path().join(" ")).collect();
        Refusal::new(
            axum::http::StatusCode::NOT_FOUND,
            "unknown",
            format!(
                "This person's picker has no command {wanted:?} here; it has: {}.",
                known.join(", ")
            ),
        )
    })?;
    Ok(Chosen {
        command: line.command.id,
        guild: line.command.guild,
        kind: wanted_kind,
        path: line.path().into_iter().map(str::to_owned).collect(),
        steps: line.steps.iter().map(|step| step.kind).collect(),
        options: line.options.to_vec(),
    })
}

/// Discord's `data`: the options inside the subcommand inside the group.
fn data(chosen: &Chosen, mut options: Vec<Value>) -> Map<String, Value> {
    for (kind, name) in chosen.steps.iter().zip(chosen.path.iter().skip(1)).rev() {
        options = vec![json!({"type": *kind as i64, "name": name, "options": options})];
    }
    let mut data = Map::new();
    data.insert("id".into(), json!(chosen.command));
    data.insert("name".into(), json!(chosen.path.first()));
    data.insert("type".into(), json!(chosen.kind as i64));
    if chosen.guild.is_some() {
        data.insert("guild_id".into(), json!(GUILD));
    }
    if chosen.kind == CommandKind::Chat {
        data.insert("options".into(), Value::Array(options));
    }
    data
}

/// `POST /commands/invoke`
pub(super) async fn invoke(
    State(shared): State<Arc<Shared>>,
    Body(mut invocation): Body<Invocation>,
) -> Said {
    let id = {
        let mut world = shared.world();
        let who = person(&world, invocation.who.as_deref())?.id;
        let channel = channel_of(&world, who, &invocation.channel_id)?;
        let chosen = choose(&world, who, channel, &invocation)?;
        let given = std::mem::take(&mut invocation.options);
        send(&mut world, who, channel, &chosen, given, &invocation)?
    };
    watch(&shared);
    wait::settled(&shared, id, invocation.wait_ms).await
}

fn send(
    world: &mut World,
    who: Id,
    channel: Id,
    chosen: &Chosen,
    given: IndexMap<String, Value>,
    invocation: &Invocation,
) -> Result<Id, Refusal> {
    let mut resolved = Resolved::default();
    let options = options::write(world, &chosen.options, given, None, channel, &mut resolved)?;
    let mut data = data(chosen, options);
    let mut act = Act {
        command: Some(chosen.path.join(" ")),
        ..Act::default()
    };
    let mut messages = Vec::new();
    let kind = match chosen.kind {
        CommandKind::Chat => Kind::Command,
        CommandKind::Message => {
            let target = message_of(
                world,
                who,
                invocation.target_message_id.as_deref().unwrap_or_default(),
            )?;
            act.source = Some(target);
            messages.push(target);
            data.insert("target_id".into(), json!(target));
            Kind::MessageCommand
        }
        CommandKind::User => {
            let target = invocation
                .target_user_id
                .as_deref()
                .and_then(Id::parse)
                .filter(|id| world.people.contains_key(id));
            let target = target.ok_or_else(|| Refusal::unknown("person"))?;
            act.target_user = Some(target);
            resolved.people.push(target);
            data.insert("target_id".into(), json!(target));
            Kind::UserCommand
        }
    };
    if let Some(objects) = options::resolved_json(world, &resolved, &messages, who) {
        data.insert("resolved".into(), objects);
    }
    act.data = Value::Object(data);
    Ok(world.interact(kind, who, channel, act))
}

/// Looks at the interactions again when their times are over.
pub(super) fn watch(shared: &Arc<Shared>) {
    for after_ms in [FIRST_RESPONSE_MS, TOKEN_MS] {
        let shared = Arc::clone(shared);
        let after = Duration::from_millis(u64::try_from(after_ms + AFTER_MS).unwrap_or(0));
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(after) => shared.world().sweep(),
                () = shared.stop.cancelled() => {}
            }
        });
    }
}

/// `POST /commands/autocomplete`
pub(super) async fn autocomplete(
    State(shared): State<Arc<Shared>>,
    Body(mut invocation): Body<Invocation>,
) -> Said {
    let (id, locale) = {
        let mut world = shared.world();
        let one = person(&world, invocation.who.as_deref())?;
        let (who, locale) = (one.id, one.locale.clone());
        let channel = channel_of(&world, who, &invocation.channel_id)?;
        let chosen = choose(&world, who, channel, &invocation)?;
        let focused = invocation
            .focused
            .clone()
            .ok_or_else(|| Refusal::bad("`focused` names the option that is typed into."))?;
        if !chosen
            .options
            .iter()
            .any(|option| option.name.base == focused && option.autocomplete)
        {
            return Err(Refusal::bad(format!(
                "The option {focused:?} has no autocomplete."
            )));
        }
        let mut resolved = Resolved::default();
        let options = options::write(
            &mut world,
            &chosen.options,
            std::mem::take(&mut invocation.options),
            Some(&focused),
            channel,
            &mut resolved,
        )?;
        let mut data = data(&chosen, options);
        if let Some(objects) = options::resolved_json(&world, &resolved, &[], who) {
            data.insert("resolved".into(), objects);
        }
        let act = Act {
            command: Some(chosen.path.join(" ")),
            data: Value::Object(data),
            ..Act::default()
        };
        (
            world.interact(Kind::Autocomplete, who, channel, act),
            locale,
        )
    };
    watch(&shared);
    let patience = u64::try_from(FIRST_RESPONSE_MS + 10 * AFTER_MS).unwrap_or(0);
    let _settled = wait::settled(&shared, id, patience).await?;
    let world = shared.world();
    let interaction = world
        .interactions
        .get(&id)
        .ok_or_else(|| Refusal::unknown("interaction"))?;
    let choices = interaction.choices.as_ref().map_or_else(
        || json!([]),
        |choices| wait::localised_choices(choices, &locale),
    );
    Ok(Json(
        json!({"choices": choices, "failed": interaction.progress != Progress::Answered}),
    ))
}
