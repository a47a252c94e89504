//! Interactions as the gateway carries them.

use serde_json::{Map, Value, json};

use super::interaction::{Interaction, Kind};
use super::seed::{APPLICATION, GUILD, GUILD_LOCALE};
use super::{Message, World};
use crate::ids::Id;

impl World {
    /// The payload of `INTERACTION_CREATE`.
    pub(crate) fn interaction_json(&self, interaction: &Interaction, data: &Value) -> Value {
        let locale = self
            .people
            .get(&interaction.person)
            .map_or(GUILD_LOCALE, |person| &person.locale);
        let mut out = json!({"id": interaction.id, "application_id": APPLICATION, "type": interaction.kind.number(), "data": data,
            "guild_id": GUILD, "guild": {"id": GUILD, "locale": GUILD_LOCALE, "features": []},
            "channel_id": interaction.channel, "channel": self.partial_channel_json(interaction.channel, interaction.person),
            "member": self.interaction_member_json(interaction.person, interaction.channel), "token": interaction.token, "version": 1,
            "app_permissions": self.permissions_in(APPLICATION, interaction.channel).to_string(), "locale": locale,
            "guild_locale": GUILD_LOCALE, "entitlements": [], "entitlement_sku_ids": [], "authorizing_integration_owners": {"0": GUILD}, "context": 0,
            "attachment_size_limit": self.faults.attachment_bytes()});
        let from_message = matches!(interaction.kind, Kind::Component | Kind::Modal);
        if let Some(message) = interaction
            .source
            .filter(|_| from_message)
            .and_then(|id| self.message_json(id, false))
            && let Some(body) = out.as_object_mut()
        {
            body.insert("message".into(), message);
        }
        out
    }

    fn interaction_member_json(&self, person: Id, channel: Id) -> Value {
        let mut member = self.member_json(person).unwrap_or_default();
        if let Some(body) = member.as_object_mut() {
            body.insert(
                "permissions".into(),
                json!(self.permissions_in(person, channel).to_string()),
            );
            body.insert("unusual_dm_activity_until".into(), Value::Null);
        }
        member
    }

    /// A channel as it stands in an interaction and in resolved data, with the person's permissions there.
    pub(crate) fn partial_channel_json(&self, channel: Id, person: Id) -> Value {
        let mut out = self.channel_json(channel).unwrap_or_default();
        if let Some(body) = out.as_object_mut() {
            body.shift_remove("permission_overwrites");
            body.shift_remove("member");
            body.insert(
                "permissions".into(),
                json!(self.permissions_in(person, channel).to_string()),
            );
        }
        out
    }

    /// The objects that the options or values of an interaction name.
    pub(crate) fn resolved_json(
        &self,
        people: &[Id],
        roles: &[Id],
        channels: &[Id],
        messages: &[Id],
        viewer: Id,
    ) -> Map<String, Value> {
        let mut out = Map::new();
        let mut put = |key: &str, entries: Map<String, Value>| {
            if !entries.is_empty() {
                out.insert(key.to_owned(), Value::Object(entries));
            }
        };
        put(
            "users",
            people
                .iter()
                .filter_map(|id| Some((id.to_string(), self.user_json(*id)?)))
                .collect(),
        );
        put(
            "members",
            people
                .iter()
                .filter_map(|id| Some((id.to_string(), self.resolved_member_json(*id)?)))
                .collect(),
        );
        put(
            "roles",
            roles
                .iter()
                .filter_map(|id| Some((id.to_string(), Self::role_json(self.roles.get(id)?))))
                .collect(),
        );
        let known = channels.iter().filter(|id| self.channels.contains_key(*id));
        put(
            "channels",
            known
                .map(|id| (id.to_string(), self.partial_channel_json(*id, viewer)))
                .collect(),
        );
        put(
            "messages",
            messages
                .iter()
                .filter_map(|id| Some((id.to_string(), self.message_json(*id, false)?)))
                .collect(),
        );
        out
    }

    fn resolved_member_json(&self, id: Id) -> Option<Value> {
        let mut member = super::mentions::without_user(self.member_json(id)?);
        if let Some(body) = member.as_object_mut() {
            body.shift_remove("deaf");
            body.shift_remove("mute");
            body.insert(
                "permissions".into(),
                json!(self.guild_permissions(id).to_string()),
            );
        }
        Some(member)
    }

    /// The `interaction_metadata` of a message that answers an interaction.
    pub(crate) fn metadata_json(&self, interaction: &Interaction) -> Value {
        let mut out = json!({"id": interaction.id, "type": interaction.kind.number(), "user": self.user_json(interaction.person),
            "authorizing_integration_owners": {"0": GUILD}});
        let Some(body) = out.as_object_mut() else {
            return out;
        };
        match interaction.kind {
            Kind::Component => {
                body.insert("interacted_message_id".into(), json!(interaction.source));
            }
            Kind::MessageCommand => {
                body.insert("target_message_id".into(), json!(interaction.source));
            }
            Kind::UserCommand => {
                body.insert(
                    "target_user".into(),
                    json!(interaction.target_user.and_then(|id| self.user_json(id))),
                );
            }
            Kind::Modal => {
                let before = interaction
                    .of_modal
                    .and_then(|id| self.interactions.get(&id))
                    .map(|other| self.metadata_json(other));
                body.insert("triggering_interaction_metadata".into(), json!(before));
            }
            Kind::Command | Kind::Autocomplete => {}
        }
        out
    }

    /// Marks a message as the answer of an interaction.
    pub(crate) fn mark_answer(&self, message: &mut Message, interaction: &Interaction) {
        message.interaction = Some(interaction.id);
        message.interaction_metadata = Some(self.metadata_json(interaction));
        match interaction.kind {
            Kind::Command => message.kind = 20,
            Kind::MessageCommand | Kind::UserCommand => message.kind = 23,
            Kind::Component | Kind::Modal | Kind::Autocomplete => {
                if let Some(source) = interaction.source {
                    message.kind = 19;
                    message.reference = Some((interaction.channel, source));
                }
            }
        }
        if interaction.kind.is_command() {
            message.command = interaction
                .command
                .clone()
                .map(|name| (name, interaction.person));
        }
    }
}
