//! People, roles, channels and the guild as Discord writes them.

use serde_json::{Map, Value, json};

use super::seed::{APPLICATION, BOT_ROLE, CHANNELS, GUILD, GUILD_LOCALE, GUILD_NAME, OWNER};
use super::{Channel, Role, Thread, World};
use crate::clock::discord_time;
use crate::ids::Id;

/// A member of the guild is told to be at most so many. Source: Discord's own guilds.
const MAX_MEMBERS: u64 = 25_000_000;

impl World {
    /// A user object.
    pub(crate) fn user_json(&self, id: Id) -> Option<Value> {
        let person = self.people.get(&id)?;
        let mut user = json!({"id": id, "username": person.name, "global_name": person.display_name, "avatar": null,
            "discriminator": if person.bot { "0001" } else { "0" }, "public_flags": 0, "flags": 0, "banner": null, "accent_color": null,
            "avatar_decoration_data": null, "collectibles": null, "primary_guild": null});
        if let Some(body) = user.as_object_mut().filter(|_| person.bot) {
            body.insert("bot".into(), json!(true));
        }
        Some(user)
    }

    /// The bot's own user object, with what only oneself sees.
    pub(crate) fn own_user_json(&self) -> Value {
        let mut user = self.user_json(APPLICATION).unwrap_or_default();
        if let Some(body) = user.as_object_mut() {
            body.extend([
                ("mfa_enabled".to_owned(), json!(true)),
                ("locale".to_owned(), json!(GUILD_LOCALE)),
                ("premium_type".to_owned(), json!(0)),
                ("email".to_owned(), Value::Null),
                ("verified".to_owned(), json!(true)),
            ]);
        }
        user
    }

    /// A member object.
    pub(crate) fn member_json(&self, id: Id) -> Option<Value> {
        let person = self.people.get(&id)?;
        Some(
            json!({"user": self.user_json(id), "nick": person.nick, "avatar": null, "banner": null, "roles": person.roles,
            "joined_at": discord_time(person.joined_ms), "premium_since": null, "deaf": false, "mute": false, "flags": 0,
            "pending": false, "communication_disabled_until": null}),
        )
    }

    /// A role object.
    pub(crate) fn role_json(role: &Role) -> Value {
        let mut out = json!({"id": role.id, "name": role.name, "description": null, "permissions": role.permissions.to_string(),
            "position": role.position, "color": role.colour,
            "colors": {"primary_color": role.colour, "secondary_color": null, "tertiary_color": null},
            "hoist": role.hoist, "managed": role.managed, "mentionable": role.mentionable, "icon": null, "unicode_emoji": null, "flags": 0});
        if let Some((body, bot)) = out.as_object_mut().zip(role.bot) {
            body.insert("tags".into(), json!({"bot_id": bot}));
        }
        out
    }

    /// All roles.
    pub(crate) fn roles_json(&self) -> Vec<Value> {
        self.roles.values().map(Self::role_json).collect()
    }

    /// A channel or thread object.
    pub(crate) fn channel_json(&self, id: Id) -> Option<Value> {
        let channel = self.channels.get(&id)?;
        let mut out = Map::new();
        out.insert("id".into(), json!(id));
        out.insert("type".into(), json!(channel.type_number()));
        out.insert("guild_id".into(), json!(GUILD));
        out.insert("name".into(), json!(channel.name));
        out.insert("parent_id".into(), json!(channel.parent));
        out.insert("flags".into(), json!(0));
        if channel.type_number() != 4 {
            out.insert("last_message_id".into(), json!(channel.last_message));
            out.insert("rate_limit_per_user".into(), json!(channel.slowmode_s));
        }
        if let Some(thread) = &channel.thread {
            Self::thread_fields(channel, thread, &mut out);
        } else {
            out.insert("position".into(), json!(channel.position));
            out.insert("nsfw".into(), json!(false));
            let overwrites = channel.overwrites.iter();
            let overwrites: Vec<Value> = overwrites
                .map(|one| json!({"id": one.id, "type": i32::from(one.person), "allow": one.allow.to_string(), "deny": one.deny.to_string()}))
                .collect();
            out.insert("permission_overwrites".into(), Value::Array(overwrites));
            if channel.type_number() != 4 {
                out.insert("topic".into(), json!(channel.topic));
            }
        }
        Some(Value::Object(out))
    }

    fn thread_fields(channel: &Channel, thread: &Thread, out: &mut Map<String, Value>) {
        let mut metadata = json!({"archived": thread.archived, "archive_timestamp": discord_time(thread.archive_ms),
            "auto_archive_duration": thread.auto_archive_minutes, "locked": thread.locked, "create_timestamp": discord_time(channel.created_ms)});
        if let Some(body) = metadata.as_object_mut().filter(|_| thread.private) {
            body.insert("invitable".into(), json!(thread.invitable));
        }
        out.insert("owner_id".into(), json!(thread.owner));
        out.insert("thread_metadata".into(), metadata);
        out.insert("message_count".into(), json!(thread.message_count));
        out.insert("member_count".into(), json!(thread.members.len().min(50)));
        out.insert("total_message_sent".into(), json!(thread.total_sent));
        if let Some(joined) = thread.members.get(&APPLICATION) {
            out.insert(
                "member".into(),
                Self::thread_member_json(channel.id, APPLICATION, *joined),
            );
        }
    }

