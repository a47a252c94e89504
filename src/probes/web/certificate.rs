//! What a certificate says of itself.

use std::net::IpAddr;

use jiff::Timestamp;
use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    nid::Nid,
    pkey::{Id, PKeyRef, Public},
    x509::{X509NameRef, X509Ref},
};

/// How many of a certificate's names are told.
const NAMES: usize = 20;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// A certificate as a reader needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probes) struct Certificate {
    pub(in crate::probes) subject: String,
    pub(in crate::probes) issuer: String,
    /// For which hosts it stands: names and addresses.
    pub(in crate::probes) names: Vec<String>,
    /// Hexadecimal, as tools show it.
    pub(in crate::probes) serial: String,
    /// From when it is valid, in seconds since 1970; none when it can't be read.
    pub(in crate::probes) begins: Option<i64>,
    /// Until when, likewise.
    pub(in crate::probes) ends: Option<i64>,
    /// Kind and size of its key.
    pub(in crate::probes) key: String,
    pub(in crate::probes) signature: String,
    pub(in crate::probes) self_signed: bool,
    /// It says where its issuer's certificate can be had (RFC 5280, 4.2.2.1), as those of public
    /// authorities do.
    pub(in crate::probes) tells_issuer: bool,
}

impl Certificate {
    /// What `x509` says.
    pub(in crate::probes) fn of(x509: &X509Ref) -> Self {
        let subject = shown(x509.subject_name());
        let issuer = shown(x509.issuer_name());
        let self_signed = x509
            .subject_name()
            .try_cmp(x509.issuer_name())
            .is_ok_and(std::cmp::Ordering::is_eq);
        let serial = x509
            .serial_number()
            .to_bn()
            .and_then(|number| number.to_hex_str().map(|hex| hex.to_string()));
        Self {
            subject,
            issuer,
            names: names(x509),
            serial: serial.unwrap_or_default(),
            begins: seconds(x509.not_before()),
            ends: seconds(x509.not_after()),
            key: x509
                .public_key()
                .map_or_else(|_| "unknown".to_owned(), |key| key_shown(&key)),
            signature: signature(x509),
            self_signed,
            tells_issuer: x509.authority_info().is_some(),
        }
    }

    /// Whole days until it ends, at `now`: 0 on its last day, below 0 once it has ended.
    pub(in crate::probes) fn days_left(&self, now: i64) -> Option<i64> {
        Some((self.ends? - now).div_euclid(DAY_S))
    }

    /// One line of a chain.
    pub(in crate::probes) fn line(&self) -> String {
        format!(
            "{} (issued by {}, {} to {}, {})",
            self.subject,
            self.issuer,
            day(self.begins),
            day(self.ends),
            self.key
        )
    }
}

/// A moment for a reader, in UTC; a question mark for one that can't be read.
pub(in crate::probes) fn moment(seconds: Option<i64>) -> String {
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(|| "?".to_owned(), |at| at.strftime("%F %T UTC").to_string())
}

fn day(seconds: Option<i64>) -> String {
    moment(seconds).chars().take_while(|c| *c != ' ').collect()
}

fn seconds(time: &Asn1TimeRef) -> Option<i64> {
    let since = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    Some(i64::from(since.days) * DAY_S + i64::from(since.secs))
}

fn names(x509: &X509Ref) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in x509.subject_alt_names().iter().flatten() {
        if let Some(name) = name.dnsname() {
            found.push(name.to_owned());
        } else if let Some(bytes) = name.ipaddress() {
            found.extend(address(bytes).map(|address| address.to_string()));
        }
    }
    found.truncate(NAMES);
    found
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four));
    }
    Some(IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?))
}

/// The common name, and the organisation beside it where there is one; all parts of a name that
/// has neither.
fn shown(name: &X509NameRef) -> String {
    let first = |nid| {
        let entry = name.entries_by_nid(nid).next()?;
        entry.data().to_string().ok()
    };
    match (first(Nid::COMMONNAME), first(Nid::ORGANIZATIONNAME)) {
        (Some(common), Some(organisation)) if common != organisation => {
            format!("{common} ({organisation})")
        }
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => {
            let parts: Vec<String> = name
                .entries()
                .filter_map(|entry| entry.data().to_string().ok())
                .collect();
            if parts.is_empty() {
                "no name".to_owned()
            } else {
                parts.join(", ")
            }
        }
    }
}

fn signature(x509: &X509Ref) -> String {
    let nid = x509.signature_algorithm().object().nid();
    nid.long_name().unwrap_or("unknown").to_owned()
}

fn key_shown(key: &PKeyRef<Public>) -> String {
    let kind = match key.id() {
        Id::RSA => "RSA",
        Id::EC => "EC",
        Id::ED25519 => "Ed25519",
        Id::ED448 => "Ed448",
        Id::DSA => "DSA",
        _ => "key of",
    };
    format!("{kind} {} bit", key.bits())
}
