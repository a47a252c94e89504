//! `handbell.toml`: raw → validated.

use std::{path::PathBuf, time::Duration};

use jiff::tz::TimeZone;

use super::{
    DiagnosisSettings, DiscordEndpoint, DiscordSettings, General, Secret, StoreSettings,
    check::Check, environment, raw,
};
use crate::domain::{document::Path, text::Lang};

/// Default of `[store] keep`: a quarter, the usual distance between reviews.
pub const DEFAULT_KEEP: Duration = Duration::from_hours(90 * DAY_HOURS);
/// Default of `[diagnosis] check_deadline`.
pub const DEFAULT_CHECK_DEADLINE: Duration = Duration::from_secs(5);
/// Default of `[diagnosis] run_deadline`.
pub const DEFAULT_RUN_DEADLINE: Duration = Duration::from_secs(20);
/// Default of `[diagnosis] checks_per_target`.
pub const DEFAULT_CHECKS_PER_TARGET: usize = 8;

const DAY_HOURS: u64 = 24;
const LEAST_DEADLINE: Duration = Duration::from_millis(100);
const MOST_CHECK_DEADLINE: Duration = Duration::from_mins(5);
/// Discord takes an answer for 15 minutes after the command; the report must come before.
const MOST_RUN_DEADLINE: Duration = Duration::from_mins(10);
const LEAST_KEEP: Duration = Duration::from_hours(DAY_HOURS);
const MOST_KEEP: Duration = Duration::from_hours(365 * DAY_HOURS);
const MOST_CHECKS_PER_TARGET: usize = 64;

/// The variable of the default token.
const TOKEN_VARIABLE: &str = "HANDBELL_DISCORD_TOKEN";

/// `handbell.toml` after validation.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) general: General,
    pub(super) store: StoreSettings,
    pub(super) diagnosis: DiagnosisSettings,
    pub(super) discord: DiscordSettings,
}

impl Default for Settings {
    /// The code's own defaults, which `config/handbell.toml` shows.
    fn default() -> Self {
        Self {
            general: General {
                language: Lang::En,
                timezone: TimeZone::UTC,
            },
            store: StoreSettings {
                directory: state_directory(),
                keep: DEFAULT_KEEP,
            },
            diagnosis: DiagnosisSettings {
                check_deadline: DEFAULT_CHECK_DEADLINE,
                run_deadline: DEFAULT_RUN_DEADLINE,
                checks_per_target: DEFAULT_CHECKS_PER_TARGET,
            },
            discord: DiscordSettings {
                token: Secret::Env {
                    name: TOKEN_VARIABLE.to_owned(),
                },
                guilds: Vec::new(),
                channels: Vec::new(),
                endpoint: None,
            },
        }
    }
}

/// The state directory of the XDG base directory specification; beside the process when there is
/// no home at all.
fn state_directory() -> PathBuf {
    environment::xdg("XDG_STATE_HOME", ".local/state").map_or_else(
        || PathBuf::from("handbell-state"),
        |dir| dir.join("handbell"),
    )
}

pub(super) fn settings(check: &mut Check<'_, raw::Handbell>) -> Settings {
    Settings {
        general: general(check),
        store: store(check),
        diagnosis: diagnosis(check),
        discord: discord(check),
    }
}

fn general(check: &mut Check<'_, raw::Handbell>) -> General {
    let raw = &check.value().general;
    let mut general = Settings::default().general;
    if let Some(language) = raw.language {
        general.language = language.into();
    }
    if let Some(name) = &raw.timezone {
        // UTC needs no database of zones, and reading one takes time.
        if name != "UTC" {
            match TimeZone::get(name) {
                Ok(zone) => general.timezone = zone,
                Err(_) => check.wrong_with_hint(
                    &Path::root().key("general").key("timezone"),
                    format!("there is no zone {name:?}"),
                    Some("write a name of the IANA database, as in \"Asia/Shanghai\"".to_owned()),
                ),
            }
        }
    }
    general
}

impl From<raw::Language> for Lang {
    fn from(language: raw::Language) -> Self {
        match language {
            raw::Language::En => Self::En,
            raw::Language::Zh => Self::Zh,
        }
    }
}

