//! Who and what is there at the start. The identifiers are part of the documented interface (docs/sandbox.md).

use indexmap::IndexMap;

use super::{Channel, ChannelKind, Person, Role};
use crate::ids::Id;
use crate::permissions::{self, bit};

/// The application, and its bot user.
pub(crate) const APPLICATION: Id = Id::new(1_000_000_000_000_000_001);
/// The guild, and its `@everyone` role.
pub(crate) const GUILD: Id = Id::new(1_000_000_000_000_000_100);
/// The guild's name.
pub(crate) const GUILD_NAME: &str = "Mall";
/// The language of the guild.
pub(crate) const GUILD_LOCALE: &str = "en-US";
/// The managed role of the bot.
pub(crate) const BOT_ROLE: Id = Id::new(1_000_000_000_000_000_205);
/// The category of the channels.
pub(crate) const CATEGORY: Id = Id::new(1_000_000_000_000_000_300);
/// The owner of the guild (dave).
pub(crate) const OWNER: Id = Id::new(1_000_000_000_000_000_406);

/// Names and ids of the roles that people have, the highest first.
pub(crate) const ROLES: [(&str, Id, u32); 4] = [
    ("admin", Id::new(1_000_000_000_000_000_201), 0x00ed_4245),
    ("approver", Id::new(1_000_000_000_000_000_202), 0x00fa_a61a),
    ("operator", Id::new(1_000_000_000_000_000_203), 0x003b_a55d),
    ("viewer", Id::new(1_000_000_000_000_000_204), 0x0058_8ee8),
];

/// Names and ids of the text channels.
pub(crate) const CHANNELS: [(&str, Id, &str); 3] = [
    (
        "incidents",
        Id::new(1_000_000_000_000_000_301),
        "What is broken right now",
    ),
    (
        "ops",
        Id::new(1_000_000_000_000_000_302),
        "Everything else about running the mall",
    ),
    ("general", Id::new(1_000_000_000_000_000_303), "Talk"),
];

/// Name, display name, id, role and locale.
pub(crate) type Seed = (
    &'static str,
    Option<&'static str>,
    Id,
    Option<&'static str>,
    &'static str,
);

/// The people.
pub(crate) const PEOPLE: [Seed; 6] = [
    (
        "alice",
        None,
        Id::new(1_000_000_000_000_000_401),
        Some("operator"),
        "en-US",
    ),
    (
        "ming",
        Some("小明"),
        Id::new(1_000_000_000_000_000_402),
        Some("operator"),
        "zh-CN",
    ),
    (
        "bob",
        None,
        Id::new(1_000_000_000_000_000_403),
        Some("approver"),
        "en-US",
    ),
    (
        "hua",
        Some("小华"),
        Id::new(1_000_000_000_000_000_404),
        Some("viewer"),
        "zh-CN",
    ),
    (
        "carol",
        None,
        Id::new(1_000_000_000_000_000_405),
        None,
        "en-US",
    ),
    ("dave", None, OWNER, Some("admin"), "en-US"),
];

/// What the bot's invitation grants: what a chat bot of this kind asks for, and no more.
const BOT_PERMISSIONS: u64 = bit::VIEW_CHANNEL
    | bit::SEND_MESSAGES
    | bit::SEND_MESSAGES_IN_THREADS
    | bit::CREATE_PUBLIC_THREADS
    | bit::CREATE_PRIVATE_THREADS
    | bit::MANAGE_THREADS
    | bit::EMBED_LINKS
    | bit::ATTACH_FILES
    | bit::READ_MESSAGE_HISTORY
    | bit::MENTION_EVERYONE
    | bit::ADD_REACTIONS
    | bit::USE_EXTERNAL_EMOJIS
    | bit::PIN_MESSAGES
    | bit::MANAGE_MESSAGES;

/// The id of a role by its name.
fn role_id(name: &str) -> Option<Id> {
    ROLES
        .iter()
        .find(|(known, _, _)| *known == name)
        .map(|(_, id, _)| *id)
}

/// The roles of the guild.
pub(crate) fn roles() -> IndexMap<Id, Role> {
    let plain = |id, name: &str, bits, position| Role {
        id,
        name: name.into(),
        permissions: bits,
        position,
        colour: 0,
        hoist: false,
        managed: false,
        mentionable: false,
        bot: None,
    };
    let mut all = vec![plain(GUILD, "@everyone", permissions::EVERYONE, 0)];
    all.push(Role {
        managed: true,
        bot: Some(APPLICATION),
        colour: 0x0058_65f2,
        ..plain(BOT_ROLE, "Handbell", BOT_PERMISSIONS, 1)
    });
    for (place, (name, id, colour)) in ROLES.into_iter().rev().enumerate() {
        let bits = if name == "admin" {
            bit::ADMINISTRATOR
        } else {
            0
        };
        let position = i64::try_from(place).unwrap_or(0) + 2;
        all.push(Role {
            colour,
            hoist: true,
            mentionable: true,
            ..plain(id, name, bits, position)
        });
    }
    all.into_iter().map(|role| (role.id, role)).collect()
}

/// The people, the bot among them.
pub(crate) fn people(now_ms: i64) -> IndexMap<Id, Person> {
    let bot = Person {
        id: APPLICATION,
        name: "handbell".into(),
        display_name: Some("Handbell".into()),
        locale: GUILD_LOCALE.into(),
        roles: vec![BOT_ROLE],
        bot: true,
        nick: None,
        joined_ms: now_ms,
    };
    let people = PEOPLE
        .into_iter()
        .map(|(name, display_name, id, role, locale)| Person {
            id,
            name: name.into(),
            display_name: display_name.map(Into::into),
            locale: locale.into(),
            roles: role.and_then(role_id).into_iter().collect(),
            bot: false,
            nick: None,
            joined_ms: now_ms,
        });
    std::iter::once(bot)
        .chain(people)
        .map(|person| (person.id, person))
        .collect()
}

/// The category and its channels.
pub(crate) fn channels(now_ms: i64) -> IndexMap<Id, Channel> {
    let mut all = vec![Channel::new(
        CATEGORY,
        "Team",
        ChannelKind::Category,
        None,
        0,
        now_ms,
    )];
    for (position, (name, id, topic)) in CHANNELS.into_iter().enumerate() {
        let position = i64::try_from(position).unwrap_or(0);
        let mut channel = Channel::new(
            id,
            name,
            ChannelKind::Text,
            Some(CATEGORY),
            position,
            now_ms,
        );
        channel.topic = Some(topic.into());
        all.push(channel);
    }
    all.into_iter()
        .map(|channel| (channel.id, channel))
        .collect()
}
