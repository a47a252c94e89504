//! Writing, editing, deleting, and threads, as a person.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use base64::Engine;
use serde::Deserialize;

use super::{Body, Refusal, Said, channel_of, message_of, ok, person, view, view_message};
use crate::ids::Id;
use crate::permissions::bit;
use crate::rest::messages;
use crate::server::Shared;
use crate::validate::message::{
    ATTACHMENT_MAX_BYTES, ATTACHMENTS_MAX, CONTENT_MAX_CHARS, Draft, Reference, Upload,
};
use crate::world::threads::{AUTO_ARCHIVE_DEFAULT, NAME_MAX_CHARS, NewThread};
use crate::world::{Change, World};

/// A file that a person attaches.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    filename: String,
    content_type: Option<String>,
    base64: String,
}

impl File {
    /// The file as an upload.
    pub(super) fn decode(self, number: usize) -> Result<Upload, Refusal> {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(self.base64)
            .map_err(|error| {
                Refusal::bad(format!(
                    "`base64` of {} cannot be read: {error}.",
                    self.filename
                ))
            })?;
        if bytes.len() > ATTACHMENT_MAX_BYTES {
            return Err(Refusal::bad(
                "Your files are too powerful. The limit is 10 MB a file.",
            ));
        }
        Ok(Upload {
            field: format!("files[{number}]"),
            filename: self.filename,
            content_type: self.content_type,
            bytes: Bytes::from(bytes),
        })
    }
}

/// A message of a person.
#[derive(Debug, Deserialize)]
pub(super) struct NewMessage {
    #[serde(rename = "as")]
    who: Option<String>,
    #[serde(default)]
    content: String,
    reply_to: Option<String>,
    #[serde(default)]
    attachments: Vec<File>,
}

fn check_content(content: &str) -> Result<(), Refusal> {
    if content.chars().count() > CONTENT_MAX_CHARS {
        return Err(Refusal::bad(format!(
            "Your message is too long: at most {CONTENT_MAX_CHARS} characters."
        )));
    }
    Ok(())
}

/// `POST /channels/{id}/messages`
pub(super) async fn send(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(new): Body<NewMessage>,
) -> Said {
    let mut world = shared.world();
    let who = person(&world, new.who.as_deref())?.id;
    let channel = channel_of(&world, who, &id)?;
    may_send(&world, who, channel)?;
    check_content(&new.content)?;
    if new.content.trim().is_empty() && new.attachments.is_empty() {
        return Err(Refusal::bad("There is nothing to send."));
    }
    if new.attachments.len() > ATTACHMENTS_MAX {
        return Err(Refusal::bad(format!(
            "At most {ATTACHMENTS_MAX} files a message."
        )));
    }
    if !new.attachments.is_empty() && !world.may(who, channel, bit::ATTACH_FILES) {
        return Err(Refusal::forbidden("You may not attach files here."));
    }
    let uploads: Result<Vec<Upload>, Refusal> = new
        .attachments
        .into_iter()
        .enumerate()
        .map(|(number, file)| file.decode(number))
        .collect();
    let reference = match new.reply_to {
        None => None,
        Some(id) => Some(Reference {
            message: message_of(&world, who, &id)?,
            channel: None,
            must_exist: true,
        }),
    };
    let draft = Draft {
        content: Some(new.content),
        uploads: uploads?,
        reference,
        ..Draft::default()
    };
    let id = messages::send(&mut world, channel, who, draft)?;
    view_message::message_json(&world, who, id)
        .map(Json)
        .ok_or_else(|| Refusal::unknown("message"))
}

fn may_send(world: &World, who: Id, channel: Id) -> Result<(), Refusal> {
    let can =
        view::channel_json(world, who, channel).is_some_and(|channel| channel["can_send"] == true);
    if can {
        Ok(())
    } else {
        Err(Refusal::forbidden(
            "You do not have permission to send messages in this channel.",
        ))
    }
}

/// An edit, or with nothing but `as` any act that needs no more.
#[derive(Debug, Deserialize)]
pub(super) struct Edit {
    #[serde(rename = "as")]
    who: Option<String>,
    content: Option<String>,
}

/// `PATCH /messages/{id}`
pub(super) async fn edit(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(edit): Body<Edit>,
) -> Said {
    let mut world = shared.world();
    let who = person(&world, edit.who.as_deref())?.id;
    let id = message_of(&world, who, &id)?;
    if world
        .messages
        .get(&id)
        .is_some_and(|message| message.author != who)
    {
        return Err(Refusal::forbidden("Only one's own messages can be edited."));
    }
    let content = edit
        .content
        .ok_or_else(|| Refusal::bad("`content` is missing."))?;
    check_content(&content)?;
    world.edit_message(
        id,
        Draft {
            content: Some(content),
            ..Draft::default()
        },
    )?;
    view_message::message_json(&world, who, id)
        .map(Json)
        .ok_or_else(|| Refusal::unknown("message"))
}

