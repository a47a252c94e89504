//! An Nginx, on this machine or in a container, and the files of its configuration.

use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use super::syntax::{self, Config};
use crate::{
    config::Nginx,
    domain::diagnosis::{Blind, Unseen},
    probes::docker::{Entry, Failure, Inside},
};

/// The most that is read of all files of a configuration, in bytes.
const CONFIG_BYTES: usize = 4 * 1024 * 1024;

/// How many files are read, at most.
const FILES: usize = 2_000;

/// Directories beyond the main one that are followed, at most.
const ELSEWHERE: usize = 8;

/// How many links are followed from one file to the next.
const LINKS: usize = 8;

/// An Nginx, as one look may use it.
pub(super) struct Server<'a> {
    pub(super) nginx: &'a Nginx,
    pub(super) inside: Option<Inside<'a>>,
    pub(super) patience: Duration,
    pub(super) end: Instant,
}

type Texts = BTreeMap<String, String>;

impl Server<'_> {
    /// The path of its configuration.
    pub(super) fn config(&self) -> &str {
        self.nginx.config.to_str().unwrap_or_default()
    }

    /// What its configuration says, includes followed.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) async fn read(&self) -> Result<Config, Blind> {
        let main = self.config();
        let directory = main
            .rsplit_once('/')
            .map_or("/", |(directory, _)| directory);
        let mut files = self.files(directory).await?.unwrap_or_default();
        if !files.contains_key(main) {
            return Err(Blind::Unknown(Unseen::NoSuchPath {
                path: self.place(main),
            }));
        }
        let mut config = syntax::read(main, &files);
        let mut fetched = 0;
        while let Some(next) = config.elsewhere.iter().find(|at| !files.contains_key(*at)) {
            if fetched == ELSEWHERE {
                break;
            }
            fetched += 1;
            let next = next.clone();
            if let Ok(Some(more)) = self.files(&next).await {
                files.extend(more);
            }
            // A mark that it was looked at, whatever was there.
            files.insert(next, String::new());
            config = syntax::read(main, &files);
        }
        Ok(config)
    }

    /// `path` as the reader knows it.
    pub(super) fn place(&self, path: &str) -> String {
        match &self.inside {
            Some(inside) => format!("{}:{path}", inside.name),
            None => path.to_owned(),
        }
    }

    /// Why a container could not be asked.
    pub(super) fn blind(&self, failure: &Failure) -> Blind {
        match &self.inside {
            Some(inside) => inside.blind(failure, self.patience),
            None => Blind::Unknown(Unseen::TimedOut {
                after_ms: u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }

    async fn files(&self, directory: &str) -> Result<Option<Texts>, Blind> {
        let Some(inside) = &self.inside else {
            let directory = PathBuf::from(directory);
            let work = spawn_blocking(move || {
                let mut found = Texts::new();
                let mut left = CONFIG_BYTES;
                collect(&directory, 0, &mut found, &mut left);
                found
            });
            return match timeout_at(self.end, work).await {
                Ok(Ok(found)) => Ok(Some(found)),
                _ => Err(self.blind(&Failure::TimedOut)),
            };
        };
        let read = inside.files(directory, CONFIG_BYTES, self.end).await;
        let read = read.map_err(|failure| self.blind(&failure))?;
        Ok(read.map(|(entries, _)| resolved(&entries)))
    }
}

/// All files below a directory, as text.
fn collect(directory: &Path, depth: usize, found: &mut Texts, left: &mut usize) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(about) = fs::metadata(&path) else {
            continue;
        };
        if about.is_dir() && depth < 4 {
            collect(&path, depth + 1, found, left);
        }
        let size = usize::try_from(about.len()).unwrap_or(usize::MAX);
        if !about.is_file() || size > *left || found.len() >= FILES {
            continue;
        }
        if let Ok(bytes) = fs::read(&path) {
            *left -= size;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            found.insert(path.display().to_string(), text);
        }
    }
}

/// Links that stay among the files are followed.
fn resolved(entries: &BTreeMap<String, Entry>) -> Texts {
    let mut found = Texts::new();
    for path in entries.keys().take(FILES) {
        let mut at = path.clone();
        for _ in 0..LINKS {
            match entries.get(&at) {
                Some(Entry::File(bytes)) => {
                    found.insert(path.clone(), String::from_utf8_lossy(bytes).into_owned());
                    break;
                }
                Some(Entry::Link(to)) => at = joined(&at, to),
                None => break,
            }
        }
    }
    found
}

/// Where a link at `at` leads to.
fn joined(at: &str, to: &str) -> String {
    let base = Path::new(at).parent().unwrap_or(Path::new("/"));
    let mut out = PathBuf::new();
    for part in base.join(to).components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out.display().to_string()
}
