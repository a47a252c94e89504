//! People, roles, and what each may do where.

use super::World;
use super::seed::{GUILD, OWNER};
use crate::ids::Id;
use crate::permissions::{self, bit};

/// A role.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) permissions: u64,
    pub(crate) position: i64,
    pub(crate) colour: u32,
    pub(crate) hoist: bool,
    pub(crate) managed: bool,
    pub(crate) mentionable: bool,
    /// The bot whose role it is.
    pub(crate) bot: Option<Id>,
}

/// A member of the guild, the bot included.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) display_name: Option<String>,
    pub(crate) locale: String,
    pub(crate) roles: Vec<Id>,
    pub(crate) bot: bool,
    pub(crate) nick: Option<String>,
    pub(crate) joined_ms: i64,
}

impl Person {
    /// The name that others read.
    pub(crate) fn shown_name(&self) -> &str {
        self.nick
            .as_deref()
            .or(self.display_name.as_deref())
            .unwrap_or(&self.name)
    }
}

impl World {
    /// A person (not the bot) by name or id.
    pub(crate) fn find_person(&self, who: &str) -> Option<&Person> {
        let by_id = Id::parse(who).and_then(|id| self.people.get(&id));
        by_id
            .or_else(|| self.people.values().find(|person| person.name == who))
            .filter(|person| !person.bot)
    }

    /// A role by name or id.
    pub(crate) fn find_role(&self, which: &str) -> Option<&Role> {
        let by_id = Id::parse(which).and_then(|id| self.roles.get(&id));
        by_id.or_else(|| self.roles.values().find(|role| role.name == which))
    }

    /// The colour of a person: that of the highest role that has one.
    pub(crate) fn colour_of(&self, person: &Person) -> Option<u32> {
        let roles = person
            .roles
            .iter()
            .filter_map(|id| self.roles.get(id))
            .filter(|role| role.colour != 0);
        roles
            .max_by_key(|role| role.position)
            .map(|role| role.colour)
    }

    /// What somebody may do in the guild, before any channel's overwrites.
    pub(crate) fn guild_permissions(&self, who: Id) -> u64 {
        let Some(person) = self.people.get(&who) else {
            return 0;
        };
        if who == OWNER {
            return permissions::ALL;
        }
        let everyone = self.roles.get(&GUILD).map_or(0, |role| role.permissions);
        let bits = person
            .roles
            .iter()
            .filter_map(|id| self.roles.get(id))
            .fold(everyone, |bits, role| bits | role.permissions);
        if bits & bit::ADMINISTRATOR != 0 {
            permissions::ALL
        } else {
            bits
        }
    }

    /// What somebody may do in a channel; a thread follows its parent. What faults take from the bot is taken here.
    pub(crate) fn permissions_in(&self, who: Id, channel: Id) -> u64 {
        let Some((place, person)) = self.channels.get(&channel).zip(self.people.get(&who)) else {
            return 0;
        };
        let home = place.thread.as_ref().and(place.parent).unwrap_or(channel);
        let overwrites = self
            .channels
            .get(&home)
            .map_or(&[][..], |home| &home.overwrites);
        let base = self.guild_permissions(who);
        let bits = if base == permissions::ALL {
            base
        } else {
            permissions::apply(base, overwrites, GUILD, &person.roles, who)
        };
        let lost = if person.bot {
            self.faults.lost_permissions(home)
        } else {
            0
        };
        let bits = bits & !lost;
        if bits & bit::VIEW_CHANNEL == 0 {
            0
        } else {
            bits
        }
    }

    /// Whether somebody may do all of `needed` in a channel.
    pub(crate) fn may(&self, who: Id, channel: Id, needed: u64) -> bool {
        self.permissions_in(who, channel) & needed == needed
    }

    /// Whether somebody sees a channel; a private thread is seen by its members and by who manages threads.
    pub(crate) fn sees(&self, who: Id, channel: Id) -> bool {
        let Some(place) = self.channels.get(&channel) else {
            return false;
        };
        if !self.may(who, channel, bit::VIEW_CHANNEL) {
            return false;
        }
        match &place.thread {
            Some(thread) if thread.private => {
                thread.members.contains_key(&who) || self.may(who, channel, bit::MANAGE_THREADS)
            }
            _ => true,
        }
    }

    /// The permission that lets somebody write here: threads have their own.
    pub(crate) fn send_permission(&self, channel: Id) -> u64 {
        let thread = self
            .channels
            .get(&channel)
            .is_some_and(|place| place.thread.is_some());
        if thread {
            bit::SEND_MESSAGES_IN_THREADS
        } else {
            bit::SEND_MESSAGES
        }
    }
}
