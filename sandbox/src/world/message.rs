//! Messages: made, edited, deleted, and told to whoever may know.

use axum::body::Bytes;
use indexmap::IndexMap;
use serde_json::{Value, json};

use super::feed::Change;
use super::mentions::Mentioned;
use super::seed::{APPLICATION, GUILD};
use super::{World, mentions};
use crate::ids::Id;
use crate::rest::error::{ApiError, Code, Problems};
use crate::validate::message::{ATTACHMENTS_MAX, Draft, flag};

/// Messages that are kept over all channels; the oldest go first.
const KEPT: usize = 10_000;
/// Bytes of attachments that are kept (256 MiB); of older ones only the description stays.
const KEPT_BYTES: usize = 256 * 1024 * 1024;

/// A file that can be fetched.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
}

/// An attached file.
#[derive(Clone, Debug)]
pub(crate) struct Attachment {
    pub(crate) id: Id,
    pub(crate) filename: String,
    pub(crate) description: Option<String>,
    pub(crate) content_type: String,
    pub(crate) size: usize,
    pub(crate) dimensions: Option<(u32, u32)>,
    pub(crate) channel: Id,
    pub(crate) ephemeral: bool,
}

/// How far a reply has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Sent,
    /// Deferred: "… is thinking".
    Thinking,
    /// Never answered.
    Failed,
}

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: Id,
    pub(crate) channel: Id,
    pub(crate) author: Id,
    /// Discord's number of the type: 0 default, 6 pinned, 18 thread created, 19 reply, 20 command, 21 thread starter, 23 context.
    pub(crate) kind: i64,
    pub(crate) content: String,
    pub(crate) embeds: Vec<Value>,
    pub(crate) components: Vec<Value>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) flags: u64,
    pub(crate) pinned: bool,
    pub(crate) tts: bool,
    pub(crate) at_ms: i64,
    pub(crate) edited_ms: Option<i64>,
    pub(crate) nonce: Option<Value>,
    /// Channel and message that it replies to or stands for.
    pub(crate) reference: Option<(Id, Id)>,
    /// The interaction that it answers.
    pub(crate) interaction: Option<Id>,
    pub(crate) interaction_metadata: Option<Value>,
    /// The name of the command, for "… used /name".
    pub(crate) command: Option<(String, Id)>,
    pub(crate) mentioned: Mentioned,
    /// The one person who sees it.
    pub(crate) only_for: Option<Id>,
    pub(crate) state: State,
    /// Sentences that the client shows below it, by person.
    pub(crate) notices: IndexMap<Id, String>,
    /// Made by the client, unknown to the bot.
    pub(crate) local: bool,
    pub(crate) thread: Option<Id>,
    pub(crate) reactions: IndexMap<String, Vec<Id>>,
}

impl Message {
    /// An empty message.
    pub(crate) fn new(id: Id, channel: Id, author: Id, at_ms: i64) -> Self {
        Self {
            id,
            channel,
            author,
            kind: 0,
            content: String::new(),
            embeds: Vec::new(),
            components: Vec::new(),
            attachments: Vec::new(),
            flags: 0,
            pinned: false,
            tts: false,
            at_ms,
            edited_ms: None,
            nonce: None,
            reference: None,
            interaction: None,
            interaction_metadata: None,
            command: None,
            mentioned: Mentioned::default(),
            only_for: None,
            state: State::Sent,
            notices: IndexMap::new(),
            local: false,
            thread: None,
            reactions: IndexMap::new(),
        }
    }
}

impl World {
    /// Fills a message from a draft; used for new ones and for edits.
    ///
    /// # Errors
    /// 50035 when an attachment is named that did not come along.
    pub(crate) fn fill(&mut self, message: &mut Message, draft: Draft) -> Result<(), ApiError> {
        self.fill_attachments(message, &draft)?;
        if let Some(flags) = draft.flags {
            let settable =
                flag::SUPPRESS_EMBEDS | flag::COMPONENTS_V2 | flag::SUPPRESS_NOTIFICATIONS;
            message.flags = (message.flags & !flag::SUPPRESS_EMBEDS) | (flags & settable);
        }
        if let Some(embeds) = draft.embeds {
            message.embeds = embeds;
        }
        if let Some(components) = draft.components {
            message.components = components;
        }
        let text_changed = draft.content.is_some();
        if let Some(content) = draft.content {
            content.trim().clone_into(&mut message.content);
        }
        self.resolve_attachment_links(message)?;
        if text_changed || draft.allowed.is_some() || !message.components.is_empty() {
            message.mentioned = mentions::of(self, message, draft.allowed.as_ref());
        }
        Ok(())
    }