/// `DELETE /messages/{id}`: deletes, or dismisses what this person alone sees.
pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(edit): Body<Edit>,
) -> Said {
    let mut world = shared.world();
    let who = person(&world, edit.who.as_deref())?.id;
    let id = message_of(&world, who, &id)?;
    let Some(message) = world.messages.get(&id) else {
        return Err(Refusal::unknown("message"));
    };
    let dismiss = message.only_for == Some(who);
    if dismiss {
        // The client hides it; the bot can still edit an ephemeral message that nobody looks at.
        world.forget_message(id);
        return Ok(ok());
    }
    if message.author != who && !world.may(who, message.channel, bit::MANAGE_MESSAGES) {
        return Err(Refusal::forbidden(
            "You may not delete messages of others here.",
        ));
    }
    world.delete_message(id)?;
    Ok(ok())
}

/// `POST /channels/{id}/typing`
pub(super) async fn typing(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(edit): Body<Edit>,
) -> Said {
    let mut world = shared.world();
    let who = person(&world, edit.who.as_deref())?.id;
    let channel = channel_of(&world, who, &id)?;
    may_send(&world, who, channel)?;
    world.tell_typing(channel, who);
    Ok(ok())
}

/// A thread that a person opens.
#[derive(Debug, Deserialize)]
pub(super) struct Open {
    #[serde(rename = "as")]
    who: Option<String>,
    channel_id: String,
    message_id: Option<String>,
    name: String,
    #[serde(default)]
    private: bool,
}

/// `POST /threads`
pub(super) async fn open_thread(State(shared): State<Arc<Shared>>, Body(open): Body<Open>) -> Said {
    let mut world = shared.world();
    let owner = person(&world, open.who.as_deref())?.id;
    let channel = channel_of(&world, owner, &open.channel_id)?;
    if !world.may(
        owner,
        channel,
        if open.private {
            bit::CREATE_PRIVATE_THREADS
        } else {
            bit::CREATE_PUBLIC_THREADS
        },
    ) {
        return Err(Refusal::forbidden("You may not open threads here."));
    }
    let name = open.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_MAX_CHARS {
        return Err(Refusal::bad(format!(
            "The name of a thread has 1 to {NAME_MAX_CHARS} characters."
        )));
    }
    let message = open
        .message_id
        .as_deref()
        .map(|id| message_of(&world, owner, id))
        .transpose()?;
    let new = NewThread {
        name,
        channel,
        message,
        private: open.private,
        owner,
        auto_archive_minutes: AUTO_ARCHIVE_DEFAULT,
        invitable: true,
        slowmode_s: 0,
    };
    let id = world.open_thread(&new)?;
    view::channel_json(&world, owner, id)
        .map(Json)
        .ok_or_else(|| Refusal::unknown("thread"))
}

/// What a person does with a thread.
#[derive(Debug, Deserialize)]
pub(super) struct ChangeThread {
    #[serde(rename = "as")]
    who: Option<String>,
    action: String,
}

/// `POST /threads/{id}`
pub(super) async fn change_thread(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(change): Body<ChangeThread>,
) -> Said {
    let mut world = shared.world();
    let who = person(&world, change.who.as_deref())?.id;
    let id = channel_of(&world, who, &id)?;
    let thread = world
        .channels
        .get(&id)
        .and_then(|channel| channel.thread.as_ref())
        .ok_or_else(|| Refusal::unknown("thread"))?;
    let (owner, locked) = (thread.owner, thread.locked);
    let manages = world.may(who, id, bit::MANAGE_THREADS);
    match change.action.as_str() {
        "join" => world.join_thread(id, who)?,
        "leave" => world.leave_thread(id, who)?,
        "archive" | "unarchive"
            if manages || (!locked && (owner == who || change.action == "unarchive")) =>
        {
            world.set_archived(id, change.action == "archive");
        }
        "lock" | "unlock" if manages => {
            if let Some(thread) = world
                .channels
                .get_mut(&id)
                .and_then(|channel| channel.thread.as_mut())
            {
                thread.locked = change.action == "lock";
            }
        }
        "archive" | "unarchive" | "lock" | "unlock" => {
            return Err(Refusal::forbidden("You may not do that with this thread."));
        }
        other => {
            return Err(Refusal::bad(format!(
                "`action` is join, leave, archive, unarchive, lock or unlock, not {other:?}."
            )));
        }
    }
    if matches!(change.action.as_str(), "join" | "leave") {
        world.feed.push(Change::Channel(id));
    } else {
        world.announce_channel(id, "THREAD_UPDATE");
    }
    view::channel_json(&world, who, id)
        .map(Json)
        .ok_or_else(|| Refusal::unknown("thread"))
}
