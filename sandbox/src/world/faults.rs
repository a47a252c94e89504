//! Faults on request: what is to go wrong, how often, and where.

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::Id;
use crate::permissions;
use crate::validate::message::ATTACHMENT_MAX_BYTES;

/// The kinds of faults, as the documented interface names them, with their parameters.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Kind {
    RateLimit {
        #[serde(default, flatten)]
        at: Where,
        #[serde(default = "one_second")]
        retry_after_ms: u64,
        #[serde(default)]
        global: bool,
        #[serde(default)]
        scope: Scope,
    },
    ServerError {
        #[serde(default, flatten)]
        at: Where,
        #[serde(default = "bad_gateway")]
        status: u16,
    },
    /// Any refusal of Discord's by its code.
    Refuse {
        #[serde(default, flatten)]
        at: Where,
        code: u32,
    },
    LostAnswer {
        #[serde(default, flatten)]
        at: Where,
    },
    Cut {
        #[serde(default, flatten)]
        at: Where,
    },
    Slow {
        #[serde(default, flatten)]
        at: Where,
        #[serde(default = "two_seconds")]
        delay_ms: u64,
    },
    Unauthorized {},
    GatewayDrop {
        #[serde(default)]
        code: Option<u16>,
    },
    GatewayReconnect {},
    GatewayInvalidSession {
        #[serde(default)]
        resumable: bool,
    },
    GatewayRefuse {},
    GatewaySilent {},
    ForgetSessions {},
    ExpireInteractions {},
    LosePermissions {
        #[serde(default = "send_messages")]
        permissions: Vec<String>,
        #[serde(default)]
        channel_id: Option<String>,
    },
    GuildOutage {},
    /// Attachments may have fewer bytes than usual: Discord's limit depends on the guild and has
    /// changed before.
    SmallAttachments {
        bytes: usize,
    },
}

/// Which requests a fault is for.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Where {
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) route: Option<String>,
}

/// Whose limit was reached.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    #[default]
    User,
    Global,
    Shared,
}

fn one_second() -> u64 {
    1_000
}
fn two_seconds() -> u64 {
    2_000
}
fn bad_gateway() -> u16 {
    502
}
fn send_messages() -> Vec<String> {
    vec!["SEND_MESSAGES".to_owned()]
}

/// A fault that is set.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    id: u64,
    times_left: Option<u64>,
    route: Option<Regex>,
    pub(crate) kind: Kind,
}

/// All that are active.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<Fault>,
    last_id: u64,
}

impl Fault {
    /// As the page's interface shows it.
    pub(crate) fn json(&self) -> Value {
        let mut out = json!({"id": self.id.to_string(), "times_left": self.times_left});
        if let (Some(out), Ok(Value::Object(kind))) =
            (out.as_object_mut(), serde_json::to_value(&self.kind))
        {
            out.extend(kind);
        }
        out
    }
}

impl Kind {
    /// Which requests it is for, if it is about requests.
    pub(crate) fn place(&self) -> Option<&Where> {
        match self {
            Self::RateLimit { at, .. }
            | Self::ServerError { at, .. }
            | Self::Refuse { at, .. }
            | Self::LostAnswer { at }
            | Self::Cut { at }
            | Self::Slow { at, .. } => Some(at),
            _ => None,
        }
    }

    /// Whether it acts once, at the moment it is set.
    pub(crate) fn is_momentary(&self) -> bool {
        matches!(
            self,
            Self::GatewayDrop { .. }
                | Self::GatewayReconnect {}
                | Self::GatewayInvalidSession { .. }
                | Self::ForgetSessions {}
                | Self::ExpireInteractions {}
        )
    }

    /// How often it acts when nothing is said: once, or until it is ended.
    fn default_times(&self) -> Option<u64> {
        matches!(
            self,
            Self::RateLimit { .. }
                | Self::ServerError { .. }
                | Self::Refuse { .. }
                | Self::LostAnswer { .. }
                | Self::Cut { .. }
        )
        .then_some(1)
    }
}

impl Faults {
    /// Reads and sets a fault.
    ///
    /// # Errors
    /// A sentence about what cannot be read.
    pub(crate) fn set(&mut self, mut body: Value) -> Result<Fault, String> {
        let times = body
            .as_object_mut()
            .and_then(|body| body.shift_remove("times"));
        let kind: Kind = serde_json::from_value(body)
            .map_err(|error| format!("This fault cannot be read: {error}."))?;
        let times_left = match times {
            None => kind.default_times(),
            Some(Value::Null) => None,
            Some(value) => Some(
                value
                    .as_u64()
                    .ok_or("`times` is a whole number, or null for \"until ended\".")?,
            ),
        };
        check(&kind)?;
        let pattern = kind.place().and_then(|place| place.route.as_deref());
        let route = pattern
            .map(Regex::new)
            .transpose()
            .map_err(|error| format!("`route` is no regular expression: {error}"))?;
        self.last_id += 1;
        let fault = Fault {
            id: self.last_id,
            times_left,
            route,
            kind,
        };
        if !fault.kind.is_momentary() {
            self.active.push(fault.clone());
        }
        Ok(fault)
    }

    /// Ends one; gives it.
    pub(crate) fn end(&mut self, id: &str) -> Option<Fault> {
        let at = self
            .active
            .iter()
            .position(|fault| fault.id.to_string() == id)?;
        Some(self.active.remove(at))
    }

