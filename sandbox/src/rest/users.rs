//! Users, and where the gateway is.

use serde_json::json;

use super::error::{ApiError, Code};
use super::{Answer, Call, Reply};
use crate::gateway::IDENTIFIES_A_DAY;
use crate::ids::Id;
use crate::world::seed::{APPLICATION, GUILD, GUILD_NAME};

/// `GET /gateway/bot`
pub(crate) fn gateway_bot(call: &mut Call<'_>) -> Reply {
    let (left, reset_after) = call.world.identifies_left();
    let url = &call.world.addresses.gateway;
    Reply::json(json!({"url": url, "shards": 1, "session_start_limit":
        {"total": IDENTIFIES_A_DAY, "remaining": left, "reset_after": reset_after, "max_concurrency": 1}}))
}

/// `GET /users/{id}`
pub(crate) fn one(call: &mut Call<'_>, id: &str) -> Answer {
    let user = Id::parse(id).and_then(|id| call.world.user_json(id));
    user.map(Reply::json)
        .ok_or_else(|| ApiError::from(Code::UnknownUser))
}

/// `GET /users/@me/guilds`
pub(crate) fn guilds(call: &mut Call<'_>) -> Reply {
    let permissions = call.world.guild_permissions(APPLICATION).to_string();
    Reply::json(
        json!([{"id": GUILD, "name": GUILD_NAME, "icon": null, "banner": null, "owner": false, "permissions": permissions,
        "permissions_new": permissions, "features": [], "approximate_member_count": null, "approximate_presence_count": null}]),
    )
}
