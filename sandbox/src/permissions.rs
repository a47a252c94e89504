//! Permission bits, their names, and how roles and overwrites add up.
//!
//! Source: Discord's reference, "Permissions" (the table, and the section on computing them).

/// The bits themselves.
pub(crate) mod bit {
    #![allow(
        clippy::allow_attributes,
        dead_code,
        reason = "the table is complete; the code names only some of it"
    )]
    macro_rules! table {
        ($($name:ident = $bit:literal),* $(,)?) => {
            $(#[doc = concat!("Bit ", $bit, " of the permission set.")] pub(crate) const $name: u64 = 1 << $bit;)*
            /// Every permission by name, in order of bits.
            pub(crate) const TABLE: &[(&str, u64)] = &[$((stringify!($name), 1 << $bit)),*];
        };
    }
    table! {
        CREATE_INSTANT_INVITE = 0, KICK_MEMBERS = 1, BAN_MEMBERS = 2, ADMINISTRATOR = 3, MANAGE_CHANNELS = 4,
        MANAGE_GUILD = 5, ADD_REACTIONS = 6, VIEW_AUDIT_LOG = 7, PRIORITY_SPEAKER = 8, STREAM = 9,
        VIEW_CHANNEL = 10, SEND_MESSAGES = 11, SEND_TTS_MESSAGES = 12, MANAGE_MESSAGES = 13, EMBED_LINKS = 14,
        ATTACH_FILES = 15, READ_MESSAGE_HISTORY = 16, MENTION_EVERYONE = 17, USE_EXTERNAL_EMOJIS = 18,
        VIEW_GUILD_INSIGHTS = 19, CONNECT = 20, SPEAK = 21, MUTE_MEMBERS = 22, DEAFEN_MEMBERS = 23,
        MOVE_MEMBERS = 24, USE_VAD = 25, CHANGE_NICKNAME = 26, MANAGE_NICKNAMES = 27, MANAGE_ROLES = 28,
        MANAGE_WEBHOOKS = 29, MANAGE_GUILD_EXPRESSIONS = 30, USE_APPLICATION_COMMANDS = 31, REQUEST_TO_SPEAK = 32,
        MANAGE_EVENTS = 33, MANAGE_THREADS = 34, CREATE_PUBLIC_THREADS = 35, CREATE_PRIVATE_THREADS = 36,
        USE_EXTERNAL_STICKERS = 37, SEND_MESSAGES_IN_THREADS = 38, USE_EMBEDDED_ACTIVITIES = 39,
        MODERATE_MEMBERS = 40, VIEW_CREATOR_MONETIZATION_ANALYTICS = 41, USE_SOUNDBOARD = 42,
        CREATE_GUILD_EXPRESSIONS = 43, CREATE_EVENTS = 44, USE_EXTERNAL_SOUNDS = 45, SEND_VOICE_MESSAGES = 46,
        SEND_POLLS = 49, USE_EXTERNAL_APPS = 50, PIN_MESSAGES = 51, BYPASS_SLOWMODE = 52,
    }
}

/// Every permission there is.
pub(crate) const ALL: u64 = {
    let (mut all, mut index) = (0, 0);
    while index < bit::TABLE.len() {
        all |= bit::TABLE[index].1;
        index += 1;
    }
    all
};

/// What `@everyone` of the sandbox's guild may do: Discord's default for a new guild, without voice.
pub(crate) const EVERYONE: u64 = bit::VIEW_CHANNEL
    | bit::SEND_MESSAGES
    | bit::EMBED_LINKS
    | bit::ATTACH_FILES
    | bit::READ_MESSAGE_HISTORY
    | bit::ADD_REACTIONS
    | bit::USE_EXTERNAL_EMOJIS
    | bit::CHANGE_NICKNAME
    | bit::USE_APPLICATION_COMMANDS
    | bit::CREATE_PUBLIC_THREADS
    | bit::CREATE_PRIVATE_THREADS
    | bit::SEND_MESSAGES_IN_THREADS
    | bit::SEND_POLLS;

