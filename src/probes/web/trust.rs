//! A TLS handshake that goes on to its end whatever is wrong with the certificate, and tells what is.
//!
//! So an expired certificate is described, and what answers behind it is still seen. Who sends
//! anything of worth asks [`Papers::problem`] first.

use std::{
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use openssl::{
    error::ErrorStack,
    pkey::PKey,
    ssl::{ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslVerifyMode, SslVersion},
    x509::{
        X509, X509StoreContextRef,
        verify::{X509CheckFlags, X509VerifyFlags},
    },
};
use tokio::time::{Instant, timeout_at};
use tokio_openssl::SslStream;

use super::{
    certificate::Certificate,
    trouble::{Trouble, stranger},
};
use crate::{
    config::TlsFiles,
    probes::net::{Guarded, Obstacle, Stream},
};

/// How long the system's authorities are trusted as they were read: reading them takes some ten
/// milliseconds, and they change with the system's updates.
const SYSTEM_FOR: Duration = Duration::from_mins(1);

/// OpenSSL's security level for certificates that is asked for whatever the system's own default
/// is: at least 112 bits, so RSA from 2048 bits on and no SHA-1 (`SSL_CTX_set_security_level(3)`).
const AUTH_LEVEL: i32 = 2;

/// The problems of a certificate, the most telling first.
pub(in crate::probes) const PROBLEMS: &[&str] = &[
    "self-signed",
    "untrusted",
    "incomplete-chain",
    "name-mismatch",
    "not-yet-valid",
    "expired",
    "weak-key",
    "wrong-purpose",
    "other",
    "none",
];

/// Something that is wrong with a certificate or its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probes) struct Problem {
    /// One of [`PROBLEMS`].
    pub(in crate::probes) kind: &'static str,
    /// 0 is the server's own certificate, 1 its issuer's, and so on.
    pub(in crate::probes) depth: u32,
    /// Whose certificate it is.
    pub(in crate::probes) subject: String,
    /// OpenSSL's own words.
    pub(in crate::probes) said: String,
}

/// What a peer has shown in its handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probes) struct Papers {
    /// The server's own certificate first.
    pub(in crate::probes) chain: Vec<Certificate>,
    pub(in crate::probes) problems: Vec<Problem>,
    pub(in crate::probes) protocol: String,
    pub(in crate::probes) cipher: String,
    pub(in crate::probes) alpn: Option<String>,
}

impl Papers {
    /// The most telling problem.
    pub(in crate::probes) fn problem(&self) -> Option<&Problem> {
        let rank = |problem: &&Problem| PROBLEMS.iter().position(|kind| *kind == problem.kind);
        self.problems.iter().min_by_key(rank)
    }

    /// The trouble for a client that insists on a sound certificate.
    pub(in crate::probes) fn trouble(&self) -> Option<Trouble> {
        self.problem()
            .map(|problem| Trouble::Certificate(format!("{}: {}", problem.kind, problem.said)))
    }
}

/// Whom to trust, by configuration.
#[derive(Default)]
pub(in crate::probes) struct Trust {
    system: Mutex<Option<(Instant, SslContext)>>,
}

impl Trust {
    /// What a handshake needs under `files`. With an authority of its own (`files.ca`) only that
    /// one is trusted; else the system's.
    ///
    /// # Errors
    /// A file that can't be read or used.
    pub(in crate::probes) async fn context(
        &self,
        files: &TlsFiles,
    ) -> Result<SslContext, Obstacle> {
        if *files == TlsFiles::default() {
            return self.system();
        }
        let mut builder = bare().map_err(|error| broken(&error))?;
        match &files.ca {
            None => builder
                .set_default_verify_paths()
                .map_err(|error| broken(&error))?,
            Some(path) => authorities(&mut builder, path, &read(path).await?)?,
        }
        if let (Some(cert), Some(key)) = (&files.cert, &files.key) {
            identity(
                &mut builder,
                (cert, &read(cert).await?),
                (key, &read(key).await?),
            )?;
        }
        Ok(builder.build())
    }

