//! Files of the mall that a fault changes, and how they are put back exactly.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use rustix::process::Signal;

use crate::error::{LabError, Result};
use crate::instance::{self, HTTPS};
use crate::keys::{Keys, MALL_SITE, WECHATPAY_SITE, Wanted};
use crate::lab::{Lab, World};
use crate::process::Process;
use crate::processes::remove_directory;
use crate::service::Service;
use crate::step::{CertificateKind, FileName, Replacement};

/// Every file that a fault may change.
const FILES: [FileName; 5] = [
    FileName::NginxConf,
    FileName::FirstZone,
    FileName::SecondZone,
    FileName::ConfigJs,
    FileName::Targets,
];

/// How long an expiring certificate is still valid, in days, where the fault does not say.
const EXPIRING_DAYS: u16 = 7;

/// The name of a certificate for another site, where the fault does not say.
const OTHER_SITE: &str = "shop.example.org";

/// How often one looks whether a server shows its new certificate, with which pause, and how long it may take to answer.
const SHOWN_TRIES: u32 = 100;
const SHOWN_PAUSE: Duration = Duration::from_millis(100);
const SHOWN_WAIT: Duration = Duration::from_secs(2);

/// Where a file is.
enum Spot {
    /// In a container: the directory and the name.
    Container(Service, &'static str, &'static str),
    /// On this machine.
    Here(PathBuf),
}

impl Lab {
    fn spot(&self, file: FileName) -> Spot {
        let state = &self.settings.state_dir;
        match (&self.world, file) {
            (_, FileName::ConfigJs) => Spot::Here(state.join("miniprogram/config.js")),
            (_, FileName::Targets) => Spot::Here(state.join("config/targets.toml")),
            (World::Docker(_), FileName::NginxConf) => {
                Spot::Container(Service::Nginx, "/etc/nginx", "nginx.conf")
            }
            (World::Docker(_), FileName::FirstZone | FileName::SecondZone) => {
                Spot::Container(Service::Dns, "/app", file.words())
            }
            (World::Processes(_), FileName::NginxConf) => {
                Spot::Here(state.join("nginx/nginx.conf"))
            }
            (World::Processes(_), FileName::FirstZone | FileName::SecondZone) => {
                Spot::Here(state.join("dns-data").join(file.words()))
            }
        }
    }

    async fn read_spot(&self, spot: &Spot) -> Result<Vec<u8>> {
        match spot {
            Spot::Container(service, directory, name) => {
                self.containers()?
                    .get_file(service.key(), &format!("{directory}/{name}"))
                    .await
            }
            Spot::Here(path) => std::fs::read(path).map_err(LabError::file("read", path)),
        }
    }

    /// The file keeps its place on the disk: a container may have it mounted.
    async fn write_spot(&self, spot: &Spot, content: &[u8]) -> Result<()> {
        match spot {
            Spot::Container(service, directory, name) => {
                self.containers()?
                    .put_file(service.key(), directory, name, content)
                    .await
            }
            Spot::Here(path) => {
                std::fs::write(path, content).map_err(LabError::file("write", path))
            }
        }
    }

    /// Puts the mini program's settings where the configuration looks for them.
    pub(crate) fn lay_out_files(&self) -> Result<()> {
        let from = self.settings.lab_dir.join("miniprogram/config.js");
        let to = self.settings.state_dir.join("miniprogram");
        std::fs::create_dir_all(&to).map_err(LabError::file("make", &to))?;
        std::fs::copy(&from, to.join("config.js"))
            .map(|_| ())
            .map_err(LabError::file("copy", &from))
    }

    fn originals(&self) -> PathBuf {
        self.settings.state_dir.join("originals")
    }

    /// Keeps what a file was before the first change.
    fn keep(&self, name: &str, content: &[u8]) -> Result<()> {
        let directory = self.originals();
        std::fs::create_dir_all(&directory).map_err(LabError::file("make", &directory))?;
        let path = directory.join(name);
        if path.exists() {
            return Ok(());
        }
        std::fs::write(&path, content).map_err(LabError::file("write", &path))
    }

    pub(crate) async fn put_file(
        &self,
        file: FileName,
        content: Option<&str>,
        replace: &[Replacement],
        append: Option<&str>,
    ) -> Result<()> {
        let spot = self.spot(file);
        let before = self.read_spot(&spot).await?;
        self.keep(file.words(), &before)?;
        let mut text = content.map_or_else(
            || String::from_utf8_lossy(&before).into_owned(),
            str::to_owned,
        );
        for Replacement { from, to } in replace {
            // A container's address in a fault is this machine's where the servers are plain processes.
            let (from, to) = match &self.world {
                World::Docker(_) => (from.clone(), to.clone()),
                World::Processes(processes) => (processes.here_in(from), processes.here_in(to)),
            };
            if !text.contains(&from) {
                return Err(LabError::Refused(format!(
                    "{} has no {from:?} in it",
                    file.words()
                )));
            }
            text = text.replace(&from, &to);
        }
        text.push_str(append.unwrap_or_default());
        self.write_spot(&spot, text.as_bytes()).await
    }

