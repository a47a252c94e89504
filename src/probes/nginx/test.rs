//! `nginx.config`: does the configuration stand nginx's own test?
//!
//! In a container that does not run nothing can be tested; then the reason for which it refused to
//! start is taken from its log.

use std::path::Path;

use super::server::Server;
use crate::{
    app::{Clock, SystemClock},
    domain::diagnosis::{Blind, ProbeSpec, Sighting, TargetKind, Unit, Unseen},
    probes::{
        docker::Failure,
        run::{self, NoRun},
        seen::{Seen, plain},
        spec::{count, int, text},
    },
};

/// The most that is read of what the test says, in bytes.
const SAID_BYTES: usize = 64 * 1024;

/// Lines of a container's log that are looked at for its last words.
const LOG_LINES: usize = 60;

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "nginx.config",
    summary: "nginx's own test of its configuration (nginx -t), the error taken apart; in a container that does not run, the reason in its log",
    targets: &[TargetKind::Nginx],
    args: &[],
    facts: &[
        text("state", "ok; invalid; denied: Handbell's user may not read what the configuration names; not-running: in a container that does not run and whose log names no mistake; no-program").one_of(&["ok", "invalid", "denied", "not-running", "no-program"]),
        text("kind", "what is wrong").one_of(&["none", "syntax", "host-not-found", "file-missing", "certificate", "other"]),
        text("message", "nginx's own words, the place left out").optional(),
        text("file", "where the mistake is").optional(),
        int("line", Unit::None, "in which line").optional(),
        text("host", "the name that does not resolve").optional(),
        text("source", "where this is from").one_of(&["test", "log"]),
        count("warnings", "warnings of the test"),
        text("first_warning", "the first of them").optional(),
    ],
    per_key: None,
};

/// Tests.
///
/// # Errors
/// The test could not be run, or its container not be asked.
pub(super) async fn look(server: &Server<'_>) -> Result<Sighting, Blind> {
    let program = server.nginx.program.to_str().unwrap_or("nginx");
    let words = ["-t", "-q", "-c", server.config()];
    let Some(inside) = &server.inside else {
        let done = run::program(Path::new(program), &words, SAID_BYTES, server.end).await;
        return match done {
            Ok(done) if done.timed_out => Err(server.blind(&Failure::TimedOut)),
            Ok(done) => Ok(told(&done.errors(), done.code == Some(0), "test")),
            Err(NoRun::Missing(_)) => Ok(told("", false, "test")),
            Err(error) => Err(Blind::Unknown(Unseen::ServerSaid {
                detail: error.to_string(),
            })),
        };
    };
    let words = [&[program], &words[..]].concat();
    match inside.exec(&words, SAID_BYTES, server.end).await {
        Ok(said) if said.is_not_there() => Ok(told("", false, "test")),
        Ok(said) if matches!(said.code, Some(0 | 1)) => {
            Ok(told(&said.errors(), said.code == Some(0), "test"))
        }
        // It does not run, or ended under the test.
        Ok(_) | Err(Failure::Said(..)) => {
            let now = SystemClock.now();
            let any_age = std::time::Duration::ZERO;
            let read = inside
                .printed(LOG_LINES, SAID_BYTES, any_age, now, server.end)
                .await;
            let lines = read.map_err(|failure| server.blind(&failure))?;
            // Only what came after the last time that it worked.
            let mut last = String::new();
            for line in lines.iter().map(crate::probes::docker::Line::text) {
                if line.contains("[emerg]") {
                    last = line;
                } else if line.contains("start worker process") {
                    last.clear();
                }
            }
            Ok(told(&last, false, "log"))
        }
        Err(failure) => Err(server.blind(&failure)),
    }
}

/// What nginx said, taken apart.
fn told(said: &str, passed: bool, source: &str) -> Sighting {
    let mut seen = Seen::new(&SPEC);
    let of = |level: &'static str| said.lines().filter(move |line| line.contains(level));
    let mistake = of("[emerg]").next().or_else(|| {
        of("[crit]")
            .next()
            .or_else(|| of("[alert]").next())
            .filter(|_| !passed)
    });
    let warnings: Vec<&str> = of("[warn]").collect();
    let (message, file, line) = mistake.map_or((None, None, None), apart);
    let words = message.as_deref().unwrap_or("");
    let denied = words.contains("(13: Permission denied)")
        || words.contains("system library:fopen:Permission denied");
    let state = match (passed, mistake, source) {
        (true, _, _) => "ok",
        (_, Some(_), "test") if denied => "denied",
        (_, None, "log") => "not-running",
        (_, None, _) if said.trim().is_empty() => "no-program",
        _ => "invalid",
    };
    let kind = if state == "invalid" {
        kind(words)
    } else {
        "none"
    };
    let host = words
        .contains("host not found")
        .then(|| words.split('"').nth(1).map(ToOwned::to_owned))
        .flatten();
    for line in said.lines().take(12) {
        seen.line(line);
    }
    if said.trim().is_empty() {
        seen.line(format!("nothing said: {state}"));
    }
    seen.fact("state", state)
        .fact("kind", kind)
        .fact(
            "message",
            message.or_else(|| {
                let said = said.trim();
                (state == "invalid" && !said.is_empty()).then(|| plain(said, 200))
            }),
        )
        .fact("file", file)
        .fact("line", line)
        .fact("host", host)
        .fact("source", source)
        .fact("warnings", warnings.len())
        .fact("first_warning", warnings.first().map(|line| apart(line).0));
    seen.done()
}

/// Words, file and line of `nginx: [emerg] unknown directive "x" in /etc/nginx/nginx.conf:3`.
fn apart(line: &str) -> (Option<String>, Option<String>, Option<i64>) {
    let words = line
        .split_once("] ")
        .map_or(line, |(_, words)| words)
        .trim();
    // In a log the process id stands before: `2026/11/22 20:15:00 [emerg] 1#1: unknown …`.
    let words = match words.split_once(": ") {
        Some((id, rest)) if id.contains('#') && !id.contains(' ') => rest,
        _ => words,
    };
    if let Some((message, place)) = words.rsplit_once(" in /")
        && let Some((file, line)) = place.rsplit_once(':')
        && let Ok(line) = line.trim().parse::<i64>()
    {
        return (
            Some(message.to_owned()),
            Some(format!("/{file}")),
            Some(line),
        );
    }
    (Some(words.to_owned()), None, None)
}

fn kind(words: &str) -> &'static str {
    if words.contains("host not found") {
        "host-not-found"
    } else if words.contains("certificate") || words.contains("SSL_") || words.contains("PEM_") {
        "certificate"
    } else if words.contains("(2: No such file or directory)") {
        "file-missing"
    } else if [
        "unknown directive",
        "unexpected",
        "invalid",
        "is not allowed here",
        "is duplicate",
        "duplicate",
        "is not terminated",
        "has no",
        "unknown",
        "conflicting",
    ]
    .iter()
    .any(|mark| words.contains(mark))
    {
        "syntax"
    } else {
        "other"
    }
}

#[cfg(test)]
#[path = "test_tests.rs"]
mod tests;