    /// A thread member object.
    pub(crate) fn thread_member_json(thread: Id, person: Id, joined_ms: i64) -> Value {
        json!({"id": thread, "user_id": person, "join_timestamp": discord_time(joined_ms), "flags": 0})
    }

    /// The fields of the guild that REST and gateway share.
    fn guild_fields(&self) -> Map<String, Value> {
        let Value::Object(fields) = json!({"id": GUILD, "name": GUILD_NAME, "icon": null, "icon_hash": null, "description": null, "home_header": null, "splash": null,
            "discovery_splash": null, "features": [], "banner": null, "owner_id": OWNER, "application_id": null, "region": "us-east",
            "afk_channel_id": null, "afk_timeout": 300, "system_channel_id": CHANNELS[2].1, "system_channel_flags": 0,
            "widget_enabled": false, "widget_channel_id": null, "verification_level": 0, "roles": self.roles_json(),
            "default_message_notifications": 1, "mfa_level": 0, "explicit_content_filter": 0, "max_presences": null,
            "max_members": MAX_MEMBERS, "max_stage_video_channel_users": 50, "max_video_channel_users": 25, "vanity_url_code": null,
            "premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": GUILD_LOCALE, "rules_channel_id": null,
            "safety_alerts_channel_id": null, "public_updates_channel_id": null, "premium_progress_bar_enabled": false,
            "nsfw": false, "nsfw_level": 0, "emojis": [], "stickers": [], "incidents_data": null})
        else {
            return Map::new();
        };
        fields
    }

    /// The guild as REST gives it.
    pub(crate) fn guild_json(&self, counts: bool) -> Value {
        let mut fields = self.guild_fields();
        if counts {
            fields.insert("approximate_member_count".into(), json!(self.people.len()));
            fields.insert(
                "approximate_presence_count".into(),
                json!(self.people.len()),
            );
        }
        Value::Object(fields)
    }

    /// The guild as `GUILD_CREATE` gives it, with everything that the bot sees.
    pub(crate) fn guild_create_json(&self) -> Value {
        let mut fields = self.guild_fields();
        let seen: Vec<Id> = self
            .channels
            .keys()
            .copied()
            .filter(|id| self.sees(APPLICATION, *id))
            .collect();
        let (threads, channels): (Vec<Id>, Vec<Id>) = seen.into_iter().partition(|id| {
            self.channels
                .get(id)
                .is_some_and(|one| one.thread.is_some())
        });
        let active = |id: &Id| {
            self.channels
                .get(id)
                .and_then(|one| one.thread.as_ref())
                .is_some_and(|thread| !thread.archived)
        };
        let joined = self.people.get(&APPLICATION).map_or(0, |bot| bot.joined_ms);
        let own: Vec<Value> = self.member_json(APPLICATION).into_iter().collect();
        let Value::Object(more) = json!({"joined_at": discord_time(joined), "large": false, "unavailable": false,
            "member_count": self.people.len(), "voice_states": [], "members": own, "presences": [], "stage_instances": [],
            "guild_scheduled_events": [], "soundboard_sounds": [], "activity_instances": [], "embedded_activities": [],
            "channels": channels.iter().filter_map(|id| self.channel_json(*id)).collect::<Vec<_>>(),
            "threads": threads.iter().filter(|id| active(id)).filter_map(|id| self.channel_json(*id)).collect::<Vec<_>>()})
        else {
            return Value::Null;
        };
        fields.extend(more);
        Value::Object(fields)
    }

    /// The application as its owner sees it.
    pub(crate) fn application_json(&self) -> Value {
        let permissions = self
            .roles
            .get(&BOT_ROLE)
            .map_or(0, |role| role.permissions)
            .to_string();
        let installs =
            json!({"scopes": ["applications.commands", "bot"], "permissions": permissions});
        json!({"id": APPLICATION, "name": "Handbell", "icon": null, "description": "", "type": null, "bot": self.user_json(APPLICATION), "bot_public": false,
            "bot_require_code_grant": false, "install_params": installs, "integration_types_config": {"0": {"oauth2_install_params": installs}},
            "verify_key": "0".repeat(64), "flags": 0, "flags_new": "0", "tags": [], "redirect_uris": [], "interactions_endpoint_url": null,
            "role_connections_verification_url": null, "owner": self.user_json(OWNER), "team": null, "approximate_guild_count": 1,
            "approximate_user_install_count": 0, "approximate_user_authorization_count": 0, "explicit_content_filter": 0,
            "event_webhooks_status": 1, "eligible_oauth2_scopes": [], "hook": true, "storefront_available": false, "summary": "", "rpc_origins": []})
    }
}
