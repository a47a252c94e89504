//! `handbell init`: a commented configuration to fill in, and the bot's invitation.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{EXIT_WRONG, Output, args::Init};
use crate::{config, runtime};

/// What others may do with a file that names people: nothing.
const PRIVATE: u32 = 0o600;
/// What others may do with the other files: read, as far as the user's own mask lets them.
const ORDINARY: u32 = 0o666;

/// The line of the default `access.toml` that lets everybody on this machine diagnose.
const EVERYBODY: &str =
    "# Whoever can run this binary can also reach the targets without it.\nlocal_users = [\"*\"]";

/// Writes what is missing of a configuration; never touches what is there.
pub(super) fn run(args: &Init, asked: Option<&Path>, output: &Output) -> u8 {
    let directory = args
        .directory
        .clone()
        .or_else(|| asked.map(Path::to_owned))
        .or_else(config::user_directory);
    let Some(directory) = directory else {
        output.error("there is no home directory to write to; name a directory: handbell init DIR");
        return EXIT_WRONG;
    };
    if let Err(error) = fs::create_dir_all(&directory) {
        output.error(&format!(
            "the directory {} can't be made: {error}",
            directory.display()
        ));
        return EXIT_WRONG;
    }
    let user = config::local_user();
    for (name, text) in config::FILES {
        let path = directory.join(name);
        let mode = if name == "oncall.toml" {
            PRIVATE
        } else {
            ORDINARY
        };
        match write_new(&path, &fill_in(name, text, &user), mode) {
            Ok(()) => output.say(&format!("wrote    {}", path.display())),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                output.say(&format!("kept     {} (it was there)", path.display()));
            }
            Err(error) => {
                output.error(&format!("{} can't be written: {error}", path.display()));
                return EXIT_WRONG;
            }
        }
    }
    output.say(&next_steps(args.application, &directory));
    0
}

/// Creates `path`; fails when there is anything of that name, be it a link.
fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file would be kept by the next run.
        let _ = fs::remove_file(path);
    }
    written
}

/// `text` for this machine: in `access.toml`, `user` alone is let in, as admin.
fn fill_in(name: &str, text: &str, user: &str) -> String {
    if name != "access.toml" {
        return text.to_owned();
    }
    let text = text.replacen(EVERYBODY, "local_users = []", 1);
    match text.split_once("[admin]") {
        Some((before, after)) => {
            let after = after.replacen(
                "local_users = []",
                &format!("local_users = [{}]", serde_json::Value::from(user)),
                1,
            );
            format!("{before}[admin]{after}")
        }
        None => text,
    }
}

fn next_steps(application: Option<u64>, directory: &Path) -> String {
    let mut text = format!(
        "
Next:
 1. Fill in targets.toml: where your servers are.
 2. Make a Discord application with a bot at https://discord.com/developers/applications;
    put its token into the environment variable HANDBELL_DISCORD_TOKEN, or into a file.
 3. Invite the bot with this link:

    {}

    It asks for the scopes bot (to be a member) and applications.commands (to register
    commands), and for these permissions, each of which it needs:
",
        runtime::invitation(application)
    );
    for needed in &runtime::NEEDED {
        text.push_str(&format_args!("      {:26} {}\n", needed.name, needed.why).to_string());
    }
    if application.is_none() {
        text.push_str(
            "
    Put your application's id (General Information → Application ID) in the place of
    APPLICATION_ID, or run `handbell init --application ID` again: nothing is overwritten.
",
        );
    }
    let config = directory.display();
    text.push_str(
        &format_args!(
            "
 4. Fill in [discord] guilds and channels in handbell.toml, and the roles in access.toml.
 5. handbell --config {config} doctor
    handbell --config {config} serve"
        )
        .to_string(),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_user_becomes_admin_and_nobody_else_is_let_in() {
        let (_, text) = config::FILES[2];
        let filled = fill_in("access.toml", text, "ali\"ce");
        assert!(!filled.contains("local_users = [\"*\"]"));
        let admin = filled.split_once("[admin]").expect("a section").1;
        assert!(admin.contains("local_users = [\"ali\\\"ce\"]"), "{admin}");
        assert_eq!(filled.matches("local_users = []").count(), 3);
    }
}