    fn fill_attachments(&mut self, message: &mut Message, draft: &Draft) -> Result<(), ApiError> {
        let mut kept = match &draft.attachments {
            None => message.attachments.clone(),
            Some(entries) => {
                let of_entry = |entry: &crate::validate::message::AttachmentEntry| {
                    let mut found = message
                        .attachments
                        .iter()
                        .find(|one| one.id == entry.id)?
                        .clone();
                    found.description = entry.description.clone().or(found.description);
                    Some(found)
                };
                entries.iter().filter_map(of_entry).collect()
            }
        };
        let mut problems = Problems::default();
        if kept.len() + draft.uploads.len() > ATTACHMENTS_MAX {
            problems.at(
                "attachments",
                "BASE_TYPE_MAX_LENGTH",
                format!("Must be {ATTACHMENTS_MAX} or fewer in length."),
            );
        }
        problems.finish()?;
        for upload in &draft.uploads {
            let number = upload
                .field
                .strip_prefix("files[")
                .and_then(|rest| rest.strip_suffix(']'))
                .and_then(Id::parse);
            let entry = draft
                .attachments
                .iter()
                .flatten()
                .find(|entry| Some(entry.id) == number);
            let name = entry
                .and_then(|entry| entry.filename.clone())
                .unwrap_or_else(|| upload.filename.clone());
            let description = entry.and_then(|entry| entry.description.clone());
            let ephemeral = message.only_for.is_some();
            kept.push(self.store_file(
                message.channel,
                &name,
                upload.content_type.as_deref(),
                upload.bytes.clone(),
                (description, ephemeral),
            ));
        }
        message.attachments = kept;
        Ok(())
    }

    /// Keeps a file and gives its attachment.
    pub(crate) fn store_file(
        &mut self,
        channel: Id,
        name: &str,
        content_type: Option<&str>,
        bytes: Bytes,
        (description, ephemeral): (Option<String>, bool),
    ) -> Attachment {
        let id = self.next_id();
        let filename = mentions::safe_filename(name);
        let content_type =
            content_type.map_or_else(|| mentions::guess_content_type(&filename), str::to_owned);
        let (size, dimensions) = (bytes.len(), mentions::picture_size(&bytes));
        self.attachment_bytes += size;
        self.files.insert(
            id,
            StoredFile {
                content_type: content_type.clone(),
                bytes,
            },
        );
        while self.attachment_bytes > KEPT_BYTES && self.files.len() > 1 {
            if let Some((_, old)) = self.files.shift_remove_index(0) {
                self.attachment_bytes -= old.bytes.len();
            }
        }
        Attachment {
            id,
            filename,
            description,
            content_type,
            size,
            dimensions,
            channel,
            ephemeral,
        }
    }

    /// Where a file can be fetched.
    pub(crate) fn file_url(&self, attachment: &Attachment) -> String {
        format!("{}{}", self.addresses.origin, file_path(attachment))
    }