    /// Ends all; tells whether the guild was out.
    pub(crate) fn clear(&mut self) -> bool {
        let outage = self
            .active
            .iter()
            .any(|fault| matches!(fault.kind, Kind::GuildOutage {}));
        self.active.clear();
        outage
    }

    /// All that are active.
    pub(crate) fn json(&self) -> Value {
        self.active.iter().map(Fault::json).collect()
    }

    /// The fault that this request meets, if any; it is used up by one. A slow answer goes together with another fault.
    pub(crate) fn meet(&mut self, method: &str, path: &str) -> (Option<Kind>, Option<u64>) {
        let fits = |fault: &Fault| {
            let right_method = |at: &Where| {
                at.method
                    .as_deref()
                    .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            };
            fault.kind.place().is_some_and(right_method)
                && fault
                    .route
                    .as_ref()
                    .is_none_or(|route| route.is_match(path))
        };
        let delay = self.take(|fault| matches!(fault.kind, Kind::Slow { .. }) && fits(fault));
        let other = self.take(|fault| !matches!(fault.kind, Kind::Slow { .. }) && fits(fault));
        let delay_ms = delay.and_then(|kind| {
            if let Kind::Slow { delay_ms, .. } = kind {
                Some(delay_ms)
            } else {
                None
            }
        });
        (other, delay_ms)
    }

    fn take(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Kind> {
        let at = self.active.iter().position(wanted)?;
        let fault = self.active.get_mut(at)?;
        let kind = fault.kind.clone();
        if let Some(left) = fault.times_left.as_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.active.remove(at);
            }
        }
        Some(kind)
    }

    /// Whether the token is refused now.
    pub(crate) fn unauthorized(&mut self) -> bool {
        self.take(|fault| matches!(fault.kind, Kind::Unauthorized {}))
            .is_some()
    }

    /// Whether a new gateway connection is refused now.
    pub(crate) fn refuse_gateway(&mut self) -> bool {
        self.take(|fault| matches!(fault.kind, Kind::GatewayRefuse {}))
            .is_some()
    }

    /// Whether the gateway is silent now. Not counted: silence holds until it is ended.
    pub(crate) fn gateway_silent(&self) -> bool {
        self.active
            .iter()
            .any(|fault| matches!(fault.kind, Kind::GatewaySilent {}))
    }

    /// Whether the guild is out.
    pub(crate) fn outage(&self) -> bool {
        self.active
            .iter()
            .any(|fault| matches!(fault.kind, Kind::GuildOutage {}))
    }

    /// How many bytes an attachment may have now.
    pub(crate) fn attachment_bytes(&self) -> usize {
        self.active
            .iter()
            .filter_map(|fault| match fault.kind {
                Kind::SmallAttachments { bytes } => Some(bytes),
                _ => None,
            })
            .fold(ATTACHMENT_MAX_BYTES, usize::min)
    }

    /// The bits that the bot has lost in a channel.
    pub(crate) fn lost_permissions(&self, channel: Id) -> u64 {
        let lost = self.active.iter().filter_map(|fault| match &fault.kind {
            Kind::LosePermissions {
                permissions,
                channel_id,
            } => {
                let here = channel_id
                    .as_deref()
                    .is_none_or(|id| Id::parse(id) == Some(channel));
                here.then(|| {
                    permissions
                        .iter()
                        .filter_map(|name| permissions::by_name(name))
                        .fold(0, |bits, bit| bits | bit)
                })
            }
            _ => None,
        });
        lost.fold(0, |bits, one| bits | one)
    }
}

fn check(kind: &Kind) -> Result<(), String> {
    match kind {
        Kind::ServerError { status, .. } if ![500, 502, 503, 504].contains(status) => {
            Err("`status` is one of 500, 502, 503, 504.".to_owned())
        }
        Kind::Refuse { code, .. } if crate::rest::error::Code::by_number(*code).is_none() => {
            Err(format!("The sandbox knows no refusal {code}."))
        }
        Kind::LosePermissions { permissions, .. } => match permissions
            .iter()
            .find(|name| permissions::by_name(name).is_none())
        {
            Some(name) => Err(format!("There is no permission {name:?}.")),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_used_up_by_the_requests_that_it_is_for() {
        let mut faults = Faults::default();
        faults.set(json!({"kind": "server_error", "method": "POST", "route": "^/channels/\\d+/messages$", "times": 2})).expect("a good fault");
        assert!(faults.meet("GET", "/channels/1/messages").0.is_none());
        assert!(faults.meet("POST", "/gateway").0.is_none());
        assert!(faults.meet("POST", "/channels/1/messages").0.is_some());
        assert!(faults.meet("POST", "/channels/1/messages").0.is_some());
        assert!(faults.meet("POST", "/channels/1/messages").0.is_none());
    }

    #[test]
    fn a_fault_that_cannot_be_is_refused_in_words() {
        let mut faults = Faults::default();
        for bad in [
            json!({"kind": "nonsense"}),
            json!({"kind": "server_error", "status": 418}),
            json!({"kind": "slow", "route": "("}),
            json!({"kind": "lose_permissions", "permissions": ["FLY"]}),
            json!(1),
        ] {
            assert!(faults.set(bad.clone()).is_err(), "{bad}");
        }
    }
}
