//! Who a message notifies, and the small rules about files and links in it.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::{Message, World};
use crate::ids::Id;
use crate::permissions::bit;
use crate::validate::message::{AllowedMentions, everything_allowed};

/// Who is notified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mentioned {
    pub(crate) users: Vec<Id>,
    pub(crate) roles: Vec<Id>,
    pub(crate) everyone: bool,
}

/// What a text names, in Discord's notation.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) users: Vec<Id>,
    pub(crate) roles: Vec<Id>,
    pub(crate) channels: Vec<Id>,
    everyone: bool,
}

#[expect(clippy::expect_used, reason = "a constant pattern; a test builds it")]
static MENTION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<(@!?|@&|#)(\d{1,20})>").expect("the pattern of mentions"));
#[expect(clippy::expect_used, reason = "a constant pattern; a test builds it")]
static CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)```.*?```|`[^`\n]+`").expect("the pattern of code"));

/// What a text names outside code.
pub(crate) fn named(text: &str) -> Named {
    let text = CODE.replace_all(text, " ");
    let mut found = Named {
        everyone: text.contains("@everyone") || text.contains("@here"),
        ..Named::default()
    };
    for capture in MENTION.captures_iter(&text) {
        let (Some(sigil), Some(id)) = (
            capture.get(1),
            capture.get(2).and_then(|id| Id::parse(id.as_str())),
        ) else {
            continue;
        };
        let list = match sigil.as_str() {
            "@&" => &mut found.roles,
            "#" => &mut found.channels,
            _ => &mut found.users,
        };
        if !list.contains(&id) {
            list.push(id);
        }
    }
    found
}

/// All texts that may notify: the content, and text displays.
fn texts(message: &Message) -> String {
    let mut all = message.content.clone();
    for component in &message.components {
        displays(component, &mut all);
    }
    all
}

fn displays(component: &Value, into: &mut String) {
    if component["type"] == 10
        && let Some(text) = component["content"].as_str()
    {
        into.push('\n');
        into.push_str(text);
    }
    for inner in component["components"].as_array().into_iter().flatten() {
        displays(inner, into);
    }
}

/// Who a message notifies, after `allowed_mentions` and permissions. Embeds never notify anyone.
pub(crate) fn of(world: &World, message: &Message, allowed: Option<&AllowedMentions>) -> Mentioned {
    let everything = everything_allowed();
    let allowed = allowed.unwrap_or(&everything);
    let named = named(&texts(message));
    let strong = world.may(message.author, message.channel, bit::MENTION_EVERYONE);
    let user = |id: &Id| {
        world.people.contains_key(id) && (allowed.all_users || allowed.users.contains(id))
    };
    let role = |id: &Id| {
        let pingable = world
            .roles
            .get(id)
            .is_some_and(|role| role.mentionable || strong);
        pingable && (allowed.all_roles || allowed.roles.contains(id))
    };
    let mut users: Vec<Id> = named.users.iter().copied().filter(user).collect();
    if allowed.replied_user
        && message.kind == 19
        && let Some(author) = message
            .reference
            .and_then(|(_, id)| world.messages.get(&id))
            .map(|other| other.author)
        && !users.contains(&author)
    {
        users.push(author);
    }
    Mentioned {
        users,
        roles: named.roles.iter().copied().filter(role).collect(),
        everyone: named.everyone && allowed.everyone && strong,
    }
}

/// A member object without its user, as message events carry it.
pub(crate) fn without_user(mut member: Value) -> Value {
    if let Some(body) = member.as_object_mut() {
        body.shift_remove("user");
    }
    member
}

/// A name that can stand in an address: as Discord, everything but letters, digits, `.`, `_` and `-` becomes `_`.
pub(crate) fn safe_filename(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let safe: String = last
        .chars()
        .map(|one| {
            if one.is_ascii_alphanumeric() || "._-".contains(one) {
                one
            } else {
                '_'
            }
        })
        .collect();
    match safe.trim_matches('.') {
        "" => "file".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

/// A content type from the ending of a name.
pub(crate) fn guess_content_type(filename: &str) -> String {
    let ending = filename
        .rsplit_once('.')
        .map_or("", |(_, ending)| ending)
        .to_ascii_lowercase();
    let found = match ending.as_str() {
        "txt" | "log" | "md" | "toml" => "text/plain; charset=utf-8",
        "json" => "application/json; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        _ => "application/octet-stream",
    };
    found.to_owned()
}

/// Width and height of a PNG or GIF, which the page needs to keep its layout still.
pub(crate) fn picture_size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let read = |at: usize| {
            bytes
                .get(at..at + 4)?
                .try_into()
                .ok()
                .map(u32::from_be_bytes)
        };
        return Some((read(16)?, read(20)?));
    }
    if bytes.starts_with(b"GIF8") {
        let read = |at: usize| {
            bytes
                .get(at..at + 2)?
                .try_into()
                .ok()
                .map(u16::from_le_bytes)
                .map(u32::from)
        };
        return Some((read(6)?, read(8)?));
    }
    None
}

/// Replaces `attachment://NAME` everywhere in an embed or component; gives the first name that no file has.
pub(crate) fn replace_links(value: &mut Value, links: &[(String, String)]) -> Option<String> {
    match value {
        Value::Object(map) => {
            let mut lost = None;
            for (key, inner) in map.iter_mut() {
                match inner {
                    Value::String(text)
                        if key.ends_with("url") && text.starts_with("attachment://") =>
                    {
                        match links.iter().find(|(link, _)| link == text) {
                            Some((_, url)) => text.clone_from(url),
                            None => lost = Some(text.replacen("attachment://", "", 1)),
                        }
                    }
                    Value::Object(_) | Value::Array(_) => {
                        lost = replace_links(inner, links).or(lost);
                    }
                    _ => {}
                }
            }
            lost
        }
        Value::Array(list) => list
            .iter_mut()
            .filter_map(|inner| replace_links(inner, links))
            .last(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_in_code_are_text() {
        let found = named("<@1> `<@2>` ```\n<@3>\n``` <@!4> <@&5> <#6>");
        assert_eq!(found.users, [Id::new(1), Id::new(4)]);
        assert_eq!(
            (found.roles, found.channels),
            (vec![Id::new(5)], vec![Id::new(6)])
        );
    }

    #[test]
    fn a_file_name_cannot_leave_its_place() {
        assert_eq!(safe_filename("../../etc/passwd"), "passwd");
        assert_eq!(safe_filename(".."), "file");
        assert_eq!(safe_filename("证据 1.txt"), "___1.txt");
    }
}
