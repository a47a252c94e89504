//! `docker.df`: what the engine's images, containers, volumes and build cache take, and how much
//! of it could be given back.
//!
//! Adding up can take the engine longer than anybody waits (it walks every volume), and it adds
//! up once at a time: an answer that does not come in time is said, not waited for.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit},
    probes::{
        docker::{client::Engine, failure::Failure},
        seen::Seen,
        shown::{bytes_shown, percent},
        spec::{bytes, count, float, text, texts},
    },
};

/// What an engine says that adds up for somebody else.
const ALREADY: &str = "disk usage operation is already running";

/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// How many of the largest are told, of each kind.
const TOP: usize = 5;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "docker.df",
    summary: "what images, containers, volumes and build cache of the engine take on disk, and how much of it nothing uses",
    targets: &[TargetKind::Docker],
    args: &[],
    facts: &[
        bytes("total_bytes", "all of it"),
        bytes(
            "reclaimable_bytes",
            "what nothing uses: images without a container, stopped containers, volumes without a container, build cache",
        ),
        float("reclaimable_percent", Unit::Percent, "of all of it").optional(),
        count("images", "images"),
        count("images_unused", "those that no container was made from"),
        bytes("images_bytes", "what all layers take"),
        bytes(
            "images_reclaimable_bytes",
            "what the images that no container was made from take, layers that others share left out",
        ),
        count("containers", "containers"),
        bytes("containers_bytes", "what they have written"),
        bytes(
            "containers_reclaimable_bytes",
            "what those have written that do not run",
        ),
        text("largest_container", "the one that has written most").optional(),
        bytes("largest_container_bytes", "how much that is"),
        count("volumes", "volumes"),
        count("volumes_unused", "those that no container uses"),
        bytes("volumes_bytes", "what they hold"),
        bytes(
            "volumes_reclaimable_bytes",
            "what those hold that no container uses",
        ),
        text("largest_volume", "the one that holds most").optional(),
        bytes("largest_volume_bytes", "how much that is"),
        bytes("build_cache_bytes", "what the build cache takes"),
        bytes("build_cache_reclaimable_bytes", "what of it is not in use"),
        texts("largest", "the largest of each kind, one line each"),
    ],
    per_key: None,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Usage {
    /// Every engine tells it, be it 0.
    layers_size: Option<i64>,
    images: Option<Vec<Image>>,
    containers: Option<Vec<Container>>,
    volumes: Option<Vec<Volume>>,
    build_cache: Option<Vec<Cache>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Image {
    id: String,
    repo_tags: Option<Vec<String>>,
    size: i64,
    shared_size: i64,
    containers: i64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Container {
    names: Vec<String>,
    size_rw: i64,
    state: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Volume {
    name: String,
    usage_data: Option<Used>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Used {
    size: i64,
    ref_count: i64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Cache {
    size: i64,
    in_use: bool,
    shared: bool,
}

/// Adds up.
///
/// # Errors
/// The engine could not be asked, or was not done in time.
pub(in crate::probes::docker) async fn look(
    engine: &Engine,
    patience: Duration,
) -> Result<Sighting, Blind> {
    let asked = timeout_at(Instant::now() + patience, added_up(engine)).await;
    let usage = asked
        .unwrap_or(Err(Failure::TimedOut))
        .map_err(|failure| Blind::Unknown(failure.unseen(engine.address(), "", patience)))?;
    let mut seen = Seen::new(&SPEC);
    let mut largest = Vec::new();
    let parts = [
        images(&mut seen, &usage, &mut largest),
        containers(&mut seen, &usage, &mut largest),
        volumes(&mut seen, &usage, &mut largest),
        cache(&mut seen, &usage),
    ];
    let total: i64 = parts.iter().map(|(all, _)| all).sum();
    let free: i64 = parts.iter().map(|(_, free)| free).sum();
    seen.fact("total_bytes", total)
        .fact("reclaimable_bytes", free)
        .fact("reclaimable_percent", percent(free, total));
    for (name, (all, free)) in ["images", "containers", "volumes", "build cache"]
        .iter()
        .zip(parts)
    {
        seen.line(format!(
            "{name}: {}, of which {} unused",
            bytes_shown(all),
            bytes_shown(free)
        ));
    }
    for line in &largest {
        seen.line(line);
    }
    seen.fact("largest", largest);
    Ok(seen.done())
}

/// What the engine adds up. From version 1.52 of its interface on it may leave out the lists unless
/// an older version is asked.
async fn added_up(engine: &Engine) -> Result<Usage, Failure> {
    for path in ["/system/df", "/v1.44/system/df"] {
        let usage: Usage = in_turn(engine, path).await?;
        if usage.layers_size.is_some() {
            return Ok(usage);
        }
    }
    Err(Failure::Stranger("it does not tell LayersSize".to_owned()))
}

/// What `path` answers. The engine adds up for one client at a time and refuses others meanwhile
/// (`daemon/disk_usage.go`): they ask again until the look's patience ends.
async fn in_turn(engine: &Engine, path: &str) -> Result<Usage, Failure> {
    loop {
        match engine.get_json(path).await {
            Err(Failure::Said(_, words)) if words.contains(ALREADY) => sleep(ASK_EVERY).await,
            answer => return answer,
        }
    }
}

/// The first [`TOP`] of `sizes` by size, as lines.
fn top(kind: &str, mut sizes: Vec<(String, i64)>, into: &mut Vec<String>) -> Option<(String, i64)> {
    sizes.sort_by(|(a, one), (b, two)| two.cmp(one).then_with(|| a.cmp(b)));
    for (name, size) in sizes.iter().take(TOP).filter(|(_, size)| *size > 0) {
        into.push(format!("{kind} {name}: {}", bytes_shown(*size)));
    }
    sizes.into_iter().next().filter(|(_, size)| *size > 0)
}

fn images(seen: &mut Seen, usage: &Usage, largest: &mut Vec<String>) -> (i64, i64) {
    let all = usage.images.as_deref().unwrap_or_default();
    // The engine counts the containers of an image only here; -1 means that it did not.
    let unused: Vec<&Image> = all.iter().filter(|image| image.containers == 0).collect();
    let own = |image: &Image| image.size.saturating_sub(image.shared_size.max(0)).max(0);
    let free: i64 = unused.iter().map(|image| own(image)).sum();
    let sizes = all.iter().map(|image| {
        let tag = image.repo_tags.as_ref().and_then(|tags| tags.first());
        let id: String = image
            .id
            .trim_start_matches("sha256:")
            .chars()
            .take(12)
            .collect();
        (tag.cloned().unwrap_or(id), image.size)
    });
    top("image", sizes.collect(), largest);
    let layers = usage.layers_size.unwrap_or(0);
    seen.fact("images", all.len())
        .fact("images_unused", unused.len())
        .fact("images_bytes", layers)
        .fact("images_reclaimable_bytes", free);
    (layers, free)
}

fn containers(seen: &mut Seen, usage: &Usage, largest: &mut Vec<String>) -> (i64, i64) {
    let all = usage.containers.as_deref().unwrap_or_default();
    let total = all.iter().map(|one| one.size_rw).sum();
    let free = all
        .iter()
        .filter(|one| !matches!(one.state.as_str(), "running" | "paused" | "restarting"))
        .map(|one| one.size_rw)
        .sum();
    let sizes = all.iter().map(|one| {
        let name = one
            .names
            .first()
            .map_or("?", |name| name.trim_start_matches('/'));
        (name.to_owned(), one.size_rw)
    });
    let most = top("container", sizes.collect(), largest);
    seen.fact("containers", all.len())
        .fact("containers_bytes", total)
        .fact("containers_reclaimable_bytes", free)
        .fact(
            "largest_container_bytes",
            most.as_ref().map_or(0, |(_, size)| *size),
        )
        .fact("largest_container", most.map(|(name, _)| name));
    (total, free)
}

fn volumes(seen: &mut Seen, usage: &Usage, largest: &mut Vec<String>) -> (i64, i64) {
    let all = usage.volumes.as_deref().unwrap_or_default();
    // -1: the driver does not tell.
    let size = |one: &Volume| one.usage_data.as_ref().map_or(0, |used| used.size.max(0));
    let unused: Vec<&Volume> = all
        .iter()
        .filter(|one| {
            one.usage_data
                .as_ref()
                .is_some_and(|used| used.ref_count == 0)
        })
        .collect();
    let total = all.iter().map(size).sum();
    let free = unused.iter().map(|one| size(one)).sum();
    let sizes = all.iter().map(|one| (one.name.clone(), size(one)));
    let most = top("volume", sizes.collect(), largest);
    seen.fact("volumes", all.len())
        .fact("volumes_unused", unused.len())
        .fact("volumes_bytes", total)
        .fact("volumes_reclaimable_bytes", free)
        .fact(
            "largest_volume_bytes",
            most.as_ref().map_or(0, |(_, size)| *size),
        )
        .fact("largest_volume", most.map(|(name, _)| name));
    (total, free)
}

fn cache(seen: &mut Seen, usage: &Usage) -> (i64, i64) {
    let all = usage.build_cache.as_deref().unwrap_or_default();
    // What is shared is counted with the image that it is shared with.
    let own = || all.iter().filter(|cache| !cache.shared);
    let total = own().map(|cache| cache.size).sum();
    let free = own()
        .filter(|cache| !cache.in_use)
        .map(|cache| cache.size)
        .sum();
    seen.fact("build_cache_bytes", total)
        .fact("build_cache_reclaimable_bytes", free);
    (total, free)
}
