//! Messages as Discord writes them for the bot.

use serde_json::{Map, Value, json};

use super::message::State;
use super::seed::{APPLICATION, GUILD};
use super::{Attachment, Message, World};
use crate::clock::discord_time;
use crate::ids::Id;
use crate::validate::message::flag;

impl World {
    /// A message object. `guarded` blanks what a bot without the message-content intent may not read.
    pub(crate) fn message_json(&self, id: Id, guarded: bool) -> Option<Value> {
        self.messages
            .get(&id)
            .map(|message| self.message_object(message, guarded, true))
    }

    fn message_object(&self, message: &Message, guarded: bool, with_reference: bool) -> Value {
        let own = message.author == APPLICATION || message.mentioned.users.contains(&APPLICATION);
        let open = !guarded || own || message.interaction.is_some();
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
        put("id", json!(message.id));
        put("channel_id", json!(message.channel));
        put("type", json!(message.kind));
        put(
            "author",
            self.user_json(message.author)
                .unwrap_or_else(|| self.stranger_json(message.author)),
        );
        put(
            "content",
            json!(if open { message.content.as_str() } else { "" }),
        );
        let users = message.mentioned.users.iter();
        put(
            "mentions",
            users.filter_map(|id| self.user_json(*id)).collect(),
        );
        put("mention_roles", json!(message.mentioned.roles));
        put("mention_everyone", json!(message.mentioned.everyone));
        let attachments = message
            .attachments
            .iter()
            .map(|one| self.attachment_json(one));
        put(
            "attachments",
            if open {
                attachments.collect()
            } else {
                json!([])
            },
        );
        put(
            "embeds",
            if open && message.flags & flag::SUPPRESS_EMBEDS == 0 {
                json!(message.embeds)
            } else {
                json!([])
            },
        );
        put(
            "components",
            if open {
                json!(message.components)
            } else {
                json!([])
            },
        );
        put("timestamp", json!(discord_time(message.at_ms)));
        put(
            "edited_timestamp",
            json!(message.edited_ms.map(discord_time)),
        );
        put("flags", json!(flags_of(message)));
        put("pinned", json!(message.pinned));
        put("tts", json!(message.tts));
        self.interaction_fields(message, &mut out);
        if let Some((channel, other)) = message.reference {
            let mut reference = json!({"type": 0, "channel_id": channel, "guild_id": GUILD});
            if let Some(body) = reference.as_object_mut().filter(|_| message.kind != 18) {
                body.insert("message_id".into(), json!(other));
            }
            out.insert("message_reference".into(), reference);
            if with_reference && matches!(message.kind, 19 | 21) {
                let referenced = self
                    .messages
                    .get(&other)
                    .map(|other| self.message_object(other, guarded, false));
                out.insert("referenced_message".into(), json!(referenced));
            }
        }
        if let Some(thread) = message.thread.and_then(|thread| self.channel_json(thread)) {
            out.insert("thread".into(), thread);
        }
        if with_reference && !message.reactions.is_empty() {
            out.insert("reactions".into(), reactions_json(message));
        }
        Value::Object(out)
    }

    fn interaction_fields(&self, message: &Message, out: &mut Map<String, Value>) {
        if message.interaction.is_none() {
            return;
        }
        out.insert("application_id".into(), json!(APPLICATION));
        out.insert("webhook_id".into(), json!(APPLICATION));
        let Some(metadata) = &message.interaction_metadata else {
            return;
        };
        out.insert("interaction_metadata".into(), metadata.clone());
        if let Some((name, person)) = &message.command {
            let interaction = json!({"id": metadata["id"], "type": metadata["type"], "name": name, "user": self.user_json(*person)});
            out.insert("interaction".into(), interaction);
        }
    }

    /// Somebody who has left.
    fn stranger_json(&self, id: Id) -> Value {
        let _ = self;
        json!({"id": id, "username": "deleted_user", "global_name": null, "avatar": null, "discriminator": "0", "public_flags": 0, "flags": 0, "primary_guild": null})
    }

    /// An attachment object.
    pub(crate) fn attachment_json(&self, attachment: &Attachment) -> Value {
        let url = self.file_url(attachment);
        let mut out = json!({"id": attachment.id, "filename": attachment.filename, "size": attachment.size, "url": url, "proxy_url": url,
            "content_type": attachment.content_type});
        if let Some(body) = out.as_object_mut() {
            if let Some(description) = &attachment.description {
                body.insert("description".into(), json!(description));
            }
            if let Some((width, height)) = attachment.dimensions {
                body.insert("width".into(), json!(width));
                body.insert("height".into(), json!(height));
            }
            if attachment.ephemeral {
                body.insert("ephemeral".into(), json!(true));
            }
        }
        out
    }
}

fn flags_of(message: &Message) -> u64 {
    let mut flags = message.flags;
    if message.only_for.is_some() {
        flags |= flag::EPHEMERAL;
    }
    if message.state == State::Thinking {
        flags |= flag::LOADING;
    }
    if message.thread.is_some() {
        flags |= flag::HAS_THREAD;
    }
    flags
}

fn reactions_json(message: &Message) -> Value {
    let one = |(emoji, people): (&String, &Vec<Id>)| {
        let (name, id) = emoji
            .split_once(':')
            .map_or((emoji.as_str(), None), |(name, id)| (name, Some(id)));
        json!({"emoji": {"id": id, "name": name}, "count": people.len(), "count_details": {"burst": 0, "normal": people.len()},
            "burst_colors": [], "me_burst": false, "burst_me": false, "me": people.contains(&APPLICATION), "burst_count": 0})
    };
    message.reactions.iter().map(one).collect()
}
