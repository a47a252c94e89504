//! Logs: files of this machine or of a container, and what a container prints.
//!
//! - `source`: where a log is, and its newest part as lines with their times
//! - `tail`: a file of this machine, from its end
//! - `stamp`: when a line was written
//! - `search`: `log.search`
//! - `templates`: `log.templates`
//! - `shape`: a line without its numbers

mod shape;
mod source;
mod stamp;
mod tail;

pub mod search;
pub mod templates;

use std::path::Path;

use crate::{
    app::Look,
    config::{ContainerRef, Targets},
    domain::{
        diagnosis::{Blind, Sighting, Unseen},
        ids::TargetId,
        text::Text,
    },
    probes::docker::Engines,
};

pub(super) use source::{Source, Want, haul};

/// Looks once. `None` when the probe is not one of logs.
pub(super) async fn look(
    look: &Look,
    targets: &Targets,
    engines: &Engines,
) -> Option<Result<Sighting, Blind>> {
    let source = match source_of(&look.target, targets, engines) {
        Ok(source) => source,
        Err(blind) => return Some(Err(blind)),
    };
    Some(match look.probe.as_str() {
        "log.search" => search::look(source, &look.args, look.patience()).await,
        "log.templates" => templates::look(source, &look.args, look.patience()).await,
        _ => return None,
    })
}

/// Where the log of the target `name` is.
///
/// # Errors
/// There is no such target, or it has no log that is known.
pub(super) fn source_of<'a>(
    name: &TargetId,
    targets: &'a Targets,
    engines: &'a Engines,
) -> Result<Source<'a>, Blind> {
    let at = |container: &'a Option<ContainerRef>, path: &'a Path| match container {
        Some(container) => Ok(Source::Inside(
            engines.inside(container)?,
            path.to_str().unwrap_or_default(),
        )),
        None => Ok(Source::File(path)),
    };
    if let Some(log) = targets.log.get(name) {
        return at(&log.container, &log.file);
    }
    if let Some(nginx) = targets.nginx.get(name) {
        return at(&nginx.container, &nginx.error_log);
    }
    if let Some(container) = targets.container(name) {
        return Ok(Source::Printed(engines.inside(container)?));
    }
    if let Some(service) = targets.service.get(name) {
        let file = service.log.as_deref().map(Source::File);
        let journal = service.unit.as_deref().map(Source::Journal);
        return file.or(journal).ok_or_else(no_log);
    }
    if targets.kind(name.as_str()).is_some() {
        return Err(no_log());
    }
    Err(Blind::Unknown(Unseen::NoSuchTarget {
        name: name.to_string(),
    }))
}

fn no_log() -> Blind {
    Blind::NotApplicable(Text::new(
        "targets.toml names no log of this target: no container, no file, no unit",
        "targets.toml 没有为该目标指定日志：没有容器、文件或 systemd 单元",
    ))
}
