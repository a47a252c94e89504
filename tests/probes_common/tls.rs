//! Certificates of an authority that lives as long as one test.

use std::path::{Path, PathBuf};

use handbell::config::TlsFiles;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Files in a directory: the authority's certificate, and one of it for the machine itself, which
/// serves a server and a client.
pub(crate) struct Papers {
    pub(crate) ca: PathBuf,
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

impl Papers {
    /// New ones in `dir`.
    pub(crate) fn make(dir: &Path) -> Self {
        let ca_key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).expect("a certificate");
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().expect("a key");
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut leaf = CertificateParams::new(names).expect("a name");
        leaf.distinguished_name
            .push(DnType::CommonName, "a server of a test");
        let cert = leaf.signed_by(&key, &issuer).expect("a certificate");
        let put = |name: &str, text: String| {
            let path = dir.join(name);
            std::fs::write(&path, text).expect("a file");
            path
        };
        Self {
            ca: put("ca.pem", ca.pem()),
            cert: put("cert.pem", cert.pem()),
            key: put("key.pem", key.serialize_pem()),
        }
    }

    /// What a client needs who trusts the authority and shows its own certificate.
    pub(crate) fn client(&self) -> TlsFiles {
        TlsFiles {
            ca: Some(self.ca.clone()),
            cert: Some(self.cert.clone()),
            key: Some(self.key.clone()),
        }
    }
}

/// A certificate of a test's authority, with what is wrong with it.
pub(crate) struct Paper {
    /// The certificate, and those above it that the server sends.
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

/// How a certificate of [`Authority`] is made.
#[derive(Clone)]
pub(crate) struct Wish<'a> {
    pub(crate) names: &'a [&'a str],
    /// From how many days from now it is valid, and until how many.
    pub(crate) days: (i64, i64),
    /// It is signed by its own key.
    pub(crate) self_signed: bool,
    /// It says where its issuer's certificate can be had.
    pub(crate) tells_issuer: bool,
}

impl Default for Wish<'_> {
    fn default() -> Self {
        Self {
            names: &["api.mall.com"],
            days: (-1, 90),
            self_signed: false,
            tells_issuer: false,
        }
    }
}

/// An authority whose certificates can be wrong in every way.
pub(crate) struct Authority {
    dir: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, PEM.
    pub(crate) ca: PathBuf,
}

impl Authority {
    /// A new one with its files in `dir`.
    pub(crate) fn new(dir: &Path, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let cert = params.self_signed(&key).expect("a certificate");
        let ca = dir.join(format!("{name}.pem").replace(' ', "-"));
        std::fs::write(&ca, cert.pem()).expect("a file");
        Self {
            dir: dir.to_owned(),
            issuer: Issuer::new(params, key),
            ca,
        }
    }

    /// A certificate called `file`.
    pub(crate) fn issue(&self, file: &str, wish: &Wish<'_>) -> Paper {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = wish.names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, wish.names[0]);
        let day = |days: i64| rcgen::date_time_ymd(1970, 1, 1) + days_from_now(days);
        params.not_before = day(wish.days.0);
        params.not_after = day(wish.days.1);
        if wish.tells_issuer {
            params.custom_extensions.push(authority_information());
        }
        let cert = if wish.self_signed {
            params.self_signed(&key)
        } else {
            params.signed_by(&key, &self.issuer)
        };
        let put = |name: String, text: String| {
            let path = self.dir.join(name);
            std::fs::write(&path, text).expect("a file");
            path
        };
        Paper {
            chain: put(format!("{file}.pem"), cert.expect("a certificate").pem()),
            key: put(format!("{file}.key"), key.serialize_pem()),
        }
    }

    /// Who trusts this authority.
    pub(crate) fn trusting(&self) -> TlsFiles {
        TlsFiles {
            ca: Some(self.ca.clone()),
            ..TlsFiles::default()
        }
    }
}

fn days_from_now(days: i64) -> std::time::Duration {
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("a time after 1970")
        .as_secs();
    let then = i64::try_from(now).expect("a time") + days * 86_400;
    std::time::Duration::from_secs(u64::try_from(then).expect("a time after 1970"))
}

/// Where the issuer's certificate is (RFC 5280, 4.2.2.1): caIssuers, `http://ca.test/ca.der`.
fn authority_information() -> rcgen::CustomExtension {
    const OID: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
    let url = b"http://ca.test/ca.der";
    let length = |n: usize| u8::try_from(n).expect("a short one");
    let mut method = vec![0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    method.extend([0x86, length(url.len())]);
    method.extend(url);
    let mut description = vec![0x30, length(method.len())];
    description.extend(method);
    let mut all = vec![0x30, length(description.len())];
    all.extend(description);
    rcgen::CustomExtension::from_oid_content(OID, all)
}
