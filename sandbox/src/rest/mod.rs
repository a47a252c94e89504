//! REST v10: one request at a time against the [`World`](crate::world::World).

pub(crate) mod applications;
pub(crate) mod channels;
pub(crate) mod error;
pub(crate) mod guilds;
pub(crate) mod incoming;
pub(crate) mod interactions;
pub(crate) mod limits;
pub(crate) mod messages;
pub(crate) mod reactions;
pub(crate) mod routes;
pub(crate) mod serve;
pub(crate) mod threads;
pub(crate) mod users;

use std::collections::HashMap;

use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::ids::Id;
use crate::validate::message::Upload;
use crate::validate::read::Object;
use crate::world::World;
use crate::world::seed::APPLICATION;
use error::{ApiError, Code, Problems};

/// A good answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Option<Value>,
}

impl Reply {
    /// 200 with a body.
    pub(crate) fn json(body: impl Into<Value>) -> Self {
        Self {
            status: StatusCode::OK,
            body: Some(body.into()),
        }
    }

    /// 201 with a body.
    pub(crate) fn created(body: impl Into<Value>) -> Self {
        Self {
            status: StatusCode::CREATED,
            body: Some(body.into()),
        }
    }

    /// 204.
    pub(crate) fn empty() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: None,
        }
    }
}

/// What a route gets.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) query: &'a HashMap<String, String>,
    pub(crate) body: &'a Value,
    pub(crate) uploads: Vec<Upload>,
}

/// The result of a route.
pub(crate) type Answer = Result<Reply, ApiError>;

impl Call<'_> {
    /// The body as an object.
    ///
    /// # Errors
    /// 50035 when it is something else.
    pub(crate) fn object(&self) -> Result<&Object, ApiError> {
        static EMPTY: std::sync::LazyLock<Object> = std::sync::LazyLock::new(Map::new);
        match self.body {
            Value::Object(map) => Ok(map),
            Value::Null => Ok(&EMPTY),
            _ => {
                let mut problems = Problems::default();
                problems.here(
                    "MODEL_TYPE_CONVERT",
                    "Only dictionaries may be used in a ModelType",
                );
                problems.finish().map(|()| &*EMPTY)
            }
        }
    }

    /// A whole number of the query, within bounds.
    ///
    /// # Errors
    /// 50035 outside them.
    pub(crate) fn limit(&self, default: usize, max: usize) -> Result<usize, ApiError> {
        let Some(text) = self.query.get("limit") else {
            return Ok(default);
        };
        let mut problems = Problems::default();
        let limit = text.parse().unwrap_or(0);
        if limit == 0 || limit > max {
            problems.at(
                "limit",
                "NUMBER_TYPE_MAX",
                format!("int value should be between 1 and {max}."),
            );
        }
        problems.finish().map(|()| limit)
    }

    /// A snowflake of the query.
    pub(crate) fn query_id(&self, key: &str) -> Option<Id> {
        self.query.get(key).and_then(|text| Id::parse(text))
    }

    /// A channel that the bot sees.
    ///
    /// # Errors
    /// 10003 when there is none, 50001 when the bot does not see it.
    pub(crate) fn channel(&self, id: &str) -> Result<Id, ApiError> {
        let id = Id::parse(id).ok_or_else(|| not_a_snowflake("channel_id", id))?;
        if !self.world.channels.contains_key(&id) {
            return Err(Code::UnknownChannel.into());
        }
        if !self.world.sees(APPLICATION, id) {
            return Err(Code::MissingAccess.into());
        }
        Ok(id)
    }

    /// That the bot may do something in a channel.
    ///
    /// # Errors
    /// 50013.
    pub(crate) fn need(&self, channel: Id, bits: u64) -> Result<(), ApiError> {
        if self.world.may(APPLICATION, channel, bits) {
            Ok(())
        } else {
            Err(Code::MissingPermissions.into())
        }
    }

    /// A message of a channel that the bot sees and may read the history of.
    ///
    /// # Errors
    /// 10003, 50001, 10008.
    pub(crate) fn message(&self, channel: &str, id: &str) -> Result<(Id, Id), ApiError> {
        let channel = self.channel(channel)?;
        let id = Id::parse(id).ok_or_else(|| not_a_snowflake("message_id", id))?;
        let known = self.world.messages.get(&id).filter(|message| {
            message.channel == channel && !message.local && message.only_for.is_none()
        });
        known
            .map(|message| (channel, message.id))
            .ok_or_else(|| Code::UnknownMessage.into())
    }
}

/// The refusal of a path whose id is no snowflake.
pub(crate) fn not_a_snowflake(key: &str, text: &str) -> ApiError {
    let mut problems = Problems::default();
    problems.at(
        key,
        "NUMBER_TYPE_COERCE",
        format!("Value \"{text}\" is not snowflake."),
    );
    problems
        .finish()
        .err()
        .unwrap_or_else(|| Code::NotFound.into())
}
