//! Base images from Debian's packages, for machines that no image registry answers: one minimal root file system
//! made by debootstrap (<https://wiki.debian.org/Debootstrap>), kept as a tar archive and imported under the names
//! that the Dockerfiles use, so that the same Dockerfiles serve both worlds.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use bollard::Docker;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::TryStreamExt;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::error::{LabError, Result};
use crate::process::find_program;
use crate::say;
use crate::settings::Settings;

/// How one base image is made.
struct Recipe {
    /// The Debian release.
    suite: &'static str,
    /// What is installed beside the minimal system.
    packages: &'static str,
    /// What is installed after it: debootstrap configures in no order, and these need a Python that is configured.
    later: &'static [&'static str],
    /// The names of official images that it stands in for.
    images: &'static [&'static str],
    /// The archive's name; counted up when the recipe changes, so that an archive of an older recipe is not taken.
    archive: &'static str,
}

/// The base images of the mall. Debian 12 has the Redis 7.0, the Nginx, the Python and the MariaDB that the
/// Dockerfiles want; MySQL is in Debian's unstable release alone.
const RECIPES: [Recipe; 3] = [
    Recipe {
        suite: "bookworm",
        packages: "redis-server,python3,nginx-light,curl",
        later: &["python3-pymysql", "python3-cryptography"],
        images: &["redis:7.0-bookworm", "debian:bookworm-slim"],
        archive: "base-bookworm-3.tar",
    },
    Recipe {
        suite: "bookworm",
        packages: "mariadb-server",
        later: &[],
        images: &["mariadb:10.11"],
        archive: "base-mariadb-1.tar",
    },
    Recipe {
        suite: "sid",
        packages: "mysql-server",
        later: &[],
        images: &["mysql:9"],
        archive: "base-mysql-1.tar",
    },
];

