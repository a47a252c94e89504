//! One interaction from its arrival to its answer.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use jiff::tz::TimeZone;
use serenity::{
    builder::{CreateInteractionResponse, CreateInteractionResponseMessage},
    http::Http,
    model::id::GuildId,
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    acknowledge::{Unacknowledged, acknowledge},
    answer::{Allowed, Answer},
    decode::{Asked, Incoming},
    deliver::Reply,
    error::describe,
    firsts::Firsts,
    handbook,
    http::Wire,
    looks, present, words,
};
use crate::app::{Envelope, Gate, Place, RecordId, Refusal, Request};
use crate::domain::handbook::{Handbook, PATROL};

/// Requests that are worked on at the same time; further ones wait. Acknowledgements never wait.
/// Our own choice: the checks themselves are bounded per target, and this many edits a second are
/// within what Discord takes.
const WORKERS: usize = 16;
/// Requests that may wait. Our own choice: more than that is no longer a conversation.
const QUEUE: usize = 512;
/// When a request waits longer than this, its reply says so.
const SAY_QUEUED_AFTER: Duration = Duration::from_secs(2);

/// What every interaction needs.
pub(super) struct Bot {
    pub(super) gate: Arc<Gate>,
    pub(super) wire: Arc<Wire>,
    pub(super) shared: Arc<Http>,
    pub(super) timezone: TimeZone,
    /// Where guilds go that the bot has joined, or that are back.
    pub(super) joined: mpsc::Sender<GuildId>,
    /// Nothing new is begun.
    pub(super) stopping: CancellationToken,
    /// What still runs is given up.
    pub(super) hurry: CancellationToken,
    /// Everything that still has to be answered.
    pub(super) open: TaskTracker,
    workers: Semaphore,
    waiting: AtomicUsize,
    firsts: Firsts,
}