fn store(check: &mut Check<'_, raw::Handbell>) -> StoreSettings {
    let raw = &check.value().store;
    let at = Path::root().key("store");
    let directory = match &raw.directory {
        Some(path) if path.as_os_str().is_empty() => {
            check.wrong(&at.key("directory"), "the path is empty");
            state_directory()
        }
        Some(path) => check.path(path),
        None => state_directory(),
    };
    StoreSettings {
        directory,
        keep: check.duration(
            &at.key("keep"),
            raw.keep.as_ref(),
            LEAST_KEEP..=MOST_KEEP,
            DEFAULT_KEEP,
        ),
    }
}

fn diagnosis(check: &mut Check<'_, raw::Handbell>) -> DiagnosisSettings {
    let raw = &check.value().diagnosis;
    let at = Path::root().key("diagnosis");
    let check_deadline = check.duration(
        &at.key("check_deadline"),
        raw.check_deadline.as_ref(),
        LEAST_DEADLINE..=MOST_CHECK_DEADLINE,
        DEFAULT_CHECK_DEADLINE,
    );
    let run_deadline = check.duration(
        &at.key("run_deadline"),
        raw.run_deadline.as_ref(),
        LEAST_DEADLINE..=MOST_RUN_DEADLINE,
        DEFAULT_RUN_DEADLINE,
    );
    if run_deadline < check_deadline {
        check.wrong(
            &at.key(if raw.run_deadline.is_some() {
                "run_deadline"
            } else {
                "check_deadline"
            }),
            "the whole run has less time than one check; make run_deadline at least check_deadline",
        );
    }
    let checks_per_target = match raw.checks_per_target {
        None => DEFAULT_CHECKS_PER_TARGET,
        Some(number) => usize::try_from(number)
            .ok()
            .filter(|number| (1..=MOST_CHECKS_PER_TARGET).contains(number))
            .unwrap_or_else(|| {
                check.wrong(
                    &at.key("checks_per_target"),
                    format!("{number} is outside of 1 to {MOST_CHECKS_PER_TARGET}"),
                );
                DEFAULT_CHECKS_PER_TARGET
            }),
    };
    DiagnosisSettings {
        check_deadline,
        run_deadline,
        checks_per_target,
    }
}

fn discord(check: &mut Check<'_, raw::Handbell>) -> DiscordSettings {
    let raw = &check.value().discord;
    let at = Path::root().key("discord");
    let token = raw
        .token
        .as_ref()
        .and_then(|secret| check.secret(&at.key("token"), secret));
    DiscordSettings {
        token: token.unwrap_or_else(|| Settings::default().discord.token),
        guilds: check.snowflakes(&at.key("guilds"), &raw.guilds),
        channels: check.snowflakes(&at.key("channels"), &raw.channels),
        endpoint: raw
            .endpoint
            .as_ref()
            .and_then(|raw| endpoint(check, &at.key("endpoint"), raw)),
    }
}

fn endpoint(
    check: &mut Check<'_, raw::Handbell>,
    at: &Path,
    raw: &raw::DiscordEndpoint,
) -> Option<DiscordEndpoint> {
    let address = check.needed(at, "address", "\"127.0.0.1:4430\"", raw.address.as_ref());
    let ca = check.needed(at, "ca", "\"ca.pem\"", raw.ca.as_ref());
    let gateway = check.needed(
        at,
        "gateway",
        "\"ws://127.0.0.1:4431/gateway\"",
        raw.gateway.as_ref(),
    );
    let address = address.and_then(|text| {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            check.wrong(
                &at.key("address"),
                "this is no address with a port, as in 127.0.0.1:4430",
            );
        }
        parsed
    });
    let gateway = gateway.filter(|url| {
        let fits = url.starts_with("ws://") || url.starts_with("wss://");
        if !fits {
            check.wrong(
                &at.key("gateway"),
                "the gateway's address begins with ws:// or wss://",
            );
        }
        fits
    });
    Some(DiscordEndpoint {
        address: address?,
        ca: check.path(ca?),
        gateway: gateway?.clone(),
    })
}