    fn system(&self) -> Result<SslContext, Obstacle> {
        let mut kept = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, context)) = &*kept
            && read.elapsed() < SYSTEM_FOR
        {
            return Ok(context.clone());
        }
        let mut builder = bare().map_err(|error| broken(&error))?;
        builder
            .set_default_verify_paths()
            .map_err(|error| broken(&error))?;
        let context = builder.build();
        *kept = Some((Instant::now(), context.clone()));
        Ok(context)
    }
}

/// A client that speaks with old servers, too, so that they can be told of.
fn bare() -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls_client())?;
    builder.set_security_level(0);
    builder.set_min_proto_version(Some(SslVersion::TLS1))?;
    // What a browser offers (RFC 7301); the answer is told, HTTP/1.1 is spoken.
    builder.set_alpn_protos(b"\x08http/1.1")?;
    Ok(builder)
}

fn authorities(builder: &mut SslContextBuilder, path: &Path, pem: &[u8]) -> Result<(), Obstacle> {
    let found = X509::stack_from_pem(pem).map_err(|error| unfit(path, &error))?;
    if found.is_empty() {
        return Err(Obstacle::Tls(format!(
            "the file {} holds no certificate",
            path.display()
        )));
    }
    let store = builder.cert_store_mut();
    for certificate in found {
        store
            .add_cert(certificate)
            .map_err(|error| unfit(path, &error))?;
    }
    // Whoever is named is trusted, be it no root.
    store
        .set_flags(X509VerifyFlags::PARTIAL_CHAIN)
        .map_err(|error| broken(&error))
}

fn identity(
    builder: &mut SslContextBuilder,
    (cert, cert_pem): (&Path, &[u8]),
    (key, key_pem): (&Path, &[u8]),
) -> Result<(), Obstacle> {
    let chain = X509::stack_from_pem(cert_pem).map_err(|error| unfit(cert, &error))?;
    let mut chain = chain.into_iter();
    if let Some(own) = chain.next() {
        builder
            .set_certificate(&own)
            .map_err(|error| unfit(cert, &error))?;
    }
    for above in chain {
        builder
            .add_extra_chain_cert(above)
            .map_err(|error| unfit(cert, &error))?;
    }
    let private = PKey::private_key_from_pem(key_pem).map_err(|error| unfit(key, &error))?;
    builder
        .set_private_key(&private)
        .map_err(|error| unfit(key, &error))
}

/// Shakes hands with `host` over `stream` until `end`, and describes what the peer showed.
///
/// # Errors
/// There is no TLS session; what is merely wrong with the certificate is no error here.
pub(in crate::probes) async fn shake<S: Stream>(
    context: &SslContext,
    host: &str,
    stream: S,
    end: Instant,
) -> Result<(SslStream<Guarded<S>>, Papers), Trouble> {
    let heard: Arc<Mutex<Vec<Problem>>> = Arc::default();
    let ssl = prepared(context, host, &heard).map_err(|error| Trouble::from(broken(&error)))?;
    let (guarded, tap) = Guarded::new(stream);
    let mut stream = SslStream::new(ssl, guarded).map_err(|error| Trouble::from(broken(&error)))?;
    match timeout_at(end, Pin::new(&mut stream).connect()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(failed(&error, &tap.head())),
        Err(_) => return Err(Trouble::TlsTimeout),
    }
    let ssl = stream.ssl();
    let chain: Vec<Certificate> = match ssl.peer_cert_chain() {
        Some(chain) => chain.iter().map(Certificate::of).collect(),
        None => Vec::new(),
    };
    let heard = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
    let papers = Papers {
        problems: sorted(heard, &chain),
        chain,
        protocol: ssl.version_str().to_owned(),
        cipher: ssl
            .current_cipher()
            .map_or_else(String::new, |cipher| cipher.name().to_owned()),
        alpn: ssl
            .selected_alpn_protocol()
            .map(|name| String::from_utf8_lossy(name).into_owned()),
    };
    Ok((stream, papers))
}

