//! A certificate authority of one run, and a listener that speaks TLS as `discord.com`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::cut::Stream;

/// The names that the certificate is for.
const NAMES: [&str; 5] = [
    "discord.com",
    "gateway.discord.gg",
    "cdn.discordapp.com",
    "localhost",
    "127.0.0.1",
];
/// Time for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Finished handshakes that may wait to be taken.
const WAITING_MAX: usize = 64;

/// What making certificates gives: the configuration of the server, and the authority's certificate as PEM.
pub(crate) struct Identity {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) ca_pem: String,
}

/// Makes an authority and a certificate for `discord.com`. The authority's key is dropped here.
///
/// # Errors
/// When no key or certificate can be made.
pub(crate) fn identity() -> Result<Identity, Box<dyn std::error::Error + Send + Sync>> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::new(Vec::<String>::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(
        DnType::CommonName,
        "Handbell sandbox authority (this run only)",
    );
    let ca_certificate = ca.self_signed(&ca_key)?;
    let issuer = Issuer::new(ca, ca_key);

    let key = KeyPair::generate()?;
    let mut server = CertificateParams::new(NAMES.map(str::to_owned))?;
    server
        .distinguished_name
        .push(DnType::CommonName, "discord.com");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let certificate = server.signed_by(&key, &issuer)?;
    let chain = vec![certificate.der().clone(), ca_certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Identity {
        config: Arc::new(config),
        ca_pem: ca_certificate.pem(),
    })
}

/// A listener whose connections have finished their handshake. A slow handshake holds up nobody else.
pub(crate) struct TlsListener {
    ready: mpsc::Receiver<(Stream, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    /// Starts to accept on a socket; ends when the listener is dropped.
    ///
    /// # Errors
    /// When the socket has no address.
    pub(crate) fn new(socket: TcpListener, config: Arc<ServerConfig>) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let (sender, ready) = mpsc::channel(WAITING_MAX);
        tokio::spawn(accept(socket, TlsAcceptor::from(config), sender));
        Ok(Self { ready, address })
    }
}

async fn accept(
    socket: TcpListener,
    acceptor: TlsAcceptor,
    sender: mpsc::Sender<(Stream, SocketAddr)>,
) {
    loop {
        let accepted = tokio::select! {
            () = sender.closed() => return,
            accepted = socket.accept() => accepted,
        };
        let Ok((stream, from)) = accepted else {
            // Out of file descriptors, for instance: others may end meanwhile.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // Nobody takes it when the sandbox is stopping.
                let _ = sender.send((Stream::tls(stream), from)).await;
            }
        });
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
