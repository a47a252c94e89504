//! What the bot may do in a guild: exactly what it needs, and the link that asks for it.

use serenity::model::Permissions;

/// A permission that the bot needs, its name in Discord's settings, and why.
#[derive(Clone, Copy, Debug)]
pub struct Needed {
    /// The bit.
    pub permission: Permissions,
    /// Its name in Discord's own settings.
    pub name: &'static str,
    /// What for.
    pub why: &'static str,
}

/// Every permission that the bot needs, and no other.
pub const NEEDED: [Needed; 5] = [
    Needed {
        permission: Permissions::VIEW_CHANNEL,
        name: "View Channel",
        why: "to see the channel at all; without it every other permission is void",
    },
    Needed {
        permission: Permissions::SEND_MESSAGES,
        name: "Send Messages",
        why: "to answer when the interaction's own fifteen minutes are over",
    },
    Needed {
        permission: Permissions::SEND_MESSAGES_IN_THREADS,
        name: "Send Messages in Threads",
        why: "the same where the command was used in a thread",
    },
    Needed {
        permission: Permissions::EMBED_LINKS,
        name: "Embed Links",
        why: "to show reports as cards",
    },
    Needed {
        permission: Permissions::ATTACH_FILES,
        name: "Attach Files",
        why: "to attach the whole evidence when it doesn't fit into a message",
    },
];

/// What stands in the link for an application whose id is not known.
const PLACEHOLDER: &str = "APPLICATION_ID";

/// All of [`NEEDED`].
#[must_use]
pub fn needed() -> Permissions {
    NEEDED
        .iter()
        .fold(Permissions::empty(), |all, one| all | one.permission)
}

/// The link that invites the bot with exactly [`NEEDED`]: scope `bot` to be a member of the guild,
/// `applications.commands` to register commands there.
#[must_use]
pub fn invitation(application: Option<u64>) -> String {
    let id = application.map_or_else(|| PLACEHOLDER.to_owned(), |id| id.to_string());
    format!(
        "https://discord.com/oauth2/authorize?client_id={id}&scope=bot%20applications.commands&permissions={}",
        needed().bits()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_asks_for_these_and_no_more() {
        // The bits of Discord's documentation ("Permissions", bitwise flags).
        let bits = [10u32, 11, 14, 15, 38];
        let expected: u64 = bits.iter().map(|bit| 1u64 << bit).sum();
        assert_eq!(needed().bits(), expected);
        let link = invitation(Some(7));
        assert!(link.contains("client_id=7&scope=bot%20applications.commands"));
        assert!(link.ends_with(&format!("permissions={expected}")));
    }
}
