//! What processes in the background do.

use std::time::Duration;

use futures_util::future;

use crate::error::{LabError, Result};
use crate::instance::{self, Ports};
use crate::job::{Job, SqlUser};
use crate::lab::{Lab, REDIS_PASSWORD, secret};
use crate::link::Place;
use crate::raw::{NoAnswer, Raw};
use crate::service::Service;
use crate::settings::Settings;
use crate::sql::{Door, Sql};
use crate::step::Step;
use crate::web::Web;

/// How long a failed round waits before the next.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// So many connections are opened at once.
const AT_ONCE: usize = 8;

/// How long one answer is waited for; a slow command may take long.
const ANSWER_LIMIT: Duration = Duration::from_mins(10);

/// How long one page is waited for.
const PAGE_LIMIT: Duration = Duration::from_secs(30);

/// Writes go out in batches of this length of time.
const BATCH: Duration = Duration::from_millis(50);

/// The most processors that are kept busy.
const MOST_PROCESSORS: u32 = 8;

/// The most memory that is held, in bytes.
const MOST_MEMORY: u64 = 2 << 30;

/// Size of a page of memory in bytes; each is written to, so that it is really held.
const PAGE_BYTES: usize = 4096;

/// Does a job until the process is ended.
pub(crate) async fn work(settings: &Settings, ports: &Ports, job: Job) -> Result<()> {
    let place = Place {
        port: instance::port(ports, Service::RedisMaster),
        password: secret(settings, REDIS_PASSWORD)?,
    };
    let door = |user: SqlUser| -> Result<Door> {
        let password = secret(settings, user.password_file())?;
        let port = instance::port(ports, Service::MysqlMaster);
        Ok(Door::tcp(port, user.name(), &password))
    };
    match job {
        Job::HoldClients { clients } => hold(&place, clients).await,
        Job::Repeat { command, pause } => repeat(&place, &command, pause.0).await,
        Job::Write {
            per_second,
            value_bytes,
        } => write(&place, per_second, value_bytes).await,
        Job::HoldSql { connections, user } => hold_sql(&door(user)?, connections).await,
        Job::SqlSession { statements, user } => {
            let _session = session(&door(user)?, &statements).await;
            future::pending::<()>().await;
        }
        Job::SqlInStep {
            sessions,
            pause,
            again,
            user,
        } => in_step(&door(user)?, &sessions, pause.0, again).await,
        Job::SqlRepeat {
            statement,
            sessions,
            pause,
            user,
        } => {
            let door = door(user)?;
            let all = (0..sessions).map(|_| repeat_sql(&door, &statement, pause.0));
            future::join_all(all).await;
        }
        Job::Http {
            service,
            paths,
            per_second,
            method,
            body,
        } => {
            let web = Web::of(ports, service)?;
            visit(&web, &paths, per_second, &method, body.as_deref()).await;
        }
        Job::BurnCpu { processors } => {
            for _ in 0..processors.min(MOST_PROCESSORS) {
                std::thread::spawn(burn);
            }
            future::pending::<()>().await;
        }
        Job::HoldMemory { bytes } => {
            let length = usize::try_from(bytes.0.min(MOST_MEMORY)).unwrap_or_default();
            let mut held = vec![0_u8; length];
            for byte in held.iter_mut().step_by(PAGE_BYTES) {
                *byte = 1;
            }
            let () = future::pending().await;
            drop(held);
        }
        Job::Flap { on, off, every } => flap(settings, &on, &off, every.0).await?,
    }
    Ok(())
}

fn burn() {
    let mut number: u64 = 1;
    loop {
        number = std::hint::black_box(
            number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1),
        );
    }
}

async fn login(place: &Place) -> Result<Raw, NoAnswer> {
    let mut raw = Raw::open(place).await?;
    let answer = raw.ask(&["AUTH", &place.password], ANSWER_LIMIT).await?;
    if answer.starts_with("+OK") {
        Ok(raw)
    } else {
        Err(NoAnswer::Closed)
    }
}

