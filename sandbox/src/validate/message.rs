//! Messages as bots send and edit them.
//! Source: Discord's reference, "Message Resource" (create, edit, allowed mentions) and "Uploading Files".

use serde_json::Value;

use super::read::{self, Object, field};
use super::{component, embed, layout};
use crate::ids::Id;
use crate::rest::error::Problems;

/// Characters of a message's content.
pub(crate) const CONTENT_MAX_CHARS: usize = 2_000;
/// Files of a message.
pub(crate) const ATTACHMENTS_MAX: usize = 10;
/// Characters of a nonce.
pub(crate) const NONCE_MAX_CHARS: usize = 25;
/// People or roles that `allowed_mentions` may name.
pub(crate) const ALLOWED_MAX: usize = 100;
/// Bytes of one attachment (10 MiB).
pub(crate) const ATTACHMENT_MAX_BYTES: usize = 10 * 1024 * 1024;
/// Characters of an attachment's description.
const DESCRIPTION_MAX_CHARS: usize = 1_024;

/// The flags that a bot may set.
pub(crate) mod flag {
    pub(crate) const SUPPRESS_EMBEDS: u64 = 1 << 2;
    pub(crate) const HAS_THREAD: u64 = 1 << 5;
    pub(crate) const EPHEMERAL: u64 = 1 << 6;
    pub(crate) const LOADING: u64 = 1 << 7;
    pub(crate) const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
    pub(crate) const COMPONENTS_V2: u64 = 1 << 15;
}

/// A file that came with the request.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// The field's name: `files[0]`.
    pub(crate) field: String,
    pub(crate) filename: String,
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: axum::body::Bytes,
}

/// Who may be notified.
#[expect(
    clippy::struct_excessive_bools,
    reason = "Discord's own flags, each on its own"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AllowedMentions {
    pub(crate) all_users: bool,
    pub(crate) all_roles: bool,
    pub(crate) everyone: bool,
    pub(crate) users: Vec<Id>,
    pub(crate) roles: Vec<Id>,
    pub(crate) replied_user: bool,
}

/// An attachment that stays, or a new one with its upload.
#[derive(Clone, Debug)]
pub(crate) struct AttachmentEntry {
    /// The id of one that is there, or the number `n` of an upload `files[n]`.
    pub(crate) id: Id,
    pub(crate) filename: Option<String>,
    pub(crate) description: Option<String>,
}

/// What of a message a request sets. `None` leaves it as it is (an edit) or empty (a new message).
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) content: Option<String>,
    pub(crate) embeds: Option<Vec<Value>>,
    pub(crate) components: Option<Vec<Value>>,
    pub(crate) attachments: Option<Vec<AttachmentEntry>>,
    pub(crate) uploads: Vec<Upload>,
    pub(crate) flags: Option<u64>,
    pub(crate) allowed: Option<AllowedMentions>,
    pub(crate) reference: Option<Reference>,
    pub(crate) nonce: Option<Value>,
    pub(crate) enforce_nonce: bool,
    pub(crate) tts: bool,
    pub(crate) stickers: bool,
}

/// The message that another one replies to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    pub(crate) message: Id,
    pub(crate) channel: Option<Id>,
    pub(crate) must_exist: bool,
}

impl Draft {
    /// Whether nothing would be seen.
    pub(crate) fn is_empty(&self) -> bool {
        let blank = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
        let none = |list: &Option<Vec<Value>>| list.as_ref().is_none_or(Vec::is_empty);
        blank(&self.content)
            && none(&self.embeds)
            && none(&self.components)
            && self.uploads.is_empty()
            && !self.stickers
    }
}

/// Reads a message; `layout_flag` tells that the message already has the flag of the layout components (an edit).
pub(crate) fn draft(
    object: &Object,
    uploads: Vec<Upload>,
    layout_flag: bool,
    problems: &mut Problems,
) -> Draft {
    let flags = read::whole(object, "flags", 0..=i64::from(i32::MAX), problems)
        .and_then(|flags| u64::try_from(flags).ok());
    let v2 = layout_flag || flags.is_some_and(|flags| flags & flag::COMPONENTS_V2 != 0);
    let present = |key: &str| object.contains_key(key);
    if v2 {
        for key in ["content", "embeds", "poll", "sticker_ids"] {
            if field(object, key).is_some_and(|value| {
                !matches!(value, Value::Array(list) if list.is_empty()) && value != ""
            }) {
                problems.at(
                    key,
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    format!(
                        "The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
                    ),
                );
            }
        }
    }
    let content = present("content").then(|| {
        read::text(object, "content", 0..=CONTENT_MAX_CHARS, problems).unwrap_or_default()
    });
    let embeds = present("embeds").then(|| embed::embeds(object, problems));
    let components = present("components").then(|| {
        if v2 {
            layout::components(object, problems)
        } else {
            component::rows(object, problems)
        }
    });
    Draft {
        content,
        embeds,
        components,
        attachments: present("attachments").then(|| attachments(object, problems)),
        uploads,
        flags,
        allowed: allowed_mentions(object, problems),
        reference: reference(object, problems),
        nonce: nonce(object, problems),
        enforce_nonce: read::flag(object, "enforce_nonce", problems).unwrap_or(false),
        tts: read::flag(object, "tts", problems).unwrap_or(false),
        stickers: field(object, "sticker_ids")
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty()),
    }
}

