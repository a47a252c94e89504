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
