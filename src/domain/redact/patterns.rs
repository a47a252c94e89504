//! What looks like a secret or like personal data.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

use super::MARK;

/// One kind of thing that must not be seen.
struct Pattern {
    /// Whether the text can have it at all: cheap, and asked first.
    may_have: fn(&Glance<'_>) -> bool,
    regex: LazyLock<Option<Regex>>,
    /// What stands in its place.
    cover: fn(&Captures<'_>) -> String,
}

/// What one pass over a text tells of it.
struct Glance<'a> {
    /// The text in small letters.
    lower: &'a str,
    /// Longest run of digits; spaces and hyphens between digits don't end it.
    digits: usize,
    /// Longest run of letters, digits and `._-`.
    run: usize,
}

impl<'a> Glance<'a> {
    fn new(lower: &'a str) -> Self {
        let (mut digits, mut run) = (0, 0);
        let (mut digits_now, mut run_now) = (0, 0);
        for byte in lower.bytes() {
            if byte.is_ascii_digit() {
                digits_now += 1;
                digits = digits.max(digits_now);
            } else if byte != b' ' && byte != b'-' {
                digits_now = 0;
            }
            if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
                run_now += 1;
                run = run.max(run_now);
            } else {
                run_now = 0;
            }
        }
        Self { lower, digits, run }
    }

    fn has_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.lower.contains(word))
    }
}

macro_rules! pattern {
    ($may_have:expr, $regex:expr, $cover:expr) => {
        Pattern {
            may_have: $may_have,
            regex: LazyLock::new(|| Regex::new($regex).ok()),
            cover: $cover,
        }
    };
}

/// Words in a name that make its value a secret.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "accesskey",
    "access-key",
    "private_key",
    "privatekey",
    "private-key",
    "requirepass",
    "masterauth",
    "auth_pass",
    "auth-pass",
    "rediscli_auth",
    "credential",
    "密码",
    "口令",
    "密钥",
    "令牌",
];

