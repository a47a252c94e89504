//! `access.toml` and `oncall.toml`: raw → validated.

use std::time::Duration;

use jiff::Timestamp;

use super::{OnCall, Person, Personal, Rotation, check::Check, raw};
use crate::domain::{
    access::{Holders, Policy, Role},
    document::Path,
    ids::PersonId,
};

const LEAST_TURN: Duration = Duration::from_hours(1);
const MOST_TURN: Duration = Duration::from_hours(365 * 24);
/// Longest telephone number, in digits (ITU-T E.164).
const MOST_PHONE_DIGITS: usize = 15;
/// Fewest digits that can be a telephone number with its country.
const LEAST_PHONE_DIGITS: usize = 8;

pub(super) fn access(check: &mut Check<'_, raw::Access>) -> Policy {
    let raw = check.value();
    let mut of = |role: Role, raw: &raw::Holders| holders(check, role, raw);
    Policy {
        viewer: of(Role::Viewer, &raw.viewer),
        operator: of(Role::Operator, &raw.operator),
        approver: of(Role::Approver, &raw.approver),
        admin: of(Role::Admin, &raw.admin),
    }
}

fn holders(check: &mut Check<'_, raw::Access>, role: Role, raw: &raw::Holders) -> Holders {
    let at = Path::root().key(role.word());
    let words = |ids: Vec<u64>| ids.into_iter().map(|id| id.to_string()).collect();
    for (n, user) in raw.local_users.iter().enumerate() {
        if user.is_empty() || user.contains(char::is_whitespace) {
            check.wrong(
                &at.key("local_users").at(n),
                "this is no name of an operating system user",
            );
        }
    }
    Holders {
        discord_roles: words(check.snowflakes(&at.key("discord_roles"), &raw.discord_roles)),
        discord_users: words(check.snowflakes(&at.key("discord_users"), &raw.discord_users)),
        local_users: raw.local_users.iter().cloned().collect(),
    }
}

pub(super) fn oncall(check: &mut Check<'_, raw::OnCall>) -> OnCall {
    let raw = check.value();
    let mut oncall = OnCall::default();
    for (name, raw) in &raw.people {
        let at = Path::root().key("people").key(name);
        let id = check.id::<PersonId>(&at, name);
        let person = person(check, &at, raw);
        if let (Some(id), Some(person)) = (id, person) {
            oncall.people.insert(id, person);
        }
    }
    for (name, rotation) in &raw.rotation {
        let at = Path::root().key("rotation").key(name);
        let id = check.id::<PersonId>(&at, name);
        let rotation = self::rotation(check, &at, rotation, raw);
        if let (Some(id), Some(rotation)) = (id, rotation) {
            oncall.rotations.insert(id, rotation);
        }
    }
    oncall
}

fn person(check: &mut Check<'_, raw::OnCall>, at: &Path, raw: &raw::Person) -> Option<Person> {
    let name = check.needed(at, "name", "\"Alice\"", raw.name.as_ref());
    let discord = raw
        .discord
        .as_ref()
        .and_then(|id| check.snowflake(&at.key("discord"), id));
    if raw.phone.as_deref().is_some_and(|phone| !is_phone(phone)) {
        check.wrong(
            &at.key("phone"),
            "a telephone number begins with + and its country, as in +86 138 0000 0000",
        );
    }
    if raw.email.as_deref().is_some_and(|email| !is_email(email)) {
        check.wrong(&at.key("email"), "this is no mail address");
    }
    Some(Person {
        name: name?.clone(),
        discord,
        phone: raw.phone.clone().map(Personal::new),
        email: raw.email.clone().map(Personal::new),
        language: raw.language.map(Into::into),
    })
}

fn is_phone(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('+') else {
        return false;
    };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    (LEAST_PHONE_DIGITS..=MOST_PHONE_DIGITS).contains(&digits)
        && rest
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b' ' || b == b'-')
}

fn is_email(text: &str) -> bool {
    matches!(text.split_once('@'), Some((name, host))
        if !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace))
}

fn rotation(
    check: &mut Check<'_, raw::OnCall>,
    at: &Path,
    raw: &raw::Rotation,
    all: &raw::OnCall,
) -> Option<Rotation> {
    let mut people = Vec::new();
    if raw.people.is_empty() {
        check.wrong(at, "nobody takes turns here: people = [\"alice\", \"bob\"]");
    }
    for (n, name) in raw.people.iter().enumerate() {
        if all.people.contains_key(name) {
            people.extend(name.parse::<PersonId>());
            continue;
        }
        let hint = Check::<raw::OnCall>::hint(name, all.people.keys().map(String::as_str));
        check.wrong_with_hint(
            &at.key("people").at(n),
            format!("there is no [people.{name}] in this file"),
            hint,
        );
    }
    let starts = check
        .needed(
            at,
            "starts",
            "\"2026-11-23T09:00:00+08:00\"",
            raw.starts.as_ref(),
        )
        .and_then(|text| {
            let parsed = text.parse::<Timestamp>().ok();
            if parsed.is_none() {
                check.wrong(
                    &at.key("starts"),
                    "this is no date with a time and its distance from UTC, as in \
                     2026-11-23T09:00:00+08:00",
                );
            }
            parsed
        });
    let turn = check
        .needed(at, "turn", "\"7d\"", raw.turn.as_ref())
        .is_some();
    let length = check.duration(
        &at.key("turn"),
        raw.turn.as_ref(),
        LEAST_TURN..=MOST_TURN,
        LEAST_TURN,
    );
    Some(Rotation {
        people,
        starts: starts?,
        turn: turn.then_some(length)?,
    })
}