fn prepared(
    context: &SslContext,
    host: &str,
    heard: &Arc<Mutex<Vec<Problem>>>,
) -> Result<Ssl, ErrorStack> {
    let mut ssl = Ssl::new(context)?;
    let param = ssl.param_mut();
    param.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
    param.set_auth_level(AUTH_LEVEL);
    if let Ok(address) = host.parse() {
        param.set_ip(address)?;
    } else {
        param.set_host(host)?;
        // An address is no server name (RFC 6066, 3).
        ssl.set_hostname(host)?;
    }
    let heard = Arc::clone(heard);
    ssl.set_verify_callback(SslVerifyMode::PEER, move |sound, found| {
        if !sound {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push(problem(found));
        }
        true
    });
    Ok(ssl)
}

fn problem(found: &X509StoreContextRef) -> Problem {
    let error = found.error();
    // The numbers of x509_vfy.h, which are a part of OpenSSL's interface.
    let kind = match error.as_raw() {
        9 => "not-yet-valid",
        10 => "expired",
        18 => "self-signed",
        2 | 20 | 21 => "incomplete-chain",
        19 | 27 | 28 => "untrusted",
        24 | 26 => "wrong-purpose",
        62 | 64 => "name-mismatch",
        66..=68 => "weak-key",
        _ => "other",
    };
    let subject = found
        .current_cert()
        .map_or_else(String::new, |one| Certificate::of(one).subject);
    Problem {
        kind,
        depth: found.error_depth(),
        subject,
        said: error.error_string().to_owned(),
    }
}

/// Each problem once. An issuer that is not at hand can mean two things: the server leaves a part
/// of its chain out, or the authority is none that is trusted. Certificates of public authorities
/// tell where their issuer's can be had; with one of these the first is meant, else the second.
fn sorted(heard: Vec<Problem>, chain: &[Certificate]) -> Vec<Problem> {
    let may_be_incomplete = chain.last().is_some_and(|last| last.tells_issuer);
    let mut found: Vec<Problem> = Vec::new();
    for mut problem in heard {
        if problem.kind == "incomplete-chain" && !may_be_incomplete {
            problem.kind = "untrusted";
        }
        let known = found
            .iter()
            .any(|other| other.kind == problem.kind && other.depth == problem.depth);
        if !known {
            found.push(problem);
        }
    }
    found
}

/// The trouble behind a handshake that failed, with what the peer was heard to say.
fn failed(error: &openssl::ssl::Error, head: &[u8]) -> Trouble {
    /// The first bytes of TLS: a handshake or an alert (RFC 8446, 5.1).
    const TLS: [u8; 2] = [0x16, 0x15];
    if head.first().is_some_and(|first| !TLS.contains(first)) {
        return stranger("TLS", head);
    }
    let reason = error.ssl_error().and_then(|stack| {
        stack
            .errors()
            .last()
            .and_then(openssl::error::Error::reason)
    });
    match (reason, error.io_error()) {
        (Some(reason), _) if !reason.contains("unexpected eof") => Trouble::Tls(reason.to_owned()),
        (_, Some(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            Trouble::Cut(format!("during the TLS handshake: {error}"))
        }
        _ if head.is_empty() || error.code() == ErrorCode::SYSCALL => {
            Trouble::Cut("it closed the connection during the TLS handshake".to_owned())
        }
        (Some(_), _) => {
            Trouble::Cut("it closed the connection during the TLS handshake".to_owned())
        }
        _ => Trouble::Tls(error.to_string()),
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, Obstacle> {
    tokio::fs::read(path)
        .await
        .map_err(|error| Obstacle::of_file(path, &error))
}

fn unfit(path: &Path, error: &ErrorStack) -> Obstacle {
    let reason = error
        .errors()
        .first()
        .and_then(openssl::error::Error::reason)
        .unwrap_or("it can't be read");
    Obstacle::Tls(format!(
        "the file {} can't be used: {reason}",
        path.display()
    ))
}

fn broken(error: &ErrorStack) -> Obstacle {
    Obstacle::Tls(format!("OpenSSL can't be set up: {error}"))
}