static PATTERNS: [Pattern; 15] = [
    // A private key, whole, without its end, or without its beginning.
    pattern!(
        |glance| glance.has_any(&["private key-----"]),
        r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)|(?:[A-Za-z0-9+/=]{16,}(?:\\n|\s)+)+-----END [A-Z ]*PRIVATE KEY-----",
        |_| "[private key]".to_owned()
    ),
    // scheme://user:password@host and scheme://token@host
    pattern!(
        |glance| glance.has_any(&["://"]) && glance.has_any(&["@"]),
        r#"://(?:([^\s/:@"']*):[^\s/"']*|[^\s/:@"']{20,})@"#,
        |found| match found.get(1) {
            Some(user) => format!("://{}:{MARK}@", user.as_str()),
            None => format!("://{MARK}@"),
        }
    ),
    // Authorization: Basic …, Authorization: Bot …
    pattern!(
        |glance| glance.has_any(&["authorization"]),
        r#"(?i)(authorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|bot|token|digest|apikey)\s+)?)[^\s"',]+"#,
        |found| format!("{}{MARK}", &found[1])
    ),
    pattern!(
        |glance| glance.has_any(&["bearer"]),
        r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}",
        |found| format!("{}{MARK}", &found[1])
    ),
    // requirepass x, masterauth x, --pass x, ["--requirepass","x"]
    pattern!(
        |glance| glance.has_any(&["requirepass", "masterauth", "--pass", "--token", "--secret"]),
        r#"(?i)((?:\brequirepass|\bmasterauth|--pass(?:word)?|--token|--secret)["']?(?:\s*[,=:]\s*|\s+)["']?)([^\s"',]+)"#,
        cover_value
    ),
    // name = value, "name": "value", name=value&…
    pattern!(
        |glance| glance.has_any(NAMES),
        r#"(?i)((?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|requirepass|masterauth|auth[_-]pass|rediscli_auth|credential|密码|口令|密钥|令牌)\\?["']?\s*(?:=>|[:=：])\s*)(\\?"(?:[^"\\]|\\[^"])*\\?"|'[^']*'|[^\s,;&}\]\)"']+)"#,
        cover_value
    ),
    // password "x"
    pattern!(
        |glance| glance.has_any(&["password", "passwd", "密码"]),
        r#"(?i)((?:password|passwd|密码)\s+)("[^"\s]+"|'[^'\s]+')"#,
        cover_value
    ),
    // AUTH x, AUTH user x, "AUTH" "user" "x"
    pattern!(
        |glance| glance.has_any(&["auth"]),
        r#"(\bAUTH["']?[ \t]+|["'](?i:auth)["'],?[ \t]*)("[^"]*"|'[^']*'|[^\s,;"']+)(?:([ \t,]+)("[^"]*"|'[^']*'|[^\s,;"']+))?"#,
        cover_auth
    ),
    // redis-cli -a x, ["redis-cli","-a","x"]
    pattern!(
        |glance| glance.has_any(&["redis-cli", "redis-benchmark"]) && glance.has_any(&["-a"]),
        r#"(redis-(?:cli|benchmark)[^\n|;&]*?[\s"']-a["']?[\s,]*["']?)([^\s"',]+)"#,
        cover_value
    ),
    // Tokens of three parts: Discord's, and JSON web tokens (RFC 7519).
    pattern!(
        |glance| glance.run >= 50,
        r"\b(?:[A-Za-z0-9_-]{23,30}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,45}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)",
        |_| "[token]".to_owned()
    ),
    // Keys whose vendors gave them a beginning: AWS, GitHub, Slack, Stripe and others.
    pattern!(
        |glance| glance.has_any(&[
            "akia",
            "asia",
            "ghp_",
            "gho_",
            "ghs_",
            "ghu_",
            "ghr_",
            "github_pat_",
            "xox",
            "sk-",
            "sk_live_",
            "rk_live_"
        ]),
        r"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|xox[abeprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{20,}|[sr]k_live_[A-Za-z0-9]{16,})",
        |_| "[key]".to_owned()
    ),
    // Mail addresses: the first letter and the host stay, to tell one from another.
    pattern!(
        |glance| glance.has_any(&["@"]),
        r"(//)?\b([A-Za-z0-9])[A-Za-z0-9._%+-]*@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})\b",
        |found| match found.get(1) {
            // ssh://user@host is an address of a machine.
            Some(_) => found[0].to_owned(),
            None => format!("{}***@{}", &found[2], &found[3]),
        }
    ),
    // Transaction ids of WeChat Pay (4200…) and Alipay (a date first): 28 digits.
    pattern!(
        |glance| glance.digits >= 28,
        r"\b((?:4200|20\d\d))\d{20}(\d{4})\b",
        |found| format!("{}****{}", &found[1], &found[2])
    ),
    // Chinese identity numbers (GB 11643): place, date of birth, serial, check character.
    pattern!(
        |glance| glance.digits >= 17,
        r"\b[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]\b",
        cover_identity
    ),
    // Chinese mobile numbers, unless the name before or the unit after says that it is a number.
    pattern!(
        |glance| glance.digits >= 11,
        r#"(?i)([\p{L}\p{N}_.-]*["']?[ \t]*[:=][ \t]*["']?)?(\+?\b(?:86|0086)[ -]?)?\b(1[3-9]\d)([ -]?)(\d{4})([ -]?)(\d{4})\b([ \t]*(?:bytes?|[kmgt]i?b?|b|[nµum]?s|secs?|seconds?|ops|keys|%)\b)?"#,
        cover_mobile
    ),
];

/// `text` without what looks like a secret or like personal data.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let lower = text.to_ascii_lowercase();
    let glance = Glance::new(&lower);
    let mut out = Cow::Borrowed(text);
    for pattern in &PATTERNS {
        if !(pattern.may_have)(&glance) {
            continue;
        }
        let Some(regex) = pattern.regex.as_ref() else {
            continue;
        };
        if let Cow::Owned(cleaned) = regex.replace_all(&out, pattern.cover) {
            out = Cow::Owned(cleaned);
        }
    }
    out
}

/// Values that are no secrets: nothing, a placeholder, a state.
fn is_harmless(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'', '\\', '.', '。']);
    let word = value.to_ascii_lowercase();
    let states = [
        "", "null", "nil", "none", "true", "false", "yes", "no", "unset", "set", "empty",
        "missing", "required", "invalid", "wrong", "expired", "redacted", "hidden", "env", "file",
        "unknown",
    ];
    states.contains(&word.as_str())
        || value.starts_with(['<', '[', '{', '(', '$', '%', '*'])
        || value.contains(MARK)
}

