//! Discord's errors: status, code, sentence, and the nested form of an invalid body.
//!
//! Source: Discord's reference, "Opcodes and Status Codes" (JSON error codes) and "Error Messages".

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// An answer that refuses a request.
#[derive(Debug)]
pub(crate) struct ApiError {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// The body in Discord's form.
    pub(crate) body: Value,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $say:literal;)*) => {
        /// The refusals that the sandbox knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $(#[doc = $say] $name),* }
        impl Code {
            const fn parts(self) -> (u32, StatusCode, &'static str) {
                match self { $(Self::$name => ($code, StatusCode::$status, $say)),* }
            }

            /// The refusal of a number.
            pub(crate) fn by_number(number: u32) -> Option<Self> {
                [$(Self::$name),*].into_iter().find(|code| number != 0 && code.parts().0 == number)
            }
        }
    };
}

codes! {
    NotFound = 0, NOT_FOUND, "404: Not Found";
    MethodNotAllowed = 0, METHOD_NOT_ALLOWED, "405: Method Not Allowed";
    Unauthorized = 0, UNAUTHORIZED, "401: Unauthorized";
    UnknownApplication = 10_002, NOT_FOUND, "Unknown Application";
    UnknownChannel = 10_003, NOT_FOUND, "Unknown Channel";
    UnknownGuild = 10_004, NOT_FOUND, "Unknown Guild";
    UnknownMember = 10_007, NOT_FOUND, "Unknown Member";
    UnknownMessage = 10_008, NOT_FOUND, "Unknown Message";
    UnknownOverwrite = 10_009, NOT_FOUND, "Unknown Permission Overwrite";
    UnknownRole = 10_011, NOT_FOUND, "Unknown Role";
    UnknownUser = 10_013, NOT_FOUND, "Unknown User";
    UnknownEmoji = 10_014, BAD_REQUEST, "Unknown Emoji";
    UnknownWebhook = 10_015, NOT_FOUND, "Unknown Webhook";
    UnknownInteraction = 10_062, NOT_FOUND, "Unknown interaction";
    UnknownCommand = 10_063, NOT_FOUND, "Unknown application command";
    UnknownCommandPermissions = 10_066, NOT_FOUND, "Unknown application command permissions";
    TooManyPins = 30_003, BAD_REQUEST, "Maximum number of pins reached for the channel (50)";
    TooManyCommands = 30_032, BAD_REQUEST, "Maximum number of application commands reached (100).";
    TooManyThreadMembers = 30_033, BAD_REQUEST, "Maximum number of thread participants has been reached (1000).";
    TooManyCommandCreates = 30_034, BAD_REQUEST, "Max number of daily application command creates has been reached (200)";
    TooManyEditsOfOldMessages = 30_046, BAD_REQUEST, "Maximum number of edits to messages older than 1 hour reached. Try again later.";
    EntityTooLarge = 40_005, PAYLOAD_TOO_LARGE, "Request entity too large";
    AlreadyAcknowledged = 40_060, BAD_REQUEST, "Interaction has already been acknowledged.";
    MissingAccess = 50_001, FORBIDDEN, "Missing Access";
    NotInThisKindOfChannel = 50_024, BAD_REQUEST, "Cannot execute action on this channel type";
    NotTheAuthor = 50_005, FORBIDDEN, "Cannot edit a message authored by another user";
    EmptyMessage = 50_006, BAD_REQUEST, "Cannot send an empty message";
    MissingPermissions = 50_013, FORBIDDEN, "Missing Permissions";
    CannotMessageUser = 50_007, FORBIDDEN, "Cannot send messages to this user";
    InvalidToken = 50_027, UNAUTHORIZED, "Invalid Webhook Token";
    BulkDeleteCount = 50_016, BAD_REQUEST, "Provided too few or too many messages to delete. Must provide at least 2 and at most 100 messages to delete";
    SystemMessage = 50_021, FORBIDDEN, "Cannot execute action on a system message";
    BulkDeleteTooOld = 50_034, BAD_REQUEST, "You can only bulk delete messages that are under 14 days old.";
    InvalidForm = 50_035, BAD_REQUEST, "Invalid Form Body";
    ThreadArchived = 50_083, BAD_REQUEST, "Thread is archived";
    InvalidJson = 50_109, BAD_REQUEST, "The request body contains invalid JSON.";
    ThreadExists = 160_004, BAD_REQUEST, "A thread has already been created for this message";
    ThreadLocked = 160_005, BAD_REQUEST, "Thread is locked";
    TooManyThreads = 160_006, BAD_REQUEST, "Maximum number of active threads reached";
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        let (number, status, say) = code.parts();
        Self {
            status,
            body: json!({"message": say, "code": number}),
        }
    }
}

impl ApiError {
    /// A body of the wrong content type, in Discord's words.
    pub(crate) fn content_type() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            body: json!({"message": "Expected \"Content-Type\" header to be one of {'application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'}.", "code": 50_035,
                "errors": {"_errors": [{"code": "CONTENT_TYPE_INVALID", "message": "Expected \"Content-Type\" header to be one of {'application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'}."}]}}),
        }
    }
}

/// Collects everything that is wrong with a body, each with its place.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    path: Vec<String>,
    found: Vec<(Vec<String>, &'static str, String)>,
}

impl Problems {
    /// Runs `read` one step deeper, so that problems found there carry the key or index.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "keys and indices alike; a reference would be noise at every call"
    )]
    pub(crate) fn within<T>(
        &mut self,
        step: impl ToString,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.path.push(step.to_string());
        let result = read(self);
        self.path.pop();
        result
    }

    /// A problem of the place where reading stands.
    pub(crate) fn here(&mut self, code: &'static str, message: impl Into<String>) {
        self.found.push((self.path.clone(), code, message.into()));
    }

    /// A problem of a field of the place where reading stands.
    pub(crate) fn at(
        &mut self,
        key: impl ToString,
        code: &'static str,
        message: impl Into<String>,
    ) {
        self.within(key, |inner| inner.here(code, message));
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// `Ok` when nothing is wrong, else the refusal 50035 with everything nested at its place.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.found.is_empty() {
            return Ok(());
        }
        let mut root = Map::new();
        for (path, code, message) in self.found {
            plant(&mut root, &path, code, &message);
        }
        let mut refusal = ApiError::from(Code::InvalidForm);
        if let Some(body) = refusal.body.as_object_mut() {
            body.insert("errors".into(), Value::Object(root));
        }
        Err(refusal)
    }
}

fn plant(node: &mut Map<String, Value>, path: &[String], code: &str, message: &str) {
    let Some((step, rest)) = path.split_first() else {
        let list = node.entry("_errors").or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(json!({"code": code, "message": message}));
        }
        return;
    };
    if let Some(inner) = node
        .entry(step.clone())
        .or_insert_with(|| json!({}))
        .as_object_mut()
    {
        plant(inner, rest, code, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_nest_as_discord_nests_them() {
        let mut problems = Problems::default();
        problems.within("embeds", |p| {
            p.within(0, |p| {
                p.at(
                    "title",
                    "BASE_TYPE_MAX_LENGTH",
                    "Must be 256 or fewer in length.",
                );
            });
        });
        problems.here("X", "whole");
        let body = problems.finish().expect_err("two problems").body;
        assert_eq!(body["code"], 50_035);
        assert_eq!(
            body["errors"]["embeds"]["0"]["title"]["_errors"][0]["code"],
            "BASE_TYPE_MAX_LENGTH"
        );
        assert_eq!(body["errors"]["_errors"][0]["message"], "whole");
    }
}