    fn resolve_attachment_links(&self, message: &mut Message) -> Result<(), ApiError> {
        let links: Vec<(String, String)> = message
            .attachments
            .iter()
            .map(|one| (format!("attachment://{}", one.filename), self.file_url(one)))
            .collect();
        let mut problems = Problems::default();
        for (key, list) in [
            ("embeds", &mut message.embeds),
            ("components", &mut message.components),
        ] {
            for (index, value) in list.iter_mut().enumerate() {
                if let Some(lost) = mentions::replace_links(value, &links) {
                    problems.within(key, |p| {
                        p.at(
                            index,
                            "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                            format!("The referenced attachment \"{lost}\" was not found"),
                        );
                    });
                }
            }
        }
        problems.finish()
    }

    /// Puts a finished message into its channel and tells everyone who may know.
    pub(crate) fn post(&mut self, message: Message) -> Id {
        let (id, channel) = (message.id, message.channel);
        let silent = message.local;
        let counts = message.only_for.is_none() && !matches!(message.kind, 18 | 21);
        let author = message.author;
        self.messages.insert(id, message);
        if counts {
            self.note_activity(channel, id, author);
        }
        if self.messages.len() > KEPT
            && let Some(oldest) = self.messages.keys().next().copied()
        {
            self.forget_message(oldest);
        }
        if !silent {
            self.tell_message(id, "MESSAGE_CREATE");
        }
        self.feed.push(Change::Message(id));
        id
    }

    fn note_activity(&mut self, channel: Id, message: Id, author: Id) {
        let now = self.now_ms();
        let Some(place) = self.channels.get_mut(&channel) else {
            return;
        };
        place.last_message = Some(message);
        let mut woken = false;
        let mut starter = None;
        if let Some(thread) = place.thread.as_mut() {
            thread.message_count += 1;
            thread.total_sent += 1;
            thread.active_ms = now;
            woken = thread.archived && !thread.locked;
            if woken {
                thread.archived = false;
                thread.archive_ms = now;
            }
            thread.members.entry(author).or_insert(now);
            starter = thread.starter;
        }
        if woken {
            self.announce_channel(channel, "THREAD_UPDATE");
        } else if starter.is_some() {
            self.feed.push(Change::Channel(channel));
        }
        if let Some(starter) = starter {
            self.feed.push(Change::Edit(starter));
        }
    }

    /// Sends a message event, if the bot sees the channel. An ephemeral message is known over REST alone, as on Discord.
    pub(crate) fn tell_message(&mut self, id: Id, event: &'static str) {
        let Some(message) = self
            .messages
            .get(&id)
            .filter(|message| !message.local && message.only_for.is_none())
        else {
            return;
        };
        if !self.sees(APPLICATION, message.channel) {
            return;
        }
        let author = message.author;
        let nonce = message.nonce.clone();
        let Some(mut payload) = self.message_json(id, true) else {
            return;
        };
        if let Some(body) = payload.as_object_mut() {
            body.insert("guild_id".into(), json!(GUILD));
            if let Some(member) = self.member_json(author) {
                body.insert("member".into(), mentions::without_user(member));
            }
            if let Some(nonce) = nonce.filter(|_| event == "MESSAGE_CREATE") {
                body.insert("nonce".into(), nonce);
            }
        }
        self.dispatch(event, payload);
    }

    /// Notes an edit and tells everyone.
    pub(crate) fn edited(&mut self, id: Id) {
        self.tell_message(id, "MESSAGE_UPDATE");
        self.feed.push(Change::Edit(id));
    }

    /// Deletes a message and tells everyone.
    ///
    /// # Errors
    /// 10008 when there is none.
    pub(crate) fn delete_message(&mut self, id: Id) -> Result<(), ApiError> {
        let known = self.messages.get(&id).ok_or(Code::UnknownMessage)?;
        let (channel, local, private) = (known.channel, known.local, known.only_for.is_some());
        let told = !local && !private && self.sees(APPLICATION, channel);
        self.forget_message(id);
        if let Some(thread) = self
            .channels
            .get_mut(&channel)
            .and_then(|place| place.thread.as_mut())
        {
            thread.message_count = (thread.message_count - 1).max(0);
        }
        if told {
            self.dispatch(
                "MESSAGE_DELETE",
                json!({"id": id, "channel_id": channel, "guild_id": GUILD}),
            );
        }
        Ok(())
    }

    /// Drops a message and its files without telling the bot.
    pub(crate) fn forget_message(&mut self, id: Id) {
        let Some(message) = self.messages.remove(&id) else {
            return;
        };
        for attachment in &message.attachments {
            if let Some(file) = self.files.shift_remove(&attachment.id) {
                self.attachment_bytes -= file.bytes.len();
            }
        }
        self.feed.push(Change::Deleted {
            id,
            channel: message.channel,
            only_for: message.only_for,
        });
    }
}

/// The path under which a file is served.
pub(crate) fn file_path(attachment: &Attachment) -> String {
    format!(
        "/attachments/{}/{}/{}",
        attachment.channel, attachment.id, attachment.filename
    )
}
