//! Probes of what a URL names: HTTP, certificates, DNS, connections.
//!
//! - `site`: a URL taken apart
//! - `way`: to a connection, each part timed
//! - `trust`, `certificate`: a handshake that describes what it finds wrong, and goes on
//! - `exchange`: one question in HTTP and its bounded answer
//! - `trouble`: why there is none, each reason told apart

mod certificate;
mod exchange;
mod site;
mod trouble;
mod trust;
mod way;

pub mod dns;
pub mod http;
pub mod tcp;
pub mod tls;

use indexmap::IndexMap;

pub(super) use self::{
    certificate::{Certificate, moment},
    exchange::{Answer, BodyEnd, Question, ask},
    site::{Scheme, Site},
    trouble::Trouble,
    trust::{Trust, shake},
    way::{Times, arrive, millis},
};
use crate::{
    app::Look,
    config::UrlTarget,
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        ids::TargetId,
    },
};

/// All URLs of the configuration.
pub(super) struct Urls {
    urls: IndexMap<TargetId, UrlTarget>,
    trust: Trust,
}

impl Urls {
    /// `urls`, nothing asked yet.
    pub(super) fn new(urls: IndexMap<TargetId, UrlTarget>) -> Self {
        Self {
            urls,
            trust: Trust::default(),
        }
    }

    /// Looks once; `None` when the probe is none of these.
    pub(super) async fn look(&self, look: &Look) -> Option<Result<Sighting, Blind>> {
        let target = self.urls.get(&look.target);
        let Some((target, site)) = target.and_then(|it| Some((it, Site::of(it)?))) else {
            return Some(Err(Blind::Unknown(Unseen::NoSuchTarget {
                name: look.target.to_string(),
            })));
        };
        let patience = look.patience();
        Some(match look.probe.as_str() {
            "http.get" => http::look(self, &site, &look.args, patience).await,
            "tls.certificate" => tls::look(self, &site, patience).await,
            "tcp.connect" => Ok(tcp::look(&site, &look.args, patience).await),
            "dns.lookup" => dns::look(target, &site, &look.args, patience).await,
            _ => return None,
        })
    }
}