impl Bot {
    pub(super) fn new(
        gate: Arc<Gate>,
        wire: Arc<Wire>,
        shared: Arc<Http>,
        timezone: TimeZone,
        joined: mpsc::Sender<GuildId>,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            gate,
            wire,
            shared,
            timezone,
            joined,
            stopping,
            hurry: CancellationToken::new(),
            open: TaskTracker::new(),
            workers: Semaphore::new(WORKERS),
            waiting: AtomicUsize::new(0),
            firsts: Firsts::new(),
        }
    }

    /// Answers one command or click that was received at `received`.
    pub(super) async fn answer(&self, incoming: Incoming, received: Instant) {
        let http = self.wire.limiter(Some(incoming.application));
        let lang = incoming.lang;
        let refused_at_once = if self.stopping.is_cancelled() {
            Some(words::stopping(lang))
        } else if self.waiting.load(Ordering::Relaxed) >= QUEUE {
            Some(words::too_many(lang))
        } else {
            None
        };
        let private = refused_at_once.is_some() || !self.is_for_everybody(&incoming);
        // An answer to a manual step changes the report on which its button is.
        let changes_report = matches!(&incoming.asked, Ok(Asked::Request(Request::Answer { .. })));
        let private = private && !changes_report;
        let first = match refused_at_once {
            None if changes_report => CreateInteractionResponse::Acknowledge,
            Some(sentence) => {
                let message = Answer::line(sentence).form(Allowed::ALL, lang);
                CreateInteractionResponse::Message(message.response())
            }
            None => CreateInteractionResponse::Defer(
                CreateInteractionResponseMessage::new().ephemeral(private),
            ),
        };
        let sent = {
            let _first = self.firsts.enter().await;
            acknowledge(&http, incoming.id, &incoming.token, &first, received).await
        };
        let waited_ms = received.elapsed().as_millis();
        if let Err(why) = sent {
            say_unacknowledged(&incoming, &why, waited_ms);
            return;
        }
        tracing::debug!(interaction = incoming.id.get(), waited_ms, "acknowledged");
        if refused_at_once.is_some() {
            return;
        }
        let reply = Reply {
            wire: Arc::clone(&self.wire),
            application: incoming.application,
            http,
            shared: Arc::clone(&self.shared),
            interaction: incoming.id,
            token: incoming.token.clone(),
            channel: incoming.channel,
            person: incoming.person.clone(),
            label: label(&incoming),
            lang,
            private,
            permissions: incoming.permissions,
            unsettled: AtomicBool::new(false),
        };
        tokio::select! {
            done = AssertUnwindSafe(self.work(&incoming, &reply)).catch_unwind() => {
                if done.is_err() {
                    let reference = format!("interaction-{}", incoming.id);
                    tracing::error!(reference, asked = reply.label, "an interaction broke");
                    let answer = Answer::line(&words::broken(lang, &reference));
                    reply.finish(answer, None).await;
                }
            }
            () = self.hurry.cancelled() => {
                let answer = Answer::line(words::interrupted(lang));
                reply.finish(answer, None).await;
            }
        }
    }

    /// Whether the answer is for the whole channel: a diagnosis that will be run. What is refused,
    /// read or looked up is for the person alone.
    fn is_for_everybody(&self, incoming: &Incoming) -> bool {
        let request = match &incoming.asked {
            Ok(Asked::Request(request)) if self.gate.would_run(request) => request.clone(),
            Ok(Asked::Again(_)) => Request::Diagnose {
                runbook: String::new(),
                params: crate::app::RawParams::new(),
            },
            _ => return false,
        };
        self.gate.allows(&incoming.actor, &request)
    }

    async fn work(&self, incoming: &Incoming, reply: &Reply) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.firsts.quiet().await;
        let soon = timeout(SAY_QUEUED_AFTER, self.workers.acquire()).await;
        let turn = if let Ok(turn) = soon {
            turn
        } else {
            reply.progress(words::queued(incoming.lang)).await;
            self.workers.acquire().await
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let Ok(_turn) = turn else { return };
        match &incoming.asked {
            Err(undecoded) => {
                let answer = present::sentence(&undecoded.say(), incoming.lang);
                reply.finish(answer, None).await;
            }
            Ok(Asked::Help) => {
                let answer = present::help(&self.gate, &incoming.actor, incoming.lang);
                reply.finish(answer, None).await;
            }
            Ok(Asked::Request(request @ Request::Answer { .. })) => {
                self.looked(incoming, reply, request.clone()).await;
            }
            Ok(Asked::Request(request)) => self.ask(incoming, reply, request.clone()).await,
            Ok(Asked::Show(page)) => {
                let page = page.as_str();
                let show = |book: &Handbook| handbook::show(book, page, incoming);
                self.read(incoming, reply, show).await;
            }
            Ok(Asked::Search(words)) => {
                let show = |book: &Handbook| handbook::found(book, words, incoming.lang);
                self.read(incoming, reply, show).await;
            }
            Ok(Asked::Evidence(record)) => self.evidence(incoming, reply, *record).await,
            Ok(Asked::Again(record)) => match self.recorded(incoming, *record).await {
                Ok(request) => self.ask(incoming, reply, request).await,
                Err(refusal) => {
                    let answer = present::refusal(&refusal, incoming.lang);
                    reply.finish_privately(answer).await;
                }
            },
        }
    }

    async fn ask(&self, incoming: &Incoming, reply: &Reply, request: Request) {
        let run = self.gate.size_of(&request);
        let (sender, receiver) = mpsc::channel(super::progress::CAPACITY);
        let follow = super::progress::follow(reply, run, receiver);
        let run = self.gate.pass(envelope(incoming, request), sender);
        let (result, ()) = tokio::join!(run, follow);
        match result {
            Ok(done) => {
                let (answer, record) = present::reply(&done, self, incoming);
                reply.finish(answer, record).await;
            }
            Err(refusal) => {
                let answer = present::refusal(&refusal, incoming.lang);
                reply.finish_privately(answer).await;
            }
        }
    }

    /// Shows something of the handbook, to whoever may read it.
    async fn read(
        &self,
        incoming: &Incoming,
        reply: &Reply,
        show: impl FnOnce(&Handbook) -> Answer,
    ) {
        let (sender, _) = mpsc::channel(1);
        let answer = match self
            .gate
            .pass(envelope(incoming, Request::ReadHandbook), sender)
            .await
        {
            Ok(crate::app::Reply::Handbook(book)) => show(&book),
            Ok(_) => return,
            Err(refusal) => present::refusal(&refusal, incoming.lang),
        };
        reply.finish(answer, None).await;
    }

    /// Records what the person saw, and writes it over the report.
    async fn looked(&self, incoming: &Incoming, reply: &Reply, request: Request) {
        let (sender, _) = mpsc::channel(1);
        match self.gate.pass(envelope(incoming, request), sender).await {
            Ok(crate::app::Reply::Answered(record, answers)) => {
                let lines = looks::lines(&record, &answers, &self.timezone, incoming.lang);
                let old = incoming
                    .message
                    .as_ref()
                    .map_or("", |message| &message.content);
                reply.write_over(&looks::content(old, &lines)).await;
            }
            Ok(_) => {}
            Err(refusal) => {
                let answer = present::refusal(&refusal, incoming.lang);
                reply.tell_privately(&answer).await;
            }
        }
    }

    async fn evidence(&self, incoming: &Incoming, reply: &Reply, id: RecordId) {
        let answer = match self.show(incoming, id).await {
            Ok(record) => present::evidence(&record, incoming),
            Err(refusal) => present::refusal(&refusal, incoming.lang),
        };
        reply.finish(answer, Some(id)).await;
    }

    /// What a record asked for, so that it can be asked once more.
    async fn recorded(&self, incoming: &Incoming, id: RecordId) -> Result<Request, Refusal> {
        let start = self.show(incoming, id).await?.start;
        let patrol = start.runbook.strip_prefix(PATROL).map(str::trim_start);
        Ok(match patrol {
            Some("") => Request::Patrol { page: None },
            Some(page) => Request::Patrol {
                page: Some(page.to_owned()),
            },
            None => Request::Diagnose {
                runbook: start.runbook,
                params: present::raw(&start.params),
            },
        })
    }

    async fn show(&self, incoming: &Incoming, id: RecordId) -> Result<crate::app::Record, Refusal> {
        let (sender, _) = mpsc::channel(1);
        let request = Request::ShowRecord { id };
        match self.gate.pass(envelope(incoming, request), sender).await? {
            crate::app::Reply::History(records) => {
                records.into_iter().next().ok_or(Refusal::NoSuchRecord(id))
            }
            _ => Err(Refusal::NoSuchRecord(id)),
        }
    }
}

