//! TLS over a stream.

use std::path::Path;

use native_tls::{Certificate, Identity, TlsConnector};
use tokio::time::{Instant, timeout_at};

use super::{Obstacle, Stream};
use crate::config::TlsFiles;

/// A TLS session with `host` over `stream`, until `end`. With an authority of its own (`files.ca`)
/// only that one is trusted; else the system's.
///
/// # Errors
/// A file that can't be read, or a handshake that fails, with the reason.
pub(in crate::probes) async fn secure<S: Stream>(
    host: &str,
    files: &TlsFiles,
    stream: S,
    end: Instant,
) -> Result<tokio_native_tls::TlsStream<S>, Obstacle> {
    let connector = tokio_native_tls::TlsConnector::from(connector(files).await?);
    match timeout_at(end, connector.connect(host, stream)).await {
        Ok(Ok(secured)) => Ok(secured),
        Ok(Err(error)) => Err(Obstacle::Tls(error.to_string())),
        Err(_) => Err(Obstacle::Tls(
            "the handshake was not answered in time".to_owned(),
        )),
    }
}

async fn connector(files: &TlsFiles) -> Result<TlsConnector, Obstacle> {
    let mut builder = TlsConnector::builder();
    if let Some(path) = &files.ca {
        let found =
            Certificate::stack_from_pem(&read(path).await?).map_err(|error| unfit(path, &error))?;
        if found.is_empty() {
            return Err(Obstacle::Tls(format!(
                "the file {} holds no certificate",
                path.display()
            )));
        }
        builder.disable_built_in_roots(true);
        for certificate in found {
            builder.add_root_certificate(certificate);
        }
    }
    if let (Some(cert), Some(key)) = (&files.cert, &files.key) {
        let identity = Identity::from_pkcs8(&read(cert).await?, &read(key).await?)
            .map_err(|error| unfit(key, &error))?;
        builder.identity(identity);
    }
    builder
        .build()
        .map_err(|error| Obstacle::Tls(error.to_string()))
}

async fn read(path: &Path) -> Result<Vec<u8>, Obstacle> {
    tokio::fs::read(path)
        .await
        .map_err(|error| Obstacle::of_file(path, &error))
}

fn unfit(path: &Path, error: &native_tls::Error) -> Obstacle {
    Obstacle::Tls(format!(
        "the file {} can't be used: {error}",
        path.display()
    ))
}
