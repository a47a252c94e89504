//! IDENTIFY and RESUME: who may have a session, and what it gets first.

use rand::Rng;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{IDENTIFIES_A_DAY, Out, Session, intent};
use crate::world::seed::{APPLICATION, GUILD};
use crate::world::{Change, World};

/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Why there is no session: close the connection with this.
pub(crate) type Refusal = (u16, &'static str);

impl World {
    /// Whether a token is the bot's, with or without the prefix.
    pub(crate) fn token_is_right(&mut self, token: &str) -> bool {
        let right = token.strip_prefix("Bot ").unwrap_or(token) == self.token;
        right && !self.faults.unauthorized()
    }

    /// How many IDENTIFYs are left today, and in how many milliseconds the count starts anew.
    pub(crate) fn identifies_left(&mut self) -> (u32, i64) {
        let now = self.now_ms();
        let recent = &mut self.gateway.identifies;
        while recent.front().is_some_and(|at| now - at >= DAY_MS) {
            recent.pop_front();
        }
        let used = u32::try_from(recent.len()).unwrap_or(u32::MAX);
        let reset = recent.front().map_or(0, |first| first + DAY_MS - now);
        (IDENTIFIES_A_DAY.saturating_sub(used), reset)
    }

    /// Opens a session: READY, then `GUILD_CREATE` where the intents ask for it.
    ///
    /// # Errors
    /// The close code with its reason.
    pub(crate) fn identify(
        &mut self,
        data: &Value,
        outbox: &mpsc::Sender<Out>,
        compression: &'static str,
    ) -> Result<String, Refusal> {
        let token = data["token"]
            .as_str()
            .ok_or((4002, "Error while decoding payload."))?;
        if !self.token_is_right(token) {
            return Err((4004, "Authentication failed."));
        }
        let intents = data["intents"]
            .as_u64()
            .ok_or((4013, "Invalid intent(s)."))?;
        if intents & !intent::KNOWN != 0 {
            return Err((4013, "Invalid intent(s)."));
        }
        if intents & intent::PRIVILEGED != 0 {
            return Err((4014, "Disallowed intent(s)."));
        }
        let shard = shard_of(data)?;
        if self.identifies_left().0 == 0 {
            return Err((4004, "Authentication failed."));
        }
        let now = self.now_ms();
        self.gateway.identifies.push_back(now);
        let id = new_session_id();
        let carries_guild = (GUILD.raw() >> 22) % shard.1 == shard.0;
        let mut session = Session::new(
            id.clone(),
            intents,
            data["properties"].clone(),
            json!([shard.0, shard.1]),
        );
        session.compression = compression;
        self.gateway.add(session, outbox.clone());
        let guilds = if carries_guild {
            json!([{"id": GUILD, "unavailable": true}])
        } else {
            json!([])
        };
        let ready = json!({"v": 10, "user_settings": {}, "user": self.own_user_json(), "session_type": "normal", "session_id": id,
            "resume_gateway_url": self.addresses.gateway, "relationships": [], "private_channels": [], "presences": [], "guilds": guilds,
            "guild_join_requests": [], "geo_ordered_rtc_regions": [], "shard": [shard.0, shard.1], "auth": {},
            "application": {"id": APPLICATION, "flags": 0}, "_trace": []});
        self.send_to(&id, "READY", &ready);
        if intents & intent::GUILDS != 0 && carries_guild {
            let guild = if self.faults.outage() {
                json!({"id": GUILD, "unavailable": true})
            } else {
                self.guild_create_json()
            };
            let event = if self.faults.outage() {
                "GUILD_DELETE"
            } else {
                "GUILD_CREATE"
            };
            self.send_to(&id, event, &guild);
        }
        self.feed.push(Change::Bot);
        Ok(id)
    }

    /// Sends an event to one session alone.
    fn send_to(&mut self, id: &str, name: &str, data: &Value) {
        let (silent, at) = (self.faults.gateway_silent(), self.now_ms());
        let Some(session) = self.gateway.get_mut(id) else {
            return;
        };
        let payload = session.push(name, data, silent);
        if !silent {
            self.recorder.payload(Some(id), "out", &payload, at);
        }
    }

    /// Carries a session on. `Ok(None)` means `INVALID_SESSION`.
    ///
    /// # Errors
    /// The close code with its reason.
    pub(crate) fn resume(
        &mut self,
        data: &Value,
        outbox: &mpsc::Sender<Out>,
    ) -> Result<Option<String>, Refusal> {
        let token = data["token"]
            .as_str()
            .ok_or((4002, "Error while decoding payload."))?;
        if !self.token_is_right(token) {
            return Err((4004, "Authentication failed."));
        }
        let (Some(id), Some(sequence)) = (data["session_id"].as_str(), data["seq"].as_u64()) else {
            return Err((4002, "Error while decoding payload."));
        };
        let Some(session) = self.gateway.get_mut(id) else {
            return Ok(None);
        };
        if sequence > session.sequence {
            return Err((4007, "Invalid seq."));
        }
        if !session.can_replay(sequence) {
            return Ok(None);
        }
        session.resume(outbox.clone(), sequence);
        self.send_to(id, "RESUMED", &json!({"_trace": []}));
        self.feed.push(Change::Bot);
        Ok(Some(id.to_owned()))
    }

    /// Answers `REQUEST_GUILD_MEMBERS` with one chunk.
    pub(crate) fn members_chunk(&mut self, session: &str, data: &Value) {
        let wanted: Vec<_> = match &data["user_ids"] {
            Value::Array(ids) => ids.iter().filter_map(crate::ids::Id::from_json).collect(),
            single if !single.is_null() => crate::ids::Id::from_json(single).into_iter().collect(),
            _ => {
                let prefix = data["query"].as_str().unwrap_or_default().to_lowercase();
                self.people
                    .values()
                    .filter(|person| person.name.to_lowercase().starts_with(&prefix))
                    .map(|person| person.id)
                    .collect()
            }
        };
        let members: Vec<Value> = wanted
            .iter()
            .filter_map(|id| self.member_json(*id))
            .collect();
        let lost: Vec<_> = wanted
            .iter()
            .filter(|id| !self.people.contains_key(*id))
            .collect();
        let mut chunk = json!({"guild_id": GUILD, "members": members, "chunk_index": 0, "chunk_count": 1, "not_found": lost});
        if let Some(body) = chunk.as_object_mut().filter(|_| data["nonce"].is_string()) {
            body.insert("nonce".into(), data["nonce"].clone());
        }
        self.send_to(session, "GUILD_MEMBERS_CHUNK", &chunk);
    }
}

fn shard_of(data: &Value) -> Result<(u64, u64), Refusal> {
    if data["shard"].is_null() {
        return Ok((0, 1));
    }
    let (index, count) = (data["shard"][0].as_u64(), data["shard"][1].as_u64());
    match (index, count) {
        (Some(index), Some(count)) if count > 0 && index < count => Ok((index, count)),
        _ => Err((4010, "Invalid shard.")),
    }
}

fn new_session_id() -> String {
    let bytes: [u8; 16] = rand::rng().random();
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