/// Group 1 stays, group 2 goes.
fn cover_value(found: &Captures<'_>) -> String {
    if is_harmless(&found[2]) {
        return found[0].to_owned();
    }
    let value = &found[2];
    let quote = if value.starts_with("\\\"") {
        "\\\""
    } else if value.starts_with('"') {
        "\""
    } else if value.starts_with('\'') {
        "'"
    } else {
        ""
    };
    format!("{}{quote}{MARK}{quote}", &found[1])
}

/// Words that follow `AUTH` in a sentence about it, not in a command.
const AUTH_PROSE: &[&str] = &[
    "failed",
    "failure",
    "fails",
    "failed:",
    "error",
    "error:",
    "errors",
    "command",
    "commands",
    "called",
    "required",
    "is",
    "was",
    "were",
    "without",
    "and",
    "or",
    "for",
    "but",
    "to",
    "with",
    "succeeded",
    "ok",
    "timeout",
    "from",
    "by",
    "on",
    "at",
    "in",
    "then",
    "the",
    "a",
    "an",
    "has",
    "had",
    "before",
    "after",
    "attempt",
    "attempts",
    "first",
    "again",
    "mode",
    "method",
    "plugin",
    "not",
    "of",
    "&&",
    "|",
    "#",
    "->",
    "=>",
    "-",
    ":",
    "=",
    "...",
    "via",
    "needed",
    "denied",
];

fn is_prose(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    AUTH_PROSE.contains(&lower.as_str()) || is_harmless(word)
}

fn cover_auth(found: &Captures<'_>) -> String {
    if is_prose(&found[2]) {
        return found[0].to_owned();
    }
    match (found.get(3), found.get(4)) {
        (Some(between), Some(second)) if !is_prose(second.as_str()) => {
            format!("{}{MARK}{}{MARK}", &found[1], between.as_str())
        }
        (Some(between), Some(second)) => {
            format!("{}{MARK}{}{}", &found[1], between.as_str(), second.as_str())
        }
        _ => format!("{}{MARK}", &found[1]),
    }
}

fn cover_identity(found: &Captures<'_>) -> String {
    // GB 11643 appendix: weights, and the check characters by remainder.
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &[u8; 11] = b"10X98765432";
    let text = &found[0];
    let digits = text.chars().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let expected = CHECKS[usize::try_from(sum % 11).unwrap_or(0)];
    let last = text.bytes().last().unwrap_or(0).to_ascii_uppercase();
    if last != expected {
        return text.to_owned();
    }
    let place: String = text.chars().take(6).collect();
    format!("{place}************")
}

/// Words in the name of a number that is no telephone's.
const NUMBER_NAMES: &[&str] = &[
    "byte", "memory", "mem", "size", "rss", "limit", "offset", "total", "used", "usage", "free",
    "max", "peak", "dataset", "ops", "time", "usec", "msec", "pid", "port", "count", "hits",
    "misses", "keys", "backlog", "version", "seq", "lsn", "bytes", "len", "length", "capacity",
    "quota", "swap", "cache",
];

/// Words in the name of a telephone's number.
const PHONE_NAMES: &[&str] = &["phone", "mobile", "tel", "手机", "电话", "联系"];

fn cover_mobile(found: &Captures<'_>) -> String {
    let group = |n: usize| found.get(n).map_or("", |group| group.as_str());
    let (name, country, unit) = (group(1), group(2), group(8));
    let lower = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let country_or_gaps = !country.is_empty() || !group(4).is_empty() || !group(6).is_empty();
    // `used_memory:17179869184` is 16 GiB, and so is `17179869184 bytes`.
    let number = !unit.is_empty() || has(NUMBER_NAMES) || lower.contains('_');
    let phone = country_or_gaps || has(PHONE_NAMES) || !number;
    if !phone {
        return found[0].to_owned();
    }
    format!("{name}{country}{}****{}{unit}", group(3), group(7))
}
