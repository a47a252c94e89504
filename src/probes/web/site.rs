//! What a URL of the configuration says: where it leads and under which name.

use std::net::IpAddr;

use reqwest::Url;

use crate::{
    config::{TlsFiles, UrlTarget},
    probes::net::host_port,
};

/// How one speaks there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probes) enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
    /// Any other protocol: only the connection is looked at.
    Tcp,
}

/// A URL taken apart, with what the configuration says about the way there.
#[derive(Clone, Debug)]
pub(in crate::probes) struct Site {
    pub(in crate::probes) scheme: Scheme,
    /// The host without brackets, in lower case.
    pub(in crate::probes) host: String,
    pub(in crate::probes) port: u16,
    /// Path and query, as they are sent.
    pub(in crate::probes) path: String,
    /// Where to connect instead of resolving the host.
    pub(in crate::probes) connect: Option<(String, u16)>,
    pub(in crate::probes) tls: TlsFiles,
}

impl Site {
    /// The site of a target; `None` when its URL can't be taken apart, which the configuration
    /// does not let through.
    pub(in crate::probes) fn of(target: &UrlTarget) -> Option<Self> {
        let url = Url::parse(&target.url).ok()?;
        Self::at(
            &url,
            target.connect.clone(),
            target.tls.clone().unwrap_or_default(),
        )
    }

    /// The site of `url`.
    pub(in crate::probes) fn at(
        url: &Url,
        connect: Option<(String, u16)>,
        tls: TlsFiles,
    ) -> Option<Self> {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "tcp" => Scheme::Tcp,
            _ => return None,
        };
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Some(Self {
            scheme,
            host: url.host_str()?.trim_matches(['[', ']']).to_owned(),
            port: url.port_or_known_default()?,
            path: if path.is_empty() {
                "/".to_owned()
            } else {
                path
            },
            connect,
            tls,
        })
    }

    /// The same site with another path.
    pub(in crate::probes) fn with_path(mut self, path: &str) -> Self {
        self.path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        self
    }

    /// The URL that `location` leads to from here, by the rules of a browser; the way stays the
    /// configured one as long as host and port do.
    pub(in crate::probes) fn follow(&self, location: &str) -> Option<Self> {
        let url = Url::parse(&self.url()).ok()?.join(location).ok()?;
        let mut next = Self::at(&url, None, self.tls.clone())?;
        if next.host == self.host && next.port == self.port {
            next.connect.clone_from(&self.connect);
        }
        (next.scheme != Scheme::Tcp).then_some(next)
    }

    /// The whole URL.
    fn url(&self) -> String {
        format!("{}://{}{}", self.word(), self.authority(), self.path)
    }

    /// The URL for a reader: without the query, which may hold a key.
    pub(in crate::probes) fn shown(&self) -> String {
        let path = self
            .path
            .split_once('?')
            .map_or(self.path.as_str(), |(path, _)| path);
        match self.scheme {
            Scheme::Tcp => format!("tcp://{}", self.authority()),
            _ => format!("{}://{}{path}", self.word(), self.authority()),
        }
    }

    /// Host and port as the `Host` header has them: the port only where it is not the scheme's own.
    pub(in crate::probes) fn authority(&self) -> String {
        let usual = match self.scheme {
            Scheme::Http => Some(80),
            Scheme::Https => Some(443),
            Scheme::Tcp => None,
        };
        if usual != Some(self.port) {
            return host_port(&self.host, self.port);
        }
        if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        }
    }

    /// Where the connection goes, as the configuration says it.
    pub(in crate::probes) fn address(&self) -> String {
        match &self.connect {
            Some((host, port)) => host_port(host, *port),
            None => host_port(&self.host, self.port),
        }
    }

    /// The host when it is an address and no name.
    pub(in crate::probes) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    fn word(&self) -> &'static str {
        match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Tcp => "tcp",
        }
    }
}
