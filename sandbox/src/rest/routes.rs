//! Which route a path is, and what carries it.

use axum::http::Method;

use super::error::Code;
use super::{
    Answer, Call, Reply, applications, channels, guilds, interactions, messages, reactions,
    threads, users,
};
use serde_json::json;

/// A path with its parameters named, and the parameter that divides rate limits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) route: String,
    pub(crate) major: String,
}

/// Names the parameters of a path as Discord's documentation does.
pub(crate) fn name(segments: &[&str]) -> Named {
    let mut route = String::new();
    let mut major = String::new();
    for (index, segment) in segments.iter().enumerate() {
        let before = index
            .checked_sub(1)
            .and_then(|at| segments.get(at))
            .copied()
            .unwrap_or_default();
        let first = segments.first().copied().unwrap_or_default();
        let parameter = match (first, index, before) {
            ("interactions", 1, _) => Some("interaction_id"),
            ("interactions", 2, _) => Some("interaction_token"),
            ("webhooks", 1, _) => Some("webhook_id"),
            ("webhooks", 2, _) => Some("webhook_token"),
            (_, _, "channels") => Some("channel_id"),
            (_, _, "guilds") => Some("guild_id"),
            (_, _, "applications") => Some("application_id"),
            (_, _, "messages" | "pins") if !matches!(*segment, "bulk-delete" | "pins") => {
                Some("message_id")
            }
            (_, _, "commands") if *segment != "permissions" => Some("command_id"),
            (_, _, "roles") if *segment != "member-counts" => Some("role_id"),
            (_, _, "members") if *segment != "search" => Some("user_id"),
            (_, _, "users" | "thread-members") => Some("user_id"),
            (_, _, "permissions") => Some("overwrite_id"),
            (_, _, "reactions") => Some("emoji_name"),
            _ => None,
        };
        let fixed = segment.starts_with('@');
        if let Some(parameter) = parameter.filter(|_| !fixed) {
            route.push_str("/{");
            route.push_str(parameter);
            route.push('}');
            if matches!(
                parameter,
                "channel_id" | "guild_id" | "webhook_id" | "webhook_token"
            ) {
                major.push_str(segment);
                major.push('/');
            }
        } else {
            route.push('/');
            route.push_str(segment);
        }
    }
    Named { route, major }
}

/// Whether a route needs no bot token: what carries its own token, and the address of the gateway.
pub(crate) fn is_open(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["interactions", _, _, "callback"] | ["webhooks", _, _, ..] | ["gateway"]
    )
}

/// Carries out a request.
///
/// # Errors
/// Discord's refusals.
pub(crate) fn carry_out(mut call: Call<'_>, method: &Method, segments: &[&str]) -> Answer {
    let call = &mut call;
    match (method.as_str(), segments) {
        ("GET", ["gateway"]) => Ok(Reply::json(json!({"url": call.world.addresses.gateway}))),
        ("GET", ["gateway", "bot"]) => Ok(users::gateway_bot(call)),
        ("GET", ["users", "@me"]) => Ok(Reply::json(call.world.own_user_json())),
        ("GET", ["users", "@me", "guilds"]) => Ok(users::guilds(call)),
        ("POST", ["users", "@me", "channels"]) => Err(Code::CannotMessageUser.into()),
        ("GET", ["users", id]) => users::one(call, id),
        ("GET", ["applications", "@me"] | ["oauth2", "applications", "@me"]) => {
            Ok(Reply::json(call.world.application_json()))
        }
        (_, ["applications", application, rest @ ..]) => {
            applications::carry_out(call, method, application, rest)
        }
        ("POST", ["interactions", id, token, "callback"]) => {
            interactions::callback(call, id, token)
        }
        (_, ["webhooks", application, token, rest @ ..]) => {
            interactions::webhook(call, method, application, token, rest)
        }
        (_, ["guilds", guild, rest @ ..]) => guilds::carry_out(call, method, guild, rest),
        (_, ["channels", channel, rest @ ..]) => of_channel(call, method, channel, rest),
        _ => Err(Code::NotFound.into()),
    }
}

fn of_channel(call: &mut Call<'_>, method: &Method, channel: &str, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("GET", []) => channels::one(call, channel),
        ("PATCH", []) => channels::edit(call, channel),
        ("DELETE", []) => channels::delete(call, channel),
        ("PUT", ["permissions", id]) => channels::set_overwrite(call, channel, id),
        ("DELETE", ["permissions", id]) => channels::delete_overwrite(call, channel, id),
        ("POST", ["typing"]) => channels::typing(call, channel),
        ("GET", ["messages"]) => messages::list(call, channel),
        ("POST", ["messages"]) => messages::create(call, channel),
        ("POST", ["messages", "bulk-delete"]) => messages::bulk_delete(call, channel),
        ("GET", ["messages", "pins"]) => reactions::pins(call, channel),
        ("GET", ["pins"]) => reactions::pins_of_old(call, channel),
        ("PUT", ["messages", "pins", id] | ["pins", id]) => reactions::pin(call, channel, id, true),
        ("DELETE", ["messages", "pins", id] | ["pins", id]) => {
            reactions::pin(call, channel, id, false)
        }
        ("GET", ["messages", id]) => messages::one(call, channel, id),
        ("PATCH", ["messages", id]) => messages::edit(call, channel, id),
        ("DELETE", ["messages", id]) => messages::delete(call, channel, id),
        ("POST", ["messages", id, "threads"]) => threads::on_message(call, channel, id),
        ("PUT", ["messages", id, "reactions", emoji, "@me"]) => {
            reactions::react(call, channel, id, emoji, true)
        }
        ("DELETE", ["messages", id, "reactions", emoji, "@me"]) => {
            reactions::react(call, channel, id, emoji, false)
        }
        ("GET", ["messages", id, "reactions", emoji]) => reactions::who(call, channel, id, emoji),
        ("POST", ["threads"]) => threads::alone(call, channel),
        ("GET", ["threads", "archived", kind]) => threads::archived(call, channel, kind),
        (_, ["thread-members", rest @ ..]) => threads::members(call, method, channel, rest),
        _ => Err(Code::NotFound.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_named_as_the_documentation_names_them() {
        let cases: [(&[&str], &str, &str); 5] = [
            (
                &["channels", "1", "messages", "2"],
                "/channels/{channel_id}/messages/{message_id}",
                "1/",
            ),
            (
                &["webhooks", "1", "t", "messages", "@original"],
                "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
                "1/t/",
            ),
            (
                &["applications", "1", "guilds", "2", "commands"],
                "/applications/{application_id}/guilds/{guild_id}/commands",
                "2/",
            ),
            (
                &["interactions", "1", "t", "callback"],
                "/interactions/{interaction_id}/{interaction_token}/callback",
                "",
            ),
            (&["users", "@me"], "/users/@me", ""),
        ];
        for (segments, route, major) in cases {
            assert_eq!(
                name(segments),
                Named {
                    route: route.into(),
                    major: major.into()
                }
            );
        }
    }
}