/// Opens connections until there are enough, or the server takes no more; then tries again for ever, so that a place
/// which becomes free is taken.
async fn hold(place: &Place, clients: Option<u32>) {
    let wanted = clients.map_or(usize::MAX, |clients| {
        usize::try_from(clients).unwrap_or(usize::MAX)
    });
    let mut held = Vec::new();
    loop {
        match login(place).await {
            Ok(raw) if held.len() < wanted => held.push(raw),
            _ => tokio::time::sleep(RETRY_AFTER).await,
        }
        while held.len() >= wanted {
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }
}

async fn repeat(place: &Place, command: &[String], pause: Duration) {
    loop {
        if let Ok(mut raw) = login(place).await {
            // Only the first line of an answer is read, so a connection serves for one command.
            let _ = raw.ask(command, ANSWER_LIMIT).await;
            tokio::time::sleep(pause).await;
        } else {
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }
}

async fn write(place: &Place, per_second: u32, value_bytes: u32) {
    let value = "x".repeat(usize::try_from(value_bytes).unwrap_or_default());
    let batch = usize::try_from(per_second).unwrap_or_default() / 20;
    let mut tick = tokio::time::interval(BATCH);
    let mut number: u64 = 0;
    loop {
        let Ok(mut link) = place.link().await else {
            tokio::time::sleep(RETRY_AFTER).await;
            continue;
        };
        loop {
            tick.tick().await;
            let mut pipeline = redis::pipe();
            for _ in 0..batch {
                pipeline
                    .cmd("SET")
                    .arg(format!("lab:load:{number}"))
                    .arg(&value);
                number += 1;
            }
            if link.many(&pipeline, batch).await.is_err() {
                break;
            }
        }
    }
}

async fn hold_sql(door: &Door, connections: Option<u32>) {
    let wanted = connections.map_or(usize::MAX, |count| {
        usize::try_from(count).unwrap_or(usize::MAX)
    });
    let mut held: Vec<Sql> = Vec::new();
    loop {
        let next = AT_ONCE.min(wanted.saturating_sub(held.len()));
        let opened = future::join_all((0..next).map(|_| door.open())).await;
        let full = opened.iter().any(Result::is_err) || next == 0;
        held.extend(opened.into_iter().flatten());
        if full {
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }
}

/// A session after its statements, or after the first that failed (a deadlock's victim stays connected, too).
async fn session(door: &Door, statements: &[String]) -> Result<Sql> {
    let mut sql = door.open().await?;
    sql.run("USE mall").await?;
    for statement in statements {
        if let Err(error) = sql.run_within(statement, ANSWER_LIMIT).await {
            crate::say::progress(error.to_string());
        }
    }
    Ok(sql)
}

/// Every session has a task of its own, which takes its statements from a channel, so that one that waits for a lock
/// does not keep the others waiting.
async fn in_step(door: &Door, sessions: &[Vec<String>], pause: Duration, again: bool) {
    let longest = sessions.iter().map(Vec::len).max().unwrap_or_default();
    loop {
        let mut lines = Vec::new();
        let mut tasks = Vec::new();
        for _ in sessions {
            let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<String>();
            let door = door.clone();
            lines.push(sender);
            tasks.push(tokio::spawn(async move {
                let mut sql = session(&door, &[]).await?;
                while let Some(statement) = receiver.recv().await {
                    if let Err(error) = sql.run_within(&statement, ANSWER_LIMIT).await {
                        crate::say::progress(error.to_string());
                    }
                }
                Ok::<Sql, LabError>(sql)
            }));
        }
        for number in 0..longest {
            for (statements, line) in sessions.iter().zip(&lines) {
                if let Some(statement) = statements.get(number) {
                    let _ = line.send(statement.clone());
                }
            }
            tokio::time::sleep(pause).await;
        }
        drop(lines);
        let ended = future::join_all(tasks).await; // sessions stay open as long as this value lives
        if !again {
            let () = future::pending().await;
        }
        for sql in ended.into_iter().flatten().flatten() {
            sql.close().await;
        }
    }
}

async fn repeat_sql(door: &Door, statement: &str, pause: Duration) {
    loop {
        match session(door, &[]).await {
            Ok(mut sql) => {
                while sql.run_within(statement, ANSWER_LIMIT).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
            }
            Err(_) => tokio::time::sleep(RETRY_AFTER).await,
        }
    }
}

/// Visitors come at their rate whether or not the page is slow.
async fn visit(web: &Web, paths: &[String], per_second: u32, method: &str, body: Option<&str>) {
    let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second.max(1));
    for path in paths.iter().cycle() {
        tick.tick().await;
        let (web, path, method) = (web.clone(), path.clone(), method.to_owned());
        let body = body.map(str::to_owned);
        tokio::spawn(async move {
            let _ = web.ask(&method, &path, body.as_deref(), PAGE_LIMIT).await;
        });
    }
}

/// Breaks first, and ends with whatever it was doing: healing puts right what is left.
async fn flap(settings: &Settings, on: &[Step], off: &[Step], every: Duration) -> Result<()> {
    let mut lab = Lab::beside(settings).await?;
    loop {
        for steps in [on, off] {
            if let Err(error) = lab.carry_out(steps).await {
                crate::say::progress(error.to_string());
            }
            tokio::time::sleep(every).await;
        }
    }
}