    pub(crate) async fn certify(
        &self,
        service: Service,
        kind: CertificateKind,
        days: Option<u16>,
        name: Option<&str>,
    ) -> Result<()> {
        let site = site(service)?;
        let mut wanted = Wanted::good(site);
        match kind {
            CertificateKind::Good => {}
            CertificateKind::Expired => (wanted.from_days, wanted.until_days) = (-90, -1),
            CertificateKind::Expiring => {
                wanted.from_days = -80;
                wanted.until_days = i64::from(days.unwrap_or(EXPIRING_DAYS));
            }
            CertificateKind::NotYetValid => wanted.from_days = 1,
            CertificateKind::WrongName => {
                wanted.names = vec![name.unwrap_or(OTHER_SITE).to_owned()];
            }
            CertificateKind::SelfSigned => wanted.self_signed = true,
        }
        let keys = Keys::of(&self.settings.state_dir);
        let pair = keys.issue(&wanted)?;
        let (certificate, key) = keys.site(site);
        for (path, content) in [(&certificate, &pair.certificate), (&key, &pair.key)] {
            let before = std::fs::read(path).map_err(LabError::file("read", path))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            self.keep(&name, &before)?;
            std::fs::write(path, content).map_err(LabError::file("write", path))?;
        }
        self.reread(service).await?;
        self.shows(service, &pair.certificate).await
    }

    /// Waits until a server that runs shows this certificate: workers of before may still answer.
    async fn shows(&self, service: Service, certificate: &[u8]) -> Result<()> {
        let port = match service {
            Service::Nginx => instance::port_of(&self.state.ports, service, HTTPS),
            other => instance::port(&self.state.ports, other),
        };
        let wanted = X509::from_pem(certificate)
            .and_then(|it| it.to_der())
            .map_err(|error| LabError::Refused(format!("an issued certificate: {error}")))?;
        for _ in 0..SHOWN_TRIES {
            let shown = tokio::task::spawn_blocking(move || shown(port)).await;
            match shown.ok().flatten() {
                Some(shown) if shown == wanted => return Ok(()),
                // It does not run, so it will read its files when it starts.
                None => return Ok(()),
                Some(_) => tokio::time::sleep(SHOWN_PAUSE).await,
            }
        }
        Err(LabError::Refused(format!(
            "{service} goes on showing its old certificate"
        )))
    }

    /// Lets a server read its files again.
    async fn reread(&self, service: Service) -> Result<()> {
        let runs = match &self.world {
            World::Docker(containers) => containers
                .state(service.key())
                .await?
                .is_some_and(|(state, _)| state.running == Some(true)),
            World::Processes(_) => self
                .state
                .servers
                .get(service.key())
                .is_some_and(Process::runs),
        };
        if runs {
            self.signal(service, "SIGHUP", Signal::HUP).await?;
        }
        Ok(())
    }

    /// Puts every changed file back, and lets its server read it.
    ///
    /// # Errors
    /// When one cannot be written.
    pub(crate) async fn restore_files(&self) -> Result<()> {
        let directory = self.originals();
        if !directory.is_dir() {
            return Ok(());
        }
        for file in FILES {
            let path = directory.join(file.words());
            if let Ok(content) = std::fs::read(&path) {
                self.write_spot(&self.spot(file), &content).await?;
                if let Some(service) = file.service() {
                    self.reread(service).await?;
                }
            }
        }
        let keys = Keys::of(&self.settings.state_dir);
        for service in [Service::Nginx, Service::Wechatpay] {
            let (certificate, key) = keys.site(site(service)?);
            let mut changed = false;
            for path in [certificate, key] {
                let kept = directory.join(path.file_name().unwrap_or_default());
                if let Ok(content) = std::fs::read(&kept) {
                    std::fs::write(&path, content).map_err(LabError::file("write", &path))?;
                    changed = true;
                }
            }
            if changed {
                self.reread(service).await?;
                let content = std::fs::read(keys.site(site(service)?).0);
                if let Ok(content) = content {
                    self.shows(service, &content).await?;
                }
            }
        }
        remove_directory(&directory)
    }
}

/// The certificate, DER, that a server on this port shows; `None` when there is none.
fn shown(port: u16) -> Option<Vec<u8>> {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&here, SHOWN_WAIT).ok()?;
    stream.set_read_timeout(Some(SHOWN_WAIT)).ok()?;
    let mut client = SslConnector::builder(SslMethod::tls_client()).ok()?;
    client.set_verify(SslVerifyMode::NONE);
    let client = client.build().configure().ok()?;
    let secured = client
        .verify_hostname(false)
        .connect(MALL_SITE, stream)
        .ok()?;
    secured.ssl().peer_certificate()?.to_der().ok()
}

fn site(service: Service) -> Result<&'static str> {
    match service {
        Service::Nginx => Ok(MALL_SITE),
        Service::Wechatpay => Ok(WECHATPAY_SITE),
        _ => Err(LabError::Refused(format!("{service} has no certificate"))),
    }
}
