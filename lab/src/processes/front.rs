//! Nginx as a plain process: the image's configuration with this machine's ports and paths.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::{Processes, need};
use crate::error::{LabError, Result};
use crate::instance::{self, HTTPS};
use crate::service::Service;

/// The configuration, relative to `lab/`: the file that the image holds too.
const NGINX_CONF: &str = "images/nginx/nginx.conf";

/// Where bodies that do not fit into memory go; Debian's places belong to another user.
const TEMPORARY: [&str; 5] = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

impl Processes {
    /// The directory of Nginx: configuration, logs, process id.
    #[must_use]
    pub fn nginx_directory(&self) -> PathBuf {
        self.settings.state_dir.join("nginx")
    }

    /// The configuration in good health.
    ///
    /// # Errors
    /// When the image's file cannot be read.
    pub fn nginx_conf(&self) -> Result<String> {
        let path = self.settings.lab_dir.join(NGINX_CONF);
        let text = std::fs::read_to_string(&path).map_err(LabError::file("read", &path))?;
        let directory = self.nginx_directory().display().to_string();
        let user = if rustix::process::getuid().is_root() {
            "user root;"
        } else {
            "# user: the one that runs the lab"
        };
        let mut temporary = String::new();
        for kind in TEMPORARY {
            let _ = writeln!(temporary, "    {kind}_temp_path {directory}/{kind};");
        }
        let http = self.port(Service::Nginx);
        let https = instance::port_of(&self.ports, Service::Nginx, HTTPS);
        Ok(self
            .translated(&text)
            .replace("user www-data;", user)
            .replace("http {\n", &format!("http {{\n{temporary}"))
            .replace("/var/log/nginx/", &format!("{directory}/"))
            .replace("/run/nginx.pid", &format!("{directory}/nginx.pid"))
            .replace("listen 80", &format!("listen 127.0.0.1:{http}"))
            .replace("listen 443", &format!("listen 127.0.0.1:{https}")))
    }

    pub(super) fn nginx(&self) -> Result<Command> {
        let program = need("nginx", "nginx-light")?;
        let directory = self.nginx_directory();
        std::fs::create_dir_all(&directory).map_err(LabError::file("make", &directory))?;
        let conf = directory.join("nginx.conf");
        if !conf.is_file() {
            std::fs::write(&conf, self.nginx_conf()?).map_err(LabError::file("write", &conf))?;
        }
        let mut command = Command::new(program);
        command
            .arg("-p")
            .arg(&directory)
            .arg("-e")
            .arg(directory.join("error.log"))
            .arg("-c")
            .arg(&conf)
            .args(["-g", "daemon off;"]);
        Ok(command)
    }
}