/// The names of the bits that are set, in order; bits without a name are left out.
pub(crate) fn names(bits: u64) -> Vec<&'static str> {
    bit::TABLE
        .iter()
        .filter(|(_, bit)| bits & bit != 0)
        .map(|(name, _)| *name)
        .collect()
}

/// The bit of a name.
pub(crate) fn by_name(name: &str) -> Option<u64> {
    bit::TABLE
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, bit)| *bit)
}

/// A channel's exception for one role or person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overwrite {
    /// The role's or person's id.
    pub(crate) id: crate::ids::Id,
    /// Whether it is a person's (type 1) and not a role's (type 0).
    pub(crate) person: bool,
    /// Bits added.
    pub(crate) allow: u64,
    /// Bits taken away.
    pub(crate) deny: u64,
}

/// Applies a channel's overwrites in Discord's order: everyone, then all roles together, then the person.
pub(crate) fn apply(
    base: u64,
    overwrites: &[Overwrite],
    everyone: crate::ids::Id,
    roles: &[crate::ids::Id],
    person: crate::ids::Id,
) -> u64 {
    if base & bit::ADMINISTRATOR != 0 {
        return ALL;
    }
    let mut bits = base;
    for overwrite in overwrites
        .iter()
        .filter(|one| !one.person && one.id == everyone)
    {
        bits = (bits & !overwrite.deny) | overwrite.allow;
    }
    let of_roles = overwrites
        .iter()
        .filter(|one| !one.person && roles.contains(&one.id));
    let (allow, deny) = of_roles.fold((0, 0), |(allow, deny), one| {
        (allow | one.allow, deny | one.deny)
    });
    bits = (bits & !deny) | allow;
    for overwrite in overwrites
        .iter()
        .filter(|one| one.person && one.id == person)
    {
        bits = (bits & !overwrite.deny) | overwrite.allow;
    }
    implied(bits)
}

/// What is lost with another permission: without sight of a channel, nothing; without sending, no attachments.
fn implied(bits: u64) -> u64 {
    if bits & bit::VIEW_CHANNEL == 0 {
        return 0;
    }
    if bits & bit::SEND_MESSAGES == 0 {
        return bits
            & !(bit::MENTION_EVERYONE
                | bit::SEND_TTS_MESSAGES
                | bit::ATTACH_FILES
                | bit::EMBED_LINKS);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    const EVERYONE_ROLE: Id = Id::new(1);
    const ROLE: Id = Id::new(2);
    const PERSON: Id = Id::new(3);

    fn overwrite(id: Id, person: bool, allow: u64, deny: u64) -> Overwrite {
        Overwrite {
            id,
            person,
            allow,
            deny,
        }
    }

    #[test]
    fn a_persons_overwrite_beats_a_roles_which_beats_everyones() {
        let channel = [
            overwrite(EVERYONE_ROLE, false, 0, bit::SEND_MESSAGES),
            overwrite(ROLE, false, bit::SEND_MESSAGES, bit::ADD_REACTIONS),
            overwrite(PERSON, true, bit::ADD_REACTIONS, 0),
        ];
        let with_role = apply(EVERYONE, &channel, EVERYONE_ROLE, &[ROLE], PERSON);
        assert_ne!(with_role & bit::SEND_MESSAGES, 0);
        assert_ne!(with_role & bit::ADD_REACTIONS, 0);
        let without = apply(EVERYONE, &channel, EVERYONE_ROLE, &[], Id::new(9));
        assert_eq!(without & bit::SEND_MESSAGES, 0);
    }

    #[test]
    fn who_cannot_see_a_channel_can_do_nothing_there() {
        let channel = [overwrite(EVERYONE_ROLE, false, 0, bit::VIEW_CHANNEL)];
        assert_eq!(apply(EVERYONE, &channel, EVERYONE_ROLE, &[], PERSON), 0);
        assert_eq!(
            apply(bit::ADMINISTRATOR, &channel, EVERYONE_ROLE, &[], PERSON),
            ALL
        );
    }
}