fn attachments(object: &Object, problems: &mut Problems) -> Vec<AttachmentEntry> {
    let items = read::list(object, "attachments", 0..=ATTACHMENTS_MAX, problems);
    let found = read::objects(items, "attachments", problems, |one, problems| {
        if field(one, "id").is_none() {
            read::missing("id", problems);
        }
        let id = read::id(one, "id", problems)?;
        let filename = read::text(one, "filename", 1..=1_024, problems);
        let description = read::text(one, "description", 0..=DESCRIPTION_MAX_CHARS, problems);
        Some(AttachmentEntry {
            id,
            filename,
            description,
        })
    });
    found.into_iter().flatten().collect()
}

fn reference(object: &Object, problems: &mut Problems) -> Option<Reference> {
    let inner = field(object, "message_reference")?.as_object();
    let Some(inner) = inner else {
        problems.at(
            "message_reference",
            "MODEL_TYPE_CONVERT",
            "Only dictionaries may be used in a ModelType",
        );
        return None;
    };
    problems.within("message_reference", |problems| {
        if field(inner, "message_id").is_none() {
            read::missing("message_id", problems);
        }
        let message = read::id(inner, "message_id", problems)?;
        let channel = read::id(inner, "channel_id", problems);
        let must_exist = read::flag(inner, "fail_if_not_exists", problems).unwrap_or(true);
        Some(Reference {
            message,
            channel,
            must_exist,
        })
    })
}

fn nonce(object: &Object, problems: &mut Problems) -> Option<Value> {
    match field(object, "nonce")? {
        Value::String(text) => {
            read::length_of("nonce", text.chars().count(), 0..=NONCE_MAX_CHARS, problems);
            Some(Value::String(text.clone()))
        }
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            Some(Value::Number(number.clone()))
        }
        other => {
            problems.at(
                "nonce",
                "NONCE_TYPE_COERCE",
                format!("Value \"{}\" is not a nonce.", read::plain(other)),
            );
            None
        }
    }
}

/// Reads `allowed_mentions`; absent gives `None`, which allows everything that the text mentions.
pub(crate) fn allowed_mentions(
    object: &Object,
    problems: &mut Problems,
) -> Option<AllowedMentions> {
    let Value::Object(inner) = field(object, "allowed_mentions")? else {
        problems.at(
            "allowed_mentions",
            "MODEL_TYPE_CONVERT",
            "Only dictionaries may be used in a ModelType",
        );
        return None;
    };
    problems.within("allowed_mentions", |problems| {
        let parse: Vec<&str> = read::list(inner, "parse", 0..=3, problems)
            .iter()
            .filter_map(Value::as_str)
            .collect();
        for (index, word) in parse.iter().enumerate() {
            if !["users", "roles", "everyone"].contains(word) {
                problems.within("parse", |p| {
                    p.at(
                        index,
                        "BASE_TYPE_CHOICES",
                        "Value must be one of {'users', 'roles', 'everyone'}.",
                    );
                });
            }
        }
        let mut ids = |key: &str| -> Vec<Id> {
            read::list(inner, key, 0..=ALLOWED_MAX, problems)
                .iter()
                .filter_map(Id::from_json)
                .collect()
        };
        let (users, roles) = (ids("users"), ids("roles"));
        for (word, list) in [("users", &users), ("roles", &roles)] {
            if parse.contains(&word) && !list.is_empty() {
                problems.here(
                    "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                    format!("parse:[\"{word}\"] and {word}: [ids...] are mutually exclusive."),
                );
            }
        }
        Some(AllowedMentions {
            all_users: parse.contains(&"users"),
            all_roles: parse.contains(&"roles"),
            everyone: parse.contains(&"everyone"),
            users,
            roles,
            replied_user: read::flag(inner, "replied_user", problems).unwrap_or(false),
        })
    })
}

/// What a message without `allowed_mentions` allows: everything.
pub(crate) fn everything_allowed() -> AllowedMentions {
    AllowedMentions {
        all_users: true,
        all_roles: true,
        everyone: true,
        replied_user: true,
        ..AllowedMentions::default()
    }
}