/// What a base image does without.
const LEFT_OUT: [&str; 9] = [
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./usr/share/info/*",
    "./usr/share/locale/*",
    "./dev/*",
    // What the packages' own scripts began; the Dockerfiles begin anew.
    "./var/lib/mysql/*",
    "./var/log/mysql/*",
];

/// How much of the archive is read at a time, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// The label that tells a stand-in from the official image of the same name.
pub const STAND_IN_LABEL: &str = "io.handbell.lab.stand-in";

/// Makes sure that the engine has a base image of this name, from the archive (which is made when it is missing).
///
/// # Errors
/// When debootstrap is not installed, may not run, or fails; or when the engine refuses the archive.
pub async fn import(settings: &Settings, docker: &Docker, image: &str) -> Result<()> {
    let Some(recipe) = RECIPES.iter().find(|recipe| recipe.images.contains(&image)) else {
        return Err(LabError::Refused(format!(
            "no image registry gives {image}, and the lab knows no stand-in for it"
        )));
    };
    let archive = archive(settings, recipe).await?;
    let (repo, tag) = image.split_once(':').unwrap_or((image, "latest"));
    let options = CreateImageOptionsBuilder::default()
        .from_src("-")
        .repo(repo)
        .tag(tag)
        .changes(vec![format!(
            "LABEL {STAND_IN_LABEL}=debootstrap-{}",
            recipe.suite
        )])
        .platform("")
        .build();
    let file = tokio::fs::File::open(&archive)
        .await
        .map_err(LabError::file("read", &archive))?;
    let body = futures_util::stream::try_unfold(file, |mut file| async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        let length = file.read(&mut chunk).await?;
        chunk.truncate(length);
        Ok((length > 0).then(|| (chunk.into(), file)))
    });
    let import = docker
        .create_image(Some(options), Some(bollard::body_try_stream(body)), None)
        .try_for_each(|_| async { Ok(()) });
    say::during(
        &format!("Importing {image} (a stand-in made of Debian's packages)"),
        import,
    )
    .await
    .map_err(LabError::docker(format!("import {image}")))
}

/// The archive of the root file system; made once, then taken from the cache directory.
async fn archive(settings: &Settings, recipe: &Recipe) -> Result<PathBuf> {
    let archive = settings.cache_dir.join(recipe.archive);
    if archive.is_file() {
        return Ok(archive);
    }
    let Some(debootstrap) = find_program("debootstrap") else {
        return Err(LabError::Program {
            program: "debootstrap".to_owned(),
            why: "is not installed, and no image registry answers; `lab/install.sh docker` installs it".to_owned(),
        });
    };
    std::fs::create_dir_all(&settings.cache_dir)
        .map_err(LabError::file("make", &settings.cache_dir))?;
    let work = tempfile::Builder::new()
        .prefix("base-")
        .tempdir_in(&settings.cache_dir)
        .map_err(LabError::file("make a directory in", &settings.cache_dir))?;
    let root = work.path().join("root");
    let made = say::during(
        &format!(
            "Making a base image of Debian {} with {} (once; one or two minutes)",
            recipe.suite, recipe.packages
        ),
        make(settings, recipe, &debootstrap, &root, work.path()),
    )
    .await;
    let packed = work.path().join("root.tar");
    let kept = made.and_then(|()| {
        std::fs::rename(&packed, &archive).map_err(LabError::file("write", &archive))
    });
    // Its files belong to root, so that a plain user's own clean-up would not do.
    run_as_root(
        Path::new("/bin/rm"),
        &["-rf", "--one-file-system", &text(&root)],
        &work.path().join("rm.log"),
    )
    .await?;
    kept.map(|()| archive)
}

async fn make(
    settings: &Settings,
    recipe: &Recipe,
    debootstrap: &Path,
    root: &Path,
    work: &Path,
) -> Result<()> {
    let log = settings.cache_dir.join("debootstrap.log");
    let include = format!("--include={}", recipe.packages);
    let root = text(root);
    let mut arguments = vec![
        "--variant=minbase",
        include.as_str(),
        recipe.suite,
        root.as_str(),
    ];
    arguments.extend(settings.mirror.as_deref());
    run_as_root(debootstrap, &arguments, &log).await?;
    let chroot = find_program("chroot").unwrap_or_else(|| PathBuf::from("/usr/sbin/chroot"));
    let mut inside: Vec<Vec<&str>> = Vec::new();
    if !recipe.later.is_empty() {
        inside.push(vec!["apt-get", "update", "-q"]);
        let install = ["apt-get", "install", "-q", "-y", "--no-install-recommends"];
        inside.push([&install, recipe.later].concat());
    }
    if recipe.packages.contains("redis") {
        inside.push(vec!["install", "-d", "-o", "redis", "-g", "redis", "/data"]);
    }
    for command in inside {
        let arguments = [&[root.as_str()][..], &command].concat();
        run_as_root(&chroot, &arguments, &log).await?;
    }
    let excludes: Vec<String> = LEFT_OUT
        .iter()
        .map(|path| format!("--exclude={path}"))
        .collect();
    let packed = text(&work.join("root.tar"));
    let mut arguments = vec![
        "--numeric-owner",
        "--create",
        "--file",
        packed.as_str(),
        "--directory",
        root.as_str(),
    ];
    arguments.extend(excludes.iter().map(String::as_str));
    arguments.push(".");
    run_as_root(Path::new("/bin/tar"), &arguments, &log).await
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Runs a program as root: directly, or through `sudo -n` (which never asks for a password).
///
/// # Errors
/// When it may not be run as root, or fails.
pub(crate) async fn run_as_root(program: &Path, arguments: &[&str], log: &Path) -> Result<()> {
    let name = program.display().to_string();
    let mut command = if rustix::process::getuid().is_root() {
        Command::new(program)
    } else if let Some(sudo) = find_program("sudo") {
        let mut command = Command::new(sudo);
        command.arg("-n").arg(program);
        command
    } else {
        return Err(LabError::Program {
            program: name,
            why: "needs root, and there is no sudo".to_owned(),
        });
    };
    let output = std::fs::File::options()
        .create(true)
        .append(true)
        .open(log)
        .map_err(LabError::file("write", log))?;
    let errors = output.try_clone().map_err(LabError::file("write", log))?;
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .kill_on_drop(true);
    let status = command.status().await.map_err(|error| LabError::Program {
        program: name.clone(),
        why: format!("could not be run: {error}"),
    })?;
    if status.success() {
        return Ok(());
    }
    let why = format!(
        "failed ({status}) as root; what it said stands at the end of {}",
        log.display()
    );
    Err(LabError::Program { program: name, why })
}