fn envelope(incoming: &Incoming, request: Request) -> Envelope {
    Envelope {
        actor: incoming.actor.clone(),
        place: Place::Discord {
            guild: incoming
                .guild
                .map(|guild| guild.to_string())
                .unwrap_or_default(),
            channel: incoming.channel.to_string(),
        },
        request,
    }
}

fn label(incoming: &Incoming) -> String {
    match &incoming.asked {
        Ok(Asked::Request(request)) => format!("/{}", request.label()),
        Ok(Asked::Again(record)) => format!("record {} again", record.0),
        Ok(Asked::Evidence(record)) => format!("the evidence of record {}", record.0),
        Ok(Asked::Show(page)) => format!("/handbook show {page}"),
        Ok(Asked::Search(words)) => format!("/handbook search {words}"),
        Ok(Asked::Help) => "/help".to_owned(),
        Err(_) => "something unknown".to_owned(),
    }
}

fn say_unacknowledged(incoming: &Incoming, why: &Unacknowledged, waited_ms: u128) {
    let error = match why {
        Unacknowledged::Failed(error) => describe(error),
        Unacknowledged::TooLate => "Discord's 3 s were over".to_owned(),
    };
    tracing::error!(
        asked = label(incoming),
        actor = incoming.actor.label(),
        waited_ms,
        error,
        "an interaction could not be acknowledged, so it was not run; the person reads that the application did not respond"
    );
}
