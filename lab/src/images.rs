//! The mall's images: built from their Dockerfiles when they are missing or when their files have changed.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{BuildImageOptionsBuilder, CreateImageOptionsBuilder};
use futures_util::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use crate::base;
use crate::compose::Service;
use crate::error::{LabError, Result};
use crate::say;
use crate::settings::Settings;
use crate::tar;

/// How long a registry may take to begin with an answer before it counts as not answering.
const REGISTRY_ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// How long a whole pull may take.
const PULL_LIMIT: Duration = Duration::from_mins(5);

/// The label that carries the hash of the files that an image was built from.
const CONTEXT_LABEL: &str = "io.handbell.lab.context";

/// Makes sure that the image of a service is there and is of today's files.
///
/// # Errors
/// When a file of the build cannot be read, no base image can be had, or the build fails.
pub async fn ensure(settings: &Settings, docker: &Docker, service: &Service) -> Result<()> {
    let files = context(&settings.lab_dir.join(&service.build.context))?;
    let archive = tar::pack(&files);
    let hash = hex::encode(Sha256::digest(&archive));
    if label(docker, &service.image, CONTEXT_LABEL)
        .await?
        .is_some_and(|have| have == hash)
    {
        return Ok(());
    }
    let base = base_name(&files, service)?;
    if docker.inspect_image(&base).await.is_err() && !pull(docker, &base).await {
        base::import(settings, docker, &base).await?;
    }
    say::during(
        &format!("Building {}", service.image),
        build(docker, service, archive, &hash),
    )
    .await
}

/// A label of an image; `None` when there is no such image or label.
async fn label(docker: &Docker, image: &str, key: &str) -> Result<Option<String>> {
    match docker
        .inspect_image(image)
        .await
        .map_err(LabError::docker(format!("look at {image}")))
    {
        Ok(found) => Ok(found
            .config
            .and_then(|c| c.labels)
            .and_then(|mut labels| labels.remove(key))),
        Err(error) if error.is_docker_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The files of a build's directory, sorted by name, so that the same files give the same archive.
fn context(directory: &Path) -> Result<Vec<tar::Entry>> {
    let listing = std::fs::read_dir(directory).map_err(LabError::file("read", directory))?;
    let mut entries = Vec::new();
    for item in listing {
        let path = item.map_err(LabError::file("read", directory))?.path();
        let Some(name) = path
            .file_name()
            .and_then(|name| name.to_str())
            .filter(|_| path.is_file())
        else {
            continue;
        };
        let content = std::fs::read(&path).map_err(LabError::file("read", &path))?;
        entries.push(tar::Entry {
            path: name.to_owned(),
            mode: 0o644,
            owner: 0,
            content,
        });
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

/// What the Dockerfile builds on.
fn base_name(files: &[tar::Entry], service: &Service) -> Result<String> {
    let dockerfile = files
        .iter()
        .find(|file| file.path == service.build.dockerfile)
        .map(|file| file.content.as_slice());
    let text = String::from_utf8_lossy(dockerfile.unwrap_or_default());
    let from = text.lines().find_map(|line| line.strip_prefix("FROM "));
    from.map(|name| name.trim().to_owned())
        .ok_or_else(|| LabError::Content {
            path: service.build.context.join(&service.build.dockerfile),
            why: "has no line FROM".to_owned(),
        })
}

/// Tries to pull an image; says why it could not.
async fn pull(docker: &Docker, image: &str) -> bool {
    let (repo, tag) = image.split_once(':').unwrap_or((image, "latest"));
    let options = CreateImageOptionsBuilder::default()
        .from_image(repo)
        .tag(tag)
        .build();
    let mut stream = Box::pin(docker.create_image(Some(options), None, None));
    let work = async {
        match tokio::time::timeout(REGISTRY_ANSWER_LIMIT, stream.next()).await {
            Err(_) => {
                return Err(format!(
                    "no answer within {} s",
                    REGISTRY_ANSWER_LIMIT.as_secs()
                ));
            }
            Ok(None) => return Ok(()),
            Ok(Some(first)) => first.map_err(|error| error.to_string())?,
        };
        stream
            .try_for_each(|_| async { Ok(()) })
            .await
            .map_err(|error| error.to_string())
    };
    let result = say::during(
        &format!("Pulling {image}"),
        tokio::time::timeout(PULL_LIMIT, work),
    )
    .await;
    match result {
        Ok(Ok(())) => true,
        Ok(Err(why)) => {
            say::progress(format!("  no image registry gives it ({why})"));
            false
        }
        Err(_) => {
            say::progress(format!(
                "  it was not there after {} s",
                PULL_LIMIT.as_secs()
            ));
            false
        }
    }
}

async fn build(docker: &Docker, service: &Service, archive: Vec<u8>, hash: &str) -> Result<()> {
    let labels = HashMap::from([(CONTEXT_LABEL, hash)]);
    let options = BuildImageOptionsBuilder::default()
        .t(&service.image)
        .dockerfile(&service.build.dockerfile)
        .rm(true)
        .forcerm(true)
        .labels(&labels)
        .build();
    let mut stream = docker.build_image(options, None, Some(bollard::body_full(archive.into())));
    let mut last = String::new();
    while let Some(step) = stream.next().await {
        let step = step.map_err(LabError::docker(format!("build {}", service.image)))?;
        if let Some(why) = step.error_detail.and_then(|detail| detail.message) {
            return Err(LabError::Program {
                program: format!("the build of {}", service.image),
                why: format!("failed: {why} (after: {})", last.trim()),
            });
        }
        last = step.stream.unwrap_or(last);
    }
    Ok(())
}
