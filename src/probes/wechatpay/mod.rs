//! Probes of WeChat Pay, through its API v3. They ask and change nothing.
//!
//! - `keys`: sign, verify, decrypt; no key is ever printed
//! - `client`: one signed question and its verified answer
//! - `state`: what came of it, each reason told apart

mod client;
mod keys;
mod state;

pub mod order;
pub mod ready;
pub mod settled;

use std::time::Duration;

use indexmap::IndexMap;

use self::{client::Client, keys::Keys};
use crate::{
    app::Look,
    config::Wechatpay,
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        ids::TargetId,
    },
    probes::{
        docker::Engines,
        mysql,
        web::{Trouble, Trust},
    },
};

/// All merchants of the configuration.
pub(super) struct Merchants {
    merchants: IndexMap<TargetId, Wechatpay>,
    trust: Trust,
}

impl Merchants {
    /// `merchants`, nothing asked yet.
    pub(super) fn new(merchants: IndexMap<TargetId, Wechatpay>) -> Self {
        Self {
            merchants,
            trust: Trust::default(),
        }
    }

    /// Looks once; `None` when the probe is none of these.
    pub(super) async fn look(&self, look: &Look) -> Option<Result<Sighting, Blind>> {
        let Some(merchant) = self.merchants.get(&look.target) else {
            return Some(Err(Blind::Unknown(Unseen::NoSuchTarget {
                name: look.target.to_string(),
            })));
        };
        let patience = look.patience();
        Some(match look.probe.as_str() {
            "wechatpay.order" => order::look(self, merchant, &look.args, patience).await,
            "wechatpay.ready" => ready::look(self, merchant, patience).await,
            _ => return None,
        })
    }

    /// The same with the shop's databases beside.
    pub(super) async fn compare(
        &self,
        look: &Look,
        databases: &mysql::Servers,
        engines: &Engines,
    ) -> Option<Result<Sighting, Blind>> {
        let Some(merchant) = self.merchants.get(&look.target) else {
            return Some(Err(Blind::Unknown(Unseen::NoSuchTarget {
                name: look.target.to_string(),
            })));
        };
        match look.probe.as_str() {
            "payment.orders" => {
                Some(settled::look(self, merchant, (databases, engines), look).await)
            }
            _ => None,
        }
    }

    async fn client<'a>(
        &self,
        merchant: &'a Wechatpay,
        keys: &'a Keys,
        patience: Duration,
    ) -> Result<Client<'a>, Blind> {
        let site = client::site(merchant).ok_or_else(|| {
            Blind::Unknown(Unseen::Broken {
                reference: "wechatpay, url".to_owned(),
            })
        })?;
        let address = site.address();
        Client::new(merchant, keys, site, &self.trust)
            .await
            .map_err(|obstacle| Blind::Unknown(Trouble::from(obstacle).unseen(&address, patience)))
    }
}
