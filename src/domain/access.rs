//! Who may do what. Deny by default.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

/// What a person may do; each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads: handbook, history, timelines.
    Viewer,
    /// Runs diagnoses, works on incidents, requests remedies.
    Operator,
    /// Approves what others requested.
    Approver,
    /// Changes the bot itself: reload, schedules, overrides.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Approver, Self::Admin];

    /// The role's word, as in `access.toml`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Whoever asks, as the way they came in has identified them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "via", rename_all = "lowercase")]
pub enum Actor {
    /// A member of a Discord guild; Discord itself vouches for both ids and roles.
    Discord {
        /// The user's id.
        user: String,
        /// The name that the channel shows; for the record only, never for a decision.
        name: String,
        /// Ids of the roles that the member holds.
        roles: Vec<String>,
    },
    /// A user of the operating system who runs the command line.
    Local {
        /// The user's name.
        user: String,
    },
}

impl Actor {
    /// The name to show and to record, with the way in: `discord:42 (alice)`, `local:root`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Discord { user, name, .. } => format!("discord:{user} ({name})"),
            Self::Local { user } => format!("local:{user}"),
        }
    }
}

/// Who holds one role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// Discord role ids.
    pub discord_roles: BTreeSet<String>,
    /// Discord user ids.
    pub discord_users: BTreeSet<String>,
    /// Operating system user names; `*` is everybody who can run the command line.
    pub local_users: BTreeSet<String>,
}

impl Holders {
    fn include(&self, actor: &Actor) -> bool {
        match actor {
            Actor::Discord { user, roles, .. } => {
                self.discord_users.contains(user)
                    || roles.iter().any(|role| self.discord_roles.contains(role))
            }
            Actor::Local { user } => {
                self.local_users.contains(user) || self.local_users.contains("*")
            }
        }
    }
}

/// The whole of `access.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Holders of [`Role::Viewer`].
    pub viewer: Holders,
    /// Holders of [`Role::Operator`].
    pub operator: Holders,
    /// Holders of [`Role::Approver`].
    pub approver: Holders,
    /// Holders of [`Role::Admin`].
    pub admin: Holders,
}

impl Policy {
    /// Those who hold exactly `role` by name.
    #[must_use]
    pub fn holders(&self, role: Role) -> &Holders {
        match role {
            Role::Viewer => &self.viewer,
            Role::Operator => &self.operator,
            Role::Approver => &self.approver,
            Role::Admin => &self.admin,
        }
    }

    /// The highest role that `actor` holds, if any.
    #[must_use]
    pub fn role_of(&self, actor: &Actor) -> Option<Role> {
        Role::ALL
            .into_iter()
            .rev()
            .find(|role| self.holders(*role).include(actor))
    }

    /// Whether `actor` may do what needs `needed`.
    #[must_use]
    pub fn allows(&self, actor: &Actor, needed: Role) -> bool {
        self.role_of(actor).is_some_and(|held| held >= needed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(roles: &[&str]) -> Actor {
        Actor::Discord {
            user: "7".into(),
            name: "alice".into(),
            roles: roles.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn nobody_holds_a_role_that_was_not_given() {
        let policy = Policy::default();
        for role in Role::ALL {
            assert!(!policy.allows(&member(&["1"]), role));
            assert!(!policy.allows(
                &Actor::Local {
                    user: "root".into()
                },
                role
            ));
        }
    }

    #[test]
    fn a_higher_role_includes_the_lower_and_never_the_reverse() {
        let mut policy = Policy::default();
        policy.approver.discord_roles.insert("1".into());
        assert!(policy.allows(&member(&["1"]), Role::Viewer));
        assert!(policy.allows(&member(&["1"]), Role::Approver));
        assert!(!policy.allows(&member(&["1"]), Role::Admin));
        assert!(!policy.allows(&member(&["2"]), Role::Viewer));
    }

    #[test]
    fn a_local_star_means_the_local_people_only() {
        let mut policy = Policy::default();
        policy.operator.local_users.insert("*".into());
        assert!(policy.allows(&Actor::Local { user: "x".into() }, Role::Operator));
        assert!(!policy.allows(&member(&["*"]), Role::Viewer));
    }
}
