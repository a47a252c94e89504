//! Asking the mall's services over HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::error::{LabError, Result};
use crate::instance::{self, HTTPS, Ports};
use crate::keys::{MALL_SITE, WECHATPAY_SITE};
use crate::lab::Lab;
use crate::service::Service;

/// The longest body that is read, in bytes.
const BODY_BYTES: usize = 1 << 20;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body, or the beginning of it.
    pub body: String,
}

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Web {
    client: reqwest::Client,
    base: String,
}

impl Web {
    /// Asks this service. Its certificate is not judged: a broken one must not keep the lab from healing.
    ///
    /// # Errors
    /// When the service speaks no HTTP.
    pub fn of(ports: &Ports, service: Service) -> Result<Self> {
        let port = instance::port(ports, service);
        let base = match service {
            Service::Backend => format!("http://127.0.0.1:{port}"),
            Service::Nginx => {
                let https = instance::port_of(ports, service, HTTPS);
                format!("https://{MALL_SITE}:{https}")
            }
            Service::Wechatpay => format!("https://{WECHATPAY_SITE}:{port}"),
            Service::MysqlMaster | Service::RedisMaster | Service::Dns => {
                return Err(LabError::Refused(format!("{service} speaks no HTTP")));
            }
        };
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let client = reqwest::Client::builder()
            .resolve(MALL_SITE, here)
            .resolve(WECHATPAY_SITE, here)
            .tls_danger_accept_invalid_certs(true)
            .tls_danger_accept_invalid_hostnames(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| LabError::Refused(format!("no HTTP client: {error}")))?;
        Ok(Self { client, base })
    }

    /// Sends one request.
    ///
    /// # Errors
    /// Words, when no answer comes in time.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        limit: Duration,
    ) -> Result<Answer, String> {
        let method = method
            .parse()
            .map_err(|_| format!("{method} is no method"))?;
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .timeout(limit);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_owned());
        }
        let mut response = request.send().await.map_err(|error| innermost(&error))?;
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > BODY_BYTES {
                break;
            }
        }
        Ok(Answer {
            status,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

impl Lab {
    /// Asks a service.
    ///
    /// # Errors
    /// When no answer comes in time.
    pub async fn ask(
        &self,
        service: Service,
        method: &str,
        path: &str,
        body: Option<&str>,
        limit: Duration,
    ) -> Result<Answer> {
        Web::of(&self.state.ports, service)?
            .ask(method, path, body, limit)
            .await
            .map_err(|why| LabError::Refused(format!("{service} does not answer {path}: {why}")))
    }
}
