//! The ssh client, as it is asked for the same everywhere.

use std::path::Path;

use tokio::process::Command;

use super::net::Obstacle;

/// A client for `ssh://user@host:port` that is to run `words` there. Keys, known hosts and all
/// else are those of the user who runs Handbell; nothing is ever asked, so an unknown host is
/// refused. The other side's shell reads the words, so each is quoted for it.
pub(super) fn command(program: &Path, address: &str, words: &[&str]) -> Command {
    let place = address.strip_prefix("ssh://").unwrap_or(address);
    let place = place.trim_end_matches('/');
    let (user, place) = match place.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, place),
    };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, Some(port)),
        _ => (place, None),
    };
    let mut command = Command::new(program);
    command.args(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]);
    if let Some(user) = user {
        command.args(["-l", user]);
    }
    if let Some(port) = port {
        command.args(["-p", port]);
    }
    command.args(["--", host.trim_matches(['[', ']'])]);
    command.args(words.iter().map(|word| quoted(word)));
    command
}

/// `word` as a POSIX shell reads it back; plain words stay as they are.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=+,:@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The obstacle in what ssh said before it ended.
pub(super) fn obstacle_in(said: &str) -> Obstacle {
    let said = said.trim();
    let last = said
        .lines()
        .last()
        .unwrap_or("it ended without a word")
        .trim();
    if said.contains("Could not resolve hostname") {
        Obstacle::Unresolved(last.to_owned())
    } else if said.contains("Connection refused") {
        Obstacle::Refused
    } else if said.contains("timed out") {
        Obstacle::TimedOut
    } else {
        Obstacle::Ssh(last.to_owned())
    }
}
